//! Shorthands over `berth_api::views` that steps, walks and checks share: small questions to observed objects.
//!
//! Not here: what the answers mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_api::{Resource, resources, views};
use serde_json::Value;

use crate::facts::{Facts, Seen, Selector};

/// Label that says who made an object, and its value on all that Berth makes.
pub(crate) const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "berth");

/// The non-empty text at a path of field names.
pub(crate) fn text<'a>(object: &'a Value, path: &[&str]) -> Option<&'a str> {
    views::text(object, path).filter(|text| !text.is_empty())
}

/// The text that is encoded as base64 at a path of field names, as the data of a Secret is. It may be secret.
pub(crate) fn decoded(object: &Value, path: &[&str]) -> Option<String> {
    let bytes = STANDARD.decode(text(object, path)?).ok()?;
    String::from_utf8(bytes).ok()
}

/// The count at a path of field names; 0 where there is none, as Kubernetes leaves out zeros.
pub(crate) fn count(object: &Value, path: &[&str]) -> u32 {
    views::number(object, path)
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(0)
}

/// The object's name.
pub(crate) fn name(object: &Value) -> &str {
    views::metadata(object).name
}

/// A label's value.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    views::metadata(object).label(key)
}

/// An annotation's value.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    views::metadata(object).annotation(key)
}

/// Whether Berth made the object.
pub(crate) fn is_ours(object: &Value) -> bool {
    label(object, MANAGED_BY.0) == Some(MANAGED_BY.1)
}

/// Whether the object is on its way out.
pub(crate) fn is_deleting(object: &Value) -> bool {
    text(object, &["metadata", "deletionTimestamp"]).is_some()
}

/// The condition of a type where it is known not to hold.
pub(crate) fn failed<'a>(object: &'a Value, kind: &str) -> Option<views::Condition<'a>> {
    views::condition(object, kind).filter(views::Condition::is_false)
}

/// The condition of a type where it holds.
pub(crate) fn holds<'a>(object: &'a Value, kind: &str) -> Option<views::Condition<'a>> {
    views::condition(object, kind).filter(views::Condition::is_true)
}

/// The objects that a selector shows, as plain values.
pub(crate) fn objects<'a>(facts: &'a Facts, selector: &Selector) -> impl Iterator<Item = &'a Value> + use<'a> {
    facts.objects(selector).iter().map(AsRef::as_ref)
}

/// Finds an object by name among those that a selector shows.
pub(crate) fn find<'a>(facts: &'a Facts, selector: &Selector, wanted: &str) -> Option<&'a Value> {
    objects(facts, selector).find(|object| name(object) == wanted)
}

/// Whether a selector has shown that there is nothing, as opposed to not having been able to look.
pub(crate) fn is_known_empty(seen: &Seen) -> bool {
    matches!(seen, Seen::NoKind) || matches!(seen, Seen::Objects(objects) if objects.is_empty())
}

/// The selector of a kind's CustomResourceDefinition.
pub(crate) fn crd(resource: &Resource) -> Selector {
    Selector::cluster(
        resources::CUSTOM_RESOURCE_DEFINITION,
        format!("{}.{}", resource.plural, resource.group),
    )
}

/// Whether a kind's CustomResourceDefinition is served.
pub(crate) fn is_established(facts: &Facts, resource: &Resource) -> bool {
    facts
        .object(&crd(resource))
        .is_some_and(|crd| views::is_true(crd, "Established"))
}

/// `first, second and 3 more`: a list of names that stays one line.
pub(crate) fn some_of(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    match names.len() {
        0..=SHOWN => names.join(", "),
        more => format!("{} and {} more", names[..SHOWN].join(", "), more - SHOWN),
    }
}

/// A condition's reason, or a word to stand in for it.
pub(crate) fn reason_or<'a>(condition: &views::Condition<'a>, otherwise: &'a str) -> &'a str {
    if condition.reason.is_empty() {
        otherwise
    } else {
        condition.reason
    }
}

/// A message as part of a line: its first line, without what trails off.
pub(crate) fn line(message: &str) -> &str {
    message.lines().next().unwrap_or_default().trim_end_matches(['.', ' '])
}

/// A count as the assessments carry it.
pub(crate) fn as_count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
