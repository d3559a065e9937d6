//! CNAB 240 remittance: titles to register, to amend, to write off.
//!
//! Segments P, Q and R of FEBRABAN V10.6; Santander's and Caixa's headers and segment P are their own. Inter (077) has no public CNAB 240
//! remittance: it is refused by name.

mod dialect;
mod order;
mod reader;
mod text;
mod writer;

pub use order::{
    Amendment, Company, DiscountOrder, FineOrder, Instruction, InterestOrder, Order, OrderFault, Payer, ProtestOrder, Species, Title,
};
pub use reader::{ReadFault, RemittanceReader};
pub use writer::RemittanceWriter;
