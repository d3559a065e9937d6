//! The body of a notification. Fields that are not needed are neither read nor kept: they may name the payer.

use brazil::pix::{EndToEndId, NotifiedTxid, ReturnId, parse_decimal};
use chrono::{DateTime, Utc};
use kernel::MAX_AMOUNT_MINOR;
use serde_json::Value;

/// A Pix that was received.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Where it stands in the body, as `pix[0]`.
    pub property: String,
    /// Its idempotency key.
    pub end_to_end_id: EndToEndId,
    /// The charge or code that it names; may be absent.
    pub txid: Option<NotifiedTxid>,
    /// Cents, more than zero.
    pub amount_minor: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What went back of it for good.
    pub returns: Vec<Return>,
}

/// A return that was carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Return {
    /// `rtrId`.
    pub return_id: ReturnId,
    /// Cents, more than zero.
    pub amount_minor: i64,
    /// When it was carried out; else when it was asked for; else when the Pix came.
    pub at: DateTime<Utc>,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where.
    pub property: String,
    /// What: a stable slug.
    pub reason: String,
}

fn wrong<T>(property: String, reason: &str) -> Result<T, Violation> {
    Err(Violation { property, reason: reason.to_owned() })
}

/// The items that can be understood, and what is wrong with the others. Errors: it is no such body at all.
pub fn read(body: &[u8]) -> Result<(Vec<Notice>, Vec<Violation>), Violation> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return wrong(String::new(), "json_malformed") };
    let Some(items) = body.get("pix").and_then(Value::as_array) else { return wrong("pix".to_owned(), "missing") };
    let (mut notices, mut violations) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        match notice(&format!("pix[{index}]"), item) {
            Ok(notice) => notices.push(notice),
            Err(violation) => violations.push(violation),
        }
    }
    Ok((notices, violations))
}

fn notice(property: &str, item: &Value) -> Result<Notice, Violation> {
    let at = |name: &str| format!("{property}.{name}");
    let end_to_end_id = text(property, item, "endToEndId")?;
    let end_to_end_id = EndToEndId::new(end_to_end_id).or_else(|fault| wrong(at("endToEndId"), fault.slug()))?;
    let txid = match item.get("txid") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(NotifiedTxid::new(text).or_else(|fault| wrong(at("txid"), fault.slug()))?),
        Some(_) => return wrong(at("txid"), "no_text"),
    };
    let amount_minor = amount(property, item)?;
    let instant = instant(&at("horario"), item.get("horario"))?;
    Ok(Notice { property: property.to_owned(), end_to_end_id, txid, amount_minor, at: instant, returns: returns(property, item, instant)? })
}

fn text<'a>(property: &str, item: &'a Value, name: &str) -> Result<&'a str, Violation> {
    match item.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => wrong(format!("{property}.{name}"), "no_text"),
        None => wrong(format!("{property}.{name}"), "missing"),
    }
}

fn amount(property: &str, item: &Value) -> Result<i64, Violation> {
    let cents = parse_decimal(text(property, item, "valor")?).and_then(|cents| i64::try_from(cents).ok());
    match cents.filter(|cents| (1..=MAX_AMOUNT_MINOR).contains(cents)) {
        Some(cents) => Ok(cents),
        None => wrong(format!("{property}.valor"), "amount_malformed"),
    }
}

fn instant(property: &str, value: Option<&Value>) -> Result<DateTime<Utc>, Violation> {
    let Some(text) = value.and_then(Value::as_str) else { return wrong(property.to_owned(), "missing") };
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => Ok(at.to_utc()),
        Err(_) => wrong(property.to_owned(), "instant_malformed"),
    }
}

/// The published example shows one return as an object in place of a list: both are read.
fn returns(property: &str, item: &Value, received_at: DateTime<Utc>) -> Result<Vec<Return>, Violation> {
    let listed: &[Value] = match item.get("devolucoes") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(list)) => list,
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        Some(_) => return wrong(format!("{property}.devolucoes"), "no_list"),
    };
    let mut done = Vec::new();
    for (index, item) in listed.iter().enumerate() {
        let property = format!("{property}.devolucoes[{index}]");
        // A return that is under way, or was not carried out, changes nothing.
        if text(&property, item, "status")? != "DEVOLVIDO" {
            continue;
        }
        let return_id = text(&property, item, "rtrId")?;
        let return_id = ReturnId::new(return_id).or_else(|fault| wrong(format!("{property}.rtrId"), fault.slug()))?;
        done.push(Return { return_id, amount_minor: amount(&property, item)?, at: returned_at(&property, item, received_at)? });
    }
    Ok(done)
}

fn returned_at(property: &str, item: &Value, received_at: DateTime<Utc>) -> Result<DateTime<Utc>, Violation> {
    let times = item.get("horario");
    for name in ["liquidacao", "solicitacao"] {
        let found = times.and_then(|times| times.get(name)).filter(|value| !value.is_null());
        if found.is_some() {
            return instant(&format!("{property}.horario.{name}"), found);
        }
    }
    Ok(received_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"{"endToEndId":"E1234567820261120101512345678901","valor":"110.00","horario":"2026-11-20T10:15:00.358Z","txid":"cd1fe328c875481285a6f233ae41b662","infoPagador":"A"}"#;

    fn reasons(item: &str) -> Vec<String> {
        let (_, violations) = read(format!(r#"{{"pix":[{item}]}}"#).as_bytes()).unwrap();
        violations.into_iter().map(|one| format!("{} {}", one.property, one.reason)).collect()
    }

    #[test]
    fn each_wrong_field_is_named() {
        for (from, to, told) in [
            ("\"valor\":\"110.00\",", "", "pix[0].valor missing"),
            ("\"110.00\"", "110.00", "pix[0].valor no_text"),
            ("110.00", "110,00", "pix[0].valor amount_malformed"),
            ("110.00", "0.00", "pix[0].valor amount_malformed"),
            ("110.00", "-1.00", "pix[0].valor amount_malformed"),
            ("E12345678", "X12345678", "pix[0].endToEndId pix_id_prefix"),
            ("cd1fe328", "cd1f-328", "pix[0].txid pix_id_character"),
            ("2026-11-20T10:15:00.358Z", "20/11/2026", "pix[0].horario instant_malformed"),
        ] {
            assert_eq!(reasons(&GOOD.replacen(from, to, 1)), [told], "{to}");
        }
    }

    #[test]
    fn a_return_is_read_as_a_list_and_as_an_object_and_only_when_it_is_done() {
        let back = r#"{"id":"1","rtrId":"D1234567820261121101512345678901","valor":"10.00","horario":{"solicitacao":"2026-11-21T10:00:00Z"},"status":"DEVOLVIDO"}"#;
        let read_with = |returns: &str| {
            let item = GOOD.replacen("\"infoPagador\":\"A\"", &format!("\"devolucoes\":{returns}"), 1);
            read(format!(r#"{{"pix":[{item}]}}"#).as_bytes()).unwrap()
        };
        let (list, object) = (read_with(&format!("[{back}]")), read_with(back));
        assert_eq!(list, object);
        let returns = &list.0[0].returns;
        assert_eq!((returns.len(), returns[0].amount_minor, returns[0].at.to_rfc3339().as_str()), (1, 1000, "2026-11-21T10:00:00+00:00"));
        for status in ["EM_PROCESSAMENTO", "NAO_REALIZADO"] {
            assert!(read_with(&back.replacen("DEVOLVIDO", status, 1)).0[0].returns.is_empty(), "{status}");
        }
        assert_eq!(read_with(&back.replacen("10.00", "1e1", 1)).1[0].property, "pix[0].devolucoes[0].valor");
        assert_eq!(read_with("7").1[0].reason, "no_list");
    }

    #[test]
    fn what_is_no_such_body_is_refused_as_a_whole() {
        for body in ["", "{", "[]", "{}", r#"{"pix":{}}"#, "\u{feff}{}"] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        assert_eq!(read(br#"{"pix":[]}"#).unwrap(), (vec![], vec![]));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0..GOOD.len(), with in any::<char>()) {
            let _ = read(&bytes);
            let changed: String = GOOD.chars().enumerate().map(|(index, c)| if index == at { with } else { c }).collect();
            let _ = read(format!(r#"{{"pix":[{changed},{GOOD}]}}"#).as_bytes());
        }
    }
}
