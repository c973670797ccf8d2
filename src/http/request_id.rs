//! Gives every request an id, a tracing span that carries it, and an answer, whatever happens.

use std::panic::AssertUnwindSafe;

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use tracing::Instrument;

use super::{
    api::RequestId,
    metrics::route,
    wire::{self, Fault},
};

pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Middleware for all routes; the id is an extension of the request from here on.
pub(super) async fn identify(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(HEADER);
    let id = given
        .and_then(|value| value.to_str().ok())
        .and_then(RequestId::parse)
        .unwrap_or_else(RequestId::random);
    // Neither headers nor what else stands in the address: both may hold what has no place in a log.
    let span = tracing::info_span!(
        "request",
        id = %id,
        method = %request.method(),
        path = route(request.uri().path()),
    );
    request.extensions_mut().insert(id.clone());
    let mut response = async {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let response = answered.unwrap_or_else(|_| crashed(&id));
        tracing::debug!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// Without it the connection would just break off, and an HTTP/2 client's other requests with it.
fn crashed(id: &RequestId) -> Response {
    tracing::error!("a request's handler crashed");
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    let body = wire::fault_response(&Fault::internal(id));
    (StatusCode::INTERNAL_SERVER_ERROR, json, body).into_response()
}
