//! What may be asked of an entry.

use super::{Kind, Obligation, Stage};
use alloc::string::String;
use kernel::{ContactId, Currency, CustomerId, DateTime, InvoiceId, NaiveDate, StepId, Utc};

/// A command. Told twice, none changes anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The step was executed: the debt is to be listed.
    Request {
        /// What.
        opened: Opened,
        /// What it lacks; then it is refused at once.
        missing: Option<super::Missing>,
        /// When.
        at: DateTime<Utc>,
    },
    /// What is listed must leave; what is not handed over is given up.
    Require {
        /// Why and until when.
        obligation: Obligation,
        /// When.
        at: DateTime<Utc>,
    },
    /// A command is about to be handed over: whoever gets the event does it, nobody else.
    Send {
        /// Which.
        order: Order,
        /// When.
        at: DateTime<Utc>,
    },
    /// The provider says that it never had a command.
    Lose {
        /// Which.
        order: Order,
        /// When.
        at: DateTime<Utc>,
    },
    /// The word of a provider, or of a person who saw to it by hand.
    Answer {
        /// What it says.
        answer: Answer,
        /// Why, for a refusal; a slug, may be empty.
        reason: String,
        /// The provider's own number; may be empty.
        reference: String,
        /// Who: `provider`, or an operator id.
        by: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// A day has come.
    Watch {
        /// The local day.
        today: NaiveDate,
        /// When.
        at: DateTime<Utc>,
    },
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Whose debt.
    pub customer_id: CustomerId,
    /// The receivable: the contract number that a provider is told.
    pub invoice_id: InvoiceId,
    /// Its cycle.
    pub cycle: u32,
    /// The step.
    pub step_id: StepId,
    /// Its occurrence.
    pub occurrence: u32,
    /// What sort.
    pub kind: Kind,
    /// Minor units open on that day, without what is contested.
    pub amount_minor: i64,
    /// Their currency.
    pub currency: Currency,
    /// Civil due date.
    pub due_on: NaiveDate,
    /// Local day of the execution of the step.
    pub day: NaiveDate,
    /// The notice before it.
    pub notice_step: Option<StepId>,
    /// The contact that carried the notice.
    pub notice_contact: Option<ContactId>,
    /// The day on which the notice was delivered; `None` where nobody can prove it.
    pub notice_delivered_on: Option<NaiveDate>,
}

/// A command to a provider. With the occurrence it makes the provider's idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// List the debt.
    Include,
    /// Take it out.
    Remove,
}

impl Order {
    /// Both.
    pub const ALL: [Order; 2] = [Order::Include, Order::Remove];

    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Order::Include => "include",
            Order::Remove => "remove",
        }
    }

    /// By its stable name.
    pub fn named(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.slug() == slug)
    }
}

/// What a provider says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It has the inclusion.
    Accepted,
    /// The debt is listed.
    Listed,
    /// It will not list the debt.
    Refused,
    /// It has the removal.
    RemovalAccepted,
    /// The debt is out.
    Removed,
    /// It will not take the debt out.
    RemovalRefused,
}

impl Answer {
    /// All of them.
    pub const ALL: [Answer; 6] =
        [Answer::Accepted, Answer::Listed, Answer::Refused, Answer::RemovalAccepted, Answer::Removed, Answer::RemovalRefused];

    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Answer::Accepted => "accepted",
            Answer::Listed => "listed",
            Answer::Refused => "refused",
            Answer::RemovalAccepted => "removal_accepted",
            Answer::Removed => "removed",
            Answer::RemovalRefused => "removal_refused",
        }
    }

    /// By its stable name.
    pub fn named(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.slug() == slug)
    }

    /// That a command was taken.
    pub fn taken(order: Order) -> Self {
        match order {
            Order::Include => Answer::Accepted,
            Order::Remove => Answer::RemovalAccepted,
        }
    }

    /// That a command was refused.
    pub fn refused(order: Order) -> Self {
        match order {
            Order::Include => Answer::Refused,
            Order::Remove => Answer::RemovalRefused,
        }
    }

    /// Which command has come how far by it.
    pub fn means(self) -> (Order, Stage) {
        match self {
            Answer::Accepted => (Order::Include, Stage::Taken),
            Answer::Listed => (Order::Include, Stage::Done),
            Answer::Refused => (Order::Include, Stage::Refused),
            Answer::RemovalAccepted => (Order::Remove, Stage::Taken),
            Answer::Removed => (Order::Remove, Stage::Done),
            Answer::RemovalRefused => (Order::Remove, Stage::Refused),
        }
    }
}
