use serde_json::{Value, json};

use super::*;

/// A field of bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
    bytes.extend_from_slice(content);
    bytes
}

/// A field of a number below 128.
fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

fn body(api_version: &str, kind: &str, object: &[u8]) -> Vec<u8> {
    let type_meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
    [MAGIC.to_vec(), field(1, &type_meta), field(2, object)].concat()
}

#[track_caller]
fn check(body: &[u8], expected: &Value) {
    assert_eq!(decode(body).unwrap(), *expected);
}

#[test]
fn maps_texts_and_times() {
    let entry = [field(1, b"k"), field(2, b"v")].concat();
    let created = field(8, &number(1, 60));
    // Zero values are always written: those of optional fields mean nothing.
    let metadata = [field(1, b"x"), field(3, b""), created, field(11, &entry)].concat();
    let map = [field(1, &metadata), field(2, &entry)].concat();
    check(
        &body("v1", "ConfigMap", &map),
        &json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "x", "creationTimestamp": "1970-01-01T00:01:00Z", "labels": {"k": "v"}},
            "data": {"k": "v"},
        }),
    );
}

#[test]
fn bytes_are_base64() {
    let entry = [field(1, b"k"), field(2, b"v")].concat();
    let decoded = decode(&body("v1", "Secret", &field(2, &entry))).unwrap();
    assert_eq!(decoded["data"], json!({"k": "dg=="}));
}

#[test]
fn a_zero_that_was_meant_stays() {
    let spec = field(2, &[number(1, 0), number(5, 0)].concat());
    let decoded = decode(&body("apps/v1", "Deployment", &spec)).unwrap();
    assert_eq!(decoded["spec"], json!({"replicas": 0}));
}

#[test]
fn inlined_messages_stand_in_the_one_around_them() {
    let source = field(2, &field(2, b""));
    let volume = [field(1, b"v"), source].concat();
    let decoded = decode(&body("v1", "Pod", &field(2, &field(1, &volume)))).unwrap();
    assert_eq!(decoded["spec"]["volumes"], json!([{"name": "v", "emptyDir": {}}]));
}

#[test]
fn numbers_or_text() {
    let port = |target: &[u8]| field(1, &[number(3, 80), field(4, target)].concat());
    let ports = [
        port(&[number(1, 0), number(2, 8)].concat()),
        port(&[number(1, 1), field(3, b"web")].concat()),
    ]
    .concat();
    let decoded = decode(&body("v1", "Service", &field(2, &ports))).unwrap();
    assert_eq!(
        decoded["spec"]["ports"],
        json!([{"port": 80, "targetPort": 8}, {"port": 80, "targetPort": "web"}])
    );
}

#[test]
fn options_are_known_in_every_group() {
    let decoded = decode(&body("apps/v1", "DeleteOptions", &field(4, b"Foreground"))).unwrap();
    assert_eq!(decoded["propagationPolicy"], "Foreground");
}

#[test]
fn every_cut_is_refused_or_read_never_a_panic() {
    let entry = [field(1, b"k"), field(2, b"v")].concat();
    let whole = body(
        "v1",
        "ConfigMap",
        &[field(1, &field(1, b"x")), field(2, &entry)].concat(),
    );
    for end in 0..whole.len() {
        let _ = decode(&whole[..end]);
    }
    assert!(decode(b"{}").is_err());
    let unknown = decode(&body("v9", "Thing", b""));
    assert!(matches!(unknown, Err(ProtobufError::UnknownKind { .. })));
}

#[test]
fn what_is_nested_too_deeply_is_refused() {
    let long = |number: u32, content: Vec<u8>| {
        let mut bytes = Vec::new();
        for mut rest in [number << 3 | 2, u32::try_from(content.len()).unwrap()] {
            while rest >= 0x80 {
                bytes.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
                rest >>= 7;
            }
            bytes.push(u8::try_from(rest).unwrap());
        }
        [bytes, content].concat()
    };
    // spec.versions[0].schema.openAPIV3Schema, and in it `not`, again and again.
    let definition = |depth: usize| {
        let schema = (0..depth).fold(Vec::new(), |inner, _| long(28, inner));
        let version = long(4, long(1, schema));
        let type_meta = [
            long(1, b"apiextensions.k8s.io/v1".to_vec()),
            long(2, b"CustomResourceDefinition".to_vec()),
        ];
        [
            MAGIC.to_vec(),
            long(1, type_meta.concat()),
            long(2, long(2, long(7, version))),
        ]
        .concat()
    };
    assert!(
        decode(&definition(20))
            .unwrap()
            .to_string()
            .contains("{\"not\":{\"not\":")
    );
    for depth in [100, 20_000] {
        assert_eq!(
            decode(&definition(depth)),
            Err(ProtobufError::Malformed("it is nested too deeply"))
        );
    }
}
