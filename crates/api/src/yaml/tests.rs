use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::json;

use super::{Content, parse, parse_nodes, to_string};

#[test]
fn prints_lists_below_their_key_without_indent() {
    let value = json!({"b": [{"name": "x", "list": [1, [2, 3]]}, "y"], "a": {}, "c": [], "n": null});
    assert_snapshot!(to_string(&value), @r#"
    a: {}
    b:
    - list:
      - 1
      - - 2
        - 3
      name: x
    - "y"
    c: []
    "n": null
    "#);
}

#[test]
fn quotes_what_would_be_read_as_something_else() {
    let value = json!([
        "",
        "true",
        "yes",
        "1",
        "0x1F",
        "1e3",
        "1:30",
        "2026-01-31",
        "null",
        "a: b",
        "a #b",
        "- a",
        "-a",
        "{x",
        "it's",
        "#",
        "@x",
        "4.17.0",
        "a:b",
        "\u{7}"
    ]);
    assert_snapshot!(to_string(&value), @r#"
    - ""
    - "true"
    - "yes"
    - "1"
    - "0x1F"
    - "1e3"
    - "1:30"
    - "2026-01-31"
    - "null"
    - 'a: b'
    - 'a #b'
    - '- a'
    - -a
    - '{x'
    - it's
    - '#'
    - '@x'
    - 4.17.0
    - a:b
    - "\x07"
    "#);
}

#[test]
fn prints_several_lines_as_a_block() {
    let value = json!({"ca": "a\nb\n", "cut": "a\nb", "more": "a\n\n", "led": " a\nb\n"});
    assert_snapshot!(to_string(&value), @r"
    ca: |
      a
      b
    cut: |-
      a
      b
    led: |2
       a
      b
    more: |+
      a

    ");
}

#[test]
fn what_is_printed_is_read_back() {
    let value = json!({
        "texts": ["", " ", "a ", " a", "no", "~", "0644", "0o17", "1_000", "-", "--- a", "? b", "a\tb", "é", "\u{2028}",
            "a\n", "\n", "\n\na", " a\n b\n\n", "a \nb", "!x", "%y", "&z", "*z", "|", ">", "`", "=", "<<", "a: ", "12e03",
            "+1", "-.inf", "0b11", "190:20:30", "x: y\nz"],
        "numbers": [0, -1, 1.5, 18_446_744_073_709_551_615_u64],
        "others": [null, true, false, {}, [], {"": 1, "a b": {"1": 2}, "true": 3}],
    });
    assert_eq!(parse(&to_string(&value)).unwrap(), vec![value]);
}

#[test]
fn reads_documents_with_places() {
    let nodes = parse_nodes("a: 1\n---\n---\nlist:\n  - {b: 0644, c: yes}\n").unwrap();
    assert_eq!(nodes.len(), 2, "an empty document was kept");
    assert_eq!(nodes[1].to_value(), json!({"list": [{"b": 420, "c": true}]}));
    let Content::Map(fields) = &nodes[1].content else {
        panic!("no map")
    };
    let Content::List(items) = &fields[0].node.content else {
        panic!("no list")
    };
    let Content::Map(inner) = &items[0].content else {
        panic!("no map")
    };
    assert_eq!((inner[0].place.line, inner[0].place.column), (5, 6));
    assert_eq!((inner[0].node.place.line, inner[0].node.place.column), (5, 9));
}

#[test]
fn refuses_duplicate_keys_with_a_place() {
    let error = parse("a: 1\nb: 2\na: 3\n").unwrap_err();
    assert_eq!((error.line, error.column), (3, 1));
    assert!(error.message.contains("duplicate"), "{error}");
}

#[test]
fn hostile_input_is_refused_and_not_suffered() {
    let deep = "[".repeat(100_000);
    assert!(parse(&deep).is_err());
    let deep = format!("{}1{}", "{a: ".repeat(5_000), "}".repeat(5_000));
    assert!(parse(&deep).is_err());
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{below}]").unwrap();
    }
    assert!(parse(&bomb).is_err());
    assert!(parse("a: !include /etc/hostname\n").is_ok_and(|documents| documents == [json!({"a": "/etc/hostname"})]));
}

#[test]
fn what_people_write_is_read() {
    let read = |text: &str| parse(text).unwrap();
    assert_eq!(read("\u{feff}a: 1\r\nb: 2\r\n"), [json!({"a": 1, "b": 2})]);
    assert_eq!(
        read("base: &b {x: 1}\nuse: {<<: *b, y: 2}\n"),
        [json!({"base": {"x": 1}, "use": {"x": 1, "y": 2}})]
    );
    assert_eq!(read("1: a\ntrue: b\n"), [json!({"1": "a", "true": "b"})]);
    assert_eq!(
        read("a: \"1\"\nb: 4.10\nc: 1_000\n"),
        [json!({"a": "1", "b": 4.1, "c": 1000})]
    );
    assert_eq!(read(r#"{"a": ["b", {"c": null}]}"#), [json!({"a": ["b", {"c": null}]})]);
    assert_eq!(read("---\na: 1\n...\n---\nb: 2\n"), [json!({"a": 1}), json!({"b": 2})]);
    assert_eq!(read(""), Vec::<serde_json::Value>::new());
}
