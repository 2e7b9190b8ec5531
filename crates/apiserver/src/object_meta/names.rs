//! What names, label keys and label values may look like, with the field's own complaints.

use std::sync::LazyLock;

use regex::Regex;

use crate::resource::NameRule;

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_1035: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const QUALIFIED: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const VALUE: &str = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";

fn whole(pattern: &str) -> Regex {
    Regex::new(&format!("^(?:{pattern})$")).expect("the pattern is a constant")
}

static LABEL_PATTERN: LazyLock<Regex> = LazyLock::new(|| whole(LABEL));
static LABEL_1035_PATTERN: LazyLock<Regex> = LazyLock::new(|| whole(LABEL_1035));
static SUBDOMAIN_PATTERN: LazyLock<Regex> = LazyLock::new(|| whole(SUBDOMAIN));
static QUALIFIED_PATTERN: LazyLock<Regex> = LazyLock::new(|| whole(QUALIFIED));
static VALUE_PATTERN: LazyLock<Regex> = LazyLock::new(|| whole(VALUE));

/// What is wrong with a name.
pub(crate) fn complaint(rule: NameRule, name: &str) -> Option<String> {
    match rule {
        NameRule::Subdomain => subdomain(name),
        NameRule::Label => too_long(name, 63).or_else(|| label(name)),
        NameRule::Label1035 => too_long(name, 63).or_else(|| {
            (!LABEL_1035_PATTERN.is_match(name)).then(|| {
                format!(
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
                     character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
                     validation is '{LABEL_1035}')"
                )
            })
        }),
        NameRule::PathSegment => {
            if matches!(name, "." | "..") {
                return Some(format!("may not be '{name}'"));
            }
            let forbidden = ['/', '%'].into_iter().find(|forbidden| name.contains(*forbidden));
            forbidden.map(|forbidden| format!("may not contain '{forbidden}'"))
        }
    }
}

fn label(name: &str) -> Option<String> {
    if LABEL_PATTERN.is_match(name) {
        None
    } else if SUBDOMAIN_PATTERN.is_match(name) {
        Some("must not contain dots".to_owned())
    } else {
        Some(format!(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
             end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL}')"
        ))
    }
}

fn subdomain(name: &str) -> Option<String> {
    too_long(name, 253).or_else(|| {
        (!SUBDOMAIN_PATTERN.is_match(name)).then(|| {
            format!(
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start \
                 and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{SUBDOMAIN}')"
            )
        })
    })
}

/// What is wrong with a label's key, or another qualified name.
pub(crate) fn qualified(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        None => (None, key),
        Some((prefix, name)) => (Some(prefix), name),
    };
    if let Some(prefix) = prefix {
        if prefix.is_empty() {
            return Some("prefix part must be non-empty".to_owned());
        }
        if let Some(complaint) = subdomain(prefix) {
            return Some(format!("prefix part {complaint}"));
        }
    }
    if name.is_empty() {
        return Some("name part must be non-empty".to_owned());
    }
    if let Some(complaint) = too_long(name, 63) {
        return Some(format!("name part {complaint}"));
    }
    (!QUALIFIED_PATTERN.is_match(name)).then(|| {
        format!(
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
             character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{QUALIFIED}')"
        )
    })
}

/// What is wrong with a label's value.
pub(crate) fn label_value(value: &str) -> Option<String> {
    too_long(value, 63).or_else(|| {
        (!VALUE_PATTERN.is_match(value)).then(|| {
            format!(
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start \
                 and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation \
                 is '{VALUE}')"
            )
        })
    })
}

fn too_long(text: &str, limit: usize) -> Option<String> {
    (text.len() > limit).then(|| format!("must be no more than {limit} characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: NameRule, good: &[&str], bad: &[&str]) {
        for name in good {
            assert_eq!(complaint(rule, name), None, "{name}");
        }
        for name in bad {
            assert!(complaint(rule, name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_by_rule() {
        let long = "a".repeat(64);
        check(
            NameRule::Subdomain,
            &["a", "a.b-c", "1a", &long],
            &["Bad_Name", "-a", "a.", "a..b", &"a".repeat(254)],
        );
        check(NameRule::Label, &["a", "1a"], &["a.b", "A", &long]);
        check(NameRule::Label1035, &["a1"], &["1a", "a.b"]);
        check(NameRule::PathSegment, &["system:x", "A"], &["a/b", "a%b", ".", ".."]);
    }

    #[test]
    fn label_keys_and_values() {
        assert_eq!(qualified("app.kubernetes.io/name"), None);
        assert_eq!(qualified("orphan"), None);
        for bad in ["", "/a", "a/", "a/b/c", "A_/b", "-a"] {
            assert!(qualified(bad).is_some(), "{bad}");
        }
        assert_eq!(label_value(""), None);
        assert!(label_value("a b").is_some());
    }
}
