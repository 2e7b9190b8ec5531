//! Kubeconfigs of several guests as one, as `create kubeconfig` without a name prints them.

use berth_api::{views, yaml};
use serde_json::json;

use super::HcpError;

/// One kubeconfig from those of several guests, each with its HostedCluster's namespace and name. The first is current.
///
/// Of each kubeconfig the first cluster and the first user are taken; cluster and context are called
/// `<namespace>-<name>`, the user `<namespace>-<name>-admin`.
pub fn merged(guests: &[(&str, &str, &str)]) -> Result<String, HcpError> {
    let (mut clusters, mut contexts, mut users) = (Vec::new(), Vec::new(), Vec::new());
    for (namespace, name, kubeconfig) in guests {
        let failed = |why: &str| {
            HcpError::new(format!(
                "failed to make kubeconfig: kubeconfig of {namespace}/{name} {why}"
            ))
        };
        let config = yaml::parse(kubeconfig)
            .map_err(|_| failed("is not YAML"))?
            .into_iter()
            .next()
            .unwrap_or_default();
        let first = |list: &str, entry: &str| views::list(&config, &[list]).first()?.get(entry).cloned();
        let cluster = first("clusters", "cluster").ok_or_else(|| failed("has no cluster"))?;
        let user = first("users", "user").ok_or_else(|| failed("has no user"))?;
        let called = format!("{namespace}-{name}");
        let admin = format!("{called}-admin");
        clusters.push(json!({"name": called, "cluster": cluster}));
        contexts.push(json!({
            "name": called,
            "context": {"cluster": called, "namespace": "default", "user": admin},
        }));
        users.push(json!({"name": admin, "user": user}));
    }
    let current = contexts
        .first()
        .and_then(|context| views::text(context, &["name"]))
        .unwrap_or_default()
        .to_owned();
    Ok(yaml::to_string(&json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": clusters,
        "contexts": contexts,
        "current-context": current,
        "preferences": {},
        "users": users,
    })))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::merged;

    const KUBECONFIG: &str = "
clusters: [{name: cluster, cluster: {server: 'https://127.64.0.1:6443'}}]
users: [{name: admin, user: {token: t}}]
";

    #[test]
    fn guests_are_told_apart_by_namespace_and_name() {
        assert_snapshot!(merged(&[("hcp", "a", KUBECONFIG)]).unwrap(), @r"
        apiVersion: v1
        clusters:
        - cluster:
            server: https://127.64.0.1:6443
          name: hcp-a
        contexts:
        - context:
            cluster: hcp-a
            namespace: default
            user: hcp-a-admin
          name: hcp-a
        current-context: hcp-a
        kind: Config
        preferences: {}
        users:
        - name: hcp-a-admin
          user:
            token: t
        ");
        let both = merged(&[("hcp", "a", KUBECONFIG), ("hcp", "b", KUBECONFIG)]).unwrap();
        assert_eq!(both.matches("name: hcp-b\n").count(), 2);
        assert!(both.contains("current-context: hcp-a\n"));
    }

    #[test]
    fn what_is_no_kubeconfig_is_refused_without_repeating_it() {
        let error = merged(&[("hcp", "a", "token: hunter2")]).unwrap_err().to_string();
        assert_eq!(error, "failed to make kubeconfig: kubeconfig of hcp/a has no cluster");
        assert!(
            !merged(&[("hcp", "a", "a: [hunter2")])
                .unwrap_err()
                .to_string()
                .contains("hunter2")
        );
    }
}
