//! What differs from run to run in what is shown: ids, times, versions of objects, places.

use std::path::Path;

use regex::Regex;

/// Patterns, and what stands for them in scenarios.
const PATTERNS: &[(&str, &str)] = &[
    (
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        "<uid>",
    ),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (
        r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000",
        "<time>",
    ),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+0000", "<time>"),
    (r#"(resourceVersion"?: ?)"\d+""#, r#"$1"<n>""#),
    (r"Resource Version: ( *)\d+", "Resource Version: $1<n>"),
    (r"\bmade-[a-z0-9]{5}\b", "made-<x>"),
    // Newer clients say where.
    (r" deleted from \S+ namespace\b", " deleted"),
    (r"\b(LIVE|MERGED|kubectl-edit)-\d+", "$1-<n>"),
    // The server's clock stands still; kubectl's doesn't.
    (r"\b\d{1,2}s\b", "0s"),
];

pub(crate) struct Filter {
    places: Vec<(String, &'static str)>,
    patterns: Vec<(Regex, &'static str)>,
}

// === impl Filter ===

impl Filter {
    pub(crate) fn new(folder: &Path, url: &str) -> Self {
        Self {
            places: vec![(folder.display().to_string(), "<folder>"), (url.to_owned(), "<server>")],
            patterns: PATTERNS
                .iter()
                .map(|(pattern, stands)| (Regex::new(pattern).unwrap(), *stands))
                .collect(),
        }
    }

    pub(crate) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (place, stands) in &self.places {
            text = text.replace(place, stands);
        }
        for (pattern, stands) in &self.patterns {
            text = pattern.replace_all(&text, *stands).into_owned();
        }
        text
    }
}
