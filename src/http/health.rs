//! Answers whether the process is alive and whether it can do its work, for whatever watches it.

use std::time::Duration;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{api::Api, transport::Transport, wire};

/// A check that takes longer would be given up by whoever asks anyway.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Always 200: the process runs and answers.
pub(super) async fn live() -> Response {
    answer(StatusCode::OK, "live", None)
}

/// 200 while the API can do its work, else 503 with the reason.
pub(super) async fn ready<A: Api>(State(transport): State<Transport<A>>) -> Response {
    let check = tokio::time::timeout(PATIENCE, transport.api.readiness());
    match check.await {
        Ok(Ok(())) => answer(StatusCode::OK, "ready", None),
        Ok(Err(reason)) => answer(StatusCode::SERVICE_UNAVAILABLE, "unavailable", Some(reason)),
        Err(_) => {
            let reason = format!("no answer within {} s", PATIENCE.as_secs());
            answer(StatusCode::SERVICE_UNAVAILABLE, "unavailable", Some(reason))
        }
    }
}

fn answer(code: StatusCode, status: &'static str, reason: Option<String>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let body = wire::to_bytes(&Health { status, reason });
    (code, headers, body).into_response()
}
