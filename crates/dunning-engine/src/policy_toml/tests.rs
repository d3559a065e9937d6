use super::*;
use ladder::{policy::Expires, preview::preview};

const PADRAO: &str = include_str!("../../../../policies/regua-padrao.toml");
const SIMPLES: &str = include_str!("../../../../policies/simples.toml");

/// A good ladder of two steps; `{top}`, `{contact}`, `{first}` and `{second}` take further fields.
const BASE: &str = "policy = \"p\"\n{top}\n[contact]\n{contact}\n\
    [[step]]\nid = \"a\"\noffset_days = -3\ntone = 1\nchannels = [\"email\"]\ntemplate = \"t\"\n{first}\n\
    [[step]]\nid = \"b\"\noffset_days = 5\ntone = 2\nchannels = [\"email\"]\ntemplate = \"t\"\n{second}\n";

fn faults(text: &str) -> Vec<String> {
    let list = load(text).err().unwrap_or_default();
    list.into_iter().map(|fault| format!("{} {}", fault.path, fault.slug)).collect()
}

/// The base with one place filled.
fn with(place: &str, fields: &str) -> String {
    let mut text = BASE.replace(place, fields);
    for place in ["{top}", "{contact}", "{first}", "{second}"] {
        text = text.replace(place, "");
    }
    text
}

#[test]
fn both_shared_policies_load() {
    let padrao = load(PADRAO).unwrap();
    assert_eq!((padrao.id().as_str(), padrao.steps().len()), ("regua-padrao", 10));
    let simples = load(SIMPLES).unwrap();
    assert_eq!((simples.id().as_str(), simples.steps().len()), ("simples", 6));
    assert_eq!(faults(&with("{none}", "")), Vec::<String>::new(), "the base of the table below is good");
}

#[test]
fn the_default_ladder_means_these_dates() {
    let policy = load(PADRAO).unwrap();
    let lines: Vec<String> = preview(&policy, "2026-11-23".parse().unwrap())
        .iter()
        .map(|line| {
            let last = line.last_day.map_or("never".to_owned(), |day| day.to_string());
            let approval = if line.requires_approval { " approval" } else { "" };
            let (planned_on, weekday) = line.planned_on.unwrap();
            format!("{} {planned_on} {weekday} tone {} {} until {last}{approval}", line.step_id, line.tone, line.kind.name())
        })
        .collect();
    let expected = "d-7 2026-11-16 Mon tone 1 notify until 2026-11-23
d-1 2026-11-19 Thu tone 1 notify until 2026-11-23
d0 2026-11-23 Mon tone 1 notify until 2026-11-23
d+1 2026-11-24 Tue tone 2 notify until never
d+3 2026-11-26 Thu tone 2 notify until never
d+7 2026-11-30 Mon tone 3 notify until never
d+15 2026-12-08 Tue tone 3 notify until never
d+30 2026-12-23 Wed tone 4 notify until never
d+45 2027-01-07 Thu tone 5 bureau until never approval
d+60 2027-01-22 Fri tone 5 hand_off until never";
    assert_eq!(lines.join("\n"), expected);
}

const BUREAU: &str = "[[step]]\nid = \"c\"\nkind = \"bureau\"\noffset_days = 9\ntone = 3\n";

/// Where, what is added there, and the faults.
const READING: &[(&str, &str, &str)] = &[
    ("{top}", "tempo = 1", "tempo unknown_field"),
    ("{top}", "min_known_days = \"1\"", "min_known_days wrong_type"),
    ("{top}", "catch_up = 3", "catch_up wrong_type"),
    ("{contact}", "max = 3", "contact.max unknown_field"),
    ("{contact}", "max_per_day = 1.5", "contact.max_per_day wrong_type"),
    ("{contact}", "window = \"09:00-18:00\"", "contact.window wrong_type"),
    ("{contact}", "window = { hours = 3 }", "contact.window.hours unknown_field"),
    ("{contact}", "window = { from = 09:00:00 }", "contact.window.from wrong_type"),
    ("{contact}", "window = { weekdays = [\"mon\", 2] }", "contact.window.weekdays[1] wrong_type"),
    ("{second}", "offset = 1", "step[1].offset unknown_field"),
    ("{second}", "requires_approval = \"yes\"", "step[1].requires_approval wrong_type"),
    ("{second}", "requires = [3]", "step[1].requires[0] wrong_type"),
    ("{second}", "requires = [{ step = \"a\", days = 1 }]", "step[1].requires[0].days unknown_field"),
    ("{second}", "expires = { weeks = 1 }", "step[1].expires wrong_type"),
    ("{second}", "repeat = { every_days = 1, at_most = 2, times = 3 }", "step[1].repeat.times unknown_field"),
    ("{second}", "repeat = { every_days = 1, until = true }", "step[1].repeat.until wrong_type; step[1].repeat unbounded_repeat"),
];

const VALUES: &[(&str, &str, &str)] = &[
    ("{top}", "time_zone = \"Mars/Base\"", "time_zone unknown_time_zone"),
    ("{top}", "calendar = \"us\"", "calendar unknown_calendar"),
    ("{top}", "catch_up = \"all\"", "catch_up unknown_catch_up"),
    ("{top}", "min_known_days = -1", "min_known_days out_of_range"),
    ("{contact}", "merge = \"all\"", "contact.merge unknown_merge"),
    ("{contact}", "max_per_7_days = 0", "contact.max_per_7_days out_of_range"),
    ("{contact}", "max_voice_per_day = -1", "contact.max_voice_per_day out_of_range"),
    ("{contact}", "window = { from = \"18:00\", until = \"09:00\" }", "contact.window.until window_empty"),
    ("{contact}", "window = { from = \"9h\" }", "contact.window.from not_a_time"),
    ("{contact}", "window = { weekdays = [] }", "contact.window.weekdays window_without_days"),
    ("{contact}", "window = { weekdays = [\"seg\"] }", "contact.window.weekdays[0] unknown_weekday"),
    ("{second}", "window = { until = \"08:00\" }", "step[1].window.until window_empty"),
    ("{second}", "kind = \"call\"", "step[1].kind unknown_kind"),
    ("{second}", "day_kind = \"work\"", "step[1].day_kind unknown_day_kind"),
    ("{second}", "roll = \"up\"", "step[1].roll unknown_roll"),
    ("{second}", "min_outstanding_minor = -1", "step[1].min_outstanding_minor out_of_range"),
    ("{second}", "min_gap_days = -1", "step[1].min_gap_days out_of_range"),
    ("{second}", "fallback_after_hours = 0", "step[1].fallback_after_hours out_of_range"),
    ("{second}", "expires = \"soon\"", "step[1].expires unknown_expires"),
    ("{second}", "expires = -3", "step[1].expires unknown_expires"),
    ("{first}", "anchor = \"previous_executed\"", "step[0].offset_days offset_contradicts_anchor; step[0].anchor anchor_without_previous"),
    ("{second}", "anchor = \"moon\"", "step[1].anchor unknown_anchor"),
];

const RULES: &[(&str, &str, &str)] = &[
    ("{second}", "expires = \"at_due\"", "step[1].offset_days offset_contradicts_kind"),
    ("{second}", "only_if = 3", "step[1].only_if wrong_type"),
    ("{second}", "only_if = {}", "step[1].only_if condition_empty"),
    ("{second}", "only_if = { segment = [] }", "step[1].only_if.segment condition_empty"),
    ("{second}", "only_if = { segment = 3 }", "step[1].only_if.segment wrong_type; step[1].only_if condition_empty"),
    ("{second}", "only_if = { not_segment = [\"a\", \" \"] }", "step[1].only_if.not_segment[1] invalid_text"),
    ("{second}", "only_if = { days_overdue_at_least = 0 }", "step[1].only_if.days_overdue_at_least out_of_range"),
    ("{second}", "only_if = { risk_at_least = 101 }", "step[1].only_if.risk_at_least out_of_range"),
    ("{second}", "only_if = { risk_at_least = 0 }", "step[1].only_if.risk_at_least out_of_range"),
    (
        "{second}",
        "only_if = { risk_at_least = 70.5, not_viewed = 1 }",
        "step[1].only_if.not_viewed wrong_type; step[1].only_if.risk_at_least wrong_type; step[1].only_if condition_empty",
    ),
    ("{second}", "only_if = { risk_at_most = 3 }", "step[1].only_if.risk_at_most unknown_field; step[1].only_if condition_empty"),
    ("{second}", "only_if = { payment_returned = true, moon = 1 }", "step[1].only_if.moon unknown_field"),
    (
        "{second}",
        "only_if = { state = \"SP\", language = \"pt-BR\" }",
        "step[1].only_if.state not_evaluated; step[1].only_if.language not_evaluated",
    ),
    ("{second}", "repeat = { every_days = 2 }", "step[1].repeat unbounded_repeat"),
    ("{second}", "repeat = { every_days = 2, until = \"at_due\" }", "step[1].repeat.until offset_contradicts_repeat"),
    ("{second}", "requires = [{ step = \"z\", executed_days_ago = 1 }]", "step[1].requires[0].step unknown_step"),
    ("{first}", "requires = [{ step = \"b\" }]", "step[0].requires[0].step requires_later_step"),
    ("{second}", "requires = [{ step = \"a\", executed_days_ago = -1 }]", "step[1].requires[0].executed_days_ago out_of_range"),
    ("{second}", "requires = [{ step = \"a\", executed_days_ago = 1, delivered_days_ago = 1 }]", "step[1].requires[0] requires_ambiguous"),
    ("{second}", BUREAU, "step[2].requires requires_missing"),
];

#[test]
fn every_fault_names_its_field() {
    for (place, fields, expected) in [READING, VALUES, RULES].concat() {
        assert_eq!(faults(&with(place, fields)).join("; "), expected, "{fields}");
    }
}

#[test]
fn every_fault_of_the_words_of_a_step_names_its_field() {
    for (good, bad, expected) in [
        ("policy = \"p\"", "policy = \"my policy\"", "policy invalid_id"),
        ("policy = \"p\"", "", "policy missing"),
        ("id = \"b\"", "id = \"a\"", "step[1].id duplicate_id"),
        ("id = \"b\"", "", "step[1].id missing"),
        ("offset_days = 5", "", "step[1].offset_days missing"),
        ("offset_days = 5", "offset_days = \"5\"", "step[1].offset_days wrong_type"),
        ("offset_days = 5", "offset_days = 99999", "step[1].offset_days out_of_range"),
        ("tone = 2", "tone = 3", "step[1].tone tone_jumps"),
        ("tone = 2", "tone = 6", "step[1].tone tone_out_of_range"),
        ("tone = 1", "tone = 3", "step[1].tone tone_falls"),
        ("tone = 2", "tone = \"hard\"", "step[1].tone wrong_type"),
        ("tone = 2\nchannels = [\"email\"]", "tone = 2", "step[1].channels channels_missing"),
        ("tone = 2\nchannels = [\"email\"]", "tone = 2\nchannels = \"email\"", "step[1].channels wrong_type"),
        ("tone = 2\nchannels = [\"email\"]", "tone = 2\nchannels = [5]", "step[1].channels[0] wrong_type"),
        ("tone = 2\nchannels = [\"email\"]", "tone = 2\nchannels = [\"fax\"]", "step[1].channels[0] unknown_channel"),
        ("tone = 2\nchannels = [\"email\"]", "tone = 2\nchannels = [\"sms > sms\"]", "step[1].channels[0] channel_repeated"),
        ("tone = 2\nchannels = [\"email\"]", "tone = 2\nchannels = [\"sms >\"]", "step[1].channels[0] invalid_chain"),
        ("offset_days = 5\ntone = 2", "offset_days = -1\nkind = \"hand_off\"\ntone = 2", "step[1].offset_days offset_contradicts_kind"),
    ] {
        let text = with("{none}", "");
        assert!(text.contains(good), "{good}");
        assert_eq!(faults(&text.replace(good, bad)).join("; "), expected, "{bad}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let text = "policy = 3\n[[step]]\nid = \"a\"\ntone = \"x\"\noffset_days = 1\nchannels = [\"pigeon\"]\n[contact]\nmerge = \"m\"\n";
    assert_eq!(
        faults(text),
        [
            "policy wrong_type",
            "step[0].tone wrong_type",
            "contact.merge unknown_merge",
            "step[0].channels[0] unknown_channel",
            "step[0].template missing",
        ]
    );
    assert_eq!(faults("policy = \"p\"\nstep = [1]"), ["step[0] wrong_type"]);
    assert_eq!(faults("policy = \"p\""), ["step steps_missing"]);
    assert_eq!(faults("policy = "), ["toml toml_malformed"]);
    assert_eq!(faults(&"#".repeat(MAX_TEXT_BYTES + 1)), ["toml toml_too_long"]);
}

#[test]
fn an_end_can_be_written_in_five_ways() {
    for (written, expires) in [
        ("\"at_due\"", Expires::AtDue),
        ("\"never\"", Expires::Never),
        ("\"after 4 days\"", Expires::AfterDays(4)),
        ("4", Expires::AfterDays(4)),
        ("{ after_days = 4 }", Expires::AfterDays(4)),
    ] {
        let policy = load(&with("{first}", &format!("expires = {written}"))).unwrap();
        assert_eq!(policy.steps()[0].expires, expires, "{written}");
    }
}

#[test]
fn a_repetition_and_a_step_that_counts_from_another_are_read_as_written() {
    let forms = [
        ("repeat = { every_days = 7, at_most = 3 }", 3),
        ("repeat = { every_days = 7, until = 20 }", 3),
        ("repeat = { every_days = 7, until = \"after 20 days\" }", 3),
        ("repeat = { every_days = 7, until = { after_days = 20 } }", 3),
        ("repeat = { every_days = 7, until = 20, at_most = 2 }", 2),
        ("anchor = \"previous_executed\"", 1),
        ("only_if = { not_viewed = true, risk_at_least = 70 }", 1),
        ("only_if = { segment = \"pj\", not_segment = [\"a\", \"b\"], promises_broken_at_least = 1 }", 1),
    ];
    for (fields, times) in forms {
        let policy = load(&with("{second}", fields)).unwrap();
        assert_eq!(policy.steps()[1].times(), times, "{fields}");
    }
}

#[test]
fn a_state_may_have_a_window_of_its_own_within_its_law_and_never_beyond() {
    let of = |states: &str| faults(&with("{contact}", states));
    for (states, expected) in [
        ("window.states.SP = { from = \"08:00\", until = \"20:00\" }", vec![]),
        ("window.states.SP = { weekdays = [\"mon\", \"sat\"], from = \"08:00\", until = \"14:00\" }", vec![]),
        // Nothing of its own is what the policy says.
        ("window = { until = \"17:00\", states = { RJ = {} } }", vec![]),
        // Practice allows where no law speaks.
        ("window.states.MG = { from = \"08:00\", until = \"20:00\" }", vec![]),
        ("window.states.RJ = { from = \"08:00\", until = \"20:00\" }", vec!["RJ.from window_outside_law", "RJ.until window_outside_law"]),
        ("window.states.RJ = { weekdays = [\"fri\", \"sat\"] }", vec!["RJ.weekdays window_outside_law"]),
        ("window.states.SP = { weekdays = [\"sat\"] }", vec!["SP.until window_outside_law"]),
        ("window.states.SP = { weekdays = [\"sun\"] }", vec!["SP.weekdays window_outside_law"]),
        ("window.states.SP = { until = \"24:00\" }", vec!["SP.until window_outside_law"]),
        // What is not written comes from the policy, and the law holds for it too.
        ("window = { until = \"24:00\", states = { SP = {} } }", vec!["SP.until window_outside_law"]),
        ("window.states.XX = {}\nwindow.states.sp = {}", vec!["XX unknown_state", "sp unknown_state"]),
        ("window.states.SP = { until = \"8 o'clock\" }", vec!["SP.until not_a_time"]),
        ("window.states.SP = { until = \"08:00\" }", vec!["SP.until window_empty"]),
        ("window.states.SP = { hours = \"8-20\" }", vec!["SP.hours unknown_field"]),
        ("window.states.SP = \"08:00-20:00\"", vec!["SP wrong_type"]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(|fault| format!("contact.window.states.{fault}")).collect();
        assert_eq!(of(states), expected, "{states}");
    }
}

#[test]
fn a_window_may_be_open_until_the_end_of_the_day() {
    let policy = load(&with("{contact}", "window = { from = \"00:00\", until = \"24:00\" }")).unwrap();
    assert_eq!(policy.contact().window.until, kernel::window::END_OF_DAY);
    assert_eq!(faults(&with("{contact}", "window = { from = \"24:00\" }")), ["contact.window.from not_a_time"]);
}

#[test]
fn notices_are_read_as_written_and_each_fault_has_its_path() {
    let of = |fields: &str| with("{second}", &format!("[notices.thank_you]\n{fields}"));
    let policy = load(&of("template = \"agradecimento\"\nchannels = [\"whatsapp > sms\", \"email\"]\nexpires = \"after 3 days\"")).unwrap();
    let rule = policy.notices().thank_you.as_ref().unwrap();
    assert_eq!((rule.template.as_str(), rule.chains.len(), rule.expires_days), ("agradecimento", 2, 3));
    assert_eq!(policy.notices().correction, None);
    for (fields, expected) in [
        ("channels = [\"email\"]", "notices.thank_you.template missing"),
        ("template = \"t\"", "notices.thank_you.channels channels_missing"),
        ("template = 3\nchannels = [\"email\"]", "notices.thank_you.template wrong_type"),
        ("template = \"t\"\nchannels = [\"email\"]\nexpires = 31", "notices.thank_you.expires unknown_expires"),
        ("template = \"t\"\nchannels = [\"email\"]\ntone = 1", "notices.thank_you.tone unknown_field"),
        ("template = \"t\"\nchannels = [\"email\"]\n[notices.birthday]", "notices.birthday unknown_field"),
    ] {
        assert_eq!(faults(&of(fields)).join("; "), expected, "{fields}");
    }
    assert_eq!(faults(&with("{top}", "notices = 3")), ["notices wrong_type"]);
}

#[test]
fn a_variant_is_read_as_written_and_each_fault_has_its_path() {
    const OWN: &str = "[[variant.step]]\nid = \"x\"\noffset_days = 6\ntone = 2\nchannels = [\"sms\"]\ntemplate = \"t\"\n";
    let of = |head: &str, own: &str| with("{second}", &format!("[[variant]]\n{head}\n{own}"));
    let policy = load(&of("name = \"v\"\nsegments = [\"vip\"]\nwithout = [\"b\"]", OWN)).unwrap();
    let steps = policy.variant_for(Some("vip")).unwrap().ladder().steps();
    assert_eq!(steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>(), ["a", "x"]);
    assert_eq!((policy.steps().len(), policy.variants()[0].id().as_str()), (2, "v"));
    let good = "name = \"v\"\nsegments = [\"vip\"]";
    for (head, own, expected) in [
        (good, "".to_owned(), "variant[0] variant_empty"),
        ("segments = [\"vip\"]", OWN.to_owned(), "variant[0].name missing"),
        ("name = 3\nsegments = [\"vip\"]", OWN.to_owned(), "variant[0].name wrong_type"),
        ("name = \"v\"\nsegments = \"vip\"", OWN.to_owned(), "variant[0].segments wrong_type"),
        ("name = \"v\"\nsegments = [\"vip\", 3]", OWN.to_owned(), "variant[0].segments[1] wrong_type"),
        ("name = \"v\"\nsegments = [\"vip\"]\nwithout = \"a\"", "".to_owned(), "variant[0].without wrong_type"),
        ("name = \"v\"\nsegments = [\"vip\"]\nsteps = 1", OWN.to_owned(), "variant[0].steps unknown_field"),
        (good, OWN.replace("tone = 2", "tone = \"2\""), "variant[0].step[0].tone wrong_type"),
        (good, OWN.replace("tone = 2", "tone = 2\nday = 3"), "variant[0].step[0].day unknown_field"),
        (good, OWN.replace("\"sms\"", "\"fax\""), "variant[0].step[0].channels[0] unknown_channel"),
        (good, OWN.replace("tone = 2", "tone = 4"), "variant[0].step[0].tone tone_jumps"),
        (
            good,
            format!("{OWN}requires = [{{ step = \"b\", executed_days_ago = -1 }}]"),
            "variant[0].step[0].requires[0].executed_days_ago out_of_range",
        ),
    ] {
        assert_eq!(faults(&of(head, &own)).join("; "), expected, "{head} {own}");
    }
    assert_eq!(faults(&with("{top}", "variant = 3")), ["variant wrong_type"]);
}
