//! No number of the list is forgotten: each has a test, here or among the scenarios of `kubectl`, or is named in
//! `exceptions.txt` with the reason.

use std::{collections::BTreeMap, fs, path::Path};

const NUMBERS: std::ops::RangeInclusive<u16> = 1..=210;

#[test]
fn every_number_has_one_test_or_one_reason() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut found: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    let mut claim = |name: &str| {
        if let Some(Ok(number)) = name.get(..3).map(str::parse) {
            found.entry(number).or_default().push(name.to_owned());
        }
    };
    for file in fs::read_dir(tests.join("conformance")).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("fn c"))
            .for_each(&mut claim);
    }
    for file in fs::read_dir(tests.join("kubectl/scenarios")).unwrap() {
        let name = file.unwrap().file_name();
        name.to_str()
            .and_then(|name| name.strip_prefix('c'))
            .into_iter()
            .for_each(&mut claim);
    }
    for line in include_str!("exceptions.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (numbers, reason) = line
            .split_once(' ')
            .expect("a number (or two with `-` between), then the reason");
        assert!(reason.len() > 10, "a reason, please: {line}");
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        for number in first.parse().unwrap()..=last.parse().unwrap() {
            found.entry(number).or_default().push(format!("exception: {reason}"));
        }
    }
    let wrong: Vec<String> = NUMBERS
        .filter(|number| found.get(number).is_none_or(|claims| claims.len() != 1))
        .map(|number| format!("{number}: {:?}", found.get(&number)))
        .collect();
    assert!(
        wrong.is_empty(),
        "one test or one exception each:\n{}",
        wrong.join("\n")
    );
}
