//! The bundled texts: one file a template, one a frame, in each language.

use std::fmt;

/// A language in which there are texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Language {
    /// Brazilian Portuguese.
    #[default]
    Portuguese,
    /// English.
    English,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 2] = [Language::Portuguese, Language::English];

    /// BCP 47.
    pub fn tag(self) -> &'static str {
        match self {
            Language::Portuguese => "pt-BR",
            Language::English => "en",
        }
    }

    /// The language that comes closest to a reader's BCP 47 tag: English for `en` and its variants, else Portuguese.
    pub fn of(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("en") { Language::English } else { Language::Portuguese }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// A text with its language and name.
pub(super) type Source = (Language, &'static str, &'static str);

/// Frames that templates are put in.
pub(super) const FRAME_NAMES: [&str; 6] = ["email.txt", "email.html", "letter.txt", "whatsapp.txt", "voice.txt", "sms.txt"];

macro_rules! sources {
    ($($name:literal = $file:literal),* $(,)?) => {
        &[
            $((Language::Portuguese, $name, include_str!(concat!("defaults/pt-BR/", $file))),)*
            $((Language::English, $name, include_str!(concat!("defaults/en/", $file))),)*
        ]
    };
}

/// What a channel puts around every template.
pub(super) const FRAMES: &[Source] = sources![
    "frame.subject.txt" = "frame.subject.txt",
    "frame.email.txt" = "frame.email.txt",
    "frame.email.html" = "frame.email.html",
    "frame.letter.txt" = "frame.letter.txt",
    "frame.whatsapp.txt" = "frame.whatsapp.txt",
    "frame.voice.txt" = "frame.voice.txt",
    "frame.sms.txt" = "frame.sms.txt",
];

/// What frames share.
pub(super) const PARTS: &[Source] = sources!["list" = "list.txt", "pay" = "pay.txt", "summary" = "summary.txt"];

/// The templates themselves.
pub(super) const TEMPLATES: &[Source] = sources![
    "lembrete" = "lembrete.txt",
    "vence-hoje" = "vence-hoje.txt",
    "vencida" = "vencida.txt",
    "vencida-firme" = "vencida-firme.txt",
    "aviso-previo-negativacao" = "aviso-previo-negativacao.txt",
    "ultimo-aviso" = "ultimo-aviso.txt",
    "agradecimento" = "agradecimento.txt",
    "cancelamento" = "cancelamento.txt",
];

/// Those that say that something is over.
pub(super) const OVER: [&str; 2] = ["agradecimento", "cancelamento"];

/// The text of a name, `language/part` or `language/template.frame`: a template has a name for each frame, because the name decides on escaping.
pub(super) fn source(name: &str) -> Option<&'static str> {
    let (tag, name) = name.split_once('/')?;
    let of = |all: &'static [Source], name: &str| {
        all.iter().find(|(language, own, _)| language.tag() == tag && *own == name).map(|(.., text)| *text)
    };
    of(PARTS, name).or_else(|| of(FRAMES, name)).or_else(|| {
        let (template, frame) = name.split_once('.')?;
        if FRAME_NAMES.contains(&frame) { of(TEMPLATES, template) } else { None }
    })
}

/// Every name that has a text.
#[cfg(test)]
pub(super) fn names() -> Vec<String> {
    let plain = PARTS.iter().chain(FRAMES).map(|(language, name, _)| format!("{language}/{name}"));
    let framed = TEMPLATES.iter().flat_map(|(language, template, _)| FRAME_NAMES.map(|frame| format!("{language}/{template}.{frame}")));
    plain.chain(framed).collect()
}
