//! Gives every request an id and a tracing span that carries it, and every answer its header.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;

use super::api::RequestId;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Middleware for all routes; the id is an extension of the request from here on.
pub(super) async fn identify(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(HEADER);
    let id = given
        .and_then(|value| value.to_str().ok())
        .and_then(RequestId::parse)
        .unwrap_or_else(RequestId::random);
    // Neither query string nor headers: both may hold what has no place in a log.
    let span = tracing::info_span!(
        "request",
        id = %id,
        method = %request.method(),
        path = request.uri().path(),
    );
    request.extensions_mut().insert(id.clone());
    let mut response = async {
        let response = next.run(request).await;
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
