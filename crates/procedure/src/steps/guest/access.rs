//! `guest/N/access`: the guest's API server answers with the admin kubeconfig; files of it only where they are asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use berth_api::{GuestCluster, resources, views};

use super::{decoded, identity, kubeconfig, kubeconfig_watches, kubeconfigs, lock, reference, secret};
use crate::access::{self, Console, Entry, HubView, Origin, Tried, diagnose, hub_view};
use crate::assess::{Assessment, Observed};
use crate::change::Change;
use crate::effect::{Effect, Outcome};
use crate::facts::{Facts, Seen, Selector, Target};
use crate::render::identity::{Login, removes_kubeadmin};
use crate::secret::Secret;
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{command, ids};
use crate::walk::{Finding, GuestRef, diagnosis, explained};

/// The step.
#[derive(Debug)]
pub(crate) struct Access {
    id: StepId,
    guest: Arc<GuestCluster>,
    place: GuestRef,
}

impl Access {
    pub(crate) fn new(guest: Arc<GuestCluster>) -> Self {
        Self {
            id: ids::access(&guest.name),
            place: reference(&guest),
            guest,
        }
    }

    fn outputs(&self, facts: &Facts) -> BTreeMap<String, String> {
        let GuestRef { namespace, name } = &self.place;
        let mut outputs = BTreeMap::new();
        let mut tell = |key: &str, value: String| outputs.insert(key.to_owned(), value);
        tell("kubeconfigSecret", format!("{namespace}/{name}-admin-kubeconfig"));
        let Some(cluster) = facts.object(&self.place.hosted_cluster()) else {
            return outputs;
        };
        if let Some(secret) = views::kubeadmin_password_secret(cluster) {
            tell("passwordSecret", format!("{namespace}/{secret}"));
        }
        if let Some(endpoint) = access::endpoint(cluster) {
            tell("apiServer", format!("https://{endpoint}"));
        }
        if let Console::At(url) = access::console(cluster, None) {
            tell("console", url);
        }
        outputs
    }

    /// The files that the document asks for, with what goes into them.
    fn files(&self, facts: &Facts) -> Vec<(&PathBuf, Option<Secret>)> {
        let asked = &self.guest.spec.access;
        let mut files = Vec::new();
        if let Some(path) = &asked.kubeconfig_file {
            files.push((path, kubeconfig(facts, &self.place)));
        }
        // Where people log in otherwise there is no first password to wait for.
        let cluster = facts.object(&self.place.hosted_cluster());
        let is_gone = cluster.is_some_and(removes_kubeadmin);
        if let Some(path) = asked.password_file.as_ref().filter(|_| !is_gone) {
            files.push((
                path,
                decoded(facts, &secret(&self.place, "kubeadmin-password"), "password"),
            ));
        }
        files
    }

    /// Where the guest can't be read: the attempt that tells why.
    fn attempt(&self, facts: &Facts) -> Option<Effect> {
        let Seen::Unreadable(why) = facts.seen(&self.place.on_guest(resources::NODE)) else {
            return None;
        };
        let way = Entry::read(kubeconfig(facts, &self.place)?.reveal(), None, &|_| None).ok()?;
        let because = why.clone();
        Some(Effect::Try { way, because })
    }

    /// What the attempt says, once it was made.
    fn finding(&self, observed: &Observed<'_>) -> Option<Finding> {
        let facts = observed.facts;
        let attempt = self.attempt(facts)?;
        let Some(Ok(Outcome::Tried { reach })) = facts.outcome(&attempt) else {
            return None;
        };
        let Effect::Try { way, .. } = &attempt else {
            return None;
        };
        let GuestRef { namespace, name } = &self.place;
        let hub = hub_view(facts, namespace, name);
        let found = diagnose(&Tried {
            reach,
            entry: way,
            from: "this machine",
            hub: hub.as_ref(),
            object: &format!("the API server of guest {namespace}/{name}"),
            now: observed.now,
            origin: Origin::Hub,
        });
        found.map(Finding::likely)
    }
}

impl Step for Access {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        format!("Reach {}'s API server", self.place.name)
    }

    fn after(&self) -> Vec<Dependency> {
        vec![Dependency {
            step: ids::cluster(&self.place.name),
            reason: "the control plane makes the kubeconfig",
        }]
    }

    fn lock(&self) -> Lock {
        lock(&self.place)
    }

    /// A document without an identity section takes back what an earlier one put in place; not one that says in its
    /// overrides who may log in, as an imported one does.
    fn changes(&self, facts: &Facts) -> Vec<Change> {
        let overrides = &self.guest.spec.overrides.hosted_cluster;
        let overridden = Login::of(&serde_json::json!({ "spec": overrides }));
        if self.guest.spec.identity.is_some() || !overridden.is_nobody() {
            return Vec::new();
        }
        identity::withdrawal(facts, &self.place)
    }

    fn effects(&self, facts: &Facts) -> Vec<Effect> {
        let tried = self.attempt(facts).into_iter();
        tried
            .chain(self.files(facts).into_iter().map(|(path, contents)| match contents {
                Some(contents) => Effect::WriteFile {
                    path: path.clone(),
                    contents,
                },
                None => Effect::Later {
                    what: format!("write {} (mode 0600)", path.display()),
                    after: ids::cluster(&self.place.name),
                },
            }))
            .collect()
    }

    fn watches(&self) -> Vec<Selector> {
        let mut watches: Vec<_> = kubeconfig_watches(&self.place).into();
        watches.push(secret(&self.place, "kubeadmin-password"));
        watches.push(self.place.on_guest(resources::NODE));
        watches.extend(identity::withdrawal_watches(&self.place));
        watches.extend(HubView::watches(&self.place.namespace, &self.place.name));
        watches
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        if kubeconfig(facts, &self.place).is_none() {
            return Assessment::waiting("NoKubeconfig", "the admin kubeconfig is not there yet");
        }
        match facts.seen(&self.place.on_guest(resources::NODE)) {
            Seen::Objects(_) => {}
            Seen::Unreadable(why) => {
                let waiting = Assessment::waiting("Unreachable", format!("the guest's API: {why}"));
                return explained(observed, waiting, self.finding(observed));
            }
            Seen::Pending | Seen::NoKind => {
                return Assessment::waiting("Connecting", "the guest's API has not answered yet");
            }
        }
        for effect in self.effects(facts) {
            match facts.outcome(&effect) {
                Some(Ok(_)) => {}
                None => return Assessment::waiting("Writing", effect.describe()),
                Some(Err(failure)) => {
                    let found = diagnosis(
                        "",
                        "a file for access cannot be written",
                        effect.describe(),
                        [failure.message.clone()],
                        &failure.fix,
                    );
                    return Assessment::Blocked {
                        diagnosis: found,
                        recheck_at: None,
                    };
                }
            }
        }
        Assessment::Ready {
            outputs: self.outputs(facts),
        }
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        let GuestRef { namespace, name } = &self.place;
        vec![
            command(
                "",
                format!("(umask 077; hcp create kubeconfig --namespace {namespace} --name {name} > {name}.kubeconfig)"),
            ),
            command("", format!("oc --kubeconfig {name}.kubeconfig get nodes")),
            command(
                "The kubeadmin password is in the HostedCluster's namespace, and once more in the control plane's",
                format!(
                    "oc get secret {name}-kubeadmin-password -n {namespace} -o jsonpath='{{.data.password}}' | base64 -d"
                ),
            ),
        ]
    }

    fn kubeconfigs(&self, facts: &Facts) -> Vec<(Target, Secret)> {
        kubeconfigs(facts, &self.place)
    }
}
