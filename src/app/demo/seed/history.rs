//! What happened in the studio so far: planned with dice that fall the same for everybody, then done in order.

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil};

use super::{MEMBER, Studio};
use crate::{
    app::serve::Fatal,
    domain::{
        actor::Actor,
        booking::{
            Booking, BookingStatus, FlowControl, NotificationChannel, ParticipantNotification, Participants,
            PaymentStatus,
        },
        catalog::{Resource, Service as Offered, ServiceKind, Session},
        clock::FixedClock,
        event::{EventSource, EventType},
        ids::{BookingId, SiteId, VisitorId},
        terms::Terms,
    },
    service::{
        Caller, Error,
        bookings::{ActOn, CreateBooking, Target, Verdict, Wanted},
    },
    store::{
        Command, Failure, Tx,
        bookings::{self, Contact},
        events::NewEvent,
    },
};

const PEOPLE: [(&str, &str); 16] = [
    ("Lena", "Fischer"),
    ("Amir", "Haddad"),
    ("Sofia", "Rossi"),
    ("Noah", "Berg"),
    ("Priya", "Nair"),
    ("Tom", "Becker"),
    ("Chloé", "Martin"),
    ("Yuki", "Tanaka"),
    ("Elif", "Yılmaz"),
    ("Mateo", "García"),
    ("Ingrid", "Olsen"),
    ("Kwame", "Mensah"),
    ("Zofia", "Nowak"),
    ("Daniel", "Katz"),
    ("Mei", "Chen"),
    ("Oskar", "Lind"),
];

/// Something that happened in the studio's history.
pub(super) enum Happening {
    Book(usize, Box<CreateBooking>, Caller),
    Decide(usize, Verdict, Option<PaymentStatus>),
}

impl Studio<'_> {
    /// The next number below `sides`: always the same sequence, so that the demo is the same for everybody.
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    /// Somebody, as a member or as a visitor.
    fn customer(&mut self) -> (Caller, Contact) {
        let index = usize::try_from(self.roll(16)).unwrap_or_default();
        let (first, last) = PEOPLE.get(index).copied().unwrap_or(("Lena", "Fischer"));
        let actor = if index == 0 {
            Actor::Member(MEMBER.to_owned())
        } else if index.is_multiple_of(3) {
            Actor::Member(first.to_lowercase())
        } else {
            Actor::Visitor(VisitorId::new())
        };
        let contact = Contact {
            first_name: Some(first.to_owned()),
            last_name: Some(last.to_owned()),
            email: Some(format!("person{index}@mail.example")),
            phone: Some(format!("+49 30 5550 {index:03}")),
            ..Contact::default()
        };
        (Caller::new(self.site.id, actor), contact)
    }

    /// Plans a booking, made some hours before `start` but not after now. Gives its number and when it is made.
    fn book(&mut self, wanted: Wanted, seats: i32, start: Timestamp) -> Option<(usize, Timestamp)> {
        let (caller, contact) = self.customer();
        let lead = i64::try_from(12 + self.roll(9 * 24)).unwrap_or(24);
        let made = start.checked_sub(lead.hours()).ok()?;
        let latest = self
            .now
            .checked_sub(i64::try_from(1 + self.roll(48)).unwrap_or(1).hours())
            .ok()?;
        let made = made.min(latest);
        let input = CreateBooking {
            wanted,
            contact,
            participants: Participants::total(seats).ok()?,
            selected_payment_option: None,
            hold_seconds: None,
            notification: Some(ParticipantNotification {
                notify_participants: true,
                message: None,
                channels: vec![NotificationChannel::Email],
            }),
            flow: FlowControl::default(),
            status: None,
            external_user_id: None,
        };
        let number = self.booked;
        self.booked += 1;
        self.history
            .push((made, Happening::Book(number, Box::new(input), caller)));
        Some((number, made))
    }

    /// Plans a decision some minutes after `after`, unless that is still to come.
    fn decide(&mut self, number: usize, after: Timestamp, minutes: i64, verdict: Verdict, paid: Option<PaymentStatus>) {
        if let Ok(at) = after.checked_add(minutes.minutes())
            && at < self.now
        {
            self.history.push((at, Happening::Decide(number, verdict, paid)));
        }
    }

    pub(super) fn plan_classes(&mut self, sessions: &[Session], most: u64) {
        for session in sessions {
            for _ in 0..2 + self.roll(most) {
                let seats = if self.roll(6) == 0 { 2 } else { 1 };
                let wanted = Wanted::Session {
                    session: session.id,
                    time_zone: None,
                };
                let Some((number, made)) = self.book(wanted, seats, session.span.start()) else {
                    continue;
                };
                let verdict = Verdict::ConfirmOrDecline;
                match self.roll(10) {
                    // Left in the checkout.
                    0 => {}
                    1 => {
                        self.decide(number, made, 4, verdict, Some(PaymentStatus::Paid));
                        self.decide(number, made, 300, Verdict::Cancel, None);
                    }
                    2..=4 => self.decide(number, made, 3, verdict, Some(PaymentStatus::NotPaid)),
                    _ => self.decide(number, made, 5, verdict, Some(PaymentStatus::Paid)),
                }
            }
        }
    }

    pub(super) fn plan_course(&mut self, course: &Offered) {
        for _ in 0..7 {
            let wanted = Wanted::Course {
                schedule: course.schedule,
                time_zone: None,
            };
            let Some((number, made)) = self.book(wanted, 1, self.now) else {
                continue;
            };
            let paid = if self.roll(3) == 0 {
                PaymentStatus::PartiallyPaid
            } else {
                PaymentStatus::Paid
            };
            self.decide(number, made, 6, Verdict::ConfirmOrDecline, Some(paid));
        }
    }

    pub(super) fn plan_trainings(
        &mut self,
        training: &Offered,
        trainers: &[&Resource],
        monday: civil::Date,
    ) -> Result<(), Fatal> {
        let zone = self.site.time_zone.clone();
        for (index, trainer) in trainers.iter().enumerate() {
            for day in -18..12_i64 {
                let date = monday.checked_add(day.days())?;
                if date.weekday().to_monday_zero_offset() > 4 || self.roll(3) == 0 {
                    continue;
                }
                for slot in 0..2_i64 {
                    let hour = i8::try_from(9 + 2 * slot + i64::try_from(index)?)?;
                    let Some(start) = zone.instant(date.at(hour, 0, 0, 0)) else {
                        continue;
                    };
                    let wanted = Wanted::Appointment {
                        service: training.id,
                        start,
                        end: None,
                        time_zone: Some(zone.clone()),
                        resources: vec![trainer.id],
                        location: None,
                    };
                    let Some((number, made)) = self.book(wanted, 1, start) else {
                        continue;
                    };
                    let pending = Verdict::MarkAsPending {
                        skip_pending_approval_service: false,
                    };
                    self.decide(number, made, 2, pending, Some(PaymentStatus::NotPaid));
                    let confirm = Verdict::Confirm {
                        check_availability: false,
                    };
                    match self.roll(8) {
                        0 => self.decide(number, made, 400, Verdict::Decline, None),
                        // Waits for an answer, if it is a recent one.
                        1 | 2 if start > self.now => {}
                        3 => {
                            self.decide(number, made, 200, confirm, None);
                            self.decide(number, made, 900, Verdict::Cancel, None);
                        }
                        _ => self.decide(number, made, 90, confirm, Some(PaymentStatus::Paid)),
                    }
                }
            }
        }
        Ok(())
    }

    /// What the owner finds on the desk today: requests that wait, and two people at one time.
    pub(super) fn plan_requests(
        &mut self,
        training: &Offered,
        maya: &Resource,
        jonas: &Resource,
        monday: civil::Date,
    ) -> Result<(), Fatal> {
        let zone = self.site.time_zone.clone();
        let requests = [
            (maya, 9, 15, false),
            (maya, 10, 16, false),
            (jonas, 11, 14, false),
            (jonas, 14, 15, true),
            (jonas, 14, 15, true),
        ];
        for (trainer, day, hour, confirmed) in requests {
            let Some(start) = zone.instant(monday.checked_add(i64::from(day).days())?.at(hour, 30, 0, 0)) else {
                continue;
            };
            let wanted = Wanted::Appointment {
                service: training.id,
                start,
                end: None,
                time_zone: Some(zone.clone()),
                resources: vec![trainer.id],
                location: None,
            };
            let Some((number, made)) = self.book(wanted, 1, start) else {
                continue;
            };
            if confirmed {
                // Both were in the checkout at once, and the owner confirmed both: the later one is flagged.
                let decided = self.now.checked_sub(SignedDuration::from_mins(50))?;
                self.decide(
                    number,
                    decided,
                    1,
                    Verdict::Confirm {
                        check_availability: false,
                    },
                    Some(PaymentStatus::Paid),
                );
            } else {
                let pending = Verdict::MarkAsPending {
                    skip_pending_approval_service: false,
                };
                self.decide(number, made, 2, pending, Some(PaymentStatus::NotPaid));
            }
        }
        Ok(())
    }

    /// Takes all seats that a session has left, and gives a booking that waits for one.
    pub(super) fn fill(&mut self, session: &Session) -> Result<Booking, Fatal> {
        let wanted = || Wanted::Session {
            session: session.id,
            time_zone: None,
        };
        // One by one: the last ones that don't fit are refused when the history is played.
        for _ in 0..session.capacity {
            let Some((number, made)) = self.book(wanted(), 1, session.span.start()) else {
                continue;
            };
            self.decide(number, made, 5, Verdict::ConfirmOrDecline, Some(PaymentStatus::Paid));
        }
        let (caller, _) = self.customer();
        let made = self.now.checked_sub(SignedDuration::from_mins(45))?;
        Ok(Booking {
            id: BookingId::new(),
            status: BookingStatus::WaitingList,
            payment_status: PaymentStatus::Undefined,
            selected_payment_option: None,
            booked: crate::domain::booking::Booked {
                service: session.service,
                kind: ServiceKind::Class,
                schedule: session.schedule,
                session: Some(session.id),
                span: Some(session.span),
                buffer_minutes: 0,
                time_zone: session.time_zone.clone(),
                resources: session.resources.clone(),
                location: None,
                title: session.title.clone(),
            },
            participants: Participants::total(1)?,
            double_booked: false,
            hold_expires_at: None,
            flow: FlowControl::default(),
            external_user_id: None,
            created_by: caller.actor.identity(),
            participant_notification: None,
            revision: 1,
            created: made,
            updated: made,
            canceled: None,
            terms: Terms::default(),
            package: None,
        })
    }

    /// Does what was planned, in order. What the rules refuse didn't happen: a full class stays full.
    pub(super) async fn play(&mut self, clock: &FixedClock) -> Result<(), Fatal> {
        let mut history = std::mem::take(&mut self.history);
        history.sort_by_key(|(at, _)| *at);
        let mut made: Vec<Option<BookingId>> = vec![None; self.booked];
        for (at, happening) in history {
            clock.set(at);
            let refused = match happening {
                Happening::Book(number, input, caller) => {
                    match self.service.create_booking(&caller, *input, None).await {
                        Ok(created) => {
                            if let Some(place) = made.get_mut(number) {
                                *place = Some(created.booking.id);
                            }
                            None
                        }
                        Err(error) => Some(error),
                    }
                }
                Happening::Decide(number, verdict, payment_status) => {
                    let Some(booking) = made.get(number).copied().flatten() else {
                        continue;
                    };
                    let target = Target {
                        booking,
                        expected_revision: None,
                        idempotency: None,
                        notification: None,
                    };
                    let input = ActOn {
                        target,
                        verdict,
                        payment_status,
                    };
                    self.service.act_on_booking(&self.owner, input).await.err()
                }
            };
            match refused {
                None | Some(Error::Rejected(_)) => {}
                Some(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
/// Puts a booking on the waiting list, as the waitlist will.
pub(super) struct PutOnWaitingList {
    pub(super) site: SiteId,
    pub(super) booking: Booking,
}

impl Command for PutOnWaitingList {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let contact = Contact {
            first_name: Some("Ingrid".to_owned()),
            last_name: Some("Olsen".to_owned()),
            email: Some("person10@mail.example".to_owned()),
            ..Contact::default()
        };
        bookings::insert(tx.conn(), self.site, &self.booking, &contact).await?;
        tx.record(NewEvent {
            state: self.booking.clone(),
            event_type: EventType::Created,
            previous_status: None,
            previous_resources: Vec::new(),
            left_package: None,
            actor: self.booking.created_by.clone(),
            source: EventSource::Request,
            occurred: self.booking.created,
        });
        Ok(())
    }
}
