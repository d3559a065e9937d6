//! What the tests of the ways out share: a message to somebody who does not exist.

use kernel::{ChannelAttemptId, ContactId, CustomerId, TenantId, personal::Personal};
use notice::Channel;
use notification::{
    channel::{AttemptKey, ChannelConfig, Channels, ChannelsConfig, CreditorConfig, Outgoing},
    template::{Language, Templates, sample},
};

pub fn creditor() -> CreditorConfig {
    CreditorConfig {
        name: "Loja da Praça Ltda.".into(),
        address: "Rua São João, 45, São Paulo/SP".into(),
        tax_id: "12.345.678/0001-95".into(),
        email_from: "Loja da Praça <contas@loja.example>".into(),
    }
}

pub fn key(attempt: &str) -> AttemptKey {
    AttemptKey {
        tenant: TenantId::new("acme").unwrap(),
        customer_id: CustomerId::new("c/1").unwrap(),
        attempt_id: ChannelAttemptId::new(attempt).unwrap(),
    }
}

/// A message on a channel; phones and addresses are as the owner stores them.
pub fn message(channel: Channel, attempt: &str) -> Outgoing {
    let letter = sample(Language::Portuguese, creditor().creditor(), "2026-11-23".parse().unwrap());
    let to = match channel {
        Channel::Email => "ana@payer.example",
        Channel::Whatsapp | Channel::Sms | Channel::Voice => "+5511999990000",
        Channel::Letter => "Rua das Flores, 100, São Paulo/SP",
    };
    Outgoing {
        key: key(attempt),
        contact_id: ContactId::new("2026-11-23.BRL.all").unwrap(),
        channel,
        to: Personal::new(to),
        name: letter.name.clone(),
        language: letter.language,
        template: "vencida".into(),
        body: Templates::bundled().render("vencida", channel, &letter).unwrap(),
        at: "2026-11-23T12:00:00Z".parse().unwrap(),
    }
}

pub fn open(config: ChannelConfig) -> Channels {
    let only = ChannelsConfig { email: config, ..ChannelsConfig::default() };
    Channels::open(&only, &creditor()).unwrap()
}

#[test]
fn a_channel_without_a_way_out_is_not_there() {
    let channels = open(ChannelConfig { kind: notification::channel::Kind::Record, ..ChannelConfig::default() });
    assert!(channels.has(Channel::Email) && channels.delivers_at_once(Channel::Email) && channels.is_idempotent(Channel::Email));
    assert!(!channels.has(Channel::Sms) && !channels.delivers_at_once(Channel::Sms) && !channels.is_idempotent(Channel::Sms));
}

#[tokio::test]
async fn what_is_recorded_is_counted_and_accepted() {
    let config = ChannelConfig { kind: notification::channel::Kind::Record, ..ChannelConfig::default() };
    let channels = Channels::open(&ChannelsConfig::all(config), &creditor()).unwrap();
    for (channel, times) in [(Channel::Email, 3), (Channel::Letter, 1)] {
        for _ in 0..times {
            assert_eq!(channels.send(&message(channel, "a.0.0")).await.slug(), "accepted");
        }
        assert_eq!(channels.counts().of(channel), times);
    }
    assert_eq!(channels.counts().of(Channel::Voice), 0);
}

#[test]
fn every_key_at_fault_is_named() {
    use notification::channel::Kind::{Directory, Smtp, Webhook};
    let kind = |kind| ChannelConfig { kind, ..ChannelConfig::default() };
    let config = ChannelsConfig {
        email: ChannelConfig { security: notification::channel::Security::None, host: "mail.other.example".into(), ..kind(Smtp) },
        whatsapp: ChannelConfig { url: "http://other.example/x".into(), ..kind(Webhook) },
        sms: ChannelConfig { url: "https://other.example/x".into(), ..kind(Webhook) },
        voice: kind(Smtp),
        letter: kind(Directory),
    };
    let faults = Channels::open(&config, &creditor()).err().unwrap();
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    let expected =
        ["channels.email.security", "channels.whatsapp.url", "channels.sms.secret", "channels.voice.kind", "channels.letter.directory"];
    assert_eq!(paths, expected);
    let nobody = CreditorConfig { email_from: "nobody".into(), ..creditor() };
    assert_eq!(Channels::open(&ChannelsConfig::default(), &nobody).err().unwrap()[0].path, "creditor.email_from");
}
