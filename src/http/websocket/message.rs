//! The messages of the `graphql-transport-ws` protocol: reading a client's, writing ours.

use std::borrow::Cow;

use axum::extract::ws::{CloseFrame, Utf8Bytes};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A message from a client, its payload not looked into yet.
pub(super) enum ClientMessage<'a> {
    Init { payload: Option<&'a str> },
    Ping { payload: Option<&'a str> },
    Pong,
    Subscribe { id: Cow<'a, str>, payload: &'a str },
    Complete { id: Cow<'a, str> },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl<'a> ClientMessage<'a> {
    /// Reads a message; one that is not of the protocol closes the socket.
    pub(super) fn parse(text: &'a str) -> Result<Self, Close> {
        // A struct would also be read from a list of its fields' values.
        if !is_object(text.trim_start()) {
            return Err(Close::bad_message("a message must be a JSON object"));
        }
        let envelope: Envelope<'a> =
            serde_json::from_str(text).map_err(|error| Close::bad_message(format!("malformed message: {error}")))?;
        let payload = envelope.payload.map(RawValue::get);
        let object = match payload {
            Some(payload) if !is_object(payload) => Err(Close::bad_message("a payload must be an object")),
            payload => Ok(payload),
        };
        let id = envelope.id.filter(|id| !id.is_empty());
        let id = id.ok_or(Close::bad_message("the message needs an id"));
        match &*envelope.kind {
            "connection_init" => Ok(Self::Init { payload: object? }),
            "ping" => Ok(Self::Ping { payload: object? }),
            "pong" => object.map(|_| Self::Pong),
            "subscribe" => Ok(Self::Subscribe {
                id: id?,
                payload: object?.ok_or(Close::bad_message("subscribe needs a payload"))?,
            }),
            "complete" => Ok(Self::Complete { id: id? }),
            _ => Err(Close::bad_message("unknown type of message")),
        }
    }
}

fn is_object(json: &str) -> bool {
    json.starts_with('{')
}

pub(super) const ACK: Utf8Bytes = Utf8Bytes::from_static(r#"{"type":"connection_ack"}"#);

pub(super) fn pong(payload: Option<&str>) -> Utf8Bytes {
    match payload {
        None => Utf8Bytes::from_static(r#"{"type":"pong"}"#),
        Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#).into(),
    }
}

/// The end of an operation.
pub(super) fn complete(id: &str) -> Utf8Bytes {
    format!(r#"{{"id":{},"type":"complete"}}"#, quoted(id)).into()
}

/// One result of an operation; `None` if the payload isn't text.
pub(super) fn next(id: &str, payload: &[u8]) -> Option<Utf8Bytes> {
    with_payload(id, "next", payload)
}

/// The errors that ended an operation; `None` if the payload isn't text.
pub(super) fn error(id: &str, payload: &[u8]) -> Option<Utf8Bytes> {
    with_payload(id, "error", payload)
}

/// The payload is put between the rest as it is: it was serialized once, for everybody.
fn with_payload(id: &str, kind: &str, payload: &[u8]) -> Option<Utf8Bytes> {
    let head = format!(r#"{{"id":{},"type":"{kind}","payload":"#, quoted(id));
    let mut message = Vec::with_capacity(head.len() + payload.len() + 1);
    message.extend_from_slice(head.as_bytes());
    message.extend_from_slice(payload);
    message.push(b'}');
    message.try_into().ok()
}

fn quoted(id: &str) -> String {
    serde_json::Value::from(id).to_string()
}

/// Why the server closes a socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    reason: Cow<'static, str>,
}

impl Close {
    pub(super) const GOING_AWAY: Self = Self::fixed(1001, "the server is shutting down");
    pub(super) const BROKEN: Self = Self::fixed(1002, "the connection is not valid WebSocket");
    pub(super) const TOO_BIG: Self = Self::fixed(1009, "the message is too big");
    pub(super) const UNAUTHORIZED: Self = Self::fixed(4401, "Unauthorized");
    pub(super) const WRONG_PROTOCOL: Self = Self::fixed(4406, "Subprotocol not acceptable");
    pub(super) const INIT_TIMEOUT: Self = Self::fixed(4408, "Connection initialisation timeout");
    pub(super) const TOO_MANY_INITS: Self = Self::fixed(4429, "Too many initialisation requests");
    pub(super) const SILENT: Self = Self::fixed(4499, "No sign of life");

    const fn fixed(code: u16, reason: &'static str) -> Self {
        Self {
            code,
            reason: Cow::Borrowed(reason),
        }
    }

    pub(super) fn bad_message(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: 4400,
            reason: reason.into(),
        }
    }

    pub(super) fn duplicate(id: &str) -> Self {
        Self {
            code: 4409,
            reason: format!("Subscriber for {id} already exists").into(),
        }
    }

    /// The caller was turned away, for now (1013) or as such (4403).
    pub(super) fn refused(refusal: &crate::http::Refusal) -> Self {
        let later = refusal.status.is_server_error() || refusal.retry_after.is_some();
        let code = if later { 1013 } else { 4403 };
        Self {
            code,
            reason: format!("{}: {}", refusal.code, refusal.message).into(),
        }
    }

    pub(super) fn into_frame(self) -> CloseFrame {
        /// A control frame holds 125 bytes, two of which are the code.
        const MOST: usize = 123;
        let end = self.reason.floor_char_boundary(MOST);
        CloseFrame {
            code: self.code,
            reason: self.reason.get(..end).unwrap_or_default().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::fuzzing::fuzz_text,
        http::{Credentials, credentials, fuzz::REQUEST, operation, params},
    };

    #[test]
    fn websocket_messages() {
        let subscribe = format!(r#"{{"type":"subscribe","id":"1","payload":{REQUEST}}}"#);
        let seeds = [
            r#"{"type":"connection_init","payload":{"Authorization":"Bearer a.b.c","Frontdesk-Site":"default"}}"#,
            r#"{"type":"ping","payload":{}}"#,
            r#"{"type":"pong"}"#,
            r#"{"type":"complete","id":"1"}"#,
            &subscribe,
        ];
        fuzz_text("WebSocket messages", &seeds, |text| match ClientMessage::parse(text) {
            Ok(ClientMessage::Init { payload }) => {
                drop(credentials::from_init_payload(payload, Credentials::default()));
            }
            Ok(ClientMessage::Subscribe { payload, .. }) => {
                if let Ok(request) = params::from_json(payload.as_bytes()) {
                    operation::kind(&request.query, request.operation_name.as_deref());
                }
            }
            Ok(_) | Err(_) => {}
        });
    }
}
