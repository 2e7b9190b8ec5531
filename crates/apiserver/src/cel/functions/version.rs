//! Semantic versions.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form in which functions are registered"
)]

use cel::{
    DeclarationError, Env, ExecutionError, add_member_overload, add_overload,
    common::types::{CelBool, CelInt, CelString},
};
use semver::Version;

use super::{failed, opaque};

#[derive(Debug, Clone, PartialEq)]
struct Semver(Version);

opaque!(Semver, "kubernetes.Semver");

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    add_overload!(env, fn semver: (CelString) -> Result<Semver>)?;
    add_overload!(env, fn lenient: (CelString, CelBool) -> Result<Semver>, name = "semver")?;
    add_overload!(env, fn is_semver: (CelString) -> CelBool)?;
    add_overload!(env, fn is_lenient: (CelString, CelBool) -> CelBool, name = "isSemver")?;
    add_member_overload!(env, fn is_greater_than: (Semver, Semver) -> CelBool)?;
    add_member_overload!(env, fn is_less_than: (Semver, Semver) -> CelBool)?;
    add_member_overload!(env, fn compare_to: (Semver, Semver) -> CelInt)?;
    add_member_overload!(env, fn major: (Semver) -> CelInt)?;
    add_member_overload!(env, fn minor: (Semver) -> CelInt)?;
    add_member_overload!(env, fn patch: (Semver) -> CelInt)
}

/// With a `v` in front, leading zeros and parts left out, if that is asked for.
fn parse(text: &str, normalize: bool) -> Result<Semver, ExecutionError> {
    let text = if normalize { normalized(text) } else { text.to_owned() };
    let version = Version::parse(&text);
    version
        .map(Semver)
        .map_err(|error| failed(format!("invalid semver {text:?}: {error}")))
}

fn normalized(text: &str) -> String {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let trimmed = numbers.split('.').map(|part| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0",
        part => part,
    });
    let mut parts: Vec<&str> = trimmed.collect();
    if rest.is_empty() {
        while parts.len() < 3 {
            parts.push("0");
        }
    }
    format!("{}{rest}", parts.join("."))
}

fn semver(text: &CelString<'_>) -> Result<Semver, ExecutionError> {
    parse(text.inner(), false)
}

fn lenient(text: &CelString<'_>, normalize: &CelBool) -> Result<Semver, ExecutionError> {
    parse(text.inner(), *normalize.inner())
}

fn is_semver(text: &CelString<'_>) -> CelBool {
    parse(text.inner(), false).is_ok().into()
}

fn is_lenient(text: &CelString<'_>, normalize: &CelBool) -> CelBool {
    parse(text.inner(), *normalize.inner()).is_ok().into()
}

fn compare(Semver(one): &Semver, Semver(two): &Semver) -> std::cmp::Ordering {
    one.cmp_precedence(two)
}

fn is_greater_than(one: &Semver, two: &Semver) -> CelBool {
    compare(one, two).is_gt().into()
}

fn is_less_than(one: &Semver, two: &Semver) -> CelBool {
    compare(one, two).is_lt().into()
}

fn compare_to(one: &Semver, two: &Semver) -> CelInt {
    CelInt::from(compare(one, two) as i64)
}

fn part(part: u64) -> CelInt {
    CelInt::from(i64::try_from(part).unwrap_or(i64::MAX))
}

fn major(Semver(version): &Semver) -> CelInt {
    part(version.major)
}

fn minor(Semver(version): &Semver) -> CelInt {
    part(version.minor)
}

fn patch(Semver(version): &Semver) -> CelInt {
    part(version.patch)
}
