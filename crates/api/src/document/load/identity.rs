//! What an identity section refers to: read, and looked at for what no login could come of. No secret is ever repeated.

use serde_json::Value;

use super::{Document, Loader};
use crate::{
    document::{htpasswd, identity_rules},
    guest_cluster::{IdentityInputs, ProviderKind, SecretInput},
    secret::Secret,
    views::{list, text},
};

const SECTION: &str = "spec.identity";

/// The secret fields of a provider's block.
const SECRETS: [&str; 4] = ["clientSecret", "bindPassword", "tlsClientCert", "tlsClientKey"];

/// bcrypt takes no more of a password than this, and says nothing of the rest.
const LONGEST_PASSWORD: usize = 72;

impl Loader<'_> {
    pub(super) fn identity(&mut self, document: &Document<'_>) -> IdentityInputs {
        let mut inputs = IdentityInputs::default();
        let Some(section) = document.value.pointer("/spec/identity") else {
            return inputs;
        };
        for (index, provider) in list(section, &["providers"]).iter().enumerate() {
            let path = format!("providers[{index}]");
            if provider.get("testUser").is_some() {
                self.password(document, format!("{path}.testUser.password"), &mut inputs);
            }
            for block in ProviderKind::ALL.map(ProviderKind::block) {
                if let Some(fields) = provider.get(block) {
                    self.block(document, fields, &format!("{path}.{block}"), &mut inputs);
                }
            }
        }
        if let Some(oidc) = section.get("oidc") {
            self.certificates(document, oidc, "oidc.ca", &mut inputs);
            for (index, client) in list(oidc, &["clients"]).iter().enumerate() {
                if client.get("clientSecret").is_some() {
                    self.trimmed(document, format!("oidc.clients[{index}].clientSecret"), &mut inputs);
                }
            }
        }
        inputs
    }

    fn block(&mut self, document: &Document<'_>, fields: &Value, path: &str, inputs: &mut IdentityInputs) {
        for name in SECRETS.into_iter().filter(|name| fields.get(*name).is_some()) {
            let field = format!("{path}.{name}");
            if name.starts_with("tls") {
                self.pem(document, field, name, inputs);
            } else {
                self.trimmed(document, field, inputs);
            }
        }
        self.certificates(document, fields, &format!("{path}.ca"), inputs);
        if path.ends_with(".htpasswd") {
            self.htpasswd(document, fields, path, inputs);
        }
    }

    fn htpasswd(&mut self, document: &Document<'_>, fields: &Value, path: &str, inputs: &mut IdentityInputs) {
        for (index, _) in list(fields, &["users"]).iter().enumerate() {
            let field = format!("{path}.users[{index}].password");
            self.password(document, field, inputs);
        }
        if fields.get("users").is_some() {
            return;
        }
        let Some((secret, named)) = self.secret_at(document, &format!("{SECTION}.{path}")) else {
            return;
        };
        if let SecretInput::Content(content) = &secret
            && let Err(problem) = htpasswd::check(content.reveal())
        {
            return self.report_at(document, &named, problem.to_string(), problem.fix());
        }
        inputs.secrets.insert(path.to_owned(), secret);
    }

    /// A password that is hashed here: it must be one, and bcrypt must take all of it.
    fn password(&mut self, document: &Document<'_>, field: String, inputs: &mut IdentityInputs) {
        let Some((secret, named)) = self.trimmed_at(document, &field) else {
            return;
        };
        if let Some(length) = secret.content().map(|content| content.reveal().len())
            && length > LONGEST_PASSWORD
        {
            let cause = format!("the password has {length} bytes; bcrypt takes the first {LONGEST_PASSWORD} alone");
            return self.report_at(document, &named, cause, "choose a shorter one");
        }
        inputs.secrets.insert(field, secret);
    }

    /// A secret of one line: the line's end is the editor's, and is no part of it.
    fn trimmed(&mut self, document: &Document<'_>, field: String, inputs: &mut IdentityInputs) {
        if let Some((secret, _)) = self.trimmed_at(document, &field) {
            inputs.secrets.insert(field, secret);
        }
    }

    fn trimmed_at(&mut self, document: &Document<'_>, field: &str) -> Option<(SecretInput, String)> {
        let (secret, named) = self.secret_at(document, &format!("{SECTION}.{field}"))?;
        let SecretInput::Content(content) = &secret else {
            return Some((secret, named));
        };
        let line = content.reveal().trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            self.report_at(document, &named, "this is empty", "put the secret there");
            return None;
        }
        Some((SecretInput::Content(Secret::new(line)), named))
    }

    fn pem(&mut self, document: &Document<'_>, field: String, name: &str, inputs: &mut IdentityInputs) {
        let Some((secret, named)) = self.secret_at(document, &format!("{SECTION}.{field}")) else {
            return;
        };
        let (mark, what) = if name == "tlsClientKey" {
            ("PRIVATE KEY-----", "private key")
        } else {
            ("BEGIN CERTIFICATE-----", "certificate")
        };
        if secret.content().is_some_and(|content| !content.reveal().contains(mark)) {
            let fix = format!("name a file with the {what} as PEM");
            return self.report_at(document, &named, format!("there is no PEM {what} in it"), fix);
        }
        inputs.secrets.insert(field, secret);
    }

    fn certificates(&mut self, document: &Document<'_>, fields: &Value, path: &str, inputs: &mut IdentityInputs) {
        if fields.get("ca").is_none() {
            return;
        }
        let field = format!("{SECTION}.{path}");
        if let Some(name) = text(&fields["ca"], &["configMap"]) {
            inputs
                .secrets
                .insert(path.to_owned(), SecretInput::Existing(name.to_owned()));
            return;
        }
        let Some(certificates) = self.text_at(document, &field) else {
            return;
        };
        if !certificates.contains("-----BEGIN CERTIFICATE-----") {
            let fix = "name a file with the CA's certificate as PEM";
            return self.report_at(document, &field, "there is no PEM certificate in it", fix);
        }
        inputs.texts.insert(path.to_owned(), certificates);
    }

    /// What can be said of the section only with what it refers to.
    pub(super) fn check_admins(&mut self, document: &Document<'_>, inputs: &IdentityInputs) {
        let file = |path: &str| match inputs.secrets.get(path) {
            Some(SecretInput::Content(content)) => Some(htpasswd::users(content.reveal())),
            _ => None,
        };
        if let Some((cause, fix)) = identity_rules::nobody_is_admin(&document.value, &file) {
            let field = format!("{SECTION}.clusterAdmins");
            self.report_at(document, &field, cause, fix);
        }
    }
}

/// The path of a field with list indices, as a JSON pointer.
pub(super) fn pointer(field: &str) -> String {
    let mut pointer = String::from("/");
    for c in field.chars() {
        match c {
            '.' | '[' => pointer.push('/'),
            ']' => {}
            c => pointer.push(c),
        }
    }
    pointer
}
