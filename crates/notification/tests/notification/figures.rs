//! Pictures of codes, read back by a reader that is not ours; and what a message says of each way to pay.

use crate::channel::creditor;
use notice::Channel;
use notification::template::{self, Language, Letter, PayWith, Templates, bar_code, qr_code, sample};
use std::{fs, path::Path, process::Command};

fn letter() -> Letter {
    sample(Language::Portuguese, creditor().creditor(), "2026-11-23".parse().unwrap())
}

/// What the reader sees in each picture; `None` where it cannot be had, which the test says.
fn read_back(pictures: &[Vec<u8>]) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..pictures.len()).map(|place| folder.path().join(format!("{place}.png"))).collect();
    for (path, png) in paths.iter().zip(pictures) {
        fs::write(path, png).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/read-codes.sh");
    let read = Command::new(script).args(&paths).output().unwrap();
    if read.status.code() == Some(77) {
        println!("skipped: the reader of codes cannot be had: {}", String::from_utf8_lossy(&read.stderr));
        return None;
    }
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    Some(String::from_utf8(read.stdout).unwrap().lines().map(ToOwned::to_owned).collect())
}

#[test]
fn the_pictures_of_a_mail_are_read_back_by_another_reader() {
    let letter = letter();
    let rendered = Templates::bundled().render("vencida", Channel::Email, &letter).unwrap();
    let pictures: Vec<Vec<u8>> = rendered.figures.iter().map(|figure| figure.png().unwrap()).collect();
    let Some(read) = read_back(&pictures) else { return };
    let codes = |pay: &PayWith| [format!("QRCode {}", pay.pix), format!("ITF {}", pay.bar_code)];
    let expected: Vec<String> = letter.lines.iter().flat_map(|line| codes(&line.pay_with)).collect();
    assert_eq!(read, expected);
}

#[test]
fn the_longest_pix_code_and_every_digit_of_a_bar_code_are_read_back() {
    let longest = "9".repeat(400);
    let digits = ["00000000000000000000000000000000000000000000", "01234567890123456789012345678901234567890123"];
    let mut pictures = vec![qr_code(&longest).unwrap()];
    pictures.extend(digits.iter().map(|digits| bar_code(digits).unwrap()));
    let Some(read) = read_back(&pictures) else { return };
    assert_eq!(read, [format!("QRCode {longest}"), format!("ITF {}", digits[0]), format!("ITF {}", digits[1])]);
}

#[test]
fn what_is_no_code_has_no_picture() {
    for text in ["", "123", &"1".repeat(45), &"x".repeat(44)] {
        assert!(bar_code(text).is_none(), "{text}");
    }
    assert!(qr_code(&"x".repeat(5000)).is_none());
}

fn said(change: impl Fn(&mut template::Line)) -> (String, usize) {
    let mut letter = letter();
    letter.lines.truncate(1);
    change(&mut letter.lines[0]);
    let rendered = Templates::bundled().render("vencida", Channel::Email, &letter).unwrap();
    (rendered.text, rendered.figures.len())
}

#[test]
fn a_boleto_over_another_amount_is_not_told_and_why() {
    let (whole, pictures) = said(|_| {});
    assert!(whole.contains("Pix copia e cola, R$ 1.234,56, para pagar hoje:\n0002"), "{whole}");
    assert!(whole.contains("linha digitável:\n99990.00") && whole.contains("O banco acrescenta a multa e os juros"), "{whole}");
    assert!(whole.contains("R$ 1.234,56 (com multa de R$ 24,15 e juros de R$ 2,82)") && pictures == 2, "{whole}");
    let differs = |line: &mut template::Line| {
        line.pay_with = PayWith { pix: line.pay_with.pix.clone(), boleto_differs: true, ..PayWith::default() };
    };
    let (net, pictures) = said(differs);
    assert!(!net.contains("linha digitável") && net.contains("O boleto é de outro valor") && pictures == 1, "{net}");
    let (none, pictures) = said(|line| line.pay_with = PayWith { boleto_differs: true, ..PayWith::default() });
    assert!(none.contains("O boleto que você tem é de outro valor") && pictures == 0, "{none}");
    let (nothing, pictures) = said(|line| line.pay_with = PayWith::default());
    assert!(!nothing.contains("Pix") && !nothing.contains("oleto") && pictures == 0, "{nothing}");
}

#[test]
fn many_receivables_have_codes_for_the_first_and_pictures_for_fewer() {
    let mut letter = letter();
    letter.lines = vec![letter.lines[0].clone(); 12];
    let rendered = Templates::bundled().render("vencida", Channel::Email, &letter).unwrap();
    assert_eq!(rendered.text.matches("Pix copia e cola de NF 1001").count(), 10);
    assert!(rendered.text.contains("Para pagar os demais, responda a esta mensagem."));
    assert_eq!((rendered.figures.len(), rendered.html.matches("cid:").count()), (10, 10));
}
