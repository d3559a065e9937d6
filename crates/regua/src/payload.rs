//! Payloads of events for people: the fields of the message that the event's type names, from the descriptors of `proto/`.

use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::{Value, json, value::Serializer};
use std::sync::LazyLock;

static MESSAGES: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| DescriptorPool::decode(contracts::DESCRIPTORS).ok());

/// The payload of an event in a service's log.
pub fn of_service(service: &str, event_type: &str, payload: &[u8]) -> Value {
    let topics =
        [(invoice::NAME, invoice::TOPIC), (dunning_engine::NAME, dunning_engine::TOPIC), (notification::NAME, notification::TOPIC)];
    let topic = topics.iter().find(|(name, _)| *name == service).map_or("", |(_, topic)| *topic);
    of_topic(topic, event_type, payload)
}

/// The payload of an event of a topic, whose name is that of the package of its messages. What is no such message is shown as `hex`.
pub fn of_topic(topic: &str, event_type: &str, payload: &[u8]) -> Value {
    fields(&format!("{topic}.{event_type}"), payload).unwrap_or_else(|| {
        let hex: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ "hex": hex })
    })
}

fn fields(message: &str, payload: &[u8]) -> Option<Value> {
    let known = MESSAGES.as_ref()?.get_message_by_name(message)?;
    let decoded = DynamicMessage::decode(known, payload).ok()?;
    // Fields of a message that a newer program wrote would not be seen: then all of it is shown.
    if decoded.unknown_fields().next().is_some() {
        return None;
    }
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
    decoded.serialize_with_options(Serializer, &options).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::invoice::v1::InvoiceCancelled;
    use prost::Message;

    #[test]
    fn a_known_event_is_shown_by_its_fields_and_anything_else_as_hex() {
        let cancelled = InvoiceCancelled { invoice_id: "F1".into(), ..Default::default() }.encode_to_vec();
        assert_eq!(of_service("invoice", "InvoiceCancelled", &cancelled)["invoice_id"], "F1");
        assert_eq!(of_topic("regua.invoice.v1", "InvoiceCancelled", &[0xff, 0x01]), json!({ "hex": "ff01" }));
        assert_eq!(of_topic("regua.invoice.v1", "Unheard", &cancelled)["hex"].as_str().unwrap().len(), 2 * cancelled.len());
        let newer = [cancelled.as_slice(), &[0xf8, 0x07, 0x01]].concat();
        assert!(of_topic("regua.invoice.v1", "InvoiceCancelled", &newer)["hex"].is_string());
        assert_eq!(of_service("reporting", "InvoiceCancelled", &[]), json!({ "hex": "" }));
    }
}
