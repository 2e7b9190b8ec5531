//! Lines of the log, as `hcp` writes them to stderr: JSON, one an event; and the plainer ones of `create kubeconfig`.

use serde_json::Value;

use crate::printer::Printer;

/// Something happened.
pub(super) fn info(printer: &Printer, message: &str, fields: &[(&str, &str)]) {
    line(printer, "info", message, fields);
}

/// Something failed.
pub(super) fn error(printer: &Printer, message: &str, error: &str) {
    line(printer, "error", message, &[("error", error)]);
}

/// A line without JSON, with the time before it.
pub(super) fn plain(printer: &Printer, message: &str) {
    let at = jiff::Timestamp::now().strftime("%Y/%m/%d %H:%M:%S");
    printer.say(&format!("{at} {message}"));
}

fn line(printer: &Printer, level: &str, message: &str, fields: &[(&str, &str)]) {
    let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let head = [("level", level), ("ts", &at), ("msg", message)];
    // Put together by hand, because readers expect the original's order.
    let pair = |(key, value): &(&str, &str)| format!("{}:{}", Value::from(*key), Value::from(*value));
    let pairs: Vec<String> = head.iter().chain(fields).map(pair).collect();
    printer.say(&format!("{{{}}}", pairs.join(",")));
}
