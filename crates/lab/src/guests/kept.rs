//! What a served guest keeps beside its objects: its authority, and the admin's kubeconfig, so that one that was handed out
//! stays good over restarts.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use berth_apiserver::{CertificateAuthority, Clock, FileStorage, KeyAndCertificate, Storage};

use super::StartGuestError;
use crate::home::{create_private_folder, read_if_there, write_private};
use crate::kubeconfig::{Kubeconfig, User};
use crate::site::GuestId;

/// Where a guest's objects are, in its folder.
pub(super) const STORE: &str = "store";
const ADMIN: &str = "system:admin";
const ADMINS: &str = "system:masters";

/// The files of a guest, but its store.
pub(super) struct Kept {
    folder: PathBuf,
    context: String,
    authority: CertificateAuthority,
}

impl Kept {
    /// Opens a guest's folder; what it lacks is made.
    pub(super) fn open(folder: &Path, guest: &GuestId, clock: &Clock) -> Result<Self, StartGuestError> {
        create_private_folder(folder).map_err(keep(folder))?;
        let (certificate_path, key_path) = (folder.join("ca.crt"), folder.join("ca.key"));
        let certificate = read_if_there(&certificate_path).map_err(keep(&certificate_path))?;
        let key = read_if_there(&key_path).map_err(keep(&key_path))?;
        let authority = if let (Some(certificate), Some(key)) = (certificate, key) {
            CertificateAuthority::from_pem(&KeyAndCertificate { certificate, key }, clock.clone())?
        } else {
            let authority = CertificateAuthority::new(&format!("{}-root-ca", context(guest)), clock.clone())?;
            let pem = authority.to_pem();
            // The key first: a certificate without its key would be taken for whole.
            write_private(&key_path, &pem.key).map_err(keep(&key_path))?;
            write_private(&certificate_path, &pem.certificate).map_err(keep(&certificate_path))?;
            authority
        };
        Ok(Self {
            folder: folder.to_owned(),
            context: context(guest),
            authority,
        })
    }

    /// PEM of the authority's certificate.
    pub(super) fn authority(&self) -> &str {
        self.authority.certificate()
    }

    /// The admin's kubeconfig for a URL; made anew only where the one that is kept is for another.
    pub(super) fn kubeconfig(&self, url: &str) -> Result<String, StartGuestError> {
        let path = self.folder.join("kubeconfig");
        if let Some(text) = read_if_there(&path)
            .map_err(keep(&path))?
            .filter(|text| names_server(text, url))
        {
            return Ok(text);
        }
        let client = self.authority.issue_client(ADMIN, &[ADMINS])?;
        let text = Kubeconfig {
            cluster: &self.context,
            server: url,
            ca: self.authority(),
            users: &[User {
                name: "admin",
                context: &self.context,
                client: &client,
            }],
        }
        .text();
        write_private(&path, &text).map_err(keep(&path))?;
        Ok(text)
    }

    /// A certificate to serve with under these names and this machine's own.
    pub(super) fn certificate(&self, names: &[&str]) -> Result<KeyAndCertificate, StartGuestError> {
        let own = ["localhost", "127.0.0.1", "kubernetes.default.svc"];
        let mut all: Vec<&str> = names.iter().chain(&own).copied().collect();
        all.sort_unstable();
        all.dedup();
        Ok(self.authority.issue_server(all)?)
    }
}

/// The folder of a guest, named as its control-plane namespace.
pub(super) fn folder(home: &Path, guest: &GuestId) -> PathBuf {
    home.join(context(guest))
}

/// The folders of all guests; none where they can't be read.
pub(super) fn folders(home: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(home).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// The log of a guest's objects, as far as it is written; `None` where there is none.
pub(super) fn snapshot(folder: &Path) -> Option<Vec<u8>> {
    let storage = FileStorage::new(folder.join(STORE));
    storage.snapshot().ok()
}

/// Begins a guest's log with that of a snapshot.
pub(super) fn seed(folder: &Path, snapshot: &[u8]) -> io::Result<()> {
    if folder.join(STORE).exists() {
        return Err(has_data());
    }
    create_private_folder(folder)?;
    let mut storage = FileStorage::new(folder.join(STORE));
    storage.open()?;
    storage.append(snapshot)
}

/// Data are never overwritten.
pub(super) fn has_data() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "the guest has data already")
}

/// Deletes a guest's folder. One that cannot be deleted is left: the guest is gone all the same.
pub(super) fn delete(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %folder.display(), %error, "failed to delete a guest's folder");
    }
}

/// A kubeconfig for a guest that nobody listens for: valid, and the same for the same guest.
pub(super) fn simulated_kubeconfig(guest: &GuestId, url: &str) -> String {
    let name = context(guest);
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         current-context: {name}\n\
         clusters:\n\
         - name: {name}\n  \
           cluster:\n    \
             server: {url}\n\
         users:\n\
         - name: admin\n  \
           user:\n    \
             token: simulated\n\
         contexts:\n\
         - name: {name}\n  \
           context:\n    \
             cluster: {name}\n    \
             user: admin\n"
    )
}

fn context(guest: &GuestId) -> String {
    format!("{}-{}", guest.namespace, guest.name)
}

fn names_server(kubeconfig: &str, url: &str) -> bool {
    kubeconfig.lines().any(|line| line.trim() == format!("server: {url}"))
}

fn keep(path: &Path) -> impl FnOnce(io::Error) -> StartGuestError {
    let path = path.to_owned();
    move |source| StartGuestError::Keep { path, source }
}
