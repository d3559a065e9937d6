//! Text messages: GSM-7 without accents, at most 160 characters (brazil.md section 8).

use super::Letter;
use kernel::personal::Personal;

/// Characters of one text message; a longer one is split or dropped on the way.
pub(super) const MAX_SMS_CHARS: usize = 160;

/// Shortest address, creditor's name and reader's first name, in characters: first what is still well understood, then
/// what is needed so that any text fits.
const SHORTEST: [[usize; 3]; 2] = [[24, 24, 12], [0, 12, 8]];

/// How far a text message was shortened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fitting {
    /// Without courtesy and document.
    pub brief: bool,
    /// Characters to take off the creditor's address, its name, and the reader's first name.
    cuts: [usize; 3],
}

impl Fitting {
    /// Each round but the last takes one more thing away.
    pub const ROUNDS: usize = 2 + SHORTEST.len() * 3;

    /// The letter as shortened so far.
    pub fn shorten(&self, letter: &Letter) -> Letter {
        let [address, creditor, name] = self.cuts;
        let mut shown = letter.clone();
        shown.creditor.address = cut(&letter.creditor.address, address);
        shown.creditor.name = cut(&letter.creditor.name, creditor);
        shown.name = Personal::new(cut(&letter.first_name(), name));
        shown
    }

    /// What to shorten next for a text of that length; `None` where it fits or nothing is left to shorten.
    pub fn next(&self, letter: &Letter, length: usize) -> Option<Self> {
        let over = length.checked_sub(MAX_SMS_CHARS).filter(|over| *over > 0)?;
        if !self.brief {
            return Some(Self { brief: true, ..*self });
        }
        let texts = [letter.creditor.address.clone(), letter.creditor.name.clone(), letter.first_name()];
        let lengths = texts.map(|text| plain(&text).chars().count());
        for shortest in SHORTEST {
            for (index, (length, least)) in lengths.into_iter().zip(shortest).enumerate() {
                let mut cuts = self.cuts;
                let Some(cut) = cuts.get_mut(index) else { continue };
                let longer = (*cut + over).min(length.saturating_sub(least));
                if longer > *cut {
                    *cut = longer;
                    return Some(Self { cuts, ..*self });
                }
            }
        }
        None
    }
}

fn cut(text: &str, characters: usize) -> String {
    let plain = plain(text);
    let kept = plain.chars().count().saturating_sub(characters);
    plain.chars().take(kept).collect::<String>().trim_end_matches([' ', ',', '-', '.']).to_owned()
}

/// The characters that every carrier and phone shows, one septet each: accents fall, the rest becomes the nearest sign.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => out.push('a'),
            'é' | 'è' | 'ê' | 'ë' => out.push('e'),
            'í' | 'ì' | 'î' | 'ï' => out.push('i'),
            'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ø' => out.push('o'),
            'ú' | 'ù' | 'û' | 'ü' => out.push('u'),
            'ç' => out.push('c'),
            'ñ' => out.push('n'),
            'Á' | 'À' | 'Â' | 'Ã' | 'Ä' | 'Å' => out.push('A'),
            'É' | 'È' | 'Ê' | 'Ë' => out.push('E'),
            'Í' | 'Ì' | 'Î' | 'Ï' => out.push('I'),
            'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ö' | 'Ø' => out.push('O'),
            'Ú' | 'Ù' | 'Û' | 'Ü' => out.push('U'),
            'Ç' => out.push('C'),
            'Ñ' => out.push('N'),
            'º' => out.push('o'),
            'ª' => out.push('a'),
            'ß' => out.push_str("ss"),
            '–' | '—' | '~' => out.push('-'),
            '‘' | '’' | '`' | '´' => out.push('\''),
            '“' | '”' => out.push('"'),
            '[' | '{' => out.push('('),
            ']' | '}' => out.push(')'),
            '\\' | '|' => out.push('/'),
            // Combining accents of decomposed text, and what has no sign here.
            '\u{300}'..='\u{36f}' | '^' => {}
            '\n' | '\u{a0}' => out.push(' '),
            other if other.is_ascii() && !other.is_ascii_control() => out.push(other),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_messages_have_no_accents_and_no_signs_of_two_septets() {
        assert_eq!(plain("Ação – “já” nº 1 {a} ~ José"), "Acao - \"ja\" no 1 (a) - Jose");
        assert_eq!(plain("e\u{301} \u{1F600}漢x"), "e x");
    }
}
