//! What stands in the database, past the API: to see that nothing was written, and to put there what no mutation can.

use diesel::{ExpressionMethods as _, QueryDsl as _, update};
use diesel_async::RunQueryDsl as _;
use frontdesk::{
    domain::{
        booking::{Booking, BookingStatus},
        catalog::{BlockedTime, Resource, Schedule, Service, Session},
        conflict::{Claim, Holder, Target},
        hours::HoursOwner,
        ids::{BlockedTimeId, BookingId, ClaimId, SiteId, TypedId as _},
        time::TimeSpan,
    },
    store::{
        Command, Conn, Failure, Tx, bookings, catalog, claims,
        events::{self, Event},
        schema::bookings::{columns, table},
    },
};
use serde_json::{Value, json};

use super::{Server, client::Client};

/// Puts a booking into a status that no mutation of bookings leads to.
struct Put {
    site: SiteId,
    booking: BookingId,
    status: BookingStatus,
}

impl Command for Put {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        claims::release(tx.conn(), self.site, Holder::Booking(self.booking)).await?;
        // The row alone: nothing else of the booking changes, not even its revision.
        let status = update(table.find((self.site, self.booking))).set(columns::status.eq(self.status));
        match tx.conn() {
            Conn::Sqlite(conn) => status.execute(&mut **conn).await?,
            Conn::Pg(conn) => status.execute(&mut &***conn).await?,
        };
        Ok(())
    }
}

/// A change of the catalog behind the API's back.
enum Catalog {
    Service(Box<Service>),
    Session(Box<Session>),
    Schedule(Schedule),
    Block(BlockedTime),
}

struct Change {
    site: SiteId,
    change: Catalog,
}

impl Command for Change {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let site = self.site;
        match &self.change {
            Catalog::Service(service) => catalog::save_service(tx.conn(), site, service).await?,
            Catalog::Session(session) => catalog::save_session(tx.conn(), site, session).await?,
            Catalog::Schedule(schedule) => catalog::save_schedule(tx.conn(), site, schedule).await?,
            Catalog::Block(block) => {
                catalog::insert_blocked_time(tx.conn(), site, block).await?;
                let Some(resource) = block.owner.resource() else {
                    return Ok(());
                };
                let claim = Claim {
                    id: ClaimId::new(),
                    target: Target::Resource(resource),
                    span: block.span,
                    seats: 1,
                    holder: Holder::Block(block.id),
                    hold_expires_at: None,
                    overlap_reason: None,
                };
                claims::insert(tx.conn(), site, &claim).await?;
            }
        }
        Ok(())
    }
}

/// All that an act could have written about a booking: its row, its claims, and where the site's log stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Rows {
    pub booking: Booking,
    pub claims: Vec<Claim>,
    pub position: i64,
}

pub fn booking_id(id: &str) -> BookingId {
    BookingId::parse(id).expect("the id of a booking")
}

impl Server {
    /// A booking's row.
    pub async fn row(&self, id: &str) -> Booking {
        let (site, id) = (self.site, booking_id(id));
        let found = self
            .service()
            .db()
            .read(move |conn| Box::pin(bookings::find(conn, site, id)))
            .await;
        found.unwrap().expect("the booking")
    }

    /// Where the site's log stands.
    pub async fn position(&self) -> i64 {
        let site = self.site;
        self.service()
            .db()
            .read(move |conn| Box::pin(events::last_position(conn, site)))
            .await
            .unwrap()
    }

    /// A booking's claims, oldest first.
    pub async fn claims_of(&self, id: &str) -> Vec<Claim> {
        let (site, holder) = (self.site, Holder::Booking(booking_id(id)));
        self.service()
            .db()
            .read(move |conn| Box::pin(claims::of_holder(conn, site, holder)))
            .await
            .unwrap()
    }

    pub async fn rows(&self, id: &str) -> Rows {
        Rows {
            booking: self.row(id).await,
            claims: self.claims_of(id).await,
            position: self.position().await,
        }
    }

    /// A booking's events, oldest first.
    pub async fn events_of(&self, id: &str) -> Vec<Event> {
        let (site, id) = (self.site, booking_id(id));
        let order = events::Order::Forward;
        let found = self.service().db();
        found
            .read(move |conn| Box::pin(events::of_booking(conn, site, id, 0, None, order, 1000)))
            .await
            .unwrap()
    }

    /// How many bookings the site has.
    pub async fn bookings(&self) -> i64 {
        let site = self.site;
        let all = bookings::BookingFilter::default();
        self.service()
            .db()
            .read(move |conn| Box::pin(bookings::count(conn, site, all)))
            .await
            .unwrap()
    }

    pub async fn put(&self, id: &str, status: BookingStatus) {
        let put = Put {
            site: self.site,
            booking: booking_id(id),
            status,
        };
        self.service().db().write(put).await.expect("put");
    }

    async fn change(&self, change: Catalog) {
        self.service()
            .db()
            .write(Change {
                site: self.site,
                change,
            })
            .await
            .expect("changed");
    }

    pub async fn save_service(&self, service: &Service) {
        self.change(Catalog::Service(Box::new(service.clone()))).await;
    }

    pub async fn save_session(&self, session: &Session) {
        self.change(Catalog::Session(Box::new(session.clone()))).await;
    }

    pub async fn save_schedule(&self, schedule: &Schedule) {
        self.change(Catalog::Schedule(schedule.clone())).await;
    }

    /// Blocks a resource's time.
    pub async fn block(&self, resource: &Resource, span: TimeSpan) {
        let now = self.now();
        let (id, resource) = (BlockedTimeId::new(), resource.id);
        let block = BlockedTime {
            id,
            owner: HoursOwner::Resource(resource),
            span,
            reason: None,
            transparent: false,
            overlap: None,
            revision: 1,
            created: now,
            updated: now,
        };
        self.change(Catalog::Block(block)).await;
    }
}

/// The id of an answer's object.
pub fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap_or_else(|| panic!("an id in {object}"))
}

/// The ids of a list.
pub fn ids(list: &Value) -> Vec<String> {
    list.as_array()
        .unwrap_or_else(|| panic!("a list and not {list}"))
        .iter()
        .map(|o| id(o).to_owned())
        .collect()
}

/// The input of an act on a booking.
pub fn on(booking: &Value) -> Value {
    json!({ "bookingId": booking["id"] })
}

impl Client {
    /// Makes a booking and confirms it.
    pub async fn confirmed(&self, input: Value) -> Value {
        let booking = self.done("createBooking", input).await;
        self.done("confirmBooking", on(&booking)).await
    }

    /// A booking as it is now.
    pub async fn again(&self, booking: &Value) -> Value {
        self.booking(id(booking)).await
    }
}
