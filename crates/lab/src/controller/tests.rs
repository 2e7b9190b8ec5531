use std::sync::Mutex;
use std::time::Duration;

use berth_apiserver::{ApiServer, Identity, Options, Random};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::actor::Watch;
use crate::client::Client;
use crate::generation::Generation;
use crate::kind::{CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, IP_ADDRESS_POOL};
use crate::schemas::Overrides;
use crate::site::{Guest, GuestId, Guests, Site};
use crate::time::{Speed, Time};
use crate::world::Faults;

#[derive(Default)]
struct NoGuests(crate::archive::Archive);

impl Guests for NoGuests {
    fn by_oauth(&self, _: &str) -> Option<Guest> {
        None
    }

    fn trust(&self, _: &GuestId, _: &str) -> std::result::Result<(), String> {
        Ok(())
    }

    fn ensure<'a>(&'a self, _: &'a GuestId, _: &'a str) -> BoxFuture<'a, Result<Guest, String>> {
        async { Err("none".to_owned()) }.boxed()
    }

    fn find(&self, _: &GuestId) -> Option<Guest> {
        None
    }

    fn at(&self, _: &str) -> Option<Guest> {
        None
    }

    fn snapshot(&self, _: &GuestId) -> Option<Vec<u8>> {
        None
    }

    fn seed<'a>(&'a self, _: &'a GuestId, _: &'a [u8]) -> BoxFuture<'a, Result<(), String>> {
        async { Err("none".to_owned()) }.boxed()
    }

    fn archive(&self) -> &crate::archive::Archive {
        &self.0
    }

    fn remove<'a>(&'a self, _: &'a GuestId) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
}

fn context(speed: Speed) -> Context {
    let server = ApiServer::open(Options::in_memory()).unwrap();
    let begun = Instant::now();
    let wall = move || jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::try_from(begun.elapsed()).unwrap();
    Context {
        client: Client::new(kube::Client::new(server.service(Identity::admin()), "default"), "test"),
        time: Time::new(speed, wall),
        random: Random::seeded(1),
        generation: Generation::default(),
        site: Arc::new(Site {
            apps_domain: "apps.test".to_owned(),
            downloads: None,
            guests: Box::new(NoGuests::default()),
            schemas: Overrides::default(),
            faults: Faults::default(),
        }),
    }
}

/// Notes when it was called for what, and answers from a function of the number of calls so far.
struct Notes {
    kind: crate::kind::Kind,
    calls: Arc<Mutex<Vec<(String, Duration)>>>,
    begun: Instant,
    work: Duration,
    answer: Box<dyn Fn(usize) -> client::Result<Next> + Send + Sync>,
}

impl Notes {
    fn new(answer: impl Fn(usize) -> client::Result<Next> + Send + Sync + 'static) -> Self {
        let calls = Arc::default();
        Self {
            kind: CONFIG_MAP,
            calls,
            begun: Instant::now(),
            work: Duration::ZERO,
            answer: Box::new(answer),
        }
    }
}

impl Actor for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn manager(&self) -> &'static str {
        "notes"
    }

    fn watches(&self) -> Vec<Watch> {
        let wakes = |object: &Value| {
            if crate::client::name_of(object) == "kube-root-ca.crt" {
                vec![]
            } else {
                vec![Key::of(object)]
            }
        };
        vec![Watch::mapped(self.kind, wakes)]
    }

    fn reconcile<'a>(&'a self, _: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        async move {
            let number = {
                let mut calls = self.calls.lock().unwrap();
                calls.push((key.name.clone(), self.begun.elapsed()));
                calls.len()
            };
            if !self.work.is_zero() {
                tokio::time::sleep(self.work).await;
            }
            (self.answer)(number)
        }
        .boxed()
    }
}

fn config_map(name: &str) -> Value {
    json!({ "metadata": { "name": name, "namespace": "default" }, "data": {} })
}

async fn run_for(actor: Notes, context: &Context, duration: Duration) -> Vec<(String, Duration)> {
    let calls = Arc::clone(&actor.calls);
    let running = tokio::spawn(run(Arc::new(actor), context.clone(), CancellationToken::new()));
    tokio::time::sleep(duration).await;
    running.abort();
    let calls = calls.lock().unwrap();
    calls.clone()
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_there_is_reconciled_once() {
    let context = context(Speed::Times(1.0));
    context.client.create(CONFIG_MAP, &config_map("a")).await.unwrap();
    let calls = run_for(Notes::new(|_| Ok(Next::OnEvent)), &context, Duration::from_mins(1)).await;
    assert_eq!(calls.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_during_a_reconcile_makes_it_run_again_afterwards() {
    let context = context(Speed::Times(1.0));
    context.client.create(CONFIG_MAP, &config_map("a")).await.unwrap();
    let actor = Notes {
        work: Duration::from_secs(10),
        ..Notes::new(|_| Ok(Next::OnEvent))
    };
    let client = context.client.clone();
    tokio::spawn(async move {
        for second in [3, 2] {
            tokio::time::sleep(Duration::from_secs(second)).await;
            let patch = json!({ "data": { "second": second.to_string() } });
            client.merge(CONFIG_MAP, Some("default"), "a", &patch).await.unwrap();
        }
    });
    let calls = run_for(actor, &context, Duration::from_mins(1)).await;
    let seconds: Vec<u64> = calls.iter().map(|(_, at)| at.as_secs()).collect();
    assert_eq!(seconds, [0, 10]);
}

#[tokio::test(start_paused = true)]
async fn after_is_scaled_by_the_speed() {
    let context = context(Speed::Times(10.0));
    context.client.create(CONFIG_MAP, &config_map("a")).await.unwrap();
    let actor = Notes::new(|number| {
        Ok(if number < 3 {
            Next::After(Duration::from_secs(100))
        } else {
            Next::OnEvent
        })
    });
    let calls = run_for(actor, &context, Duration::from_mins(10)).await;
    assert_eq!(
        calls.iter().map(|(_, at)| at.as_secs()).collect::<Vec<_>>(),
        [0, 10, 20]
    );
}

#[tokio::test(start_paused = true)]
async fn timers_at_full_speed_back_off_and_do_not_spin() {
    let context = context(Speed::Max);
    context.client.create(CONFIG_MAP, &config_map("a")).await.unwrap();
    let actor = Notes::new(|_| Ok(Next::After(Duration::from_secs(15))));
    let calls = run_for(actor, &context, Duration::from_secs(10)).await;
    assert!((20..40).contains(&calls.len()), "{} calls in ten seconds", calls.len());
}

#[tokio::test(start_paused = true)]
async fn failures_are_retried_ever_more_slowly() {
    let context = context(Speed::Times(1.0));
    context.client.create(CONFIG_MAP, &config_map("a")).await.unwrap();
    let actor = Notes::new(|_| {
        let error = std::io::Error::other("always");
        Err(kube::Error::Service(error.into()))
    });
    let calls = run_for(actor, &context, Duration::from_secs(100)).await;
    let gaps: Vec<Duration> = calls
        .windows(2)
        .map(|pair| pair[1].1.saturating_sub(pair[0].1))
        .collect();
    assert!(gaps.len() > 8 && gaps.len() < 30, "{} retries", gaps.len());
    assert!(
        gaps.windows(2)
            .all(|pair| pair[1] > pair[0] || pair[0] >= Duration::from_secs(30)),
        "{gaps:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_comes_later_is_watched_then() {
    let context = context(Speed::Times(1.0));
    let actor = Notes {
        kind: IP_ADDRESS_POOL,
        ..Notes::new(|_| Ok(Next::OnEvent))
    };
    let client = context.client.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let crds = crate::schemas::base(Generation::default());
        let crd = crds
            .iter()
            .find(|crd| crd["spec"]["names"]["kind"] == "IPAddressPool")
            .unwrap();
        client.create(CUSTOM_RESOURCE_DEFINITION, crd).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        let pool =
            json!({ "metadata": { "name": "p", "namespace": "default" }, "spec": { "addresses": ["10.0.0.0/24"] } });
        client.create(IP_ADDRESS_POOL, &pool).await.unwrap();
    });
    let calls = run_for(actor, &context, Duration::from_mins(1)).await;
    assert_eq!(
        calls
            .iter()
            .map(|(name, at)| (name.as_str(), at.as_secs()))
            .collect::<Vec<_>>(),
        [("p", 35)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_rests_after_a_pass_and_one_more_sees_all_that_happened_meanwhile() {
    let context = context(Speed::Max);
    context.client.create(CONFIG_MAP, &config_map("a")).await.unwrap();
    let actor = Notes {
        work: Duration::from_millis(50),
        ..Notes::new(|_| Ok(Next::OnEvent))
    };
    let client = context.client.clone();
    tokio::spawn(async move {
        for (number, millis) in [60, 10, 10, 10].into_iter().enumerate() {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            let patch = json!({ "data": { "number": number.to_string() } });
            client.merge(CONFIG_MAP, Some("default"), "a", &patch).await.unwrap();
        }
    });
    let calls = run_for(actor, &context, Duration::from_secs(5)).await;
    let millis: Vec<u128> = calls.iter().map(|(_, at)| at.as_millis()).collect();
    assert_eq!(millis, [0, 100]);
}
