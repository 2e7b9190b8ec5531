//! A forecast in words. Pure.

use std::fmt;

use super::{Cause, Forecast, Happens, Room};

const GIB: u64 = 1 << 30;

impl fmt::Display for Forecast {
    /// What happens, on one line: `NodePool hcp/a-workers: 3 machines are replaced, 1 more at a time`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.happens)
    }
}

impl fmt::Display for Happens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replaced {
                machines,
                surge,
                unavailable,
            } => {
                write!(f, "{} replaced", are(*machines))?;
                match (surge, unavailable) {
                    (surge, 0) => write!(f, ", with {surge} more at a time and none missing"),
                    (0, unavailable) => write!(f, ", with {unavailable} missing at a time and none more"),
                    (surge, unavailable) => write!(f, ", with up to {surge} more and {unavailable} missing at a time"),
                }
            }
            Self::ReplacedOnDelete { machines } => {
                write!(f, "{} replaced as you delete their Machines", are(*machines))
            }
            Self::UpdatedInPlace { machines, unavailable } => {
                write!(
                    f,
                    "{} updated in place, {unavailable} at a time; each drains and restarts",
                    are(*machines)
                )
            }
            Self::LaterMachinesOnly => f.write_str("only machines that are made later have it (upgrade type InPlace)"),
            Self::Scaled { from, to } if to > from => write!(f, "{} more, from {from} to {to}", machines(to - from)),
            Self::Scaled { from, to } if to < from => write!(f, "{} fewer, from {from} to {to}", machines(from - to)),
            Self::Scaled { to, .. } => write!(f, "{to} machines now, as before"),
            Self::Removed { machines: gone } => match gone.as_slice() {
                [] => f.write_str("goes; it has no machines"),
                gone => write!(f, "goes, with its {}: {}", machines(count(gone)), gone.join(", ")),
            },
            Self::Upgraded => f.write_str("the control plane is brought to another release"),
            Self::Paused => f.write_str("the operator leaves it alone"),
            Self::Resumed => f.write_str("the operator goes on with it"),
            Self::NoWorkerTouched => f.write_str("no worker is touched"),
        }
    }
}

impl Forecast {
    /// The fields that bring it about, on one line, with the object where it is another; empty where none does.
    pub fn causes(&self) -> String {
        let told = |cause: &Cause| {
            let of = if cause.object == self.object {
                String::new()
            } else {
                format!(" of {}", cause.object)
            };
            let id = if cause.id.is_empty() {
                String::new()
            } else {
                format!(" ({})", cause.id)
            };
            format!("{}{of}{id}", cause.path)
        };
        self.because.iter().map(told).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Room {
    /// `room for 1 more: 8 cores (0.8 reserved), 10.3Gi of memory and a disk of 32Gi each; the nodes have room for 12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            machines: count,
            cores,
            millicores,
            bytes,
            disk,
            storage_class,
            fits,
            elsewhere,
        } = self;
        let reserved = if millicores == &(cores * 1000) {
            "reserved".to_owned()
        } else {
            format!("{}.{} reserved", millicores / 1000, millicores % 1000 / 100)
        };
        let memory = format!("{}.{}Gi", bytes / GIB, bytes % GIB * 10 / GIB);
        let class = if storage_class.is_empty() {
            String::new()
        } else {
            format!(" of {storage_class}")
        };
        write!(
            f,
            "room for {count} more: {cores} cores ({reserved}), about {memory} of memory and a disk of {disk}{class} each; "
        )?;
        match fits {
            Some(fits) => write!(f, "the nodes have room for {fits}"),
            None if *elsewhere => {
                f.write_str("what the nodes of its infrastructure cluster have free is not seen from here")
            }
            None => f.write_str("what the nodes have free can't be read"),
        }
    }
}

fn count<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

fn machines(count: u32) -> String {
    format!("{count} machine{}", if count == 1 { "" } else { "s" })
}

fn are(count: u32) -> String {
    format!("{} {}", machines(count), if count == 1 { "is" } else { "are" })
}
