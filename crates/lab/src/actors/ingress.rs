//! Plays the ingress operator and its router: rolls the router out for an IngressController, and admits routes.

mod controller;
mod route;
mod router;

pub(crate) use controller::IngressControllers;
pub(crate) use route::Routes;

const NAME: &str = "ingress";
/// Where IngressControllers live.
pub(crate) const OPERATOR_NAMESPACE: &str = "openshift-ingress-operator";
/// Where routers live.
pub(crate) const ROUTER_NAMESPACE: &str = "openshift-ingress";
/// How a router is told that it may admit wildcard routes.
const ALLOW_WILDCARDS: &str = "ROUTER_ALLOW_WILDCARD_ROUTES";
