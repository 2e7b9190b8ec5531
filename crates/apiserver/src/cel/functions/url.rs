//! URLs: absolute ones, or absolute paths.

use cel::{
    DeclarationError, Env, ExecutionError, add_member_overload, add_overload,
    common::{
        types::{CelBool, CelMap, CelMapKey, CelString},
        value::Val,
    },
};
use http::Uri;

use super::{collection, failed, opaque};
use crate::query::Query;

#[derive(Debug, Clone, PartialEq)]
struct Url {
    uri: Uri,
    /// Whether a path was written: the parser makes one where there was none.
    has_path: bool,
}

opaque!(Url, "kubernetes.URL");

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    add_overload!(env, fn url: (CelString) -> Result<Url>)?;
    add_overload!(env, fn is_url: (CelString) -> CelBool, name = "isURL")?;
    add_member_overload!(env, fn get_scheme: (Url) -> CelString)?;
    add_member_overload!(env, fn get_host: (Url) -> CelString)?;
    add_member_overload!(env, fn get_hostname: (Url) -> CelString)?;
    add_member_overload!(env, fn get_port: (Url) -> CelString)?;
    add_member_overload!(env, fn get_escaped_path: (Url) -> CelString)?;
    add_member_overload!(env, fn get_query: (Url) -> CelMap)
}

fn parse(text: &str) -> Option<Url> {
    let uri: Uri = text.parse().ok()?;
    let absolute = uri.scheme().is_some() || text.starts_with('/');
    let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let has_path = after_scheme.split('?').next().is_some_and(|rest| rest.contains('/'));
    absolute.then_some(Url { uri, has_path })
}

fn url(text: &CelString<'_>) -> Result<Url, ExecutionError> {
    let text = text.inner();
    parse(text).ok_or_else(|| {
        failed(format!(
            "URL parse error during conversion from string: parse {text:?}: invalid URI for request"
        ))
    })
}

fn is_url(text: &CelString<'_>) -> CelBool {
    parse(text.inner()).is_some().into()
}

fn get_scheme(Url { uri, .. }: &Url) -> CelString<'static> {
    CelString::from(uri.scheme_str().unwrap_or_default().to_owned())
}

fn get_host(Url { uri, .. }: &Url) -> CelString<'static> {
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    CelString::from(host.to_owned())
}

fn get_hostname(Url { uri, .. }: &Url) -> CelString<'static> {
    let host = uri.host().unwrap_or_default();
    CelString::from(host.trim_start_matches('[').trim_end_matches(']').to_owned())
}

fn get_port(Url { uri, .. }: &Url) -> CelString<'static> {
    CelString::from(uri.port().map(|port| port.as_str().to_owned()).unwrap_or_default())
}

fn get_escaped_path(Url { uri, has_path }: &Url) -> CelString<'static> {
    CelString::from(if *has_path {
        uri.path().to_owned()
    } else {
        String::new()
    })
}

fn get_query(Url { uri, .. }: &Url) -> CelMap<'static> {
    let query = Query::parse(uri.query().unwrap_or_default()).unwrap_or_default();
    let entry = |name: &str| {
        let values = collection::texts(query.all(name).map(str::to_owned));
        (CelMapKey::from(name.to_owned()), Box::new(values) as Box<dyn Val>)
    };
    let entries: std::collections::HashMap<_, _> = query.names().map(entry).collect();
    CelMap::from(entries)
}
