//! Tables: the columns of a kind, and an object's row, as `kubectl get` shows them.
//!
//! Cells are formatted here, ages included; the `Table` object around them is the caller's.

mod age;
mod builtin;
mod cluster;
mod json_path;
mod network;
mod pod;
mod storage;
mod value;
mod workload;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::Timestamp;
use serde_json::Value;

use self::json_path::JsonPath;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// The header.
    pub(crate) name: String,
    /// What a cell holds: `string`, `integer`, `number`, `boolean` or `date`.
    pub(crate) kind: String,
    /// `name` for the column of names, else mostly empty.
    pub(crate) format: String,
    /// What the column is about.
    pub(crate) description: String,
    /// 0 is always shown, more only with `-o wide`.
    pub(crate) priority: i64,
}

/// A kind's columns, and how to fill them.
#[derive(Debug)]
pub(crate) struct Printer {
    columns: Vec<Column>,
    cells: Cells,
}

#[derive(Debug)]
enum Cells {
    /// By a function that knows the kind.
    Known(fn(&Value, Timestamp) -> Vec<Value>),
    /// By the paths that a CRD names, one for each column after the name.
    Paths(Vec<Option<JsonPath>>),
}

static BUILTIN: LazyLock<BTreeMap<&str, BTreeMap<&str, Printer>>> = LazyLock::new(|| {
    let mut printers: BTreeMap<&str, BTreeMap<&str, Printer>> = BTreeMap::new();
    for (group, kind, headers, cells) in builtin::KINDS {
        let columns = headers
            .split(", ")
            .enumerate()
            .map(|(index, header)| builtin_column(index, header))
            .collect();
        printers.entry(group).or_default().insert(
            kind,
            Printer {
                columns,
                cells: Cells::Known(*cells),
            },
        );
    }
    printers
});

/// Returns a built-in kind's printer, if it has columns of its own.
pub(crate) fn builtin(group: &str, kind: &str) -> Option<&'static Printer> {
    BUILTIN.get(group)?.get(kind)
}

/// Makes the printer of a custom resource from its `additionalPrinterColumns`; without any there is the age.
pub(crate) fn from_crd(additional_printer_columns: &Value) -> Printer {
    let mut columns = vec![name_column()];
    let mut paths = Vec::new();
    for written in additional_printer_columns.as_array().into_iter().flatten() {
        let text = |name: &str| written.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let description = match text("description").as_str() {
            "" => format!(
                "Custom resource definition column (in JSONPath format): {}",
                text("jsonPath")
            ),
            description => description.to_owned(),
        };
        columns.push(Column {
            name: text("name"),
            kind: text("type"),
            format: text("format"),
            description,
            priority: written.get("priority").and_then(Value::as_i64).unwrap_or_default(),
        });
        paths.push(JsonPath::parse(&text("jsonPath")));
    }
    if paths.is_empty() {
        columns.push(Column {
            name: "Age".to_owned(),
            kind: "date".to_owned(),
            format: String::new(),
            description: "The time since the object was created.".to_owned(),
            priority: 0,
        });
        paths.push(JsonPath::parse(".metadata.creationTimestamp"));
    }
    Printer {
        columns,
        cells: Cells::Paths(paths),
    }
}

// === impl Printer ===

impl Printer {
    /// The columns, in order.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// An object's row: one cell for each column.
    pub(crate) fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        match &self.cells {
            Cells::Known(cells) => cells(object, now),
            Cells::Paths(paths) => {
                let rest = self.columns[1..].iter().zip(paths);
                let rest = rest.map(|(column, path)| custom_cell(column, path.as_ref(), object, now));
                std::iter::once(value::name(object)).chain(rest).collect()
            }
        }
    }
}

fn name_column() -> Column {
    Column {
        name: "Name".to_owned(),
        kind: "string".to_owned(),
        format: "name".to_owned(),
        description: "The object's name, unique within its namespace.".to_owned(),
        priority: 0,
    }
}

/// A header of the built-in table: `Ready`, `Desired:integer`, `*IP` (wide only).
fn builtin_column(index: usize, header: &str) -> Column {
    let (priority, header) = header.strip_prefix('*').map_or((0, header), |header| (1, header));
    let (name, kind) = header.split_once(':').unwrap_or((header, "string"));
    if index == 0 && name == "Name" {
        return name_column();
    }
    let format = if name == "Name" { "name" } else { "" };
    Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        format: format.to_owned(),
        description: String::new(),
        priority,
    }
}

fn custom_cell(column: &Column, path: Option<&JsonPath>, object: &Value, now: Timestamp) -> Value {
    let found = path.map(|path| path.find(object)).unwrap_or_default();
    let Some(first) = found.first().filter(|first| !first.is_null()) else {
        return Value::Null;
    };
    match column.kind.as_str() {
        "integer" => first
            .as_i64()
            .or_else(|| value::whole(first))
            .map_or(Value::Null, Value::from),
        "number" if first.is_number() => (*first).clone(),
        "boolean" if first.is_boolean() => (*first).clone(),
        "date" if first.is_string() => age::of_value(first, now),
        "string" => found
            .iter()
            .map(|value| value::text_of(value))
            .collect::<Vec<_>>()
            .join(" ")
            .into(),
        _ => Value::Null,
    }
}
