//! Regular expressions, in Go's dialect.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form in which functions are registered"
)]

use cel::{
    DeclarationError, Env, ExecutionError, add_member_overload, add_overload,
    common::types::{CelBool, CelInt, CelList, CelString},
};

use super::failed;
use crate::schema::Pattern;

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    add_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>, id = "matches")?;
    add_member_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>, id = "matches_string")?;
    add_member_overload!(env, fn find: (CelString, CelString) -> Result<CelString>)?;
    add_member_overload!(env, fn find_all: (CelString, CelString) -> Result<CelList>)?;
    add_member_overload!(env, fn find_some: (CelString, CelString, CelInt) -> Result<CelList>, name = "findAll")
}

fn pattern(text: &CelString<'_>) -> Result<Pattern, ExecutionError> {
    Pattern::compile(text.inner()).map_err(|error| failed(format!("error parsing regexp: {error}")))
}

fn matches(text: &CelString<'_>, wanted: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    Ok(pattern(wanted)?.is_match(text.inner()).into())
}

fn find(text: &CelString<'_>, wanted: &CelString<'_>) -> Result<CelString<'static>, ExecutionError> {
    let found = pattern(wanted)?.find_all(text.inner(), 1).into_iter().next();
    Ok(CelString::from(found.unwrap_or_default()))
}

fn find_all(text: &CelString<'_>, wanted: &CelString<'_>) -> Result<CelList<'static>, ExecutionError> {
    find_some(text, wanted, &CelInt::from(-1))
}

fn find_some(text: &CelString<'_>, wanted: &CelString<'_>, most: &CelInt) -> Result<CelList<'static>, ExecutionError> {
    let most = usize::try_from(*most.inner()).unwrap_or(usize::MAX);
    let found = pattern(wanted)?.find_all(text.inner(), most);
    Ok(super::collection::texts(found))
}
