//! OADP: Velero with HyperShift's plugin, as far as hosted clusters need it. A Backup takes the objects of the namespaces
//! that it names, and what each hosted cluster's etcd holds; a Restore brings both back.
//!
//! What a backup took lies in the lab's own object storage (`crate::archive`), and is gone with the lab.

mod backup;
mod content;
mod restore;

pub(crate) use backup::Backups;
pub(crate) use restore::Restores;

const NAME: &str = "oadp";
const MANAGER: &str = "velero";
/// Where Velero looks for its objects.
const NAMESPACE: &str = "openshift-adp";
