//! Which upstream versions a lab plays: what its cluster was made of stays, for nothing here upgrades a management cluster.

use super::StartOptions;
use crate::generation::{Generation, NoSuchGeneration};
use crate::home::{LabName, Record};

/// Why a lab cannot play what it is asked to.
#[derive(Debug, thiserror::Error)]
pub enum GenerationError {
    /// Its cluster is of another generation.
    #[error(
        "the lab `{lab}` holds a cluster of generation {holds}, and {asked} was asked for: `lab reset` deletes it, or take \
         another lab"
    )]
    Other {
        /// Which lab.
        lab: LabName,
        /// What it plays.
        holds: Generation,
        /// What was asked for.
        asked: Generation,
    },
    /// It was made by a program that knows other generations.
    #[error(transparent)]
    Unknown(#[from] NoSuchGeneration),
}

/// The generation to play: the one that the lab played before, else the one that is asked for, else the default.
pub(super) fn of_lab(options: &StartOptions, former: Option<&Record>) -> Result<Generation, GenerationError> {
    let Some(former) = former else {
        return Ok(options.generation.unwrap_or_default());
    };
    let holds: Generation = former.generation.parse()?;
    match options.generation {
        Some(asked) if asked != holds => Err(GenerationError::Other {
            lab: options.name.clone(),
            holds,
            asked,
        }),
        _ => Ok(holds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Ports;

    fn record(generation: &str) -> Record {
        Record {
            pid: 1,
            build: String::new(),
            speed: "max".to_owned(),
            generation: generation.to_owned(),
            without: Vec::new(),
            started: jiff::Timestamp::UNIX_EPOCH,
            ports: Ports { api: 0, downloads: 0 },
            network: None,
            ready: false,
        }
    }

    fn asking(generation: Option<Generation>) -> StartOptions {
        StartOptions {
            generation,
            ..StartOptions::default()
        }
    }

    #[test]
    fn what_a_lab_played_it_goes_on_playing() {
        let played = record("current");
        let check = |asked, former| of_lab(&asking(asked), former).ok();
        assert_eq!(check(None, None), Some(Generation::V4_17));
        assert_eq!(check(Some(Generation::Current), None), Some(Generation::Current));
        assert_eq!(check(None, Some(&played)), Some(Generation::Current));
        assert_eq!(
            check(Some(Generation::Current), Some(&played)),
            Some(Generation::Current)
        );
    }

    #[test]
    fn another_generation_is_refused_with_what_can_be_done() {
        let error = of_lab(&asking(Some(Generation::V4_17)), Some(&record("current"))).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("generation current, and 4.17 was asked for: `lab reset`"),
            "{error}"
        );
        assert!(of_lab(&asking(None), Some(&record("9.9"))).is_err());
    }
}
