//! What the server does under load: creates, lists, watches. The load is made by this process, whose CPU time is stated:
//! on two cores it is the server's competitor.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use http::Method;
use http_body_util::BodyExt;

use super::{data, start::runs};
use crate::{
    client::{Access, Client},
    process::{self, has_kubectl},
    report::{Aim, Report},
    subject::{Kind, Subject, milliseconds},
};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// How long the creates of one run go on.
const RUN: Duration = Duration::from_secs(3);

pub(super) async fn creates(kind: Kind, report: &mut Report) {
    let (subject, _) = kind.start().await;
    for (clients, aim) in [(1, 1500.0), (64, 3000.0)] {
        let (mut rates, mut shares) = (Vec::new(), Vec::new());
        for run in 0..runs(kind, 5) {
            let before = (subject.cpu(), process::cpu(std::process::id()));
            let (count, took) = create_for(&subject, clients, run).await;
            let seconds = took.as_secs_f64();
            let share = |before: f64, after: f64| (after - before) / seconds * 100.0;
            shares.push(format!(
                "{:.0}/{:.0}",
                share(before.0, subject.cpu()),
                share(before.1, process::cpu(std::process::id()))
            ));
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
            rates.push(count as f64 / seconds);
        }
        let what = format!(
            "creates a second, {}",
            if clients == 1 { "one client" } else { "64 clients" }
        );
        let how = format!(
            "small ConfigMaps, HTTP/1.1, 3 s a run; server/load, % of a core: {}",
            shares.join(" ")
        );
        report.add(kind, &what, "/s", Aim::Over(aim), &rates, &how);
    }
}

async fn create_for(subject: &Subject, clients: usize, run: usize) -> (usize, Duration) {
    let access = subject.access();
    let connections = join_all((0..clients).map(|_| access.http1())).await;
    let (count, start) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let tasks = connections.into_iter().enumerate().map(|(index, client)| {
        let (mut client, count) = (client.unwrap(), Arc::clone(&count));
        tokio::spawn(async move {
            for number in 0.. {
                let name = format!("c{clients}-{run}-{index}-{number}");
                client
                    .send(Method::POST, MAPS, data::map(&name, "a few words"))
                    .await
                    .unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                if start.elapsed() > RUN {
                    break;
                }
            }
        })
    });
    join_all(tasks).await.into_iter().for_each(std::result::Result::unwrap);
    (count.load(Ordering::Relaxed), start.elapsed())
}

/// Creates so many ConfigMaps.
pub(super) async fn fill(subject: &Subject, objects: usize, text: &str) {
    let access = subject.access();
    let tasks = (0..16).map(|part| {
        let (access, text) = (access.clone(), text.to_owned());
        tokio::spawn(async move {
            let mut client = access.http1().await.unwrap();
            for number in (part..objects).step_by(16) {
                let map = data::map(&format!("map-{number:05}"), &text);
                client.send(Method::POST, MAPS, map).await.unwrap();
            }
        })
    });
    join_all(tasks).await.into_iter().for_each(std::result::Result::unwrap);
}

/// How many ConfigMaps there are.
pub(super) async fn count(access: &Access) -> usize {
    let mut client = access.http1().await.unwrap();
    let response = client.open(Method::GET, MAPS, String::new()).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let list: serde_json::Value = serde_json::from_slice(&body).unwrap();
    list["items"].as_array().unwrap().len()
}

pub(super) async fn list(kind: Kind, report: &mut Report) {
    let (subject, _) = kind.start().await;
    fill(&subject, 10_000, &"x".repeat(1700)).await;
    let access = subject.access();
    let table = access.http2().await.unwrap();
    let clients = [
        ("list 10,000 objects of 2 KB, HTTP/2", access.http2().await.unwrap()),
        ("list 10,000 objects of 2 KB, HTTP/1.1", access.http1().await.unwrap()),
        (
            "the same as a table, HTTP/2",
            table.accepting("application/json;as=Table;v=v1;g=meta.k8s.io"),
        ),
    ];
    for (what, mut client) in clients {
        let (mut took, mut length) = (Vec::new(), 0);
        for _ in 0..10 {
            let start = Instant::now();
            length = client.get(MAPS).await.unwrap();
            took.push(milliseconds(start.elapsed()));
        }
        let how = format!("{} MB, until the client has read the last byte", length / 1_000_000);
        report.add(kind, what, "ms", Aim::Under(80.0), &took, &how);
    }
}

pub(super) async fn watchers(kind: Kind, report: &mut Report) {
    let (subject, _) = kind.start().await;
    let access = subject.access();
    let mut writer = access.http1().await.unwrap();
    writer
        .send(Method::POST, MAPS, data::map("watched", "before"))
        .await
        .unwrap();
    let (seen, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..1000 {
        let client = access.http1().await.unwrap();
        tokio::spawn(watch(client, seen.clone()));
    }
    // Each sees the object as it is.
    for _ in 0..1000 {
        arrivals.recv().await.unwrap();
    }
    let resident = subject.resident();
    let mut took = Vec::new();
    for run in 0..10 {
        let start = Instant::now();
        let patch = format!("{{\"data\":{{\"text\":\"run {run}\"}}}}");
        writer
            .send(Method::PATCH, &format!("{MAPS}/watched"), patch)
            .await
            .unwrap();
        let mut last = start;
        for _ in 0..1000 {
            last = arrivals.recv().await.unwrap();
        }
        took.push(milliseconds(last - start));
    }
    let how = format!("1,000 TLS connections; from sending to the last one's reading; server then at {resident:.0} MB");
    report.add(
        kind,
        "one write reaching 1,000 watchers",
        "ms",
        Aim::Under(50.0),
        &took,
        &how,
    );
}

/// Says when each event arrived.
async fn watch(mut client: Client, seen: tokio::sync::mpsc::UnboundedSender<Instant>) {
    let path = format!("{MAPS}?watch=true&fieldSelector=metadata.name%3Dwatched");
    let mut body = client
        .open(Method::GET, &path, String::new())
        .await
        .unwrap()
        .into_body();
    while let Some(Ok(frame)) = body.frame().await {
        let lines = frame
            .data_ref()
            .map_or(0, |data| data.split(|byte| *byte == b'\n').count() - 1);
        for _ in 0..lines {
            // Nobody counts any more once the measurement is over.
            let _ = seen.send(Instant::now());
        }
    }
}

pub(super) async fn hosted_clusters(kind: Kind, report: &mut Report) {
    let what = "HostedCluster create with its rules";
    let (Some(definitions), Some(mut object), true) = (data::definitions(), data::hosted_cluster(), has_kubectl())
    else {
        return report.leave_out(what, "no kubectl, or no ../shared");
    };
    let (subject, _) = kind.start().await;
    let definitions = definitions.display().to_string();
    process::kubectl(
        subject.kubeconfig(),
        &["apply", "--server-side", "--validate=false", "-f", &definitions],
    )
    .unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut client = subject.access().http1().await.unwrap();
    let path = "/apis/hypershift.openshift.io/v1beta1/namespaces/default/hostedclusters";
    let mut took = Vec::new();
    for number in 0..200 {
        object["metadata"]["name"] = format!("guest-{number}").into();
        object["metadata"]["namespace"] = "default".into();
        let body = object.to_string();
        let start = Instant::now();
        client.send(Method::POST, path, body).await.unwrap();
        // The first ones compile what is compiled when it is first needed.
        if number >= 10 {
            took.push(milliseconds(start.elapsed()));
        }
    }
    report.add(
        kind,
        what,
        "ms",
        Aim::Under(3.0),
        &took,
        "one client, HTTP/1.1, after ten that warm up",
    );
}
