use proptest::prelude::*;

use super::*;
use crate::repo::python::string_value;

#[test]
fn strings_are_written_as_a_person_would() {
    for (text, literal) in [
        ("", r#""""#),
        ("plain", r#""plain""#),
        ("it's", r#""it's""#),
        (r#"say "yes""#, r#"'say "yes"'"#),
        (r#"it's "it""#, r#"'it\'s "it"'"#),
        (r#"it's 3" wide"#, r#""it's 3\" wide""#),
        ("a\tb", r#""a\tb""#),
        ("\n", r#""\n""#),
        ("\r\n", r#""\r\n""#),
        (r"\d+", r#"r"\d+""#),
        (r"C:\", r#""C:\\""#),
        (r#"\"x""#, r#"r'\"x"'"#),
        (r#"\"x"#, r#"r"\"x""#),
        (r#"\\"x'"#, r#""\\\\\"x'""#),
        ("\nSELECT 1\n", "\"\"\"\nSELECT 1\n\"\"\""),
        ("\n\tE'\\n'\n", "r\"\"\"\n\tE'\\n'\n\"\"\""),
        ("\n\\\r\n", "\"\"\"\n\\\\\\r\n\"\"\""),
        ("a\nb\\", "\"\"\"a\nb\\\\\"\"\""),
        ("a\n\"b\"", "\"\"\"a\n\"b\\\"\"\"\""),
        ("a\n\"\"\"\"b", "\"\"\"a\n\"\"\\\"\"b\"\"\""),
        ("zero\u{200b}width", r#""zero\u200bwidth""#),
        ("é 漢 😀", r#""é 漢 😀""#),
        ("\u{0}\u{1b}\u{7f}\u{85}", r#""\x00\x1b\x7f\x85""#),
    ] {
        assert_eq!(string(text), literal);
        assert_eq!(string_value(literal).as_deref(), Some(text));
    }
}

/// Text made of what is dangerous in a literal.
fn dangerous() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "\"", "'", "\\", "\n", "\r", "\t", "\"\"\"", "'''", "a", " ", "n", "x41", "{", "}", "%",
        ":", "\u{0}", "\u{feff}", "\u{2028}", "é", "😀", "$", "N{DASH}", "u0041", "7",
    ]);
    prop::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn a_literal_has_exactly_its_value(text in prop_oneof![dangerous(), any::<String>()]) {
        let literal = string(&text);
        prop_assert_eq!(string_value(&literal), Some(text.clone()), "{}", literal);
        prop_assert!(!literal.contains('\r'));
    }
}

#[test]
fn an_expression_takes_one_line_if_it_fits() {
    let field = Py::call("models.CharField", [], [("max_length", Py::raw("255"))]);
    let call =
        Py::call("migrations.AddField", [], [("model_name", Py::str("user")), ("field", field)]);
    let line = r#"migrations.AddField(model_name="user", field=models.CharField(max_length=255))"#;
    assert_eq!(call.layout(0, 0, 0), line);
    assert_eq!(call.layout(88 - line.len(), 0, 0), line);
    assert_eq!(call.layout(8, 87 - line.len() - 8, 1), line);
    let spread = "migrations.AddField(\n        model_name=\"user\",\n        \
                  field=models.CharField(max_length=255),\n    )";
    assert_eq!(call.layout(4, 84 - line.len(), 1), spread);
}

#[test]
fn what_does_not_fit_has_one_element_a_line() {
    let long = "x".repeat(50);
    let list = Py::List(vec![Py::str(&*long), Py::Tuple(vec![Py::raw("1")])]);
    let call = Py::call("f", [Py::raw("a"), list], []);
    assert_eq!(call.layout(0, 0, 0), format!("f(a, [\"{long}\", (1,)])"));
    let spread = format!("f(\n    a,\n    [\"{long}\", (1,)],\n)");
    assert_eq!(call.layout(0, 30, 0), spread);
    let deeper = format!(
        "f(\n{0}    a,\n{0}    [\n{0}        \"{long}\",\n{0}        (1,),\n{0}    ],\n{0})",
        " ".repeat(24)
    );
    assert_eq!(call.layout(24, 0, 0), deeper);
    assert_eq!(Py::call("f", [], []).layout(90, 0, 0), "f()");
}

fn commented(lines: &[&str], value: Py) -> Py {
    Py::Commented {
        comment: lines.iter().map(|line| (*line).to_owned()).collect(),
        value: Box::new(value),
    }
}

#[test]
fn comments_stand_above_their_element() {
    let call = Py::call(
        "migrations.RunSQL",
        [
            Py::List(vec![Py::raw("GUARD")]),
            commented(&["Loses nothing.", "", "But order."], Py::List(vec![Py::str("DROP")])),
        ],
        [("hints", commented(&["none"], Py::raw("{}")))],
    );
    insta::assert_snapshot!(call.layout(0, 0, 0), @r#"
    migrations.RunSQL(
        [GUARD],
        # Loses nothing.
        #
        # But order.
        ["DROP"],
        # none
        hints={},
    )
    "#);
    let alone = commented(&["why"], Py::raw("x"));
    assert_eq!(alone.assigned_to("y", 0), "y = (\n    # why\n    x\n)");
}

#[test]
fn a_value_that_fits_only_below_its_name_gets_parentheses() {
    let name = "N".repeat(20);
    let at = |length| Py::str("x".repeat(length)).assigned_to(&name, 0);
    assert!(!at(63).contains('\n'));
    assert_eq!(at(64).lines().count(), 3);
    assert_eq!(at(82).lines().count(), 3);
    assert!(!at(83).contains('\n'));
    let dict = Py::Dict(vec![(Py::str("k"), Py::str("x".repeat(80)))]);
    assert_eq!(dict.assigned_to("d", 0), format!("d = {{\n    \"k\": \"{}\",\n}}", "x".repeat(80)));
}

#[test]
fn an_expression_is_read_as_it_was_written() {
    for (text, expected) in [
        ("None", "None"),
        ("'a'", "\"a\""),
        ("models.TextField()", "models.TextField()"),
        (
            "models.CharField(\n  'Name',  # why\n  choices=[('a', 'B\\'s')],\n  default=x.y,\n)",
            "models.CharField(\"Name\", choices=[(\"a\", \"B's\")], default=x.y)",
        ),
        ("{'a': 1, **b}", "{'a': 1, **b}"),
        ("{'unique': 'no'}", "{\"unique\": \"no\"}"),
        ("f(*args)", "f(*args)"),
        ("lambda: 1 +\n  2", "lambda: 1 + 2"),
        ("'a' 'b'", "\"ab\""),
        ("f(x=(\n  'a '\n  'b'\n))", "f(x=\"a b\")"),
        ("(a or\n b)", "(a or b)"),
        ("Q(a__gt=0) | Q(b=1)", "Q(a__gt=0) | Q(b=1)"),
        ("f'{x}'", "f'{x}'"),
        ("-1", "-1"),
        ("(1,)", "(1,)"),
        ("", ""),
        ("a b", "a b"),
        (")(", ")("),
    ] {
        assert_eq!(Py::parse(text).layout(0, 0, 0), expected);
    }
}

#[test]
fn colons_that_would_be_parameters_are_escaped() {
    for (text, escaped) in [
        ("a = :b", r"a = \:b"),
        (":b", r"\:b"),
        ("x::text, '12:30:00', a := 1, http://x", "x::text, '12:30:00', a := 1, http://x"),
        (r#"'{"a":1}'"#, r#"'{"a"\:1}'"#),
        ("arr[:n]", r"arr[\:n]"),
        (r"'\:'", r"'\\:'"),
        (r"\:x", r"\\:x"),
        (r"\::x", r"\::x"),
        (":a:b", ":a:b"),
        ("-- why :not\n", "-- why \\:not\n"),
        ("$:x", r"$\:x"),
        (":$1", r"\:$1"),
        (":x$y", r"\:x$y"),
        ("é:é (:é)", r"é:é (\:é)"),
    ] {
        assert_eq!(sa_text(text), escaped);
    }
}

/// What SQLAlchemy sends for a text, or `None` if it finds a parameter in it. Whether `$` is a
/// letter is what its versions differ in.
fn sent(text: &str, is_letter: impl Fn(char) -> bool) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    let word_end = |from: usize| {
        let word = letters[from..].iter().take_while(|letter| is_letter(**letter));
        from + word.count()
    };
    let is_colon = |at: usize| letters.get(at) == Some(&':');
    let mut sent = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|index| letters[index]);
        let end = word_end(at + 1);
        if *letter == ':'
            && end > at + 1
            && !is_colon(end)
            && before.is_none_or(|before| !is_letter(before) && before != ':' && before != '\\')
        {
            return None;
        }
        if *letter == '\\' && is_colon(at + 1) && !is_colon(word_end(at + 2)) {
            continue;
        }
        sent.push(*letter);
    }
    Some(sent)
}

fn colons() -> impl Strategy<Value = String> {
    let parts =
        prop::sample::select(vec![":", "\\", "a", "_", "1", " ", "é", "'", "क", "\u{93e}", "²"]);
    prop::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_server_gets_the_text_that_was_meant(text in colons()) {
        let is_word = |letter: char| WORD.is_match(letter.encode_utf8(&mut [0; 4]));
        prop_assert_eq!(sent(&sa_text(&text), is_word), Some(text.clone()));
        let older = |letter: char| is_word(letter) || letter == '$';
        prop_assert_eq!(sent(&sa_text(&text), older), Some(text));
    }

    #[test]
    fn a_dollar_is_a_letter_or_not(text in "[:a $]{0,8}") {
        // Of a name that a `$` ends before a colon, the versions think differently.
        prop_assume!(!Regex::new(r":[a$]*\$[a$]*:").unwrap().is_match(&text));
        let is_word = |letter: char| letter == 'a';
        prop_assert_eq!(sent(&sa_text(&text), is_word), Some(text.clone()));
        let older = |letter: char| matches!(letter, 'a' | '$');
        prop_assert_eq!(sent(&sa_text(&text), older), Some(text));
    }
}
