//! Timers: what is due is acted on, once in a while or when poked, whatever fails in between.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "support/log.rs"]
mod log;

use std::{sync::Arc, time::Duration};

use frontdesk::{
    domain::{
        booking::ServiceKind,
        catalog::{DownPayment, OnlineBooking, PaymentOptions, Presentation, Price, Schedule, Service, SlugOrigin},
        clock::{Clock as _, FixedClock},
        conflict::{Claim, Holder, Target},
        ids::{BookingId, ClaimId, ScheduleId, ServiceId, SiteId},
        time::TimeSpan,
    },
    live::{
        HubSettings,
        timers::{TimerSettings, Timers},
    },
    store::{
        Command, Db, Failure, StoreError, Tx, bookings, catalog, claims,
        idempotency::{self, Key, Record},
    },
};
use jiff::{SignedDuration, Timestamp};
use log::{Database, Node, booking, soon};
use tokio::sync::{Notify, mpsc};

/// Longer than the test: only a poke or a due time wakes.
const NEVER: Duration = Duration::from_hours(1);

fn settings() -> TimerSettings {
    TimerSettings {
        longest_sleep: NEVER,
        batch: 2,
        sweep_every: Duration::from_millis(20),
    }
}

/// A booking with a hold, and all that has to be there for it.
struct Hold {
    site: SiteId,
    booking: BookingId,
    expires: Timestamp,
}

impl Command for Hold {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let (site, now) = (self.site, tx.now());
        let (service, schedule) = (ServiceId::new(), ScheduleId::new());
        let of = Service {
            id: service,
            kind: ServiceKind::Appointment,
            name: "An hour".into(),
            slug: service.to_string(),
            slug_origin: SlugOrigin::default(),
            presentation: Presentation::default(),
            description: None,
            default_capacity: 1,
            durations: vec![60],
            buffer_minutes: 0,
            slot_step: frontdesk::domain::catalog::SlotStep::default(),
            staff_sorting: frontdesk::domain::catalog::StaffSorting::default(),
            booking_policy: None,
            price: Price::NoFee,
            payment_options: PaymentOptions::in_person_alone(),
            down_payment: DownPayment::default(),
            online_booking: OnlineBooking {
                enabled: true,
                require_manual_approval: false,
                allow_multiple_requests: false,
            },
            locations: Vec::new(),
            requirements: Vec::new(),
            schedule,
            revision: 1,
            created: now,
            updated: now,
        };
        catalog::insert_service(tx.conn(), site, &of).await?;
        let on = Schedule {
            id: schedule,
            service,
            name: "An hour".into(),
            capacity: 1,
            span: None,
            revision: 1,
            created: now,
            updated: now,
        };
        catalog::insert_schedule(tx.conn(), site, &on).await?;
        let mut held = booking(self.booking, 1, now);
        held.booked.service = service;
        held.booked.schedule = schedule;
        held.hold_expires_at = Some(self.expires);
        let contact = bookings::Contact {
            first_name: None,
            last_name: None,
            email: None,
            phone: None,
            full_address: None,
            country_code: None,
        };
        bookings::insert(tx.conn(), site, &held, &contact).await?;
        let claim = Claim {
            id: ClaimId::new(),
            target: Target::Schedule(schedule),
            span: TimeSpan::new(now, now + SignedDuration::from_hours(1)).expect("an hour"),
            seats: 1,
            holder: Holder::Booking(self.booking),
            hold_expires_at: Some(self.expires),
            overlap_reason: None,
        };
        Ok(claims::insert(tx.conn(), site, &claim).await?)
    }
}

struct Release {
    site: SiteId,
    booking: BookingId,
}

impl Command for Release {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let site = self.site;
        Ok(claims::release(tx.conn(), site, Holder::Booking(self.booking)).await?)
    }
}

struct Stage {
    node: Node,
    clock: Arc<FixedClock>,
    nearer: Arc<Notify>,
    /// What was expired; each has to be answered with whether it works.
    expired: mpsc::UnboundedReceiver<BookingId>,
    timers: Timers,
}

impl Stage {
    /// With timers that release a hold, except for those in `broken`.
    async fn new(database: &Database, broken: Vec<BookingId>) -> Self {
        let clock = Arc::new(FixedClock::new("2026-03-02T09:00:00Z".parse().unwrap()));
        let node = database.node_at(HubSettings::default(), clock.clone()).await;
        let nearer = Arc::new(Notify::new());
        let (tell, expired) = mpsc::unbounded_channel();
        let (db, broken) = (node.db.clone(), Arc::new(broken));
        let expire = move |site, booking| expire(db.clone(), broken.clone(), tell.clone(), site, booking);
        let timers = Timers::start(
            node.db.clone(),
            settings(),
            nearer.clone(),
            node.shutdown.clone(),
            expire,
        );
        Self {
            node,
            clock,
            nearer,
            expired,
            timers,
        }
    }

    async fn hold(&self, site: SiteId, minutes: i64) -> BookingId {
        self.hold_of(site, BookingId::new(), minutes).await
    }

    async fn hold_of(&self, site: SiteId, booking: BookingId, minutes: i64) -> BookingId {
        let expires = self.clock.now() + SignedDuration::from_mins(minutes);
        let hold = Hold { site, booking, expires };
        self.node.db.write(hold).await.unwrap();
        booking
    }

    fn pass(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
        self.nearer.notify_one();
    }

    async fn expired(&mut self) -> BookingId {
        soon("an expiry", self.expired.recv()).await.unwrap()
    }
}

async fn expire(
    db: Db,
    broken: Arc<Vec<BookingId>>,
    tell: mpsc::UnboundedSender<BookingId>,
    site: SiteId,
    booking: BookingId,
) -> Result<(), Failure> {
    let _ = tell.send(booking);
    if broken.contains(&booking) {
        return Err(StoreError::Unavailable("as the test wants it".into()).into());
    }
    db.write(Release { site, booking }).await
}

#[tokio::test]
async fn holds_that_ran_out_are_settled_site_by_site_and_others_are_left() {
    for database in Database::each().await {
        let mut stage = Stage::new(&database, Vec::new()).await;
        let (site, other) = (stage.node.site().await, stage.node.site().await);
        let mut due = vec![
            stage.hold(site, 5).await,
            stage.hold(other, 5).await,
            stage.hold(site, 10).await,
            stage.hold(site, 9).await,
            stage.hold(other, 10).await,
        ];
        let later = stage.hold(site, 20).await;
        stage.pass(10);
        let mut expired = Vec::new();
        for _ in 0..due.len() {
            expired.push(stage.expired().await);
        }
        due.sort();
        expired.sort();
        assert_eq!(expired, due);
        stage.pass(10);
        assert_eq!(stage.expired().await, later);
        stage.node.shutdown.cancel();
        soon("the stop", stage.timers.stopped()).await;
        assert!(stage.expired.try_recv().is_err(), "each was settled once");
        database.remove().await;
    }
}

#[tokio::test]
async fn a_hold_that_cannot_be_settled_is_tried_again_and_keeps_no_other_waiting() {
    let database = Database::sqlite();
    let broken: Vec<_> = (0..3).map(|_| BookingId::new()).collect();
    let mut stage = Stage::new(&database, broken.clone()).await;
    let site = stage.node.site().await;
    for id in &broken {
        stage.hold_of(site, *id, 1).await;
    }
    let mut sound = vec![stage.hold(site, 2).await, stage.hold(site, 3).await];
    stage.pass(5);
    // More are broken than one batch holds.
    let mut tries = 0;
    while !sound.is_empty() || tries < 9 {
        let expired = stage.expired().await;
        if broken.contains(&expired) {
            tries += 1;
        } else {
            let at = sound.iter().position(|id| *id == expired).expect("settled once");
            sound.swap_remove(at);
        }
    }
    stage.node.shutdown.cancel();
    soon("the stop", stage.timers.stopped()).await;
}

/// Keeps one outcome.
struct Keep {
    key: Key,
    expires: Timestamp,
}

impl Command for Keep {
    type Output = ();

    fn site(&self) -> SiteId {
        self.key.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let now = tx.now();
        let record = Record {
            input_hash: vec![0; 32],
            outcome: "{}".into(),
        };
        idempotency::keep(tx.conn(), &self.key, &record, now, self.expires).await
    }
}

#[tokio::test]
async fn idempotency_records_are_deleted_when_their_time_is_over() {
    for database in Database::each().await {
        let stage = Stage::new(&database, Vec::new()).await;
        let mut kept = Vec::new();
        for days in [1, 1, 1, 3] {
            let key = Key {
                site: stage.node.site().await,
                caller: "owner".into(),
                mutation: "createBooking",
                key: "a".into(),
            };
            let expires = stage.clock.now() + SignedDuration::from_hours(24 * days);
            stage
                .node
                .db
                .write(Keep {
                    key: key.clone(),
                    expires,
                })
                .await
                .unwrap();
            kept.push(key);
        }
        let start = stage.clock.now();
        stage.clock.advance(SignedDuration::from_hours(24));
        let left = |key: Key| {
            let db = stage.node.db.clone();
            async move {
                // As it was asked before its time was over, a record is found as long as its row is there.
                db.read(move |conn| Box::pin(async move { idempotency::find(conn, &key, start).await }))
                    .await
                    .unwrap()
                    .is_some()
            }
        };
        for key in &kept[..3] {
            let gone = async {
                while left(key.clone()).await {
                    tokio::task::yield_now().await;
                }
            };
            soon("the sweep", gone).await;
        }
        assert!(left(kept[3].clone()).await);
        stage.node.shutdown.cancel();
        soon("the stop", stage.timers.stopped()).await;
        database.remove().await;
    }
}
