//! Rows of what runs pods: deployments, sets, jobs, and what scales and guards them.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    age,
    value::{self, NONE, condition, each, flag, labels, list, number, selector, text, text_of, text_or},
};

/// The container and image columns of a pod template.
fn containers(object: &Value, spec: &str) -> [Value; 2] {
    let containers = list(object, &format!("{spec}/containers"));
    let texts = |field: &str| each(containers, field).collect::<Vec<_>>().join(",");
    [texts("/name").into(), texts("/image").into()]
}

fn row(start: impl IntoIterator<Item = Value>, end: impl IntoIterator<Item = Value>) -> Vec<Value> {
    start.into_iter().chain(end).collect()
}

pub(super) fn scale(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        value::name(object),
        number(object, "/spec/replicas").into(),
        number(object, "/status/replicas").into(),
        age::of_object(object, now),
    ]
}

pub(super) fn deployment(object: &Value, now: Timestamp) -> Vec<Value> {
    let ready = format!(
        "{}/{}",
        number(object, "/status/readyReplicas"),
        number(object, "/spec/replicas")
    );
    let start = [
        value::name(object),
        ready.into(),
        number(object, "/status/updatedReplicas").into(),
        number(object, "/status/availableReplicas").into(),
        age::of_object(object, now),
    ];
    let end = row(
        containers(object, "/spec/template/spec"),
        [selector(object, "/spec/selector").into()],
    );
    row(start, end)
}

pub(super) fn replica_set(object: &Value, now: Timestamp) -> Vec<Value> {
    replicas(object, now, selector(object, "/spec/selector"))
}

pub(super) fn replication_controller(object: &Value, now: Timestamp) -> Vec<Value> {
    replicas(object, now, labels(object, "/spec/selector"))
}

fn replicas(object: &Value, now: Timestamp, selector: String) -> Vec<Value> {
    let start = [
        value::name(object),
        number(object, "/spec/replicas").into(),
        number(object, "/status/replicas").into(),
        number(object, "/status/readyReplicas").into(),
        age::of_object(object, now),
    ];
    row(start, row(containers(object, "/spec/template/spec"), [selector.into()]))
}

pub(super) fn stateful_set(object: &Value, now: Timestamp) -> Vec<Value> {
    let ready = format!(
        "{}/{}",
        number(object, "/status/readyReplicas"),
        number(object, "/spec/replicas")
    );
    let start = [value::name(object), ready.into(), age::of_object(object, now)];
    row(start, containers(object, "/spec/template/spec"))
}

pub(super) fn daemon_set(object: &Value, now: Timestamp) -> Vec<Value> {
    let start = [
        value::name(object),
        number(object, "/status/desiredNumberScheduled").into(),
        number(object, "/status/currentNumberScheduled").into(),
        number(object, "/status/numberReady").into(),
        number(object, "/status/updatedNumberScheduled").into(),
        number(object, "/status/numberAvailable").into(),
        labels(object, "/spec/template/spec/nodeSelector").into(),
        age::of_object(object, now),
    ];
    let end = row(
        containers(object, "/spec/template/spec"),
        [selector(object, "/spec/selector").into()],
    );
    row(start, end)
}

pub(super) fn controller_revision(object: &Value, now: Timestamp) -> Vec<Value> {
    let owners = list(object, "/metadata/ownerReferences");
    let controller = owners
        .iter()
        .find(|owner| owner["controller"] == true)
        .map_or(NONE.to_owned(), |owner| {
            let group = text(owner, "/apiVersion")
                .split_once('/')
                .map_or("", |(group, _)| group);
            let kind = text(owner, "/kind").to_lowercase();
            let dot = if group.is_empty() { "" } else { "." };
            format!("{kind}{dot}{group}/{}", text(owner, "/name"))
        });
    vec![
        value::name(object),
        controller.into(),
        number(object, "/revision").into(),
        age::of_object(object, now),
    ]
}

pub(super) fn job(object: &Value, now: Timestamp) -> Vec<Value> {
    let succeeded = number(object, "/status/succeeded");
    let completions = match object.pointer("/spec/completions").and_then(Value::as_i64) {
        Some(completions) => format!("{succeeded}/{completions}"),
        None => match number(object, "/spec/parallelism") {
            parallelism @ 2.. => format!("{succeeded}/1 of {parallelism}"),
            _ => format!("{succeeded}/1"),
        },
    };
    let start = [
        value::name(object),
        job_status(object).into(),
        completions.into(),
        job_duration(object, now).into(),
        age::of_object(object, now),
    ];
    let end = row(
        containers(object, "/spec/template/spec"),
        [selector(object, "/spec/selector").into()],
    );
    row(start, end)
}

fn job_status(object: &Value) -> &'static str {
    let is_true = |kind: &str| condition(object, kind) == "True";
    let deleted = object
        .pointer("/metadata/deletionTimestamp")
        .is_some_and(|time| !time.is_null());
    match () {
        () if is_true("Complete") => "Complete",
        () if is_true("Failed") => "Failed",
        () if deleted => "Terminating",
        () if is_true("Suspended") => "Suspended",
        () if is_true("FailureTarget") => "FailureTarget",
        () if is_true("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

fn job_duration(object: &Value, now: Timestamp) -> String {
    let time = |pointer: &str| text(object, pointer).parse::<Timestamp>().ok();
    let Some(start) = time("/status/startTime") else {
        return String::new();
    };
    let end = time("/status/completionTime").unwrap_or(now);
    age::human(end.as_second() - start.as_second())
}

pub(super) fn cron_job(object: &Value, now: Timestamp) -> Vec<Value> {
    let last = age::since(text(object, "/status/lastScheduleTime"), now);
    let suspend = match flag(object, "/spec/suspend") {
        "true" => "True",
        "false" => "False",
        _ => NONE,
    };
    let start = [
        value::name(object),
        text(object, "/spec/schedule").into(),
        text_or(object, "/spec/timeZone", NONE).into(),
        suspend.into(),
        list(object, "/status/active").len().into(),
        last.unwrap_or_else(|| NONE.to_owned()).into(),
        age::of_object(object, now),
    ];
    let template = "/spec/jobTemplate/spec/template/spec";
    let selector = selector(object, "/spec/jobTemplate/spec/selector");
    row(start, row(containers(object, template), [selector.into()]))
}

pub(super) fn autoscaler(object: &Value, now: Timestamp) -> Vec<Value> {
    let target = &object["spec"]["scaleTargetRef"];
    let metrics = list(object, "/spec/metrics").iter().enumerate().map(|(index, metric)| {
        let current = object.pointer(&format!("/status/currentMetrics/{index}"));
        metric_target(metric, current)
    });
    vec![
        value::name(object),
        format!("{}/{}", text(target, "/kind"), text(target, "/name")).into(),
        metrics.collect::<Vec<_>>().join(", ").into(),
        object
            .pointer("/spec/minReplicas")
            .map_or("<unset>".to_owned(), text_of)
            .into(),
        number(object, "/spec/maxReplicas").into(),
        number(object, "/status/currentReplicas").into(),
        age::of_object(object, now),
    ]
}

/// One metric as `cpu: 30%/80%`; only resource metrics are told in detail.
fn metric_target(metric: &Value, current: Option<&Value>) -> String {
    let name = text_or(metric, "/resource/name", "external");
    let percent = |value: Option<&Value>, pointer: &str| {
        value
            .and_then(|value| value.pointer(pointer))
            .and_then(Value::as_i64)
            .map(|number| format!("{number}%"))
    };
    let unknown = || "<unknown>".to_owned();
    let now = percent(current, "/resource/current/averageUtilization").unwrap_or_else(unknown);
    let wanted = percent(Some(metric), "/resource/target/averageUtilization").unwrap_or_else(unknown);
    format!("{name}: {now}/{wanted}")
}

pub(super) fn disruption_budget(object: &Value, now: Timestamp) -> Vec<Value> {
    let bound = |pointer: &str| object.pointer(pointer).map_or("N/A".to_owned(), text_of);
    vec![
        value::name(object),
        bound("/spec/minAvailable").into(),
        bound("/spec/maxUnavailable").into(),
        number(object, "/status/disruptionsAllowed").into(),
        age::of_object(object, now),
    ]
}
