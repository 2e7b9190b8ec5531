use super::*;

fn deployment(replicas: i64, strategy: &Value) -> Value {
    json!({ "metadata": { "generation": 1 }, "spec": { "replicas": replicas, "strategy": strategy } })
}

fn set(name: &str, spec: i64, available: i64) -> Value {
    json!({
        "metadata": { "name": name },
        "spec": { "replicas": spec },
        "status": { "replicas": spec, "readyReplicas": available, "availableReplicas": available },
    })
}

/// Plays a rollout to its end: each step's replicas become available at once. The lines are new/old after each step.
fn play(replicas: i64, strategy: &Value) -> Vec<(i64, i64)> {
    let deployment = deployment(replicas, strategy);
    let mut both = Sets {
        new: set("new", 0, 0),
        old: vec![set("old", replicas, replicas)],
    };
    let mut taken = Vec::new();
    loop {
        let next = rollout(&deployment, &both);
        if next.is_empty() {
            return taken;
        }
        for (name, count) in next {
            let changed = set(&name, count, count);
            if name == "new" {
                both.new = changed;
            } else {
                both.old[0] = changed;
            }
        }
        taken.push((wanted_replicas(&both.new), wanted_replicas(&both.old[0])));
        assert!(taken.len() < 50, "the rollout does not end: {taken:?}");
    }
}

#[test]
fn rollouts_stay_within_surge_and_unavailability() {
    let rolling = |surge: Value, unavailable: Value| {
        let bounds = json!({ "maxSurge": surge, "maxUnavailable": unavailable });
        json!({ "type": "RollingUpdate", "rollingUpdate": bounds })
    };
    // One above, none below.
    assert_eq!(
        play(2, &rolling(json!("25%"), json!("25%"))),
        [(1, 2), (1, 1), (2, 1), (2, 0)]
    );
    // None above: the old one goes first. This is how routers on host ports are rolled out.
    assert_eq!(
        play(2, &rolling(json!(0), json!("25%"))),
        [(0, 1), (1, 1), (1, 0), (2, 0)]
    );
    assert_eq!(play(3, &json!({ "type": "Recreate" })), [(0, 0), (3, 0)]);
}

#[test]
fn old_replicas_stay_until_new_ones_are_available() {
    let strategy = json!({ "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } });
    let unready = Sets {
        new: set("new", 1, 0),
        old: vec![set("old", 2, 2)],
    };
    assert_eq!(rollout(&deployment(2, &strategy), &unready), []);
    let ready = Sets {
        new: set("new", 1, 1),
        old: vec![set("old", 2, 2)],
    };
    assert_eq!(rollout(&deployment(2, &strategy), &ready), [("old".to_owned(), 1)]);
}

#[test]
fn a_deployment_that_is_scaled_scales_its_only_set() {
    let sets = Sets {
        new: set("new", 2, 2),
        old: Vec::new(),
    };
    assert_eq!(rollout(&deployment(5, &json!({})), &sets), [("new".to_owned(), 5)]);
    assert_eq!(rollout(&deployment(0, &json!({})), &sets), [("new".to_owned(), 0)]);
}
