//! Validation: everything that is wrong, at once, with its path.

use crate::book::{PADRAO, SIMPLES, draft};
use ladder::draft::{Draft, DraftCondition, DraftRequires, validate};
use ladder::policy::{Channel, Expires, Roll, StepKind};

fn faults(draft: &Draft) -> Vec<String> {
    validate(draft).err().unwrap_or_default().iter().map(|fault| format!("{} {}", fault.path, fault.slug)).collect()
}

#[test]
fn the_policies_of_the_norm_are_valid_and_absent_fields_have_its_defaults() {
    let padrao = validate(&draft(PADRAO)).unwrap();
    assert_eq!(padrao.contact().max_per_7_days, 3);
    assert_eq!(padrao.min_known_days(), 1);
    let steps = padrao.steps();
    assert_eq!((steps[0].roll, steps[0].expires), (Roll::Back, Expires::AtDue));
    assert_eq!((steps[3].roll, steps[3].expires, steps[3].kind), (Roll::Forward, Expires::Never, StepKind::Notify));
    assert_eq!(steps[3].chains[0].0, [Channel::Whatsapp, Channel::Sms, Channel::Email]);
    assert_eq!((steps[3].fallback_after_hours, steps[3].min_gap_days), (4, 1));
    assert!(steps[8].requires[0].delivered && steps[8].requires[0].days_ago == 10 && steps[8].requires_approval);
    assert!(validate(&draft(SIMPLES)).is_ok());
}

#[test]
fn offset_zero_is_not_before_due() {
    let step = &validate(&draft("a 0 1")).unwrap().steps()[0].clone();
    assert_eq!((step.expires, step.roll), (Expires::Never, Roll::Forward));
}

#[test]
fn each_broken_rule_names_its_field() {
    for (text, fault) in [
        ("", "step steps_missing"),
        ("calendar mars\n a 1 1", "calendar unknown_calendar"),
        ("catch_up first\n a 1 1", "catch_up unknown_catch_up"),
        ("known -1\n a 1 1", "min_known_days out_of_range"),
        ("budget 0 3\n a 1 1", "contact.max_per_day out_of_range"),
        ("weekdays mon,sonntag\n a 1 1", "contact.window.weekdays[1] unknown_weekday"),
        ("a 1 1\n a 2 1", "step[1].id duplicate_id"),
        ("a! 1 1", "step[0].id invalid_id"),
        ("a x 1", "step[0].offset_days missing"),
        ("a 1 x", "step[0].tone missing"),
        ("a 1 0", "step[0].tone tone_out_of_range"),
        ("a 1 6", "step[0].tone tone_out_of_range"),
        ("a 1 2\n b 2 1", "step[1].tone tone_falls"),
        ("a 1 1\n b 2 3", "step[1].tone tone_jumps"),
        ("a 1 1 expires=at_due", "step[0].offset_days offset_contradicts_kind"),
        ("a 1 1 expires=soon", "step[0].expires unknown_expires"),
        ("a -3 1 kind=hand_off", "step[0].offset_days offset_contradicts_kind"),
        ("a 1 1\n b -3 1 kind=bureau requires=a", "step[1].offset_days offset_contradicts_kind"),
        ("a 1 1\n b 5 1 kind=protest", "step[1].requires requires_missing"),
        ("a 1 1\n b 5 1 kind=bureau", "step[1].requires requires_missing"),
        ("a 1 1\n b 5 1 requires=c", "step[1].requires[0].step unknown_step"),
        ("a 1 1 requires=b\n b 5 1", "step[0].requires[0].step requires_later_step"),
        ("a 1 1 requires=a", "step[0].requires[0].step requires_later_step"),
        ("a 1 1 channels=fax", "step[0].channels[0] unknown_channel"),
        ("a 1 1 channels=email>", "step[0].channels[0] invalid_chain"),
        ("a 1 1 channels=email>email", "step[0].channels[0] channel_repeated"),
        ("a 1 1 roll=up", "step[0].roll unknown_roll"),
        ("a 1 1 kind=fax", "step[0].kind unknown_kind"),
        ("a 1 1 day_kind=lunar", "step[0].day_kind unknown_day_kind"),
        ("a 1 1 gap=-1", "step[0].min_gap_days out_of_range"),
        ("a 1 1 weekdays=xyz", "step[0].window.weekdays[0] unknown_weekday"),
        ("a 1 1 every=7", "step[0].repeat unbounded_repeat"),
        ("a 1 1 most=3", "step[0].repeat.every_days missing"),
        ("a 1 1 every=0 most=3", "step[0].repeat.every_days out_of_range"),
        ("a 1 1 every=7 most=1", "step[0].repeat.at_most out_of_range"),
        ("a 1 1 every=7 most=101", "step[0].repeat.at_most out_of_range"),
        ("a 1 1 every=7 until=soon", "step[0].repeat.until unknown_until"),
        ("a 1 1 every=7 until=never", "step[0].repeat.until unknown_until"),
        ("a 1 1 every=7 until=6", "step[0].repeat repeat_never"),
        ("a 1 1 every=1 until=100", "step[0].repeat too_many_occurrences"),
        ("a 1 1 every=7 until=at_due", "step[0].repeat.until offset_contradicts_repeat"),
        ("a -3 1 every=2 most=3", "step[0].repeat repeat_crosses_due"),
        ("a 0 1 every=2 most=3 expires=at_due", "step[0].repeat repeat_crosses_due"),
        ("a 1 1\n b 5 1 kind=bureau requires=a every=7 most=2", "step[1].repeat repeat_contradicts_kind"),
        ("a 5 1 kind=hand_off every=7 most=2", "step[0].repeat repeat_contradicts_kind"),
        ("a 1 1 every=1 most=100\n b 1 1 every=1 most=100\n c 1 1 every=1 most=100\n d 1 1", "step too_many_occurrences"),
        ("a 1 1 anchor=previous_executed", "step[0].anchor anchor_without_previous"),
        ("a 1 1 overdue=0", "step[0].only_if.days_overdue_at_least out_of_range"),
        ("a 1 1 risk=0", "step[0].only_if.risk_at_least out_of_range"),
        ("a 1 1 risk=101", "step[0].only_if.risk_at_least out_of_range"),
        ("a 1 1 segment=", "step[0].only_if.segment[0] invalid_text"),
        ("a 1 1 anchor=moon", "step[0].anchor unknown_anchor"),
        ("a 1 1 anchor=agreement_due", "step only_instalments"),
        ("a 1 1\n b 1 1 anchor=agreement_due requires=a", "step[1].requires[0].step requires_other_ladder"),
        ("a 1 1 anchor=agreement_due\n b 1 1 requires=a", "step[1].requires[0].step requires_other_ladder"),
        ("a 1 1\n b 1 1 anchor=agreement_due\n c 5 3", "step[2].tone tone_jumps"),
        ("a 1 1\n b 1 1 anchor=agreement_due\n c 1 3 anchor=previous_executed", "step[2].tone tone_jumps"),
        ("a 1 1\n b -1 1 anchor=previous_executed", "step[1].offset_days offset_contradicts_anchor"),
        (
            "a -9 1\n b 4 1 anchor=previous_executed\n c 5 1 kind=hand_off anchor=previous_executed",
            "step[2].offset_days offset_contradicts_kind",
        ),
    ] {
        assert_eq!(faults(&draft(text)), [fault], "{text}");
    }
}

#[test]
fn what_the_engine_does_not_evaluate_is_refused_and_not_ignored() {
    let mut policy = draft("a 1 1\n b 2 1");
    let unevaluated = vec!["state", "language"];
    policy.steps[1].only_if = Some(DraftCondition { segment: Some(vec!["pj".into()]), unevaluated, ..DraftCondition::default() });
    let conditions = ["step[1].only_if.state not_evaluated", "step[1].only_if.language not_evaluated"];
    assert_eq!(faults(&policy), conditions);
}

#[test]
fn a_hand_off_may_count_from_steps_that_come_after_due() {
    assert_eq!(
        faults(&draft("a 1 1\n b 0 1 anchor=previous_executed\n c 0 1 kind=hand_off anchor=previous_executed")),
        Vec::<String>::new()
    );
}

#[test]
fn windows_must_open_and_close() {
    let mut policy = draft("weekdays mon\n a 1 1");
    let window = policy.contact.window.as_mut().unwrap();
    window.weekdays = Some(vec![]);
    window.from = Some("18:00".into());
    window.until = Some("9h".into());
    let expected = ["contact.window.weekdays window_without_days", "contact.window.until not_a_time", "contact.window.until window_empty"];
    assert_eq!(faults(&policy), expected);
}

#[test]
fn all_faults_are_told_at_once() {
    let mut policy = draft("calendar mars\n a 1 4\n a -2 2 channels=fax expires=x roll=y");
    policy.policy = None;
    policy.time_zone = Some("Mars/Base".into());
    policy.contact.merge = Some("all".into());
    policy.steps[0].template = None;
    policy.steps[0].channels = None;
    policy.steps[0].requires = Some(vec![DraftRequires::default()]);
    assert_eq!(
        faults(&policy),
        [
            "policy missing",
            "time_zone unknown_time_zone",
            "calendar unknown_calendar",
            "contact.merge unknown_merge",
            "step[0].requires[0].step missing",
            "step[0].channels channels_missing",
            "step[0].template missing",
            "step[1].expires unknown_expires",
            "step[1].roll unknown_roll",
            "step[1].channels[0] unknown_channel",
            "step[1].id duplicate_id",
            "step[1].tone tone_falls",
        ]
    );
}
