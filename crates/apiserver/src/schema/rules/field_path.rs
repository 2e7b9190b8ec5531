//! The `fieldPath` of a rule, and other paths that must lead to a field of the schema: `.a.b`, `['a']`.

use super::super::Node;

/// Follows a path from a node; returns it as errors spell it, and the node that it leads to.
pub(crate) fn follow<'a>(mut node: &'a Node, path: &str, brackets: bool) -> Result<(String, &'a Node), String> {
    let mut spelled = String::new();
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        let (name, after) = match first {
            '.' => {
                let end = rest[1..].find(['.', '[', ']']).map_or(rest.len(), |end| end + 1);
                (rest[1..end].to_owned(), &rest[end..])
            }
            '[' if brackets => quoted(&rest[1..])?,
            '[' => return Err("array notation is not allowed".to_owned()),
            _ => {
                let end = rest.find(['.', '[', ']']).filter(|end| *end > 0).unwrap_or(rest.len());
                return Err(format!("expected [ or . but got: {}", &rest[..end]));
            }
        };
        if name.is_empty() {
            return Err("unexpected end of JSON path".to_owned());
        }
        let (next, is_key) = match (node.properties.get(&name), &node.additional) {
            (Some(next), _) => (next, false),
            (None, Some(next)) => (&**next, true),
            (None, None) => return Err("does not refer to a valid field".to_owned()),
        };
        if is_key {
            spelled.push_str(&format!("[{name}]"));
        } else {
            if !spelled.is_empty() {
                spelled.push('.');
            }
            spelled.push_str(&name);
        }
        node = next;
        rest = after;
    }
    Ok((spelled, node))
}

/// A name in quotes and the bracket after it; and what follows.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let Some(inner) = text.strip_prefix('\'') else {
        let end = text.find(['.', '[', ']']).unwrap_or(text.len());
        return Err(format!("expected single quoted string but got {}", &text[..end]));
    };
    let mut name = String::new();
    let mut chars = inner.char_indices();
    while let Some((index, char)) = chars.next() {
        match char {
            '\'' => {
                let rest = inner[index + 1..]
                    .strip_prefix(']')
                    .ok_or("unexpected end of JSON path")?;
                return Ok((name, rest));
            }
            '\\' => match chars.next() {
                Some((_, 'n')) => name.push('\n'),
                Some((_, 't')) => name.push('\t'),
                Some((_, escaped @ ('\'' | '\\'))) => name.push(escaped),
                _ => return Err("invalid string literal".to_owned()),
            },
            char => name.push(char),
        }
    }
    Err("unexpected end of JSON path".to_owned())
}
