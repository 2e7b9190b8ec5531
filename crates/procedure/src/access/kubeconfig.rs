//! Kubeconfigs as values: one context of one, a guest's context put into a user's, and a user that is a credential plugin.
//!
//! Errors never repeat a piece of the text: it holds keys.

use berth_api::{views, yaml};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::address::{origin, without_secrets};
use super::certificate::certificates;
use crate::read::{decoded, text};
use crate::secret::Secret;

/// The API that a credential plugin speaks.
const CLIENT_AUTHENTICATION: &str = "client.authentication.k8s.io/v1";

/// What a kubeconfig is made of.
const LISTS: [&str; 3] = ["clusters", "contexts", "users"];

/// Why a kubeconfig can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigError {
    /// It is no YAML, or no mapping.
    #[error("it is no kubeconfig")]
    NotOne,
    /// It has no such context.
    #[error("it has no context `{0}`")]
    NoContext(String),
    /// It names no current context.
    #[error("it has no current context")]
    NoCurrent,
    /// A context names a cluster or a user that is not there.
    #[error("its context `{context}` names the {what} `{name}`, which is not in it")]
    Dangling {
        /// The context.
        context: String,
        /// `cluster` or `user`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Something of the same name is there, and it is not this guest's.
    #[error("it has another {what} `{name}`{detail}")]
    Taken {
        /// `cluster`, `context` or `user`.
        what: &'static str,
        /// Its name.
        name: String,
        /// What it is for, where that can be told.
        detail: String,
    },
    /// There is no certificate with its key to hand out.
    #[error("it holds no client certificate with its key")]
    NoCertificate,
}

/// One context of a kubeconfig: where it leads, whom it trusts, and as whom one comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Name of the context.
    pub context: String,
    /// URL of the API server, without a user name and password.
    pub server: String,
    /// The name that the server's certificate must be for, where it is not the URL's.
    pub tls_server_name: Option<String>,
    /// PEM of the authorities that are trusted; `None` where it names none.
    pub ca: Option<String>,
    /// Whether any server is trusted.
    pub trusts_all: bool,
    /// PEM of the client's certificate.
    pub certificate: Option<String>,
    /// PEM of its key.
    pub key: Option<Secret>,
    /// A bearer token.
    pub token: Option<Secret>,
    /// Whether it has a user name and password, which API servers don't take any longer.
    pub has_password: bool,
    /// Scheme, host and port of the proxy that requests go through: nothing of it that may be secret.
    pub proxy: Option<String>,
    /// The credential plugin.
    pub plugin: Option<Plugin>,
}

/// A program that fetches credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Plugin {
    /// The program.
    pub command: String,
    /// The guest, as NAMESPACE/NAME, whose admin certificate it fetches, where it is called as Berth calls itself.
    pub guest: Option<String>,
}

/// What a guest's cluster, context and user are called in a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The context, and the cluster.
    pub context: String,
    /// The user.
    pub user: String,
}

/// What became of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The kubeconfig as YAML. It may hold keys.
    pub text: Secret,
    /// Whether the guest's context is the current one.
    pub is_current: bool,
}

/// What a credential plugin hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The `ExecCredential`, as JSON. It holds a key.
    pub json: Secret,
    /// When the certificate ends.
    pub ends: Timestamp,
}

/// How a credential plugin is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecUser {
    /// The program.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables that it needs besides the caller's own.
    pub environment: Vec<(String, String)>,
}

// === impl Entry ===

impl Entry {
    /// A context of a kubeconfig (the current one where none is named). `read` gives the contents of files that it names.
    pub fn read(
        kubeconfig: &str,
        context: Option<&str>,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, KubeconfigError> {
        let config = parsed(kubeconfig)?;
        let context = match context {
            Some(context) => context,
            None => text(&config, &["current-context"]).ok_or(KubeconfigError::NoCurrent)?,
        };
        let entry = named(&config, "contexts", context)
            .and_then(|entry| entry.get("context"))
            .ok_or_else(|| KubeconfigError::NoContext(context.to_owned()))?;
        let part = |what: &'static str, list: &str| {
            let name = text(entry, &[what]).unwrap_or_default();
            let found = named(&config, list, name).and_then(|found| found.get(what));
            found.ok_or_else(|| KubeconfigError::Dangling {
                context: context.to_owned(),
                what,
                name: name.to_owned(),
            })
        };
        let (cluster, user) = (part("cluster", "clusters")?, part("user", "users")?);
        let data = |object: &Value, field: &str| {
            let inline = decoded(object, &[&format!("{field}-data")]);
            inline.or_else(|| text(object, &[field]).and_then(read))
        };
        let own = |object: &Value, field: &str| text(object, &[field]).map(str::to_owned);
        Ok(Self {
            context: context.to_owned(),
            server: text(cluster, &["server"]).map(without_secrets).unwrap_or_default(),
            tls_server_name: own(cluster, "tls-server-name"),
            ca: data(cluster, "certificate-authority"),
            certificate: data(user, "client-certificate"),
            key: data(user, "client-key").map(Secret::new),
            trusts_all: views::flag(cluster, &["insecure-skip-tls-verify"]).unwrap_or_default(),
            // As clients take it: the file, where it can be read.
            token: text(user, &["tokenFile"])
                .and_then(read)
                .map(|token| token.trim().to_owned())
                .filter(|token| !token.is_empty())
                .or_else(|| own(user, "token"))
                .map(Secret::new),
            has_password: text(user, &["username"])
                .or_else(|| text(user, &["password"]))
                .is_some(),
            proxy: text(cluster, &["proxy-url"]).map(origin),
            plugin: user.get("exec").and_then(Plugin::of),
        })
    }

    /// Whether it comes with credentials that can be tried.
    pub fn has_credentials(&self) -> bool {
        self.sends_certificate() || self.token.is_some()
    }

    /// Whether it shows a certificate of its own.
    pub fn sends_certificate(&self) -> bool {
        self.certificate.is_some() && self.key.is_some()
    }

    /// Whether its credentials are fetched by a program, so that an attempt is made without.
    pub fn leaves_credentials_out(&self) -> bool {
        self.plugin.is_some() && !self.has_credentials()
    }
}

// === impl Plugin ===

impl Plugin {
    /// Of its arguments nothing is kept but whom they are for: they may be secret.
    fn of(exec: &Value) -> Option<Self> {
        let command = text(exec, &["command"])?.to_owned();
        let arguments: Vec<_> = views::list(exec, &["args"]).iter().map(Value::as_str).collect();
        let guest = match &arguments[..] {
            [.., Some("kubeconfig"), Some(guest), Some("--credential")] => Some((*guest).to_owned()),
            _ => None,
        };
        Some(Self { command, guest })
    }
}

// === impl Names ===

impl Names {
    /// As `hcp create kubeconfig` calls those of several guests, unless another name is given for the context.
    pub fn of(namespace: &str, name: &str, context: Option<&str>) -> Self {
        let context = context.map_or_else(|| format!("{namespace}-{name}"), str::to_owned);
        Self {
            user: format!("{context}-admin"),
            context,
        }
    }
}

/// A kubeconfig with nothing but the guest's current context, under these names.
pub fn own(kubeconfig: &str, names: &Names) -> Result<Value, KubeconfigError> {
    let config = parsed(kubeconfig)?;
    let first = |list: &str, what: &str| {
        let entry = views::list(&config, &[list]).first();
        entry
            .and_then(|entry| entry.get(what))
            .cloned()
            .ok_or(KubeconfigError::NotOne)
    };
    let (cluster, user) = (first("clusters", "cluster")?, first("users", "user")?);
    let Names { context, user: called } = names;
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": context, "cluster": cluster }],
        "contexts": [{ "name": context, "context": { "cluster": context, "namespace": "default", "user": called } }],
        "current-context": context,
        "users": [{ "name": called, "user": user }],
    }))
}

/// The same kubeconfig with a user that asks a program for its certificate each time.
#[must_use]
pub fn with_exec(mut own: Value, exec: &ExecUser) -> Value {
    let ExecUser {
        command,
        arguments,
        environment,
    } = exec;
    let mut plugin = json!({
        "apiVersion": CLIENT_AUTHENTICATION,
        "command": command,
        "args": arguments,
        "interactiveMode": "Never",
        "provideClusterInfo": false,
        "installHint": "berth fetches the guest's current certificate from its management cluster; install it, or make this \
                        kubeconfig anew where it is",
    });
    if !environment.is_empty() {
        let environment = environment
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }));
        plugin["env"] = environment.collect();
    }
    own["users"][0]["user"] = json!({ "exec": plugin });
    own
}

/// The user's kubeconfig with a guest's context in it. All else stays as it is, but for comments.
///
/// `others` are the files that make one kubeconfig together with it, and come after it. What is there already under the
/// guest's names, in any of them, is replaced if it leads to the same API server or trusts the same authority; otherwise it is
/// somebody else's, and only `force` replaces it. The current context stays, unless there is none in any of them or `switch`
/// asks for the guest's.
pub fn merge(
    existing: &str,
    others: &[String],
    own: &Value,
    force: bool,
    switch: bool,
) -> Result<Merged, KubeconfigError> {
    let mut config = if existing.trim().is_empty() {
        json!({ "apiVersion": "v1", "kind": "Config" })
    } else {
        parsed(existing)?
    };
    let all = together(&config, others);
    if !force {
        not_taken(&all, own)?;
    }
    for list in LISTS {
        put(&mut config, list, &own[list][0]);
    }
    let current = text(&all, &["current-context"]);
    if switch || current.is_none() {
        config["current-context"] = own["current-context"].clone();
    }
    Ok(Merged {
        text: Secret::new(yaml::to_string(&config)),
        is_current: switch || current.is_none() || current == text(own, &["current-context"]),
    })
}

/// Several files as one, as every client takes them: of what has one name, the first file's counts.
fn together(first: &Value, others: &[String]) -> Value {
    let mut all = first.clone();
    // One that can't be read makes no kubeconfig with the others: nothing of it is anybody's.
    for other in others.iter().filter_map(|other| parsed(other).ok()) {
        if text(&all, &["current-context"]).is_none() {
            all["current-context"] = other["current-context"].clone();
        }
        for list in LISTS {
            let entries = [views::list(&all, &[list]), views::list(&other, &[list])].concat();
            all[list] = entries.into();
        }
    }
    all
}

/// Whether a text has comments, which a merge can't keep.
pub fn has_comments(text: &str) -> bool {
    let (mut before, mut quote) = ('\n', None);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if let Some(open) = quote {
            match character {
                _ if character == open => quote = None,
                // What is escaped ends nothing.
                '\\' if open == '"' => drop(characters.next()),
                _ => {}
            }
        } else if character == '#' && before.is_whitespace() {
            return true;
        } else if matches!(character, '"' | '\'')
            // Within a word they are part of it; two in a row are one that ends nothing.
            && (before.is_whitespace() || "[{,:".contains(before) || before == character)
        {
            quote = Some(character);
        }
        before = character;
    }
    false
}

/// What a kubeconfig's current user hands out as a credential plugin.
pub fn credential(kubeconfig: &str) -> Result<Credential, KubeconfigError> {
    let entry = Entry::read(kubeconfig, None, &|_| None)?;
    let (Some(certificate), Some(key)) = (&entry.certificate, &entry.key) else {
        return Err(KubeconfigError::NoCertificate);
    };
    let own = certificates(certificate)
        .into_iter()
        .next()
        .ok_or(KubeconfigError::NoCertificate)?;
    let credential = json!({
        "apiVersion": CLIENT_AUTHENTICATION,
        "kind": "ExecCredential",
        "spec": { "interactive": false },
        "status": {
            "expirationTimestamp": own.not_after.to_string(),
            "clientCertificateData": certificate,
            "clientKeyData": key.reveal(),
        },
    });
    Ok(Credential {
        json: Secret::new(format!("{credential:#}")),
        ends: own.not_after,
    })
}

/// Refuses where something under the guest's names is for something else.
fn not_taken(config: &Value, own: &Value) -> Result<(), KubeconfigError> {
    let name = |value: &Value| text(value, &["name"]).unwrap_or_default().to_owned();
    let taken = |what, name: String, detail: String| Err(KubeconfigError::Taken { what, name, detail });
    let (cluster, context, user) = (&own["clusters"][0], &own["contexts"][0], &own["users"][0]);
    if let Some(there) = named(config, "clusters", &name(cluster)) {
        let same = |field: &str| {
            let of = |entry: &Value| text(entry, &["cluster", field]).map(str::to_owned);
            of(there).is_some() && of(there) == of(cluster)
        };
        if !same("server") && !same("certificate-authority-data") {
            let server = text(there, &["cluster", "server"]).map_or("no server".to_owned(), without_secrets);
            return taken("cluster", name(cluster), format!(", for {server}"));
        }
    }
    let there = named(config, "contexts", &name(context));
    if let Some(there) = there {
        let leads = |field: &str| text(there, &["context", field]).unwrap_or_default();
        if leads("cluster") != name(cluster) || leads("user") != name(user) {
            let detail = format!(", for the cluster `{}` as `{}`", leads("cluster"), leads("user"));
            return taken("context", name(context), detail);
        }
    }
    // A user of this name that our context uses is what an earlier merge left.
    if there.is_none() && named(config, "users", &name(user)).is_some_and(|there| there != user) {
        return taken("user", name(user), String::new());
    }
    Ok(())
}

/// Puts an entry into a list, in the place of the one of its name.
fn put(config: &mut Value, list: &str, entry: &Value) {
    if !config[list].is_array() {
        config[list] = json!([]);
    }
    let Some(entries) = config[list].as_array_mut() else {
        return;
    };
    match entries.iter_mut().find(|there| there["name"] == entry["name"]) {
        Some(there) if list == "contexts" => {
            // A namespace that the user chose for the context is the user's.
            let chosen = there["context"].get("namespace").cloned();
            *there = entry.clone();
            if let Some(namespace) = chosen {
                there["context"]["namespace"] = namespace;
            }
        }
        Some(there) => *there = entry.clone(),
        None => entries.push(entry.clone()),
    }
}

fn parsed(text: &str) -> Result<Value, KubeconfigError> {
    let mut documents = yaml::parse(text).map_err(|_| KubeconfigError::NotOne)?.into_iter();
    match (documents.next(), documents.next()) {
        (Some(config @ Value::Object(_)), None) => Ok(config),
        (None, None) => Ok(Value::Object(Map::new())),
        _ => Err(KubeconfigError::NotOne),
    }
}

fn named<'a>(config: &'a Value, list: &str, name: &str) -> Option<&'a Value> {
    let mut entries = views::list(config, &[list]).iter();
    entries.find(|entry| views::text(entry, &["name"]) == Some(name))
}
