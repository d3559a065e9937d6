//! What the codecs are given where their speed is measured: here and by `regua bench`.

/// A line of Banco do Brasil.
pub const LINE: &str = "00190.00009 01238.798977 77700.168188 3 37690000013500";
/// Its bar code.
pub const BARCODE: &str = "00193376900000135000000001238798977770016818";
/// A code of a key.
pub const PIX: &str = "00020126510014br.gov.bcb.pix0115thalesog@me.com0210Pedido 1235204000053039865802BR5914THALES OGLIARI6015SAO MIGUEL DO \
                   O62070503***630462CA";
/// Titles of a return file.
pub const TITLES: usize = 1000;

/// A return of Banco do Brasil in which every title is paid.
pub fn return_file() -> Vec<u8> {
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
