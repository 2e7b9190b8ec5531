//! Kubeconfigs are merged without loss, certificates are told when they end, and each way to fail has its meaning.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_api::yaml;
use jiff::Timestamp;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use serde_json::{Value, json};

use super::*;
use crate::secret::Secret;

/// A certificate for `system:admin` that ends with a year's first day.
fn certificate(ends: i32) -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, "system:admin");
    (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(ends, 1, 1));
    let key = KeyPair::generate().expect("a key");
    params.self_signed(&key).expect("signed").pem()
}

fn kubeconfig(server: &str, ca: &str, certificate: &str) -> String {
    let encode = |text: &str| STANDARD.encode(text);
    yaml::to_string(&json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "admin",
        "clusters": [{ "name": "cluster", "cluster": { "server": server, "certificate-authority-data": encode(ca) } }],
        "contexts": [{ "name": "admin", "context": { "cluster": "cluster", "user": "admin" } }],
        "users": [{ "name": "admin", "user": {
            "client-certificate-data": encode(certificate), "client-key-data": encode("the key"),
        } }],
    }))
}

const SERVER: &str = "https://192.0.2.10:6443";
const COPY: Origin<'_> = Origin::Copy {
    refresh: "berth kubeconfig g",
};

fn guests() -> Value {
    own(&kubeconfig(SERVER, "ca", "certificate"), &Names::of("hcp", "g", None)).expect("a kubeconfig")
}

fn entry(text: &str) -> Entry {
    Entry::read(text, None, &|_| None).expect("a context")
}

/// The guest merged into a file that makes one kubeconfig with others.
fn merged(theirs: &str, others: &[&str], switch: bool) -> String {
    let others: Vec<_> = others.iter().map(|other| (*other).to_owned()).collect();
    let merged = merge(theirs, &others, &guests(), false, switch).expect("merged");
    merged.text.reveal().to_owned()
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// A copy that was tried, with nothing known of the hub.
fn copy_tried<'a>(reach: &'a Reach, entry: &'a Entry) -> Tried<'a> {
    Tried {
        reach,
        entry,
        from: "here",
        hub: None,
        object: "g",
        now: at("2026-01-01T00:00:00Z"),
        origin: COPY,
    }
}

#[test]
fn a_merge_keeps_all_that_was_there() {
    let theirs = "
apiVersion: v1
kind: Config
current-context: work
preferences: {colors: true}
clusters: [{name: work, cluster: {server: 'https://work.example', extensions: [{name: x, extension: {a: 1}}]}}]
contexts: [{name: work, context: {cluster: work, user: me, namespace: mine}}]
users: [{name: me, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: login, interactiveMode: Never}}}]
";
    let merged = merged(theirs, &[], false);
    let config = &yaml::parse(&merged).expect("YAML")[0];
    let before = &yaml::parse(theirs).expect("YAML")[0];
    for list in ["clusters", "contexts", "users"] {
        assert_eq!(config[list][0], before[list][0], "{list}");
        assert_eq!(config[list].as_array().map(Vec::len), Some(2), "{list}");
    }
    assert_eq!(config["preferences"], before["preferences"]);
    assert_eq!(config["current-context"], "work");
    assert_eq!(config["contexts"][1]["name"], "hcp-g");
    assert_eq!(config["users"][1]["name"], "hcp-g-admin");

    // Again, and as the current one: still one of each; the namespace that was chosen meanwhile stays.
    let chosen = merged.replace("namespace: default", "namespace: chosen");
    let again = self::merged(&chosen, &[], true);
    assert_eq!(again, chosen.replace("current-context: work", "current-context: hcp-g"));
}

#[test]
fn an_empty_file_becomes_the_guests_kubeconfig() {
    let merged = merged("\n", &[], false);
    assert_eq!(entry(&merged).server, SERVER);
    assert_eq!(entry(&merged).context, "hcp-g");
}

#[test]
fn what_is_somebody_elses_is_replaced_only_by_force() {
    let refused = |theirs: &str| {
        let error = merge(theirs, &[], &guests(), false, false)
            .expect_err("it is taken")
            .to_string();
        let forced = merge(theirs, &[], &guests(), true, false).expect("forced").text;
        assert_eq!(
            Entry::read(forced.reveal(), Some("hcp-g"), &|_| None)
                .expect("there")
                .server,
            SERVER
        );
        error
    };
    insta::assert_snapshot!(
        refused("clusters: [{name: hcp-g, cluster: {server: 'https://other.example'}}]"),
        @"it has another cluster `hcp-g`, for https://other.example"
    );
    insta::assert_snapshot!(
        refused("contexts: [{name: hcp-g, context: {cluster: other, user: other}}]"),
        @"it has another context `hcp-g`, for the cluster `other` as `other`"
    );
    insta::assert_snapshot!(
        refused("users: [{name: hcp-g-admin, user: {token: hunter2}}]"),
        @"it has another user `hcp-g-admin`"
    );
    // The same guest at another address, or made anew at the same one, is no stranger.
    for (server, ca) in [("https://192.0.2.99:6443", "ca"), (SERVER, "another")] {
        let before = own(&kubeconfig(server, ca, "old"), &Names::of("hcp", "g", None)).expect("a kubeconfig");
        merge(&yaml::to_string(&before), &[], &guests(), false, false).expect("replaced");
    }
}

#[test]
fn what_is_no_kubeconfig_is_refused_without_repeating_it() {
    for text in ["- token: hunter2", "a: [hunter2", "a: 1\n---\nb: hunter2\n"] {
        let error = merge(text, &[], &guests(), false, false).expect_err("not one");
        assert_eq!(error, KubeconfigError::NotOne, "{text}");
    }
    for text in [
        "a: 1\n  # mine\n",
        "# mine\n",
        "a: 1 # mine\n",
        "a: '#1' # mine\n",
        "a: don't # mine\n",
    ] {
        assert!(has_comments(text), "{text}");
    }
    for text in ["a: '#1'\n", "a: b#1\n", "a: \"x \\\" # y\"\n", "a: 'it''s # one'\n", ""] {
        assert!(!has_comments(text), "{text}");
    }
}

#[test]
fn a_plugin_hands_out_the_certificate_with_its_end() {
    let names = Names::of("hcp", "g", Some("guest"));
    let text = kubeconfig(SERVER, "ca", &certificate(2027));
    let exec = ExecUser {
        command: "berth".to_owned(),
        arguments: vec!["kubeconfig".to_owned(), "hcp/g".to_owned(), "--credential".to_owned()],
        environment: vec![("BERTH_HOME".to_owned(), "/home/labs".to_owned())],
    };
    let with = with_exec(own(&text, &names).expect("a kubeconfig"), &exec);
    let user = &with["users"][0]["user"];
    assert_eq!(
        user.as_object().map(serde_json::Map::len),
        Some(1),
        "no certificate beside the plugin"
    );
    assert_eq!(user["exec"]["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!(user["exec"]["interactiveMode"], "Never");
    assert_eq!(
        user["exec"]["env"],
        json!([{ "name": "BERTH_HOME", "value": "/home/labs" }])
    );
    let plugin = entry(&yaml::to_string(&with)).plugin.expect("a plugin");
    assert_eq!(plugin.guest.as_deref(), Some("hcp/g"));

    let credential = credential(&text).expect("a credential");
    assert_eq!(credential.ends, at("2027-01-01T00:00:00Z"));
    let json: Value = serde_json::from_str(credential.json.reveal()).expect("JSON");
    assert_eq!(json["kind"], "ExecCredential");
    assert_eq!(json["status"]["expirationTimestamp"], "2027-01-01T00:00:00Z");
    assert_eq!(json["status"]["clientKeyData"], "the key");
    assert!(!format!("{credential:?}").contains("the key"));
    assert_eq!(super::credential("{}"), Err(KubeconfigError::NoCurrent));
}

#[test]
fn a_kubeconfig_is_told_when_it_ends() {
    let text = kubeconfig(SERVER, &certificate(2035), &certificate(2027));
    let ends = ends(&entry(&text));
    assert_eq!(ends.user, "system:admin");
    let told = |now: &str| -> Vec<String> {
        remarks(&ends, at(now), COPY)
            .into_iter()
            .map(|remark| {
                format!(
                    "{} {}{}",
                    remark.id,
                    remark.text,
                    if remark.fails { " (fails)" } else { "" }
                )
            })
            .collect()
    };
    assert_eq!(told("2026-11-01T00:00:00Z"), Vec::<String>::new());
    insta::assert_snapshot!(told("2026-12-03T00:00:00Z").join("\n"), @"A01 the client certificate ends in 29 days, at 2027-01-01T00:00:00Z");
    insta::assert_snapshot!(told("2027-01-02T12:00:00Z").join("\n"), @"A01 the client certificate ended 36 h ago, at 2027-01-01T00:00:00Z (fails)");
    insta::assert_snapshot!(told("2034-12-31T23:00:00Z").join("\n"), @r"
    A01 the client certificate ended 2921 days ago, at 2027-01-01T00:00:00Z (fails)
    A09 the authority that the kubeconfig trusts ends in 1 h 0 min, at 2035-01-01T00:00:00Z
    ");
}

#[test]
fn a_download_is_held_against_the_secret() {
    let ca = certificate(2035);
    let (old, new) = (certificate(2026), certificate(2027));
    let of = |server: &str, ca: &str, certificate: &str| entry(&kubeconfig(server, ca, certificate));
    let secret = of(SERVER, &ca, &new);
    let hub = HubView {
        endpoint: Some("192.0.2.10:6443".to_owned()),
        custom_name: Some("api.g.example".to_owned()),
        ..HubView::default()
    };
    let gone = Reach::Refused { address: String::new() };
    let told = |file: &Entry, reach: &Reach| -> Vec<String> {
        let remarks = compare(file, &secret, Some(&hub), reach, COPY).into_iter();
        remarks
            .map(|remark| format!("{}{}", remark.text, if remark.fails { " (fails)" } else { "" }))
            .collect()
    };
    let none = Vec::<String>::new();
    assert_eq!(told(&secret, &gone), none);
    let other = of("https://192.0.2.9:6443", &certificate(2034), &old);
    insta::assert_snapshot!(told(&other, &gone).join("\n"), @r"
    it leads to https://192.0.2.9:6443, and the guest is at https://192.0.2.10:6443 (fails)
    it trusts another authority than the guest's: the guest was made anew, or its authority was replaced (fails)
    the hub's was renewed: it ends at 2027-01-01T00:00:00Z, the file's at 2026-01-01T00:00:00Z
    ");
    // What answers, works; and may differ.
    assert!(
        told(&other, &Reach::Answers)
            .iter()
            .all(|text| !text.ends_with("(fails)"))
    );

    // The same place in other words, the name that was chosen for it, and an authority more are no difference.
    let more = format!("{}{ca}", certificate(2034));
    for file in [
        of("https://192.0.2.10:6443/", &ca, &new),
        of(SERVER, &more, &new),
        of("https://api.g.example", &certificate(2033), &new),
        of("https://API.g.example:443/", &certificate(2033), &new),
    ] {
        assert_eq!(told(&file, &gone), none, "{}", file.server);
    }
}

#[test]
fn an_api_server_is_where_its_url_leads() {
    let place = |url: &str| super::place(url);
    let at = |host: &str, port| Some((host.to_owned(), port));
    assert_eq!(place("https://[fd00::1]:6443"), at("fd00::1", 6443));
    assert_eq!(place("https://me:hunter2@API.example.com/"), at("api.example.com", 443));
    for url in ["http://api.example.com", "nonsense", "https://", "https://a:b"] {
        assert_eq!(place(url), None, "{url}");
    }
    let cluster = json!({
        "spec": { "kubeAPIServerDNSName": "api.g.example" },
        "status": { "controlPlaneEndpoint": { "host": "fd00::1" } },
    });
    assert_eq!(endpoint(&cluster).as_deref(), Some("[fd00::1]:6443"));
    for (url, is_there) in [
        ("https://[FD00::1]:6443/", true),
        ("https://[fd00::1]", false),
        ("https://api.g.example", true),
        ("https://api.g.example.org:6443", false),
    ] {
        assert_eq!(is_at(&cluster, url), is_there, "{url}");
    }
}

#[test]
fn what_may_be_secret_in_an_address_is_not_kept() {
    let of = |server: &str, proxy: &str| {
        let config = json!({
            "current-context": "c",
            "clusters": [{ "name": "c", "cluster": { "server": server, "proxy-url": proxy } }],
            "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u" } }],
            "users": [{ "name": "u", "user": {
                "username": "me", "password": "hunter2",
                "exec": { "command": "login", "args": ["--password", "hunter2"] },
            } }],
        });
        entry(&yaml::to_string(&config))
    };
    let entry = of(
        "https://me:hunter2@api.example:6443/k8s?token=hunter2",
        "http://me:hunter2@proxy:3128",
    );
    assert_eq!(entry.server, "https://api.example:6443/k8s");
    assert_eq!(entry.proxy.as_deref(), Some("http://proxy:3128"));
    for awkward in [
        "http://me:hun/ter2@proxy:3128/x",
        "me:hunter2@proxy:3128",
        "socks5://me:hunt?er2@proxy:3128#hunter2",
    ] {
        let proxy = of("https://api", awkward).proxy.expect("a proxy");
        assert!(proxy.ends_with("proxy:3128") && !proxy.contains("hun"), "{proxy}");
    }
    let reach = Reach::Proxied {
        proxy: entry.proxy.clone().expect("a proxy"),
    };
    let tried = copy_tried(&reach, &entry);
    let told = format!("{tried:?} {:?} {}", diagnose(&tried), reach.told());
    assert!(
        told.contains("http://proxy:3128") && !told.contains("hunter2"),
        "{told}"
    );

    // The same of another's cluster that is in the way.
    let theirs = "clusters: [{name: hcp-g, cluster: {server: 'https://me:hunter2@other.example'}}]";
    let error = merge(theirs, &[], &guests(), false, false).expect_err("it is taken");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn all_that_a_kubeconfig_can_say_of_credentials_is_read() {
    let of = |cluster: &str, user: &str| {
        let text = format!(
            "{{current-context: c, clusters: [{{name: c, cluster: {cluster}}}], contexts: [{{name: c, context: {{cluster: \
             c, user: u}}}}], users: [{{name: u, user: {user}}}]}}"
        );
        let read = |file: &str| (file == "/token").then(|| "of the file\n".to_owned());
        Entry::read(&text, None, &read).expect("a context")
    };
    let entry = of("{insecure-skip-tls-verify: true}", "{token: inline, tokenFile: /token}");
    assert!(entry.trusts_all && entry.has_credentials());
    assert_eq!(entry.token.as_ref().map(Secret::reveal), Some("of the file"));
    let entry = of("{}", "{token: inline, tokenFile: /gone}");
    assert_eq!(entry.token.as_ref().map(Secret::reveal), Some("inline"));

    let entry = of("{}", "{username: me, password: hunter2}");
    assert!(entry.has_password && !entry.has_credentials() && !entry.leaves_credentials_out());
    let tried = copy_tried(&Reach::Forbidden, &entry);
    let found = diagnose(&tried).expect("it does not work");
    insta::assert_snapshot!(found.title, @"the kubeconfig has a user name and a password, which API servers don't take any longer");

    // A plugin is Berth's own only where it is called as Berth calls itself.
    for (arguments, guest) in [
        ("[--lab, kubeconfig, hcp/g, --credential]", Some("hcp/g")),
        ("[eks, get-token]", None),
        ("[kubeconfig, hcp/g, --credential, --more]", None),
    ] {
        let entry = of("{}", &format!("{{exec: {{command: berth, args: {arguments}}}}}"));
        assert!(entry.leaves_credentials_out());
        assert_eq!(entry.plugin.expect("a plugin").guest.as_deref(), guest, "{arguments}");
    }
}

#[test]
fn what_is_wrong_on_the_hub_is_not_to_be_fetched_from_there() {
    let entry = entry(&kubeconfig(SERVER, &certificate(2035), &certificate(2030)));
    let hub = HubView {
        endpoint: Some("192.0.2.77:6443".to_owned()),
        ..HubView::default()
    };
    let fixes = |now: &str, reach: &Reach| {
        let tried = Tried {
            reach,
            entry: &entry,
            from: "here",
            hub: Some(&hub),
            object: "g",
            now: at(now),
            origin: Origin::Hub,
        };
        let remarks = remarks(&ends(&entry), at(now), Origin::Hub)
            .into_iter()
            .map(|remark| remark.fix);
        remarks
            .chain(diagnose(&tried).map(|found| found.fix))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let ended = fixes("2031-01-01T00:00:00Z", &Reach::Unauthorized);
    let moved = fixes("2026-01-01T00:00:00Z", &Reach::Refused { address: String::new() });
    assert_eq!(ended.matches("control-plane-pki-operator").count(), 2, "{ended}");
    assert!(moved.contains("control-plane-operator"), "{moved}");
    assert!(!(ended + &moved).contains("berth kubeconfig"));
}

#[test]
fn several_files_are_one_kubeconfig() {
    let theirs = "{current-context: work}";
    let fresh = merge("", &[theirs.to_owned()], &guests(), false, false).expect("merged");
    assert!(!fresh.is_current && !fresh.text.reveal().contains("current-context"));
    let switched = merge("", &[theirs.to_owned()], &guests(), false, true).expect("merged");
    assert!(switched.is_current && switched.text.reveal().contains("current-context: hcp-g"));
    let nowhere = merge("", &["{}".to_owned()], &guests(), false, false).expect("merged");
    assert!(nowhere.is_current);
    // What would be hidden by the guest's is taken, in whichever file it is.
    let taken = "clusters: [{name: hcp-g, cluster: {server: 'https://other.example'}}]".to_owned();
    let error = merge("", &[taken], &guests(), false, false).expect_err("it is taken");
    assert!(
        matches!(error, KubeconfigError::Taken { what: "cluster", .. }),
        "{error}"
    );
    // Its own from an earlier merge, elsewhere in the list, is no stranger.
    merged("", &[&yaml::to_string(&guests())], false);
}

#[test]
fn each_way_to_fail_has_its_meaning() {
    let entry = entry(&kubeconfig(SERVER, &certificate(2035), &certificate(2030)));
    let well = HubView {
        api_server: "True".to_owned(),
        available: "True".to_owned(),
        endpoint: Some("192.0.2.10:6443".to_owned()),
        addresses: vec!["192.0.2.10".to_owned()],
        custom_name: None,
    };
    let down = HubView {
        api_server: "False (WaitingForAvailable: Waiting)".to_owned(),
        available: "False (KubeconfigWaitingForCreate: Waiting)".to_owned(),
        ..well.clone()
    };
    let unreached = HubView {
        available: "False (KASLoadBalancerNotReachable: no answer)".to_owned(),
        ..well.clone()
    };
    let moved = HubView {
        endpoint: Some("192.0.2.77:6443".to_owned()),
        ..well.clone()
    };
    let tell = |reach: &Reach, hub: Option<&HubView>, now: &str| {
        let tried = Tried {
            reach,
            entry: &entry,
            from: "this machine",
            hub,
            object: "the API server of guest hcp/g",
            now: at(now),
            origin: COPY,
        };
        diagnose(&tried).map(|found| {
            assert!(found.evidence[0].contains("from this machine"), "{found:?}");
            assert_eq!(found.evidence.len(), 1 + usize::from(hub.is_some()));
            format!("{:4}{}", found.id, found.title)
        })
    };
    let now = "2026-01-01T00:00:00Z";
    let address = || "192.0.2.10:6443".to_owned();
    assert_eq!(tell(&Reach::Answers, Some(&well), now), None);
    let told: Vec<String> = [
        (
            Reach::NoName {
                host: "api.g".to_owned(),
                why: "no such name".to_owned(),
            },
            Some(&well),
        ),
        (Reach::Refused { address: address() }, Some(&well)),
        (Reach::Refused { address: address() }, Some(&down)),
        (Reach::NoAnswer { address: address() }, Some(&well)),
        (Reach::NoAnswer { address: address() }, Some(&unreached)),
        (Reach::NoAnswer { address: address() }, Some(&moved)),
        (
            Reach::WrongName {
                name: "api.g".to_owned(),
                names: Vec::new(),
            },
            None,
        ),
        (Reach::Untrusted, None),
        (
            Reach::ClientRefused {
                why: "BadCertificate".to_owned(),
            },
            None,
        ),
        (Reach::Unauthorized, Some(&well)),
        (Reach::Forbidden, Some(&well)),
    ]
    .iter()
    .filter_map(|(reach, hub)| tell(reach, *hub, now))
    .chain(tell(&Reach::Unauthorized, None, "2030-01-03T00:00:00Z"))
    .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
        DNS: `api.g` does not resolve here
    N12 192.0.2.10:6443 refuses connections from here, though the API server runs
        nobody listens at 192.0.2.10:6443: the guest's API server does not run
    N12 192.0.2.10:6443 can't be reached from here: a firewall drops packets, or nothing routes there
    P05 nobody answers for 192.0.2.10:6443, on the hub neither
    A01 the kubeconfig leads to 192.0.2.10:6443, and the guest's API server is at 192.0.2.77:6443
    A07 TLS: the API server's certificate is not for `api.g`
    A01 TLS: the kubeconfig trusts another authority than the API server's
    A01 TLS: the API server refuses the client certificate
    A01 the API server does not accept the kubeconfig's credentials
        the API server does not let the kubeconfig's user look
    A01 the kubeconfig's client certificate ended 2 days ago
    ");
}

#[test]
fn the_console_is_where_the_guest_serves_its_applications() {
    let cluster = |spec: Value| json!({ "metadata": { "name": "g" }, "spec": spec });
    let plain = cluster(json!({ "dns": { "baseDomain": "apps.hub.example" } }));
    let at = |text: &str| Console::At(text.to_owned());
    assert_eq!(
        console(&plain, None),
        at("https://console-openshift-console.apps.g.apps.hub.example")
    );
    let route = json!({ "spec": { "host": "console.example.com" } });
    assert_eq!(console(&plain, Some(&route)), at("https://console.example.com"));
    let chosen = cluster(json!({ "configuration": { "ingress": { "domain": "apps.example.com" } } }));
    assert_eq!(
        console(&chosen, None),
        at("https://console-openshift-console.apps.example.com")
    );
    let without = cluster(json!({ "capabilities": { "disabled": ["Console", "Ingress"] } }));
    assert_eq!(console(&without, None), Console::Disabled);
    assert_eq!(console(&cluster(json!({})), None), Console::NotKnown);
    for (prefix, domain) in [
        (json!("of"), "apps.of.hub.example"),
        (json!(""), "apps.hub.example"),
        (Value::Null, "apps.g.hub.example"),
    ] {
        let cluster = cluster(json!({ "dns": { "baseDomain": "hub.example", "baseDomainPrefix": prefix } }));
        assert_eq!(apps_domain(&cluster).as_deref(), Some(domain));
    }
}
