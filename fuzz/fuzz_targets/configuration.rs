//! Configurations: no panic, and every fault has a path, in what is laid over the defaults and in each section.
#![no_main]

use host::config::{Access, BusConfig, Config, Faults, Listen, Reading, Storage, TelemetryConfig};
use libfuzzer_sys::fuzz_target;

fn judge(text: &str) -> Result<(), Faults> {
    let (config, faults) = Config::read(regua::settings::DEFAULT, text)?;
    let mut reading = Reading::new(&config, faults);
    let (storage, bus) = (reading.section::<Storage>("storage"), reading.section::<BusConfig>("bus"));
    storage.and_then(|storage| reading.take(storage.check()));
    bus.and_then(|bus| reading.take(bus.check()));
    let _ = (reading.section::<Access>("access"), reading.section::<TelemetryConfig>("telemetry"), reading.section::<Listen>("invoice"));
    let _ = (reading.section::<notification::ChannelsConfig>("channels"), reading.take(dunning_engine::Limits::of(&config)));
    let pix = reading.section::<invoice::PixConfig>("pix");
    pix.and_then(|pix| reading.take(pix.check()));
    if reading.is_good() { Ok(()) } else { Err(reading.into_faults()) }
}

fuzz_target!(|text: &str| {
    if let Err(Faults(faults)) = judge(text) {
        assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.path.is_empty()));
    }
});
