//! Generated code of `proto/`: messages, clients and servers. Nothing by hand but the build script.
#![allow(missing_docs, clippy::all)]

/// Descriptors of all files, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The invoice service and its facts.
pub mod invoice {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("regua.invoice.v1");
    }
}

/// The dunning engine and its facts.
pub mod dunning {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("regua.dunning.v1");
    }
}

/// The notification service and its facts.
pub mod notification {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("regua.notification.v1");
    }
}

/// The reporting service.
pub mod reporting {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("regua.reporting.v1");
    }
}
