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

/// How a result that goes on is written, for clients that have no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Streaming {
    /// `text/event-stream`: GraphQL over Server-Sent Events, in the mode of distinct connections.
    EventStream,
    /// `multipart/mixed; subscriptionSpec=1.0`: as Apollo's clients read it.
    Multipart,
}

impl Streaming {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::EventStream => "text/event-stream; charset=utf-8",
            Self::Multipart => "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=1.0",
        }
    }
}

/// What a client takes for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// For an answer that is there all at once.
    pub(super) whole: Option<Media>,
    /// For one that goes on; only what the client names itself.
    pub(super) streaming: Option<Streaming>,
    /// Whether it likes the latter better.
    pub(super) prefers_streaming: bool,
}

/// One entry of an `Accept` header.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Whether it has `subscriptionSpec=1.0`.
    subscriptions: bool,
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

/// The media types that a client takes.
///
/// A client that doesn't care (no header, `*/*`) gets plain JSON, as any HTTP tool expects.
pub(super) fn accepted(headers: &HeaderMap) -> Accepted {
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return Accepted {
            whole: Some(Media::Json),
            streaming: None,
            prefers_streaming: false,
        };
    }
    let entries = values.filter_map(|value| value.to_str().ok());
    let ranges: Vec<Range<'_>> = entries
        .flat_map(|value| value.split(','))
        .filter_map(parse_range)
        .collect();
    let json = liking(&ranges, |range| of_json(range, Media::Json)).map(|liking| (liking, Media::Json));
    let graphql = liking(&ranges, |range| of_json(range, Media::GraphqlResponse));
    let graphql = graphql.map(|liking| (liking, Media::GraphqlResponse));
    let whole = match (json, graphql) {
        (Some((json, _)), Some((graphql, media))) if graphql > json => Some((graphql, media)),
        (json, graphql) => json.or(graphql),
    };
    let named =
        |kind: &'static str, subtype: &'static str| move |range: &Range<'_>| is(range, kind, subtype).then_some(2);
    let events = liking(&ranges, named("text", "event-stream")).map(|liking| (liking, Streaming::EventStream));
    let of_multipart = |range: &Range<'_>| {
        let subscriptions = range.subscriptions;
        named("multipart", "mixed")(range).filter(|_| subscriptions)
    };
    let multipart = liking(&ranges, of_multipart).map(|liking| (liking, Streaming::Multipart));
    let streaming = match (events, multipart) {
        (Some((events, _)), Some((multipart, streaming))) if multipart > events => Some((multipart, streaming)),
        (events, multipart) => events.or(multipart),
    };
    Accepted {
        prefers_streaming: match (streaming, whole) {
            (Some((streaming, _)), Some((whole, _))) => streaming > whole,
            (streaming, _) => streaming.is_some(),
        },
        whole: whole.map(|(_, media)| media),
        streaming: streaming.map(|(_, streaming)| streaming),
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
    let (mut quality, mut subscriptions) = (None, false);
    for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
        let (name, value) = (name.trim(), value.trim());
        if name.eq_ignore_ascii_case("q") {
            quality.get_or_insert(parse_quality(value));
        }
        subscriptions |= name.eq_ignore_ascii_case("subscriptionSpec") && value.trim_matches('"') == "1.0";
    }
    Some(Range {
        kind,
        subtype,
        subscriptions,
        quality: quality.unwrap_or(1000),
    })
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

/// How specifically a range speaks of a type of JSON, if it does.
fn of_json(range: &Range<'_>, media: Media) -> Option<u8> {
    if is(range, "application", media.subtype()) {
        Some(2)
    } else if is(range, "application", "*") {
        Some(1)
    } else {
        is(range, "*", "*").then_some(0)
    }
}

/// How much the ranges like the type that `specificity` recognizes.
fn liking(ranges: &[Range<'_>], specificity: impl Fn(&Range<'_>) -> Option<u8>) -> Option<Liking> {
    let matches = ranges.iter().enumerate().filter_map(|(index, range)| {
        Some(Liking {
            quality: range.quality,
            specificity: specificity(range)?,
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

    fn takes(accept: &'static str) -> Accepted {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        accepted(&headers)
    }

    fn answer(accept: &'static str) -> Option<Media> {
        takes(accept).whole
    }

    #[test]
    fn what_goes_on_is_asked_for_by_name() {
        let (events, multipart) = (Some(Streaming::EventStream), Some(Streaming::Multipart));
        for (accept, streaming, preferred) in [
            ("*/*", None, false),
            ("text/*", None, false),
            ("multipart/mixed", None, false),
            ("multipart/mixed; subscriptionSpec=2.0", None, false),
            ("text/event-stream", events, true),
            ("text/event-stream, */*;q=0.1", events, true),
            ("text/event-stream;q=0, application/json", None, false),
            ("application/json, text/event-stream", events, false),
            ("text/event-stream;q=0.4, application/json;q=0.5", events, false),
            (
                "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json",
                multipart,
                true,
            ),
            (
                "multipart/mixed; SubscriptionSpec=\"1.0\"; q=0.5, text/event-stream;q=0.4",
                multipart,
                true,
            ),
            (
                "multipart/mixed; subscriptionSpec=1.0, text/event-stream",
                multipart,
                true,
            ),
        ] {
            let takes = takes(accept);
            assert_eq!(
                (takes.streaming, takes.prefers_streaming),
                (streaming, preferred),
                "{accept}"
            );
        }
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
