//! Reads the parameters of a GraphQL request: `query`, `operationName`, `variables` and
//! `extensions`, from a JSON object or from a URL's query.
//!
//! Instead of a `query`, or beside it, a request may name its document, by `documentId` as the draft has it, or by
//! `extensions.persistedQuery` as Apollo's clients do.
//!
//! Only their types are checked here; what the document says is nobody's business in this module.

use std::borrow::Cow;

use async_graphql::{Request, Value, Variables};
use percent_encoding::percent_decode;
use serde::Deserialize;

use super::api::DocumentId;

/// Why a request's parameters can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    /// A list of requests, which is not served.
    #[error("batches are not supported: send one request object, not a list")]
    Batch,
    /// No JSON object.
    #[error("the request must be a JSON object with a query")]
    NoObject,
    /// JSON that doesn't parse, or a parameter that is missing or of the wrong type.
    #[error("malformed request: {0}")]
    Json(#[from] serde_json::Error),
    /// Neither a document nor the name of one.
    #[error("malformed request: the parameter query is missing")]
    NoQuery,
    /// A name that isn't one.
    #[error("malformed request: {0}")]
    DocumentId(&'static str),
    /// A parameter of a URL that is not the JSON it should be.
    #[error("malformed request: the parameter {0} is no JSON object: {1}")]
    Parameter(&'static str, serde_json::Error),
}

impl Malformed {
    /// The code for the error's extensions.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Batch => "BATCHING_NOT_SUPPORTED",
            Self::NoObject | Self::Json(_) | Self::NoQuery | Self::DocumentId(_) | Self::Parameter(..) => "BAD_REQUEST",
        }
    }
}

/// Properties with other names are ignored, and `null` counts as absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters<'a> {
    #[serde(borrow)]
    query: Option<Cow<'a, str>>,
    #[serde(borrow)]
    document_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    operation_name: Option<Cow<'a, str>>,
    variables: Option<Variables>,
    extensions: Option<async_graphql::Extensions>,
}

/// The request in a JSON text.
pub(super) fn from_json(json: &[u8]) -> Result<Request, Malformed> {
    // A struct would also be read from a list of its fields' values.
    match json.trim_ascii_start().first() {
        Some(b'{') => {}
        Some(b'[') => return Err(Malformed::Batch),
        _ => {
            serde_json::from_slice::<serde::de::IgnoredAny>(json)?;
            return Err(Malformed::NoObject);
        }
    }
    let parameters: Parameters<'_> = serde_json::from_slice(json)?;
    let document = parameters.query.map(Cow::into_owned);
    let mut request = Request::new("");
    request.operation_name = parameters.operation_name.map(Cow::into_owned);
    request.variables = parameters.variables.unwrap_or_default();
    request.extensions = parameters.extensions.unwrap_or_default();
    with_document(request, document, parameters.document_id)
}

/// Gives a request its document, or the name of it.
fn with_document(
    mut request: Request,
    document: Option<String>,
    id: Option<Cow<'_, str>>,
) -> Result<Request, Malformed> {
    let id = match id {
        Some(id) => Some(id.into_owned()),
        None => persisted_query(&request)?,
    };
    if document.is_none() && id.is_none() {
        return Err(Malformed::NoQuery);
    }
    request.query = document.unwrap_or_default();
    let Some(id) = id else { return Ok(request) };
    if !(1..=DocumentId::MAX_LENGTH).contains(&id.len()) {
        return Err(Malformed::DocumentId("the document's id must have 1 to 256 characters"));
    }
    Ok(request.data(DocumentId(id.into())))
}

/// The hash in `extensions.persistedQuery`, if there is such a member.
fn persisted_query(request: &Request) -> Result<Option<String>, Malformed> {
    let Some(persisted) = request.extensions.get("persistedQuery") else {
        return Ok(None);
    };
    let member = |name: &str| match persisted {
        Value::Object(members) => members.get(name),
        _ => None,
    };
    match (member("version"), member("sha256Hash")) {
        (Some(Value::Number(version)), Some(Value::String(hash))) if version.as_i64() == Some(1) => {
            Ok(Some(hash.clone()))
        }
        _ => Err(Malformed::DocumentId(
            "`extensions.persistedQuery` must have the version 1 and a `sha256Hash`",
        )),
    }
}

/// The request in a URL's query; an empty parameter counts as absent.
pub(super) fn from_url_query(query: &str) -> Result<Request, Malformed> {
    let (mut document, mut id) = (None, None);
    let mut request = Request::new("");
    for (name, value) in pairs(query) {
        if value.is_empty() {
            continue;
        }
        match &*name {
            "query" => document = Some(value),
            "documentId" => id = Some(value.into()),
            "operationName" => request.operation_name = Some(value),
            "variables" => request.variables = json_parameter("variables", &value)?,
            "extensions" => request.extensions = json_parameter("extensions", &value)?,
            _ => {}
        }
    }
    with_document(request, document, id)
}

/// Whether a URL's query has a document to run, or the name of one.
pub(super) fn has_document(query: &str) -> bool {
    pairs(query).any(|(name, _)| ["query", "documentId", "extensions"].contains(&&*name))
}

fn json_parameter<T>(name: &'static str, value: &str) -> Result<T, Malformed>
where
    T: for<'de> Deserialize<'de>,
{
    serde_json::from_str(value).map_err(|error| Malformed::Parameter(name, error))
}

fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> String {
    // Plus signs are spaces in a URL's query, and must be replaced before %2B becomes one.
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8_lossy().into_owned()
}
