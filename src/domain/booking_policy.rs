//! Booking policies: the rules for customers that services share (`spec/catalog-availability.md` §1.6, §4.7,
//! `spec/bookings.md` §6). One place says whether a customer may book, cancel or move, for whoever asks.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Rejection,
    availability::Policy,
    ids::BookingPolicyId,
    rejection::{Field, Invalid, PolicyProblem, PolicyRule},
    text,
};

/// A limit that can be on or off, in minutes before the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Whether it holds.
    pub enabled: bool,
    /// How many minutes, at least 1; kept while it is off.
    pub minutes: i32,
}

impl Limit {
    fn on(self) -> Option<u32> {
        u32::try_from(self.minutes).ok().filter(|_| self.enabled)
    }
}

/// Whether customers may cancel or move their bookings by themselves, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRule {
    /// Whether they may at all.
    pub enabled: bool,
    /// The latest time; until the start without one.
    pub latest: Limit,
}

/// The rules. What isn't limited is as it would be without a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingRules {
    /// How early it can be booked.
    pub early: Limit,
    /// How late it can be booked.
    pub late: Limit,
    /// Whether a class or course can be booked after it has started.
    pub after_start: bool,
    /// The largest party of one booking; none: as many as there are seats.
    pub max_participants: Option<i32>,
    /// Whether customers may cancel.
    pub cancellation: ChangeRule,
    /// Whether customers may move their bookings.
    pub reschedule: ChangeRule,
}

/// Minutes of an early limit unless said: a week.
pub const EARLIEST_MINUTES: i32 = 10_080;
/// Minutes of the other limits unless said: a day.
pub const LATEST_MINUTES: i32 = 1440;
/// Minutes of a limit, at the most: ten years.
pub const MAX_MINUTES: i32 = 5_256_000;
/// Characters of a policy's name, at the most.
pub const MAX_NAME: usize = 400;
/// Policies of a site, at the most.
pub const MAX_POLICIES: i64 = 1000;

impl Default for BookingRules {
    /// No limits: what holds without a policy.
    fn default() -> Self {
        let off = |minutes| Limit {
            enabled: false,
            minutes,
        };
        let until_start = ChangeRule {
            enabled: true,
            latest: off(LATEST_MINUTES),
        };
        Self {
            early: off(EARLIEST_MINUTES),
            late: off(LATEST_MINUTES),
            after_start: false,
            max_participants: None,
            cancellation: until_start,
            reschedule: until_start,
        }
    }
}

/// When something is that a customer wants to book or change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occasion {
    /// Its start: of a course, the first session's. None: a course without sessions, which no time limits.
    pub start: Option<Timestamp>,
    /// Until when it can be booked after its start, by a policy that allows it.
    pub open_until: Option<Timestamp>,
    /// Whether the service can be booked online.
    pub online: bool,
}

impl BookingRules {
    /// Refuses rules that contradict each other.
    pub fn check(&self) -> Result<(), Rejection> {
        let limits = [
            (self.early, ["limitEarlyBookingPolicy", "earliestBookingInMinutes"]),
            (self.late, ["limitLateBookingPolicy", "latestBookingInMinutes"]),
            (
                self.cancellation.latest,
                ["cancellationPolicy", "latestCancellationInMinutes"],
            ),
            (
                self.reschedule.latest,
                ["reschedulePolicy", "latestRescheduleInMinutes"],
            ),
        ];
        for (limit, path) in limits {
            if !(1..=MAX_MINUTES).contains(&limit.minutes) {
                return Err(Rejection::invalid(
                    &path,
                    format!("must be between 1 and {MAX_MINUTES}"),
                ));
            }
        }
        if self.max_participants.is_some_and(|most| most < 1) {
            let path = ["participantsPolicy", "maxParticipantsPerBooking"];
            return Err(Rejection::invalid(&path, "must be at least 1"));
        }
        let problem =
            |problem, message: &str, path: &str| Err(Invalid::new(Field::Policy(problem), message).at(path).into());
        if self.late.enabled && self.after_start {
            let message = "can't be enabled together with `limitLateBookingPolicy`";
            return problem(PolicyProblem::BothLateAndAfterStart, message, "bookAfterStartPolicy");
        }
        if self.early.enabled && self.late.enabled && self.early.minutes <= self.late.minutes {
            let message = "must begin earlier than `limitLateBookingPolicy` ends it";
            return problem(PolicyProblem::Window, message, "limitEarlyBookingPolicy");
        }
        Ok(())
    }

    /// The part that the availability engine reads.
    #[must_use]
    pub fn window(&self) -> Policy {
        Policy {
            earliest: self.early.on(),
            latest: self.late.on(),
            after_start: self.after_start,
            max_party: self.max_participants.and_then(|most| u32::try_from(most).ok()),
        }
    }

    /// Whether a customer may book it at `now`, for a party of `participants`; none: the party isn't in question.
    pub fn may_book(&self, of: &Occasion, participants: Option<i32>, now: Timestamp) -> Result<(), Rejection> {
        if !of.online {
            return broken(PolicyRule::OnlineBookingDisabled, None);
        }
        if let Some(start) = of.start {
            let found = self.window().judge(start, of.open_until, of.online, now);
            if found.too_early {
                return broken(PolicyRule::TooEarlyToBook, found.earliest_booking);
            }
            if found.too_late {
                let open_until = of.open_until.filter(|_| self.after_start);
                let latest = self.late.on().map(|minutes| before(start, minutes));
                return broken(PolicyRule::TooLateToBook, open_until.or(latest).or(Some(start)));
            }
        }
        match self.max_participants.zip(participants) {
            Some((most, asked)) if asked > most => Err(Rejection::Policy {
                rule: PolicyRule::TooManyParticipants,
                limit: Some(most.to_string()),
            }),
            _ => Ok(()),
        }
    }

    /// Whether a customer may cancel at `now` what starts at `start`.
    pub fn may_cancel(&self, start: Option<Timestamp>, now: Timestamp) -> Result<(), Rejection> {
        if !self.cancellation.enabled {
            return broken(PolicyRule::CancellationNotAllowed, None);
        }
        in_time(self.cancellation.latest, start, now, PolicyRule::TooLateToCancel)
    }

    /// Whether a customer may at `now` move what starts at `start`, of a service that can be booked `online` or not.
    pub fn may_reschedule(&self, start: Option<Timestamp>, online: bool, now: Timestamp) -> Result<(), Rejection> {
        if !online {
            return broken(PolicyRule::OnlineBookingDisabled, None);
        }
        if !self.reschedule.enabled {
            return broken(PolicyRule::RescheduleNotAllowed, None);
        }
        in_time(self.reschedule.latest, start, now, PolicyRule::TooLateToReschedule)
    }
}

fn before(start: Timestamp, minutes: u32) -> Timestamp {
    let minutes = SignedDuration::from_mins(i64::from(minutes));
    start.saturating_sub(minutes).unwrap_or(start)
}

fn broken(rule: PolicyRule, limit: Option<Timestamp>) -> Result<(), Rejection> {
    Err(Rejection::Policy {
        rule,
        limit: limit.map(|at| at.to_string()),
    })
}

/// Exactly on a limit is in time; what has begun can't be changed any more.
fn in_time(latest: Limit, start: Option<Timestamp>, now: Timestamp, rule: PolicyRule) -> Result<(), Rejection> {
    let Some(start) = start else { return Ok(()) };
    let last = latest.on().map(|minutes| before(start, minutes));
    if start <= now || last.is_some_and(|last| last < now) {
        return broken(rule, Some(last.unwrap_or(start)));
    }
    Ok(())
}

/// A policy: rules with a name, shared by services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingPolicy {
    /// Its id.
    pub id: BookingPolicyId,
    /// Its name, 1 to 400 characters.
    pub name: String,
    /// Whether it is that of services that name none.
    pub default: bool,
    /// What it says.
    pub rules: BookingRules,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

impl BookingPolicy {
    /// Refuses a policy that contradicts itself.
    pub fn check(&self) -> Result<(), Rejection> {
        text::required(&self.name, MAX_NAME).map_err(|invalid| invalid.at("name"))?;
        self.rules.check()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn limit(minutes: Option<i32>) -> Limit {
        Limit {
            enabled: minutes.is_some(),
            minutes: minutes.unwrap_or(1),
        }
    }

    fn rule(result: Result<(), Rejection>) -> Option<PolicyRule> {
        match result {
            Ok(()) => None,
            Err(Rejection::Policy { rule, .. }) => Some(rule),
            Err(other) => panic!("{other}"),
        }
    }

    prop_compose! {
        fn any_rules()(early in proptest::option::of(1..5000), late in proptest::option::of(1..5000), after_start: bool,
            cancel in proptest::option::of(1..5000), may_cancel: bool) -> BookingRules {
            let change = |enabled, latest| ChangeRule { enabled, latest: limit(latest) };
            BookingRules {
                early: limit(early), late: limit(late), after_start, max_participants: None,
                cancellation: change(may_cancel, cancel), reschedule: change(may_cancel, cancel),
            }
        }
    }

    proptest! {
        /// What availability flags and what booking refuses are one rule.
        #[test]
        fn booking_is_refused_exactly_where_a_flag_is_up(rules in any_rules(), ahead in -3000_i64..9000, length in 1_i64..600) {
            let now = Timestamp::from_second(1_900_000_000).unwrap();
            let start = now.checked_add(SignedDuration::from_mins(ahead)).unwrap();
            let end = start.checked_add(SignedDuration::from_mins(length)).unwrap();
            for (online, open_until) in [(true, Some(end)), (false, Some(end)), (true, None)] {
                let flags = rules.window().judge(start, open_until, online, now);
                let of = Occasion { start: Some(start), open_until, online };
                prop_assert_eq!(rules.may_book(&of, None, now).is_err(), flags.any());
            }
        }

        #[test]
        fn cancelling_and_moving_end_at_their_limit(rules in any_rules(), ahead in -100_i64..9000) {
            let now = Timestamp::from_second(1_900_000_000).unwrap();
            let start = now.checked_add(SignedDuration::from_mins(ahead)).unwrap();
            let latest = if rules.cancellation.latest.enabled { i64::from(rules.cancellation.latest.minutes) } else { 0 };
            let expected = if !rules.cancellation.enabled {
                Some(PolicyRule::CancellationNotAllowed)
            } else if ahead < latest || ahead <= 0 {
                Some(PolicyRule::TooLateToCancel)
            } else {
                None
            };
            prop_assert_eq!(rule(rules.may_cancel(Some(start), now)), expected);
            let moved = rule(rules.may_reschedule(Some(start), true, now));
            prop_assert_eq!(moved.is_some(), expected.is_some());
            prop_assert_eq!(rule(rules.may_reschedule(Some(start), false, now)), Some(PolicyRule::OnlineBookingDisabled));
        }
    }

    #[test]
    fn no_policy_limits_nothing_but_the_start() {
        let now = Timestamp::from_second(1_900_000_000).unwrap();
        let none = BookingRules::default();
        none.check().unwrap();
        let of = |minutes: i64| Occasion {
            start: now.checked_add(SignedDuration::from_mins(minutes)).ok(),
            open_until: None,
            online: true,
        };
        none.may_book(&of(1), Some(1000), now).unwrap();
        none.may_book(&of(60 * 24 * 365), Some(1000), now).unwrap();
        assert_eq!(rule(none.may_book(&of(0), None, now)), Some(PolicyRule::TooLateToBook));
        none.may_cancel(of(1).start, now).unwrap();
    }
}
