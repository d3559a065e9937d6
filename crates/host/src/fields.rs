//! The fields of the messages of an API, by their descriptors: so that a refusal names a field that its request has.

use prost::Message as _;
use prost_types::{FileDescriptorSet, field_descriptor_proto::Type};
use std::collections::BTreeMap;

/// Messages by their full name, as `.regua.invoice.v1.NewInvoice`: the fields of each, and the message that each holds where it holds one.
#[derive(Debug, Default)]
pub struct Fields {
    messages: BTreeMap<String, BTreeMap<String, Option<String>>>,
}

impl Fields {
    /// From a set of file descriptors. Of bytes that are none it knows no message.
    pub fn of(descriptors: &[u8]) -> Self {
        let set = FileDescriptorSet::decode(descriptors).unwrap_or_default();
        let mut messages = BTreeMap::new();
        for file in &set.file {
            for message in &file.message_type {
                let held = message.field.iter().map(|field| {
                    let inner = (field.r#type() == Type::Message).then(|| field.type_name().to_owned());
                    (field.name().to_owned(), inner)
                });
                messages.insert(format!(".{}.{}", file.package(), message.name()), held.collect());
            }
        }
        Self { messages }
    }

    /// Whether a message (`regua.invoice.v1.IssueInvoiceRequest`) has a field, by its path (`invoice.due_on`).
    pub fn has(&self, message: &str, path: &str) -> bool {
        let mut at = Some(format!(".{message}"));
        path.split('.').all(|part| {
            let field = at.take().and_then(|message| self.messages.get(&message)).and_then(|fields| fields.get(part));
            at = field.cloned().flatten();
            field.is_some()
        })
    }

    /// The first of some paths that the message has; of a message that is not known the first of all.
    pub fn first<'a>(&self, message: &str, paths: impl IntoIterator<Item = &'a str>) -> &'a str {
        let mut paths = paths.into_iter().peekable();
        let natural = paths.peek().copied().unwrap_or("");
        if !self.messages.contains_key(&format!(".{message}")) {
            return natural;
        }
        paths.find(|path| self.has(message, path)).unwrap_or("")
    }
}
