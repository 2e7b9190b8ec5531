//! `guest/N/break-glass`: a way in that no identity provider can close, made and proven before one is put in place.
//!
//! A private key is made on this machine and stays there; the guest's own signer certifies it (a CertificateSigningRequest,
//! and a CertificateSigningRequestApproval beside the control plane). A hub without that signer has the admin kubeconfig stand
//! in. Where no provider is to be put in place, there is nothing to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_api::{Identity as Section, resources};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::identity::{Course, Wanting, course, watches};
use super::server::{admin_credential, guest_server};
use super::{kubeconfigs, lock};
use crate::assess::{Assessment, Observed};
use crate::change::{Change, ObjectRef};
use crate::effect::{Credential, Effect, Outcome};
use crate::facts::{Facts, Scope, Selector, Target};
use crate::owner::{DOCUMENT_LABEL, Owner};
use crate::read::{MANAGED_BY, crd, decoded, find, holds, is_established, line, name, objects, text};
use crate::secret::Secret;
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{apply_command, command, ids};
use crate::walk::{Finding, GuestRef, diagnosis, explained};

/// Upstream's signer takes only names that begin so.
const USER: &str = "system:customer-break-glass:berth";
/// What may do everything.
const GROUP: &str = "system:masters";
/// A certificate is good for 36 hours (A02); an older one than this is not worth proving again.
const FRESH: SignedDuration = SignedDuration::from_hours(12);

/// The step.
#[derive(Debug)]
pub(crate) struct BreakGlass {
    id: StepId,
    place: GuestRef,
    section: Section,
    wanting: Arc<Wanting>,
}

/// A key with its request.
#[derive(Clone, Copy, Debug)]
struct Key<'a> {
    request: &'a str,
    fingerprint: &'a str,
}

impl BreakGlass {
    pub(crate) fn new(place: GuestRef, section: Section, wanting: Arc<Wanting>) -> Self {
        Self {
            id: ids::break_glass(&place.name),
            place,
            section,
            wanting,
        }
    }

    /// Whether a provider is about to be put in place.
    fn is_needed(&self, facts: &Facts) -> bool {
        let course = course(facts, &self.place, &self.section, &self.wanting);
        matches!(course, Course::Apply { .. } | Course::Later { .. } | Course::Unknown(_))
    }

    /// What the key is kept under: two guests of one name, on two hubs or one after the other, are different guests.
    fn kept_as(&self, facts: &Facts) -> Option<String> {
        let uid = text(facts.object(&self.place.hosted_cluster())?, &["metadata", "uid"])?;
        let GuestRef { namespace, name } = &self.place;
        Some(format!("{namespace}.{name}-{}", uid.get(..8).unwrap_or(uid)))
    }

    fn make_key(&self, facts: &Facts, instead_of: Option<&str>) -> Option<Effect> {
        Some(Effect::MakeKey {
            name: self.kept_as(facts)?,
            common_name: USER.to_owned(),
            organization: GROUP.to_owned(),
            instead_of: instead_of.map(str::to_owned),
        })
    }

    /// The keys to make: the one that is kept, and another one where the certificate of that is old.
    fn keys(&self, facts: &Facts) -> Vec<Effect> {
        let first = self.make_key(facts, None);
        let stale = first
            .as_ref()
            .and_then(|effect| key_of(facts, effect))
            .filter(|key| self.is_stale(facts, key))
            .and_then(|key| self.make_key(facts, Some(key.fingerprint)));
        first.into_iter().chain(stale).collect()
    }

    fn key<'a>(&self, facts: &'a Facts) -> Option<Key<'a>> {
        let last = self.keys(facts).pop()?;
        key_of(facts, &last)
    }

    fn is_stale(&self, facts: &Facts, key: &Key<'_>) -> bool {
        let made = self
            .request(facts, key)
            .and_then(|request| text(request, &["metadata", "creationTimestamp"]))
            .and_then(|made| made.parse::<jiff::Timestamp>().ok());
        made.is_some_and(|made| facts.now.duration_since(made) > FRESH)
    }

    fn request<'a>(&self, facts: &'a Facts, key: &Key<'_>) -> Option<&'a Value> {
        find(facts, &requests(&self.place), &self.request_name(key))
    }

    fn request_name(&self, key: &Key<'_>) -> String {
        let mark = key.fingerprint.get(..10).unwrap_or(key.fingerprint);
        format!("berth-{}-{}-{mark}", self.place.namespace, self.place.name)
    }

    fn signing_request(&self, key: &Key<'_>) -> Value {
        let mut request = json!({
            "apiVersion": resources::CERTIFICATE_SIGNING_REQUEST.api_version(), "kind": "CertificateSigningRequest",
            "metadata": { "name": self.request_name(key) },
            "spec": {
                "request": STANDARD.encode(key.request),
                "signerName": format!("hypershift.openshift.io/{}.customer-break-glass", self.place.control_plane_namespace()),
                "usages": ["client auth"],
            },
        });
        Owner::guest(&self.place.namespace, &self.place.name).mark(&mut request);
        request
    }

    fn approval(&self, name: &str) -> Value {
        let mut approval = json!({
            "apiVersion": resources::CERTIFICATE_SIGNING_REQUEST_APPROVAL.api_version(),
            "kind": "CertificateSigningRequestApproval",
            "metadata": { "name": name, "namespace": self.place.control_plane_namespace() },
            "spec": {},
        });
        Owner::guest(&self.place.namespace, &self.place.name).mark(&mut approval);
        approval
    }

    fn proof(&self, facts: &Facts) -> Option<Effect> {
        let credential = if is_signed_here(facts) {
            let key = self.key(facts)?;
            Credential::Certified(decoded(self.request(facts, &key)?, &["status", "certificate"])?)
        } else {
            admin_credential(facts, &self.place)?
        };
        Some(Effect::ProveCredential {
            name: self.kept_as(facts)?,
            server: guest_server(facts, &self.place)?,
            credential,
        })
    }

    fn outputs(&self, facts: &Facts) -> BTreeMap<String, String> {
        let mut outputs = BTreeMap::new();
        if let Some(Ok(Outcome::Credential { path, user, until })) =
            self.proof(facts).and_then(|effect| facts.outcome(&effect))
        {
            outputs.insert("breakGlass".to_owned(), path.display().to_string());
            outputs.insert("breakGlassUser".to_owned(), user.clone());
            if let Some(until) = until {
                outputs.insert("breakGlassUntil".to_owned(), until.to_string());
            }
        }
        outputs
    }

    /// What the signer lacks, once it has had its time.
    fn unsigned(&self, observed: &Observed<'_>, key: &Key<'_>) -> Assessment {
        let facts = observed.facts;
        let Some(request) = self.request(facts, key) else {
            return Assessment::waiting("NotRequested", "the CertificateSigningRequest is not there yet");
        };
        let object = format!("CertificateSigningRequest {}", name(request));
        if let Some(no) = ["Denied", "Failed"].into_iter().find_map(|kind| holds(request, kind)) {
            return Assessment::Fatal {
                diagnosis: diagnosis(
                    "A02",
                    "the break-glass certificate was refused, so no provider is put in place",
                    object,
                    [format!("{}: {}", no.kind, line(no.message))],
                    "see the logs of the Deployment control-plane-pki-operator beside the control plane",
                ),
            };
        }
        let waiting = Assessment::waiting("NotSigned", "the guest's signer has not certified the key yet");
        let found = diagnosis(
            "A02",
            "the break-glass certificate is not signed",
            object,
            ["it has no status.certificate".to_owned()],
            format!(
                "see whether the Deployment control-plane-pki-operator runs in {}",
                self.place.control_plane_namespace()
            ),
        );
        explained(observed, waiting, Some(Finding::after(2, found)))
    }
}

fn key_of<'a>(facts: &'a Facts, effect: &Effect) -> Option<Key<'a>> {
    match facts.outcome(effect)? {
        Ok(Outcome::Key { request, fingerprint }) => Some(Key { request, fingerprint }),
        _ => None,
    }
}

/// Whether this hub's HyperShift certifies break-glass credentials.
fn is_signed_here(facts: &Facts) -> bool {
    is_established(facts, resources::CERTIFICATE_SIGNING_REQUEST_APPROVAL)
}

/// The requests that were made for this guest.
fn requests(place: &GuestRef) -> Selector {
    labelled(place, resources::CERTIFICATE_SIGNING_REQUEST, None)
}

fn approvals(place: &GuestRef) -> Selector {
    let inside = place.control_plane_namespace();
    labelled(place, resources::CERTIFICATE_SIGNING_REQUEST_APPROVAL, Some(inside))
}

fn labelled(place: &GuestRef, resource: &'static berth_api::Resource, namespace: Option<String>) -> Selector {
    let labels = format!("{}={},{DOCUMENT_LABEL}={}", MANAGED_BY.0, MANAGED_BY.1, place.name);
    Selector {
        target: Target::Management,
        resource,
        scope: Scope::Labelled { namespace, labels },
    }
}

/// What [`spent`] reads.
pub(super) fn request_watches(place: &GuestRef) -> Vec<Selector> {
    vec![requests(place), approvals(place)]
}

/// Requests that have brought what they were for.
pub(super) fn spent(facts: &Facts, place: &GuestRef) -> Vec<Change> {
    let signer = format!(
        "hypershift.openshift.io/{}.customer-break-glass",
        place.control_plane_namespace()
    );
    let requests = requests(place);
    let ours = objects(facts, &requests).filter(|request| text(request, &["spec", "signerName"]) == Some(&signer));
    let approvals = approvals(place);
    let approved = objects(facts, &approvals).map(|approval| Change::Absent {
        object: ObjectRef::namespaced(
            resources::CERTIFICATE_SIGNING_REQUEST_APPROVAL,
            place.control_plane_namespace(),
            name(approval),
        ),
    });
    ours.map(|request| Change::Absent {
        object: ObjectRef::cluster(resources::CERTIFICATE_SIGNING_REQUEST, name(request)),
    })
    .chain(approved)
    .collect()
}

impl Step for BreakGlass {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        format!("Prove a way into {} that stays open", self.place.name)
    }

    fn after(&self) -> Vec<Dependency> {
        vec![Dependency {
            step: ids::rollout(&self.place.name),
            reason: "an identity provider is asked through the guest's workers",
        }]
    }

    fn lock(&self) -> Lock {
        lock(&self.place)
    }

    fn changes(&self, facts: &Facts) -> Vec<Change> {
        if !self.is_needed(facts) || facts.object(&self.place.hosted_cluster()).is_none() || !is_signed_here(facts) {
            return Vec::new();
        }
        let Some(key) = self.key(facts) else {
            return vec![Change::Later {
                what: "ask the guest's signer to certify the key".to_owned(),
                after: self.id.clone(),
            }];
        };
        let request = self.request_name(&key);
        vec![
            Change::CreateOnce {
                object: ObjectRef::cluster(resources::CERTIFICATE_SIGNING_REQUEST, &request),
                fields: self.signing_request(&key),
                generate: Vec::new(),
            },
            Change::CreateOnce {
                object: ObjectRef::namespaced(
                    resources::CERTIFICATE_SIGNING_REQUEST_APPROVAL,
                    self.place.control_plane_namespace(),
                    &request,
                ),
                fields: self.approval(&request),
                generate: Vec::new(),
            },
        ]
    }

    fn effects(&self, facts: &Facts) -> Vec<Effect> {
        if !self.is_needed(facts) {
            return Vec::new();
        }
        let later = |after: StepId| Effect::Later {
            what: "prove a break-glass credential (a file of mode 0600)".to_owned(),
            after,
        };
        if facts.object(&self.place.hosted_cluster()).is_none() {
            return vec![later(ids::rollout(&self.place.name))];
        }
        let mut effects = if is_signed_here(facts) {
            self.keys(facts)
        } else {
            Vec::new()
        };
        effects.push(self.proof(facts).unwrap_or_else(|| later(self.id.clone())));
        effects
    }

    fn watches(&self) -> Vec<Selector> {
        let mut watches = watches(&self.place);
        watches.extend(request_watches(&self.place));
        watches.push(crd(resources::CERTIFICATE_SIGNING_REQUEST_APPROVAL));
        watches
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        if facts.object(&self.place.hosted_cluster()).is_none() {
            return Assessment::waiting("NoHostedCluster", "the HostedCluster is not there yet");
        }
        match course(facts, &self.place, &self.section, &self.wanting) {
            Course::Unknown(why) => return Assessment::waiting("NotRead", why),
            Course::Apply { .. } => {}
            _ => return Assessment::ready(),
        }
        if guest_server(facts, &self.place).is_none() {
            return Assessment::waiting("NoKubeconfig", "the admin kubeconfig is not there yet");
        }
        let Some(proof) = self.proof(facts) else {
            return match self.key(facts) {
                Some(key) => self.unsigned(observed, &key),
                None => Assessment::waiting("NoKey", "there is no key yet"),
            };
        };
        match facts.outcome(&proof) {
            Some(Ok(_)) => Assessment::Ready {
                outputs: self.outputs(facts),
            },
            Some(Err(failure)) => Assessment::waiting("NotProven", failure.message.clone()),
            None => Assessment::waiting("Proving", proof.describe()),
        }
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        let name = format!("{}-break-glass", self.place.name);
        let request = json!({
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": { "name": name },
            "spec": {
                "request": "<break-glass.csr in base64>",
                "signerName": format!("hypershift.openshift.io/{}.customer-break-glass", self.place.control_plane_namespace()),
                "usages": ["client auth"],
            },
        });
        let mut approval = self.approval(&name);
        without_labels(&mut approval);
        vec![
            command(
                "A key that stays on this machine",
                format!(
                    "(umask 077; openssl req -new -newkey rsa:4096 -nodes -keyout break-glass.key -out break-glass.csr \
                     -subj '/O={GROUP}/CN={USER}')"
                ),
            ),
            apply_command("The guest's own signer certifies it", &request),
            apply_command("once it is approved by name", &approval),
            command(
                "",
                format!("oc get csr {name} -o jsonpath='{{.status.certificate}}' | base64 -d > break-glass.crt"),
            ),
        ]
    }

    fn kubeconfigs(&self, facts: &Facts) -> Vec<(Target, Secret)> {
        kubeconfigs(facts, &self.place)
    }
}

/// What a person types has no need of Berth's marks.
fn without_labels(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("labels");
    }
}
