use berth_api::resources;
use serde_json::json;

use super::*;

fn object(version: u64, x: &str) -> Arc<Value> {
    let metadata = json!({"name": "a", "namespace": "hcp", "uid": "u", "resourceVersion": version.to_string()});
    Arc::new(json!({"kind": "ConfigMap", "metadata": metadata, "data": {"x": x}}))
}

fn address() -> ObjectRef {
    ObjectRef::namespaced(resources::CONFIG_MAP, "hcp", "a")
}

fn apply(x: &str) -> Change {
    Change::Apply {
        object: address(),
        fields: json!({"data": {"x": x}}),
    }
}

fn watched(world: &mut World, objects: Vec<Arc<Value>>, version: u64) {
    world.observe(
        Selector::in_namespace(resources::CONFIG_MAP, "hcp"),
        Seen::Objects(objects),
        Some(version),
    );
}

#[test]
fn an_object_that_nothing_shows_has_to_be_read() {
    let mut world = World::default();
    world.observe(Selector::all(resources::SECRET), Seen::Objects(Vec::new()), Some(9));
    assert_eq!(world.knowledge(&address()), Knowledge::Unknown);
    assert_eq!(world.standing(&apply("1")), Standing::Open);
}

#[test]
fn an_own_write_counts_until_the_watch_has_caught_up() {
    let mut world = World::default();
    watched(&mut world, Vec::new(), 5);
    assert_eq!(world.knowledge(&address()), Knowledge::Absent);
    world.remember(&address(), Some(object(7, "1")));
    assert_eq!(world.standing(&apply("1")), Standing::Made);
    watched(&mut world, vec![object(8, "2")], 8);
    assert_eq!(world.standing(&apply("1")), Standing::Open);
    watched(&mut world, Vec::new(), 9);
    assert_eq!(world.knowledge(&address()), Knowledge::Absent);
}

#[test]
fn an_own_write_counts_where_a_watch_has_not_seen_its_kind_yet() {
    let mut world = World::default();
    world.observe(Selector::in_namespace(resources::CONFIG_MAP, "hcp"), Seen::NoKind, None);
    assert_eq!(world.knowledge(&address()), Knowledge::NoKind);
    world.remember(&address(), Some(object(7, "1")));
    assert_eq!(world.standing(&apply("1")), Standing::Made);
    watched(&mut world, Vec::new(), 9);
    assert_eq!(world.knowledge(&address()), Knowledge::Absent);
}

#[test]
fn what_a_server_made_of_an_accepted_write_is_no_reason_to_write_again() {
    let mut world = World::default();
    watched(&mut world, vec![object(5, "1")], 5);
    assert_eq!(world.standing(&apply("one")), Standing::Open);
    world.remember_accepted(&address(), &json!({"data": {"x": "one"}}), object(6, "1"));
    assert_eq!(world.standing(&apply("one")), Standing::Made);
    watched(&mut world, vec![object(7, "2")], 7);
    assert_eq!(world.standing(&apply("one")), Standing::Open);
}

#[test]
fn a_deletion_is_asked_for_once() {
    let mut world = World::default();
    let absent = Change::Absent { object: address() };
    watched(&mut world, vec![object(5, "1")], 5);
    assert_eq!(world.standing(&absent), Standing::Open);
    world.remember_deleted(&address(), "u".into());
    assert_eq!(world.standing(&absent), Standing::Made);
}
