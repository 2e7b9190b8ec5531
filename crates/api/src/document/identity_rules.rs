//! What a schema can't say of an identity section: what would leave nobody able to log in, or would be refused only after
//! `kubeadmin` is gone.

use serde_json::Value;

use super::rules::{Breach, breach};
use super::structure::quoted;
use crate::{
    guest_cluster::ProviderKind,
    views::{at, flag, list, number, text},
};

const SECTION: &str = "spec.identity";

/// Everything that is wrong with the identity section beyond its structure.
pub(super) fn check(document: &Value, breaches: &mut Vec<Breach>) {
    let Some(section) = document.pointer("/spec/identity").filter(|section| section.is_object()) else {
        return;
    };
    check_whole(document, section, breaches);
    check_names(section, breaches);
    for (index, provider) in list(section, &["providers"]).iter().enumerate() {
        let path = format!("{SECTION}.providers[{index}]");
        check_kind(provider, &path, breaches);
        check_test_user(provider, &path, breaches);
        Provider { provider, path }.check(breaches);
    }
    if let Some(oidc) = section.get("oidc") {
        check_oidc(oidc, breaches);
    }
}

fn check_whole(document: &Value, section: &Value, breaches: &mut Vec<Breach>) {
    let providers = list(section, &["providers"]);
    match (providers.is_empty(), given(section, "oidc")) {
        (true, false) => breaches.push(breach(
            SECTION,
            "there is no provider here: even an empty section upstream removes kubeadmin, and nobody could log in",
            "add `providers` or `oidc`, or leave `identity` out",
        )),
        (false, true) => breaches.push(breach(
            format!("{SECTION}.oidc"),
            "`oidc` takes the place of the OAuth server that `providers` are for",
            "leave one of them out",
        )),
        _ => {}
    }
    let admins = |which| list(section, &["clusterAdmins", which]);
    if section.get("clusterAdmins").is_some_and(Value::is_object) {
        if admins("users").is_empty() && admins("groups").is_empty() {
            breaches.push(breach(
                format!("{SECTION}.clusterAdmins"),
                "any provider removes kubeadmin, and nobody here may do everything after that (A03)",
                "name `users` or `groups`",
            ));
        }
        for (which, name) in ["users", "groups"].into_iter().flat_map(|which| {
            admins(which)
                .iter()
                .enumerate()
                .map(move |(index, name)| (format!("{which}[{index}]"), name))
        }) {
            if name.as_str().is_some_and(|name| name.trim().is_empty()) {
                let field = format!("{SECTION}.clusterAdmins.{which}");
                breaches.push(breach(field, "this is empty", "write a name"));
            }
        }
    }
    // Cluster operators and the OAuth server's way out run on workers (A04).
    let pools = list(document, &["spec", "nodePools"]);
    let works = |pool: &Value| match at(pool, &["autoscaling", "min"]) {
        Some(_) => number(pool, &["autoscaling", "max"]) != Some(0),
        None => number(pool, &["replicas"]) != Some(0),
    };
    if !pools.iter().any(works) {
        breaches.push(breach(
            SECTION,
            "identity providers need workers, and this guest has none (A04)",
            "give a pool at least one replica",
        ));
    }
    for field in ["oauth", "authentication"] {
        if at(
            document,
            &["spec", "overrides", "hostedCluster", "configuration", field],
        )
        .is_some()
        {
            breaches.push(breach(
                format!("spec.overrides.hostedCluster.configuration.{field}"),
                format!("`identity` and this both set `spec.configuration.{field}`"),
                "leave one of them out",
            ));
        }
    }
}

/// A name is a part of a path and of an identity (`name:user`).
fn check_names(section: &Value, breaches: &mut Vec<Breach>) {
    let mut seen: Vec<&str> = Vec::new();
    for (index, provider) in list(section, &["providers"]).iter().enumerate() {
        let Some(name) = text(provider, &["name"]).filter(|name| !name.is_empty()) else {
            continue;
        };
        let field = format!("{SECTION}.providers[{index}].name");
        if name == "." || name == ".." || name.contains(['/', '%', ':']) || name.trim() != name {
            let cause = format!("`{name}` can't be a provider's name: it becomes part of a path");
            breaches.push(breach(&field, cause, "leave `/`, `%`, `:` and spaces at the ends out"));
        }
        // Names of the Secrets that hold a provider's secrets are made of it.
        if seen.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            let cause = format!("a second provider is called `{name}`");
            breaches.push(breach(&field, cause, "give each provider its own name"));
        }
        seen.push(name);
    }
}

fn check_kind(provider: &Value, path: &str, breaches: &mut Vec<Breach>) {
    let kinds = || ProviderKind::ALL.into_iter().map(ProviderKind::block);
    let found: Vec<&str> = kinds().filter(|kind| given(provider, kind)).collect();
    if found.len() != 1 && provider.is_object() {
        let cause = match found.as_slice() {
            [] => "the provider is of no kind".to_owned(),
            found => format!(
                "the provider is of {} kinds: {}",
                found.len(),
                quoted(found.iter().copied())
            ),
        };
        breaches.push(breach(path, cause, format!("write exactly one of {}", quoted(kinds()))));
    }
}

fn check_test_user(provider: &Value, path: &str, breaches: &mut Vec<Breach>) {
    if !given(provider, "testUser") {
        return;
    }
    let browser = ["github", "google", "requestHeader"]
        .into_iter()
        .find(|kind| given(provider, kind));
    if let Some(kind) = browser {
        breaches.push(breach(
            format!("{path}.testUser"),
            format!("a login by `{kind}` goes through a browser and can't be tried with a password"),
            "leave `testUser` out: `berth identity confirm` is for that",
        ));
    }
}

/// One provider, and where it stands.
struct Provider<'a> {
    provider: &'a Value,
    path: String,
}

impl Provider<'_> {
    fn check(&self, breaches: &mut Vec<Breach>) {
        self.block("htpasswd", breaches, htpasswd);
        self.block("openID", breaches, |block, path, breaches| {
            check_issuer(block, "issuer", path, breaches);
        });
        self.block("ldap", breaches, ldap);
        self.block("github", breaches, |block, path, breaches| {
            self.github(block, path, breaches);
        });
        self.block("gitlab", breaches, |block, path, breaches| {
            check_https(block, "url", path, breaches);
        });
        self.block("google", breaches, |block, path, breaches| {
            self.google(block, path, breaches);
        });
        for kind in ["keystone", "basicAuth"] {
            self.block(kind, breaches, |block, path, breaches| {
                check_https(block, "url", path, breaches);
                check_together(block, ["tlsClientCert", "tlsClientKey"], path, breaches);
            });
        }
        self.block("requestHeader", breaches, request_header);
    }

    fn block(&self, kind: &str, breaches: &mut Vec<Breach>, check: impl FnOnce(&Value, &str, &mut Vec<Breach>)) {
        if let Some(block) = self.provider.get(kind).filter(|block| block.is_object()) {
            check(block, &format!("{}.{kind}", self.path), breaches);
        }
    }

    fn is_lookup(&self) -> bool {
        text(self.provider, &["mappingMethod"]) == Some("lookup")
    }

    fn github(&self, block: &Value, path: &str, breaches: &mut Vec<Breach>) {
        let (organizations, teams) = (list(block, &["organizations"]), list(block, &["teams"]));
        if !organizations.is_empty() && !teams.is_empty() {
            let cause = "`organizations` and `teams` exclude each other";
            breaches.push(breach(format!("{path}.teams"), cause, "leave one of them out"));
        }
        let hostname = text(block, &["hostname"]);
        if organizations.is_empty() && teams.is_empty() && hostname.is_none() && !self.is_lookup() {
            let cause = "anybody with an account at github.com could log in";
            let fix = "name `organizations` or `teams`, or map users by `lookup`";
            breaches.push(breach(path, cause, fix));
        }
        if hostname.is_some_and(|host| host == "github.com" || host.ends_with(".github.com")) {
            let cause = "`hostname` is for a GitHub Enterprise of one's own";
            breaches.push(breach(format!("{path}.hostname"), cause, "leave it out for github.com"));
        }
        for (index, team) in teams.iter().enumerate() {
            let Some(team) = team.as_str() else { continue };
            let parts: Vec<&str> = team.split('/').collect();
            if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
                let cause = format!("`{team}` is not a team");
                breaches.push(breach(
                    format!("{path}.teams[{index}]"),
                    cause,
                    "write it as `organization/team`",
                ));
            }
        }
    }

    fn google(&self, block: &Value, path: &str, breaches: &mut Vec<Breach>) {
        if !given(block, "hostedDomain") && !self.is_lookup() {
            let cause = "anybody with an account at Google could log in";
            let fix = "name `hostedDomain`, or map users by `lookup`";
            breaches.push(breach(path, cause, fix));
        }
    }
}

fn htpasswd(block: &Value, path: &str, breaches: &mut Vec<Breach>) {
    let mut seen: Vec<&str> = Vec::new();
    for (index, user) in list(block, &["users"]).iter().enumerate() {
        let Some(name) = text(user, &["name"]).filter(|name| !name.is_empty()) else {
            continue;
        };
        let field = format!("{path}.users[{index}].name");
        if name.contains(|c: char| c == ':' || c.is_whitespace() || c.is_control()) || name.starts_with('#') {
            let cause = format!("`{name}` can't be a user of an htpasswd file");
            breaches.push(breach(&field, cause, "leave `:`, spaces and a leading `#` out"));
        }
        if seen.contains(&name) {
            let cause = format!("a second user is called `{name}`");
            breaches.push(breach(&field, cause, "name each user once"));
        }
        seen.push(name);
    }
}

fn ldap(block: &Value, path: &str, breaches: &mut Vec<Breach>) {
    check_together(block, ["bindDN", "bindPassword"], path, breaches);
    let url = text(block, &["url"]).unwrap_or_default();
    if let Some(problem) = ldap_problem(url).filter(|_| !url.is_empty()) {
        breaches.push(breach(
            format!("{path}.url"),
            format!("`{url}` is not an LDAP URL: {problem}"),
            "write it as `ldaps://HOST/BASE?ATTRIBUTE?SCOPE?FILTER`; the parts after BASE may be left out",
        ));
    }
    let insecure = flag(block, &["insecure"]) == Some(true);
    if insecure && url.starts_with("ldaps:") {
        let cause = "`insecure` means without TLS, and the URL says `ldaps`";
        breaches.push(breach(format!("{path}.insecure"), cause, "leave one of them out"));
    } else if insecure && given(block, "ca") {
        let cause = "without TLS there is nothing to trust: `ca` would be ignored";
        breaches.push(breach(format!("{path}.ca"), cause, "leave `ca` or `insecure` out"));
    }
}

fn request_header(block: &Value, path: &str, breaches: &mut Vec<Breach>) {
    let urls = ["loginURL", "challengeURL"];
    if urls.iter().all(|name| !given(block, name)) {
        let cause = "without `loginURL` and `challengeURL` nobody is sent to the proxy";
        breaches.push(breach(path, cause, "write one of them"));
    }
    for name in urls {
        let Some(url) = text(block, &[name]) else { continue };
        check_https(block, name, path, breaches);
        if !url.contains("${url}") && !url.contains("${query}") {
            let cause = format!("`{name}` must say where to come back to");
            let fix = "put `${url}` or `${query}` into it, as in `https://proxy.example.com/login?${query}`";
            breaches.push(breach(format!("{path}.{name}"), cause, fix));
        }
    }
}

fn check_oidc(oidc: &Value, breaches: &mut Vec<Breach>) {
    let path = format!("{SECTION}.oidc");
    check_issuer(oidc, "issuer", &path, breaches);
    check_issuer(oidc, "discoveryURL", &path, breaches);
    let trimmed = |name| text(oidc, &[name]).map(|url| url.trim_end_matches('/'));
    if trimmed("discoveryURL").is_some_and(|url| Some(url) == trimmed("issuer")) {
        let cause = "the issuer's own URL is where discovery looks anyway";
        breaches.push(breach(format!("{path}.discoveryURL"), cause, "leave it out"));
    }
    for name in ["username", "groups"] {
        let Some(value) = oidc.get(name).filter(|value| value.is_object()) else {
            continue;
        };
        let field = format!("{path}.{name}");
        if given(value, "claim") == given(value, "expression") {
            let cause = format!("`{name}` is a claim or an expression");
            breaches.push(breach(&field, cause, "write exactly one of `claim`, `expression`"));
        }
        if given(value, "expression") && text(value, &["prefix"]).is_some_and(|prefix| !prefix.is_empty()) {
            let cause = "an expression makes the whole name: a prefix does not go with it";
            breaches.push(breach(format!("{field}.prefix"), cause, "put it into the expression"));
        }
    }
    for key in oidc
        .get("extra")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|extra| extra.keys())
    {
        let domain = key.split_once('/').map(|(domain, _)| domain);
        let reserved = ["kubernetes.io", "k8s.io", "openshift.io"];
        let is_reserved = |domain: &str| {
            reserved
                .iter()
                .any(|reserved| domain == *reserved || domain.ends_with(&format!(".{reserved}")))
        };
        if domain.is_none_or(|domain| domain.is_empty() || is_reserved(domain)) {
            let cause = format!("`{key}` can't be a key of what is known of a user");
            let fix = "write a domain of your own and a path, as `example.com/department`";
            breaches.push(breach(format!("{path}.extra"), cause, fix));
        }
    }
    let mut seen = Vec::new();
    for (index, client) in list(oidc, &["clients"]).iter().enumerate() {
        let name = (text(client, &["componentNamespace"]), text(client, &["componentName"]));
        if seen.contains(&name) {
            let cause = "a second client is for this component";
            breaches.push(breach(
                format!("{path}.clients[{index}]"),
                cause,
                "name each component once",
            ));
        }
        seen.push(name);
    }
}

/// Why none of the admins could ever log in, where that can be told: every user is known, and no group could make up for it.
pub(super) fn nobody_is_admin(
    document: &Value,
    file: &dyn Fn(&str) -> Option<Vec<String>>,
) -> Option<(String, &'static str)> {
    let section = document.pointer("/spec/identity")?;
    let admins: Vec<&str> = list(section, &["clusterAdmins", "users"])
        .iter()
        .filter_map(Value::as_str)
        .collect();
    // A group may be there already, or be made by hand.
    if admins.is_empty() || !list(section, &["clusterAdmins", "groups"]).is_empty() {
        return None;
    }
    let providers = list(section, &["providers"]);
    if providers.is_empty() || given(section, "oidc") {
        return None;
    }
    let mut known: Vec<String> = Vec::new();
    for (index, provider) in providers.iter().enumerate() {
        let block = provider.get("htpasswd")?;
        match block.get("users").and_then(Value::as_array) {
            Some(users) => known.extend(users.iter().filter_map(|user| Some(text(user, &["name"])?.to_owned()))),
            None => known.extend(file(&format!("providers[{index}].htpasswd"))?),
        }
    }
    if admins.iter().any(|admin| known.iter().any(|user| user == admin)) {
        return None;
    }
    let who = known.iter().take(5).map(String::as_str);
    let cause = format!(
        "none of the cluster admins is among the users that can log in: {}",
        quoted(who)
    );
    Some((cause, "name one of them under `clusterAdmins.users`"))
}

fn given(object: &Value, name: &str) -> bool {
    object.get(name).is_some_and(|value| !value.is_null())
}

fn check_together(block: &Value, names: [&str; 2], path: &str, breaches: &mut Vec<Breach>) {
    let [one, other] = names;
    for (there, missing) in [(one, other), (other, one)] {
        if given(block, there) && !given(block, missing) {
            breaches.push(breach(
                format!("{path}.{there}"),
                format!("`{there}` is nothing without `{missing}`"),
                format!("add `{missing}`"),
            ));
        }
    }
}

/// An issuer is compared letter by letter with what is in its tokens: https, nothing behind the path.
fn check_issuer(block: &Value, name: &str, path: &str, breaches: &mut Vec<Breach>) {
    let Some(url) = text(block, &[name]).filter(|url| !url.is_empty()) else {
        return;
    };
    check_https(block, name, path, breaches);
    if url.contains(['?', '#']) {
        let cause = format!("`{url}` has a query or a fragment");
        breaches.push(breach(
            format!("{path}.{name}"),
            cause,
            "leave what follows the path out",
        ));
    }
}

fn check_https(block: &Value, name: &str, path: &str, breaches: &mut Vec<Breach>) {
    let Some(url) = text(block, &[name]).filter(|url| !url.is_empty()) else {
        return;
    };
    let authority = url.strip_prefix("https://").map(authority);
    let problem = match authority {
        None => Some("is not https"),
        Some(authority) if authority.contains('@') => Some("names a user"),
        Some(authority) if !is_host(authority) => Some("names no host"),
        Some(_) if url.contains(char::is_whitespace) => Some("has a space in it"),
        Some(_) => None,
    };
    if let Some(problem) = problem {
        // A user part may hold a password.
        let shown = if problem == "names a user" {
            "this"
        } else {
            &format!("`{url}`")
        };
        breaches.push(breach(
            format!("{path}.{name}"),
            format!("{shown} {problem}"),
            "write it as `https://HOST/PATH`",
        ));
    }
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn is_host(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    !host.is_empty()
        && host.chars().all(plain)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Why a text is no LDAP URL (RFC 2255).
fn ldap_problem(url: &str) -> Option<&'static str> {
    let Some(rest) = url.strip_prefix("ldaps://").or_else(|| url.strip_prefix("ldap://")) else {
        return Some("it begins with neither `ldaps://` nor `ldap://`");
    };
    let host = authority(rest);
    if !is_host(host) {
        return Some("it names no host");
    }
    let behind = rest[host.len()..].strip_prefix('/').unwrap_or_default();
    let mut parts = behind.split('?');
    let base = parts.next().unwrap_or_default();
    if base.is_empty() {
        return Some("it names no base to search");
    }
    if !base.contains('=') {
        return Some("its base is no distinguished name, as `ou=people,dc=example,dc=com`");
    }
    let _attribute = parts.next();
    let scope = parts.next().unwrap_or_default();
    if !["", "base", "one", "sub"].contains(&scope) {
        return Some("its scope is none of `base`, `one`, `sub`");
    }
    let filter = parts.next().unwrap_or_default();
    let closes = filter.matches('(').count() == filter.matches(')').count();
    let is_closed = filter.starts_with('(') && filter.ends_with(')') && closes;
    if !filter.is_empty() && !is_closed {
        return Some("its filter is not in matching parentheses");
    }
    (parts.next().is_some_and(|extensions| !extensions.is_empty())).then_some("it has extensions, which are not known")
}

#[cfg(test)]
mod tests;
