//! The reader of Rust's surface: a rule is only as good as what it takes for code.

use tidy::scan::blank_literals;
use tidy::source::float_literals;

use crate::planted;

#[test]
fn comments_and_literals_are_blanked_and_nothing_else() {
    let cases = [
        ("a // fn b", "a"),
        ("a /* { /* } */ */ b", "a b"),
        (r#"f("{ \" }") + 1"#, "f( ) + 1"),
        (r##"f(r#"{ " }"#)"##, "f( )"),
        (r#"abbr"x""#, "abbr"),
        ("m(b\"{\", b'{', c\"}\")", "m( , , )"),
        ("['{', '\\'', '\\u{7d}', 'é']", "[ , , , ]"),
        ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
        ("r#type", "r#type"),
    ];
    for (text, expected) in cases {
        let blanked = blank_literals(text);
        assert_eq!(blanked.split_whitespace().collect::<Vec<_>>().join(" "), expected, "for {text}");
        assert_eq!(blanked.len(), text.len(), "positions moved in {text}");
    }
}

#[test]
fn functions_are_measured_to_their_own_closing_brace() {
    let text = r#"
trait T {
    fn declared(&self) -> [u8; 2];
}
fn outer<F: Fn(u8) -> u8>(
    f: F,
) -> Option<fn(u8)> {
    let text = "}}}"; // }
    fn inner() {}
    None
}
"#;
    let measured: Vec<_> = planted("crates/x/src/a.rs", text).functions().into_iter().map(|f| (f.name, f.first, f.last)).collect();
    assert_eq!(measured, [("outer".to_owned(), 5, 11), ("inner".to_owned(), 9, 9)]);
}

#[test]
fn test_modules_are_told_from_code_and_from_its_opposite() {
    let text = "fn a() {}\n#[cfg(test)]\n#[allow(unused)]\nmod tests {\n    fn b() {}\n}\n#[cfg(not(test))]\nmod real {\n}\n";
    let source = planted("crates/x/src/a.rs", text);
    let tests: Vec<usize> = (1..=9).filter(|line| source.is_test(*line)).collect();
    assert_eq!(tests, [2, 3, 4, 5, 6]);
    assert_eq!(source.test_lines(), 5);
    assert!(planted("crates/x/tests/it/main.rs", "fn a() {}").is_test(1));
}

#[test]
fn floats_are_told_from_ranges_and_tuples() {
    assert_eq!(float_literals("1.5 + 10..20 + pair.0.1 + x1.0 + 3.max(4)"), [0]);
}
