//! What the transports need from whatever they carry, and the few types that cross that line.
//!
//! This is the only door between HTTP and the rest of the server: the transports know nothing of
//! the schema, of sites or of bookings, and whoever implements [`Api`] knows nothing of sockets,
//! status codes or media types.

use std::{fmt, future::Future, net::IpAddr, sync::Arc, time::Duration};

use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::stream::BoxStream;

/// A GraphQL service that the transports can serve.
pub trait Api: Clone + Send + Sync + 'static {
    /// Who is asking, as settled by [`Api::authenticate`].
    type Caller: Clone + Send + Sync + 'static;

    /// Settles who the caller is. No credentials at all is an anonymous visitor, which the
    /// implementation may accept; a credential that is present and wrong is always refused.
    fn authenticate(&self, credentials: Credentials) -> impl Future<Output = Result<Self::Caller, Refusal>> + Send;

    /// How long a caller is who it is; then [`Api::renew`] is asked. Forever, if nothing is said.
    fn lease(&self, _caller: &Self::Caller) -> Option<Duration> {
        None
    }

    /// Whether a caller whose lease is over may go on.
    fn renew(&self, _caller: &Self::Caller) -> impl Future<Output = Result<(), Refusal>> + Send {
        std::future::ready(Ok(()))
    }

    /// The name under which a caller's operations are counted together, wherever they come from. None where the
    /// caller has no name that it couldn't change at will: then what comes from one address is counted together.
    fn counted_as(&self, _caller: &Self::Caller) -> Option<String> {
        None
    }

    /// Gives a request its document that names it only, by the [`DocumentId`] in its data, and refuses one whose document
    /// may not be sent here. It comes before everything else that is done with a document.
    fn resolve(&self, request: &mut async_graphql::Request) -> Result<(), Refusal> {
        let named = request.data.contains_key(&std::any::TypeId::of::<DocumentId>());
        if named && request.query.is_empty() {
            return Err(Refusal::persisted_query_not_supported());
        }
        Ok(())
    }

    /// Runs a query or a mutation to its end.
    ///
    /// Called on a task of its own; a mutation's future is never dropped half-way. A document
    /// that asks for a subscription, or for nothing that can be run, must be answered with
    /// errors that have no path. The request's data holds its [`RequestId`].
    fn execute(
        &self,
        caller: Self::Caller,
        request: async_graphql::Request,
    ) -> impl Future<Output = async_graphql::Response> + Send;

    /// Starts a subscription. The stream is polled only as fast as its subscriber takes what it
    /// yields, and dropped when the subscriber goes. The request's data holds its [`RequestId`].
    fn subscribe(&self, caller: Self::Caller, request: async_graphql::Request) -> BoxStream<'static, Frame>;

    /// Whether the server can do its work now; if not, why, in words fit for an operator.
    fn readiness(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// One step of a subscription, already in its wire form so that one serialization can be shared
/// by every socket that asked for the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A serialized execution result (a JSON object with `data`, and `errors` if any).
    Next(Bytes),
    /// A serialized, non-empty JSON array of errors: the operation could not start or go on.
    /// Nothing after it is sent.
    Errors(Bytes),
}

/// What a caller presented to say who it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The token of `Authorization: Bearer <token>`.
    pub bearer: Option<String>,
    /// The token of `Frontdesk-Visitor-Token`.
    pub visitor_token: Option<String>,
    /// The site's slug, from `Frontdesk-Site`.
    pub site: Option<String>,
    /// The address at the other end of the connection, which behind a proxy is the proxy's.
    pub peer: Option<IpAddr>,
}

impl fmt::Debug for Credentials {
    /// Tokens stay out of logs: only their presence is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("bearer", &self.bearer.is_some())
            .field("visitor_token", &self.visitor_token.is_some())
            .field("site", &self.site)
            .field("peer", &self.peer)
            .finish()
    }
}

/// Why a caller was turned away before anything ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Status of the HTTP answer. On a WebSocket a server error closes with 1013 (try again
    /// later), and so does whatever has a [`Self::retry_after`]; anything else closes with 4403.
    pub status: StatusCode,
    /// The error's `extensions.code`.
    pub code: &'static str,
    /// What is wrong, for the app's developer.
    pub message: String,
    /// The time after which the same may be let through.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A credential is malformed, unknown or expired.
    #[must_use]
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
    }

    /// The credentials are good but don't open this door.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    /// The named site doesn't exist, or a name is needed and none was given. Status 400 and not
    /// 404: to a GraphQL client a 404 says that the address of the API is wrong.
    #[must_use]
    pub fn site_not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "SITE_NOT_FOUND", message)
    }

    /// Callers can't be told apart at the moment; trying again later may help.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", message)
    }

    /// A document was named that nobody has sent yet. Clients that persist queries know this message, and send the
    /// text.
    #[must_use]
    pub fn persisted_query_not_found() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "PERSISTED_QUERY_NOT_FOUND",
            "PersistedQueryNotFound",
        )
    }

    /// A document was named, and none is kept here. Clients that persist queries know this message, and give it up.
    #[must_use]
    pub fn persisted_query_not_supported() -> Self {
        let message = "PersistedQueryNotSupported";
        Self::new(StatusCode::BAD_REQUEST, "PERSISTED_QUERY_NOT_SUPPORTED", message)
    }

    /// A document came with the name of another.
    #[must_use]
    pub fn persisted_query_mismatch() -> Self {
        let message = "the document is another one than its id or hash says";
        Self::new(StatusCode::BAD_REQUEST, "PERSISTED_QUERY_MISMATCH", message)
    }

    /// A document that isn't among those which alone may run here.
    #[must_use]
    pub fn document_not_trusted() -> Self {
        let message = "only documents that the operator trusts run here, and this isn't one of them";
        Self::new(StatusCode::BAD_REQUEST, "DOCUMENT_NOT_TRUSTED", message)
    }

    /// More came in a short time than one address or one caller may ask for.
    pub(super) fn rate_limited(retry_after: Duration) -> Self {
        let message = "too many requests in a short time; wait, then send the same again";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message).later(retry_after)
    }

    /// More of one caller, or on one socket, would run at the same time than may.
    pub(super) fn too_many_operations(message: impl Into<String>, retry_after: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_OPERATIONS", message).later(retry_after)
    }

    /// The client doesn't send what it began, or doesn't read what it asked for.
    pub(super) fn too_much_pending(retry_after: Duration) -> Self {
        let message = "too many requests from this address haven't come to their end, or too many answers aren't read: \
                       finish those, then send the same again";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MUCH_PENDING", message).later(retry_after)
    }

    /// The server has more in hand than it can do soon.
    pub(super) fn overloaded(retry_after: Duration) -> Self {
        let message = "the server is overloaded; nothing of this ran, wait and send the same again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", message).later(retry_after)
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    fn later(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// [`Self::retry_after`] in whole seconds, as HTTP has them.
    pub(super) fn retry_after_seconds(&self) -> Option<u64> {
        let retry_after = self.retry_after?;
        Some(retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0))
    }
}

/// The name that a request gives its document, instead of the text or beside it; in the request's data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DocumentId(pub Arc<str>);

impl DocumentId {
    /// Most bytes that a name may have.
    pub const MAX_LENGTH: usize = 256;
}

/// Names one request in answers, logs and internal errors. On a WebSocket every operation has
/// its own, made of the connection's and a count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Most characters that an id chosen by a client may have.
    pub const MAX_LENGTH: usize = 128;

    /// A new, random id.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "it names a request and nothing that is stored")]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string().into())
    }

    /// The id a client or proxy chose, if it is safe to echo and to log: up to
    /// [`Self::MAX_LENGTH`] ASCII letters, digits, and `- _ . : =`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || b"-_.:=".contains(&c);
        let sane = (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed);
        sane.then(|| Self(text.into()))
    }

    /// The id of the `n`th operation within what this id names.
    pub(super) fn nth(&self, n: u64) -> Self {
        Self(format!("{self}.{n}").into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
