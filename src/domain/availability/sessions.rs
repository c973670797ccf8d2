//! Seats of classes and courses (spec §4.5, §4.6, §3.7, §12 A4 and A5).

use std::num::NonZeroU32;

use jiff::Timestamp;

use super::policy::{NonBookable, Policy, Violations};
use crate::domain::{
    hours::PlaceId,
    ids::{ResourceId, ScheduleId, SessionId},
    time::TimeSpan,
};

/// A waiting list as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waitlist {
    /// How many may wait.
    pub capacity: u32,
    /// How many do.
    pub waiting: u32,
}

impl Waitlist {
    /// How many more may wait.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.capacity.saturating_sub(self.waiting)
    }
}

/// Seats of a session or a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seats {
    /// All of them.
    pub capacity: u32,
    /// Those that bookings and live holds have: the sum of their parties.
    pub taken: u32,
    /// Those that are offered to people on the waiting list.
    pub reserved: u32,
    /// Those of `reserved` that are offered to this caller.
    pub offered_to_caller: u32,
}

impl Seats {
    /// Those that nobody has taken, offered ones among them; 0 if the capacity was lowered below what is taken.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.capacity.saturating_sub(self.taken)
    }

    /// Those that this caller could have.
    #[must_use]
    pub fn bookable(&self) -> u32 {
        self.remaining()
            .saturating_sub(self.reserved.saturating_sub(self.offered_to_caller))
    }

    /// Why a party can't have seats.
    fn refuse(&self, party: u32) -> NonBookable {
        let full = self.remaining() < party;
        NonBookable {
            no_remaining_capacity: full,
            reserved_for_waitlist: !full && self.bookable() < party,
            ..NonBookable::default()
        }
    }
}

/// A session of a class.
#[derive(Debug, Clone, Copy)]
pub struct ClassSession<'a> {
    /// Its id.
    pub id: SessionId,
    /// When it takes place.
    pub span: TimeSpan,
    /// Its seats.
    pub seats: Seats,
    /// Whether it was called off.
    pub cancelled: bool,
    /// Who and what it occupies.
    pub resources: &'a [ResourceId],
    /// Where it takes place.
    pub place: Option<PlaceId>,
    /// Its waiting list, if the policy has one.
    pub waitlist: Option<Waitlist>,
}

/// What is asked about sessions.
#[derive(Debug, Clone, Copy)]
pub struct SeatQuery<'a> {
    /// The first start that is of interest.
    pub from: Timestamp,
    /// The first start that is not any more.
    pub to: Timestamp,
    /// The present instant.
    pub now: Timestamp,
    /// How many people come.
    pub party: NonZeroU32,
    /// Only sessions with one of these; none: all.
    pub resources: Option<&'a [ResourceId]>,
    /// Only sessions at one of these; none: all.
    pub places: Option<&'a [PlaceId]>,
    /// Only sessions with at least so many seats that the caller could have.
    pub min_bookable: u32,
    /// Whether to list sessions that were called off.
    pub cancelled: bool,
    /// Whether the caller is not bound by the rules for customers; the flags are told all the same.
    pub ignore_policy: bool,
}

impl SeatQuery<'_> {
    /// The plain question at `now` for starts from `from` to before `to`, for one person.
    #[must_use]
    pub fn between(from: Timestamp, to: Timestamp, now: Timestamp) -> Self {
        Self {
            from,
            to,
            now,
            party: NonZeroU32::MIN,
            resources: None,
            places: None,
            min_bookable: 0,
            cancelled: false,
            ignore_policy: false,
        }
    }

    fn reasons(&self, policy: &Policy, seats: &Seats, violations: Violations, cancelled: bool) -> NonBookable {
        let too_many = policy.max_party.is_some_and(|most| self.party.get() > most);
        NonBookable {
            violates_booking_policy: !self.ignore_policy && (violations.any() || too_many),
            cancelled,
            ..seats.refuse(self.party.get())
        }
    }
}

/// A session as it is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassSlot {
    /// The session.
    pub session: SessionId,
    /// When it takes place.
    pub span: TimeSpan,
    /// Its place.
    pub place: Option<PlaceId>,
    /// Its seats.
    pub seats: Seats,
    /// Whether seats are offered to people on the waiting list, and none of them to this caller.
    pub locked: bool,
    /// The rules for customers that it breaks.
    pub violations: Violations,
    /// Why this caller can't book it.
    pub reasons: NonBookable,
    /// The waiting list, if there is one.
    pub waitlist: Option<Waitlist>,
}

impl ClassSlot {
    /// Whether this caller could book it now.
    #[must_use]
    pub fn bookable(&self) -> bool {
        !self.reasons.any()
    }
}

/// The sessions of a class, by start and then by id; full ones too. Sessions that are over are left out; one that has
/// begun is there until its end.
#[must_use]
pub fn classes(sessions: &[ClassSession<'_>], policy: &Policy, online: bool, query: &SeatQuery<'_>) -> Vec<ClassSlot> {
    let asked = |session: &&ClassSession<'_>| {
        let start = session.span.start();
        query.from <= start
            && start < query.to
            && query.now < session.span.end()
            && (query.cancelled || !session.cancelled)
            && query
                .resources
                .is_none_or(|asked| session.resources.iter().any(|one| asked.contains(one)))
            && query
                .places
                .is_none_or(|asked| session.place.is_some_and(|place| asked.contains(&place)))
            && session.seats.bookable() >= query.min_bookable
    };
    let offer = |session: &ClassSession<'_>| {
        let violations = policy.judge(session.span.start(), Some(session.span.end()), online, query.now);
        ClassSlot {
            session: session.id,
            span: session.span,
            place: session.place,
            seats: session.seats,
            locked: session.seats.reserved > 0 && session.seats.offered_to_caller == 0,
            violations,
            reasons: query.reasons(policy, &session.seats, violations, session.cancelled),
            waitlist: session.waitlist,
        }
    };
    let mut slots: Vec<ClassSlot> = sessions.iter().filter(asked).map(offer).collect();
    slots.sort_by_key(|slot| (slot.span.start(), slot.session));
    slots
}

/// A course's run.
#[derive(Debug, Clone, Copy)]
pub struct CourseRun<'a> {
    /// Its schedule.
    pub schedule: ScheduleId,
    /// Its sessions that take place, in any order.
    pub sessions: &'a [TimeSpan],
    /// Seats in the whole run.
    pub seats: Seats,
    /// Whether it was called off.
    pub cancelled: bool,
    /// Its waiting list, if there is one.
    pub waitlist: Option<Waitlist>,
}

/// A run as it is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CourseOffer {
    /// The run's schedule.
    pub schedule: ScheduleId,
    /// From the first session's start to the last one's end; none without sessions.
    pub span: Option<TimeSpan>,
    /// The session that comes next.
    pub next: Option<TimeSpan>,
    /// Seats in the whole run.
    pub seats: Seats,
    /// The rules for customers that it breaks. A run without sessions to come is too late to book.
    pub violations: Violations,
    /// Why this caller can't book it.
    pub reasons: NonBookable,
    /// The waiting list, if there is one.
    pub waitlist: Option<Waitlist>,
}

impl CourseOffer {
    /// Whether this caller could book it now.
    #[must_use]
    pub fn bookable(&self) -> bool {
        !self.reasons.any()
    }
}

/// A course's run as this caller may book it. Limits are measured to the first session; with
/// [`Policy::after_start`] it stays open until the last session starts (spec §12 A5). Of the query, `now`, `party`
/// and `ignore_policy` count.
#[must_use]
pub fn course(run: &CourseRun<'_>, policy: &Policy, online: bool, query: &SeatQuery<'_>) -> CourseOffer {
    let sessions = || run.sessions.iter();
    let first = sessions().map(TimeSpan::start).min();
    let last = sessions().map(TimeSpan::start).max();
    let end = sessions().map(TimeSpan::end).max();
    let next = sessions()
        .filter(|session| query.now <= session.start())
        .min_by_key(|session| session.start());
    let violations = match first {
        Some(first) => policy.judge(first, last, online, query.now),
        None => Violations {
            too_late: true,
            online_disabled: !online,
            ..Violations::default()
        },
    };
    let mut reasons = query.reasons(policy, &run.seats, violations, run.cancelled);
    // Nobody can come to what is over, not even on the business's word.
    reasons.violates_booking_policy |= last.is_none_or(|last| last <= query.now);
    CourseOffer {
        schedule: run.schedule,
        span: first.zip(end).and_then(|(first, end)| TimeSpan::new(first, end)),
        next: next.copied(),
        seats: run.seats,
        violations,
        reasons,
        waitlist: run.waitlist,
    }
}
