//! A real `etcd` and `kube-apiserver` (and `kube-controller-manager`, if it is there), started from a folder and stopped
//! with this process. It needs nothing of the suite: other targets use the file as it is.

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use berth_apiserver::{CertificateAuthority, KeyAndCertificate};
use serde_json::json;

/// The folder with the real server's programs, if there is to be one.
pub(crate) fn assets() -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("KUBEBUILDER_ASSETS")?);
    folder.join("kube-apiserver").exists().then_some(folder)
}

/// A client of the one real server of this process, which the first call starts.
pub(crate) async fn client(assets: &Path) -> kube::Client {
    kube::Client::try_from(config(assets).await).unwrap()
}

/// How to reach the one real server of this process as its administrator.
pub(crate) async fn config(assets: &Path) -> kube::Config {
    let kubeconfig = running(assets, |server| fs::read_to_string(&server.kubeconfig).unwrap());
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&kubeconfig).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap()
}

/// The authority that issues the real server's certificates, and those of its clients.
pub(crate) fn authority(assets: &Path) -> CertificateAuthority {
    let read = |server: &RealServer, name: &str| fs::read_to_string(server.path(name)).unwrap();
    let pem = running(assets, |server| KeyAndCertificate {
        certificate: read(server, "ca.crt"),
        key: read(server, "ca.key"),
    });
    CertificateAuthority::from_pem(&pem, Arc::new(jiff::Timestamp::now)).unwrap()
}

/// Looks at the one real server of this process, which the first call starts.
fn running<R>(assets: &Path, look: impl FnOnce(&RealServer) -> R) -> R {
    static SERVER: Mutex<Option<RealServer>> = Mutex::new(None);
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    look(server.get_or_insert_with(|| RealServer::start(assets).unwrap()))
}

/// The processes of a real server. They end when this value or this process does.
pub(crate) struct RealServer {
    /// The administrator's kubeconfig.
    pub(crate) kubeconfig: PathBuf,
    /// Each program and its process id, for measurements.
    pub(crate) processes: Vec<(&'static str, u32)>,
    keepers: Vec<Child>,
    folder: tempfile::TempDir,
}

impl RealServer {
    /// Starts the programs of a folder and waits until the server is ready.
    pub(crate) fn start(assets: &Path) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let mut server = Self {
            kubeconfig: folder.path().join("kubeconfig"),
            processes: Vec::new(),
            keepers: Vec::new(),
            folder,
        };
        let (etcd, peer, port) = (free_port()?, free_port()?, free_port()?);
        server.write_credentials(port)?;
        let etcd = server.start_etcd(assets, etcd, peer)?;
        server.start_apiserver(assets, &etcd, port)?;
        if assets.join("kube-controller-manager").exists() {
            server.start_controllers(assets)?;
        }
        Ok(server)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write_credentials(&self, port: u16) -> Result<(), Box<dyn Error>> {
        let authority = CertificateAuthority::new("conformance CA", Arc::new(jiff::Timestamp::now))?;
        fs::write(self.path("ca.crt"), authority.certificate())?;
        fs::write(self.path("ca.key"), authority.to_pem().key)?;
        fs::write(self.path("tokens.csv"), "good,robot,1,\"robots\"\n")?;
        let pair = |name: &str, pair: &KeyAndCertificate| -> std::io::Result<()> {
            fs::write(self.path(&format!("{name}.crt")), &pair.certificate)?;
            fs::write(self.path(&format!("{name}.key")), &pair.key)
        };
        pair("server", &authority.issue_server(["127.0.0.1", "localhost"])?)?;
        pair("accounts", &authority.issue_client("accounts", &[])?)?;
        let admin = authority.issue_client("admin", &["system:masters"])?;
        let base64 = |pem: &str| BASE64_STANDARD.encode(pem);
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "real",
            "clusters": [{"name": "real", "cluster": {
                "server": format!("https://127.0.0.1:{port}"),
                "certificate-authority-data": base64(authority.certificate()),
            }}],
            "users": [{"name": "admin", "user": {
                "client-certificate-data": base64(&admin.certificate),
                "client-key-data": base64(&admin.key),
            }}],
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": "admin"}}],
        });
        fs::write(&self.kubeconfig, config.to_string())?;
        Ok(())
    }

    fn start_etcd(&mut self, assets: &Path, client: u16, peer: u16) -> Result<String, Box<dyn Error>> {
        let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
        let arguments = [
            format!("--data-dir={}", self.path("etcd")),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--unsafe-no-fsync".to_owned(),
        ];
        self.keep("etcd", assets, &arguments)?;
        Ok(client)
    }

    fn start_apiserver(&mut self, assets: &Path, etcd: &str, port: u16) -> Result<(), Box<dyn Error>> {
        let arguments = [
            format!("--etcd-servers={etcd}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            format!("--tls-cert-file={}", self.path("server.crt")),
            format!("--tls-private-key-file={}", self.path("server.key")),
            format!("--client-ca-file={}", self.path("ca.crt")),
            format!("--token-auth-file={}", self.path("tokens.csv")),
            "--authorization-mode=RBAC".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--service-account-issuer=https://conformance.test".to_owned(),
            format!("--service-account-key-file={}", self.path("accounts.crt")),
            format!("--service-account-signing-key-file={}", self.path("accounts.key")),
            // Without its controller no namespace has a service account, and pods would be refused.
            "--disable-admission-plugins=ServiceAccount".to_owned(),
        ];
        self.keep("kube-apiserver", assets, &arguments)?;
        for _ in 0..600 {
            let ready = Command::new("kubectl")
                .args([
                    "--kubeconfig",
                    &self.kubeconfig.display().to_string(),
                    "get",
                    "--raw",
                    "/readyz",
                ])
                .output()?;
            if ready.stdout == b"ok" {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(format!(
            "kube-apiserver isn't ready after a minute: {}",
            fs::read_to_string(self.path("kube-apiserver.log"))?
        )
        .into())
    }

    fn start_controllers(&mut self, assets: &Path) -> Result<(), Box<dyn Error>> {
        let arguments = [
            format!("--kubeconfig={}", self.kubeconfig.display()),
            format!("--root-ca-file={}", self.path("ca.crt")),
            format!("--service-account-private-key-file={}", self.path("accounts.key")),
            "--use-service-account-credentials=false".to_owned(),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
        ];
        self.keep("kube-controller-manager", assets, &arguments)
    }

    /// Starts a program that ends when our end of a pipe is closed, be it by [`Drop`] or by the end of this process.
    fn keep(&mut self, name: &'static str, assets: &Path, arguments: &[String]) -> Result<(), Box<dyn Error>> {
        let log = fs::File::create(self.path(&format!("{name}.log")))?;
        let mut keeper = Command::new("sh")
            .args(["-c", r#""$@" >&2 & echo $!; read -r _; kill -9 $!"#, "sh"])
            .arg(assets.join(name))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().expect("it is piped")).read_line(&mut line)?;
        self.processes.push((name, line.trim().parse()?));
        self.keepers.push(keeper);
        Ok(())
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        for keeper in &mut self.keepers {
            drop(keeper.stdin.take());
            // It has been told to end; whether it did can't be helped here.
            let _ = keeper.wait();
        }
    }
}

/// A port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
