//! Pix: BR Codes, identifiers, charges with a due date (cobv).
//!
//! Sources: BCB, Manual de Padrões para Iniciação do Pix; bacen/pix-api openapi 2.9.0; EMV QRCPS merchant-presented.

mod amount;
mod brcode;
pub mod cobv;
mod cobv_due;
mod draft;
mod id;
mod key;
mod tlv;

pub use amount::{decimal_text, parse_decimal};
pub use brcode::{Account, BrCode, BrCodeFault, Initiation};
pub use draft::Draft;
pub use id::{ChargeTxid, EndToEndId, IdFault, NotifiedTxid, RecurrenceId, ReturnId, StaticTxid};
pub use key::{KeyKind, kind_of_key};
pub use tlv::Field;
