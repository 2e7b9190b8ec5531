//! `cli`: the `hcp` program that the hub offers, verified and in Berth's own folder.
//!
//! Nothing else stands on it: it is for people. Where the hub offers none, the step is done with a word on why.

use std::collections::BTreeMap;

use berth_api::{resources, views};
use jiff::SignedDuration;

use crate::assess::{Assessment, Observed};
use crate::change::Change;
use crate::compile::Platform;
use crate::effect::{Effect, Outcome};
use crate::facts::{Facts, Seen, Selector};
use crate::read::text;
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{command, ids};
use crate::walk::diagnosis;

const DOWNLOAD: &str = "hcp-cli-download";
/// ConfigMap with the CA of the default ingress, through which the archive is served.
const INGRESS_CA: (&str, &str, &str) = ("openshift-config-managed", "default-ingress-cert", "ca-bundle.crt");
/// How long the engine may take to offer the download once it runs.
const PATIENCE: SignedDuration = SignedDuration::from_mins(3);

/// The step.
#[derive(Debug)]
pub(crate) struct Cli {
    id: StepId,
    platform: Platform,
}

impl Cli {
    pub(crate) fn new(platform: Platform) -> Self {
        Self {
            id: ids::CLI.into(),
            platform,
        }
    }

    fn downloads() -> Selector {
        Selector::all(resources::CONSOLE_CLI_DOWNLOAD)
    }

    fn authority() -> Selector {
        Selector::named(resources::CONFIG_MAP, INGRESS_CA.0, INGRESS_CA.1)
    }

    /// The archive for this platform.
    fn link<'a>(&self, facts: &'a Facts) -> Option<&'a str> {
        let download = crate::read::find(facts, &Self::downloads(), DOWNLOAD)?;
        views::download_links(download)
            .map(|link| link.href)
            .find(|href| self.platform.is_meant_by(href))
    }

    /// The download, where there is a link for this platform and a CA to verify it with.
    fn fetch(&self, facts: &Facts) -> Option<Effect> {
        let url = self.link(facts)?.to_owned();
        let ca = text(facts.object(&Self::authority())?, &["data", INGRESS_CA.2])?;
        Some(Effect::FetchTool {
            name: "hcp".to_owned(),
            url,
            ca: Some(ca.to_owned()),
            probe: vec!["version".into(), "--client-only".into()],
        })
    }
}

impl Step for Cli {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        "Fetch the hcp program".to_owned()
    }

    fn after(&self) -> Vec<Dependency> {
        vec![Dependency {
            step: ids::ENGINE.into(),
            reason: "the engine serves the archive",
        }]
    }

    fn lock(&self) -> Lock {
        Lock::Hub
    }

    fn changes(&self, _facts: &Facts) -> Vec<Change> {
        Vec::new()
    }

    fn effects(&self, facts: &Facts) -> Vec<Effect> {
        let known = self.fetch(facts);
        let engine_runs = !facts
            .objects(&Selector::all(resources::MULTI_CLUSTER_ENGINE))
            .is_empty();
        match known {
            Some(effect) => vec![effect],
            None if engine_runs => Vec::new(),
            None => vec![Effect::Later {
                what: "fetch hcp from the hub".to_owned(),
                after: ids::ENGINE.into(),
            }],
        }
    }

    fn watches(&self) -> Vec<Selector> {
        vec![
            Self::downloads(),
            Self::authority(),
            Selector::all(resources::MULTI_CLUSTER_ENGINE),
        ]
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        if let Some(effect) = self.fetch(facts) {
            return fetched(facts, &effect);
        }
        let skipped = |why: String| Assessment::Ready {
            outputs: BTreeMap::from([("skipped".to_owned(), why)]),
        };
        if self.link(facts).is_some() {
            return match facts.seen(&Self::authority()) {
                Seen::Pending => Assessment::waiting("Reading", "reading the CA of the hub's ingress"),
                _ => skipped(format!(
                    "hcp is not fetched: the CA that its download is verified with cannot be read from ConfigMap {}/{}",
                    INGRESS_CA.0, INGRESS_CA.1
                )),
            };
        }
        match facts.seen(&Self::downloads()) {
            Seen::Pending => Assessment::waiting("Reading", "reading the hub's downloads"),
            Seen::NoKind => skipped("the hub has no console, so it offers no downloads".to_owned()),
            Seen::Unreadable(why) => skipped(format!("the hub's downloads cannot be read: {why}")),
            Seen::Objects(all) if all.iter().any(|download| crate::read::name(download) == DOWNLOAD) => {
                skipped(format!(
                    "the hub offers no hcp for {} on {}",
                    self.platform.os, self.platform.arch
                ))
            }
            // The engine adds its download only beside another one: without any there will be none.
            Seen::Objects(all) if all.is_empty() => skipped("the hub offers no downloads".to_owned()),
            Seen::Objects(_) => {
                let until = observed.since.checked_add(PATIENCE).unwrap_or(observed.now);
                if observed.now >= until {
                    return skipped(format!("the hub offers no hcp ({DOWNLOAD} did not appear)"));
                }
                Assessment::Waiting {
                    reason: "NoDownload".to_owned(),
                    detail: format!("the hub does not offer {DOWNLOAD} yet"),
                    done: None,
                    total: None,
                    recheck_at: Some(until),
                }
            }
        }
    }

    fn commands(&self, facts: &Facts) -> Vec<Command> {
        let url = self.link(facts).map_or_else(|| "\"$URL\"".to_owned(), str::to_owned);
        let platform = &self.platform;
        vec![
            command(
                "The link for this machine: the layout of the paths differs between versions, so it is looked up",
                format!(
                    "URL=$(oc get consoleclidownload {DOWNLOAD} -o jsonpath='{{range .spec.links[*]}}{{.href}}{{\"\\n\"}}{{end}}' \
                     | grep -E '\\b{}\\b.*\\b{}\\b')",
                    platform.os, platform.arch
                ),
            ),
            command(
                "The route's certificate is signed by the cluster's own ingress CA: trust that, not everything",
                format!(
                    "oc get configmap {} -n {} -o jsonpath='{{.data.ca-bundle\\.crt}}' > ingress-ca.crt\n\
                     curl --fail --location --cacert ingress-ca.crt --output hcp.tar.gz {url}",
                    INGRESS_CA.1, INGRESS_CA.0
                ),
            ),
            command(
                "A folder of one's own on the PATH does; root is not needed",
                "mkdir -p ~/.local/bin && tar -xzf hcp.tar.gz -C ~/.local/bin hcp && hcp version",
            ),
        ]
    }
}

/// What became of the download.
fn fetched(facts: &Facts, effect: &Effect) -> Assessment {
    match facts.outcome(effect) {
        None => Assessment::waiting("Fetching", effect.describe()),
        Some(Ok(Outcome::Tool { path, version })) => Assessment::Ready {
            outputs: BTreeMap::from([
                ("path".to_owned(), path.display().to_string()),
                ("version".to_owned(), version.clone()),
            ]),
        },
        Some(Ok(_)) => Assessment::ready(),
        Some(Err(failure)) => {
            let object = format!("ConsoleCLIDownload {DOWNLOAD}");
            let found = diagnosis(
                "P24",
                "the hcp program cannot be fetched",
                object,
                [failure.message.clone()],
                &failure.fix,
            );
            if failure.transient {
                Assessment::Blocked {
                    diagnosis: found,
                    recheck_at: None,
                }
            } else {
                Assessment::Fatal { diagnosis: found }
            }
        }
    }
}
