//! Columns under headings, as kubectl prints them.

use serde_json::Value;

/// A table: headings and rows of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) headings: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// From a server's `Table`. `wide` keeps columns of lower priority; `namespace` puts the namespace in front.
    pub(crate) fn from_server(table: &Value, wide: bool, namespace: bool) -> Self {
        let columns = table["columnDefinitions"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let shown: Vec<usize> = (0..columns.len())
            .filter(|&index| wide || columns[index]["priority"].as_i64().unwrap_or(0) == 0)
            .collect();
        let mut headings: Vec<String> = shown
            .iter()
            .map(|&index| columns[index]["name"].as_str().unwrap_or_default().to_uppercase())
            .collect();
        let rows = table["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let mut cells: Vec<String> = shown.iter().map(|&index| cell(&row["cells"][index])).collect();
                if namespace {
                    cells.insert(0, cell(&row["object"]["metadata"]["namespace"]));
                }
                cells
            })
            .collect();
        if namespace {
            headings.insert(0, "NAMESPACE".to_owned());
        }
        rows.retain(|row| !row.is_empty());
        Self { headings, rows }
    }

    /// The text, each column as wide as its widest cell, three spaces between.
    pub(crate) fn render(&self) -> String {
        let mut widths: Vec<usize> = self.headings.iter().map(|heading| heading.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        for row in std::iter::once(&self.headings).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(&format!("{cell:<width$}   "));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_servers_table_is_printed_as_kubectl_does() {
        let table = json!({
            "columnDefinitions": [{ "name": "Name" }, { "name": "Ready" }, { "name": "IP", "priority": 1 }],
            "rows": [
                { "cells": ["etcd-0", "1/1", "10.128.0.7"], "object": { "metadata": { "namespace": "hcp" } } },
                { "cells": ["kube-apiserver-abc", null, "10.128.0.8"], "object": { "metadata": { "namespace": "hcp" } } },
            ],
        });
        insta::assert_snapshot!(Table::from_server(&table, false, true).render(), @r"
        NAMESPACE   NAME                 READY
        hcp         etcd-0               1/1
        hcp         kube-apiserver-abc
        ");
        assert_eq!(
            Table::from_server(&table, true, false).headings,
            ["NAME", "READY", "IP"]
        );
    }
}
