//! Ladders of segments inside a policy: put together, checked whole, pinned by a track.

use crate::book::{draft, policy};
use crate::world::{World, at, day};
use kernel::PolicyId;
use ladder::draft::validate;
use ladder::{Command, Policy, Reason, preview};

const DAILY: &str = "calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun";
const BASE: &str = "a -5 1\n b 1 2\n c 7 2\n d 15 3";

fn with(variants: &str) -> String {
    format!("{DAILY}\n {BASE}\n {variants}")
}

/// `a b2 c`: the steps of a variant in order, a step of its own with its offset.
fn ladder(policy: &Policy, segment: Option<&str>) -> String {
    let steps = policy.variant_for(segment).map_or(policy, |variant| variant.ladder()).steps();
    steps.iter().map(|step| format!("{}{:+}", step.id, step.offset_days)).collect::<Vec<_>>().join(" ")
}

fn world(segment: Option<&str>, variants: &str) -> World {
    let mut world = World::new(&with(variants));
    note(&mut world, segment);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world
}

fn note(world: &mut World, segment: Option<&str>) {
    world.tell(Command::NotePayer { zone: None, segment: segment.map(String::from), state: None, municipality: None });
}

fn variant(world: &World, invoice: &str) -> Option<String> {
    world.track(invoice).variant.as_ref().map(ToString::to_string)
}

#[test]
fn a_variant_leaves_out_replaces_and_adds_and_the_base_stays_what_it_is() {
    for (variants, expected) in [
        ("variant v segments=vip without=b", "a-5 c+7 d+15"),
        ("variant v segments=vip\n + b 3 2", "a-5 b+3 c+7 d+15"),
        ("variant v segments=vip\n + x 3 2", "a-5 b+1 x+3 c+7 d+15"),
        ("variant v segments=vip\n + x 7 3", "a-5 b+1 c+7 x+7 d+15"),
        ("variant v segments=vip\n + x -9 1\n + y 40 4", "x-9 a-5 b+1 c+7 d+15 y+40"),
        ("variant v segments=vip without=d,c\n + x 30 3", "a-5 b+1 x+30"),
        ("variant v segments=vip\n + b 2 2\n + x 1 2 anchor=previous_executed", "a-5 b+2 x+1 c+7 d+15"),
        ("variant v segments=vip\n + x 3 1 anchor=agreement_due\n + y 2 1 anchor=agreement_due", "a-5 b+1 c+7 d+15 y+2 x+3"),
        ("variant u segments=x,y without=a\n variant v segments=vip without=d", "a-5 b+1 c+7"),
    ] {
        let policy = policy(&with(variants));
        assert_eq!(ladder(&policy, Some("vip")), expected, "{variants}");
        for others in [Some("pf"), None] {
            assert_eq!(ladder(&policy, others), "a-5 b+1 c+7 d+15", "{variants}");
        }
    }
    let chained = policy(&format!("{DAILY}\n a 1 2\n b 2 2 anchor=previous_executed\n c 20 3\n variant v segments=vip\n + x 4 2"));
    assert_eq!(ladder(&chained, Some("vip")), "a+1 b+2 x+4 c+20", "what counts from an execution stays behind it");
}

#[test]
fn each_fault_of_a_variant_names_its_field() {
    for (variants, fault) in [
        ("variant - segments=vip without=a", "variant[0].name missing"),
        ("variant v! segments=vip without=a", "variant[0].name invalid_id"),
        ("variant v segments=vip", "variant[0] variant_empty"),
        ("variant v without=a", "variant[0].segments missing"),
        ("variant v segments=x,x without=a", "variant[0].segments[1] segment_taken"),
        ("variant v segments=x, without=a", "variant[0].segments[1] invalid_text"),
        ("variant v segments=x without=z", "variant[0].without[0] unknown_step"),
        ("variant v segments=x without=a,a", "variant[0].without[1] duplicate_id"),
        ("variant v segments=x without=a\n variant w segments=y,x without=b", "variant[1].segments[1] segment_taken"),
        ("variant v segments=x without=a\n variant v segments=y without=b", "variant[1].name duplicate_name"),
        ("variant v segments=x without=a,b,c,d", "variant[0] steps_missing"),
        ("variant v segments=x\n + b 1 9", "variant[0].step[0].tone tone_out_of_range"),
        ("variant v segments=x\n + b x 2", "variant[0].step[0].offset_days missing"),
        ("variant v segments=x\n + b 1 2 channels=fax", "variant[0].step[0].channels[0] unknown_channel"),
        ("variant v segments=x\n + x 2 2\n + x 3 2", "variant[0].step[1].id duplicate_id"),
        ("variant v segments=x without=b\n + b 2 2", "variant[0].step[0].id left_out"),
        ("variant v segments=x\n + x 40 2", "variant[0].step[0].tone tone_falls"),
        ("variant v segments=x\n + x 2 2 requires=y", "variant[0].step[0].requires[0].step unknown_step"),
        ("variant v segments=x\n + x 2 1 anchor=previous_executed", "variant[0].step[0].anchor anchor_without_previous"),
        // What is wrong only because of the variant, with steps that it keeps.
        ("variant v segments=x without=b,c", "variant[0] tone_jumps"),
        ("variant v segments=x without=b\n + c 7 1", "variant[0] tone_jumps"),
    ] {
        let faults = validate(&draft(&with(variants))).err().unwrap_or_default();
        let faults: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.path, fault.slug)).collect();
        assert_eq!(faults, [fault], "{variants}");
    }
    let required = format!("{DAILY}\n a 1 2\n b 5 2 requires=a\n variant v segments=x without=a");
    let faults = validate(&draft(&required)).unwrap_err();
    assert_eq!((faults[0].path.as_str(), faults[0].slug), ("variant[0]", "unknown_step"));
    assert!(faults[0].message.starts_with("step[1].requires[0].step: "), "{}", faults[0].message);
}

#[test]
fn counts_have_bounds_and_what_is_wrong_with_the_base_is_told_once() {
    let many: String = (0..21).map(|n| format!("variant v{n} segments=s{n} without=a\n")).collect();
    let segments = (0..51).map(|n| format!("s{n}")).collect::<Vec<_>>().join(",");
    let steps: String = (0..101).map(|n| format!("+ x{n} 20 4\n")).collect();
    let of = |text: &str| -> Vec<String> {
        let faults = validate(&draft(text)).err().unwrap_or_default();
        faults.iter().map(|fault| format!("{} {}", fault.path, fault.slug)).collect()
    };
    assert_eq!(of(&with(&many)), ["variant too_many_variants"]);
    assert_eq!(of(&with(&format!("variant v segments={segments} without=a"))), ["variant[0].segments too_many_segments"]);
    let too_many = ["variant[0].step too_many_steps", "variant[0] too_many_steps"];
    assert_eq!(of(&with(&format!("variant v segments=x\n{steps}"))), too_many);
    assert_eq!(of("a 1 1\n b 2 4\n variant v segments=x\n + x 3 4"), ["step[1].tone tone_jumps"]);
}

#[test]
fn a_track_takes_the_variant_of_its_payers_segment_and_keeps_it() {
    let mut world = world(Some("vip"), "variant v segments=vip without=b");
    assert_eq!(variant(&world, "i").as_deref(), Some("v"));
    note(&mut world, Some("pf"));
    world.enroll("j", "2026-01-01", "2026-01-30");
    assert_eq!((variant(&world, "i").as_deref(), variant(&world, "j")), (Some("v"), None));
    world.mornings("2026-01-01", "2026-01-18");
    assert_eq!(world.sent("i"), "a@2026-01-05 c@2026-01-17");
}

#[test]
fn a_new_cycle_keeps_the_variant_of_the_track() {
    let mut world = world(Some("vip"), "variant v segments=vip without=a,b\n + x 3 2");
    note(&mut world, None);
    world.mornings("2026-01-01", "2026-01-13");
    world.amend("i", "2026-01-14", "2026-02-01", 10_000);
    assert_eq!((variant(&world, "i").as_deref(), world.steps("i").as_str()), (Some("v"), "x:open c:open d:open"));
    world.pay("i", "2026-01-15", 0);
    world.reverse("i", "2026-01-20", 10_000);
    assert_eq!((world.track("i").cycle, world.steps("i").as_str()), (3, "x:open c:open d:open"));
    world.mornings("2026-01-21", "2026-03-01");
    assert_eq!(world.sent("i"), "x@2026-01-13 x@2026-02-04 c@2026-02-08 d@2026-02-16");
}

#[test]
fn what_a_step_asks_for_is_that_of_the_variant() {
    let mut world =
        world(Some("vip"), "variant v segments=vip\n + b 2 2 channels=sms requires=a:executed:9\n + c 2 3 anchor=previous_executed");
    world.mornings("2026-01-01", "2026-01-12");
    assert_eq!(world.steps("i"), "a:executed b:open c:open d:open", "b requires that a was executed nine days ago");
    world.mornings("2026-01-13", "2026-01-20");
    assert_eq!(world.sent("i"), "a@2026-01-05 b@2026-01-14 c@2026-01-16");
}

#[test]
fn a_move_to_another_version_chooses_by_the_segment_of_its_day() {
    let mut world = world(Some("vip"), "variant v segments=vip without=a");
    world.book.second = Some(policy(&with("variant w segments=pf without=d,a\n + x 9 3")));
    world.enroll("j", "2026-01-01", "2026-01-10");
    note(&mut world, Some("pf"));
    let id = || PolicyId::new("p").unwrap();
    let (by, why) = ("ana".into(), "segmentos".into());
    world.mornings("2026-01-01", "2026-01-12");
    world.tell(Command::Migrate { from: (id(), 1), to: (id(), 2), by, why, now: at(day("2026-01-12"), 12) });
    assert_eq!((variant(&world, "i").as_deref(), world.track("i").policy_version), (Some("w"), 2));
    assert_eq!(world.steps("i"), "d:superseded(policy_migrated) b:executed c:open x:open");
    world.mornings("2026-01-13", "2026-01-25");
    assert_eq!(world.sent("i"), "b@2026-01-11 c@2026-01-17 x@2026-01-19");
    let lost = world.log.iter().filter(|event| format!("{event:?}").contains(&format!("{:?}", Reason::PolicyMigrated))).count();
    assert_eq!(lost, 2, "one closing for each track");
}

#[test]
fn a_preview_shows_the_whole_ladder_of_a_variant() {
    let policy = policy(&with("variant v segments=vip without=a\n + b 4 2"));
    let lines = |policy: &Policy| -> Vec<String> {
        let lines = preview::preview(policy, day("2026-01-10"));
        lines.iter().map(|line| format!("{} {}", line.step_id, line.planned_on.unwrap().0)).collect()
    };
    assert_eq!(lines(policy.variants()[0].ladder()), ["b 2026-01-14", "c 2026-01-17", "d 2026-01-25"]);
    assert_eq!(lines(&policy).len(), 4);
}
