//! Policies as text: TOML → draft → policy. Every fault at once, each with the path of its field.
//!
//! Faults of reading come first (`wrong_type`, `unknown_field`), then those of [`ladder::draft::validate`]. A field that could not be read
//! is not also reported as missing.

mod reader;
mod states;
mod step;

use ladder::{
    Policy,
    draft::{Draft, DraftContact, DraftNotices, DraftVariant, DraftWindow, Fault, validate},
};
use reader::{Faults, Reader};
use toml::Table;

/// Longest text of a policy, in bytes.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;

/// The policy that a text means, or everything that is wrong with it. Text that is no TOML at all has one fault, at path `toml`.
pub fn load(text: &str) -> Result<Policy, Vec<Fault>> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(vec![whole("toml_too_long", format!("is longer than {MAX_TEXT_BYTES} bytes"))]);
    }
    let table: Table = text.parse().map_err(|error| vec![whole("toml_malformed", syntax_message(&error))])?;
    let (draft, read) = draft_of(table);
    let unlawful = states::faults(&draft.contact);
    match validate(&draft) {
        Ok(policy) if read.is_empty() && unlawful.is_empty() => Ok(policy),
        Ok(_) => Err([read, unlawful].concat()),
        Err(invalid) => Err([joined(read, invalid), unlawful].concat()),
    }
}

fn whole(slug: &'static str, message: String) -> Fault {
    Fault { path: "toml".to_owned(), slug, message }
}

fn syntax_message(error: &toml::de::Error) -> String {
    error.to_string().trim_end().to_owned()
}

/// What could be read, and what could not.
fn draft_of(table: Table) -> (Draft, Vec<Fault>) {
    let mut faults = Faults::default();
    let mut top = Reader::new(table, String::new(), &mut faults);
    let draft = Draft {
        policy: top.text("policy"),
        time_zone: top.text("time_zone"),
        calendar: top.text("calendar"),
        catch_up: top.text("catch_up"),
        min_known_days: top.number("min_known_days"),
        contact: top.table("contact").map(contact).unwrap_or_default(),
        steps: top.tables("step", step::read),
        variants: top.tables("variant", variant),
        notices: top.table("notices").map(notices).unwrap_or_default(),
    };
    top.finish();
    (draft, faults.into_list())
}

fn notices(mut table: Reader<'_>) -> DraftNotices {
    let draft =
        DraftNotices { thank_you: table.table("thank_you").map(step::notice), correction: table.table("correction").map(step::notice) };
    table.finish();
    draft
}

fn variant(mut table: Reader<'_>) -> DraftVariant {
    let draft = DraftVariant {
        name: table.text("name"),
        segments: table.texts("segments"),
        without: table.texts("without"),
        steps: table.tables("step", step::read),
    };
    table.finish();
    draft
}

fn contact(mut table: Reader<'_>) -> DraftContact {
    let (window, state_windows) = table.table("window").map(contact_window).unzip();
    let draft = DraftContact {
        merge: table.text("merge"),
        max_per_day: table.number("max_per_day"),
        max_per_7_days: table.number("max_per_7_days"),
        max_voice_per_day: table.number("max_voice_per_day"),
        window,
        state_windows: state_windows.unwrap_or_default(),
    };
    table.finish();
    draft
}

/// The window of all payers, and those of states in it.
fn contact_window(mut table: Reader<'_>) -> (DraftWindow, Vec<(String, DraftWindow)>) {
    let states = table.table("states").map(|states| states.each(step::window)).unwrap_or_default();
    (step::window(table), states)
}

/// Slugs that say that something is not there: noise where it is there and could not be read.
const ABSENT: [&str; 6] = ["missing", "steps_missing", "variant_empty", "channels_missing", "requires_missing", "window_without_days"];

fn joined(read: Vec<Fault>, invalid: Vec<Fault>) -> Vec<Fault> {
    let executed_days_ago = |mut fault: Fault| {
        if fault.path.contains(".requires[") && fault.path.ends_with("].days_ago") {
            fault.path = fault.path.replace("].days_ago", "].executed_days_ago");
        }
        fault.message = fault.message.replace("`days_ago`", "`executed_days_ago`");
        fault
    };
    let unreadable = |path: &str| {
        let inside = |fault: &Fault| fault.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        read.iter().any(inside)
    };
    let kept = invalid.into_iter().filter(|fault| !(ABSENT.contains(&fault.slug) && unreadable(&fault.path)));
    let kept: Vec<Fault> = kept.map(executed_days_ago).collect();
    read.into_iter().chain(kept).collect()
}

#[cfg(test)]
mod tests;
