//! What is said about a file besides its payments: reviews, movements of money that are none, and what was tolerated.

use brazil::cnab::{BankEvent, Encoding, Report, Review, TitleFact};
use serde_json::{Value, json};

fn note(line: Option<u64>, slug: &str, text: &str, nosso_numero: &str) -> Value {
    json!({ "line": line, "note": slug, "text": text, "nosso_numero": nosso_numero })
}

/// A record that a person must look at.
pub fn of_review(review: &Review) -> Value {
    let text = format!("for review, no payment: {}", review.reason);
    note(Some(review.line), review.reason.slug(), &text, &review.title.nosso_numero)
}

/// What a fact leaves to be known besides its row.
pub fn of_fact(fact: &TitleFact) -> Vec<Value> {
    let mut found = Vec::new();
    let mut say = |slug: &str, text: &str| found.push(note(Some(fact.line), slug, text, &fact.title.nosso_numero));
    match fact.event {
        BankEvent::PaymentReceived { after_write_off: true } => say("after_write_off", "paid after its write-off, or without registration"),
        BankEvent::PaymentReceived { after_write_off: false } => {}
        event if event.moves_money() => say(event.slug(), "money moves, and it is no payment"),
        _ => {}
    }
    if fact.may_repeat_a_pix {
        say("may_repeat_a_pix", "may be a Pix that is told of elsewhere too: match before counting");
    }
    if fact.settlement.is_some_and(|settlement| settlement.paid_is_net) {
        say("paid_is_net", "this bank's file knows only what was credited: the payer may have paid the fee more");
    }
    found
}

/// What was tolerated in the file as a whole.
pub fn of_report(report: &Report) -> Vec<Value> {
    let mut found: Vec<Value> =
        report.warnings.iter().map(|warning| note(Some(warning.line()), warning.slug(), &warning.to_string(), "")).collect();
    let mut say = |slug: &str, text: &str| found.push(note(None, slug, text, ""));
    let unlisted = report.warnings_total - report.warnings.len() as u64;
    if unlisted > 0 {
        say("more_warnings", &format!("{unlisted} more of these were counted and not listed"));
    }
    if report.short_lines > 0 {
        say("short_lines", &format!("{} lines came without their trailing blanks", report.short_lines));
    }
    match report.text.encoding {
        Encoding::Ascii => {}
        Encoding::Utf8 | Encoding::Latin1 | Encoding::Utf16 => say("encoding", &format!("text is {}", report.text.encoding.name())),
    }
    if report.text.bare_line_ends {
        say("line_ends", "lines do not all end in CR and LF");
    }
    if report.text.blank_lines {
        say("blank_lines", "lines without anything on them were passed over");
    }
    if report.text.byte_order_mark {
        say("byte_order_mark", "text begins with a byte-order mark");
    }
    if report.text.end_mark {
        say("end_mark", "text has an end-of-file mark (Ctrl-Z)");
    }
    found
}
