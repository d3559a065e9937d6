//! Why a payer is told of a receivable: asked by who tells, judged by who owns it.

/// Why a payer is told of a receivable. All but reminders say that it is over: they ask for nothing, and are no step of a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// It is asked for.
    #[default]
    Reminder,
    /// It is paid: thanks.
    ThankYou,
    /// It was cancelled: what was sent about it is void.
    Correction,
}

impl Purpose {
    /// Stable name; empty for a reminder.
    pub fn slug(self) -> &'static str {
        match self {
            Purpose::Reminder => "",
            Purpose::ThankYou => "thank_you",
            Purpose::Correction => "correction",
        }
    }

    /// By its name; none where nothing has it.
    pub fn named(slug: &str) -> Option<Self> {
        [Purpose::Reminder, Purpose::ThankYou, Purpose::Correction].into_iter().find(|purpose| purpose.slug() == slug)
    }
}
