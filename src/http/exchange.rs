//! GraphQL over plain HTTP: one request, one answer, which may go on where the client takes that.
//!
//! Follows the GraphQL-over-HTTP draft, with the status codes of the public audit suite. It owns
//! methods, media types, limits and statuses, and must not know what a document means beyond the
//! kind of operation that it would run.

use std::{borrow::Cow, net::IpAddr, time::Duration};

use async_graphql::Request as GraphqlRequest;
use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State, WebSocketUpgrade},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::{
    admission::{Answer, Pending, RELIEF},
    api::{Api, Frame, Refusal, RequestId},
    client, credentials,
    lease::Lease,
    metrics::Held,
    negotiate::{self, Accepted, Media, Streaming},
    operation::{self, Kind},
    params::{self, Malformed},
    settings::Settings,
    stream,
    trace_parent::TraceParent,
    transport::{Admitted, Peer, Transport, Unfinished},
    websocket,
    wire::{self, Fault},
};

/// Everything at the API's address, by any method.
pub(super) async fn graphql<A: Api>(State(transport): State<Transport<A>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let id = match parts.extensions.get::<RequestId>() {
        Some(id) => id.clone(),
        None => RequestId::random(),
    };
    let client = client_address(&parts, &transport.settings);
    let admission = &transport.admission;
    if let Err(refusal) = admission.knock(client).and_then(|()| admission.has_room(client)) {
        let media = negotiate::accepted(&parts.headers).whole.unwrap_or(Media::Json);
        skip(body).await;
        return Failure::from(refusal).into_response(media, &id);
    }
    if wants_websocket(&parts.headers) {
        return upgrade(transport, &mut parts, client, id).await;
    }
    let query = parts.uri.query().unwrap_or_default();
    let accepted = negotiate::accepted(&parts.headers);
    // A browser's address bar: show the page where requests can be written.
    let browses = parts.method == Method::GET && negotiate::accepts_html(&parts.headers);
    if browses && transport.settings.graphiql && !params::has_document(query) {
        return Redirect::temporary("/").into_response();
    }
    let answered_as = accepted.whole.unwrap_or(Media::Json);
    let answer = if accepted.whole.is_none() && accepted.streaming.is_none() {
        Err(Failure::NotAcceptable)
    } else {
        exchange(&transport, &parts, client, body, &id, accepted).await
    };
    answer.unwrap_or_else(|failure| failure.into_response(answered_as, &id))
}

async fn exchange<A: Api>(
    transport: &Transport<A>,
    parts: &Parts,
    client: Option<IpAddr>,
    body: Body,
    id: &RequestId,
    accepted: Accepted,
) -> Result<Response, Failure> {
    // What was sent lies there until it has been answered.
    let mut pending = transport.admission.receives(client);
    let mut request = match parts.method {
        Method::GET => params::from_url_query(parts.uri.query().unwrap_or_default())?,
        Method::POST => {
            if !negotiate::is_json_body(&parts.headers) {
                return Err(Failure::UnsupportedMediaType);
            }
            let settings = &transport.settings;
            let body = read(body, settings.body_limit, settings.body_timeout, &mut pending).await?;
            params::from_json(&body)?
        }
        _ => return Err(Failure::Method),
    };
    transport.api.resolve(&mut request).map_err(Failure::Document)?;
    let kind = operation::kind(&request.query, request.operation_name.as_deref());
    if parts.method == Method::GET && kind == Some(Kind::Mutation) {
        return Err(Failure::MutationByGet);
    }
    let answer = answer_for(kind, accepted)?;
    let credentials = credentials::from_headers(&parts.headers, client)?;
    let request = match trace_parent(parts, &transport.settings) {
        Some(parent) => request.data(parent),
        None => request,
    };
    let place = transport.admission.enter(client).await?;
    let caller = transport.authenticate(credentials).await?;
    let operation = transport.begin(&caller, client)?;
    match answer {
        Form::Whole(media) => {
            let admitted = Admitted::new(place, operation);
            execute(transport, caller, request, kind, id, media, admitted).await
        }
        Form::Streaming(streaming) => {
            let lease = Lease::of(&transport.api, &caller);
            let frames = transport.stream(kind, caller, request, id.clone(), operation, Some(place));
            let frames = lease.guard(frames);
            let heartbeat = transport.settings.heartbeat;
            let lifeline = transport.lifeline.clone();
            let counted = Held::new(&transport.settings.metrics.streams);
            Ok(stream::reply(
                streaming,
                frames,
                lifeline,
                heartbeat,
                counted,
                id.clone(),
            ))
        }
    }
}

/// How a request is answered.
enum Form {
    Whole(Media),
    Streaming(Streaming),
}

/// What suits the operation, of what the client takes.
fn answer_for(kind: Option<Kind>, accepted: Accepted) -> Result<Form, Failure> {
    let Accepted {
        whole,
        streaming,
        prefers_streaming,
    } = accepted;
    if kind == Some(Kind::Subscription) {
        return streaming.map(Form::Streaming).ok_or(Failure::Subscription);
    }
    match (streaming, whole) {
        // A client that takes multipart and JSON takes multipart for its subscriptions.
        (Some(Streaming::Multipart), Some(whole)) => Ok(Form::Whole(whole)),
        (Some(streaming), Some(_)) if prefers_streaming => Ok(Form::Streaming(streaming)),
        (_, Some(whole)) => Ok(Form::Whole(whole)),
        (Some(streaming), None) => Ok(Form::Streaming(streaming)),
        (None, None) => Err(Failure::NotAcceptable),
    }
}

async fn execute<A: Api>(
    transport: &Transport<A>,
    caller: A::Caller,
    request: GraphqlRequest,
    kind: Option<Kind>,
    id: &RequestId,
    media: Media,
    admitted: Admitted,
) -> Result<Response, Failure> {
    let written = transport.run(kind, caller, request, id.clone(), admitted).await?;
    let (status, bytes) = match written.frame {
        Frame::Next(bytes) => (StatusCode::OK, bytes),
        Frame::Errors(errors) if media == Media::GraphqlResponse => {
            (StatusCode::BAD_REQUEST, wire::errors_response(&errors))
        }
        Frame::Errors(errors) => (StatusCode::OK, wire::errors_response(&errors)),
    };
    let mut answer = reply(status, media, Answer::body(bytes, written.pending));
    answer.headers_mut().extend(written.headers);
    Ok(answer)
}

/// A body that is over the limit is read on, and thrown away, up to so many times the limit and for no longer than this:
/// a client that is still sending when the connection closes may never see why.
const DRAINED: usize = 4;
const DRAINING: Duration = Duration::from_secs(1);

/// The whole body, counted as it comes, unless it is longer than `limit` or takes longer than `patience`.
async fn read(body: Body, limit: usize, patience: Duration, pending: &mut Pending) -> Result<Bytes, Failure> {
    use axum::body::HttpBody;
    let drained = limit.saturating_mul(DRAINED);
    // A body that declares itself far too long isn't waited for.
    if body.size_hint().lower() > drained as u64 {
        return Err(Failure::TooLarge { limit });
    }
    let mut chunks = body.into_data_stream();
    let collect = async {
        let mut whole = BytesMut::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Failure::BodyLost)?;
            if whole.len() + chunk.len() > limit {
                return Err(Failure::TooLarge { limit });
            }
            if !pending.grow(chunk.len()) {
                return Err(Refusal::too_much_pending(RELIEF).into());
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    };
    let collected = tokio::time::timeout(patience, collect).await;
    let collected = collected.unwrap_or(Err(Failure::TooSlow));
    if matches!(collected, Err(Failure::TooLarge { .. })) {
        let drain = async {
            let mut length = limit;
            while let Some(Ok(chunk)) = chunks.next().await
                && length <= drained
            {
                length += chunk.len();
            }
        };
        // Whoever has nothing more to send only waits for the answer.
        let _ = tokio::time::timeout(DRAINING, drain).await;
    }
    collected
}

/// A short body is on its way already, and when it is read the connection can serve for the next request.
const SHORT: u64 = 64 * 1024;

/// Throws the body of a request away that isn't looked into.
async fn skip(body: Body) {
    use axum::body::HttpBody;
    if body.size_hint().upper().is_none_or(|length| length > SHORT) {
        return;
    }
    let mut chunks = body.into_data_stream();
    let read = async { while let Some(Ok(_)) = chunks.next().await {} };
    let _ = tokio::time::timeout(DRAINING, read).await;
}

fn wants_websocket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

async fn upgrade<A: Api>(
    transport: Transport<A>,
    parts: &mut Parts,
    client: Option<IpAddr>,
    id: RequestId,
) -> Response {
    let peer = parts.extensions.get::<Peer>().cloned();
    let credentials = match credentials::from_headers(&parts.headers, client) {
        Ok(credentials) => credentials,
        Err(refusal) => return Failure::from(refusal).into_response(Media::Json, &id),
    };
    match WebSocketUpgrade::from_request_parts(parts, &()).await {
        Ok(upgrade) => {
            let parent = trace_parent(parts, &transport.settings);
            websocket::accept(transport, upgrade, credentials, peer, parent, id)
        }
        Err(rejection) => Failure::Upgrade(rejection.body_text(), rejection.status()).into_response(Media::Json, &id),
    }
}

fn client_address(parts: &Parts, settings: &Settings) -> Option<IpAddr> {
    let peer = parts.extensions.get::<Peer>()?;
    let client = client::address(peer.address.ip(), &parts.headers, &settings.trusted_proxies);
    Some(client)
}

/// The trace that the request belongs to: as with addresses, only a trusted proxy's word counts.
fn trace_parent(parts: &Parts, settings: &Settings) -> Option<TraceParent> {
    let peer = parts.extensions.get::<Peer>()?.address.ip().to_canonical();
    let trusted = settings.trusted_proxies.iter().any(|net| net.contains(&peer));
    trusted.then(|| TraceParent::from_headers(&parts.headers)).flatten()
}

fn reply(status: StatusCode, media: Media, body: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media.content_type()),
        (header::VARY, "accept"),
        // What one caller may see is nothing to keep for the next.
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body.into()).into_response()
}

/// Why a request got no result.
enum Failure {
    NotAcceptable,
    Method,
    MutationByGet,
    Subscription,
    UnsupportedMediaType,
    TooLarge { limit: usize },
    TooSlow,
    BodyLost,
    Malformed(Malformed),
    Document(Refusal),
    Refused(Refusal),
    Upgrade(String, StatusCode),
    Unfinished(Unfinished),
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Unfinished> for Failure {
    fn from(unfinished: Unfinished) -> Self {
        Self::Unfinished(unfinished)
    }
}

impl Failure {
    fn into_response(self, media: Media, id: &RequestId) -> Response {
        let (status, code, message) = self.describe();
        let fault = match &self {
            Self::Unfinished(unfinished) => unfinished.fault(id),
            Self::Refused(refusal) => Fault::refused(refusal),
            _ => Fault::plain(code, &message),
        };
        let status = match (&self, media) {
            // As with any other document that doesn't run.
            (Self::Document(_), Media::Json) => StatusCode::OK,
            _ => status,
        };
        let mut response = reply(status, media, wire::fault_response(&fault));
        let extra = match &self {
            Self::Method => Some((header::ALLOW, "GET, POST")),
            Self::MutationByGet => Some((header::ALLOW, "POST")),
            Self::Refused(_) if status == StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, "Bearer")),
            _ => None,
        };
        if let Some((name, value)) = extra {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        if let Some(seconds) = fault.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    fn describe(&self) -> (StatusCode, &'static str, Cow<'static, str>) {
        use StatusCode as S;
        match self {
            Self::NotAcceptable => (
                S::NOT_ACCEPTABLE,
                "NOT_ACCEPTABLE",
                "accept application/graphql-response+json or application/json, or text/event-stream".into(),
            ),
            Self::Method => (
                S::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "use POST, or GET for queries".into(),
            ),
            Self::MutationByGet => (
                S::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "a GET request may only query: use POST for mutations".into(),
            ),
            Self::Subscription => (
                S::BAD_REQUEST,
                "SUBSCRIPTION_NEEDS_STREAM",
                "a subscription needs a WebSocket (graphql-transport-ws) at this address, or a client that accepts \
                 text/event-stream or multipart/mixed; subscriptionSpec=1.0"
                    .into(),
            ),
            Self::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "send the request as application/json in UTF-8".into(),
            ),
            Self::TooLarge { limit } => (
                S::PAYLOAD_TOO_LARGE,
                "PAYLOAD_TOO_LARGE",
                format!("the request's body is over the limit of {limit} bytes").into(),
            ),
            Self::TooSlow => (
                S::REQUEST_TIMEOUT,
                "REQUEST_TIMEOUT",
                "the request's body took too long to arrive".into(),
            ),
            Self::BodyLost => (S::BAD_REQUEST, "BAD_REQUEST", "the request's body broke off".into()),
            Self::Malformed(malformed) => (S::BAD_REQUEST, malformed.code(), malformed.to_string().into()),
            Self::Document(refusal) | Self::Refused(refusal) => {
                (refusal.status, refusal.code, refusal.message.clone().into())
            }
            Self::Upgrade(reason, status) => (*status, "BAD_REQUEST", reason.clone().into()),
            Self::Unfinished(Unfinished::Refused(refusal)) => (refusal.status, "", "".into()),
            Self::Unfinished(Unfinished::Crashed) => (S::INTERNAL_SERVER_ERROR, "", "".into()),
            Self::Unfinished(Unfinished::TimedOut) => (S::GATEWAY_TIMEOUT, "", "".into()),
        }
    }
}
