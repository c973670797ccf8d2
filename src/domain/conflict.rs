//! The one conflict evaluator: whatever makes a booking, a session or a block hold capacity asks it
//! (`spec/bookings.md` §5). It sees claims and nothing else.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Rejection,
    ids::{BlockedTimeId, BookingId, ClaimId, ResourceId, ScheduleId, SessionId},
    rejection::{CapacityOf, SlotProblem},
    time::TimeSpan,
};

/// What a claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A whole resource, for the claim's time.
    Resource(ResourceId),
    /// Seats of a class session.
    Session(SessionId),
    /// Seats of a course's run.
    Schedule(ScheduleId),
}

/// For whom a claim holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A booking.
    Booking(BookingId),
    /// A session of a class or course.
    Session(SessionId),
    /// The business, which wants the time free.
    Block(BlockedTimeId),
}

impl Holder {
    /// The booking, if it is one.
    #[must_use]
    pub fn booking(self) -> Option<BookingId> {
        match self {
            Self::Booking(id) => Some(id),
            Self::Session(_) | Self::Block(_) => None,
        }
    }
}

/// Why a claim may overlap others. On record, so that no overlap is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OverlapReason {
    /// The business created or moved the booking with `skipAvailabilityValidation`.
    OwnerSkip,
    /// The business confirmed it, or put it on the calendar, although something was in the way.
    OwnerConfirm,
    /// Its order was paid and lost a race.
    PaidOrder,
    /// A request for a time for which several requests may wait. It blocks nothing itself.
    MultipleRequests,
    /// The business changed a session, a block or a capacity under it.
    OwnerEdit,
    /// A session has the resource and doesn't keep it busy. It blocks nothing itself, and nothing is in its way.
    Transparent,
}

/// A piece of held capacity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its id; ids made later sort later.
    pub id: ClaimId,
    /// What it holds.
    pub target: Target,
    /// From when to when, with the buffer.
    pub span: TimeSpan,
    /// How many seats; 1 of a resource.
    pub seats: i32,
    /// For whom.
    pub holder: Holder,
    /// When it ends by itself.
    pub hold_expires_at: Option<Timestamp>,
    /// Why it may overlap others.
    pub overlap_reason: Option<OverlapReason>,
}

impl Claim {
    /// Whether it holds anything at `now`.
    #[must_use]
    pub fn live(&self, now: Timestamp) -> bool {
        self.hold_expires_at.is_none_or(|until| now < until)
    }

    /// Whether others have to keep clear of it.
    #[must_use]
    pub fn blocks(&self) -> bool {
        !matches!(
            self.overlap_reason,
            Some(OverlapReason::MultipleRequests | OverlapReason::Transparent)
        )
    }
}

/// How many seats a session or a run has; resources are not asked.
pub type Capacity = i32;

/// What somebody wants to hold.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// What.
    pub target: Target,
    /// From when to when, with the buffer.
    pub span: TimeSpan,
    /// How many seats.
    pub seats: i32,
    /// For whom: its own claims are not in its way.
    pub holder: Holder,
    /// Only claims made before this one are in its way: who was there first stays unflagged. `None`: all are.
    pub before: Option<ClaimId>,
}

/// What is in the way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clash {
    /// The holders in the way, in the order of their claims.
    pub rivals: Vec<Holder>,
    /// For seats: how many are left.
    pub remaining: i64,
}

/// Whether `ask` fits beside the `claims` on its target at `now`; if not, what is in the way.
#[must_use]
pub fn evaluate(ask: &Ask, claims: &[Claim], capacity: Capacity, now: Timestamp) -> Option<Clash> {
    let others = claims.iter().filter(|claim| {
        claim.target == ask.target
            && claim.holder != ask.holder
            && claim.live(now)
            && claim.blocks()
            && ask.before.is_none_or(|own| claim.id < own)
    });
    match ask.target {
        Target::Resource(_) => {
            let rivals: Vec<_> = others
                .filter(|claim| claim.span.overlaps(&ask.span))
                .map(|c| c.holder)
                .collect();
            (!rivals.is_empty()).then_some(Clash { rivals, remaining: 0 })
        }
        Target::Session(_) | Target::Schedule(_) => {
            let (mut taken, mut rivals) = (0_i64, Vec::new());
            for claim in others {
                taken += i64::from(claim.seats);
                rivals.push(claim.holder);
            }
            let remaining = (i64::from(capacity) - taken).max(0);
            (i64::from(ask.seats) > i64::from(capacity) - taken).then_some(Clash { rivals, remaining })
        }
    }
}

/// The refusal that tells of a clash.
#[must_use]
pub fn refuse(ask: &Ask, clash: &Clash, next_available: Option<Timestamp>) -> Rejection {
    let of = match ask.target {
        Target::Resource(_) => {
            let conflicts = clash.rivals.iter().filter_map(|rival| rival.booking()).collect();
            return Rejection::SlotNotAvailable {
                conflicts,
                next_available,
                problem: SlotProblem::NotFree,
            };
        }
        Target::Session(_) => CapacityOf::Session,
        Target::Schedule(_) => CapacityOf::Schedule,
    };
    Rejection::CapacityExceeded {
        of,
        requested: i64::from(ask.seats),
        remaining: clash.remaining,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn span(start: i64, end: i64) -> TimeSpan {
        TimeSpan::new(at(start), at(end)).unwrap()
    }

    fn claim(target: Target, start: i64, end: i64, seats: i32) -> Claim {
        Claim {
            id: ClaimId::new(),
            target,
            span: span(start, end),
            seats,
            holder: Holder::Booking(BookingId::new()),
            hold_expires_at: None,
            overlap_reason: None,
        }
    }

    fn ask(target: Target, start: i64, end: i64, seats: i32) -> Ask {
        Ask {
            target,
            span: span(start, end),
            seats,
            holder: Holder::Booking(BookingId::new()),
            before: None,
        }
    }

    #[test]
    fn a_partial_overlap_is_a_clash_and_touching_is_not() {
        let resource = Target::Resource(ResourceId::new());
        let claims = [claim(resource, 60, 120, 1)];
        for (start, end, clash) in [
            (0, 60, false),
            (0, 61, true),
            (119, 180, true),
            (120, 180, false),
            (70, 80, true),
        ] {
            assert_eq!(
                evaluate(&ask(resource, start, end, 1), &claims, 1, at(0)).is_some(),
                clash,
                "{start}-{end}"
            );
        }
    }

    #[test]
    fn a_hold_that_ran_out_and_a_request_among_many_block_nothing() {
        let resource = Target::Resource(ResourceId::new());
        let mut held = claim(resource, 0, 60, 1);
        held.hold_expires_at = Some(at(-5));
        let mut request = claim(resource, 0, 60, 1);
        request.overlap_reason = Some(OverlapReason::MultipleRequests);
        let claims = [held.clone(), request];
        assert_eq!(
            evaluate(&ask(resource, 0, 60, 1), &claims, 1, at(-5)),
            None,
            "over at its very end"
        );
        assert!(evaluate(&ask(resource, 0, 60, 1), &claims, 1, at(-6)).is_some());
    }

    #[test]
    fn seats_are_summed_and_what_is_left_is_told() {
        let session = Target::Session(SessionId::new());
        let claims = [claim(session, 0, 60, 5), claim(session, 0, 60, 3)];
        assert_eq!(evaluate(&ask(session, 0, 60, 2), &claims, 10, at(0)), None);
        assert_eq!(
            evaluate(&ask(session, 0, 60, 3), &claims, 10, at(0)).unwrap().remaining,
            2
        );
        assert_eq!(
            evaluate(&ask(session, 0, 60, 1), &claims, 4, at(0)).unwrap().remaining,
            0,
            "never below zero"
        );
    }

    #[test]
    fn who_was_there_first_is_not_in_conflict_with_who_came_later() {
        let resource = Target::Resource(ResourceId::new());
        let (first, second) = (claim(resource, 0, 60, 1), claim(resource, 30, 90, 1));
        let claims = [first.clone(), second.clone()];
        let again = |c: &Claim| Ask {
            target: c.target,
            span: c.span,
            seats: 1,
            holder: c.holder,
            before: Some(c.id),
        };
        assert_eq!(evaluate(&again(&first), &claims, 1, at(0)), None);
        assert_eq!(
            evaluate(&again(&second), &claims, 1, at(0)).unwrap().rivals,
            [first.holder]
        );
    }
}
