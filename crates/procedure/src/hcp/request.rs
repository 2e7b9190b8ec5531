//! From the flags of `create cluster kubevirt` to a request: the same checks as `hcp`, in its order, in its words.

mod checks;
pub(super) mod pool;

use std::{collections::BTreeMap, path::Path};

use berth_api::{ImageContentSource, Quantity, SecretInput, ServiceType, views, yaml};
use ipnet::IpNet;

use super::{
    CreateCluster, HcpError, Outside,
    flags::Values,
    grammar::{mapping, pair, toleration},
    ssh,
};
use crate::{
    render::{Dialect, Infra, PoolRequest, Publishing, Request, Scaling, SshKey, by},
    secret::Secret,
};

impl CreateCluster {
    /// The checks that come before anything is asked of a cluster.
    pub fn check_name(&self, dialect: Dialect) -> Result<(), HcpError> {
        checks::name(&self.values, self.wait, dialect).map(|_| ())
    }

    /// Namespace and name of the HostedCluster.
    pub fn address(&self, dialect: Dialect) -> (String, String) {
        let name = checks::name(&self.values, self.wait, dialect).unwrap_or_default();
        (self.values.text("namespace"), name)
    }

    /// What the flags ask for. Files are read, and nothing is asked of a cluster.
    pub fn request(&self, outside: &mut Outside<'_>, dialect: Dialect) -> Result<Request, HcpError> {
        let flags = &self.values;
        let name = checks::name(flags, self.wait, dialect)?;
        checks::arch(flags, dialect)?;
        checks::features(flags)?;
        checks::network_options(flags)?;
        let infra_id = flags.some("infra-id").unwrap_or_else(|| infra_id(&name, outside));
        let platform = Platform::checked(flags)?;
        let shape = pool::Shape::checked(flags)?;
        let completed = shape
            .completed(flags)
            .map_err(|error| HcpError::new(format!("could not complete platform specific options: {error}")))?;
        if self.stream().is_some() {
            return Err(HcpError::new(
                "release image is required when unable to lookup default OCP version: no cluster is asked",
            ));
        }
        let annotations = pairs(flags, "annotations", "annotation", dialect)?;
        let labels = pairs(flags, "labels", "label", dialect)?;
        let pull_secret = match flags.some("pull-secret") {
            Some(path) => read(outside, &path, "pull secret")?,
            None => String::new(),
        };
        let etcd_size = etcd_size(flags)?;
        let ssh_key = ssh_key(flags, outside)?;
        checks::paused_until(flags)?;
        let cluster_network = networks(flags, "cluster-cidr", "ClusterCIDR")?;
        let service_network = networks(flags, "service-cidr", "ServiceCIDR")?;
        let machine_network = networks(flags, "machine-cidr", "MachineCIDR")?;
        let trust_bundle = flags
            .some("additional-trust-bundle")
            .map(|path| read(outside, &path, "additional trust bundle"))
            .transpose()?;
        let image_content_sources = image_content_sources(flags, outside)?;
        let tolerations = flags
            .list("toleration")
            .iter()
            .map(|text| toleration(text))
            .collect::<Result<_, _>>()?;
        let infra = platform.infra(outside)?;
        Ok(Request {
            namespace: flags.text("namespace"),
            labels,
            annotations,
            infra_id: Some(infra_id),
            release_image: self.release_image(),
            base_domain: flags.some("base-domain"),
            pull_secret: SecretInput::Content(Secret::new(pull_secret)),
            ssh_key,
            trust_bundle,
            image_content_sources,
            controller_availability: flags.text("control-plane-availability-policy"),
            infrastructure_availability: flags.some("infra-availability-policy"),
            etcd_storage_class: flags.some("etcd-storage-class"),
            etcd_size,
            node_selector: flags.map("node-selector"),
            tolerations,
            pod_labels: flags.map("pods-labels"),
            kube_api_server_dns_name: flags.some("kas-dns-name"),
            network_type: flags.text("network-type"),
            cluster_network,
            service_network,
            machine_network,
            mtu: Some(flags.number("ovn-kubernetes-mtu")).filter(|mtu| *mtu > 0),
            disable_multi_network: flags.is_set("disable-multi-network"),
            allocate_node_cidrs: flags.is_set("allocate-node-cidrs"),
            services: publishing(flags),
            infra,
            storage_classes: platform.storage_classes,
            snapshot_classes: platform.snapshot_classes,
            fips: flags.is_set("fips"),
            enabled_capabilities: flags.list("enable-cluster-capabilities"),
            disabled_capabilities: flags.list("disable-cluster-capabilities"),
            feature_set: flags.some("feature-set"),
            olm_catalog_placement: flags.text("olm-catalog-placement"),
            olm_disable_default_sources: flags.is_set("olm-disable-default-sources"),
            // As `hcp` has it: a date pauses both objects, `true` only the node pool.
            paused_until: flags.some("pausedUntil").filter(|until| until != "true"),
            encryption_key: None,
            fields: Vec::new(),
            overrides: serde_json::Map::new(),
            pools: self.pools(&name, completed, shape),
            name,
        })
    }
}

impl CreateCluster {
    /// The one pool, which has the cluster's name; none where its replicas are negative.
    fn pools(&self, name: &str, completed: pool::Completed, shape: pool::Shape) -> Vec<PoolRequest> {
        let flags = &self.values;
        let Ok(replicas) = u32::try_from(flags.number::<i32>("node-pool-replicas")) else {
            return Vec::new();
        };
        vec![PoolRequest {
            scaling: Scaling::Fixed(replicas),
            release_image: self.release_image(),
            drain_timeout: Some(flags.text("node-drain-timeout")),
            volume_detach_timeout: Some(flags.text("node-volume-detach-timeout")),
            paused_until: flags.some("pausedUntil"),
            ..pool::pool(flags, name, completed, shape)
        }]
    }
}

/// The flags about the cluster that runs the workers.
struct Platform {
    kubeconfig: Option<(String, String)>,
    storage_classes: Vec<berth_api::StorageMapping>,
    snapshot_classes: Vec<berth_api::StorageMapping>,
}

impl Platform {
    fn checked(flags: &Values) -> Result<Self, HcpError> {
        let mappings = |flag: &str, what: &str| {
            flags
                .list(flag)
                .iter()
                .map(|text| mapping(text, what))
                .collect::<Result<Vec<_>, _>>()
        };
        let storage_classes = mappings("infra-storage-class-mapping", "storageclass")?;
        let snapshot_classes = mappings("infra-volumesnapshot-class-mapping", "volume snapshot class")?;
        let missing = |given: &str, missing: &str| {
            HcpError::new(format!(
                "external infra cluster {given} was provided but {missing} is missing"
            ))
        };
        let kubeconfig = match (flags.some("infra-kubeconfig-file"), flags.some("infra-namespace")) {
            (None, Some(_)) => return Err(missing("namespace", "a kubeconfig")),
            (Some(_), None) => return Err(missing("kubeconfig", "an infra namespace")),
            (file, namespace) => file.zip(namespace),
        };
        Ok(Self {
            kubeconfig,
            storage_classes,
            snapshot_classes,
        })
    }

    fn infra(&self, outside: &Outside<'_>) -> Result<Option<Infra>, HcpError> {
        let Some((file, namespace)) = &self.kubeconfig else {
            return Ok(None);
        };
        let content = read(outside, file, "external infra cluster kubeconfig")
            .map_err(|error| HcpError::new(format!("could not generate additional resources: {error}")))?;
        Ok(Some(Infra {
            kubeconfig: SecretInput::Content(Secret::new(content)),
            namespace: namespace.clone(),
        }))
    }
}

fn pairs(flags: &Values, flag: &str, what: &str, dialect: Dialect) -> Result<BTreeMap<String, String>, HcpError> {
    let empty_keys = dialect == Dialect::Release4_17;
    flags
        .list(flag)
        .iter()
        .map(|text| pair(text, what, empty_keys))
        .collect()
}

fn etcd_size(flags: &Values) -> Result<Quantity, HcpError> {
    flags
        .some("etcd-storage-size")
        .map_or(Ok(Quantity::gibibytes(8)), |text| {
            // The misspelling is `hcp`'s own.
            quantity(&text).map_err(|why| HcpError::new(format!("failed parse ectd storage size: {why}")))
        })
}

/// An amount, or why it is none in Go's words.
fn quantity(text: &str) -> Result<Quantity, &'static str> {
    const RULE: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    text.parse().map_err(|_| {
        let number = text.trim_start_matches(['+', '-']);
        let unit = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let power = unit.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let power = power.strip_prefix(['-', '+']).unwrap_or(power);
        if unit.len() == number.len() || !power.bytes().all(|byte| byte.is_ascii_digit()) {
            RULE
        } else if number[..number.len() - unit.len()].matches('.').count() > 1 {
            "unable to parse numeric part of quantity"
        } else {
            "unable to parse quantity's suffix"
        }
    })
}

fn ssh_key(flags: &Values, outside: &Outside<'_>) -> Result<Option<SshKey>, HcpError> {
    match (flags.some("ssh-key"), flags.is_set("generate-ssh")) {
        (Some(_), true) => Err(HcpError::new(
            "--generate-ssh and --ssh-key cannot be specified together",
        )),
        (Some(path), false) => {
            let public = read(outside, &path, "ssh key")?;
            // As `hcp` has it: an empty file is no key.
            Ok((!public.is_empty()).then_some(SshKey { public, private: None }))
        }
        (None, true) => {
            let failed = |why: &str| HcpError::new(format!("failed to generate ssh keys: {why}"));
            let pkcs8 = (outside.rsa_key)().map_err(|why| failed(&why))?;
            ssh::key(&pkcs8)
                .map(Some)
                .ok_or_else(|| failed("what was made is no RSA key"))
        }
        (None, false) => Ok(None),
    }
}

fn networks(flags: &Values, flag: &str, word: &str) -> Result<Vec<String>, HcpError> {
    let parse = |text: &String| {
        let net = text.parse::<IpNet>();
        net.map(|net| net.to_string())
            .map_err(|_| HcpError::new(format!("parsing {word} ({text}): invalid CIDR address: {text}")))
    };
    flags.list(flag).iter().map(parse).collect()
}

fn image_content_sources(flags: &Values, outside: &Outside<'_>) -> Result<Vec<ImageContentSource>, HcpError> {
    let Some(path) = flags.some("image-content-sources") else {
        return Ok(Vec::new());
    };
    let text = read(outside, &path, "image content sources")?;
    let error = |why: &str| HcpError::new(format!("unable to deserialize image content sources file: {why}"));
    let documents = yaml::parse(&text).map_err(|problem| error(&problem.message))?;
    let entries = documents
        .first()
        .and_then(serde_json::Value::as_array)
        .ok_or_else(|| error("not a list"))?;
    let mirrors = |entry| {
        views::list(entry, &["mirrors"])
            .iter()
            .filter_map(|mirror| mirror.as_str())
            .map(str::to_owned)
    };
    Ok(entries
        .iter()
        .map(|entry| ImageContentSource {
            source: views::text(entry, &["source"]).unwrap_or_default().to_owned(),
            mirrors: mirrors(entry).collect(),
        })
        .collect())
}

fn publishing(flags: &Values) -> Publishing {
    let external = flags.some("external-dns-domain").is_some();
    Publishing {
        api_server: by(if external {
            ServiceType::Route
        } else {
            ServiceType::LoadBalancer
        }),
        ignition: by(ServiceType::Route),
        konnectivity: by(ServiceType::Route),
        oauth_server: by(ServiceType::Route),
    }
}

/// An infrastructure ID from a name: its first characters, and five that are random.
fn infra_id(name: &str, outside: &mut Outside<'_>) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut base = String::new();
    for c in name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }) {
        if !(c == '-' && base.ends_with('-')) {
            base.push(c);
        }
    }
    base.truncate(21);
    let mut random = [0; 5];
    (outside.random)(&mut random);
    let suffix: String = random
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect();
    format!("{}-{suffix}", base.trim_end_matches('-'))
}

/// A file's text; errors are in Go's words.
fn read(outside: &Outside<'_>, path: &str, what: &str) -> Result<String, HcpError> {
    let error = |why: String| HcpError::new(format!("failed to read {what} file: {why}"));
    let bytes = (outside.read)(Path::new(path)).map_err(|cause| {
        let why = match cause.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => cause.to_string(),
        };
        error(format!("open {path}: {why}"))
    })?;
    String::from_utf8(bytes).map_err(|_| error(format!("{path} is not text")))
}
