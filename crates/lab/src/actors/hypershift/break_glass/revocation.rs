//! A CertificateRevocationRequest: every break-glass certificate that was signed before is refused from now on.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::{CLASS, runs, signer};
use crate::actor::Context;
use crate::client::Result;
use crate::conditions;
use crate::kind::{CERTIFICATE_REVOCATION_REQUEST, SECRET};
use crate::objects::{Conditions, owner, write_status};

const KIND: crate::kind::Kind = CERTIFICATE_REVOCATION_REQUEST;

pub(super) async fn reconcile(context: &Context, namespace: &str, name: &str) -> Result<()> {
    let client = &context.client;
    let Some(request) = client.get(KIND, Some(namespace), name).await? else {
        return Ok(());
    };
    if conditions::is_true(&request, "PreviousCertificatesRevoked") || !runs(context, namespace).await? {
        return Ok(());
    }
    let class = request["spec"]["signerClass"].as_str().unwrap_or_default();
    let mut conditions = Conditions::of(&request, context.time.stamp());
    if class != CLASS {
        conditions.set(
            "SignerClassValid",
            false,
            "SignerClassUnknown",
            &format!("Signer class \"{class}\" unknown."),
        );
        write_status(
            client,
            KIND,
            &request,
            &json!({ "conditions": conditions.into_value() }),
        )
        .await?;
        return Ok(());
    }
    let former = client.get(SECRET, Some(namespace), signer::SIGNER).await?;
    // The time comes first: what is signed after it must not be revoked by a second pass.
    if request["status"]["revocationTimestamp"].is_null() {
        let digits = crate::hash::hex(&[former.as_ref().map_or("", crate::objects::uid), name], 16);
        if let Some(former) = &former {
            let copy = json!({
                "metadata": { "name": digits, "namespace": namespace, "ownerReferences": [owner(KIND, &request)] },
                "type": former["type"],
                "data": former["data"],
            });
            client.create(SECRET, &copy).await?;
        }
        let status = json!({ "revocationTimestamp": context.time.stamp(), "previousSigner": { "name": digits } });
        write_status(client, KIND, &request, &status).await?;
        return Ok(());
    }
    let copy = request["status"]["previousSigner"]["name"].as_str().unwrap_or_default();
    let copy = client.get(SECRET, Some(namespace), copy).await?;
    let certificate = |secret: &serde_json::Value| {
        BASE64_STANDARD
            .decode(secret["data"]["tls.crt"].as_str().unwrap_or_default())
            .ok()
    };
    let is_new = former.as_ref().and_then(certificate) != copy.as_ref().and_then(certificate);
    if !is_new && let Err(error) = signer::renew(context, namespace).await? {
        tracing::warn!(namespace, %error, "the break-glass authority can't be made anew");
        return Ok(());
    }
    let place = format!("{namespace}/{}", signer::SIGNER);
    for (kind, message) in [
        ("SignerClassValid", format!("Signer class \"{class}\" known.")),
        (
            "RootCertificatesRegenerated",
            format!("Signer certificate {place} regenerated."),
        ),
        (
            "NewCertificatesTrusted",
            format!("New signer certificate {place} trusted."),
        ),
        (
            "LeafCertificatesRegenerated",
            "All leaf certificates are re-generated.".to_owned(),
        ),
        (
            "PreviousCertificatesRevoked",
            "Previous signer certificate revoked.".to_owned(),
        ),
    ] {
        conditions.set(kind, true, "AsExpected", &message);
    }
    write_status(
        client,
        KIND,
        &request,
        &json!({ "conditions": conditions.into_value() }),
    )
    .await?;
    Ok(())
}
