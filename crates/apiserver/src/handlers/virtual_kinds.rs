//! Reading kinds that are computed.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{context::Context, render};
use crate::{
    Body, Objects, VirtualResource,
    negotiate::{Answer, Shape},
    object, objects,
    selector::{FieldSelector, LabelSelector},
    status::{ApiError, Result},
};

pub(super) fn get(context: &Context<'_>, kind: &dyn VirtualResource) -> Result<Response<Body>> {
    let found = kind.get(
        &Objects::new(context.state),
        context.path.namespace.as_deref(),
        context.name(),
    );
    let mut object = found.ok_or_else(|| context.not_found())?;
    objects::set_type(&context.resource, &mut object);
    context.respond(StatusCode::OK, object)
}

pub(super) fn list(context: &Context<'_>, kind: &dyn VirtualResource) -> Result<Response<Body>> {
    let form = context.form(Answer::List)?;
    let (resource, query) = (&context.resource, &context.query);
    let labels = LabelSelector::parse(query.get("labelSelector").unwrap_or_default()).map_err(ApiError::BadRequest)?;
    let fields = FieldSelector::parse(query.get("fieldSelector").unwrap_or_default()).map_err(ApiError::BadRequest)?;
    let mut items = kind.list(&Objects::new(context.state), context.path.namespace.as_deref());
    items.retain(|item| {
        labels.matches(|label| item["metadata"]["labels"][label].as_str())
            && fields.matches(|field| object::selector_text(item, field))
    });
    for item in &mut items {
        objects::set_type(resource, item);
    }
    let metadata = json!({"resourceVersion": context.state.store.revision().to_string()});
    let value = match form.shape {
        Shape::Table => render::table(context, &metadata, true, items),
        Shape::Metadata => of_list(
            "PartialObjectMetadataList",
            "meta.k8s.io/v1",
            &metadata,
            &items.iter().map(render::metadata).collect::<Vec<_>>(),
        ),
        Shape::Itself => of_list(&resource.list_kind, &resource.api_version(), &metadata, &items),
    };
    render::encoded(context, StatusCode::OK, form.encoding, &value)
}

fn of_list(kind: &str, api_version: &str, metadata: &Value, items: &[Value]) -> Value {
    json!({"kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items})
}
