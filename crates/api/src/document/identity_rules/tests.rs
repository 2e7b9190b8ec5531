use std::{io, path::Path};

use insta::assert_snapshot;

use crate::{GuestCluster, SecretInput, Source, load};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/// A guest with workers, and an identity section.
fn guest(section: &str) -> String {
    format!(
        "apiVersion: berth.dev/v1alpha1
kind: GuestCluster
metadata: {{name: g, namespace: hcp}}
spec:
  release: {{image: quay.io/ocp:4.17.0-multi}}
  pullSecret: {{secret: pull}}
  nodePools: [{{name: w, replicas: 2}}]
  identity:
{section}"
    )
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    match path.to_str().unwrap_or_default() {
        "docs/users" => Ok(b"ada:{SHA}y=\ngrace:{SHA}x=\n".to_vec()),
        "docs/nobody" => Ok(b"# nobody\n".to_vec()),
        "docs/plain" => Ok(b"ada:hunter2\n".to_vec()),
        "docs/secret" => Ok(b"hunter2\n".to_vec()),
        "docs/empty" => Ok(b"\n".to_vec()),
        "docs/long" => Ok("hunter2".repeat(11).into_bytes()),
        "docs/ca.pem" => Ok(CERTIFICATE.into()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
    }
}

fn parse(text: &str) -> Result<GuestCluster, String> {
    let source = Source {
        path: "docs/a.yaml".into(),
        text: text.to_owned(),
    };
    let documents = load(vec![source], &read, &|_| None).map_err(|errors| {
        let told = |error: &crate::DocumentError| format!("{error}\n  {}: {}\n", error.field, error.fix);
        errors.iter().map(told).collect::<String>()
    })?;
    documents.guests.into_iter().next().ok_or_else(|| "no guest".to_owned())
}

#[track_caller]
fn refused(section: &str) -> String {
    let told = parse(&guest(section)).expect_err("the document was accepted");
    assert!(!told.contains("hunter2"), "{told}");
    told
}

#[track_caller]
fn accepted(section: &str) -> GuestCluster {
    parse(&guest(section)).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn secrets_are_read_without_the_line_end_and_files_as_they_are() {
    let guest = accepted(
        "    clusterAdmins: {users: [ada]}
    providers:
      - {name: staff, htpasswd: {file: users}}
      - name: sso
        openID: {clientID: berth, clientSecret: {file: secret}, issuer: 'https://sso.example.com/realms/a', ca: {file: ca.pem}}
      - {name: made, htpasswd: {users: [{name: alan, password: {file: secret}}]}}
      - {name: there, htpasswd: {secret: kept}}
",
    );
    let secret = |path: &str| match &guest.identity.secrets[path] {
        SecretInput::Content(content) => content.reveal().to_owned(),
        SecretInput::Existing(name) => format!("Secret {name}"),
    };
    assert_eq!(secret("providers[0].htpasswd"), "ada:{SHA}y=\ngrace:{SHA}x=\n");
    assert_eq!(secret("providers[1].openID.clientSecret"), "hunter2");
    assert_eq!(secret("providers[2].htpasswd.users[0].password"), "hunter2");
    assert_eq!(secret("providers[3].htpasswd"), "Secret kept");
    assert_eq!(guest.identity.texts["providers[1].openID.ca"], CERTIFICATE);
}

#[test]
fn a_section_that_leaves_nobody_in_is_refused() {
    assert_snapshot!(refused("    clusterAdmins: {}\n"), @"
    docs/a.yaml:9:5: there is no provider here: even an empty section upstream removes kubeadmin, and nobody could log in
      spec.identity: add `providers` or `oidc`, or leave `identity` out
    docs/a.yaml:9:20: any provider removes kubeadmin, and nobody here may do everything after that (A03)
      spec.identity.clusterAdmins: name `users` or `groups`
    ");
    assert_snapshot!(refused("    clusterAdmins: {users: [root]}\n    providers: [{name: staff, htpasswd: {file: users}}]\n"), @"
    docs/a.yaml:9:20: none of the cluster admins is among the users that can log in: `ada`, `grace`
      spec.identity.clusterAdmins: name one of them under `clusterAdmins.users`
    ");
    assert_snapshot!(refused("    clusterAdmins: {users: [ada]}\n    providers: [{name: staff, htpasswd: {file: nobody}}]\n"), @"
    docs/a.yaml:10:48: the htpasswd file names no user
      spec.identity.providers[0].htpasswd.file: add a user with `htpasswd -B FILE USER`: with nobody in it, nobody can log in
    ");
    let without_workers =
        guest("    clusterAdmins: {users: [ada]}\n    providers: [{name: staff, htpasswd: {file: users}}]\n")
            .replace("replicas: 2", "replicas: 0");
    assert_snapshot!(parse(&without_workers).unwrap_err(), @"
    docs/a.yaml:9:5: identity providers need workers, and this guest has none (A04)
      spec.identity: give a pool at least one replica
    ");
    assert_snapshot!(refused("    clusterAdmins: {users: [ada]}\n    providers: [{name: staff}, {name: Staff, htpasswd: {users: []}, google: {clientID: x, clientSecret: {secret: x}}}]\n"), @"
    docs/a.yaml:10:17: the provider is of no kind
      spec.identity.providers[0]: write exactly one of `htpasswd`, `openID`, `ldap`, `github`, `gitlab`, `google`, `keystone`, `basicAuth`, `requestHeader`
    docs/a.yaml:10:32: the provider is of 2 kinds: `htpasswd`, `google`
      spec.identity.providers[1]: write exactly one of `htpasswd`, `openID`, `ldap`, `github`, `gitlab`, `google`, `keystone`, `basicAuth`, `requestHeader`
    docs/a.yaml:10:39: a second provider is called `Staff`
      spec.identity.providers[1].name: give each provider its own name
    docs/a.yaml:10:64: 0 entries, at least 1 are needed
      spec.identity.providers[1].htpasswd.users: add entries
    docs/a.yaml:10:77: anybody with an account at Google could log in
      spec.identity.providers[1].google: name `hostedDomain`, or map users by `lookup`
    ");
}

#[test]
fn passwords_and_files_are_looked_at_and_never_repeated() {
    assert_snapshot!(refused("    clusterAdmins: {groups: [admins]}
    providers:
      - {name: a, htpasswd: {file: plain}}
      - {name: b, htpasswd: {users: [{name: 'a:b', password: {file: secret}}, {name: ada, password: {file: long}}, {name: ada, password: {file: empty}}]}}
      - {name: c, htpasswd: {users: [{name: ada, password: hunter2}]}}
      - {name: d/e, openID: {clientID: x, clientSecret: {file: missing}, issuer: 'https://x.example', ca: {file: secret}}}
"), @"
    docs/a.yaml:11:36: line 1 of the htpasswd file has no hash that the OAuth server knows
      spec.identity.providers[0].htpasswd.file: make each line with `htpasswd -B FILE USER`; bcrypt, {SHA} and $apr1$ are known
    docs/a.yaml:12:45: `a:b` can't be a user of an htpasswd file
      spec.identity.providers[1].htpasswd.users[0].name: leave `:`, spaces and a leading `#` out
    docs/a.yaml:12:108: the password has 77 bytes; bcrypt takes the first 72 alone
      spec.identity.providers[1].htpasswd.users[1].password.file: choose a shorter one
    docs/a.yaml:12:123: a second user is called `ada`
      spec.identity.providers[1].htpasswd.users[2].name: name each user once
    docs/a.yaml:12:145: this is empty
      spec.identity.providers[1].htpasswd.users[2].password.file: put the secret there
    docs/a.yaml:13:60: a text where a map of fields is needed
      spec.identity.providers[2].htpasswd.users[0].password: write fields here: `env`, `file`, `secret`
    docs/a.yaml:14:16: `d/e` can't be a provider's name: it becomes part of a path
      spec.identity.providers[3].name: leave `/`, `%`, `:` and spaces at the ends out
    docs/a.yaml:14:64: `docs/missing` can't be read: no such file
      spec.identity.providers[3].openID.clientSecret.file: paths are relative to the document's folder
    docs/a.yaml:14:107: there is no PEM certificate in it
      spec.identity.providers[3].openID.ca: name a file with the CA's certificate as PEM
    ");
}

#[test]
fn each_kind_has_rules_of_its_own() {
    assert_snapshot!(refused("    clusterAdmins: {groups: [admins]}
    providers:
      - {name: a, openID: {clientID: x, clientSecret: {secret: x}, issuer: 'http://x.example?y'}}
      - {name: b, ldap: {url: 'ldaps://x.example', insecure: true, bindDN: cn=x}}
      - {name: c, ldap: {url: 'ldap://x.example/dc=x?uid?tree', insecure: true, ca: {value: '-----BEGIN CERTIFICATE-----'}}}
      - {name: d, github: {clientID: x, clientSecret: {secret: x}}}
      - {name: e, github: {clientID: x, clientSecret: {secret: x}, organizations: [x], teams: [z]}}
      - {name: f, gitlab: {clientID: x, clientSecret: {secret: x}, url: 'https://user:hunter2@x.example'}}
      - {name: g, google: {clientID: x, clientSecret: {secret: x}}}
      - {name: h, keystone: {url: 'x.example', domainName: default, tlsClientCert: {secret: x}}}
      - {name: i, requestHeader: {headers: [X-User], loginURL: 'https://x.example/login'}}
      - {name: j, requestHeader: {headers: [], ca: {file: ca.pem}}, testUser: {name: x, password: {secret: x}}}
"), @"
    docs/a.yaml:11:76: `http://x.example?y` is not https
      spec.identity.providers[0].openID.issuer: write it as `https://HOST/PATH`
    docs/a.yaml:11:76: `http://x.example?y` has a query or a fragment
      spec.identity.providers[0].openID.issuer: leave what follows the path out
    docs/a.yaml:12:31: `ldaps://x.example` is not an LDAP URL: it names no base to search
      spec.identity.providers[1].ldap.url: write it as `ldaps://HOST/BASE?ATTRIBUTE?SCOPE?FILTER`; the parts after BASE may be left out
    docs/a.yaml:12:62: `insecure` means without TLS, and the URL says `ldaps`
      spec.identity.providers[1].ldap.insecure: leave one of them out
    docs/a.yaml:12:76: `bindDN` is nothing without `bindPassword`
      spec.identity.providers[1].ldap.bindDN: add `bindPassword`
    docs/a.yaml:13:31: `ldap://x.example/dc=x?uid?tree` is not an LDAP URL: its scope is none of `base`, `one`, `sub`
      spec.identity.providers[2].ldap.url: write it as `ldaps://HOST/BASE?ATTRIBUTE?SCOPE?FILTER`; the parts after BASE may be left out
    docs/a.yaml:13:85: without TLS there is nothing to trust: `ca` would be ignored
      spec.identity.providers[2].ldap.ca: leave `ca` or `insecure` out
    docs/a.yaml:14:27: anybody with an account at github.com could log in
      spec.identity.providers[3].github: name `organizations` or `teams`, or map users by `lookup`
    docs/a.yaml:15:95: `organizations` and `teams` exclude each other
      spec.identity.providers[4].github.teams: leave one of them out
    docs/a.yaml:15:96: `z` is not a team
      spec.identity.providers[4].github.teams[0]: write it as `organization/team`
    docs/a.yaml:16:73: this names a user
      spec.identity.providers[5].gitlab.url: write it as `https://HOST/PATH`
    docs/a.yaml:17:27: anybody with an account at Google could log in
      spec.identity.providers[6].google: name `hostedDomain`, or map users by `lookup`
    docs/a.yaml:18:35: `x.example` is not https
      spec.identity.providers[7].keystone.url: write it as `https://HOST/PATH`
    docs/a.yaml:18:84: `tlsClientCert` is nothing without `tlsClientKey`
      spec.identity.providers[7].keystone.tlsClientCert: add `tlsClientKey`
    docs/a.yaml:19:34: `ca` is missing
      spec.identity.providers[8].requestHeader.ca: add `ca`: Certificates that sign the proxy's client certificate, as PEM: without them anybody could name himself
    docs/a.yaml:19:64: `loginURL` must say where to come back to
      spec.identity.providers[8].requestHeader.loginURL: put `${url}` or `${query}` into it, as in `https://proxy.example.com/login?${query}`
    docs/a.yaml:20:34: without `loginURL` and `challengeURL` nobody is sent to the proxy
      spec.identity.providers[9].requestHeader: write one of them
    docs/a.yaml:20:44: 0 entries, at least 1 are needed
      spec.identity.providers[9].requestHeader.headers: add entries
    docs/a.yaml:20:79: a login by `requestHeader` goes through a browser and can't be tried with a password
      spec.identity.providers[9].testUser: leave `testUser` out: `berth identity confirm` is for that
    ");
}

#[test]
fn oidc_has_rules_of_its_own() {
    assert_snapshot!(refused("    clusterAdmins: {groups: [admins]}
    providers: [{name: a, htpasswd: {file: users}}]
    oidc:
      name: sso
      issuer: https://x.example/
      discoveryURL: https://x.example
      audiences: []
      username: {claim: sub, expression: claims.sub}
      groups: {expression: claims.groups, prefix: x}
      extra: {a.openshift.io/b: claims.c}
      clients:
        - {componentName: console, componentNamespace: openshift-console, clientID: x}
        - {componentName: console, componentNamespace: openshift-console, clientID: z}
"), @"
    docs/a.yaml:12:7: `oidc` takes the place of the OAuth server that `providers` are for
      spec.identity.oidc: leave one of them out
    docs/a.yaml:14:21: the issuer's own URL is where discovery looks anyway
      spec.identity.oidc.discoveryURL: leave it out
    docs/a.yaml:15:18: 0 entries, at least 1 are needed
      spec.identity.oidc.audiences: add entries
    docs/a.yaml:16:17: `username` is a claim or an expression
      spec.identity.oidc.username: write exactly one of `claim`, `expression`
    docs/a.yaml:17:51: an expression makes the whole name: a prefix does not go with it
      spec.identity.oidc.groups.prefix: put it into the expression
    docs/a.yaml:18:14: `a.openshift.io/b` can't be a key of what is known of a user
      spec.identity.oidc.extra: write a domain of your own and a path, as `example.com/department`
    docs/a.yaml:21:11: a second client is for this component
      spec.identity.oidc.clients[1]: name each component once
    ");
}

#[test]
fn every_kind_can_be_written() {
    let guest = accepted(
        "    clusterAdmins: {users: [ada], groups: [admins]}
    confirmWithin: 30m
    providers:
      - {name: a, htpasswd: {file: users}}
      - {name: b, openID: {clientID: x, clientSecret: {secret: x}, issuer: 'https://x.example:8443/realms/x'}}
      - {name: c, ldap: {url: 'ldap://[fd00::1]:389/ou=x,dc=y?uid?sub?(memberOf=cn=x)'}}
      - {name: d, github: {clientID: x, clientSecret: {secret: x}, teams: [x/y]}}
      - {name: e, gitlab: {clientID: x, clientSecret: {secret: x}, url: 'https://x.example'}}
      - {name: f, google: {clientID: x, clientSecret: {secret: x}, hostedDomain: x.example}}
      - {name: g, keystone: {url: 'https://x.example:5000', domainName: default}, testUser: {name: x, password: {secret: x}}}
      - {name: h, basicAuth: {url: 'https://x.example'}}
      - {name: i, mappingMethod: lookup, requestHeader: {headers: [X-User], ca: {file: ca.pem}, challengeURL: 'https://x.example/c?${query}'}}
",
    );
    let providers = &guest.spec.identity.as_ref().expect("a section").providers;
    let kinds: Vec<_> = providers.iter().filter_map(crate::IdentityProvider::kind).collect();
    assert_eq!(kinds, crate::ProviderKind::ALL);
}
