//! The lab itself: holds the lock, opens the world on its folder, and serves until it is told to stop.

use std::fs::File;
use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use berth_apiserver::{Clock, FileStorage, PkiError, Random, Tls, TlsError};
use jiff::Timestamp;
use rustix::fs::Mode;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;

use super::generation::{self, GenerationError};
use super::{CrdsError, Running, StartOptions, build_id, network, upstream, url};
use crate::access::{READER, READERS};
use crate::authorities::{Authorities, AuthoritiesError};
use crate::downloads;
use crate::generation::Generation;
use crate::guests::GuestServers;
use crate::home::{LabFolder, LabName, Lock, Ports, Record, write_private};
use crate::kubeconfig::{Kubeconfig, User};
use crate::sockets::listen_patiently;
use crate::world::{Config, Faults, StartError, World};

/// A lock may be held for a moment by whoever looks whether the lab runs, and by a process that was killed.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(25);
/// How long a lab that starts again waits for the API servers of its guests.
const GUESTS_TAKE: Duration = Duration::from_secs(5);

/// Why a lab does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The argument is not what `start` gives.
    #[error("the options of the lab cannot be read: {0}")]
    Options(String),
    /// Another process runs it.
    #[error("another process runs the lab `{0}`")]
    Locked(LabName),
    /// It holds a cluster of another generation.
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// Its folder cannot be used.
    #[error("failed to use the folder of the lab at `{path}`")]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No port of 127.0.0.1 can be listened on.
    #[error("failed to listen on 127.0.0.1")]
    Listen(#[source] io::Error),
    /// It has no certificate authorities.
    #[error(transparent)]
    Authorities(#[from] AuthoritiesError),
    /// A certificate cannot be issued.
    #[error("failed to issue a certificate")]
    Issue(#[from] PkiError),
    /// A certificate cannot be served.
    #[error("failed to set up TLS")]
    Tls(#[from] TlsError),
    /// The same, for downloads.
    #[error("failed to set up TLS for downloads")]
    DownloadTls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The CRDs to serve instead cannot be read.
    #[error(transparent)]
    Crds(#[from] CrdsError),
    /// The world does not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Runs the lab that [`start`](super::start) asked for with this argument, until `shutdown` completes. `ready` is called
/// once, when clients can come.
pub async fn run_foreground(
    argument: &str,
    ready: impl FnOnce(&Running),
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let (home, options) = StartOptions::decode(argument).map_err(RunError::Options)?;
    let folder = home.lab(&options.name);
    let in_folder = |source| RunError::Folder {
        path: folder.path().to_owned(),
        source,
    };
    // All that a lab keeps is its owner's only, whoever writes it.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    folder.create().map_err(in_folder)?;
    let lock = lock(&folder).await?;
    let clock: Clock = Arc::new(Timestamp::now);

    // At once, so that whoever finds the lock held reads of this process and not of the one before.
    let former = folder.record().map_err(in_folder)?;
    let generation = generation::of_lab(&options, former.as_ref())?;
    let mut record = record(&options, generation, former.as_ref(), clock());
    folder.write_record(&record).map_err(in_folder)?;
    let sockets = Sockets::open(&mut record, &folder).await.map_err(RunError::Listen)?;
    folder.write_record(&record).map_err(in_folder)?;
    let ports = record.ports;

    let authorities = Authorities::open(&folder.authorities(), &clock)?;
    write_kubeconfig(&folder, &authorities, ports)?;
    let guests = GuestServers::on_disk(folder.guests(), options.fsync, record.network, Arc::clone(&clock));
    let world = World::start(config(
        &folder,
        &options,
        generation,
        &authorities,
        &record,
        &clock,
        &guests,
    )?)
    .await?;
    guests.resumed(GUESTS_TAKE).await;

    let serving = authorities
        .cluster
        .issue_server(["127.0.0.1", "localhost", "kubernetes.default.svc"])?;
    let tls = Tls::new(&serving, Some(authorities.cluster.certificate()))?;
    let program = std::env::current_exe().and_then(File::open).map_err(in_folder)?;
    let download_tls = download_tls(&authorities)?;
    // Dropped, and with it aborted, when this function ends.
    let mut serving_downloads = tokio::task::JoinSet::new();
    serving_downloads
        .spawn(async move { match downloads::serve(sockets.downloads, download_tls, Arc::new(program)).await {} });

    record.ready = true;
    folder.write_record(&record).map_err(in_folder)?;
    tracing::info!(lab.name = %options.name, url = url(ports.api), "the lab is ready");
    ready(&Running::new(&folder, &record));
    berth_apiserver::serve(world.server().clone(), sockets.api, tls, shutdown).await;

    world.stop().await;
    record.ready = false;
    folder.write_record(&record).map_err(in_folder)?;
    tracing::info!(lab.name = %options.name, "the lab has stopped");
    drop((sockets.claim, lock));
    Ok(())
}

async fn lock(folder: &LabFolder) -> Result<Lock, RunError> {
    for _ in 0..LOCK_TRIES {
        let lock = folder.try_lock().map_err(|source| RunError::Folder {
            path: folder.path().to_owned(),
            source,
        })?;
        if let Some(lock) = lock {
            return Ok(lock);
        }
        tokio::time::sleep(LOCK_PAUSE).await;
    }
    Err(RunError::Locked(folder.name().clone()))
}

/// What a lab listens on, and the network that it holds as long as it runs.
struct Sockets {
    api: TcpListener,
    downloads: TcpListener,
    claim: Option<network::Claim>,
}

impl Sockets {
    /// Those of the record where they can be had; the record is told of what came of it.
    async fn open(record: &mut Record, folder: &LabFolder) -> io::Result<Self> {
        let sockets = Self {
            api: listen(record.ports.api).await?,
            downloads: listen(record.ports.downloads).await?,
            claim: network::Claim::of(record.network, folder.path()).await,
        };
        record.ports = Ports {
            api: sockets.api.local_addr()?.port(),
            downloads: sockets.downloads.local_addr()?.port(),
        };
        record.network = sockets.claim.as_ref().map(network::Claim::number);
        Ok(sockets)
    }
}

/// The port of the last time where it is free; another otherwise.
async fn listen(port: u16) -> io::Result<TcpListener> {
    match listen_patiently((Ipv4Addr::LOCALHOST, port).into()).await {
        Err(error) if port != 0 && error.kind() == io::ErrorKind::AddrInUse => {
            tracing::warn!(port, "the lab's port is taken by another program; it gets a new one");
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
        }
        other => other,
    }
}

/// What this process says of itself before it has anything of its own but the lock.
fn record(options: &StartOptions, generation: Generation, former: Option<&Record>, started: Timestamp) -> Record {
    Record {
        pid: std::process::id(),
        build: build_id(),
        speed: options.speed.to_string(),
        generation: generation.to_string(),
        without: options.without.iter().cloned().collect(),
        started,
        ports: former.map_or(Ports { api: 0, downloads: 0 }, |former| former.ports),
        network: former.and_then(|former| former.network),
        ready: false,
    }
}

fn write_kubeconfig(folder: &LabFolder, authorities: &Authorities, ports: Ports) -> Result<(), RunError> {
    let admin = authorities.cluster.issue_client("lab-admin", &["system:masters"])?;
    let reader = authorities.cluster.issue_client(READER, &[READERS])?;
    let cluster = format!("berth-{}", folder.name());
    let [admins, readers] = ["admin", "reader"].map(|who| format!("{cluster}-{who}"));
    let kubeconfig = Kubeconfig {
        cluster: &cluster,
        server: &url(ports.api),
        ca: authorities.cluster.certificate(),
        users: &[
            User {
                name: &admins,
                context: &cluster,
                client: &admin,
            },
            User {
                name: &readers,
                context: "reader",
                client: &reader,
            },
        ],
    };
    let path = folder.kubeconfig();
    write_private(&path, kubeconfig.text()).map_err(|source| RunError::Folder { path, source })
}

fn config(
    folder: &LabFolder,
    options: &StartOptions,
    generation: Generation,
    authorities: &Authorities,
    record: &Record,
    clock: &Clock,
    guests: &GuestServers,
) -> Result<Config, RunError> {
    let storage = FileStorage::new(folder.store());
    let storage = if options.fsync { storage.with_fsync() } else { storage };
    let crds = match &options.crds {
        Some(path) => upstream::read_crds(path)?,
        None => Vec::new(),
    };
    Ok(Config {
        storage: Box::new(storage),
        speed: options.speed,
        generation,
        without: options.without.clone(),
        faults: Faults::default(),
        clock: Arc::clone(clock),
        random: Random::system(),
        server_random: Random::system(),
        api_url: url(record.ports.api),
        addresses: network::range(record.network),
        workers: options.workers,
        root_ca: authorities.cluster.certificate().to_owned(),
        ingress_ca: authorities.ingress.certificate().to_owned(),
        downloads: Some(format!("127.0.0.1:{}", record.ports.downloads)),
        guests: Box::new(guests.clone()),
        crds,
    })
}

fn download_tls(authorities: &Authorities) -> Result<Arc<rustls::ServerConfig>, RunError> {
    let issued = authorities.ingress.issue_server(["127.0.0.1", "localhost"])?;
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| RunError::DownloadTls(error);
    let chain = CertificateDer::pem_slice_iter(issued.certificate.as_bytes());
    let chain = chain
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(Box::new(error)))?;
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).map_err(|error| failed(Box::new(error)))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(Box::new(error)))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| failed(Box::new(error)))?;
    Ok(Arc::new(config))
}
