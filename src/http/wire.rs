//! What answers look like on the wire.
//!
//! Results are written straight to bytes: the specification wants the fields of `data` in the
//! order they were asked for, which a detour over a generic JSON value would lose.

use async_graphql::{Response, ServerError, Value};
use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::api::{Refusal, RequestId};

/// An error that the transport itself answers with.
pub(super) struct Fault<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    /// Shown where an operator will have to look into it.
    pub(super) request_id: Option<&'a RequestId>,
    /// Seconds after which the same may be let through.
    pub(super) retry_after: Option<u64>,
}

impl<'a> Fault<'a> {
    /// Nothing to be said beyond what is wrong.
    pub(super) fn plain(code: &'a str, message: &'a str) -> Self {
        Self {
            code,
            message,
            request_id: None,
            retry_after: None,
        }
    }

    /// The caller was turned away.
    pub(super) fn refused(refusal: &'a Refusal) -> Self {
        Self {
            retry_after: refusal.retry_after_seconds(),
            ..Self::plain(refusal.code, &refusal.message)
        }
    }
}

impl Fault<'static> {
    /// Something that must not happen did; the log has more under the same id.
    pub(super) fn internal(request_id: &RequestId) -> Fault<'_> {
        Fault {
            request_id: Some(request_id),
            ..Fault::plain("INTERNAL_ERROR", "something went wrong on the server")
        }
    }
}

/// A whole response that consists of one error.
pub(super) fn fault_response(fault: &Fault<'_>) -> Bytes {
    #[derive(Serialize)]
    struct Errors<'a> {
        errors: [FaultError<'a>; 1],
    }
    to_bytes(&Errors {
        errors: [FaultError::new(fault)],
    })
}

/// A whole response of errors that are serialized already.
pub(super) fn errors_response(errors: &[u8]) -> Bytes {
    [br#"{"errors":"#, errors, b"}"].concat().into()
}

/// A list of one error.
pub(super) fn fault_list(fault: &Fault<'_>) -> Bytes {
    to_bytes(&[FaultError::new(fault)])
}

/// A whole response.
pub(super) fn response(response: &Response) -> Bytes {
    to_bytes(&WireResponse(response))
}

/// The errors of a response, as a list.
pub(super) fn errors(response: &Response) -> Bytes {
    to_bytes(&WireErrors(&response.errors))
}

/// Whether the request itself was wrong (it doesn't parse, validate or coerce), so that nothing
/// ran and the response has no `data` at all.
pub(super) fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Any other body of ours.
pub(super) fn to_bytes(value: &impl Serialize) -> Bytes {
    let mut buffer = Vec::with_capacity(512);
    match serde_json::to_writer(&mut buffer, value) {
        Ok(()) => buffer.into(),
        // Maps with keys that are no strings would be the only cause, and no type here has one.
        Err(error) => {
            tracing::error!(%error, "a response could not be serialized");
            Bytes::from_static(
                br#"{"errors":[{"message":"the response could not be written","extensions":{"code":"INTERNAL_ERROR"}}]}"#,
            )
        }
    }
}

#[derive(Serialize)]
struct FaultError<'a> {
    message: &'a str,
    extensions: FaultExtensions<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FaultExtensions<'a> {
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl<'a> FaultError<'a> {
    fn new(fault: &Fault<'a>) -> Self {
        Self {
            message: fault.message,
            extensions: FaultExtensions {
                code: fault.code,
                request_id: fault.request_id.map(RequestId::as_str),
                retry_after: fault.retry_after,
            },
        }
    }
}

/// Errors first, as the specification advises; no `data` entry where nothing ran.
struct WireResponse<'a>(&'a Response);

impl Serialize for WireResponse<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(response) = self;
        let mut map = serializer.serialize_map(None)?;
        if !response.errors.is_empty() {
            map.serialize_entry("errors", &WireErrors(&response.errors))?;
        }
        if response.data == Value::Null && response.errors.is_empty() {
            // Every field was left out by @skip or @include: the result is an empty object.
            map.serialize_entry("data", &EmptyObject {})?;
        } else if !is_request_error(response) {
            map.serialize_entry("data", &response.data)?;
        }
        if !response.extensions.is_empty() {
            map.serialize_entry("extensions", &response.extensions)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct EmptyObject {}

struct WireErrors<'a>(&'a [ServerError]);

impl Serialize for WireErrors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(WireError))
    }
}

/// An error that has a code, whoever made it.
struct WireError<'a>(&'a ServerError);

impl Serialize for WireError<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(error) = self;
        let extensions = error.extensions.as_ref();
        if extensions.is_some_and(|extensions| extensions.get("code").is_some()) {
            return error.serialize(serializer);
        }
        let mut coded = (*error).clone();
        let code = if error.path.is_empty() {
            "GRAPHQL_VALIDATION_FAILED"
        } else {
            "INTERNAL_ERROR"
        };
        coded.extensions.get_or_insert_default().set("code", code);
        coded.serialize(serializer)
    }
}
