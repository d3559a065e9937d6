//! Compiles `proto/` with a protobuf compiler written in Rust: no system protoc.
use std::{env, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    let files: Vec<PathBuf> = [
        "regua/invoice/v1/events.proto",
        "regua/invoice/v1/invoice_service.proto",
        "regua/dunning/v1/events.proto",
        "regua/dunning/v1/dunning_service.proto",
        "regua/notification/v1/events.proto",
        "regua/notification/v1/notification_service.proto",
        "regua/reporting/v1/reporting_service.proto",
    ]
    .iter()
    .map(|file| root.join(file))
    .collect();
    println!("cargo:rerun-if-changed={}", root.display());
    let descriptors = protox::compile(&files, [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
