//! The page at `/` and its assets: what is sent, to whom, and under which headers.
//!
//! A build without the page (no npm, or `FRONTDESK_SKIP_WEB`) has less to show: the tests of the
//! page's files then say so and check what stands in for it.

#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::indexing_slicing, reason = "an absent header fails the test")]

use std::io::Read as _;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use flate2::read::GzDecoder;
use frontdesk::http::pages;
use tower::ServiceExt as _;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }
}

async fn send(method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let router: Router = pages::routes();
    let response = router.oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.expect("a whole body"),
    }
}

async fn get(path: &str, headers: &[(&str, &str)]) -> Answer {
    send(Method::GET, path, headers).await
}

/// The page's text, or `None` (and a word about it) in a build without the page.
async fn index() -> Option<String> {
    let page = get("/", &[]).await;
    if pages::is_built() {
        return Some(page.text().to_owned());
    }
    eprintln!("THIS BUILD HAS NO PAGE: its files are not tested");
    assert!(page.text().contains("Node.js 20 or newer"), "{}", page.text());
    None
}

/// The paths of all scripts and style sheets that the page names.
fn linked(index: &str) -> Vec<String> {
    index
        .split('"')
        .filter(|part| part.starts_with("/graphiql/"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn the_page_comes_under_a_strict_policy() {
    let page = get("/", &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    let policy = page.headers["content-security-policy"].to_str().expect("a policy");
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    for hole in ["unsafe-eval", "script-src", "http:", "https:", "*"] {
        assert!(!policy.contains(hole), "{hole} in {policy}");
    }
}

#[tokio::test]
async fn the_page_names_no_other_host() {
    let Some(index) = index().await else { return };
    // An address in an XML namespace is a name that nobody fetches.
    let index = index.replace("xmlns='http://www.w3.org/2000/svg'", "");
    for address in ["http:", "https:", "\"//", "'//"] {
        assert!(!index.contains(address), "{address} in {index}");
    }
    assert!(!linked(&index).is_empty());
}

#[tokio::test]
async fn the_page_has_no_script_inside() {
    let Some(index) = index().await else { return };
    assert!(index.contains("<html lang=\"en\">"));
    for script in index.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap_or_default();
        assert!(tag.contains(" src=\"/graphiql/"), "{tag}");
    }
}

#[tokio::test]
async fn both_encodings_carry_the_same_content() {
    let Some(index) = index().await else { return };
    let mut paths = linked(&index);
    paths.push("/".to_owned());
    for path in paths {
        let gzipped = get(&path, &[("accept-encoding", "br, gzip")]).await;
        let plain = get(&path, &[]).await;
        assert_eq!(gzipped.headers["content-encoding"], "gzip");
        assert!(!plain.headers.contains_key("content-encoding"));
        for answer in [&gzipped, &plain] {
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.headers["vary"], "accept-encoding");
            assert_eq!(answer.headers["content-length"], answer.body.len().to_string());
        }
        let mut unpacked = Vec::new();
        GzDecoder::new(&gzipped.body[..])
            .read_to_end(&mut unpacked)
            .expect("valid gzip");
        assert!(unpacked == plain.body, "{path}");
    }
}

#[tokio::test]
async fn what_a_client_already_has_is_not_sent_again() {
    let Some(index) = index().await else { return };
    let mut paths = linked(&index);
    paths.push("/".to_owned());
    for path in paths {
        let first = get(&path, &[]).await;
        let tag = first.headers["etag"].to_str().expect("a tag");
        let again = get(&path, &[("if-none-match", tag)]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers["etag"], tag);
        assert!(again.body.is_empty());
        let other = get(&path, &[("if-none-match", "\"other\"")]).await;
        assert_eq!(other.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn hashed_names_are_cached_for_good_and_the_page_is_not() {
    let Some(index) = index().await else { return };
    assert_eq!(get("/", &[]).await.headers["cache-control"], "no-cache");
    for path in linked(&index) {
        let asset = get(&path, &[]).await;
        assert_eq!(asset.headers["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(
            asset.headers["content-security-policy"],
            pages::PAGE_POLICY,
            "a worker obeys the policy of its own script"
        );
    }
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let Some(index) = index().await else { return };
    let mut paths = linked(&index);
    paths.push("/".to_owned());
    for path in paths {
        for encoding in ["gzip", "identity"] {
            let asked = [("accept-encoding", encoding)];
            let head = send(Method::HEAD, &path, &asked).await;
            let full = get(&path, &asked).await;
            assert_eq!(head.status, StatusCode::OK);
            assert_eq!(head.headers, full.headers);
            assert!(head.body.is_empty());
        }
    }
}

#[tokio::test]
async fn unknown_assets_are_not_found() {
    for path in [
        "/graphiql/index.html",
        "/graphiql/none.js",
        "/graphiql/../Cargo.toml",
        "/graphiql/%2e%2e/Cargo.toml",
    ] {
        let answer = get(path, &[("accept-encoding", "gzip")]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn the_page_can_only_be_read() {
    let answer = send(Method::POST, "/", &[]).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}
