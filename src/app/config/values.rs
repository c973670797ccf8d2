//! Values that are more than a number, a path or an address: what is expected of them.

use std::net::IpAddr;

use axum::http::Uri;
use ipnet::IpNet;

use crate::domain::permission::Scope;

pub(super) fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| {
        let names: Vec<_> = Scope::ALL.iter().map(|scope| scope.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

pub(super) fn at_once(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=100_000).contains(number));
    number.ok_or_else(|| "expected a number from 1 to 100000".to_owned())
}

pub(super) fn origin(text: &str) -> Result<String, String> {
    let is_origin = text == "*" || {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        host.is_some_and(|host| {
            !host.is_empty() && host.bytes().all(|c| c.is_ascii_alphanumeric() || b"-.:[]".contains(&c))
        })
    };
    if is_origin {
        return Ok(text.to_owned());
    }
    Err("expected `*`, or an origin without a path, such as `https://studio.example`".to_owned())
}

pub(super) fn keys_url(text: &str) -> Result<Uri, String> {
    let expected = "expected an https URL, or an http one of a loopback address";
    let url = text.parse::<Uri>().map_err(|_| expected.to_owned())?;
    let near = match url.host() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    let safe = match url.scheme_str() {
        Some("https") => url.host().is_some(),
        Some("http") => near,
        _ => false,
    };
    safe.then_some(url).ok_or_else(|| expected.to_owned())
}

pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address
        .or_else(|_| text.parse::<IpNet>())
        .map_err(|_| "expected an address, or a network such as `10.0.0.0/8`".to_owned())
}

/// The shortest secret that is accepted.
pub const MIN_SECRET: usize = 32;

pub(super) fn secret(text: &str) -> Result<String, String> {
    if text.len() < MIN_SECRET {
        return Err(format!(
            "expected at least {MIN_SECRET} bytes; `openssl rand -hex 32` makes a good one"
        ));
    }
    Ok(text.to_owned())
}

pub(super) fn lifetime(text: &str) -> Result<i64, String> {
    let expected = "expected a number with `h` (hours) or `d` (days), such as `30d`, at most 3650d";
    let (number, unit) = match (text.strip_suffix('h'), text.strip_suffix('d')) {
        (Some(number), _) => (number, 3600),
        (_, Some(number)) => (number, 86_400),
        _ => return Err(expected.to_owned()),
    };
    let seconds = number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit));
    seconds
        .filter(|seconds| (1..=3650 * 86_400).contains(seconds))
        .ok_or_else(|| expected.to_owned())
}
