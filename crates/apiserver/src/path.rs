//! What a path and method ask for.

use http::Method;

use crate::{
    identity::RequestAttributes,
    query::Query,
    status::{ApiError, Result},
};

/// A request for a resource, or for something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Resource(ResourcePath),
    /// Segments of a path that names no resource: discovery, health, version, …
    Other(Vec<String>),
}

/// The parts of a resource's path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourcePath {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) namespace: Option<String>,
    pub(crate) resource: String,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Target {
    pub(crate) fn parse(path: &str) -> Result<Self> {
        let segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(decode)
            .collect::<Result<_>>()?;
        let texts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (group, version, rest) = match texts.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
            _ => return Ok(Self::Other(segments)),
        };
        let (namespace, rest) = match rest {
            // These two are about the namespace itself.
            ["namespaces", _, "status" | "finalize", ..] | ["namespaces"] | ["namespaces", _] => (None, rest),
            ["namespaces", namespace, rest @ ..] => (Some(*namespace), rest),
            _ => (None, rest),
        };
        let owned = |text: &&str| (*text).to_owned();
        Ok(Self::Resource(ResourcePath {
            group: group.to_owned(),
            version: version.to_owned(),
            namespace: namespace.map(str::to_owned),
            resource: rest.first().map(owned).unwrap_or_default(),
            name: rest.get(1).map(owned),
            subresource: (rest.len() > 2).then(|| rest[2..].join("/")),
        }))
    }
}

impl ResourcePath {
    /// The verb that a method means here.
    pub(crate) fn verb(&self, method: &Method, query: &Query) -> Result<Verb> {
        let named = self.name.is_some();
        Ok(match *method {
            Method::GET if named => Verb::Get,
            Method::GET if query.flag("watch") => Verb::Watch,
            Method::GET => Verb::List,
            Method::POST => Verb::Create,
            Method::PUT => Verb::Update,
            Method::PATCH => Verb::Patch,
            Method::DELETE if named => Verb::Delete,
            Method::DELETE => Verb::DeleteCollection,
            // Upstream has no HEAD for resources either.
            _ => return Err(ApiError::NoSuchMethod),
        })
    }

    pub(crate) fn attributes(&self, verb: Verb) -> RequestAttributes {
        RequestAttributes {
            verb: verb.name().to_owned(),
            group: self.group.clone(),
            version: self.version.clone(),
            resource: self.resource.clone(),
            subresource: self.subresource.clone().unwrap_or_default(),
            namespace: self.namespace.clone().unwrap_or_default(),
            name: self.name.clone().unwrap_or_default(),
            path: String::new(),
        }
    }
}

impl Verb {
    pub(crate) fn is_mutating(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

/// Undoes percent encoding.
pub(crate) fn decode(text: &str) -> Result<String> {
    let malformed = || ApiError::bad_request(format!("malformed percent encoding in `{text}`"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            rest.next()
                .and_then(|byte| char::from(byte).to_digit(16))
                .ok_or_else(malformed)
        };
        let code = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(code).map_err(|_| malformed())?);
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        let text = match Target::parse(path).unwrap() {
            Target::Other(segments) => format!("other {}", segments.join(" ")),
            Target::Resource(path) => format!(
                "{}/{} {} {} {} {}",
                path.group,
                path.version,
                path.namespace.as_deref().unwrap_or("-"),
                path.resource,
                path.name.as_deref().unwrap_or("-"),
                path.subresource.as_deref().unwrap_or("-"),
            ),
        };
        assert_eq!(text, expected, "{path}");
    }

    #[test]
    fn paths_are_taken_apart() {
        check("/api/v1/pods", "/v1 - pods - -");
        check("/api/v1/namespaces", "/v1 - namespaces - -");
        check("/api/v1/namespaces/a", "/v1 - namespaces a -");
        check("/api/v1/namespaces/a/finalize", "/v1 - namespaces a finalize");
        check("/api/v1/namespaces/a/pods/", "/v1 a pods - -");
        check("/api/v1/namespaces/a/pods/p/log", "/v1 a pods p log");
        check(
            "/apis/apps/v1/namespaces/a/deployments/d/scale",
            "apps/v1 a deployments d scale",
        );
        check(
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Ax",
            "rbac.authorization.k8s.io/v1 - clusterroles system:x -",
        );
        check("/apis/apps/v1", "other apis apps v1");
        check("/", "other ");
        check("/version/", "other version");
    }

    #[test]
    fn bad_percent_encoding_is_refused() {
        assert!(Target::parse("/api/v1/pods/%zz").is_err());
        assert!(Target::parse("/api/v1/pods/%f").is_err());
        assert!(Target::parse("/api/v1/pods/%ff").is_err());
    }
}
