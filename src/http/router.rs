//! Which address is answered by what.

use std::time::Duration;

use axum::{
    Router,
    http::{Method, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{any, get},
};

use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::{
    api::Api,
    exchange, health, metrics, pages, request_id,
    settings::Origins,
    transport::Transport,
    wire::{self, Fault},
};

/// How long a browser may remember what it was told of other origins.
const PREFLIGHT: Duration = Duration::from_hours(24);

/// All routes over one API.
///
/// Further routes join by `.merge(..)` before the fallback, where they get the request id and its
/// span like the rest.
pub(super) fn router<A: Api>(transport: Transport<A>) -> Router {
    let counting = middleware::from_fn_with_state(transport.settings.metrics.clone(), metrics::count);
    let mut graphql = any(exchange::graphql::<A>);
    if let Some(cors) = cors(&transport.settings.allowed_origins) {
        graphql = graphql.layer(cors);
    }
    let pages = if transport.settings.graphiql {
        pages::routes()
    } else {
        Router::new()
    };
    Router::new()
        .route("/graphql", graphql)
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready::<A>))
        .merge(pages)
        .fallback(not_found)
        .with_state(transport)
        .layer(middleware::from_fn(request_id::identify))
        .layer(counting)
}

/// What browsers are told that pages of other origins may do.
fn cors(origins: &Origins) -> Option<CorsLayer> {
    let origins = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::These(origins) if origins.is_empty() => return None,
        Origins::These(origins) => AllowOrigin::list(origins.iter().cloned()),
    };
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        // Without credentials that go along unasked, no header is worth keeping from them.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([request_id::HEADER, header::RETRY_AFTER])
        .max_age(PREFLIGHT);
    Some(layer)
}

async fn not_found() -> Response {
    let fault = Fault::plain("NOT_FOUND", "there is nothing at this address; the API is at /graphql");
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (StatusCode::NOT_FOUND, json, wire::fault_response(&fault)).into_response()
}
