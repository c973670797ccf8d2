//! Which media type an answer has, by the rules of RFC 9110 §12.5.1, and which a body may have.

use axum::http::{HeaderMap, header};

/// A media type that an answer can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/json`: the older convention, in which every answer to a well-formed GraphQL
    /// request is a 200.
    Json,
    /// `application/graphql-response+json`: the status tells about the request.
    GraphqlResponse,
}

impl Media {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }

    fn subtype(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::GraphqlResponse => "graphql-response+json",
        }
    }
}

/// One entry of an `Accept` header.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Quality in thousandths.
    quality: u16,
}

/// How well a client likes a media type; greater is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Liking {
    quality: u16,
    specificity: u8,
    /// Earlier in the header wins between equals.
    earliness: usize,
}

/// The media type of the answer; `None` if the client accepts neither (406).
///
/// A client that doesn't care (no header, `*/*`) gets plain JSON, as any HTTP tool expects.
pub(super) fn response_media(headers: &HeaderMap) -> Option<Media> {
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return Some(Media::Json);
    }
    let entries = values.filter_map(|value| value.to_str().ok());
    let ranges: Vec<Range<'_>> = entries
        .flat_map(|value| value.split(','))
        .filter_map(parse_range)
        .collect();
    let json = liking(&ranges, Media::Json);
    let graphql = liking(&ranges, Media::GraphqlResponse);
    match (json, graphql) {
        (None, None) => None,
        (json, graphql) if graphql > json => Some(Media::GraphqlResponse),
        _ => Some(Media::Json),
    }
}

/// Whether the client is a browser that wants a page.
pub(super) fn accepts_html(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(parse_range)
        .any(|range| is(&range, "text", "html") && range.quality > 0)
}

/// Whether a body's `Content-Type` is JSON in UTF-8, the only one that is read. A browser can't
/// send it across origins without asking first, so no other site's page can act through it.
pub(super) fn is_json_body(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            let charset = value.trim().trim_matches('"');
            charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
        }
        _ => true,
    })
}

fn parse_range(entry: &str) -> Option<Range<'_>> {
    let mut parts = entry.split(';').map(str::trim);
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let quality = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .map_or(1000, |(_, value)| parse_quality(value.trim()));
    Some(Range { kind, subtype, quality })
}

/// Thousandths of a `q` value; what can't be read counts as 0, "not acceptable".
fn parse_quality(value: &str) -> u16 {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|c| c.is_ascii_digit());
    match whole {
        "1" if digits && fraction.bytes().all(|c| c == b'0') => 1000,
        "0" if digits => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

fn liking(ranges: &[Range<'_>], media: Media) -> Option<Liking> {
    let matches = ranges.iter().enumerate().filter_map(|(index, range)| {
        let specificity = if is(range, "application", media.subtype()) {
            2
        } else if is(range, "application", "*") {
            1
        } else if is(range, "*", "*") {
            0
        } else {
            return None;
        };
        Some(Liking {
            quality: range.quality,
            specificity,
            earliness: usize::MAX - index,
        })
    });
    // The most specific range speaks for the type, whatever a wider one says.
    matches
        .max_by_key(|liking| (liking.specificity, liking.earliness))
        .filter(|liking| liking.quality > 0)
}

fn is(range: &Range<'_>, kind: &str, subtype: &str) -> bool {
    range.kind.eq_ignore_ascii_case(kind) && range.subtype.eq_ignore_ascii_case(subtype)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn answer(accept: &'static str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        response_media(&headers)
    }

    #[test]
    fn the_better_liked_type_is_answered() {
        let (json, graphql) = (Some(Media::Json), Some(Media::GraphqlResponse));
        for (accept, expected) in [
            ("*/*", json),
            ("application/*", json),
            ("application/json", json),
            ("application/graphql-response+json", graphql),
            ("APPLICATION/GraphQL-Response+JSON", graphql),
            ("application/graphql-response+json, application/json", graphql),
            ("application/json, application/graphql-response+json", json),
            ("application/graphql-response+json;q=0.5, application/json;q=0.51", json),
            ("application/json;q=0.9, application/graphql-response+json", graphql),
            ("application/graphql-response+json;q=0, */*", json),
            ("application/json;q=0, */*", graphql),
            ("application/graphql-response+json, */*;q=0.1", graphql),
            ("application/graphql-response+json; charset=utf-8; q=1.000", graphql),
        ] {
            assert_eq!(answer(accept), expected, "{accept}");
        }
    }

    #[test]
    fn a_client_that_accepts_neither_gets_none() {
        for accept in ["text/css", "", "application/json;q=0", "*/*;q=2", "json"] {
            assert_eq!(answer(accept), None, "{accept}");
        }
    }
}
