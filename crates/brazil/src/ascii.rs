//! Text for channels that take ASCII only: BR Codes and bank files.

use alloc::string::String;

/// The base letters of a character with marks; `""` drops it, `None` for what has no ASCII form.
fn base(c: char) -> Option<&'static str> {
    Some(match c {
        'À'..='Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ª' => "a",
        'Æ' => "AE",
        'æ' => "ae",
        'Ç' | 'Ć' | 'Č' => "C",
        'ç' | 'ć' | 'č' => "c",
        'È'..='Ë' | 'Ē' | 'Ę' | 'Ě' | 'Ẽ' => "E",
        'è'..='ë' | 'ē' | 'ę' | 'ě' | 'ẽ' => "e",
        'Ì'..='Ï' | 'Ĩ' | 'Ī' => "I",
        'ì'..='ï' | 'ĩ' | 'ī' => "i",
        'Ñ' | 'Ń' => "N",
        'ñ' | 'ń' => "n",
        'Ò'..='Ö' | 'Ø' | 'Ō' => "O",
        'ò'..='ö' | 'ø' | 'ō' | 'º' | '°' => "o",
        'Ù'..='Ü' | 'Ũ' | 'Ū' => "U",
        'ù'..='ü' | 'ũ' | 'ū' => "u",
        'Ý' | 'Ÿ' => "Y",
        'ý' | 'ÿ' => "y",
        'Š' => "S",
        'š' => "s",
        'Ž' => "Z",
        'ž' => "z",
        'ß' => "ss",
        '\u{2018}' | '\u{2019}' | '´' => "'",
        '\u{201c}' | '\u{201d}' => "\"",
        '\u{2010}'..='\u{2015}' => "-",
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{feff}' => "",
        _ => return None,
    })
}

/// `text` in printable ASCII: accents stripped, blanks of any kind become one blank, the rest is dropped; trimmed.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else if c.is_ascii() {
            out.push(c);
        } else if let Some(letters) = base(c) {
            out.push_str(letters);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// [`plain`], cut to `max_chars` without a trailing blank.
pub fn plain_cut(text: &str, max_chars: usize) -> String {
    let mut out = plain(text);
    out.truncate(max_chars);
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_go_and_letters_stay() {
        assert_eq!(plain("São João d\u{2019}El-Rei\u{a0}\tçÇñ Łódź 🚀"), "Sao Joao d'El-Rei cCn od");
        assert_eq!(plain("a\u{301}e\u{303}"), "ae");
        assert_eq!(plain_cut("SAO MIGUEL DO OESTE", 14), "SAO MIGUEL DO");
    }
}
