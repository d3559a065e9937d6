//! Any return file, a chunk of bytes at a time.

use super::lines::Lines;
use super::record::Record;
use super::return150::Return150;
use super::return240::Return240;
use super::return400::Return400;
use super::{Entry, Refusal, Report};
use alloc::boxed::Box;

/// Reads a return file: CNAB 240, CNAB 400 or FEBRABAN 150, told by its first line.
///
/// Memory is one record and 20 bytes a title. Entries are provisional until [`ReturnReader::finish`] gives `Ok`: a
/// refusal, at any point, is of the whole file.
#[derive(Debug, Default)]
pub struct ReturnReader {
    lines: Lines,
    body: Body,
    refused: Option<Refusal>,
}

#[derive(Debug, Default)]
enum Body {
    #[default]
    NoHeader,
    Cnab240(Box<Return240>),
    Cnab400(Box<Return400>),
    Febraban150(Box<Return150>),
}

impl ReturnReader {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes, cut anywhere; gives each title as it is complete. Errors: [`Refusal`], the same one again
    /// on every later call.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Entry)) -> Result<(), Refusal> {
        if let Some(refusal) = &self.refused {
            return Err(refusal.clone());
        }
        let body = &mut self.body;
        let read = self.lines.push(bytes, &mut |text, line| body.record(Record::new(text, line), sink));
        read.inspect_err(|refusal| self.refused = Some(refusal.clone()))
    }

    /// The end of the file. `Ok` makes what was given final. Errors: [`Refusal`].
    pub fn finish(mut self, sink: &mut dyn FnMut(Entry)) -> Result<Report, Refusal> {
        if let Some(refusal) = self.refused {
            return Err(refusal);
        }
        let body = &mut self.body;
        self.lines.finish(&mut |text, line| body.record(Record::new(text, line), sink))?;
        let report = match self.body {
            Body::NoHeader => Err(Refusal::NotABankFile),
            Body::Cnab240(body) => body.finish(),
            Body::Cnab400(body) => body.finish(),
            Body::Febraban150(body) => body.finish(),
        }?;
        Ok(Report { text: self.lines.form(), ..report })
    }
}

impl Body {
    fn record(&mut self, record: Record, sink: &mut dyn FnMut(Entry)) -> Result<(), Refusal> {
        match self {
            Body::NoHeader => {
                *self = Body::begin(&record)?;
                Ok(())
            }
            Body::Cnab240(body) => body.record(record, sink),
            Body::Cnab400(body) => body.record(record, sink),
            Body::Febraban150(body) => body.record(&record, sink),
        }
    }

    /// By the first line: `02RETORNO`, `A` with its flag, or three digits of bank with record type 0 in position 8.
    fn begin(header: &Record) -> Result<Self, Refusal> {
        let start = header.slice(1, 9);
        if start == "02RETORNO" || start == "01REMESSA" {
            return Return400::begin(header).map(|body| Body::Cnab400(Box::new(body)));
        }
        if start.starts_with('A') && header.char_at(2).is_ascii_digit() {
            return Return150::begin(header).map(|body| Body::Febraban150(Box::new(body)));
        }
        let digits = header.slice(1, 8);
        if digits.ends_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Return240::begin(header).map(|body| Body::Cnab240(Box::new(body)));
        }
        Err(Refusal::NotABankFile)
    }
}
