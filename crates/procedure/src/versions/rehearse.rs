//! The order in which a hub and its guests can be brought to another OpenShift: moves one by one, each legal in the state that
//! it leads to, and for each move that had to wait, the edge that would have broken.
//!
//! Pure; it knows published tables only. Not here: reading a cluster (`crate::rehearsal`).

use serde::Serialize;

use super::release::{of_ordinal, ordinal};
use super::{MATRIX, Minor, Row};

/// What runs now, minors only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fleet {
    /// The management cluster's OpenShift.
    pub hub: Minor,
    /// The multicluster engine.
    pub engine: Minor,
    /// Whether Advanced Cluster Management owns the engine.
    pub with_acm: bool,
    /// The guests.
    pub guests: Vec<Member>,
}

/// One guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its control plane's minor.
    pub control_plane: Minor,
    /// Its pools, each with its minor.
    pub pools: Vec<(String, Minor)>,
}

/// One move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// What moves.
    pub what: String,
    /// From which version.
    pub from: Minor,
    /// To which.
    pub to: Minor,
    /// Moves that can't be made yet at this point, each with the edge that it would break.
    pub waits: Vec<String>,
}

/// The whole way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rehearsal {
    /// What runs now.
    pub now: Fleet,
    /// What is wrong with that already.
    pub broken: Vec<String>,
    /// The moves, in order.
    pub moves: Vec<Move>,
    /// What keeps the way from its end; empty where it gets there.
    pub stuck: Vec<String>,
    /// What no published table tells, and nothing here is held against.
    pub unknown: Vec<String>,
}

/// So many minors behind the newest that it makes does an engine support.
const SUPPORTED_BACK: u32 = 2;

/// The way of a fleet until the hub is at a minor, with the engine that came out with it, and guests that follow.
pub fn rehearse(fleet: &Fleet, hub: Minor) -> Rehearsal {
    let mut state = fleet.clone();
    let mut rehearsal = Rehearsal {
        now: fleet.clone(),
        broken: broken(fleet),
        moves: Vec::new(),
        stuck: Vec::new(),
        unknown: Vec::new(),
    };
    if is_beyond(fleet.engine) {
        rehearsal.unknown.push(format!(
            "multicluster engine {} is newer than the published tables: on which OpenShift it runs and which guests it \
             makes is in its release notes, and the ConfigMap hypershift/supported-versions",
            fleet.engine
        ));
    }
    let goal = Goal::of(hub);
    // What is broken already is no reason against a move that leaves it so.
    let known = rehearsal.broken.clone();
    loop {
        let mut waits = Vec::new();
        let mut taken = None;
        for (step, next) in candidates(&state, &goal) {
            let breaks: Vec<String> = broken(&next).into_iter().filter(|edge| !known.contains(edge)).collect();
            if breaks.is_empty() {
                taken = Some((step, next));
                break;
            }
            waits.push(format!(
                "{} {} → {}: {}",
                step.what,
                step.from,
                step.to,
                breaks.join("; ")
            ));
        }
        let Some((step, next)) = taken else {
            rehearsal.stuck = waits;
            if goal.engine.is_none() && !is_beyond(state.engine) {
                let why = format!("no multicluster engine is published for OpenShift {hub}");
                rehearsal.stuck.push(why);
            }
            return rehearsal;
        };
        rehearsal.moves.push(Move { waits, ..step });
        state = next;
    }
}

struct Goal {
    hub: Minor,
    engine: Option<Row>,
    guest: Minor,
}

impl Goal {
    fn of(hub: Minor) -> Self {
        let engine = MATRIX
            .into_iter()
            .rev()
            .find(|row| row.runs_on(hub) && row.newest_guest <= hub);
        Self {
            hub,
            engine,
            guest: engine.map_or(hub, |row| row.newest_guest),
        }
    }
}

/// The moves towards the goal, the hub first: what can be done by those who wait for it is done last.
fn candidates(state: &Fleet, goal: &Goal) -> Vec<(Move, Fleet)> {
    let mut all = Vec::new();
    if ordinal(state.hub) < ordinal(goal.hub) {
        let to = next(state.hub);
        let moved = Fleet {
            hub: to,
            ..state.clone()
        };
        all.push((step("OpenShift of the hub", state.hub, to), moved));
    }
    let later = MATRIX.into_iter().find(|row| row.engine > state.engine);
    if let (Some(goal), Some(row)) = (goal.engine, later)
        && state.engine < goal.engine
    {
        let what = if state.with_acm {
            "the multicluster engine, with the ACM that brings it,"
        } else {
            "the multicluster engine"
        };
        let moved = Fleet {
            engine: row.engine,
            ..state.clone()
        };
        all.push((step(what, state.engine, row.engine), moved));
    }
    for (index, guest) in state.guests.iter().enumerate() {
        if ordinal(guest.control_plane) < ordinal(goal.guest) {
            let to = next(guest.control_plane);
            let mut moved = state.clone();
            moved.guests[index].control_plane = to;
            let what = format!("the control plane of {}", guest.name);
            all.push((step(&what, guest.control_plane, to), moved));
        }
        for (pool, (name, has)) in guest.pools.iter().enumerate() {
            if ordinal(*has) < ordinal(guest.control_plane) {
                // A pool may skip minors: its machines are made anew.
                let mut moved = state.clone();
                moved.guests[index].pools[pool].1 = guest.control_plane;
                let what = format!("the pool {name} of {}", guest.name);
                all.push((step(&what, *has, guest.control_plane), moved));
            }
        }
    }
    all
}

/// The edges that a state breaks.
fn broken(state: &Fleet) -> Vec<String> {
    let mut edges = Vec::new();
    let row = MATRIX.into_iter().find(|row| row.engine == state.engine);
    if let Some(row) = row {
        if !row.runs_on(state.hub) {
            let (first, last) = row.hub;
            edges.push(format!(
                "multicluster engine {} runs on OpenShift {first} to {last}, not on {}",
                row.engine, state.hub
            ));
        }
        let oldest = of_ordinal(ordinal(row.newest_guest).saturating_sub(SUPPORTED_BACK));
        for guest in &state.guests {
            if !row.makes(guest.control_plane) {
                edges.push(format!(
                    "{}: multicluster engine {} makes guests up to {}, not {}",
                    guest.name, row.engine, row.newest_guest, guest.control_plane
                ));
            } else if guest.control_plane < oldest {
                edges.push(format!(
                    "{}: multicluster engine {} supports guests from {oldest} on, not {} (U10)",
                    guest.name, row.engine, guest.control_plane
                ));
            }
        }
    } else if !is_beyond(state.engine) {
        edges.push(format!("multicluster engine {} is in no published table", state.engine));
    }
    for guest in &state.guests {
        for (pool, has) in &guest.pools {
            let (plane, own) = (ordinal(guest.control_plane), ordinal(*has));
            if own > plane || own + super::release::LAG < plane {
                edges.push(format!(
                    "{}: the pool {pool} at {has} does not go with a control plane of {} (C22)",
                    guest.name, guest.control_plane
                ));
            }
        }
    }
    edges
}

/// Whether an engine is newer than all that is published.
fn is_beyond(engine: Minor) -> bool {
    MATRIX.into_iter().all(|row| row.engine < engine)
}

fn step(what: &str, from: Minor, to: Minor) -> Move {
    Move {
        what: what.to_owned(),
        from,
        to,
        waits: Vec::new(),
    }
}

fn next(minor: Minor) -> Minor {
    of_ordinal(ordinal(minor) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minor(text: &str) -> Minor {
        text.parse().expect("a version")
    }

    fn fleet(hub: &str, engine: &str, guests: &[(&str, &str, &str)]) -> Fleet {
        let guests = guests.iter().map(|(name, control_plane, pool)| Member {
            name: (*name).to_owned(),
            control_plane: minor(control_plane),
            pools: vec![("workers".to_owned(), minor(pool))],
        });
        Fleet {
            hub: minor(hub),
            engine: minor(engine),
            with_acm: false,
            guests: guests.collect(),
        }
    }

    fn told(fleet: &Fleet, hub: &str) -> String {
        let Rehearsal {
            broken, moves, stuck, ..
        } = rehearse(fleet, minor(hub));
        let moves = moves.iter().map(|step| {
            let waits: Vec<String> = step.waits.iter().map(|wait| format!("\n    not yet {wait}")).collect();
            format!("{} {} → {}{}", step.what, step.from, step.to, waits.concat())
        });
        let broken = broken.iter().map(|edge| format!("broken: {edge}"));
        let stuck = stuck.iter().map(|edge| format!("stuck: {edge}"));
        broken.chain(moves).chain(stuck).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_engine_goes_before_an_openshift_that_it_does_not_know() {
        insta::assert_snapshot!(told(&fleet("4.17", "2.7", &[("hcp/a", "4.17", "4.16")]), "4.18"), @r"
        the multicluster engine 2.7 → 2.8
            not yet OpenShift of the hub 4.17 → 4.18: multicluster engine 2.7 runs on OpenShift 4.15 to 4.17, not on 4.18
        OpenShift of the hub 4.17 → 4.18
        the control plane of hcp/a 4.17 → 4.18
        the pool workers of hcp/a 4.16 → 4.18
        ");
    }

    #[test]
    fn guests_that_the_next_engine_leaves_behind_go_first() {
        let way = told(&fleet("4.17", "2.7", &[("hcp/old", "4.15", "4.15")]), "4.18");
        let lines: Vec<&str> = way.lines().collect();
        assert_eq!(lines[0], "the control plane of hcp/old 4.15 → 4.16", "{way}");
        assert!(way.contains("supports guests from 4.16 on, not 4.15 (U10)"), "{way}");
    }

    #[test]
    fn a_way_that_ends_nowhere_says_what_keeps_it() {
        let way = told(&fleet("4.22", "2.17", &[]), "4.40");
        assert!(way.contains("stuck: OpenShift of the hub 4.22 → 4.23"), "{way}");
        assert!(
            told(&fleet("4.17", "2.12", &[]), "4.18")
                .contains("broken: multicluster engine 2.12 is in no published table")
        );
        assert_eq!(told(&fleet("4.17", "2.7", &[("hcp/a", "4.17", "4.17")]), "4.17"), "");
    }

    /// Nothing is published of it, which is no reason against anything.
    #[test]
    fn an_engine_beyond_the_tables_is_said_and_the_rest_is_rehearsed() {
        let fleet = fleet("5.0", "5.0", &[("hcp/a", "5.0", "4.23")]);
        let way = rehearse(&fleet, minor("5.1"));
        assert_eq!((&way.broken[..], &way.stuck[..]), (&[][..], &[][..]));
        assert!(
            way.unknown[0].starts_with("multicluster engine 5.0 is newer"),
            "{way:?}"
        );
        insta::assert_snapshot!(told(&fleet, "5.1"), @r"
        OpenShift of the hub 5.0 → 5.1
        the control plane of hcp/a 5.0 → 5.1
        the pool workers of hcp/a 4.23 → 5.1
        ");
    }

    #[test]
    fn no_move_breaks_an_edge_that_held() {
        for (hub, engine) in [("4.15", "2.5"), ("4.16", "2.6"), ("4.17", "2.7"), ("4.18", "2.8")] {
            for guest in ["4.14", "4.15", "4.16"] {
                let start = fleet(hub, engine, &[("a", guest, "4.14"), ("b", guest, guest)]);
                let way = rehearse(&start, minor("4.20"));
                assert!(
                    way.stuck.is_empty() || !way.broken.is_empty(),
                    "{hub} {engine} {guest}: {way:?}"
                );
            }
        }
    }
}
