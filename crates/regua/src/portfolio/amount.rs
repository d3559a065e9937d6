//! Decimal text → minor units.

/// Minor units of a decimal text with at most two decimals. `decimal` separates them; the other of `.` and `,` may
/// group thousands, in groups of exactly three. Errors: a sentence for a person.
pub fn parse(text: &str, decimal: char) -> Result<i64, &'static str> {
    let group = if decimal == ',' { '.' } else { ',' };
    let (whole, cents) = match text.split_once(decimal) {
        Some((whole, cents)) => (whole, cents),
        None => (text, ""),
    };
    if cents.len() > 2 {
        return Err("has more than two decimals");
    }
    if whole.matches(group).count() == 1 && !text.contains(decimal) {
        // `5,001` is five thousand and one to one reader and five with three decimals to another.
        return Err("could be grouped thousands or three decimals: write its decimals, or say which mark `decimal` is");
    }
    let digits = ungrouped(whole, group).ok_or("is no decimal number")?;
    if !cents.bytes().all(|byte| byte.is_ascii_digit()) || (text.contains(decimal) && cents.is_empty()) {
        return Err("is no decimal number");
    }
    let minor: i64 = format!("{digits}{cents:0<2}").parse().map_err(|_| "is past 2^53 minor units")?;
    kernel::money::positive_minor(minor).map_err(|fault| match fault {
        kernel::money::AmountFault::NotPositive => "must be more than zero",
        kernel::money::AmountFault::TooLarge => "is past 2^53 minor units",
    })
}

fn ungrouped(whole: &str, group: char) -> Option<String> {
    let mut parts = whole.split(group);
    let first = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let good = !first.is_empty() && digits(&first) && rest.iter().all(|part| part.len() == 3 && digits(part));
    let grouped_well = rest.is_empty() || first.len() <= 3;
    (good && grouped_well).then(|| format!("{first}{}", rest.concat()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn amounts_are_exact_to_the_cent() {
        for (text, decimal, minor) in [
            ("55.94", '.', 5594),
            ("55.9", '.', 5590),
            ("55", '.', 5500),
            ("1,234.50", '.', 123_450),
            ("1,234,567", '.', 123_456_700),
            ("1.234,50", ',', 123_450),
            ("0,01", ',', 1),
        ] {
            assert_eq!(parse(text, decimal), Ok(minor), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_with_the_reason() {
        for (text, decimal, reason) in [
            ("55.941", '.', "has more than two decimals"),
            ("0.00", '.', "must be more than zero"),
            ("-5", '.', "is no decimal number"),
            ("", '.', "is no decimal number"),
            ("5.", '.', "is no decimal number"),
            ("12,34.00", '.', "is no decimal number"),
            ("5,001", '.', "could be grouped thousands or three decimals: write its decimals, or say which mark `decimal` is"),
            ("1e3", '.', "is no decimal number"),
            ("90071992547409.93", '.', "is past 2^53 minor units"),
            ("99999999999999999999", '.', "is past 2^53 minor units"),
        ] {
            assert_eq!(parse(text, decimal), Err(reason), "{text}");
        }
    }
}
