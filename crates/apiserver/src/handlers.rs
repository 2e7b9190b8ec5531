//! From a request to its answer: find out what is asked for, whether it may be, and hand it to the verb's own file.

mod compress;
mod context;
mod create;
mod delete;
mod discovery;
mod evict;
mod get;
mod list;
mod other;
mod patch;
mod render;
mod review;
mod scale;
mod update;
mod virtual_kinds;
mod watch;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header, request::Parts};

use self::context::Context;
pub(crate) use self::{
    delete::{DeleteOptions, FOREGROUND, ORPHAN, Propagation, delete_one},
    discovery::document,
    other::cached,
};
use crate::{
    Body, Decision, Identity, RequestAttributes, body,
    negotiate::Answer,
    path::{ResourcePath, Target, Verb},
    query::Query,
    resource::Source,
    server::State,
    status::{ApiError, Result},
    store::ResourceId,
};

/// Answers a request of someone, or of nobody.
pub(crate) async fn handle<B>(
    state: &Arc<State>,
    identity: Result<Arc<Identity>>,
    request: Request<B>,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let head = parts.method == Method::HEAD;
    let mut response = match answer(state, identity, &parts, body).await {
        Ok(response) => response,
        Err(error) => refusal(&error),
    };
    let headers = response.headers_mut();
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    }
    if head {
        response.map(|_| Body::empty())
    } else {
        response
    }
}

async fn answer<B>(
    state: &Arc<State>,
    identity: Result<Arc<Identity>>,
    parts: &Parts,
    body: B,
) -> Result<Response<Body>>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if parts.method == Method::GET
        && let Some(document) = state.document(identity.as_deref().ok(), parts.uri.path())
    {
        return Ok(other::json(&document));
    }
    let identity = match identity {
        Ok(identity) => identity,
        // Whoever waits for a server to come up may do so without credentials. Nothing else is told to strangers.
        Err(_) if other::asks_whether_it_is_well(parts) => return Ok(other::well()),
        Err(error) => return Err(error),
    };
    let target = Target::parse(parts.uri.path())?;
    let query = Query::parse(parts.uri.query().unwrap_or_default())?;
    let path = match target {
        Target::Other(segments) => return other::answer(state, &identity, parts, &query, &segments),
        Target::Resource(path) => path,
    };
    let verb = path.verb(&parts.method, &query)?;
    authorize(state, &identity, &attributes(&path, verb, &query))?;
    let registry = state.registry();
    let resource = registry
        .find(&path.group, &path.version, &path.resource)
        .ok_or(ApiError::NoSuchPath)?;
    count(state, parts, &path, verb, &query);
    check_scope(&path, resource.namespaced, verb)?;
    if let (Some(_), Source::Custom { .. }, false) =
        (&path.subresource, &resource.source, has_subresource(resource, &path))
    {
        let name = path.name.clone().unwrap_or_default();
        return Err(ApiError::NotFound {
            resource: resource.id.clone(),
            name,
        });
    }
    if path.subresource.is_some() && !has_subresource(resource, &path) {
        return Err(ApiError::NoSuchPath);
    }
    let body = body::read(body).await?;
    let mut context = Context::new(state, &identity, parts, query, path, Arc::clone(resource));
    if context.subresource() == "eviction" {
        evict::admit(&context).await?;
    }
    let response = dispatch(&mut context, verb, &body)?;
    let response = context.with_warnings(response);
    // No answer shows what a loss of power could still undo. Should the medium fail, what is there can still be read.
    match state.store.settled().await {
        Err(error) if verb.is_mutating() => Err(error.into()),
        _ => Ok(compress::compressed(&parts.headers, response)),
    }
}

fn dispatch(context: &mut Context<'_>, verb: Verb, body: &Bytes) -> Result<Response<Body>> {
    let unsupported = |verb: Verb, id: &ResourceId| ApiError::MethodNotAllowed {
        verb: verb.name(),
        resource: id.clone(),
    };
    let resource = Arc::clone(&context.resource);
    if matches!(verb, Verb::Create | Verb::Update | Verb::Patch) {
        // What can't be answered isn't done.
        context.form(Answer::Object)?;
    }
    match (&resource.source, verb) {
        (Source::Review, Verb::Create) => return review::answer(context, body),
        (Source::Virtual(kind), Verb::Get) => return virtual_kinds::get(context, kind.as_ref()),
        (Source::Virtual(kind), Verb::List) => return virtual_kinds::list(context, kind.as_ref()),
        (Source::Virtual(_) | Source::Review, _) => return Err(unsupported(verb, &resource.id)),
        (Source::BuiltIn | Source::Custom { .. }, _) => {}
    }
    match (context.path.subresource.as_deref(), verb) {
        (Some("scale"), Verb::Get) => scale::get(context),
        (Some("scale"), Verb::Update) => scale::update(context, body),
        (Some("scale"), Verb::Patch) => scale::patch(context, body),
        (Some("eviction"), Verb::Create) => evict::evict(context, body),
        (Some("finalize"), Verb::Update) => update::finalize(context, body),
        (None, Verb::Create) if context.path.name.is_some() => Err(unsupported(verb, &resource.id)),
        (None, Verb::Create) => create::create(context, body),
        (None, Verb::List) => list::list(context),
        (None, Verb::Watch) => watch::watch(context),
        (None, Verb::Delete) => delete::delete(context, body),
        (None, Verb::DeleteCollection) if resource.verbs.contains(&verb.name()) => {
            delete::delete_collection(context, body)
        }
        (None | Some("status" | "approval"), Verb::Get) => get::get(context),
        (None | Some("status" | "approval"), Verb::Update) if context.path.name.is_some() => {
            update::update(context, body)
        }
        (None | Some("status" | "approval"), Verb::Patch) if context.path.name.is_some() => patch::patch(context, body),
        _ => Err(unsupported(verb, &resource.id)),
    }
}

/// The answer to a request that is refused.
fn refusal(error: &ApiError) -> Response<Body> {
    let mut response = Response::new(Body::whole(error.status().to_string()));
    *response.status_mut() = error.code();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = error.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn authorize(state: &State, identity: &Identity, attributes: &RequestAttributes) -> Result<()> {
    match state.decide(identity, attributes) {
        Decision::Allow => Ok(()),
        Decision::Deny(reason) => {
            let mut why = attributes.refusal(&identity.user);
            if !reason.is_empty() {
                why = format!("{why}: {reason}");
            }
            let resource =
                (!attributes.resource.is_empty()).then(|| ResourceId::new(&attributes.group, &attributes.resource));
            Err(ApiError::Forbidden {
                resource,
                name: attributes.name.clone(),
                why,
                cause: None,
            })
        }
    }
}

/// What is asked for. A list or watch of one object by its name is a request for that object.
fn attributes(path: &ResourcePath, verb: Verb, query: &Query) -> RequestAttributes {
    let mut attributes = path.attributes(verb);
    if matches!(verb, Verb::List | Verb::Watch) {
        let selector = query
            .get("fieldSelector")
            .and_then(|text| crate::selector::FieldSelector::parse(text).ok());
        if let Some(name) = selector.as_ref().and_then(|selector| selector.exact_name()) {
            name.clone_into(&mut attributes.name);
        }
    }
    attributes
}

/// A namespaced object is reached through its namespace, and one that isn't never is.
fn check_scope(path: &ResourcePath, namespaced: bool, verb: Verb) -> Result<()> {
    let fits = match (&path.namespace, namespaced) {
        (Some(_), namespaced) => namespaced,
        (None, false) => true,
        (None, true) => path.name.is_none() && matches!(verb, Verb::List | Verb::Watch),
    };
    if fits { Ok(()) } else { Err(ApiError::NoSuchPath) }
}

fn has_subresource(resource: &crate::resource::Resource, path: &ResourcePath) -> bool {
    match path.subresource.as_deref() {
        None => true,
        Some("status") => resource.status,
        Some("scale") => resource.scale.is_some(),
        Some("finalize") => resource.is_core("namespaces"),
        Some("eviction") => resource.is_core("pods"),
        Some("approval") => resource.is_signing_request(),
        Some(_) => false,
    }
}

fn count(state: &State, parts: &Parts, path: &ResourcePath, verb: Verb, query: &Query) {
    let mut resource = ResourceId::new(&path.group, &path.resource).qualified();
    if let Some(subresource) = &path.subresource {
        resource = format!("{resource}/{subresource}");
    }
    let dry_run = query.get("dryRun").is_some();
    state.metrics.count(user_agent(parts), verb.name(), resource, dry_run);
}

/// The first product token of the user agent, as far as it is worth keeping.
fn user_agent(parts: &Parts) -> &str {
    const LIMIT: usize = 128;
    let agent = parts
        .headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    // What reads as a string here is ASCII, so that it can be cut anywhere.
    let token = agent.split_whitespace().next().unwrap_or("unknown");
    token.get(..LIMIT).unwrap_or(token)
}
