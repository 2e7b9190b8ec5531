//! Resource quantities as the scheduler adds them up: CPU in thousandths of a core, memory in bytes.

use serde_json::Value;

/// CPU and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Resources {
    pub(super) milli_cpu: i64,
    pub(super) memory: i64,
}

impl Resources {
    /// From a map with `cpu` and `memory`, as in requests or allocatable. What cannot be read counts as nothing.
    pub(super) fn of(map: &Value) -> Self {
        let milli_cpu = parse(&map["cpu"]).map_or(0.0, |cores| cores * 1000.0);
        let memory = parse(&map["memory"]).unwrap_or(0.0);
        Self {
            milli_cpu: round(milli_cpu),
            memory: round(memory),
        }
    }

    pub(super) fn less(self, other: Self) -> Self {
        Self {
            milli_cpu: self.milli_cpu - other.milli_cpu,
            memory: self.memory - other.memory,
        }
    }

    pub(super) fn add(self, other: Self) -> Self {
        Self {
            milli_cpu: self.milli_cpu + other.milli_cpu,
            memory: self.memory + other.memory,
        }
    }
}

/// What a pod asks of its node: the sum over its containers.
pub(super) fn requested(pod: &Value) -> Resources {
    let containers = pod["spec"]["containers"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    containers
        .iter()
        .map(|container| Resources::of(&container["resources"]["requests"]))
        .fold(Resources::default(), Resources::add)
}

fn parse(quantity: &Value) -> Option<f64> {
    let text = match quantity {
        Value::String(text) => text.as_str(),
        Value::Number(number) => return number.as_f64(),
        _ => return None,
    };
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let factor = match suffix {
        "" => 1.0,
        "m" => 0.001,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "quantities of a lab are far below 2^53, and `as` saturates"
)]
fn round(number: f64) -> i64 {
    number.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_the_forms_that_people_write() {
        let check = |cpu: Value, memory: Value, expected: (i64, i64)| {
            let read = Resources::of(&json!({ "cpu": cpu, "memory": memory }));
            assert_eq!((read.milli_cpu, read.memory), expected);
        };
        check(json!("250m"), json!("1Gi"), (250, 1_073_741_824));
        check(json!(2), json!("500M"), (2000, 500_000_000));
        check(json!("1.5"), json!("64Ki"), (1500, 65_536));
        check(json!("many"), json!(null), (0, 0));
    }
}
