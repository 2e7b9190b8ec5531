//! The server that is measured: this crate's, or a real one.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    client::Access,
    process,
    real::{self, RealServer},
};

/// A server that runs. It ends with this value, by `SIGKILL`.
pub(crate) enum Subject {
    Ours {
        child: Child,
        kubeconfig: PathBuf,
        _folder: Option<tempfile::TempDir>,
    },
    Real(RealServer),
}

/// Which server to start.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    Real,
}

impl Kind {
    /// Ours, and the real one where it is there.
    pub(crate) fn all() -> Vec<Self> {
        let real = real::assets().map(|_| Self::Real);
        std::iter::once(Self::Ours).chain(real).collect()
    }

    /// Starts a server without objects; with it, how many milliseconds that took until `/readyz` said `ok`.
    pub(crate) async fn start(self) -> (Subject, f64) {
        match self {
            Self::Ours => {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().to_owned();
                start(&path, Some(folder)).await
            }
            Self::Real => {
                let start = Instant::now();
                let server = RealServer::start(&real::assets().unwrap()).unwrap();
                let (subject, took) = (Subject::Real(server), milliseconds(start.elapsed()));
                // A real server says that it is ready a while before kubectl can use it.
                let mut client = subject.access().http1().await.unwrap();
                while client.get("/openapi/v2").await.is_err() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                (subject, took)
            }
        }
    }
}

impl Subject {
    /// Our server on a folder that outlives it.
    pub(crate) async fn on(folder: &Path) -> (Self, f64) {
        start(folder, None).await
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        match self {
            Self::Ours { kubeconfig, .. } => kubeconfig,
            Self::Real(server) => &server.kubeconfig,
        }
    }

    pub(crate) fn access(&self) -> Access {
        Access::read(self.kubeconfig()).unwrap()
    }

    /// Resident memory in MB, of the server and its database.
    pub(crate) fn resident(&self) -> f64 {
        self.processes().into_iter().map(process::resident).sum()
    }

    /// CPU seconds so far.
    pub(crate) fn cpu(&self) -> f64 {
        self.processes().into_iter().map(process::cpu).sum()
    }

    fn processes(&self) -> Vec<u32> {
        match self {
            Self::Ours { child, .. } => vec![child.id()],
            // The controllers of the real one are no part of ours that is counted apart; they are left out.
            Self::Real(server) => server
                .processes
                .iter()
                .filter(|(name, _)| *name != "kube-controller-manager")
                .map(|(_, pid)| *pid)
                .collect(),
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Self::Ours { child, .. } = self {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

async fn start(folder: &Path, own: Option<tempfile::TempDir>) -> (Subject, f64) {
    let kubeconfig = folder.join("kubeconfig");
    // That of the last start names a port where nobody listens now.
    let _ = std::fs::remove_file(&kubeconfig);
    let start = Instant::now();
    let subject = Subject::Ours {
        child: Command::new(server())
            .arg(&kubeconfig)
            .arg(folder.join("objects"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap(),
        kubeconfig,
        _folder: own,
    };
    loop {
        if let Ok(access) = Access::read(subject.kubeconfig())
            && let Ok(mut client) = access.http1().await
            && client.get("/readyz").await.is_ok()
        {
            return (subject, milliseconds(start.elapsed()));
        }
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "the server isn't ready after a minute"
        );
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}

/// The example `serve`, which is the server and nothing else: what makes the load isn't counted.
fn server() -> PathBuf {
    let bench = env::current_exe().unwrap();
    let server = bench.ancestors().nth(2).unwrap().join("examples/serve");
    assert!(
        server.exists(),
        "there is no {}: run `make bench`, or build it with `cargo build --release -p berth-apiserver --example serve`",
        server.display()
    );
    server
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
