//! Where races are run: a server with a clock that stands still, the studio, and acts at the service layer.

use std::{future::Future, sync::Arc};

use frontdesk::{
    domain::{
        Rejection,
        actor::Actor,
        booking::{Booking, BookingStatus, FlowControl, Participants, PaymentStatus},
        catalog::{Resource, Schedule, Service as Offered, Session},
        clock::FixedClock,
        ids::{BookingId, ResourceId, ScheduleId, ServiceId, SessionId, SiteId},
        time::TimeSpan,
    },
    service::{
        Caller, Error, IdempotencyKey, Service,
        bookings::{ActOn, CreateBooking, RescheduleBooking, Target, UpdateParticipants, Verdict, Wanted},
    },
    store::{Command, Failure, Tx, bookings::Contact, catalog},
};
use futures::future::join_all;
use jiff::{Timestamp, ToSpan as _};
use rand::{SeedableRng as _, rngs::StdRng};
use tokio::sync::Barrier;

use crate::{
    invariants, retries,
    support::{Engine, Server, Studio},
};

/// How many clients come at once.
pub const CLIENTS: usize = 64;

/// `RACE_ROUNDS`, or a few.
pub fn rounds() -> u32 {
    std::env::var("RACE_ROUNDS")
        .ok()
        .map_or(6, |text| text.parse().expect("RACE_ROUNDS is a number"))
}

/// Random numbers of a round, the same for the same `RACE_SEED`.
pub fn rng(scenario: &str, round: u32) -> StdRng {
    let seed: u64 = std::env::var("RACE_SEED")
        .ok()
        .map_or(1, |text| text.parse().expect("RACE_SEED is a number"));
    let name = scenario
        .bytes()
        .fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    StdRng::seed_from_u64(
        seed.wrapping_mul(1_000_003)
            .wrapping_add(name)
            .wrapping_add(round.into()),
    )
}

pub struct Stage {
    pub server: Server,
    pub studio: Studio,
    pub clock: Arc<FixedClock>,
    pub engine: Engine,
}

/// What is wanted.
pub type Wish = Wanted;

/// What came of an act: done, or refused for a reason that a client can handle. Anything else fails the test.
pub type Said<T = Booking> = Result<T, Rejection>;

fn said<T>(result: Result<T, Error>) -> Said<T> {
    match result {
        Ok(done) => Ok(done),
        Err(Error::Rejected(rejection)) => Err(rejection),
        Err(error) => panic!("a client got: {error:?}"),
    }
}

/// Runs all of them at once, as far as the machine can.
pub async fn at_once<T, F>(acts: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let acts: Vec<F> = acts.into_iter().collect();
    let start = Arc::new(Barrier::new(acts.len().max(1)));
    let running = acts.into_iter().map(|act| {
        let start = start.clone();
        tokio::spawn(async move {
            start.wait().await;
            act.await
        })
    });
    join_all(running)
        .await
        .into_iter()
        .map(|done| done.expect("no act panics"))
        .collect()
}

impl Stage {
    pub async fn open(engine: Engine) -> Self {
        retries::count();
        let clock = Arc::new(FixedClock::new("2030-05-06T08:00:00Z".parse().unwrap()));
        let server = Server::start_with(engine, clock.clone()).await;
        let studio = Studio::open(&server).await;
        Self {
            server,
            studio,
            clock,
            engine,
        }
    }

    pub async fn check(&self) {
        invariants::check(self.server.service(), self.server.site).await;
    }

    /// The whole is looked at after every few rounds and after the last: it grows.
    pub async fn check_round(&self, round: u32) {
        if round % 10 == 9 || round + 1 == rounds() || round < 3 {
            self.check().await;
        }
    }

    pub fn report(&self, what: &str) {
        retries::report(&format!("{what} on {:?}", self.engine), rounds());
    }

    pub fn at(&self, minutes: i64) -> Timestamp {
        // Beyond the sessions that the studio opens with.
        self.studio
            .noon
            .checked_add((10 * 24 * 60 + minutes).minutes())
            .unwrap()
    }

    pub fn span(&self, from: i64, to: i64) -> TimeSpan {
        TimeSpan::new(self.at(from), self.at(to)).unwrap()
    }

    /// Someone who acts.
    pub fn hand(&self, caller: Caller) -> Hand {
        Hand {
            service: self.server.service().clone(),
            caller,
        }
    }

    pub fn owner(&self) -> Hand {
        self.hand(owner(self.server.site))
    }

    pub fn member(&self, number: usize) -> Hand {
        let actor = Actor::Member(format!("member-{number}"));
        self.hand(Caller::new(self.server.site, actor))
    }

    /// A new session of yoga.
    pub async fn session(&self, minutes: i64, capacity: i32) -> SessionId {
        let mut session = self.studio.session.clone();
        session.id = SessionId::new();
        session.span = self.span(minutes, minutes + 60);
        session.capacity = capacity;
        session.resources = Vec::new();
        let id = session.id;
        self.add(Add::Session(session)).await;
        id
    }

    /// A new run of the course.
    pub async fn run(&self, capacity: i32) -> ScheduleId {
        let mut run = self.studio.run.clone();
        run.id = ScheduleId::new();
        run.capacity = capacity;
        let id = run.id;
        self.add(Add::Run(run)).await;
        id
    }

    async fn add(&self, what: Add) {
        let command = AddToCatalog {
            site: self.server.site,
            what,
        };
        self.server.service().db().write(command).await.expect("it is added");
    }
}

pub fn owner(site: SiteId) -> Caller {
    Caller::new(site, Actor::Owner("olga".to_owned()))
}

#[expect(clippy::large_enum_variant, reason = "there are a handful of them")]
enum Add {
    Session(Session),
    Run(Schedule),
}

struct AddToCatalog {
    site: SiteId,
    what: Add,
}

impl Command for AddToCatalog {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        match &self.what {
            Add::Session(session) => catalog::insert_session(tx.conn(), self.site, session).await?,
            Add::Run(run) => catalog::insert_schedule(tx.conn(), self.site, run).await?,
        }
        Ok(())
    }
}

/// Someone who acts, at the service layer.
#[derive(Clone)]
pub struct Hand {
    pub service: Service,
    pub caller: Caller,
}

/// An appointment that is wanted, with somebody by name or with anybody.
pub fn appointment(service: &Offered, start: Timestamp, with: &[&Resource]) -> Wanted {
    appointment_with(service.id, start, with.iter().map(|resource| resource.id).collect())
}

pub fn appointment_with(service: ServiceId, start: Timestamp, resources: Vec<ResourceId>) -> Wanted {
    Wanted::Appointment {
        service,
        start,
        end: None,
        time_zone: None,
        resources,
        location: None,
    }
}

pub fn seat(session: SessionId) -> Wanted {
    Wanted::Session {
        session,
        time_zone: None,
    }
}

pub fn place(schedule: ScheduleId) -> Wanted {
    Wanted::Course {
        schedule,
        time_zone: None,
    }
}

/// A booking that is to be made: nothing held, no overrides.
pub fn new(wanted: Wanted, seats: i32) -> CreateBooking {
    CreateBooking {
        wanted,
        contact: Contact {
            first_name: Some("Ada".to_owned()),
            ..Contact::default()
        },
        participants: Participants::total(seats).unwrap(),
        selected_payment_option: None,
        hold_seconds: None,
        notification: None,
        flow: FlowControl::default(),
        status: None,
        external_user_id: None,
    }
}

pub fn held(wanted: Wanted, seats: i32, seconds: i32) -> CreateBooking {
    CreateBooking {
        hold_seconds: Some(seconds),
        ..new(wanted, seats)
    }
}

pub fn confirmed(wanted: Wanted, seats: i32) -> CreateBooking {
    CreateBooking {
        status: Some(BookingStatus::Confirmed),
        ..new(wanted, seats)
    }
}

pub fn skipping(input: CreateBooking) -> CreateBooking {
    CreateBooking {
        flow: FlowControl {
            skip_availability_validation: true,
            ..FlowControl::default()
        },
        ..input
    }
}

fn target(booking: BookingId) -> Target {
    Target {
        booking,
        expected_revision: None,
        idempotency: None,
        notification: None,
    }
}

impl Hand {
    pub async fn create(self, input: CreateBooking) -> Said {
        said(self.service.create_booking(&self.caller, input, None).await).map(|created| created.booking)
    }

    pub async fn create_under(self, input: CreateBooking, key: &str) -> Said {
        let key = IdempotencyKey {
            key: key.to_owned(),
            input_hash: vec![1],
        };
        said(self.service.create_booking(&self.caller, input, Some(key)).await).map(|created| created.booking)
    }

    pub async fn bulk(self, inputs: Vec<CreateBooking>) -> Vec<Said> {
        said(self.service.bulk_create_booking(&self.caller, inputs, None).await)
            .expect("a bulk is never refused")
            .results
    }

    pub async fn act(self, booking: BookingId, verdict: Verdict, payment_status: Option<PaymentStatus>) -> Said {
        let input = ActOn {
            target: target(booking),
            verdict,
            payment_status,
        };
        said(self.service.act_on_booking(&self.caller, input).await)
    }

    pub async fn act_at(self, booking: BookingId, verdict: Verdict, revision: i64) -> Said {
        let target = Target {
            expected_revision: Some(revision),
            ..target(booking)
        };
        said(
            self.service
                .act_on_booking(
                    &self.caller,
                    ActOn {
                        target,
                        verdict,
                        payment_status: None,
                    },
                )
                .await,
        )
    }

    pub async fn confirm(self, booking: BookingId) -> Said {
        self.act(
            booking,
            Verdict::Confirm {
                check_availability: false,
            },
            None,
        )
        .await
    }

    pub async fn cancel(self, booking: BookingId) -> Said {
        self.act(booking, Verdict::Cancel, None).await
    }

    /// The double-booking rule on a booking that nobody paid for.
    pub async fn decide(self, booking: BookingId) -> Said {
        self.act(booking, Verdict::ConfirmOrDecline, Some(PaymentStatus::NotPaid))
            .await
    }

    /// The same on one that was paid for.
    pub async fn decide_paid(self, booking: BookingId) -> Said {
        self.act(booking, Verdict::ConfirmOrDecline, Some(PaymentStatus::Paid))
            .await
    }

    pub async fn pend(self, booking: BookingId) -> Said {
        self.act(
            booking,
            Verdict::MarkAsPending {
                skip_pending_approval_service: true,
            },
            None,
        )
        .await
    }

    pub async fn reschedule(self, booking: BookingId, wanted: Wanted, skip: bool) -> Said {
        let input = RescheduleBooking {
            target: target(booking),
            wanted,
            participants: None,
            skip_availability_validation: skip,
            skip_business_confirmation: false,
        };
        said(self.service.reschedule_booking(&self.caller, input).await)
    }

    pub async fn participants(self, booking: BookingId, seats: i32, skip: bool) -> Said {
        let input = UpdateParticipants {
            target: target(booking),
            participants: Participants::total(seats).unwrap(),
            skip_availability_validation: skip,
        };
        said(self.service.update_number_of_participants(&self.caller, input).await)
    }

    /// A booking as it is now.
    pub async fn see(&self, booking: BookingId) -> Booking {
        self.service
            .booking(&self.caller, booking)
            .await
            .expect("a look")
            .expect("a booking")
    }
}

/// Whether there was no room, in the words for it.
pub fn no_room<T>(said: &Said<T>) -> bool {
    matches!(
        said,
        Err(Rejection::SlotNotAvailable { .. } | Rejection::CapacityExceeded { .. })
    )
}

/// Whether the booking was no longer in a status for the act.
pub fn too_late<T>(said: &Said<T>) -> bool {
    matches!(said, Err(Rejection::InvalidStatus { .. }))
}
