//! The authority behind a guest's break-glass certificates: what it signs, where it is kept, and that the guest trusts it.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use berth_apiserver::{CertificateAuthority, CertificateRequest, Clock, KeyAndCertificate, PkiError};
use serde_json::{Value, json};

use crate::actor::Context;
use crate::actors::hypershift::guest_of_namespace;
use crate::client::Result;
use crate::kind::{CONFIG_MAP, HOSTED_CONTROL_PLANE, SECRET};
use crate::objects::owner;
use crate::site::GuestId;

pub(super) const SIGNER: &str = "customer-system-admin-signer";
/// What the guest trusts: the authority's certificate.
const BUNDLE: &str = "customer-system-admin-signer-ca";
const BUNDLE_KEY: &str = "ca-bundle.crt";
/// What the users of certificates are called begins with this.
const PREFIX: &str = "system:customer-break-glass:";
const BACKDATE: Duration = Duration::from_mins(5);
const LEAST: Duration = Duration::from_mins(10);
const MOST: Duration = Duration::from_hours(36);

/// Signs a request that was approved: the certificate in base64, or why it is not one to be signed.
pub(super) async fn sign(
    context: &Context,
    namespace: &str,
    request: &Value,
) -> Result<std::result::Result<String, String>> {
    let pem = BASE64_STANDARD
        .decode(request["spec"]["request"].as_str().unwrap_or_default())
        .unwrap_or_default();
    let pem = String::from_utf8(pem).unwrap_or_default();
    if let Err(why) = check(request, &pem) {
        return Ok(Err(why));
    }
    let asked = request["spec"]["expirationSeconds"].as_u64().map(Duration::from_secs);
    let life = asked.map_or(MOST, |asked| asked.clamp(LEAST, MOST));
    let authority = match authority(context, namespace).await? {
        Ok(authority) => authority,
        Err(error) => return Ok(Err(error.to_string())),
    };
    Ok(match authority.sign_client(&pem, BACKDATE, life) {
        Ok(certificate) => Ok(BASE64_STANDARD.encode(certificate)),
        Err(error) => Err(error.to_string()),
    })
}

fn check(request: &Value, pem: &str) -> std::result::Result<(), String> {
    let asked = CertificateRequest::from_pem(pem).map_err(|error| error.to_string())?;
    if !asked.user.starts_with(PREFIX) {
        return Err(format!(
            "invalid certificate request: subject CommonName must begin with \"{PREFIX}\""
        ));
    }
    let usages: Vec<&str> = request["spec"]["usages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !usages.contains(&"client auth") {
        return Err("missing required usages: map[client auth:{}]".to_owned());
    }
    let invalid = usages
        .iter()
        .find(|usage| !matches!(**usage, "client auth" | "digital signature" | "key encipherment"));
    if let Some(usage) = invalid {
        return Err(format!("invalid usages: map[{usage}:{{}}]"));
    }
    if asked.has_alternative_names {
        return Err("invalid certificate request: subjectAltNames are not allowed".to_owned());
    }
    Ok(())
}

/// The authority that is kept in the control-plane namespace; the first time it is made.
async fn authority(context: &Context, namespace: &str) -> Result<std::result::Result<CertificateAuthority, PkiError>> {
    let Some(found) = context.client.get(SECRET, Some(namespace), SIGNER).await? else {
        return renew(context, namespace).await;
    };
    let text = |key: &str| {
        let bytes = BASE64_STANDARD.decode(found["data"][key].as_str().unwrap_or_default());
        bytes
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_default()
    };
    let pem = KeyAndCertificate {
        certificate: text("tls.crt"),
        key: text("tls.key"),
    };
    publish(context, namespace, &pem.certificate).await?;
    Ok(CertificateAuthority::from_pem(&pem, clock(context)))
}

/// Makes a new authority, which the guest trusts in place of the one before.
pub(super) async fn renew(
    context: &Context,
    namespace: &str,
) -> Result<std::result::Result<CertificateAuthority, PkiError>> {
    let now = context.time.now().as_second();
    let authority = match CertificateAuthority::new(&format!("{namespace}_{SIGNER}@{now}"), clock(context)) {
        Ok(authority) => authority,
        Err(error) => return Ok(Err(error)),
    };
    let pem = authority.to_pem();
    let secret = json!({
        "metadata": {
            "name": SIGNER,
            "namespace": namespace,
            "ownerReferences": owners(context, namespace).await?,
        },
        "type": "kubernetes.io/tls",
        "data": { "tls.crt": BASE64_STANDARD.encode(&pem.certificate), "tls.key": BASE64_STANDARD.encode(&pem.key) },
    });
    context.client.apply(SECRET, &secret).await?;
    publish(context, namespace, &pem.certificate).await?;
    Ok(Ok(authority))
}

/// What the authority goes with: the namespace's control plane.
async fn owners(context: &Context, namespace: &str) -> Result<Vec<Value>> {
    let control_planes = context.client.list(HOSTED_CONTROL_PLANE, Some(namespace), "").await?;
    let first = control_planes.first();
    Ok(first
        .map(|object| owner(HOSTED_CONTROL_PLANE, object))
        .into_iter()
        .collect())
}

/// Says what is to be trusted, and has the guest trust it.
async fn publish(context: &Context, namespace: &str, certificate: &str) -> Result<()> {
    let bundle = json!({
        "metadata": {
            "name": BUNDLE,
            "namespace": namespace,
            "ownerReferences": owners(context, namespace).await?,
        },
        "data": { BUNDLE_KEY: certificate },
    });
    context.client.apply(CONFIG_MAP, &bundle).await?;
    if let Some(id) = guest_of_namespace(&context.client, namespace).await? {
        trust(context, namespace, &id).await?;
    }
    Ok(())
}

/// Has a guest that runs trust what its control-plane namespace says: after a restart, nobody else tells it.
pub(in crate::actors::hypershift) async fn trust(context: &Context, namespace: &str, guest: &GuestId) -> Result<()> {
    let bundle = context
        .client
        .get(CONFIG_MAP, Some(namespace), BUNDLE)
        .await?
        .unwrap_or_default();
    let bundle = bundle["data"][BUNDLE_KEY].as_str().unwrap_or_default();
    if let Err(error) = context.site.guests.trust(guest, bundle) {
        tracing::warn!(guest = %guest.name, error, "the guest can't trust its break-glass authority");
    }
    Ok(())
}

fn clock(context: &Context) -> Clock {
    let time = context.time.clone();
    Arc::new(move || time.now())
}
