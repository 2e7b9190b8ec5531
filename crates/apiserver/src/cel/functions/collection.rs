//! Functions of lists, taken as sequences and as sets.

#![expect(
    clippy::needless_pass_by_value,
    reason = "the form in which functions that take any list are registered"
)]

use std::cmp::Ordering;

use cel::{
    DeclarationError, Env, ExecutionError,
    common::{
        types::{CelBool, CelInt, CelList, CelOptional, CelString, DYN_TYPE, Kind, LIST_TYPE},
        value::{CowVal, Val},
    },
};

use super::failed;

type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_member_overload("isSorted", "list_is_sorted", LIST_TYPE, vec![], is_sorted)?;
    env.add_member_overload("sum", "list_sum", LIST_TYPE, vec![], sum)?;
    env.add_member_overload("min", "list_min", LIST_TYPE, vec![], min)?;
    env.add_member_overload("max", "list_max", LIST_TYPE, vec![], max)?;
    env.add_member_overload("indexOf", "list_index_of", LIST_TYPE, vec![DYN_TYPE], index_of)?;
    env.add_member_overload(
        "lastIndexOf",
        "list_last_index_of",
        LIST_TYPE,
        vec![DYN_TYPE],
        last_index_of,
    )?;
    env.add_member_overload("first", "list_first", LIST_TYPE, vec![], first)?;
    env.add_member_overload("last", "list_last", LIST_TYPE, vec![], last)?;
    env.add_overload("sets.contains", "sets_contains", vec![LIST_TYPE, LIST_TYPE], contains)?;
    env.add_overload(
        "sets.equivalent",
        "sets_equivalent",
        vec![LIST_TYPE, LIST_TYPE],
        equivalent,
    )?;
    env.add_overload(
        "sets.intersects",
        "sets_intersects",
        vec![LIST_TYPE, LIST_TYPE],
        intersects,
    )
}

/// A list of texts.
pub(super) fn texts(texts: impl IntoIterator<Item = String>) -> CelList<'static> {
    let texts = texts
        .into_iter()
        .map(|text| Box::new(CelString::from(text)) as Box<dyn Val>);
    CelList::from(texts.collect::<Vec<_>>())
}

fn items<'b, 'v>(list: &'b CowVal<'_, 'v>) -> Result<Vec<&'b (dyn Val + 'v)>, ExecutionError> {
    let iterable = list.as_iterable().ok_or_else(|| failed("no such overload"))?;
    let mut items = iterable.iter();
    Ok(std::iter::from_fn(|| items.next()).collect())
}

/// The same list as one of the crate's own; anything else as it is.
pub(in super::super) fn plain<'b, 'v>(mut arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let Some(value) = arguments.pop() else {
        return Err(failed("no such overload"));
    };
    if value.get_type().kind() != Kind::List {
        return Ok(value);
    }
    let items = items(&value)?.into_iter().map(Val::clone_as_boxed);
    Ok(CowVal::owned(CelList::from(items.collect::<Vec<_>>())))
}

fn compare(one: &dyn Val, two: &dyn Val) -> Result<Ordering, ExecutionError> {
    one.as_comparer()
        .ok_or_else(|| failed("no such overload"))?
        .compare(two)
}

fn is_sorted<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    for pair in items(&arguments[0])?.windows(2) {
        if compare(pair[0], pair[1])? == Ordering::Greater {
            return Ok(CowVal::owned(CelBool::from(false)));
        }
    }
    Ok(CowVal::owned(CelBool::from(true)))
}

fn sum<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let items = items(&arguments[0])?;
    let Some((first, rest)) = items.split_first() else {
        return Ok(CowVal::owned(CelInt::from(0)));
    };
    let mut sum = first.clone_as_boxed();
    for item in rest {
        let adder = sum.as_adder().ok_or_else(|| failed("no such overload"))?;
        sum = adder.add(*item)?.into_owned();
    }
    Ok(CowVal::Owned(sum))
}

fn extreme<'b, 'v>(arguments: &Arguments<'b, 'v>, function: &str, wanted: Ordering) -> Answer<'b, 'v> {
    let items = items(&arguments[0])?;
    let mut best = *items
        .first()
        .ok_or_else(|| failed(format!("{function} called on empty list")))?;
    for &item in &items {
        if compare(item, best)? == wanted {
            best = item;
        }
    }
    Ok(CowVal::Owned(best.clone_as_boxed()))
}

fn min<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    extreme(&arguments, "min", Ordering::Less)
}

fn max<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    extreme(&arguments, "max", Ordering::Greater)
}

fn place<'b, 'v>(place: Option<usize>) -> CowVal<'b, 'v> {
    let place = place.and_then(|place| i64::try_from(place).ok());
    CowVal::owned(CelInt::from(place.unwrap_or(-1)))
}

fn index_of<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let items = items(&arguments[0])?;
    Ok(place(items.iter().position(|item| item.equals(arguments[1].as_ref()))))
}

fn last_index_of<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let items = items(&arguments[0])?;
    Ok(place(items.iter().rposition(|item| item.equals(arguments[1].as_ref()))))
}

fn optional<'b, 'v>(item: Option<&(dyn Val + 'v)>) -> CowVal<'b, 'v> {
    CowVal::owned(match item {
        Some(item) => CelOptional::of(item.clone_as_boxed()),
        None => CelOptional::none(),
    })
}

fn first<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    Ok(optional(items(&arguments[0])?.first().copied()))
}

fn last<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    Ok(optional(items(&arguments[0])?.last().copied()))
}

fn holds(list: &[&dyn Val], item: &dyn Val) -> bool {
    list.iter().any(|there| there.equals(item))
}

fn contains<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let (all, some) = (items(&arguments[0])?, items(&arguments[1])?);
    Ok(CowVal::owned(CelBool::from(some.iter().all(|item| holds(&all, *item)))))
}

fn equivalent<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let (one, two) = (items(&arguments[0])?, items(&arguments[1])?);
    let same = one.iter().all(|item| holds(&two, *item)) && two.iter().all(|item| holds(&one, *item));
    Ok(CowVal::owned(CelBool::from(same)))
}

fn intersects<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let (one, two) = (items(&arguments[0])?, items(&arguments[1])?);
    Ok(CowVal::owned(CelBool::from(one.iter().any(|item| holds(&two, *item)))))
}
