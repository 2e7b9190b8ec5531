//! `GET` of one object.

use http::{Response, StatusCode};

use super::{context::Context, list};
use crate::{Body, status::Result};

pub(super) fn get(context: &Context<'_>) -> Result<Response<Body>> {
    list::check_not_in_the_future(context)?;
    let stored = context.stored()?;
    context.respond_stored(StatusCode::OK, &stored)
}
