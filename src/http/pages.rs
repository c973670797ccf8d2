//! The web page at `/` and its assets below `/graphiql/`, out of the binary itself.
//!
//! Owns which of the embedded files answers which path, in which encoding, and under which headers.
//! It must not know of GraphQL, of callers, or of any state: the page is the same for everyone, and
//! talks to `/graphql` like any other client. What is embedded is decided by `build.rs`.

use std::io::Read as _;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use flate2::read::GzDecoder;
use futures_util::stream;

include!(concat!(env!("OUT_DIR"), "/web_assets.rs"));

/// What the page may do, sent with everything served here (a worker obeys the policy of its own
/// script's response, not that of the page).
///
/// All code, workers, styles and connections come from this origin, which covers the WebSocket; no
/// `unsafe-eval` and no inline script. Three things are opened:
///
/// - inline styles, because the editor (Monaco) writes `<style>` elements and `style` attributes as
///   it goes and can't be given a nonce;
/// - `data:` fonts, which `GraphiQL`'s style sheet has inside;
/// - `data:` images, which are the page's icon and the editor's squiggles.
pub const PAGE_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
    img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How much of a file is unpacked at a time for a client that doesn't take gzip.
const CHUNK: usize = 64 * 1024;

/// One file of the built page.
struct Asset {
    /// The path of the URL that it answers.
    path: &'static str,
    mime: &'static str,
    /// Weak: the same for both encodings.
    etag: &'static str,
    gzip: &'static [u8],
}

impl Asset {
    /// In bytes, unpacked: a gzip file ends with it.
    fn length(&self) -> u32 {
        self.gzip.last_chunk().map_or(0, |length| u32::from_le_bytes(*length))
    }
}

/// The routes `/` and `/graphiql/…`, to be merged into the server's router.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(page))
        .route("/graphiql/{*path}", get(asset))
}

/// Whether this build has the page. Without it, `/` says what was missing.
#[must_use]
pub fn is_built() -> bool {
    LEFT_OUT.is_none()
}

async fn page(request: HeaderMap) -> Response {
    match (LEFT_OUT, find("/")) {
        (None, Some(index)) => answer(index, &request),
        (reason, _) => guarded(left_out(reason.unwrap_or("The page was left out of this build."))),
    }
}

async fn asset(Path(path): Path<String>, request: HeaderMap) -> Response {
    match find(&format!("/graphiql/{path}")) {
        Some(asset) => answer(asset, &request),
        None => guarded((StatusCode::NOT_FOUND, "There is no such file.\n").into_response()),
    }
}

fn find(path: &str) -> Option<&'static Asset> {
    ASSETS
        .binary_search_by(|asset| asset.path.cmp(path))
        .ok()
        .and_then(|at| ASSETS.get(at))
}

fn answer(asset: &'static Asset, request: &HeaderMap) -> Response {
    let mut response = if is_current(request, asset.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if takes_gzip(request) {
        let encoding = [(CONTENT_ENCODING, "gzip")];
        (encoding, Bytes::from_static(asset.gzip)).into_response()
    } else {
        let length = [(CONTENT_LENGTH, asset.length())];
        (length, unpacked(asset)).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.mime));
    headers.insert(ETAG, HeaderValue::from_static(asset.etag));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    // The names below /graphiql/ have a hash of the content in them; the page's own has not.
    let caching = if asset.path == "/" {
        "no-cache"
    } else {
        "public, max-age=31536000, immutable"
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    guarded(response)
}

/// Unpacks piece by piece as the client reads, so that a slow one holds a piece and not the file,
/// and no piece keeps the async thread for long.
fn unpacked(asset: &'static Asset) -> Body {
    let decoder = GzDecoder::new(asset.gzip);
    Body::from_stream(stream::unfold(decoder, |mut decoder| async move {
        let mut piece = Vec::with_capacity(CHUNK);
        match decoder.by_ref().take(CHUNK as u64).read_to_end(&mut piece) {
            Ok(0) => None,
            Ok(_) => Some((Ok(Bytes::from(piece)), decoder)),
            Err(error) => Some((Err(error), decoder)),
        }
    }))
}

/// The headers that everything here carries.
fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether the client has this very content (`If-None-Match`, compared weakly as RFC 9110 asks).
fn is_current(request: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    values(request, &IF_NONE_MATCH).any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

/// Whether `Accept-Encoding` allows gzip. Named on its own it decides, otherwise `*` does.
fn takes_gzip(request: &HeaderMap) -> bool {
    let mut any = false;
    for offer in values(request, &ACCEPT_ENCODING) {
        let (coding, parameters) = offer.split_once(';').unwrap_or((offer, ""));
        let weight = parameters.trim().strip_prefix("q=");
        let wanted = weight.is_none_or(|q| q.trim().parse().is_ok_and(|q: f32| q > 0.0));
        match coding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => return wanted,
            "*" => any = wanted,
            _ => {}
        }
    }
    any
}

/// The members of a header that is a comma-separated list, over all its lines.
fn values<'a>(request: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    request
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
}

/// What stands in for the page in a build without it.
fn left_out(reason: &str) -> Response {
    let reason = reason.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Frontdesk</title>\n\
         <p>{reason}</p>\n<p>The GraphQL API works without it, at <code>/graphql</code>.</p>\n"
    );
    ([(CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may stop at the first surprise")]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    fn request(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn gzip_is_sent_only_to_who_takes_it() {
        for (accepted, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0, *", false),
            ("*;q=0", false),
            ("br, identity", false),
            ("gzip; q=0.000", false),
            ("", false),
        ] {
            let request = request(ACCEPT_ENCODING, accepted);
            assert_eq!(takes_gzip(&request), expected, "{accepted:?}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn entity_tags_are_compared_weakly_and_in_lists() {
        for (held, expected) in [
            ("W/\"a\"", true),
            ("\"a\"", true),
            ("\"b\", W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("", false),
        ] {
            let request = request(IF_NONE_MATCH, held);
            assert_eq!(is_current(&request, "W/\"a\""), expected, "{held:?}");
        }
    }

    #[tokio::test]
    async fn a_build_without_the_page_says_what_is_missing() {
        let response = guarded(left_out("npm <was> not found & so on"));
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[CONTENT_SECURITY_POLICY], PAGE_POLICY);
        let body = to_bytes(response.into_body(), 4096).await.expect("a body");
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("<p>npm &lt;was&gt; not found &amp; so on</p>"));
        assert!(text.contains("<code>/graphql</code>"));
    }

    #[test]
    fn the_index_is_sorted_for_the_search() {
        assert!(ASSETS.is_sorted_by(|a, b| a.path < b.path));
        assert_eq!(is_built(), find("/").is_some());
    }
}
