//! Section 8.9, its part about the rules of custom kinds (`x-kubernetes-validations`).

use serde_json::{Value, json};

use crate::{Answer, Server, Suite, run, suite::DEFINITIONS, text};

const SPEC: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";

/// A definition of Widgets with this schema of their `spec`.
fn definition(suite: &Suite, spec: Value) -> Value {
    let mut definition = suite.definition();
    let subresources = definition["spec"]["versions"][0]["subresources"]
        .as_object_mut()
        .unwrap();
    subresources.remove("scale");
    *definition.pointer_mut(SPEC).unwrap() = spec;
    definition
}

async fn make(suite: &Suite, name: &str, spec: Value) -> Answer {
    suite.post(&suite.widgets(), suite.widget(name, spec)).await
}

async fn change(suite: &Suite, name: &str, spec: Value) -> Answer {
    let path = format!("{}/{name}", suite.widgets());
    suite.patch("merge-patch+json", &path, json!({"spec": spec})).await
}

#[test]
fn c175_a_rule_that_is_broken_is_said() {
    run(async |suite| {
        let integer = json!({"type": "integer"});
        let rules = json!([
            {"rule": "self.low <= self.high", "message": "low must not be above high"},
            {"rule": "!has(self.word) || self.word != 'abad'", "messageExpression": "self.word + ' is bad'", "message": "unused"},
            {"rule": "!has(self.secret)", "message": "no secrets", "reason": "FieldValueForbidden", "fieldPath": ".secret"},
            {"rule": "self.high < 1000"},
        ]);
        let scalar =
            json!({"type": "string", "maxLength": 10, "x-kubernetes-validations": [{"rule": "self.startsWith('a')"}]});
        let properties = json!({"low": integer, "high": integer, "secret": {"type": "string"}, "word": scalar});
        let spec = json!({"type": "object", "required": ["low", "high"], "properties": properties, "x-kubernetes-validations": rules});
        suite.define(definition(&suite, spec)).await;
        make(&suite, "right", json!({"low": 1, "high": 2, "word": "abc"}))
            .await
            .is(201);
        let refused = make(&suite, "w", json!({"low": 3, "high": 2})).await;
        let refused = refused
            .refused(422, "Invalid", "low must not be above high")
            .caused_by("FieldValueInvalid", "spec");
        assert_eq!(refused.body["details"]["kind"], "Widget");
        let bad = make(&suite, "w", json!({"low": 1, "high": 2, "word": "abad"})).await;
        bad.refused(422, "Invalid", "abad is bad");
        let secret = make(&suite, "w", json!({"low": 1, "high": 2, "secret": "s"})).await;
        let secret = secret.refused(422, "Invalid", "spec.secret: Forbidden: no secrets");
        secret.caused_by("FieldValueForbidden", "spec.secret");
        make(&suite, "w", json!({"low": 1, "high": 1000})).await.refused(
            422,
            "Invalid",
            "failed rule: self.high < 1000",
        );
        let word = make(&suite, "w", json!({"low": 1, "high": 2, "word": "b"})).await;
        word.refused(
            422,
            "Invalid",
            "spec.word: Invalid value: \"b\": failed rule: self.startsWith('a')",
        );
        let several = make(&suite, "w", json!({"low": 1, "high": 0, "word": "abad"})).await;
        let several = several.refused(422, "Invalid", "low must not be above high");
        assert!(text(&several.body["message"]).contains("abad is bad"));
        // Rules wait until the object has the right types.
        let untyped = make(&suite, "w", json!({"low": "x", "high": 2})).await;
        let untyped = untyped.refused(
            422,
            "Invalid",
            "some validation rules were not checked because the object was invalid",
        );
        assert!(!text(&untyped.body["message"]).contains("low must not be above high"));
        change(&suite, "right", json!({"low": 5}))
            .await
            .refused(422, "Invalid", "low must not be above high");
    });
}

#[test]
fn c176_a_rule_may_look_at_what_was_before() {
    run(async |suite| {
        let fixed =
            json!({"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "is fixed"}]});
        let rule = "oldSelf.hasValue() ? self >= oldSelf.value() : self == 0";
        let growing = json!({"type": "integer", "x-kubernetes-validations": [
            {"rule": rule, "message": "begins at zero and grows", "optionalOldSelf": true},
        ]});
        let spec =
            json!({"type": "object", "properties": {"fixed": fixed, "growing": growing, "note": {"type": "string"}}});
        suite.define(definition(&suite, spec)).await;
        let refused = make(&suite, "w", json!({"growing": 1})).await;
        refused
            .refused(422, "Invalid", "begins at zero and grows")
            .caused_by("FieldValueInvalid", "spec.growing");
        make(&suite, "w", json!({"fixed": "a", "growing": 0})).await.is(201);
        let refused = change(&suite, "w", json!({"fixed": "b"})).await;
        refused
            .refused(422, "Invalid", "spec.fixed: Invalid value: \"b\": is fixed")
            .caused_by("FieldValueInvalid", "spec.fixed");
        change(&suite, "w", json!({"growing": 5})).await.is(200);
        change(&suite, "w", json!({"growing": 4}))
            .await
            .refused(422, "Invalid", "begins at zero and grows");
        change(&suite, "w", json!({"fixed": "a", "note": "n"})).await.is(200);
        // Without a value before there is nothing to compare with.
        change(&suite, "w", json!({"fixed": null})).await.is(200);
        change(&suite, "w", json!({"fixed": "b"})).await.is(200);
    });
}

#[test]
fn c177_a_rule_that_cannot_be_is_refused() {
    run(async |suite| {
        let refused = async |properties: Value, rule: Value, message: &str| {
            let spec = json!({"type": "object", "properties": properties, "x-kubernetes-validations": [rule]});
            let path = format!("{DEFINITIONS}?dryRun=All");
            let answer = suite.post(&path, definition(&suite, spec)).await;
            let answer = answer.refused(422, "Invalid", "properties[spec].x-kubernetes-validations[0]");
            let said = text(&answer.body["message"]);
            assert!(said.contains(message), "{said}");
        };
        let a = json!({"a": {"type": "string"}});
        refused(
            a.clone(),
            json!({"rule": "self.a =="}),
            "compilation failed: ERROR: <input>:1:",
        )
        .await;
        refused(a.clone(), json!({"rule": "self.b == 'x'"}), "undefined field 'b'").await;
        refused(
            a.clone(),
            json!({"rule": "self.a + 1 == 2"}),
            "found no matching overload for '_+_'",
        )
        .await;
        refused(a.clone(), json!({"rule": "self.a"}), "must evaluate to a bool").await;
        refused(
            a.clone(),
            json!({"rule": "unknown(self.a)"}),
            "undeclared reference to 'unknown'",
        )
        .await;
        refused(a.clone(), json!({"rule": ""}), "rule is not specified").await;
        refused(
            a.clone(),
            json!({"rule": "true", "messageExpression": "1"}),
            "must evaluate to a string",
        )
        .await;
        refused(a.clone(), json!({"rule": "true", "fieldPath": ".none"}), "fieldPath").await;
        refused(
            a,
            json!({"rule": "true", "reason": "Because"}),
            "Unsupported value: \"Because\"",
        )
        .await;
        let lists = json!({"a": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}});
        let costly = "self.a.all(x, x.all(y, self.a.all(z, z.all(w, w.contains(y)))))";
        // What a rule may cost is not estimated by this crate's server; `exceptions.txt` says so.
        if matches!(suite.server, Server::Real(_)) {
            let message = "estimated rule cost exceeds budget by factor of";
            refused(lists, json!({"rule": costly}), message).await;
        }
        let old = json!({"type": "array", "items": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}});
        let spec = json!({"type": "object", "properties": {"list": old}});
        let answer = suite
            .post(&format!("{DEFINITIONS}?dryRun=All"), definition(&suite, spec))
            .await;
        answer.refused(
            422,
            "Invalid",
            "oldSelf cannot be used on the uncorrelatable portion of the schema",
        );
    });
}

#[test]
fn c178_the_libraries_of_the_rules() {
    run(async |suite| {
        let libraries = [
            (
                "quantity",
                "quantity(self.text).isGreaterThan(quantity('1Gi')) && isQuantity(self.text)",
                "2Gi",
                "1Mi",
            ),
            (
                "url",
                "isURL(self.text) && url(self.text).getHostname() == 'example.test'",
                "https://example.test:8443/x",
                "https://other.test",
            ),
            (
                "ip",
                "isIP(self.text) && ip(self.text).family() == 4",
                "10.0.0.1",
                "::1",
            ),
            (
                "cidr",
                "isCIDR(self.text) && cidr(self.text).containsIP('10.1.2.3')",
                "10.0.0.0/8",
                "11.0.0.0/8",
            ),
            (
                "format",
                "!format.named('dns1123Label').value().validate(self.text).hasValue()",
                "abc",
                "A_b",
            ),
            ("sets", "sets.contains(['a', 'b'], self.text.split(','))", "a,b", "a,c"),
            (
                "optional",
                "optional.of(self.text).orValue('x') == 'abc' && self.?absent.orValue('d') == 'd'",
                "abc",
                "x",
            ),
            (
                "semver",
                "isSemver(self.text) && semver(self.text).isGreaterThan(semver('1.2.3'))",
                "1.3.0",
                "1.2.0",
            ),
            (
                "find",
                "self.text.find('[0-9]+') == '42' && self.text.findAll('[0-9]').size() == 2",
                "a42b",
                "a4b",
            ),
            (
                "lists",
                "self.numbers.isSorted() && self.numbers.sum() == 3 && self.numbers.indexOf(2) == 1",
                "12",
                "21",
            ),
            (
                "strings",
                "self.text.trim().lowerAscii().replace('b', 'x') == 'axc'",
                " ABC ",
                "abd",
            ),
        ];
        let object = json!({"text": {"type": "string", "maxLength": 100}, "absent": {"type": "string", "maxLength": 10},
            "numbers": {"type": "array", "maxItems": 10, "items": {"type": "integer"}}});
        let mut properties = json!({});
        for (name, rule, _, _) in libraries {
            let rules = json!([{"rule": rule, "message": format!("{name} says no")}]);
            properties[name] = json!({"type": "object", "required": ["text"], "properties": object, "x-kubernetes-validations": rules});
        }
        suite
            .define(definition(&suite, json!({"type": "object", "properties": properties})))
            .await;
        let spec = |name: &str, text: &str| {
            let numbers: Vec<u32> = text.chars().filter_map(|character| character.to_digit(10)).collect();
            json!({name: {"text": text, "numbers": numbers}})
        };
        for (name, _, right, wrong) in libraries {
            make(&suite, name, spec(name, right)).await.is(201);
            let refused = make(&suite, "wrong", spec(name, wrong)).await;
            refused.refused(422, "Invalid", &format!("{name} says no"));
        }
    });
}

#[test]
fn c179_what_was_accepted_once_stays_until_it_is_changed() {
    run(async |suite| {
        let text = json!({"type": "string"});
        let item = json!({"type": "object", "required": ["key"], "properties": {"key": text, "value": text}});
        let keyed = json!({"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key"]});
        let spec = json!({"type": "object", "properties": {"word": text, "rule": text, "note": text, "list": keyed}});
        suite.define(definition(&suite, spec)).await;
        let old = json!({"word": "toolong", "rule": "b", "list": [{"key": "a", "value": "toolong"}]});
        make(&suite, "w", old).await.is(201);
        let tightened = json!([
            {"op": "add", "path": format!("{SPEC}/properties/word/maxLength"), "value": 3},
            {"op": "add", "path": format!("{SPEC}/properties/list/items/properties/value/maxLength"), "value": 3},
            {"op": "add", "path": format!("{SPEC}/properties/rule/x-kubernetes-validations"), "value": [{"rule": "self.startsWith('a')"}]},
            {"op": "add", "path": format!("{SPEC}/properties/marker"), "value": {"type": "string", "default": "tight"}},
        ]);
        let path = format!("{DEFINITIONS}/widgets.{}", suite.group());
        suite.patch("json-patch+json", &path, tightened).await.is(200);
        let widget = format!("{}/w", suite.widgets());
        suite
            .until(&widget, |answer| answer.body["spec"]["marker"] == "tight")
            .await;
        change(&suite, "w", json!({"note": "1"})).await.is(200);
        change(
            &suite,
            "w",
            json!({"note": "2", "list": [{"key": "b", "value": "x"}, {"key": "a", "value": "toolong"}]}),
        )
        .await
        .is(200);
        change(&suite, "w", json!({"word": "alsotoolong"}))
            .await
            .refused(422, "Invalid", "spec.word");
        change(&suite, "w", json!({"rule": "c"}))
            .await
            .refused(422, "Invalid", "spec.rule");
        let list = json!([{"key": "a", "value": "toolong"}, {"key": "b", "value": "toolong"}]);
        change(&suite, "w", json!({"list": list}))
            .await
            .refused(422, "Invalid", "value");
        make(&suite, "x", json!({"word": "toolong"}))
            .await
            .refused(422, "Invalid", "spec.word");
        change(&suite, "w", json!({"word": "abc", "rule": "a"})).await.is(200);
        change(&suite, "w", json!({"word": "toolong"}))
            .await
            .refused(422, "Invalid", "spec.word");
    });
}
