use std::{fs, path::Path};

use berth_api::{GuestCluster, Source, load, yaml};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Content, Login, first_names, login, normal, pieces, slug};
use crate::render::unknown_fields;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

fn guest(section: &str) -> GuestCluster {
    let text = format!(
        "apiVersion: berth.dev/v1alpha1
kind: GuestCluster
metadata: {{name: g, namespace: hcp}}
spec:
  release: {{image: quay.io/ocp:4.17.0-multi}}
  pullSecret: {{secret: pull}}
  nodePools: [{{name: w, replicas: 2}}]
  identity:
    clusterAdmins: {{groups: [admins]}}
{section}"
    );
    let read = |path: &Path| {
        Ok(match path.to_str().unwrap_or_default() {
            "users" => b"ada:{SHA}x=\n".to_vec(),
            "ca.pem" | "client.pem" => CERTIFICATE.into(),
            "client.key" => KEY.into(),
            _ => b"hush".to_vec(),
        })
    };
    let source = Source {
        path: "a.yaml".into(),
        text,
    };
    let documents = load(vec![source], &read, &|_| None);
    documents.unwrap_or_else(|errors| panic!("{errors:?}")).guests.remove(0)
}

fn login_of(guest: &GuestCluster) -> Login {
    let section = guest.spec.identity.as_ref().expect("a section");
    login(section, &first_names(guest, section))
}

/// The login of one provider or issuer, and what it refers to: kind, name, key.
#[track_caller]
fn told(section: &str) -> String {
    let guest = guest(section);
    let login = login_of(&guest);
    let what = if login.oidc.is_null() {
        &login.providers
    } else {
        &login.oidc
    };
    let mut text = yaml::to_string(what);
    for piece in pieces(&guest, guest.spec.identity.as_ref().expect("a section")) {
        let kind = match &piece.content {
            Content::Secret(_) | Content::Users(_) => "Secret",
            Content::Certificates(_) => "ConfigMap",
            Content::Existing(_) => "(there) Secret",
        };
        text.push_str(&format!("# {kind} {}: {}\n", piece.name(1), piece.key));
    }
    holds_in_both_generations(&login);
    text
}

/// Upstream's schemas know every field, in both generations.
#[track_caller]
fn holds_in_both_generations(login: &Login) {
    let folder =
        std::env::var_os("BERTH_UPSTREAM_DATA").map_or_else(|| "../../../shared".into(), std::path::PathBuf::from);
    for generation in ["4.17", "current"] {
        let file = folder.join(format!("crds/{generation}/hypershift.openshift.io_hostedclusters.yaml"));
        let Ok(text) = fs::read_to_string(&file) else {
            println!("skipped: identity schemas of {generation}: no ../shared");
            continue;
        };
        let crd = yaml::parse(&text).expect("a CRD").remove(0);
        let object = json!({ "spec": { "configuration": {
            "oauth": { "identityProviders": login.providers },
            "authentication": { "type": "OIDC", "oidcProviders": login.oidc },
        } } });
        assert_eq!(unknown_fields(&object, &crd), Vec::<String>::new(), "{generation}");
    }
}

#[test]
fn an_htpasswd_file_is_a_secret_with_its_own_key() {
    assert_snapshot!(told("    providers: [{name: staff, htpasswd: {file: users}}]\n"), @"
    - htpasswd:
        fileData:
          name: g-idp-staff-htpasswd-1
      mappingMethod: claim
      name: staff
      type: HTPasswd
    # Secret g-idp-staff-htpasswd-1: htpasswd
    ");
    assert_snapshot!(told("    providers: [{name: staff, htpasswd: {secret: kept}, mappingMethod: add}]\n"), @"
    - htpasswd:
        fileData:
          name: kept
      mappingMethod: add
      name: staff
      type: HTPasswd
    # (there) Secret kept: htpasswd
    ");
}

#[test]
fn an_open_id_issuer() {
    assert_snapshot!(told("    providers:
      - name: Red Hat SSO
        openID:
          clientID: berth
          clientSecret: {file: secret}
          issuer: https://sso.example.com/realms/a
          ca: {file: ca.pem}
          claims: {groups: [groups]}
          extraScopes: [profile]
          extraAuthorizeParameters: {include_granted_scopes: 'true'}
"), @r#"
    - mappingMethod: claim
      name: Red Hat SSO
      openID:
        ca:
          name: g-idp-red-hat-sso-c7cb21-ca-1
        claims:
          email:
          - email
          groups:
          - groups
          name:
          - name
          preferredUsername:
          - preferred_username
        clientID: berth
        clientSecret:
          name: g-idp-red-hat-sso-c7cb21-client-secret-1
        extraAuthorizeParameters:
          include_granted_scopes: "true"
        extraScopes:
        - profile
        issuer: https://sso.example.com/realms/a
      type: OpenID
    # Secret g-idp-red-hat-sso-c7cb21-client-secret-1: clientSecret
    # ConfigMap g-idp-red-hat-sso-c7cb21-ca-1: ca.crt
    "#);
}

#[test]
fn an_ldap_server() {
    assert_snapshot!(told("    providers:
      - name: ldap
        ldap: {url: 'ldaps://ldap.example.com/ou=people,dc=example,dc=com?uid', bindDN: cn=berth, bindPassword: {file: secret}, ca: {file: ca.pem}}
"), @"
    - ldap:
        attributes:
          email:
          - mail
          id:
          - dn
          name:
          - cn
          preferredUsername:
          - uid
        bindDN: cn=berth
        bindPassword:
          name: g-idp-ldap-bind-password-1
        ca:
          name: g-idp-ldap-ca-1
        insecure: false
        url: ldaps://ldap.example.com/ou=people,dc=example,dc=com?uid
      mappingMethod: claim
      name: ldap
      type: LDAP
    # Secret g-idp-ldap-bind-password-1: bindPassword
    # ConfigMap g-idp-ldap-ca-1: ca.crt
    ");
}

#[test]
fn github_gitlab_and_google() {
    assert_snapshot!(told("    providers:
      - {name: hub, github: {clientID: x, clientSecret: {file: secret}, teams: [a/b], hostname: git.example.com, ca: {file: ca.pem}}}
      - {name: lab, gitlab: {clientID: x, clientSecret: {secret: kept}, url: 'https://gitlab.example.com'}}
      - {name: google, google: {clientID: x, clientSecret: {secret: kept}, hostedDomain: example.com}}
"), @"
    - github:
        ca:
          name: g-idp-hub-ca-1
        clientID: x
        clientSecret:
          name: g-idp-hub-client-secret-1
        hostname: git.example.com
        teams:
        - a/b
      mappingMethod: claim
      name: hub
      type: GitHub
    - gitlab:
        clientID: x
        clientSecret:
          name: kept
        url: https://gitlab.example.com
      mappingMethod: claim
      name: lab
      type: GitLab
    - google:
        clientID: x
        clientSecret:
          name: kept
        hostedDomain: example.com
      mappingMethod: claim
      name: google
      type: Google
    # Secret g-idp-hub-client-secret-1: clientSecret
    # ConfigMap g-idp-hub-ca-1: ca.crt
    # (there) Secret kept: clientSecret
    # (there) Secret kept: clientSecret
    ");
}

#[test]
fn keystone_basic_auth_and_request_header() {
    assert_snapshot!(told("    providers:
      - {name: key, keystone: {url: 'https://k.example.com', domainName: default, tlsClientCert: {file: client.pem}, tlsClientKey: {file: client.key}}}
      - {name: basic, basicAuth: {url: 'https://b.example.com', ca: {file: ca.pem}}}
      - {name: proxy, requestHeader: {ca: {file: ca.pem}, headers: [X-User], loginURL: 'https://p.example.com/?${query}', clientCommonNames: [proxy]}}
"), @"
    - keystone:
        domainName: default
        tlsClientCert:
          name: g-idp-key-client-cert-1
        tlsClientKey:
          name: g-idp-key-client-key-1
        url: https://k.example.com
      mappingMethod: claim
      name: key
      type: Keystone
    - basicAuth:
        ca:
          name: g-idp-basic-ca-1
        url: https://b.example.com
      mappingMethod: claim
      name: basic
      type: BasicAuth
    - mappingMethod: claim
      name: proxy
      requestHeader:
        ca:
          name: g-idp-proxy-ca-1
        clientCommonNames:
        - proxy
        headers:
        - X-User
        loginURL: https://p.example.com/?${query}
      type: RequestHeader
    # Secret g-idp-key-client-cert-1: tls.crt
    # Secret g-idp-key-client-key-1: tls.key
    # ConfigMap g-idp-basic-ca-1: ca.crt
    # ConfigMap g-idp-proxy-ca-1: ca.crt
    ");
}

#[test]
fn an_issuer_in_place_of_the_oauth_server() {
    assert_snapshot!(told("    oidc:
      name: sso
      issuer: https://sso.example.com/realms/a
      audiences: [berth]
      ca: {file: ca.pem}
      username: {claim: email, prefix: ''}
      groups: {claim: groups, prefix: 'sso:'}
      requiredClaims: {hd: example.com}
      clients: [{componentName: console, componentNamespace: openshift-console, clientID: console, clientSecret: {file: secret}}]
"), @"
    - claimMappings:
        groups:
          claim: groups
          prefix: 'sso:'
        username:
          claim: email
          prefixPolicy: NoPrefix
      claimValidationRules:
      - requiredClaim:
          claim: hd
          requiredValue: example.com
        type: RequiredClaim
      issuer:
        audiences:
        - berth
        issuerCertificateAuthority:
          name: g-oidc-ca-1
        issuerURL: https://sso.example.com/realms/a
      name: sso
      oidcClients:
      - clientID: console
        clientSecret:
          name: g-oidc-console-client-secret-1
        componentName: console
        componentNamespace: openshift-console
    # ConfigMap g-oidc-ca-1: ca-bundle.crt
    # Secret g-oidc-console-client-secret-1: clientSecret
    ");
}

#[test]
fn what_only_newer_hypershift_has_is_known_by_its_schema() {
    let guest = guest(
        "    oidc: {name: s, issuer: 'https://s.example', audiences: [a], username: {expression: claims.sub}, uid: {claim: sub}}\n",
    );
    let login = login_of(&guest);
    assert_eq!(
        login.oidc[0]["claimMappings"],
        json!({ "username": { "expression": "claims.sub" }, "uid": { "claim": "sub" } })
    );
}

#[test]
fn fields_that_say_nothing_make_no_difference() {
    let ours = Login {
        providers: json!([{ "name": "a", "ldap": { "url": "u", "insecure": false } }]),
        oidc: Value::Null,
    };
    let written_back = json!({ "spec": { "configuration": {
        "oauth": { "identityProviders": [{ "name": "a", "ldap": { "url": "u", "ca": { "name": "" }, "insecure": false } }],
                   "templates": { "login": { "name": "" } } },
        "authentication": { "type": "", "oidcProviders": [] },
    } } });
    assert!(Login::of(&written_back).is(&ours));
    assert_eq!(Login::of(&written_back).digest(), ours.digest());
    assert!(!Login::of(&json!({})).is(&ours));
    assert_eq!(normal(&json!({ "a": [{}], "b": "" })), None);
}

#[test]
fn names_of_providers_become_names_of_objects() {
    assert_eq!(slug("staff"), "staff");
    let odd = slug("Red Hat SSO");
    assert!(odd.starts_with("red-hat-sso-") && odd.len() == 18, "{odd}");
    assert_ne!(slug("A"), slug("a"));
    berth_api::check_subdomain(&format!("g-idp-{}-1", slug("Ä_.x"))).expect("a name");
    let guest = guest("    providers: [{name: staff, htpasswd: {file: users}}]\n");
    assert_eq!(login_of(&guest).names(), ["g-idp-staff-htpasswd-1"]);
}
