//! Everything at once: random acts of all kinds on a few places, while time goes on.

use std::sync::{Arc, Mutex};

use frontdesk::domain::{Rejection, ids::BookingId, rejection::PolicyRule};
use jiff::SignedDuration;
use rand::{RngExt as _, rngs::StdRng};

use crate::{
    on_both_engines,
    stage::{
        CLIENTS, Hand, Said, Stage, Wish, appointment, at_once, confirmed, held, new, rng, rounds, seat, skipping,
    },
};

/// Refusals that are a legal answer to an act on what others act on, too.
fn expected(rejection: &Rejection) -> bool {
    matches!(
        rejection,
        Rejection::SlotNotAvailable { .. }
            | Rejection::CapacityExceeded { .. }
            | Rejection::InvalidStatus { .. }
            | Rejection::RevisionMismatch { .. }
            | Rejection::NotForKind(..)
            | Rejection::Policy {
                rule: PolicyRule::TooManyHolds,
                ..
            }
    )
}

struct Ground {
    appointments: Vec<Wish>,
    seats: Vec<Wish>,
    bookings: Mutex<Vec<BookingId>>,
}

impl Ground {
    async fn new(stage: &Stage, round: u32) -> Self {
        let (base, studio) = (i64::from(round) * 24 * 60, &stage.studio);
        let mut appointments = Vec::new();
        for step in 0..12 {
            let start = stage.at(base + step * 15);
            appointments.push(appointment(&studio.massage, start, &[]));
            appointments.push(appointment(&studio.massage, start, &[&studio.anna]));
            appointments.push(appointment(&studio.training, start, &[]));
            appointments.push(appointment(&studio.consultation, start, &[&studio.ben]));
            appointments.push(appointment(&studio.audition, start, &[]));
            appointments.push(appointment(&studio.workshop, start, &[]));
        }
        let mut seats = Vec::new();
        for hour in 0..3 {
            seats.push(seat(stage.session(base + hour * 60, 6).await));
        }
        Self {
            appointments,
            seats,
            bookings: Mutex::default(),
        }
    }

    fn wish(&self, rng: &mut StdRng) -> (Wish, i32) {
        if rng.random_bool(0.75) {
            (
                self.appointments[rng.random_range(0..self.appointments.len())].clone(),
                1,
            )
        } else {
            (
                self.seats[rng.random_range(0..self.seats.len())].clone(),
                rng.random_range(1..=4),
            )
        }
    }

    fn booking(&self, rng: &mut StdRng) -> Option<BookingId> {
        let bookings = self.bookings.lock().unwrap();
        (!bookings.is_empty()).then(|| bookings[rng.random_range(0..bookings.len())])
    }

    fn keep(&self, said: &Said) {
        if let Ok(booking) = said {
            self.bookings.lock().unwrap().push(booking.id);
        }
    }

    async fn act(&self, owner: Hand, member: Hand, rng: &mut StdRng) -> Said {
        let (wanted, seats) = self.wish(rng);
        let booking = self.booking(rng);
        match (rng.random_range(0..20), booking) {
            (0..=1, _) | (_, None) => owner.create(new(wanted, seats)).await,
            (2..=3, _) => member.create(held(wanted, seats, rng.random_range(1..20))).await,
            (4, _) => owner.create(confirmed(wanted, seats)).await,
            (5, _) => owner.create(skipping(confirmed(wanted, seats))).await,
            (6, _) => owner.create(skipping(held(wanted, seats, 5))).await,
            (7..=8, Some(booking)) => owner.confirm(booking).await,
            (9, Some(booking)) => owner.decide(booking).await,
            (10, Some(booking)) => owner.decide_paid(booking).await,
            (11, Some(booking)) => owner.pend(booking).await,
            (12..=13, Some(booking)) => owner.cancel(booking).await,
            (14, Some(booking)) => {
                owner
                    .act(booking, frontdesk::service::bookings::Verdict::Decline, None)
                    .await
            }
            (15..=17, Some(booking)) => self.go(owner, booking, wanted, rng).await,
            (_, Some(booking)) => {
                owner
                    .participants(booking, rng.random_range(1..=4), rng.random_bool(0.2))
                    .await
            }
        }
    }

    /// To another place of the same kind.
    async fn go(&self, owner: Hand, booking: BookingId, wanted: Wish, rng: &mut StdRng) -> Said {
        let seen = owner.see(booking).await;
        let wanted = match wanted {
            Wish::Appointment { start, .. } if seen.booked.session.is_none() => {
                crate::stage::appointment_with(seen.booked.service, start, Vec::new())
            }
            Wish::Session { .. } if seen.booked.session.is_some() => wanted,
            _ => return Ok(seen),
        };
        owner.reschedule(booking, wanted, rng.random_bool(0.2)).await
    }
}

on_both_engines! {
    async fn everything_at_once_leaves_everything_in_order(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let ground = Arc::new(Ground::new(&stage, round).await);
            at_once((0..CLIENTS).map(|client| {
                let (ground, owner) = (ground.clone(), stage.owner());
                let member = stage.member(client + CLIENTS * round as usize);
                let clock = stage.clock.clone();
                let mut rng = rng("storm", round * CLIENTS as u32 + client as u32);
                async move {
                    for _ in 0..12 {
                        let said = ground.act(owner.clone(), member.clone(), &mut rng).await;
                        if let Err(rejection) = &said {
                            assert!(expected(rejection), "{rejection:?}");
                        }
                        ground.keep(&said);
                        if rng.random_bool(0.1) {
                            clock.advance(SignedDuration::from_millis(700));
                        }
                    }
                }
            })).await;
            stage.check().await;
        }
        stage.report("everything at once");
    }
}
