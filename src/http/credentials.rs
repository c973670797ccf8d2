//! Finds a caller's credentials in a request's headers or in a WebSocket's `connection_init`.
//!
//! What can't be read is refused here; whether what was read is any good is for [`Api`] to say.
//!
//! [`Api`]: super::api::Api

use std::{collections::HashMap, net::IpAddr};

use axum::http::HeaderMap;
use serde::Deserialize;

use super::api::{Credentials, Refusal};

const AUTHORIZATION: &str = "authorization";
const VISITOR_TOKEN: &str = "frontdesk-visitor-token";
const SITE: &str = "frontdesk-site";

/// The credentials among a request's headers.
pub(super) fn from_headers(headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Credentials, Refusal> {
    let text = |name: &str| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| malformed(name)),
            (Some(_), Some(_)) => Err(malformed(name)),
        }
    };
    Ok(Credentials {
        bearer: text(AUTHORIZATION)?.map(bearer_token).transpose()?,
        visitor_token: text(VISITOR_TOKEN)?
            .map(|value| present(VISITOR_TOKEN, value))
            .transpose()?,
        site: text(SITE)?.map(|value| present(SITE, value)).transpose()?,
        peer,
    })
}

/// The credentials in the payload of `connection_init`, under the headers' names in any case;
/// those of the upgrade request stand where the payload has none.
pub(super) fn from_init_payload(payload: Option<&str>, upgrade: Credentials) -> Result<Credentials, Refusal> {
    /// Other entries may hold anything; it isn't even built.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Text(String),
        Other(serde::de::IgnoredAny),
    }
    let Some(payload) = payload else {
        return Ok(upgrade);
    };
    let entries: HashMap<String, Entry> = serde_json::from_str(payload)
        .map_err(|_| Refusal::unauthenticated("the payload of connection_init is malformed"))?;
    let mut credentials = upgrade;
    for (name, entry) in entries {
        let name = name.to_ascii_lowercase();
        if ![AUTHORIZATION, VISITOR_TOKEN, SITE].contains(&name.as_str()) {
            continue;
        }
        let Entry::Text(value) = entry else {
            return Err(malformed(&name));
        };
        match name.as_str() {
            AUTHORIZATION => credentials.bearer = Some(bearer_token(&value)?),
            VISITOR_TOKEN => credentials.visitor_token = Some(present(VISITOR_TOKEN, &value)?),
            _ => credentials.site = Some(present(SITE, &value)?),
        }
    }
    Ok(credentials)
}

fn bearer_token(value: &str) -> Result<String, Refusal> {
    match value.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => present(AUTHORIZATION, token),
        _ => Err(malformed(AUTHORIZATION)),
    }
}

fn present(name: &str, value: &str) -> Result<String, Refusal> {
    let value = value.trim();
    if value.is_empty() || value.contains(char::is_whitespace) {
        return Err(malformed(name));
    }
    Ok(value.to_owned())
}

fn malformed(name: &str) -> Refusal {
    if name == SITE {
        return Refusal::site_not_found("frontdesk-site must be the slug of one site");
    }
    let form = if name == AUTHORIZATION {
        "must be `Bearer <token>`"
    } else {
        "must be one token"
    };
    Refusal::unauthenticated(format!("{name} {form}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn no_credentials_are_no_error() {
        let found = from_headers(&HeaderMap::new(), None).unwrap();
        assert_eq!(found, Credentials::default());
        assert_eq!(from_init_payload(None, found.clone()).unwrap(), found);
    }

    #[test]
    fn a_present_but_malformed_credential_is_refused() {
        for (name, value) in [
            (AUTHORIZATION, "Basic YTpi"),
            (AUTHORIZATION, "Bearer"),
            (AUTHORIZATION, "Bearer  "),
            (AUTHORIZATION, "Bearer a b"),
            (VISITOR_TOKEN, ""),
            (SITE, "a b"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert!(from_headers(&headers, None).is_err(), "{name}: {value}");
            let payload = serde_json::json!({ name: value }).to_string();
            let result = from_init_payload(Some(&payload), Credentials::default());
            assert!(result.is_err(), "{name}: {value} in the payload");
        }
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert!(from_headers(&headers, None).is_err(), "two of them");
        let number = from_init_payload(Some(r#"{"Authorization":7}"#), Credentials::default());
        assert!(number.is_err());
    }

    #[test]
    fn the_init_payload_goes_before_the_upgrade_headers() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("bearer  old"));
        headers.insert(SITE, HeaderValue::from_static("studio"));
        let upgrade = from_headers(&headers, None).unwrap();
        let payload = r#"{"AUTHORIZATION":"Bearer new","Frontdesk-Visitor-Token":"v","x":{"y":1}}"#;
        let found = from_init_payload(Some(payload), upgrade).unwrap();
        assert_eq!(found.bearer.as_deref(), Some("new"));
        assert_eq!(found.visitor_token.as_deref(), Some("v"));
        assert_eq!(found.site.as_deref(), Some("studio"));
    }
}
