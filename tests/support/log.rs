//! Databases with a log to write to, on each engine, without the service layer.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test file uses a part of it"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use frontdesk::{
    domain::{
        actor::Actor,
        booking::{Booked, Booking, BookingStatus, FlowControl, Participants, PaymentStatus, ServiceKind},
        catalog::Site,
        clock::{Clock, SystemClock},
        event::{EventSource, EventType, Matter},
        ids::{BookingId, ScheduleId, ServiceId, SiteId},
        money::Currency,
        time::ZoneName,
    },
    live::{Hub, HubSettings, commit_listener},
    store::{Command, DatabaseUrl, Db, Failure, StoreSettings, Tx, events::NewEvent, sites},
};
use futures::{Stream, StreamExt as _};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes, shorter than anybody waits for a test that hangs.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for something that must come.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} didn't come"))
}

/// The next item of a stream that must have one.
pub async fn next<S: Stream + Unpin>(stream: &mut S) -> S::Item {
    soon("the next item", stream.next()).await.expect("the stream ended")
}

/// A database of its own.
pub struct Database {
    pub url: DatabaseUrl,
    dir: Option<tempfile::TempDir>,
    drop: Option<(String, String)>,
}

impl Database {
    /// One of each engine that is there.
    pub async fn each() -> Vec<Self> {
        let mut all = vec![Self::sqlite()];
        match Self::postgres().await {
            Some(database) => all.push(database),
            None => eprintln!("ONE ENGINE ONLY: TEST_POSTGRES_URL is not set"),
        }
        all
    }

    pub fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            url: DatabaseUrl::Sqlite(dir.path().join("frontdesk.db")),
            dir: Some(dir),
            drop: None,
        }
    }

    pub async fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let admin = std::env::var("TEST_POSTGRES_URL").ok()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("frontdesk_live_{}_{number}", std::process::id());
        statement(&admin, &format!("CREATE DATABASE {name}")).await;
        let (front, options) = admin.split_once('?').map_or((&*admin, ""), |(f, o)| (f, o));
        let scheme = front.find("://").unwrap() + 3;
        let host = front[scheme..].find('/').map_or(front.len(), |slash| scheme + slash);
        let url = format!("{}/{name}?{options}", &front[..host]);
        Some(Self {
            url: DatabaseUrl::Postgres(url),
            dir: None,
            drop: Some((admin, name)),
        })
    }

    pub fn is_postgres(&self) -> bool {
        self.drop.is_some()
    }

    /// A node on it, as it is set up by default.
    pub async fn node(&self) -> Node {
        self.node_with(HubSettings::default()).await
    }

    pub async fn node_with(&self, settings: HubSettings) -> Node {
        self.node_at(settings, Arc::new(SystemClock)).await
    }

    pub async fn node_at(&self, settings: HubSettings, clock: Arc<dyn Clock>) -> Node {
        let (listener, commits) = commit_listener();
        let store = StoreSettings {
            url: self.url.clone(),
            connections: 8,
            migrate: true,
            max_bytes: None,
        };
        let db = Db::open(&store, clock, listener).await.unwrap();
        let shutdown = CancellationToken::new();
        let hub = Hub::start(db.clone(), commits, settings, &shutdown);
        Node { db, hub, shutdown }
    }

    pub async fn remove(self) {
        if let Some((admin, name)) = &self.drop {
            statement(admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

/// Runs one statement on a connection of its own; says how many rows it touched.
pub async fn statement(url: &str, sql: &str) -> u64 {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    let rows = client.execute(sql, &[]).await.unwrap();
    drop(client);
    let _ = driver.await;
    rows
}

pub struct Node {
    pub db: Db,
    pub hub: Hub,
    pub shutdown: CancellationToken,
}

impl Node {
    pub async fn site(&self) -> SiteId {
        let site = SiteId::new();
        self.db.write(AddSite { site }).await.unwrap();
        site
    }

    /// Appends one event to each of these bookings' histories, in one commit.
    pub async fn append(&self, site: SiteId, events: &[(BookingId, i64)]) {
        append(&self.db, site, events).await;
    }

    /// Appends `count` events of bookings of their own, in commits of up to 100.
    pub async fn append_many(&self, site: SiteId, count: usize) {
        let all: Vec<_> = (0..count).map(|_| (BookingId::new(), 1)).collect();
        for events in all.chunks(100) {
            self.append(site, events).await;
        }
    }
}

pub async fn touch(db: &Db, site: SiteId) {
    db.write(Touch { site }).await.unwrap();
}

pub struct Touch {
    pub site: SiteId,
}

impl Command for Touch {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        tx.touch(Matter::Everything, None);
        Ok(())
    }
}

pub async fn append(db: &Db, site: SiteId, events: &[(BookingId, i64)]) {
    let events = events.to_vec();
    db.write(Append { site, events }).await.unwrap();
}

pub struct AddSite {
    pub site: SiteId,
}

impl Command for AddSite {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let now = tx.now();
        let site = Site {
            id: self.site,
            slug: self.site.to_string(),
            name: "A studio".into(),
            time_zone: ZoneName::utc(),
            currency: Currency::parse("EUR").expect("a currency"),
            revision: 1,
            created: now,
            updated: now,
        };
        sites::insert(tx.conn(), &site).await
    }
}

struct Append {
    site: SiteId,
    events: Vec<(BookingId, i64)>,
}

impl Command for Append {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let now = tx.now();
        for (id, revision) in &self.events {
            let state = booking(*id, *revision, now);
            tx.record(NewEvent {
                previous_status: (*revision > 1).then_some(state.status),
                actor: state.created_by.clone(),
                event_type: if *revision == 1 {
                    EventType::Created
                } else {
                    EventType::Updated
                },
                previous_resources: Vec::new(),
                left_package: None,
                source: EventSource::Request,
                occurred: now,
                state,
            });
        }
        Ok(())
    }
}

/// A booking of nothing that exists.
pub fn booking(id: BookingId, revision: i64, now: Timestamp) -> Booking {
    Booking {
        id,
        status: BookingStatus::Created,
        payment_status: PaymentStatus::Undefined,
        selected_payment_option: None,
        booked: Booked {
            service: ServiceId::new(),
            kind: ServiceKind::Appointment,
            schedule: ScheduleId::new(),
            session: None,
            span: None,
            buffer_minutes: 0,
            time_zone: ZoneName::utc(),
            resources: Vec::new(),
            location: None,
            title: "An hour".into(),
        },
        participants: Participants::total(1).expect("one is enough"),
        double_booked: false,
        hold_expires_at: None,
        flow: FlowControl::default(),
        external_user_id: None,
        created_by: Actor::Owner("owner".into()).identity(),
        participant_notification: None,
        revision,
        created: now,
        updated: now,
        canceled: None,
        terms: frontdesk::domain::terms::Terms::default(),
        package: None,
    }
}
