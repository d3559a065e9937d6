//! How fast the codecs are, one core: items a second, and for files bytes a second. `make bench-codecs` runs it; the first line of each
//! group copies the same bytes, for scale.

use brazil::{
    boleto::{Arrecadacao, Boleto},
    cnab::ReturnReader,
    pix::BrCode,
};
use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};

const LINE: &str = "00190.00009 01238.798977 77700.168188 3 37690000013500";
const BARCODE: &str = "00193376900000135000000001238798977770016818";
const PIX: &str = "00020126510014br.gov.bcb.pix0115thalesog@me.com0210Pedido 1235204000053039865802BR5914THALES OGLIARI6015SAO MIGUEL DO \
                   O62070503***630462CA";
/// Titles of a return file.
const TITLES: usize = 1000;

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

fn settlements(file: &[u8]) -> usize {
    let (mut reader, mut entries) = (ReturnReader::new(), 0);
    reader.push(file, &mut |_| entries += 1).unwrap();
    reader.finish(&mut |_| entries += 1).unwrap();
    assert_eq!(entries, TITLES);
    entries
}

/// A return of Banco do Brasil in which every title is paid.
fn return_file() -> Vec<u8> {
    let header =
        record(&[(1, "00100000"), (18, "2"), (19, "11222333000181"), (33, "1234567"), (143, "2"), (144, "21112026"), (158, "000007")]);
    let mut lines = vec![header, record(&[(1, "00100011T01"), (34, "1234567")])];
    for number in 0..TITLES {
        let (first, second) = (2 * number + 1, 2 * number + 2);
        let (t, u, title) = (format!("00100013{first:05}T"), format!("00100013{second:05}U"), format!("1234567{number:010}"));
        lines.push(record(&[(1, &t), (16, "06"), (38, &title)]));
        lines.push(record(&[(1, &u), (16, "06"), (78, "000000000010000"), (93, "000000000009800"), (138, "20112026"), (146, "21112026")]));
    }
    lines.push(record(&[(1, "00100015"), (18, &format!("{:06}", 2 * TITLES + 2))]));
    lines.push(record(&[(1, "00199999"), (18, "000001"), (24, &format!("{:06}", 2 * TITLES + 4))]));
    lines.concat().into_bytes()
}

fn record(parts: &[(usize, &str)]) -> String {
    let mut line = " ".repeat(240);
    parts.iter().for_each(|(from, text)| line.replace_range(from - 1..from - 1 + text.len(), text));
    line + "\r\n"
}
