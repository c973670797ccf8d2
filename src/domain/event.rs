//! What happened, as the log keeps it: to a booking, and to the free times around it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    ids::{ResourceId, ServiceId},
    time::TimeSpan,
};

/// What an event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// The booking was made.
    Created,
    /// It was confirmed.
    Confirmed,
    /// It was declined.
    Declined,
    /// It was canceled.
    Canceled,
    /// It was moved to another time, session or resource.
    Rescheduled,
    /// It waits for the business to confirm or decline it.
    MarkedAsPending,
    /// Its number of participants changed.
    ParticipantsUpdated,
    /// The hold on its time ran out.
    HoldExpired,
    /// It became double booked by what happened to another booking.
    DoubleBooked,
    /// The clash that made it double booked is gone.
    DoubleBookingResolved,
    /// Something else about it changed: its session was moved, renamed or taken by other staff.
    Updated,
}

/// What brought an event about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventSource {
    /// A call of the API.
    Request,
    /// A due time that passed.
    Timer,
}

/// What of the calendar something has to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Matter {
    /// All of it.
    Everything,
    /// What one service offers.
    Service(ServiceId),
    /// When one resource is there and free.
    Resource(ResourceId),
}

/// A part of the calendar in which free times may be others than they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// Whose.
    pub matter: Matter,
    /// From when to when; at any time if not said.
    pub span: Option<TimeSpan>,
}

/// Parts that one change tells one by one, at the most; beyond it they are told roughly.
const MAX_PARTS: usize = 64;

impl Touched {
    /// All of the calendar, at any time.
    #[must_use]
    pub const fn everything() -> Self {
        Self {
            matter: Matter::Everything,
            span: None,
        }
    }

    /// The same parts in few: none twice, and for each matter one from the first to the last if they are many.
    #[must_use]
    pub fn summed_up(parts: Vec<Self>) -> Vec<Self> {
        let mut single: Vec<Self> = Vec::new();
        for part in parts {
            if !single.contains(&part) {
                single.push(part);
            }
            if single.len() > MAX_PARTS {
                single = Self::by_matter(single);
            }
            if single.len() > MAX_PARTS {
                return vec![Self::everything()];
            }
        }
        single
    }

    fn by_matter(parts: Vec<Self>) -> Vec<Self> {
        let mut whole: BTreeMap<Matter, Option<TimeSpan>> = BTreeMap::new();
        for Self { matter, span } in parts {
            whole
                .entry(matter)
                .and_modify(|all| *all = all.zip(span).map(|(all, span)| all.hull(&span)))
                .or_insert(span);
        }
        whole.into_iter().map(|(matter, span)| Self { matter, span }).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn part(matter: Matter, start: i64, end: i64) -> Touched {
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        Touched {
            matter,
            span: TimeSpan::new(at(start), at(end)),
        }
    }

    #[test]
    fn few_parts_are_told_one_by_one_and_once() {
        let one = Matter::Resource(ResourceId::new());
        let parts = vec![part(one, 0, 10), part(one, 20, 30), part(one, 0, 10)];
        assert_eq!(Touched::summed_up(parts), [part(one, 0, 10), part(one, 20, 30)]);
    }

    #[test]
    fn many_parts_are_told_from_the_first_to_the_last() {
        let (one, other) = (Matter::Resource(ResourceId::new()), Matter::Service(ServiceId::new()));
        let mut parts: Vec<Touched> = (0..200).map(|n| part(one, n * 10, n * 10 + 5)).collect();
        parts.push(part(other, 7, 8));
        let told = Touched::summed_up(parts.clone());
        assert!(told.len() <= MAX_PARTS, "{}", told.len());
        for part in &parts {
            let span = part.span.unwrap();
            let covers = |told: &Touched| {
                told.matter == part.matter
                    && told.span.unwrap().start() <= span.start()
                    && span.end() <= told.span.unwrap().end()
            };
            assert!(told.iter().any(covers), "{part:?} in {told:?}");
        }
        // A part at any time stays at any time.
        parts.push(Touched {
            matter: one,
            span: None,
        });
        assert!(Touched::summed_up(parts).iter().any(|part| part.span.is_none()));
    }

    #[test]
    fn more_matters_than_anybody_reads_are_everything() {
        let parts = (0..100).map(|n| part(Matter::Resource(ResourceId::new()), n, n + 1));
        let told = Touched::summed_up(parts.collect());
        assert_eq!(told.first().unwrap().matter, Matter::Everything);
    }
}
