//! Expressions, what they come to, and what is wrong with them.

use serde_json::{Value, json};

use super::{EvaluationError, Old, Outcome, Scope, Typed, Variables, Wanted, compile};
use crate::schema::Schema;

/// A schema with the properties given.
fn schema(properties: &Value) -> Schema {
    let schema = json!({"type": "object", "properties": properties});
    Schema::compile(&schema).expect("the test's schema is structural")
}

fn evaluate_with(
    properties: &Value,
    object: &Value,
    old: Option<&Value>,
    text: &str,
) -> Result<Outcome, EvaluationError> {
    let schema = schema(properties);
    let typed = |value| Typed {
        node: schema.root(),
        value,
        resource: true,
    };
    let expression = compile(text).expect("the test's expression is well-formed");
    let scope = Scope {
        node: schema.root(),
        resource: true,
        optional_old: false,
    };
    let complaint = expression.check(scope, Wanted::Bool).err();
    assert_eq!(complaint, None, "{text}");
    let old = old.map_or(Old::Absent, |old| Old::Value(typed(old)));
    expression.evaluate(
        Variables {
            new: typed(object),
            old,
        },
        &mut 10_000_000,
    )
}

/// An object with a field of each sort.
fn sample() -> (Value, Value) {
    let text = json!({"type": "string"});
    let properties = json!({
        "text": text,
        "int": {"type": "integer"},
        "number": {"type": "number"},
        "port": {"x-kubernetes-int-or-string": true},
        "namespace": text,
        "x-y": text,
        "nullable": {"type": "string", "nullable": true},
        "free": {"x-kubernetes-preserve-unknown-fields": true},
        "when": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "wait": {"type": "string", "format": "duration"},
        "data": {"type": "string", "format": "byte"},
        "list": {"type": "array", "items": {"type": "integer"}},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
        "ports": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "required": ["name"], "properties": {"name": text, "port": {"type": "integer"}}},
        },
        "labels": {"type": "object", "additionalProperties": text},
        "inner": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"a": text, "b": text}},
        "embedded": {
            "type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true,
        },
    });
    let object = json!({
        "apiVersion": "example.org/v1", "kind": "Sample", "metadata": {"name": "sample", "labels": {"a": "b"}},
        "text": "häuser", "int": 3, "number": 2, "port": "http", "namespace": "ns", "x-y": "dash", "nullable": null,
        "free": {"a": 1}, "when": "2026-01-02T03:04:05Z", "day": "2026-01-02", "wait": "1h30m", "data": "aGk=",
        "list": [3, 1, 2], "set": ["a", "b"], "ports": [{"name": "one", "port": 1}, {"name": "two", "port": 2}],
        "labels": {"app": "x", "x.org/y": "z"}, "inner": {"a": "1", "hidden": [1]},
        "embedded": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}},
    });
    (properties, object)
}

#[track_caller]
fn check(expressions: &[&str]) {
    let (properties, object) = sample();
    for text in expressions {
        let outcome = evaluate_with(&properties, &object, Some(&object), text);
        assert_eq!(outcome, Ok(Outcome::Bool(true)), "{text}");
    }
}

#[test]
fn values_have_the_types_of_their_schema() {
    check(&[
        "self.text == 'häuser' && size(self.text) == 6",
        "type(self.int) == int && self.int + 1 == 4",
        "self.number == 2.0 && type(self.number) == double",
        "self.port == 'http' && self.port != 80",
        "self.when.getFullYear() == 2026 && self.when > timestamp('2025-01-01T00:00:00Z')",
        "self.day == timestamp('2026-01-02T00:00:00Z')",
        "self.wait == duration('90m') && self.wait.getMinutes() == 90",
        "self.data == b'hi' && size(self.data) == 2",
        "self.list[0] == 3 && self.list.size() == 3",
        "self.labels['app'] == 'x' && 'x.org/y' in self.labels && self.labels.app == 'x'",
        "self.apiVersion == 'example.org/v1' && self.kind == 'Sample' && self.metadata.name == 'sample'",
        "self.embedded.kind == 'Pod' && self.embedded.metadata.name == 'p'",
    ]);
}

#[test]
fn fields_are_there_or_not() {
    check(&[
        "has(self.text) && !has(self.inner.b) && !has(self.metadata.generateName)",
        "!has(self.nullable)",
        "self.__namespace__ == 'ns' && self.x__dash__y == 'dash'",
        "self.inner.?a.orValue('-') == '1' && self.inner.?b.orValue('-') == '-'",
        "self.labels[?'nope'].orValue('none') == 'none' && !self.labels.?nope.hasValue()",
        "self.?nullable.optMap(v, v + '!').orValue('absent') == 'absent'",
    ]);
}

#[test]
fn collections_compare_as_their_type_says() {
    check(&[
        "self == oldSelf && self.inner == oldSelf.inner && self.labels == oldSelf.labels",
        "self.set == ['b', 'a'] && ['b', 'a'] != self.set && ['a', 'b'] == self.set && self.list != [1, 2, 3]",
        "self.set + ['c', 'a'] == ['a', 'b', 'c']",
        "(self.ports + oldSelf.ports).size() == 2 && self.list + [4] == [3, 1, 2, 4]",
        "{'app': 'x', 'x.org/y': 'z'} == self.labels && self.labels == {'app': 'x', 'x.org/y': 'z'}",
        "self.set.all(x, x in oldSelf.set) && self.ports.exists_one(p, p.name == 'two' && p.port == 2)",
        "self.ports.map(p, p.name) == ['one', 'two'] && self.list.filter(n, n > 1) == [3, 2]",
        "self.labels.map(k, k) == ['app', 'x.org/y'] && self.labels.all(k, self.labels[k] != '')",
    ]);
}

#[test]
fn unseen_fields_count_when_objects_are_compared() {
    let (properties, object) = sample();
    let mut other = object.clone();
    other["inner"]["hidden"] = json!([2]);
    let outcome = evaluate_with(&properties, &object, Some(&other), "self.inner == oldSelf.inner");
    assert_eq!(outcome, Ok(Outcome::Bool(false)));
    let mut other = object.clone();
    other["ports"].as_array_mut().expect("a list").reverse();
    let outcome = evaluate_with(&properties, &object, Some(&other), "self.ports == oldSelf.ports");
    assert_eq!(outcome, Ok(Outcome::Bool(true)), "lists with keys have no order");
}

#[test]
fn functions_of_texts_and_lists() {
    check(&[
        "'a,b'.split(',') == ['a', 'b'] && ['a', 'b'].join('-') == 'a-b' && 'Ab'.lowerAscii() == 'ab'",
        "'abc'.substring(1) == 'bc' && 'abc'.indexOf('c') == 2 && ' a '.trim() == 'a' && 'aa'.replace('a', 'b') == 'bb'",
        "'%s is %d'.format(['x', 1]) == 'x is 1' && strings.quote('a') == '\"a\"' && 'abc'.charAt(1) == 'b'",
        "'ab12'.matches('^[a-z]+[0-9]+$') && matches('x', 'x') && !'x'.matches('^$')",
        "'a1b2'.find('[0-9]') == '1' && 'a1b2'.findAll('[0-9]') == ['1', '2'] && 'a1b2'.findAll('[0-9]', 1) == ['1']",
        "[1, 2, 3].isSorted() && self.list.sum() == 6 && self.list.min() == 1 && self.list.max() == 3",
        "self.list.indexOf(1) == 1 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(7) == -1",
        "sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects(self.set, ['b', 'z'])",
        "self.list.sort() == [1, 2, 3] && [1, 1].distinct() == [1] && self.list.reverse() == [2, 1, 3]",
        "self.list.first().value() == 3 && self.list.last().orValue(0) == 2 && lists.range(2) == [0, 1]",
        "self.ports.sortBy(p, -p.port).map(p, p.name) == ['two', 'one']",
        "duration('1h').getSeconds() == 3600 && int('7') == 7 && string(7) == '7' && double('1.5') == 1.5",
    ]);
}

#[test]
fn functions_of_kubernetes() {
    check(&[
        "isURL('https://user@example.org:8443/a/b?x=1&x=2') && !isURL('example.org') && isURL('/path') && !isURL('a b')",
        "url('https://user@example.org:8443/a?x=1&x=2').getScheme() == 'https'",
        "url('https://user@example.org:8443/a').getHost() == 'example.org:8443'",
        "url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]:80/').getPort() == '80'",
        "url('https://a/b%20c').getEscapedPath() == '/b%20c' && url('https://a').getEscapedPath() == ''",
        "url('https://a/?x=1&x=2&y=').getQuery()['x'] == ['1', '2']",
        "isIP('10.0.0.1') && ip('::1').family() == 6 && ip('127.0.0.1').isLoopback() && !isIP('1.2.3') && !isIP('::ffff:1.2.3.4')",
        "ip.isCanonical('::1') && !ip.isCanonical('0:0::1') && string(ip('::1')) == '::1'",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))",
        "cidr('10.1.0.0/8').masked() == cidr('10.0.0.0/8') && cidr('10.1.0.0/8').prefixLength() == 8",
        "isCIDR('fd00::/64') && !isCIDR('10.0.0.0') && cidr('10.1.0.0/8').ip() == ip('10.1.0.0')",
        "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('1500m') == quantity('1.5') && isQuantity('1e3')",
        "quantity('2k').asInteger() == 2000 && !quantity('1m').isInteger() && sign(quantity('1').add(1).sub(quantity('500m'))) == 1",
        "quantity('250m').asApproximateFloat() == 0.25 && quantity('1').compareTo(quantity('2')) == -1 && !isQuantity('1 Gi')",
        "semver('1.2.3-a').isLessThan(semver('1.2.3')) && semver('1.2.3').major() == 1 && !isSemver('v1.2')",
        "semver('v01.2', true).compareTo(semver('1.2.0')) == 0 && isSemver('v1', true)",
        "!format.dns1123Label().validate('ok').hasValue() && format.dns1123Label().validate('No').hasValue()",
        "format.named('uuid').value().validate('x').value().size() == 1 && !format.named('nope').hasValue()",
    ]);
}

#[track_caller]
fn fails(text: &str, error: &str) {
    let (properties, object) = sample();
    let outcome = evaluate_with(&properties, &object, None, text);
    assert_eq!(outcome, Err(EvaluationError::Failed(error.to_owned())), "{text}");
}

#[test]
fn errors_are_worded_as_upstream_words_them() {
    fails("self.inner.b == ''", "no such key: b");
    fails("self.labels['nope'] == ''", "no such key: nope");
    fails("self.list[7] == 1", "index out of bounds: 7");
    fails("self.int / 0 == 1", "division by zero");
    fails("9223372036854775807 + self.int > 0", "integer overflow");
    fails("self.port + 1 == 2", "no such overload");
    fails("oldSelf.int == 1", "no such attribute(s): oldSelf");
}

#[track_caller]
fn refused(text: &str, complaint: &str) {
    let (properties, _) = sample();
    let schema = schema(&properties);
    let scope = Scope {
        node: schema.root(),
        resource: true,
        optional_old: false,
    };
    let found = compile(text).and_then(|expression| expression.check(scope, Wanted::Bool));
    assert_eq!(found, Err(complaint.to_owned()), "{text}");
}

#[test]
fn what_does_not_fit_the_schema_is_refused_with_its_place() {
    refused(
        "self.nope == 1",
        "compilation failed: ERROR: <input>:1:5: undefined field 'nope'\n | self.nope == 1\n | ....^",
    );
    refused(
        "other == 1",
        "compilation failed: ERROR: <input>:1:1: undeclared reference to 'other' (in container '')\n | other == 1\n | ^",
    );
    refused(
        "has(self.free)",
        "compilation failed: ERROR: <input>:1:4: undefined field 'free'\n | has(self.free)\n | ...^",
    );
    refused(
        "self.text == 1",
        "compilation failed: ERROR: <input>:1:11: found no matching overload for '_==_' applied to '(string, int)'\n | \
         self.text == 1\n | ..........^",
    );
    refused(
        "self.text.nope()",
        "compilation failed: ERROR: <input>:1:15: undeclared reference to 'nope' (in container '')\n | self.text.nope()\n | \
         ..............^",
    );
    refused(
        "self.metadata.labels.size() == 0",
        "compilation failed: ERROR: <input>:1:14: undefined field 'labels'\n | self.metadata.labels.size() == 0\n | .............^",
    );
    refused("self.text", "cel expression must evaluate to a bool");
    refused(
        "self.int.all(x, true)",
        "compilation failed: ERROR: <input>:1:5: expression of type 'int' cannot be range of a comprehension (must be list, \
         map, or dynamic)\n | self.int.all(x, true)\n | ....^",
    );
    refused(
        "self.text.matches('(')",
        "compilation failed: ERROR: <input>:1:19: invalid matches argument\n | self.text.matches('(')\n | ..................^",
    );
    refused(
        "nope(other)",
        "compilation failed: ERROR: <input>:1:5: undeclared reference to 'nope' (in container '')\n | nope(other)\n | \
         ....^\nERROR: <input>:1:6: undeclared reference to 'other' (in container '')\n | nope(other)\n | .....^",
    );
}

#[test]
fn what_is_no_expression_is_refused_with_its_place() {
    let complaint = compile("self.text ==").expect_err("half a comparison");
    let (first, rest) = complaint.split_once('\n').expect("several lines");
    assert!(
        first.starts_with("compilation failed: ERROR: <input>:1:13: Syntax error: mismatched input '<EOF>'"),
        "{first}"
    );
    assert_eq!(rest, " | self.text ==\n | ............^");
    // Deeper than the parser goes.
    let deep = format!("{}true{}", "(".repeat(400), ")".repeat(400));
    assert!(compile(&deep).is_err());
}

#[test]
fn an_evaluation_that_takes_too_long_ends() {
    let (properties, mut object) = sample();
    object["list"] = (0..2000).collect::<Vec<_>>().into();
    let text = "self.list.all(x, self.list.all(y, self.list.all(z, x + y + z >= 0)))";
    assert_eq!(
        evaluate_with(&properties, &object, None, text),
        Err(EvaluationError::TooLong)
    );
    object["text"] = "x".repeat(100_000).into();
    let text = "self.list.all(x, self.text.contains('y') || true)";
    assert_eq!(
        evaluate_with(&properties, &object, None, text),
        Err(EvaluationError::TooLong)
    );
    object["list"] = (0..200).collect::<Vec<_>>().into();
    let text = "self.list.all(x, self.list.exists_one(y, x == y))";
    assert_eq!(evaluate_with(&properties, &object, None, text), Ok(Outcome::Bool(true)));
}

#[test]
fn what_grows_is_paid_for_before_it_is_made() {
    let (properties, mut object) = sample();
    object["text"] = "x".repeat(100_000).into();
    object["list"] = (0..2000).collect::<Vec<_>>().into();
    for text in [
        "self.text.replace('', self.text).size() > 0",
        "self.list.map(n, string(n)).join(self.text).size() > 0",
        "sets.contains(self.list + self.list, self.list + self.list)",
    ] {
        assert_eq!(
            evaluate_with(&properties, &object, None, text),
            Err(EvaluationError::TooLong),
            "{text}"
        );
    }
    for text in [
        "self.text.replace('x', '-').size() == 100000",
        "self.list.map(n, string(n)).join(', ').size() > 2000",
        "'%s'.format([self.text]).size() == 100000",
        "sets.contains(self.list, [1, 2]) && self.list.isSorted()",
    ] {
        assert_eq!(
            evaluate_with(&properties, &object, None, text),
            Ok(Outcome::Bool(true)),
            "{text}"
        );
    }
}

#[test]
fn the_budget_of_an_object_is_used_up_by_its_rules() {
    let (properties, object) = sample();
    let schema = schema(&properties);
    let typed = Typed {
        node: schema.root(),
        value: &object,
        resource: true,
    };
    let variables = Variables {
        new: typed,
        old: Old::Absent,
    };
    let expression = compile("self.list.all(n, n > 0) && self.int == 3").expect("the expression is well-formed");
    let mut budget = 100;
    assert_eq!(expression.evaluate(variables, &mut budget), Ok(Outcome::Bool(true)));
    assert!((1..100).contains(&budget), "{budget}");
    let mut budget = 5;
    assert_eq!(
        expression.evaluate(variables, &mut budget),
        Err(EvaluationError::OutOfBudget)
    );
    assert_eq!(budget, 0);
}

#[test]
fn the_same_expression_is_shared() {
    let [one, two] = [0, 1].map(|_| compile("self.shared == 1").expect("the expression is well-formed"));
    assert!(std::sync::Arc::ptr_eq(&one, &two));
    assert!(!one.uses_old() && compile("self == oldSelf").is_ok_and(|expression| expression.uses_old()));
}
