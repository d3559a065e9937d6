//! CNAB 240 remittance: titles to register, to amend, to write off.
//!
//! FEBRABAN V10.6 as it stands, segments P, Q and R. Santander and Caixa shift segment P: they are refused by name
//! until their layouts are written exactly.

mod order;
mod reader;
mod text;
mod writer;

pub use order::{
    Amendment, Company, DiscountOrder, FineOrder, Instruction, InterestOrder, Order, OrderFault, Payer, ProtestOrder, Species, Title,
};
pub use reader::{ReadFault, RemittanceReader};
pub use writer::RemittanceWriter;
