//! Feeds whatever reads what strangers send with inputs that are nearly right, and looks that nothing panics.
//!
//! `FUZZ_RUNS` says how many inputs each target gets, `FUZZ_SEED` where they begin; the same seed makes the same inputs.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Instant,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{ids, money, text, time};

/// What tends to hurt readers.
const PIECES: &[&str] = &[
    "\0",
    "\\",
    "\"",
    "\\u0000",
    "\\uD83D",
    "\\u{1F600}",
    "\u{1F600}",
    "\u{FEFF}",
    "\u{202E}",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "[[[[[[[[",
    "{\"a\":",
    "null",
    "true",
    "-1",
    "-0",
    "1e999",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "0.00000000000000000001",
    "2026-02-30T25:61:61Z",
    "-009999-01-01T00:00Z",
    "+23:59:59",
    "Z",
    "@",
    "$",
    "...",
    "#",
    "_",
    ":",
    ",",
    ";q=",
    "%00",
    "%",
    "+",
    "=",
    "-",
    " ",
    "\n",
    "\r\n",
    "zzzzzzzzzzzzzzzzzzzzzzzzzz",
    "eyJhbGciOiJub25lIn0",
];

fn number(variable: &str, default: u64) -> u64 {
    let set = std::env::var(variable).ok();
    set.and_then(|text| text.replace('_', "").parse().ok())
        .unwrap_or(default)
}

/// Runs a target on inputs that are made of the seeds, changed in a few places.
pub(crate) fn fuzz(name: &str, seeds: &[&str], target: impl Fn(&[u8])) {
    let (runs, seed) = (number("FUZZ_RUNS", 2_000), number("FUZZ_SEED", 1));
    let mut random = StdRng::seed_from_u64(seed);
    let start = Instant::now();
    for run in 0..runs {
        let mut input = seeds
            .get(random.random_range(0..seeds.len()))
            .map_or(Vec::new(), |seed| seed.as_bytes().to_vec());
        // Now and then it is right.
        for _ in 0..random.random_range(0..6) {
            change(&mut input, seeds, &mut random);
        }
        input.truncate(8 * 1024);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
            eprintln!(
                "{name}: run {run} of seed {seed} panicked on {:?}",
                String::from_utf8_lossy(&input)
            );
            resume_unwind(panic);
        }
    }
    eprintln!("{name}: {runs} inputs in {:.1?}", start.elapsed());
}

/// The same on texts: what isn't UTF-8 is made so.
pub(crate) fn fuzz_text(name: &str, seeds: &[&str], target: impl Fn(&str)) {
    fuzz(name, seeds, |input| target(&String::from_utf8_lossy(input)));
}

fn change(input: &mut Vec<u8>, seeds: &[&str], random: &mut StdRng) {
    let at = random.random_range(0..=input.len());
    let end = (at + random.random_range(0..16)).min(input.len());
    match random.random_range(0..7) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.random_range(0..8);
            }
        }
        1 => input.insert(at, random.random()),
        2 => drop(input.drain(at..end)),
        3 => {
            let again = input
                .get(at..end)
                .unwrap_or_default()
                .repeat(random.random_range(1..20));
            input.splice(at..at, again);
        }
        4 => {
            let piece = PIECES
                .get(random.random_range(0..PIECES.len()))
                .copied()
                .unwrap_or_default();
            input.splice(at..end, piece.bytes());
        }
        5 => {
            let other = seeds
                .get(random.random_range(0..seeds.len()))
                .copied()
                .unwrap_or_default()
                .as_bytes();
            let from = random.random_range(0..=other.len());
            input.splice(at.., other.get(from..).unwrap_or_default().iter().copied());
        }
        _ => {
            let other = random.random_range(0..=input.len());
            if at < input.len() && other < input.len() {
                input.swap(at, other);
            }
        }
    }
}

#[test]
fn ids() {
    use ids::TypedId as _;
    let seeds = [
        "booking_01h455vb4pex5vsknk084sn02q",
        "service_7zzzzzzzzzzzzzzzzzzzzzzzzz",
        "site_00000000000000000000000000",
    ];
    fuzz_text("ids", &seeds, |text| {
        if let Some((kind, uuid)) = ids::parse_any(text) {
            assert_eq!(ids::parse_any(text), Some((kind, uuid)));
        }
        if let Ok(id) = ids::BookingId::parse(text) {
            assert_eq!(id.to_string(), text, "an id has one spelling");
        }
        let _ = (
            ids::ServiceId::parse(text),
            ids::SiteId::parse(text),
            ids::EventId::parse(text),
        );
    });
}

#[test]
fn scalars() {
    let seeds = [
        "2026-11-23T09:00:00Z",
        "2026-11-23T10:00:00.123456789+01:00",
        "2026-03-29T02:30",
        "Europe/Berlin",
        "12.50",
        "ada@example.org",
        "morning-yoga",
        "EUR",
    ];
    let berlin = time::ZoneName::parse("Europe/Berlin");
    let currencies = ["EUR", "JPY", "KWD"].map(money::Currency::parse);
    fuzz_text("scalars", &seeds, |text| {
        let _ = (
            time::parse_instant(text, None),
            time::parse_instant(text, berlin.as_ref()),
            time::parse_local(text),
        );
        if let (Some(zone), Ok(local)) = (time::ZoneName::parse(text).or(berlin.clone()), time::parse_local(text)) {
            let _ = zone.instant(local).map(|at| zone.local(at));
        }
        for currency in currencies.iter().flatten() {
            if let Some(money) = money::Money::parse(text, *currency) {
                assert_eq!(money::Money::parse(&money.amount(), *currency), Some(money));
            }
        }
        let _ = (
            text::EmailAddress::parse(text),
            text::required(text, 100),
            text::bounded(text, 10),
        );
        if let Some(slug) = text::slug_of(text) {
            assert!(text::slug(&slug).is_ok(), "{slug}");
        }
        let _ = money::Currency::parse(text);
    });
}
