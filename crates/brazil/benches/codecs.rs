//! How fast the codecs are, one core: items a second, and for files bytes a second. `make bench-codecs` runs it; the first line of each
//! group copies the same bytes, for scale.

mod samples;

use brazil::{
    boleto::{Arrecadacao, Boleto},
    cnab::ReturnReader,
    pix::BrCode,
};
use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use samples::{BARCODE, LINE, PIX, TITLES, records_written, remittance, return_file};

fn main() {
    divan::main();
}

fn copied(bencher: Bencher, text: &str) {
    bencher.counter(ItemsCount::new(1_u32)).bench(|| black_box(text).as_bytes().to_vec());
}

#[divan::bench_group]
mod boleto {
    use super::*;

    #[divan::bench]
    fn a_copy_of_the_line(bencher: Bencher) {
        copied(bencher, LINE);
    }

    #[divan::bench]
    fn line_decoded(bencher: Bencher) {
        bencher.counter(ItemsCount::new(1_u32)).bench(|| Boleto::from_line(black_box(LINE)).unwrap());
    }

    #[divan::bench]
    fn line_encoded(bencher: Bencher) {
        let boleto = Boleto::from_barcode(BARCODE).unwrap();
        bencher.counter(ItemsCount::new(1_u32)).bench(|| black_box(&boleto).line());
    }

    #[divan::bench]
    fn bar_code_decoded(bencher: Bencher) {
        bencher.counter(ItemsCount::new(1_u32)).bench(|| Boleto::from_barcode(black_box(BARCODE)).unwrap());
    }

    #[divan::bench]
    fn arrecadacao_line_encoded(bencher: Bencher) {
        let segment = brazil::boleto::arrecadacao::Segment::Energy;
        let kind = brazil::boleto::arrecadacao::ValueKind::CentsMod10;
        let bill = Arrecadacao::new(segment, kind, 13_500, "00480000000000000000000000000").unwrap();
        bencher.counter(ItemsCount::new(1_u32)).bench(|| black_box(&bill).line());
    }
}

#[divan::bench_group]
mod pix {
    use super::*;

    #[divan::bench]
    fn a_copy_of_the_code(bencher: Bencher) {
        copied(bencher, PIX);
    }

    #[divan::bench]
    fn code_decoded(bencher: Bencher) {
        bencher.counter(ItemsCount::new(1_u32)).bench(|| BrCode::parse(black_box(PIX)).unwrap());
    }

    #[divan::bench]
    fn code_encoded(bencher: Bencher) {
        let code = BrCode::parse(PIX).unwrap();
        bencher.counter(ItemsCount::new(1_u32)).bench(|| black_box(&code).text());
    }
}

#[divan::bench_group]
mod bank_file {
    use super::*;

    #[divan::bench]
    fn a_copy_of_the_file(bencher: Bencher) {
        let file = return_file();
        bencher.counter(BytesCount::of_slice(&file)).counter(ItemsCount::new(2 * TITLES)).bench(|| black_box(&file).clone());
    }

    /// Items are detail records: a T and a U for each title.
    #[divan::bench]
    fn cnab_240_return_read(bencher: Bencher) {
        let file = return_file();
        bencher.counter(BytesCount::of_slice(&file)).counter(ItemsCount::new(2 * TITLES)).bench(|| settlements(black_box(&file)));
    }
}

#[divan::bench_group]
mod remittance_file {
    use super::*;

    /// Items are detail records: a P, a Q and an R for each title.
    #[divan::bench]
    fn cnab_240_remittance_written(bencher: Bencher) {
        let (company, orders) = remittance().unwrap();
        assert_eq!(records_written(&company, &orders), Some(3 * TITLES + 4));
        bencher.counter(ItemsCount::new(3 * TITLES)).bench(|| records_written(black_box(&company), black_box(&orders)));
    }
}

fn settlements(file: &[u8]) -> usize {
    let (mut reader, mut entries) = (ReturnReader::new(), 0);
    reader.push(file, &mut |_| entries += 1).unwrap();
    reader.finish(&mut |_| entries += 1).unwrap();
    assert_eq!(entries, TITLES);
    entries
}
