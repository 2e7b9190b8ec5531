//! Who holds a lease: a process on a machine, told apart from one that had its number before.

use std::fmt;
use std::fs;
use std::sync::Arc;

/// Tells whether a process of this machine lives, by number and start.
pub type Alive = Arc<dyn Fn(u32, &str) -> bool + Send + Sync>;

/// A process that may hold leases. As text: `host/pid/started`.
#[derive(Clone)]
pub struct Holder {
    /// The machine, in a form that no other machine has.
    pub host: String,
    /// The process's number.
    pub pid: u32,
    /// When it began, in any form that another process with its number would not have.
    pub started: String,
    /// Whether a process of this machine lives, by number and start.
    pub alive: Alive,
}

impl Holder {
    /// This process, as the operating system knows it.
    pub fn this_process() -> Self {
        let pid = std::process::id();
        let read = |path: &str| {
            fs::read_to_string(path)
                .map(|text| text.trim().to_owned())
                .unwrap_or_default()
        };
        let name = read("/proc/sys/kernel/hostname");
        let machine: String = read("/etc/machine-id").chars().take(8).collect();
        let name = if name.is_empty() { "localhost" } else { &name };
        Self {
            host: format!("{name}.{machine}"),
            pid,
            started: started(pid),
            alive: Arc::new(is_alive),
        }
    }

    /// Whether a holder, as text, is a process of this machine that is dead. `false` where that can't be known.
    pub(crate) fn knows_dead(&self, holder: &str) -> bool {
        let mut parts = holder.splitn(3, '/');
        let (Some(host), Some(pid), Some(started)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let Ok(pid) = pid.parse() else { return false };
        host == self.host && !(self.alive)(pid, started)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.pid, self.started)
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Holder({self})")
    }
}

/// The boot and the moment within it; empty where the system does not tell.
fn started(pid: u32) -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The command's name stands in parentheses and may hold anything; the start is the 20th field after it.
    let ticks = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(19))
        .unwrap_or_default();
    match (boot.trim(), ticks) {
        ("", _) | (_, "") => String::new(),
        (boot, ticks) => format!("{}-{ticks}", boot.chars().take(8).collect::<String>()),
    }
}

fn is_alive(pid: u32, began: &str) -> bool {
    let Some(id) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    // A process of somebody else can't be signalled, and lives.
    let exists = !matches!(rustix::process::test_kill_process(id), Err(rustix::io::Errno::SRCH));
    let now = started(pid);
    exists && (now.is_empty() || began.is_empty() || now == began)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_itself_alive_and_its_predecessor_dead() {
        let this = Holder::this_process();
        assert!(!this.knows_dead(&this.to_string()));
        let predecessor = Holder {
            started: "another-boot".into(),
            ..this.clone()
        };
        assert_eq!(this.knows_dead(&predecessor.to_string()), !this.started.is_empty());
        let nobody = Holder {
            pid: i32::MAX as u32,
            ..this.clone()
        };
        assert!(this.knows_dead(&nobody.to_string()));
    }

    #[test]
    fn nothing_is_known_of_other_machines() {
        let this = Holder::this_process();
        let elsewhere = Holder {
            host: "elsewhere".into(),
            pid: i32::MAX as u32,
            ..this.clone()
        };
        assert!(!this.knows_dead(&elsewhere.to_string()));
        assert!(!this.knows_dead("gibberish"));
    }
}
