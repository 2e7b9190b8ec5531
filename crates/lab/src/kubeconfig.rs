//! A kubeconfig as text, with everything in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use berth_apiserver::KeyAndCertificate;

/// Of what a kubeconfig is, and for whom.
pub(crate) struct Kubeconfig<'a> {
    /// Name of the cluster.
    pub(crate) cluster: &'a str,
    /// `https://host:port`.
    pub(crate) server: &'a str,
    /// PEM of the CA that signed the server's certificate.
    pub(crate) ca: &'a str,
    /// Its users, each with a context; the first one's is current.
    pub(crate) users: &'a [User<'a>],
}

/// A user, and the context in which one is that user.
pub(crate) struct User<'a> {
    /// Name of the user.
    pub(crate) name: &'a str,
    /// Name of the context.
    pub(crate) context: &'a str,
    /// The user's certificate and key.
    pub(crate) client: &'a KeyAndCertificate,
}

impl Kubeconfig<'_> {
    /// The text. Names and URLs here are ours, and need no quoting.
    pub(crate) fn text(&self) -> String {
        let Self {
            cluster,
            server,
            ca,
            users,
        } = self;
        let ca = STANDARD.encode(ca);
        let current = users.first().map_or("", |user| user.context);
        let mut text = format!(
            "apiVersion: v1\n\
             kind: Config\n\
             current-context: {current}\n\
             clusters:\n\
             - name: {cluster}\n  \
               cluster:\n    \
                 server: {server}\n    \
                 certificate-authority-data: {ca}\n\
             users:\n"
        );
        for User { name, client, .. } in *users {
            let [certificate, key] = [&client.certificate, &client.key].map(|pem| STANDARD.encode(pem));
            text.push_str(&format!(
                "- name: {name}\n  \
                   user:\n    \
                     client-certificate-data: {certificate}\n    \
                     client-key-data: {key}\n"
            ));
        }
        text.push_str("contexts:\n");
        for User { name, context, .. } in *users {
            text.push_str(&format!(
                "- name: {context}\n  \
                   context:\n    \
                     cluster: {cluster}\n    \
                     user: {name}\n"
            ));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_kubectl_reads() {
        let client = KeyAndCertificate {
            certificate: "cert".to_owned(),
            key: "key".to_owned(),
        };
        let user = |name, context| User {
            name,
            context,
            client: &client,
        };
        let kubeconfig = Kubeconfig {
            cluster: "c",
            server: "https://127.0.0.1:1",
            ca: "ca",
            users: &[user("u", "c"), user("r", "c-reader")],
        };
        insta::assert_snapshot!(kubeconfig.text(), @r"
        apiVersion: v1
        kind: Config
        current-context: c
        clusters:
        - name: c
          cluster:
            server: https://127.0.0.1:1
            certificate-authority-data: Y2E=
        users:
        - name: u
          user:
            client-certificate-data: Y2VydA==
            client-key-data: a2V5
        - name: r
          user:
            client-certificate-data: Y2VydA==
            client-key-data: a2V5
        contexts:
        - name: c
          context:
            cluster: c
            user: u
        - name: c-reader
          context:
            cluster: c
            user: r
        ");
    }
}
