//! Wraps prose for a terminal. Lists, tables and code keep their lines.

/// Narrow enough for every terminal.
const WIDTH: usize = 80;

/// The text with its paragraphs wrapped at [`WIDTH`].
pub(crate) fn prose(text: &str) -> String {
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(|paragraph| {
            if paragraph.lines().all(is_prose) {
                wrapped(paragraph)
            } else {
                paragraph.to_owned()
            }
        })
        .collect();
    paragraphs.join("\n\n")
}

/// Whether a line begins as no list item, table row, heading or code does.
fn is_prose(line: &str) -> bool {
    !line.starts_with([' ', '-', '*', '|', '#', '>']) && !line.starts_with("```")
}

fn wrapped(paragraph: &str) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_and_all_else_left_alone() {
        let long = "word ".repeat(20);
        let list = format!("- {long}");
        let text = prose(&format!("{long}\n{long}\n\n{list}"));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "word ".repeat(16).trim_end());
        assert_eq!(lines[2], "word ".repeat(8).trim_end());
        assert_eq!(lines[4], list);
    }
}
