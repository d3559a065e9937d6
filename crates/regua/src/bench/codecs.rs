//! Boleto lines, Pix codes and records of bank files, on one core. `make bench-codecs` looks at each more closely.

#[path = "../../../brazil/benches/samples/mod.rs"]
mod samples;

use super::{Figure, Plan, load::per_second, tell};
use crate::progress;
use brazil::{boleto::Boleto, cnab::ReturnReader, pix::BrCode};
use samples::BARCODE;
pub use samples::{LINE, PIX, TITLES, return_file};
use samples::{records_written, remittance};
use std::{hint::black_box, time::Duration};

/// Pieces between two looks at the time.
const STRIDE: u64 = 256;
/// Bytes of a record and its line end.
const RECORD: usize = 242;
/// Of a million boleto lines or bank file records a second, as a share of what copying their bytes comes to, nothing can be said: the
/// copy is there for scale, and the goal is the number itself.
const GOAL: f64 = 1_000_000.0;

/// All of them.
pub fn measure(plan: &Plan) -> Vec<Figure> {
    let boleto = Boleto::from_barcode(BARCODE);
    let code = BrCode::parse(PIX);
    let file = return_file();
    let mut figures = vec![
        compare(plan, ("codecs/boleto_line_decode", 1), LINE.as_bytes(), || _ = black_box(Boleto::from_line(black_box(LINE)))),
        compare(plan, ("codecs/pix_decode", 1), PIX.as_bytes(), || _ = black_box(BrCode::parse(black_box(PIX)))),
        compare(plan, ("codecs/cnab_read", 2 * TITLES as u64), &file, || _ = black_box(settlements(black_box(&file)))),
    ];
    if let Some((company, orders)) = remittance()
        && let Some(records) = records_written(&company, &orders)
    {
        let bytes = vec![b'0'; records * RECORD];
        let piece = || _ = black_box(records_written(black_box(&company), black_box(&orders)));
        figures.push(compare(plan, ("codecs/cnab_write", records as u64), &bytes, piece));
    }
    if let (Ok(boleto), Ok(code)) = (boleto, code) {
        figures.push(compare(plan, ("codecs/boleto_line_encode", 1), LINE.as_bytes(), || _ = black_box(black_box(&boleto).line())));
        figures.push(compare(plan, ("codecs/pix_encode", 1), PIX.as_bytes(), || _ = black_box(black_box(&code).text())));
    }
    figures
}

/// Items a second beside copies of the same bytes. One call does `items` items.
fn compare(plan: &Plan, what: (&str, u64), bytes: &[u8], piece: impl Fn()) -> Figure {
    let (name, items) = what;
    let (mut path, mut reference) = (Vec::new(), Vec::new());
    // What computes needs no long rounds, and they would eat the time of what waits for a disk.
    let round = plan.round / 4;
    for number in 0..plan.rounds {
        tell(name, number, plan);
        path.push(rate(items, round, &piece));
        reference.push(rate(items, round, || _ = black_box(black_box(bytes).to_vec())));
    }
    let figure = Figure::rate(name.to_owned(), "items/s", &path, ("a copy of the same bytes, for scale", &reference));
    let counted = name.contains("boleto_line") || name.contains("cnab");
    let goal = figure.reference_value.filter(|value| counted && *value > 0.0).map(|value| GOAL / value);
    figure.with_goal(goal)
}

fn rate(items: u64, long: Duration, piece: impl Fn()) -> f64 {
    let (watch, mut done) = (progress::stopwatch(), 0);
    let stride = (STRIDE / items).max(1);
    loop {
        (0..stride).for_each(|_| piece());
        done += stride * items;
        if watch() >= long {
            return per_second(done, watch());
        }
    }
}

/// How many settlements a return file has; 0 where it is refused.
pub fn settlements(file: &[u8]) -> usize {
    let (mut reader, mut entries) = (ReturnReader::new(), 0);
    let read = reader.push(file, &mut |_| entries += 1).is_ok() && reader.finish(&mut |_| entries += 1).is_ok();
    if read { entries } else { 0 }
}
