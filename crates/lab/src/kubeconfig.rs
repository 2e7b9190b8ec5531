//! A kubeconfig as text, with everything in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use berth_apiserver::KeyAndCertificate;

/// Who a kubeconfig is for, and of what.
pub(crate) struct Kubeconfig<'a> {
    /// Name of the cluster and the context.
    pub(crate) cluster: &'a str,
    /// Name of the user.
    pub(crate) user: &'a str,
    /// `https://host:port`.
    pub(crate) server: &'a str,
    /// PEM of the CA that signed the server's certificate.
    pub(crate) ca: &'a str,
    /// The user's certificate and key.
    pub(crate) client: &'a KeyAndCertificate,
}

impl Kubeconfig<'_> {
    /// The text. Names and URLs here are ours, and need no quoting.
    pub(crate) fn text(&self) -> String {
        let Self {
            cluster,
            user,
            server,
            ca,
            client,
        } = self;
        let [ca, certificate, key] = [*ca, &client.certificate, &client.key].map(|pem| STANDARD.encode(pem));
        format!(
            "apiVersion: v1\n\
             kind: Config\n\
             current-context: {cluster}\n\
             clusters:\n\
             - name: {cluster}\n  \
               cluster:\n    \
                 server: {server}\n    \
                 certificate-authority-data: {ca}\n\
             users:\n\
             - name: {user}\n  \
               user:\n    \
                 client-certificate-data: {certificate}\n    \
                 client-key-data: {key}\n\
             contexts:\n\
             - name: {cluster}\n  \
               context:\n    \
                 cluster: {cluster}\n    \
                 user: {user}\n"
        )
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
        let kubeconfig = Kubeconfig {
            cluster: "c",
            user: "u",
            server: "https://127.0.0.1:1",
            ca: "ca",
            client: &client,
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
        contexts:
        - name: c
          context:
            cluster: c
            user: u
        ");
    }
}
