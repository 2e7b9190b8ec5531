//! The control-plane PKI operator's way in for emergencies: a request for a client certificate that names a guest's signer
//! is approved once an approval of the same name lies in the control-plane namespace, and signed with an authority that the
//! guest trusts for nothing else. A revocation replaces that authority.
//!
//! The authority is made for the first certificate: most guests never need one. The customers' signer is played; the one
//! for site reliability engineers is not.

mod revocation;
mod signer;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::seen::Seen;
use crate::client::{Result, name_of};
use crate::conditions;
use crate::kind::{
    CERTIFICATE_REVOCATION_REQUEST, CERTIFICATE_SIGNING_REQUEST, CERTIFICATE_SIGNING_REQUEST_APPROVAL, DEPLOYMENT,
};
use crate::objects::is_rolled_out;

pub(super) use signer::trust;

const OPERATOR: &str = "control-plane-pki-operator";

/// What a signer is called: this, the control-plane namespace, a dot, and the class.
const DOMAIN: &str = "hypershift.openshift.io/";
const CLASS: &str = "customer-break-glass";

/// The controllers of break-glass certificates.
#[derive(Debug, Default)]
pub(crate) struct BreakGlass {
    seen: Seen,
}

impl Actor for BreakGlass {
    fn name(&self) -> &'static str {
        "hypershift"
    }

    fn manager(&self) -> &'static str {
        OPERATOR
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            self.seen
                .remember(CERTIFICATE_SIGNING_REQUEST, |request| vec![Key::of(request)]),
            // Tied to a request by name alone.
            Watch::mapped(CERTIFICATE_SIGNING_REQUEST_APPROVAL, |approval| {
                vec![Key::named(None, name_of(approval))]
            }),
            self.seen
                .remember(CERTIFICATE_REVOCATION_REQUEST, |request| vec![Key::of(request)]),
            self.seen
                .wake_all(DEPLOYMENT, |deployment| name_of(deployment) == OPERATOR),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        async move {
            match key.namespace() {
                None => certificate(context, &key.name).await?,
                Some(namespace) => revocation::reconcile(context, namespace, &key.name).await?,
            }
            Ok(Next::OnEvent)
        }
        .boxed()
    }
}

/// The control-plane namespace whose signer a request names.
fn namespace_of_signer(request: &Value) -> Option<&str> {
    let signer = request["spec"]["signerName"].as_str()?.strip_prefix(DOMAIN)?;
    signer.strip_suffix(CLASS)?.strip_suffix('.')
}

/// Whether the operator of a control plane runs.
async fn runs(context: &Context, namespace: &str) -> Result<bool> {
    let operator = context.client.get(DEPLOYMENT, Some(namespace), OPERATOR).await?;
    Ok(operator.as_ref().is_some_and(is_rolled_out))
}

async fn certificate(context: &Context, name: &str) -> Result<()> {
    let client = &context.client;
    let Some(request) = client.get(CERTIFICATE_SIGNING_REQUEST, None, name).await? else {
        return Ok(());
    };
    let Some(namespace) = namespace_of_signer(&request) else {
        return Ok(());
    };
    let has = |kind: &str| conditions::is_true(&request, kind);
    if has("Denied")
        || has("Failed")
        || request["status"]["certificate"].is_string()
        || !runs(context, namespace).await?
    {
        return Ok(());
    }
    if !has("Approved") {
        let approval = client
            .get(CERTIFICATE_SIGNING_REQUEST_APPROVAL, Some(namespace), name)
            .await?;
        if approval.is_some() {
            let text = "The requisite approval resource exists.";
            let approved = condition(context, "Approved", "ApprovalPresent", text);
            let status = json!({ "conditions": [approved] });
            client
                .subresource(CERTIFICATE_SIGNING_REQUEST, None, name, "approval", &status)
                .await?;
        }
        return Ok(());
    }
    let status = match signer::sign(context, namespace, &request).await? {
        Ok(certificate) => json!({ "certificate": certificate }),
        Err(why) => json!({ "conditions": [condition(context, "Failed", "SignerValidationFailure", &why)] }),
    };
    client.status(CERTIFICATE_SIGNING_REQUEST, None, name, &status).await?;
    Ok(())
}

fn condition(context: &Context, kind: &str, reason: &str, message: &str) -> Value {
    let now = context.time.stamp();
    json!({
        "type": kind,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_names_its_control_plane() {
        let of = |signer: &str| {
            let request = json!({ "spec": { "signerName": signer } });
            namespace_of_signer(&request).map(str::to_owned)
        };
        assert_eq!(
            of("hypershift.openshift.io/hcp-guest.customer-break-glass").as_deref(),
            Some("hcp-guest")
        );
        assert_eq!(of("hypershift.openshift.io/hcp-guest.sre-break-glass"), None);
        assert_eq!(of("kubernetes.io/kube-apiserver-client"), None);
    }
}
