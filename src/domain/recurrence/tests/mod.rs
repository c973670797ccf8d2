#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod acts;
mod model;
mod rfc;
mod rules;
mod series;
mod store;
mod zones;

use jiff::civil::DateTime;

use super::*;
use crate::domain::time::ZoneName;

fn at(text: &str) -> DateTime {
    text.parse().unwrap()
}

fn utc() -> ZoneName {
    ZoneName::utc()
}

fn rule(text: &str) -> Rule {
    Rule::parse(text, &utc(), None).unwrap()
}

fn recurrence(text: &str) -> Recurrence {
    Recurrence::parse(text, &utc(), None).unwrap()
}

fn window(from: &str, until: &str) -> Window {
    Window {
        from: at(from),
        until: at(until),
    }
}

/// The occurrences in the whole of what the server plans in, the first `count` of them.
fn first(text: &str, start: &str, count: usize) -> Vec<String> {
    let recurrence = Recurrence::parse(text, &utc(), Some(at(start).date())).unwrap();
    let mut times = Vec::new();
    let mut from = at(start);
    while times.len() < count && from.year() <= 2100 {
        let until = from.checked_add(jiff::SignedDuration::from_hours(24 * 366)).unwrap();
        times.extend(recurrence.occurrences(at(start), Window { from, until }).unwrap());
        from = until;
    }
    times.truncate(count);
    times
        .iter()
        .map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string())
        .collect()
}
