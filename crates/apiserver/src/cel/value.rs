//! Objects as the language sees them. A value is converted when it is looked at, and its inside not before that: most
//! rules look at two or three fields of a large object.

use std::sync::{Arc, OnceLock};

use base64::{Engine, prelude::BASE64_STANDARD};
use cel::{
    ExecutionError,
    common::{
        traits::{Adder, Container, Indexer, Iterable, Iterator as Items, Sizer, Zeroer},
        types::{
            CelBool, CelBytes, CelDouble, CelInt, CelList, CelNull, CelString, Kind, LIST_TYPE, MAP_TYPE,
            Type as CelType,
        },
        value::{CowVal, Val},
    },
};
use serde_json::{Map, Number, Value};

use super::{Typed, engine, escape, node};
use crate::schema::{ListType, Node, Type};

pub(super) type Boxed<'v> = Box<dyn Val + 'v>;

/// The value as the language sees it.
pub(super) fn convert(typed: Typed<'_>) -> Result<Boxed<'_>, ExecutionError> {
    let Typed { node, value, .. } = typed;
    match value {
        Value::Null if node.nullable => Ok(Box::new(CelNull)),
        Value::Null => Err(invalid("invalid data, got null for schema with nullable=false")),
        Value::Object(fields) if node.kind == Some(Type::Object) => Ok(Box::new(Object {
            node,
            fields,
            resource: typed.resource,
            keys: OnceLock::new(),
        })),
        Value::Array(items) if node.kind == Some(Type::Array) => list(node, items),
        Value::String(text) if node.int_or_string => Ok(Box::new(CelString::from(text.as_str()))),
        Value::String(text) if node.kind == Some(Type::String) => string(node, text),
        Value::Number(number) => self::number(node, number),
        Value::Bool(value) if node.kind == Some(Type::Boolean) => Ok(Box::new(CelBool::from(*value))),
        _ => {
            let expected = node.kind.map_or("no type", Type::name);
            Err(invalid(format!("invalid data, expected {expected}")))
        }
    }
}

fn invalid(message: impl Into<String>) -> ExecutionError {
    ExecutionError::FunctionError {
        function: String::new(),
        message: message.into(),
    }
}

fn list<'v>(node: &'v Node, items: &'v [Value]) -> Result<Boxed<'v>, ExecutionError> {
    let item = node.item();
    let items = items.iter().map(|value| {
        convert(Typed {
            node: item,
            value,
            resource: item.embedded,
        })
    });
    let list = CelList::from(items.collect::<Result<Vec<_>, _>>()?);
    Ok(match &node.list {
        ListType::Atomic => Box::new(list),
        ListType::Set => Box::new(Unordered { list, keys: &[] }),
        ListType::Map(keys) => Box::new(Unordered { list, keys }),
    })
}

fn string<'v>(node: &'v Node, text: &'v str) -> Result<Boxed<'v>, ExecutionError> {
    let format = node.limits.as_ref().and_then(|limits| limits.format.as_deref());
    match format {
        Some("date-time" | "datetime") => engine::call("timestamp", text),
        Some("date") => engine::call("timestamp", &format!("{text}T00:00:00Z")),
        Some("duration") => engine::call("duration", text).or_else(|error| match in_seconds(text) {
            Some(seconds) => engine::call("duration", &seconds),
            None => Err(error),
        }),
        Some("byte") => {
            let bytes = BASE64_STANDARD.decode(text);
            let bytes = bytes.map_err(|error| invalid(format!("Invalid byte formatted string {text}: {error}")))?;
            Ok(Box::new(CelBytes::from(bytes)))
        }
        _ => Ok(Box::new(CelString::from(text))),
    }
}

/// A duration in words or with days and weeks, which schemas allow and the language's own durations don't have.
fn in_seconds(text: &str) -> Option<String> {
    let mut total = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (number, unit) = rest.split_at(rest.find(|char: char| char.is_ascii_alphabetic() || char == ' ')?);
        let unit = unit.trim_start();
        let end = unit.find(|char: char| !char.is_alphabetic()).unwrap_or(unit.len());
        let seconds = match unit[..end].trim_end_matches('s') {
            "n" | "nano" | "nanosecond" => 1e-9,
            "u" | "micro" | "microsecond" => 1e-6,
            "m" if unit[..end] == *"ms" => 1e-3,
            "milli" | "millisecond" => 1e-3,
            "" | "sec" | "second" => 1.0,
            "m" | "min" | "minute" => 60.0,
            "h" | "hr" | "hour" => 3600.0,
            "d" | "day" => 86400.0,
            "w" | "wk" | "week" => 604_800.0,
            _ => return None,
        };
        total += number.trim().parse::<f64>().ok()? * seconds;
        rest = unit[end..].trim_start();
    }
    Some(format!("{total}s"))
}

fn number<'v>(node: &Node, number: &Number) -> Result<Boxed<'v>, ExecutionError> {
    let whole = || {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and checked to be in range")]
        let of_float = |value: f64| (value.fract() == 0.0 && value.abs() < 9e18).then_some(value as i64);
        number.as_i64().or_else(|| number.as_f64().and_then(of_float))
    };
    if node.int_or_string || node.kind == Some(Type::Integer) {
        let whole = whole().ok_or_else(|| invalid("invalid data, expected int"))?;
        return Ok(Box::new(CelInt::from(whole)));
    }
    if node.kind == Some(Type::Number) {
        return Ok(Box::new(CelDouble::from(number.as_f64().unwrap_or_default())));
    }
    Err(invalid("invalid data, got a number"))
}

fn no_such_key(key: &str) -> ExecutionError {
    ExecutionError::NoSuchKey(Arc::new(key.to_owned()))
}

fn key_of<'b>(key: &'b (dyn Val + '_)) -> Result<&'b str, ExecutionError> {
    match key.downcast_ref::<CelString>() {
        Some(key) => Ok(key.inner()),
        None => Err(ExecutionError::UnexpectedType {
            got: key.get_type().name().to_owned(),
            want: "string".to_owned(),
        }),
    }
}

/// A struct or a map.
#[derive(Debug)]
struct Object<'v> {
    node: &'v Node,
    fields: &'v Map<String, Value>,
    resource: bool,
    /// Its keys as values, once they are asked for.
    keys: OnceLock<Vec<CelString<'v>>>,
}

impl<'v> Object<'v> {
    fn is_struct(&self) -> bool {
        node::has_fields(self.node, self.resource)
    }

    fn node_of(&self, name: &str) -> Option<&'v Node> {
        if self.is_struct() {
            node::field(self.node, self.resource, name)
        } else {
            self.node.additional.as_deref()
        }
    }

    /// The field by its identifier, or the entry by its key.
    fn find(&self, key: &str) -> Option<Typed<'v>> {
        let name = if self.is_struct() {
            escape::unescape(key)?
        } else {
            key.into()
        };
        let node = self.node_of(&name)?;
        let value = self.fields.get(name.as_ref())?;
        // A null field of a struct counts as absent.
        (!self.is_struct() || !value.is_null()).then_some(Typed {
            node,
            value,
            resource: node.embedded,
        })
    }

    fn keys(&self) -> &[CelString<'v>] {
        self.keys.get_or_init(|| {
            let names = self.fields.keys().filter(|name| self.node_of(name).is_some());
            let identifier = |name: &'v String| match escape::escape(name) {
                Some(std::borrow::Cow::Owned(identifier)) if self.is_struct() => CelString::from(identifier),
                _ => CelString::from(name.as_str()),
            };
            names.map(identifier).collect()
        })
    }
}

impl Clone for Object<'_> {
    fn clone(&self) -> Self {
        Self {
            keys: OnceLock::new(),
            ..*self
        }
    }
}

impl Val for Object<'_> {
    fn get_type(&self) -> &CelType {
        &MAP_TYPE
    }

    fn cel_type() -> &'static CelType {
        &MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }

    fn as_iterable<'b, 'w>(&'b self) -> Option<&'b (dyn Iterable + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        Some(self)
    }

    /// Two that may each be ours or the crate's: all that is known of the other is what it can do.
    fn equals(&self, other: &dyn Val) -> bool {
        let (Some(indexer), Some(sizer)) = (other.as_indexer(), other.as_sizer()) else {
            return false;
        };
        if other.get_type().kind() != Kind::Map || sizer.size() != self.size() {
            return false;
        }
        let known = self.keys().iter().all(|key| {
            let (here, there) = (self.find(key).map(convert), indexer.get(key));
            match (here, there) {
                (Some(Ok(here)), Ok(there)) => here.equals(there.as_ref()),
                (None, Err(_)) => true,
                _ => false,
            }
        });
        let hidden = |name: &&String| self.node_of(name).is_none();
        known
            && self
                .fields
                .iter()
                .filter(|(name, _)| hidden(name))
                .all(|(name, value)| {
                    let there = indexer.get(&Hidden(name.clone()));
                    there.is_ok_and(|there| CelString::from(value.to_string()).equals(there.as_ref()))
                })
    }

    fn clone_as_boxed<'w>(&self) -> Boxed<'w>
    where
        Self: 'w,
    {
        Box::new(self.clone())
    }
}

impl Indexer for Object<'_> {
    fn get<'b, 'w>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        if let Some(Hidden(name)) = key.downcast_ref::<Hidden>() {
            let value = self.fields.get(name).ok_or_else(|| no_such_key(name))?;
            return Ok(CowVal::owned(CelString::from(value.to_string())));
        }
        let key = key_of(key)?;
        let typed = self.find(key).ok_or_else(|| no_such_key(key))?;
        Ok(CowVal::Owned(convert(typed)?))
    }

    fn steal<'w>(self: Box<Self>, key: &dyn Val) -> Result<Boxed<'w>, ExecutionError>
    where
        Self: 'w,
    {
        let key = key_of(key)?;
        convert(self.find(key).ok_or_else(|| no_such_key(key))?).map(|value| value as Boxed<'w>)
    }
}

impl Container for Object<'_> {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.find(key_of(key)?).is_some())
    }
}

impl Sizer for Object<'_> {
    fn size(&self) -> CelInt {
        length(self.fields.len())
    }
}

impl Zeroer for Object<'_> {
    fn is_zero_value(&self) -> bool {
        self.fields.is_empty()
    }
}

impl Iterable for Object<'_> {
    fn iter<'b, 'w>(&'b self) -> Box<dyn Items<'b, 'w> + 'b>
    where
        Self: 'w,
    {
        Box::new(Keys(self.keys().iter()))
    }
}

struct Keys<'b, 'v>(std::slice::Iter<'b, CelString<'v>>);

impl<'b, 'v: 'w, 'w> Items<'b, 'w> for Keys<'b, 'v> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'w)> {
        self.0.next().map(|key| key as &dyn Val)
    }
}

fn length(length: usize) -> CelInt {
    CelInt::from(i64::try_from(length).unwrap_or(i64::MAX))
}

/// Asks an object for a field that the language doesn't see, as JSON: only comparing needs it.
#[derive(Debug, Clone)]
struct Hidden(String);

static HIDDEN: CelType = CelType::new_unspecified_type("@hidden");

impl Val for Hidden {
    fn get_type(&self) -> &CelType {
        &HIDDEN
    }

    fn cel_type() -> &'static CelType {
        &HIDDEN
    }

    fn clone_as_boxed<'w>(&self) -> Boxed<'w> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

impl cel::common::value::StaticVal for Hidden {}

/// A list whose order means nothing: a set, or (with keys) a list whose items are told apart by some of their fields.
#[derive(Debug, Clone)]
struct Unordered<'v> {
    list: CelList<'v>,
    /// The fields that tell items apart; none for a set.
    keys: &'v [String],
}

impl Unordered<'_> {
    /// Whether two items are versions of the same one.
    fn is_same(&self, one: &dyn Val, two: &dyn Val) -> bool {
        if self.keys.is_empty() {
            return one.equals(two);
        }
        let (Some(one), Some(two)) = (one.as_indexer(), two.as_indexer()) else {
            return false;
        };
        self.keys.iter().filter_map(|key| escape::escape(key)).all(|key| {
            let key = CelString::from(key.as_ref());
            match (one.get(&key), two.get(&key)) {
                (Ok(one), Ok(two)) => one.equals(two.as_ref()),
                (one, two) => one.is_err() && two.is_err(),
            }
        })
    }
}

impl Val for Unordered<'_> {
    fn get_type(&self) -> &CelType {
        &LIST_TYPE
    }

    fn cel_type() -> &'static CelType {
        &LIST_TYPE
    }

    fn as_adder<'b, 'w>(&'b self) -> Option<&'b (dyn Adder + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }

    fn as_container(&self) -> Option<&dyn Container> {
        self.list.as_container()
    }

    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        self.list.as_indexer()
    }

    fn as_iterable<'b, 'w>(&'b self) -> Option<&'b (dyn Iterable + 'w)>
    where
        Self: 'w,
    {
        self.list.as_iterable()
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        self.list.as_sizer()
    }

    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        self.list.as_zeroer()
    }

    fn equals(&self, other: &dyn Val) -> bool {
        let (Some(items), Some(sizer)) = (other.as_iterable(), other.as_sizer()) else {
            return false;
        };
        if other.get_type().kind() != Kind::List || sizer.size() != self.list.size() {
            return false;
        }
        let mut items = items.iter();
        while let Some(there) = items.next() {
            let here = self.list.inner().iter().find(|here| self.is_same(here.as_ref(), there));
            if !here.is_some_and(|here| here.equals(there)) {
                return false;
            }
        }
        true
    }

    fn clone_as_boxed<'w>(&self) -> Boxed<'w>
    where
        Self: 'w,
    {
        Box::new(self.clone())
    }
}

impl Adder for Unordered<'_> {
    /// Items of the left keep their places; those of the right replace them, or are added.
    fn add<'b, 'w>(&'b self, other: &(dyn Val + 'w)) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        let mut items = other
            .as_iterable()
            .ok_or_else(|| {
                ExecutionError::no_such_overload("_+_", vec!["list".to_owned(), other.get_type().name().to_owned()])
            })?
            .iter();
        let mut sum: Vec<Boxed<'w>> = self.list.inner().iter().map(|item| item.clone_as_boxed()).collect();
        while let Some(item) = items.next() {
            match sum.iter().position(|there| self.is_same(there.as_ref(), item)) {
                Some(place) => sum[place] = item.clone_as_boxed(),
                None => sum.push(item.clone_as_boxed()),
            }
        }
        Ok(CowVal::owned(Unordered {
            list: CelList::from(sum),
            keys: self.keys,
        }))
    }
}
