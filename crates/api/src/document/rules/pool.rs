//! Rules about how a pool's workers are replaced, healed, patched and labelled.

use serde_json::Value;

use super::{Breach, breach};
use crate::{
    document::position::join,
    name::{LONGEST_LABEL, check_subdomain},
    views::{at, flag, list, text},
};

pub(super) fn check(pool: &Value, path: &str, breaches: &mut Vec<Breach>) {
    check_pace(pool, path, breaches);
    let has = |name: &str| has_fields(pool, &[name]);
    if has("healthCheck") && flag(pool, &["autoRepair"]) != Some(true) {
        let cause = "`healthCheck` does nothing without `autoRepair`";
        breaches.push(breach(format!("{path}.healthCheck"), cause, "add `autoRepair: true`"));
    }
    check_patches(pool, path, breaches);
    for name in ["nodeLabels", "nodeSelector"] {
        check_labels(at(pool, &[name]), &format!("{path}.{name}"), breaches);
    }
}

fn has_fields(object: &Value, path: &[&str]) -> bool {
    let fields = at(object, path).and_then(Value::as_object);
    fields.is_some_and(|fields| !fields.is_empty())
}

fn check_pace(pool: &Value, path: &str, breaches: &mut Vec<Breach>) {
    let in_place = text(pool, &["upgradeType"]) == Some("InPlace");
    let (foreign, wanted) = if in_place {
        ("replace", "Replace")
    } else {
        ("inPlace", "InPlace")
    };
    if has_fields(pool, &[foreign]) {
        let cause = format!("`{foreign}` is for the upgrade type {wanted}");
        breaches.push(breach(
            format!("{path}.{foreign}"),
            cause,
            format!("leave it out, or write `upgradeType: {wanted}`"),
        ));
    }
    let given = |name: &str| at(pool, &["replace", name]).filter(|value| !value.is_null());
    if text(pool, &["replace", "strategy"]) == Some("OnDelete") {
        for name in ["maxSurge", "maxUnavailable"]
            .into_iter()
            .filter(|name| given(name).is_some())
        {
            let cause = format!("`{name}` is for the strategy RollingUpdate");
            breaches.push(breach(
                format!("{path}.replace.{name}"),
                cause,
                format!("leave `{name}` out"),
            ));
        }
    }
    let is_zero = |value: &Value| *value == 0 || *value == "0%";
    // Left out, none may be missing.
    let none_missing = given("maxUnavailable").is_none_or(is_zero);
    if given("maxSurge").is_some_and(is_zero) && none_missing {
        let cause = "with no worker besides and none missing, none can be replaced";
        breaches.push(breach(
            format!("{path}.replace.maxSurge"),
            cause,
            "write at least 1 for one of them",
        ));
    }
    if at(pool, &["inPlace", "maxUnavailable"]).is_some_and(is_zero) {
        let cause = "with none missing, no worker can be updated";
        breaches.push(breach(
            format!("{path}.inPlace.maxUnavailable"),
            cause,
            "write at least 1",
        ));
    }
}

/// All but a removal say what to write.
pub(super) fn check_patches(object: &Value, path: &str, breaches: &mut Vec<Breach>) {
    for (index, patch) in list(object, &["machinePatches"]).iter().enumerate() {
        let field = format!("{path}.machinePatches[{index}]");
        let removes = text(patch, &["op"]) == Some("remove");
        match (removes, patch.get("value").is_some()) {
            (true, true) => breaches.push(breach(
                format!("{field}.value"),
                "a removal has no value",
                "leave `value` out",
            )),
            (false, false) => breaches.push(breach(field, "`value` is missing", "add `value`")),
            _ => {}
        }
    }
}

pub(super) fn check_labels(labels: Option<&Value>, path: &str, breaches: &mut Vec<Breach>) {
    for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        // What is no text is reported with the structure.
        let Some(value) = value.as_str() else { continue };
        let (prefix, name) = key
            .split_once('/')
            .map_or((None, key.as_str()), |(prefix, name)| (Some(prefix), name));
        let fault =
            if name.is_empty() || !is_label_text(name) || prefix.is_some_and(|prefix| check_subdomain(prefix).is_err())
            {
                format!("`{key}` is not the key of a label")
            } else if !is_label_text(value) {
                format!("`{value}` is not the value of a label")
            } else {
                continue;
            };
        let fix = "use letters, digits, `-`, `_` and `.`, at most 63, with a letter or digit at both ends; a key may have a domain and `/` before it";
        breaches.push(breach(join(path, key), fault, fix));
    }
}

fn is_label_text(text: &str) -> bool {
    let ends = |end: Option<char>| end.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= LONGEST_LABEL
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && ends(text.chars().next())
        && ends(text.chars().last())
}
