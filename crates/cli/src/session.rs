//! A connection to the chosen cluster, and the engine over it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use berth_api::Documents;
use berth_effects::Effects;
use berth_engine::{Connection, Engine, Holder, Limits, Options, Random};
use berth_procedure::Server;
use futures::FutureExt as _;
use jiff::Timestamp;
use kube::Client;

use crate::args::TargetArgs;
use crate::connect;
use crate::discovery::get;
use crate::env;
use crate::failure::Result;
use crate::labs;
use crate::printer::Printer;
use crate::target::{self, Cluster, Purpose, Target};

const CLUSTER_VERSION: &str = "/apis/config.openshift.io/v1/clusterversions/version";

/// The chosen cluster, connected.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) server: Server,
    /// The lab's name, where it is one.
    pub(crate) lab: Option<String>,
    /// What to type beside a command so that it acts on this cluster again, with a space before each.
    pub(crate) flags: String,
    read_only: bool,
}

impl Session {
    /// Chooses a cluster and connects to it.
    pub(crate) async fn open(printer: &Printer, args: &TargetArgs, purpose: Purpose) -> Result<Self> {
        Self::connect(args, target::choose(printer, args, purpose)?).await
    }

    /// Connects to a cluster.
    pub(crate) async fn connect(args: &TargetArgs, target: Target) -> Result<Self> {
        let Target { cluster, context } = target;
        let (lab, file) = match cluster {
            Cluster::Lab(lab) => (Some(lab.name), Some(lab.kubeconfig)),
            Cluster::Kubeconfig(file) => (None, file),
        };
        let flags = flags(args, lab.as_deref())?;
        let (client, url) = connect::client(file.as_deref(), context.as_deref()).await?;
        // Who a lab takes us for is no question; on a real hub it decides what a plan can say.
        let user = match &lab {
            None => connect::user(&client).await,
            Some(_) => context.unwrap_or_else(|| "the lab's admin".to_owned()),
        };
        let server = connect::server(&client, &url, user).await?;
        Ok(Self {
            client,
            server,
            lab,
            flags,
            read_only: args.read_only,
        })
    }

    /// The cluster's own ID, which tells apart clusters behind the same name; `None` where it can't be read.
    pub(crate) async fn cluster_id(&self) -> Option<String> {
        let version = get(&self.client, CLUSTER_VERSION, "application/json").await.ok()?;
        version["spec"]["clusterID"].as_str().map(str::to_owned)
    }

    /// Whether nothing may be written.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The engine over this connection, with tools in Berth's own folder.
    pub(crate) fn engine(&self) -> Result<Engine> {
        self.with_tools_in(labs::folder()?.join("bin"))
    }

    /// The engine over this connection, with tools where the documents want them.
    pub(crate) fn engine_for(&self, documents: &Documents) -> Result<Engine> {
        let folder = documents.management.spec.cli.directory.clone();
        folder.map_or_else(|| self.engine(), |folder| self.with_tools_in(folder))
    }

    fn with_tools_in(&self, folder: PathBuf) -> Result<Engine> {
        let keys = labs::folder()?.join("break-glass");
        // A lab is on this machine, and nobody else's: no manners needed.
        let requests_per_second = if self.lab.is_some() {
            None
        } else {
            Options::default().requests_per_second
        };
        Ok(Engine::new(Connection {
            management: self.client.clone(),
            server: self.server.clone(),
            connect: Arc::new(connect::Guests),
            perform: Arc::new(Effects::new(folder, keys)),
            clock: Arc::new(Timestamp::now),
            random: Random::system(),
            identity: Holder::this_process(),
            options: Options {
                read_only: self.read_only,
                requests_per_second,
                ..Options::default()
            },
        }))
    }
}

impl fmt::Display for Session {
    /// As every output names its cluster: `https://api.hub.example.com:6443`, `https://127.0.0.1:40001 (lab)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.server.url)?;
        match self.lab.as_deref() {
            None => Ok(()),
            Some("default") => f.write_str(" (lab)"),
            Some(name) => write!(f, " (lab {name})"),
        }
    }
}

/// The default lab needs no flag where there is nothing that it could be taken for.
fn flags(args: &TargetArgs, lab: Option<&str>) -> Result<String> {
    let mut flags = match (lab, &args.kubeconfig) {
        (Some("default"), _) if env::kubeconfig().is_some() || labs::running()?.len() > 1 => " --lab".to_owned(),
        (Some(name), _) => labs::flag(name),
        (None, Some(file)) => format!(" --kubeconfig {}", file.display()),
        (None, None) => String::new(),
    };
    if let Some(context) = &args.context {
        flags.push_str(&format!(" --context {context}"));
    }
    Ok(flags)
}

/// Limits of a run that a user watches: the time given, and Ctrl-C.
pub(crate) fn limits(timeout: Option<std::time::Duration>) -> Limits {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a signal handler there is no Ctrl-C to wait for.
            futures::future::pending::<()>().await;
        }
    };
    Limits {
        timeout,
        interrupted: interrupted.boxed(),
    }
}
