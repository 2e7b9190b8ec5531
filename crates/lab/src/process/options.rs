//! What a lab is started with, also as the argument of the process that runs it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::generation::Generation;
use crate::home::{Home, LabName};
use crate::time::Speed;
use crate::world::Workers;

/// What a lab is started with.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// Its name.
    pub name: LabName,
    /// How fast modelled work goes by.
    pub speed: Speed,
    /// The upstream versions that it plays; without them those that it played before, or the default of a new lab.
    pub generation: Option<Generation>,
    /// Actors that are left out, so that real operators can take their part.
    pub without: BTreeSet<String>,
    /// A folder of CustomResourceDefinitions to serve in place of the lab's own for the same kinds.
    pub crds: Option<PathBuf>,
    /// Whether what is acknowledged survives a loss of power, too.
    pub fsync: bool,
    /// How many machines the management cluster has for workloads, when it is made.
    pub workers: Workers,
}

/// The options as they go through an argument.
#[derive(Serialize, Deserialize)]
struct Encoded {
    home: PathBuf,
    name: String,
    speed: String,
    generation: Option<String>,
    without: BTreeSet<String>,
    crds: Option<PathBuf>,
    fsync: bool,
    workers: String,
}

impl StartOptions {
    /// The options, and the home of the lab, as one argument.
    pub(super) fn encode(&self, home: &Home) -> Result<String, serde_json::Error> {
        let Self {
            name,
            speed,
            generation,
            without,
            crds,
            fsync,
            workers,
        } = self;
        serde_json::to_string(&Encoded {
            home: home.path().to_owned(),
            name: name.to_string(),
            speed: speed.to_string(),
            generation: generation.map(|generation| generation.to_string()),
            without: without.clone(),
            crds: crds.clone(),
            fsync: *fsync,
            workers: workers.to_string(),
        })
    }

    /// From that argument. The message says what is wrong with it.
    pub(super) fn decode(argument: &str) -> Result<(Home, Self), String> {
        let encoded: Encoded = serde_json::from_str(argument).map_err(|error| error.to_string())?;
        let Encoded {
            home,
            name,
            speed,
            generation,
            without,
            crds,
            fsync,
            workers,
        } = encoded;
        let options = Self {
            name: name
                .parse()
                .map_err(|error: crate::home::InvalidLabName| error.to_string())?,
            speed: speed
                .parse()
                .map_err(|error: crate::time::InvalidSpeed| error.to_string())?,
            generation: generation
                .map(|generation| generation.parse())
                .transpose()
                .map_err(|error: crate::generation::NoSuchGeneration| error.to_string())?,
            without,
            crds,
            fsync,
            workers: workers
                .parse()
                .map_err(|error: crate::world::NoSuchWorkers| error.to_string())?,
        };
        Ok((Home::new(home), options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_go_through_an_argument() {
        let options = StartOptions {
            speed: Speed::Times(2.5),
            generation: Some(Generation::Current),
            without: BTreeSet::from(["hypershift".to_owned()]),
            fsync: true,
            workers: "40".parse().unwrap(),
            ..StartOptions::default()
        };
        let (home, decoded) = StartOptions::decode(&options.encode(&Home::new("/h")).unwrap()).unwrap();
        assert_eq!(home.path(), std::path::Path::new("/h"));
        assert_eq!(format!("{decoded:?}"), format!("{options:?}"));
        assert!(StartOptions::decode("{}").is_err());
    }
}
