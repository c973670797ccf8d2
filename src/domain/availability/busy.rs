//! What keeps a resource from being booked, and what doesn't (spec §3.6, §4.4 step 3).

use jiff::Timestamp;

use crate::domain::{
    conflict::{Claim, Holder, Target},
    time::TimeSpan,
};

/// What sort of thing is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Obstacle {
    /// An appointment.
    Appointment,
    /// Somebody's hold on the time while they check out.
    Hold,
    /// A session of a class or a course.
    Session,
    /// A time that the business wants free.
    Block,
    /// An event of a calendar elsewhere.
    External,
    /// The business as a whole is closed, or the place.
    Closure,
}

/// A time in which a resource can't be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy {
    /// From when to when, with the buffer that was stored with it.
    pub span: TimeSpan,
    /// What it is.
    pub obstacle: Obstacle,
}

/// An event on a calendar that lists a resource, before it is decided whether it blocks.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What it is.
    pub obstacle: Obstacle,
    /// From when to when it takes place.
    pub span: TimeSpan,
    /// The minutes that were to stay free after it when it was booked. Counts for appointments and holds only.
    pub buffer: u32,
    /// Whether it is shown without blocking: the event as a whole, or for this resource.
    pub transparent: bool,
    /// Whether it was called off.
    pub cancelled: bool,
    /// Whether it is a request for a time for which several may wait.
    pub one_of_many: bool,
}

impl Busy {
    /// What the event keeps its resource from; `None` if nothing.
    #[must_use]
    pub fn of_entry(entry: &Entry) -> Option<Self> {
        if entry.transparent || entry.cancelled || entry.one_of_many {
            return None;
        }
        let buffer = match entry.obstacle {
            Obstacle::Appointment | Obstacle::Hold => entry.buffer,
            Obstacle::Session | Obstacle::Block | Obstacle::External | Obstacle::Closure => 0,
        };
        let span = entry.span.with_buffer(i32::try_from(buffer).unwrap_or(i32::MAX));
        Some(Self {
            span,
            obstacle: entry.obstacle,
        })
    }

    /// What the claim keeps its resource from at `now`; `None` if nothing, or if it is not on a resource. The span of
    /// a claim has its buffer already.
    #[must_use]
    pub fn of_claim(claim: &Claim, now: Timestamp) -> Option<Self> {
        let on_resource = matches!(claim.target, Target::Resource(_));
        if !on_resource || !claim.live(now) || !claim.blocks() {
            return None;
        }
        let obstacle = match claim.holder {
            Holder::Booking(_) if claim.hold_expires_at.is_some() => Obstacle::Hold,
            Holder::Booking(_) => Obstacle::Appointment,
            Holder::Session(_) => Obstacle::Session,
            Holder::Block(_) => Obstacle::Block,
        };
        Some(Self {
            span: claim.span,
            obstacle,
        })
    }
}
