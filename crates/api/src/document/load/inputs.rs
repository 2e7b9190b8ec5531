//! The texts that a document refers to: files, and environment variables.

use serde_json::Value;

use super::{Document, Loader, beside, identity::pointer};
use crate::{
    document::pull_secret::check_pull_secret,
    guest_cluster::{IdentityInputs, SecretInput},
    secret::Secret,
    views::text,
};

/// The texts that a GuestCluster refers to.
#[derive(Default)]
pub(super) struct Inputs {
    pub(super) pull_secret: Option<SecretInput>,
    pub(super) ssh_key: Option<String>,
    pub(super) trust_bundle: Option<String>,
    pub(super) infra_kubeconfig: Option<SecretInput>,
    pub(super) identity: IdentityInputs,
}

impl Loader<'_> {
    /// Reads what a GuestCluster refers to, as far as it can be read.
    pub(super) fn inputs(&mut self, document: &Document<'_>) -> Inputs {
        Inputs {
            pull_secret: self.pull_secret(document),
            ssh_key: self
                .text_at(document, "spec.sshKey")
                .filter(|key| self.check_ssh_key(document, key)),
            trust_bundle: self.text_at(document, "spec.additionalTrustBundle"),
            infra_kubeconfig: self
                .secret_at(document, "spec.infraCluster.kubeconfig")
                .map(|(secret, _)| secret),
            identity: self.identity(document),
        }
    }

    fn pull_secret(&mut self, document: &Document<'_>) -> Option<SecretInput> {
        let (secret, field) = self.secret_at(document, "spec.pullSecret")?;
        if let SecretInput::Content(content) = &secret
            && let Err(problem) = check_pull_secret(content.reveal())
        {
            let cause = format!("the pull secret can't be used: {problem}");
            let fix = "take the file as it is from https://console.redhat.com/openshift/install/pull-secret";
            self.report_at(document, &field, cause, fix);
            return None;
        }
        Some(secret)
    }

    fn check_ssh_key(&mut self, document: &Document<'_>, key: &str) -> bool {
        let private = key.contains("PRIVATE KEY");
        let mut words = key.split_whitespace();
        let kind = words.next().unwrap_or_default();
        let public = ["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| kind.starts_with(prefix)) && words.next().is_some();
        if private || !public {
            let what = if private {
                "this is a private key"
            } else {
                "this is not a public key of SSH"
            };
            self.report_at(document, "spec.sshKey", what, "name the `.pub` file of the key");
            return false;
        }
        true
    }

    /// A secret by its source, and the field that names it.
    pub(super) fn secret_at(&mut self, document: &Document<'_>, field: &str) -> Option<(SecretInput, String)> {
        let source = source(document, field)?;
        if let Some(name) = text(source, &["secret"]) {
            return Some((SecretInput::Existing(name.to_owned()), format!("{field}.secret")));
        }
        let (content, field) = self.content(document, source, field)?;
        Some((SecretInput::Content(Secret::new(content)), field))
    }

    pub(super) fn text_at(&mut self, document: &Document<'_>, field: &str) -> Option<String> {
        let source = source(document, field)?;
        if let Some(value) = text(source, &["value"]) {
            return Some(value.to_owned());
        }
        Some(self.content(document, source, field)?.0)
    }

    /// The text of a file or a variable, and the field that names it.
    fn content(&mut self, document: &Document<'_>, source: &Value, field: &str) -> Option<(String, String)> {
        if let Some(file) = text(source, &["file"]).filter(|file| !file.is_empty()) {
            let field = format!("{field}.file");
            let path = beside(document.file, file.as_ref());
            return match (self.read)(&path).map(String::from_utf8) {
                Ok(Ok(content)) => Some((content, field)),
                Ok(Err(_)) => {
                    self.report_at(
                        document,
                        &field,
                        format!("`{}` is not text", path.display()),
                        "name a text file",
                    );
                    None
                }
                Err(error) => {
                    let cause = format!("`{}` can't be read: {error}", path.display());
                    self.report_at(document, &field, cause, "paths are relative to the document's folder");
                    None
                }
            };
        }
        let name = text(source, &["env"]).filter(|name| !name.is_empty())?;
        let field = format!("{field}.env");
        let content = (self.env)(name);
        if content.is_none() {
            let cause = format!("the environment variable `{name}` is not set");
            self.report_at(document, &field, cause, format!("set `{name}`, or use `file`"));
        }
        content.map(|content| (content, field))
    }
}

/// A source that has exactly one field; with any other number its structure is reported already.
fn source<'a>(document: &'a Document<'_>, field: &str) -> Option<&'a Value> {
    let source = document.value.pointer(&pointer(field));
    source.filter(|source| source.as_object().is_some_and(|fields| fields.len() == 1))
}
