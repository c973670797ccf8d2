//! What strangers send to the transports, changed at random: nothing panics.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::{client, credentials, negotiate, operation, params, trace_parent::TraceParent};
use crate::domain::fuzzing::{fuzz, fuzz_text};

pub(super) const REQUEST: &str = r#"{"query":"query A($a: Int) { site { id } }","operationName":"A","variables":{"a":1},
    "extensions":{"persistedQuery":{"version":1,"sha256Hash":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}}"#;

#[test]
fn requests() {
    fuzz(
        "request bodies",
        &[REQUEST, r#"{"query":"{a}"}"#, r#"{"documentId":"x"}"#],
        |input| {
            let _ = params::from_json(input);
        },
    );
    let url = "query=%7Bsite%7Bid%7D%7D&variables=%7B%22a%22:1%7D&operationName=A&extensions=%7B%7D&documentId=x";
    fuzz_text("URLs", &[url, "query={a}+b"], |text| {
        let _ = (params::from_url_query(text), params::has_document(text));
    });
    let documents = [
        "query A { a } mutation B { b } subscription C { c }",
        "# {\n{ a(b: \"\"\" } \"\"\") }",
        "fragment F on Q { a } { ...F }",
    ];
    fuzz_text("kinds of operations", &documents, |text| {
        let _ = (operation::kind(text, None), operation::kind(text, Some("B")));
    });
}

#[test]
fn headers() {
    let seeds = [
        "application/graphql-response+json;q=0.9, application/json; charset=utf-8, */*;q=0.1",
        "multipart/mixed;boundary=\"-\";subscriptionSpec=1.0, text/event-stream",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "10.0.0.1, [2001:db8::1]:443, unknown, 192.0.2.60",
        "default",
    ];
    let trusted = ["127.0.0.0/8".parse().ok(), "10.0.0.0/8".parse().ok()];
    let trusted: Vec<_> = trusted.into_iter().flatten().collect();
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    fuzz("headers", &seeds, |input| {
        let Ok(value) = HeaderValue::from_bytes(input) else {
            return;
        };
        let names = [
            "accept",
            "authorization",
            "content-type",
            "frontdesk-site",
            "frontdesk-visitor-token",
            "traceparent",
            "x-forwarded-for",
        ];
        let headers: HeaderMap = names
            .map(|name| (HeaderName::from_static(name), value.clone()))
            .into_iter()
            .collect();
        let _ = (
            negotiate::accepted(&headers),
            negotiate::accepts_html(&headers),
            negotiate::is_json_body(&headers),
        );
        let _ = credentials::from_headers(&headers, Some(peer));
        let _ = (
            TraceParent::from_headers(&headers),
            client::address(peer, &headers, &trusted),
        );
    });
}
