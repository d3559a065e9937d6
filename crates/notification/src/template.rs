//! Templates: what a contact says, in the reader's language and in the form of its channel.
//!
//! Rules of every text (CDC 42, 42-A): the subject never names debt or amount; creditor, its address and tax id are in
//! every message; nothing threatens or exposes; the way out is told. The carrying step's template gives the tone.

mod content;
mod defaults;
mod figure;
mod fit;
mod form;
mod sample;

pub use content::{Charged, Creditor, Letter, Line, PayWith};
pub use defaults::Language;
pub use figure::{Drawing, Figure, bar_code, qr_code};
pub use sample::sample;

use defaults::TEMPLATES;
use fit::Fitting;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use notice::Channel;
use std::fmt;

/// Version of the bundled templates. Policies may name it (`lembrete@1`) or not (`lembrete`).
pub const VERSION: u32 = 1;

/// A text ready for its channel.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// Neutral: never names the debt. Used by e-mail, and as the title of a file.
    pub subject: String,
    /// Plain text. Its first paragraph alone, where it is a call, asks who listens and names no debt.
    pub text: String,
    /// HTML; empty for channels without.
    pub html: String,
    /// The pictures that the HTML shows.
    pub figures: Vec<Figure>,
    /// In short: first name, what it is about, creditor. The ordered parameters of an approved WhatsApp template.
    pub parameters: Vec<String>,
}

/// Texts name people: only their length is shown.
impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rendered({} characters)", self.text.chars().count())
    }
}

/// Why a text could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// No template of that id and version.
    #[error("no such template")]
    Unknown,
    /// A text names a value that there is not, or is malformed.
    #[error("the template cannot be rendered: {0}")]
    Broken(String),
}

impl TemplateFault {
    /// Stable reason.
    pub fn slug(&self) -> &'static str {
        match self {
            TemplateFault::Unknown => "unknown_template",
            TemplateFault::Broken(_) => "template_broken",
        }
    }
}

impl From<minijinja::Error> for TemplateFault {
    fn from(error: minijinja::Error) -> Self {
        // The kind and the place, not the values: they are personal.
        TemplateFault::Broken(format!("{:?} in {} line {}", error.kind(), error.name().unwrap_or("?"), error.line().unwrap_or(0)))
    }
}

/// All templates of an installation.
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// The bundled ones. A text is compiled when it is first asked for: all of them are three megabytes, and an installation has few channels. That
    /// each of them is well formed is a test of this file.
    pub fn bundled() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("stop", form::stop);
        environment.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
        environment.set_loader(|name| Ok(defaults::source(name).map(str::to_owned)));
        Self { environment }
    }

    /// Ids with language, in order.
    pub fn list(&self) -> Vec<(&'static str, Language)> {
        let languages = |(language, template, _): &(Language, &'static str, &str)| (*template, *language);
        let mut list: Vec<_> = TEMPLATES.iter().map(languages).collect();
        list.sort_by_key(|(template, language)| (*template, language.tag()));
        list
    }

    /// The text of a letter on a channel. `template` is an id, or an id with its version behind `@`.
    /// Errors: [`TemplateFault::Unknown`]; [`TemplateFault::Broken`].
    pub fn render(&self, template: &str, channel: Channel, letter: &Letter) -> Result<Rendered, TemplateFault> {
        let template = known(template)?;
        let language = letter.language;
        let subject = self.text(&format!("{language}/frame.subject.txt"), letter.values(false, false, ""))?;
        let summary = self.summary(letter, false)?;
        let frame = match channel {
            Channel::Email => "email.txt",
            Channel::Whatsapp => "whatsapp.txt",
            Channel::Voice => "voice.txt",
            Channel::Letter => "letter.txt",
            Channel::Sms => "sms.txt",
        };
        let text = match channel {
            Channel::Sms => self.short(template, letter)?,
            Channel::Email | Channel::Whatsapp | Channel::Voice | Channel::Letter => {
                self.framed(template, frame, letter, letter.values(false, false, &summary))?
            }
        };
        let html = match channel {
            Channel::Email => self.framed(template, "email.html", letter, letter.values(true, false, &summary))?,
            Channel::Whatsapp | Channel::Sms | Channel::Voice | Channel::Letter => String::new(),
        };
        let figures = if html.is_empty() { Vec::new() } else { letter.figures() };
        let parameters = vec![letter.first_name(), summary, letter.creditor.name.clone()];
        Ok(Rendered { subject, text, html, figures, parameters })
    }

    fn text(&self, name: &str, values: Value) -> Result<String, TemplateFault> {
        Ok(self.environment.get_template(name)?.render(values)?.trim().to_owned())
    }

    fn summary(&self, letter: &Letter, brief: bool) -> Result<String, TemplateFault> {
        self.text(&format!("{}/summary", letter.language), letter.values(false, brief, ""))
    }

    fn framed(&self, template: &str, frame: &str, letter: &Letter, values: Value) -> Result<String, TemplateFault> {
        let language = letter.language;
        let values = context! { frame => format!("{language}/frame.{frame}"), ..values };
        self.text(&format!("{language}/{template}.{frame}"), values)
    }

    /// A text message: GSM-7 without accents, at most 160 characters. What is said less and less is courtesy, then the
    /// document, then the end of the creditor's address and name; never who it is for, how much, or until when.
    fn short(&self, template: &str, letter: &Letter) -> Result<String, TemplateFault> {
        let mut fitting = Fitting::default();
        for _ in 0..Fitting::ROUNDS {
            let shown = fitting.shorten(letter);
            let summary = self.summary(&shown, fitting.brief)?;
            let text = fit::plain(&self.framed(template, "sms.txt", &shown, shown.values(false, fitting.brief, &summary))?);
            match fitting.next(letter, text.chars().count()) {
                Some(next) => fitting = next,
                None => return Ok(text.chars().take(fit::MAX_SMS_CHARS).collect()),
            }
        }
        Err(TemplateFault::Broken("a text message did not fit".to_owned()))
    }
}

/// Whether a template asks for what it lists; the others say that it is over.
pub fn asks(template: &str) -> bool {
    !known(template).is_ok_and(|name| defaults::OVER.contains(&name))
}

fn known(template: &str) -> Result<&'static str, TemplateFault> {
    let (id, version) = template.split_once('@').unwrap_or((template, "1"));
    let found = TEMPLATES.iter().map(|(_, name, _)| *name).find(|name| *name == id);
    if version == VERSION.to_string() { found.ok_or(TemplateFault::Unknown) } else { Err(TemplateFault::Unknown) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_text_is_well_formed_and_no_other_is_there() {
        let templates = Templates::bundled();
        let names = defaults::names();
        assert!(names.len() > 100, "{}", names.len());
        for name in names {
            assert!(templates.environment.get_template(&name).is_ok(), "{name}");
        }
        for name in ["pt-BR/nobody", "pt-BR/vencida", "pt-BR/vencida.nowhere.txt", "fr/summary", "summary"] {
            assert!(templates.environment.get_template(name).is_err(), "{name}");
        }
    }
}
