//! Policies: immutable, validated ladders. The only way to one is [`crate::draft::validate`].

use crate::condition::Conditions;
use crate::notices::Notices;
use crate::variant::Variant;
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{Calendar, NaiveDate, PolicyId, StepId, Window, Zone};

/// The mildest tone of a step.
pub const MIN_TONE: u8 = 1;
/// The hardest tone of a step.
pub const MAX_TONE: u8 = 5;
/// The hardest tone of the first contact of a fresh cycle.
pub const FIRST_TONE: u8 = 2;

/// Where the engine finds the policy versions that tracks are pinned to, and the local holidays that the creditor keeps.
pub trait PolicyBook {
    /// That version of that policy; `None` where it was never published.
    fn policy(&self, id: &PolicyId, version: u32) -> Option<&Policy>;

    /// The name of the local holiday that a payer has on a day: of its state (two letters), of its municipality (seven digits of IBGE), each
    /// `None` while unknown, or of everybody. `None` where there is none; a book that keeps no holidays has none.
    fn local_holiday(&self, _state: Option<&str>, _municipality: Option<&str>, _day: NaiveDate) -> Option<&str> {
        None
    }
}

/// A validated ladder. Steps are in policy order, which is the order of climbing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub(crate) id: PolicyId,
    pub(crate) time_zone: Zone,
    pub(crate) calendar: Calendar,
    pub(crate) catch_up: CatchUp,
    pub(crate) min_known_days: u32,
    pub(crate) contact: ContactRules,
    pub(crate) state_windows: Vec<(String, Window)>,
    pub(crate) steps: Vec<Step>,
    pub(crate) variants: Vec<Variant>,
    pub(crate) notices: Notices,
}

impl Policy {
    /// Its name, the same over all its versions.
    pub fn id(&self) -> &PolicyId {
        &self.id
    }

    /// The zone of its civil dates, and of payers whose own zone is unknown.
    pub fn time_zone(&self) -> Zone {
        self.time_zone
    }

    /// Decides effective due dates, rolls, business-day offsets and holidays.
    pub fn calendar(&self) -> Calendar {
        self.calendar
    }

    /// What happens to several reached steps.
    pub fn catch_up(&self) -> CatchUp {
        self.catch_up
    }

    /// Local days that an invoice must have been known before its first contact.
    pub fn min_known_days(&self) -> u32 {
        self.min_known_days
    }

    /// Merging, budgets and the default window.
    pub fn contact(&self) -> &ContactRules {
        &self.contact
    }

    /// When a step may go out to a payer of a state (two letters; `None` while unknown): the step's own window, else the state's, else the
    /// policy's. Planned dates are those of the policy's window for every payer: a state moves hours and shuts days, it moves no dates.
    pub fn window_of(&self, step: &Step, state: Option<&str>) -> Window {
        let of_state = || self.state_windows.iter().find(|(code, _)| state == Some(code.as_str())).map(|(_, window)| *window);
        if step.has_own_window { step.window } else { of_state().unwrap_or(step.window) }
    }

    /// The steps in policy order; never empty.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// A step by its id.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == *id)
    }

    /// Whose step it is. A step that counts from the one before is for whom that is.
    pub fn audience(&self, id: &StepId) -> Audience {
        let of_agreements = |step: &Step| step.anchor == Anchor::AgreementDue;
        if !self.steps.iter().any(of_agreements) {
            return Audience::All;
        }
        let until = self.steps.iter().position(|step| step.id == *id).map_or(0, |at| at + 1);
        let own = self.steps.iter().take(until).rev().find(|step| step.anchor != Anchor::PreviousExecuted);
        if own.is_some_and(of_agreements) { Audience::Instalments } else { Audience::Others }
    }

    /// The step before it in policy order; `None` for the first, and for one that the policy does not have.
    pub fn step_before(&self, id: &StepId) -> Option<&Step> {
        let at = self.steps.iter().position(|step| step.id == *id)?;
        self.steps.get(at.checked_sub(1)?)
    }
}

/// One rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Stable within the policy.
    pub id: StepId,
    /// What is done.
    pub kind: StepKind,
    /// What the offset counts from.
    pub anchor: Anchor,
    /// Negative is before the anchor, positive after.
    pub offset_days: i32,
    /// Which days the offset counts.
    pub day_kind: DayKind,
    /// Where a planned date goes that is no business day.
    pub roll: Roll,
    /// When it may go out, in the payer's zone: its own window, else the policy's.
    pub window: Window,
    /// Whether that window is its own.
    pub has_own_window: bool,
    /// [`MIN_TONE`] (courteous) to [`MAX_TONE`] (final).
    pub tone: u8,
    /// Chains that go out in parallel; never empty for `notify`.
    pub chains: Vec<Chain>,
    /// Hours without a receipt after which a chain falls back to its next channel.
    pub fallback_after_hours: u32,
    /// Template id, with or without a version; empty only where the kind is not `notify`.
    pub template: String,
    /// Below this balance the step is suppressed at the gate.
    pub min_outstanding_minor: i64,
    /// Local days since the last contact of the track before this step may be one.
    pub min_gap_days: u32,
    /// When the step is no longer worth doing.
    pub expires: Expires,
    /// For whom it is; `None`: for everybody.
    pub only_if: Option<Conditions>,
    /// Earlier steps that must have been executed.
    pub requires: Vec<Requires>,
    /// A person confirms before it goes out.
    pub requires_approval: bool,
    /// How often it comes again; `None`: it comes once.
    pub repeat: Option<Repeat>,
}

impl Step {
    /// How many occurrences a cycle has of it, at least 1.
    pub fn times(&self) -> u32 {
        self.repeat.map_or(1, |repeat| repeat.times)
    }
}

/// A step that comes again. Every bound of the policy is in `times`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// Days from one occurrence to the next, of the step's [`DayKind`]; at least 1.
    pub every_days: u32,
    /// Occurrences in all, the first one too; at least 2.
    pub times: u32,
}

/// What an offset counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The effective due date.
    Due,
    /// The local day on which the step before, in policy order, was executed. Unknown until then.
    PreviousExecuted,
    /// The effective due date of an agreement's instalment, which is that of its track: only instalments have the step.
    AgreementDue,
}

/// Which receivables have a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All: the policy has no steps for instalments of agreements.
    All,
    /// Instalments of agreements.
    Instalments,
    /// All but instalments, which have steps of their own.
    Others,
}

impl Audience {
    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Audience::All => "all",
            Audience::Instalments => "instalments",
            Audience::Others => "others",
        }
    }

    /// Whether a receivable is among them.
    pub fn has(self, instalment: bool) -> bool {
        match self {
            Audience::All => true,
            Audience::Instalments => instalment,
            Audience::Others => !instalment,
        }
    }
}

/// Which days an offset counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// Every day.
    Calendar,
    /// Business days of the policy's calendar.
    Business,
}

/// Where a planned date goes that is no business day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roll {
    /// To the business day before.
    Back,
    /// To the business day after.
    Forward,
    /// Nowhere.
    None,
}

/// When a step is no longer worth doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expires {
    /// At 24:00 of the effective due date.
    AtDue,
    /// At 24:00 of the n-th day after the planned date.
    AfterDays(u32),
    /// Never.
    Never,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// Contacts the payer.
    Notify,
    /// Gives a person something to do.
    Task,
    /// Lists the debt at a credit bureau (negativação).
    Bureau,
    /// Takes the debt to protest.
    Protest,
    /// Hands the debt to a collector; the ladder ends.
    HandOff,
}

impl StepKind {
    /// All kinds.
    pub const ALL: [StepKind; 5] = [StepKind::Notify, StepKind::Task, StepKind::Bureau, StepKind::Protest, StepKind::HandOff];

    /// Its name in a policy.
    pub fn name(self) -> &'static str {
        match self {
            StepKind::Notify => "notify",
            StepKind::Task => "task",
            StepKind::Bureau => "bureau",
            StepKind::Protest => "protest",
            StepKind::HandOff => "hand_off",
        }
    }

    /// By its name in a policy.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A way to reach a payer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// E-mail.
    Email,
    /// WhatsApp.
    Whatsapp,
    /// SMS.
    Sms,
    /// A voice call; has a budget of its own.
    Voice,
    /// A letter on paper.
    Letter,
}

impl Channel {
    /// All channels.
    pub const ALL: [Channel; 5] = [Channel::Email, Channel::Whatsapp, Channel::Sms, Channel::Voice, Channel::Letter];

    /// Its name in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Whatsapp => "whatsapp",
            Channel::Sms => "sms",
            Channel::Voice => "voice",
            Channel::Letter => "letter",
        }
    }

    /// By its name in a policy.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// Channels in the order in which they are tried, each when the one before failed. Never empty in a validated policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain(pub Vec<Channel>);

/// What happens when several steps of a track are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// The latest allowed one is offered, lower ones are superseded by its execution.
    Latest,
    /// Every one in order, `min_gap_days` apart: where each notice is legally needed.
    Replay,
}

/// How the tracks of a payer share contacts. In order, the one that makes fewer contacts first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Merge {
    /// One contact per payer, currency and day.
    PerDay,
    /// One for overdue items, one for upcoming items.
    ByClass,
    /// One contact per track.
    None,
}

impl Merge {
    /// Its name in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Merge::PerDay => "per_day",
            Merge::ByClass => "by_class",
            Merge::None => "none",
        }
    }

    /// By its name in a policy.
    pub fn named(name: &str) -> Option<Self> {
        [Merge::PerDay, Merge::ByClass, Merge::None].into_iter().find(|merge| merge.name() == name)
    }
}

/// What bounds the contacts of a payer; evaluated at the last-look gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactRules {
    /// How tracks share contacts.
    pub merge: Merge,
    /// Contacts per payer and local day, over all currencies.
    pub max_per_day: u32,
    /// Contacts per payer in a local day and the six before it.
    pub max_per_7_days: u32,
    /// Voice calls per payer and local day.
    pub max_voice_per_day: u32,
    /// When contacts may go out, in the payer's zone.
    pub window: Window,
}

/// A step that must have been executed before another may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requires {
    /// The step, earlier in policy order.
    pub step: StepId,
    /// At least so many local days ago.
    pub days_ago: u32,
    /// Counted from its delivery in place of its execution.
    pub delivered: bool,
}
