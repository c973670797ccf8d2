//! The limit on SQLite: plain Diesel, without a server around it, running the statements of a created booking in
//! batches on one thread. The values are prepared as far as they go: no rule is checked, nothing is understood.
//!
//! [`same_statements`] compares what it runs with what the store runs, so that the limit keeps up with the store.

use std::{
    cell::RefCell,
    path::Path,
    time::{Duration, Instant},
};

use diesel::{
    connection::{InstrumentationEvent, SimpleConnection as _, set_default_instrumentation},
    insert_into,
    prelude::*,
    update,
};
use frontdesk::{
    domain::{
        actor::ActorKind,
        booking::{BookingStatus, FlowControl, PaymentStatus, SelectedPaymentOption, ServiceKind},
        catalog::ResourceType,
        conflict::OverlapReason,
        event::{EventSource, EventType},
        ids::{BlockedTimeId, BookingId, ClaimId, ResourceId, ScheduleId, ServiceId, SessionId, SiteId},
    },
    store::{
        DatabaseUrl,
        schema::{booking_contacts, bookings, claims, events, resources, services, sessions, site_counters, sites},
        types::{At, Json},
    },
};
use jiff::{Timestamp, ToSpan as _};
use serde_json::value::RawValue;

use super::{
    mix::{HOLD, What, Wish, member, wish},
    seed::{SESSIONS, STAFF, Sort, TEAM, first_day, id, service_of},
    stats::Tickets,
};

/// Commands of one transaction.
pub const BATCH: u64 = 128;

type Raw = Json<Box<RawValue>>;

/// A document as it comes.
fn raw(json: &str) -> Raw {
    Json(RawValue::from_string(json.to_owned()).expect("JSON"))
}

pub struct Plain {
    conn: SqliteConnection,
    day: Timestamp,
    state: Raw,
    contact: Raw,
}

impl Plain {
    /// On a database that is there, with the pragmas of the store.
    pub fn open(path: &Path) -> Self {
        let mut conn = SqliteConnection::establish(&path.to_string_lossy()).expect("the database opens");
        conn.batch_execute(
            "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA trusted_schema = OFF;",
        )
        .expect("pragmas");
        Self {
            conn,
            day: first_day(),
            state: raw(STATE),
            contact: raw(CONTACT),
        }
    }

    /// How many commands a second it does.
    pub fn rate(&mut self, tickets: &Tickets, time: Duration) -> f64 {
        let mut done = 0;
        let began = Instant::now();
        while began.elapsed() < time {
            self.conn.batch_execute("BEGIN IMMEDIATE").expect("begins");
            for _ in 0..BATCH {
                let number = tickets.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                self.create(&wish(number, 1, self.day));
            }
            self.conn.batch_execute("COMMIT").expect("commits");
            done += BATCH;
        }
        done as f64 / began.elapsed().as_secs_f64()
    }

    /// The statements of one `createBooking`.
    pub fn create(&mut self, wish: &Wish) {
        let site: SiteId = id(Sort::Site, wish.site, 0);
        let (now, booking) = (At(self.day), BookingId::new());
        let created_by = member(wish.member);
        let (service, session, resource, start, minutes) = match wish.what {
            What::Class { session } => {
                let session: SessionId = id(Sort::Session, wish.site, session);
                self.find_session(site, session);
                self.claims_of_session(site, session);
                let service: ServiceId = id(Sort::Service, wish.site, 0);
                self.find_service(site, service);
                (service, Some(session), None, self.day, 60)
            }
            What::Appointment { resource, start } => {
                let service: ServiceId = id(Sort::Service, wish.site, service_of(resource));
                self.find_service(site, service);
                let first = resource / TEAM * TEAM;
                let team: Vec<ResourceId> = (first..first + TEAM)
                    .map(|member| id(Sort::Resource, wish.site, member))
                    .collect();
                self.find_site(site);
                self.find_resources(site, team);
                let resource: ResourceId = id(Sort::Resource, wish.site, resource);
                self.claims_of_resource(site, resource, start);
                self.live_holds(site, &created_by);
                (service, None, Some(resource), start, 30)
            }
        };
        let end = start.checked_add(i64::from(minutes).minutes()).unwrap();
        let hold = resource.map(|_| At(self.day.checked_add(i64::from(HOLD).seconds()).unwrap()));
        let kind = if session.is_some() {
            ServiceKind::Class
        } else {
            ServiceKind::Appointment
        };
        let schedule: ScheduleId = id(Sort::Schedule, wish.site, u64::from(session.is_none()));
        let row = (
            (
                bookings::site_id.eq(site),
                bookings::id.eq(booking),
                bookings::status.eq(BookingStatus::Created),
                bookings::payment_status.eq(PaymentStatus::Undefined),
                bookings::selected_payment_option.eq(Some(SelectedPaymentOption::Offline)),
                bookings::service_id.eq(service),
                bookings::kind.eq(kind),
                bookings::schedule_id.eq(schedule),
                bookings::session_id.eq(session),
                bookings::resource_id.eq(resource),
                bookings::resources.eq(raw("[]")),
                bookings::starts_at.eq(At(start)),
                bookings::ends_at.eq(At(end)),
                bookings::buffer_minutes.eq(0),
                bookings::time_zone.eq("Europe/Berlin"),
            ),
            (
                bookings::location.eq(None::<Raw>),
                bookings::title.eq("Morning yoga"),
                bookings::total_participants.eq(1),
                bookings::participants_choices.eq(None::<Raw>),
                bookings::double_booked.eq(false),
                bookings::hold_expires_at.eq(hold),
                bookings::flow_control.eq(Json(FlowControl::default())),
                bookings::external_user_id.eq(None::<&str>),
                bookings::created_by_kind.eq(ActorKind::Member),
                bookings::created_by_id.eq(created_by.as_str()),
                bookings::participant_notification.eq(None::<Raw>),
                bookings::revision.eq(1_i64),
                bookings::created_at.eq(now),
                bookings::updated_at.eq(now),
                bookings::canceled_at.eq(None::<At>),
            ),
        );
        insert_into(bookings::table)
            .values(row)
            .execute(&mut self.conn)
            .expect("a booking");
        let contact = (
            booking_contacts::site_id.eq(site),
            booking_contacts::booking_id.eq(booking),
            booking_contacts::email_key.eq(Some(format!("ada{}@example.org", wish.member))),
            booking_contacts::details.eq(&self.contact),
        );
        insert_into(booking_contacts::table)
            .values(contact)
            .execute(&mut self.conn)
            .expect("a contact");
        if let Some(resource) = resource {
            let claim = (
                claims::site_id.eq(site),
                claims::id.eq(ClaimId::new()),
                claims::resource_id.eq(Some(resource)),
                claims::session_id.eq(None::<SessionId>),
                claims::schedule_id.eq(None::<ScheduleId>),
                claims::starts_at.eq(At(start)),
                claims::ends_at.eq(At(end)),
                claims::seats.eq(1),
                claims::booking_id.eq(Some(booking)),
                claims::holder_session_id.eq(None::<SessionId>),
                claims::block_id.eq(None::<BlockedTimeId>),
                claims::hold_expires_at.eq(hold),
                claims::overlap_reason.eq(None::<OverlapReason>),
            );
            insert_into(claims::table)
                .values(claim)
                .execute(&mut self.conn)
                .expect("a claim");
        }
        let position: i64 = update(site_counters::table.find(site))
            .set(site_counters::position.eq(site_counters::position + 1_i64))
            .returning(site_counters::position)
            .get_result(&mut self.conn)
            .expect("a counter");
        let event = (
            events::site_id.eq(site),
            events::position.eq(position),
            events::booking_id.eq(booking),
            events::event_type.eq(EventType::Created),
            events::revision.eq(1_i64),
            events::previous_status.eq(None::<BookingStatus>),
            events::status.eq(BookingStatus::Created),
            events::state_version.eq(1),
            events::actor_kind.eq(ActorKind::Member),
            events::actor_id.eq(created_by.as_str()),
            events::source.eq(EventSource::Request),
            events::audience_kind.eq(ActorKind::Member),
            events::audience_id.eq(created_by.as_str()),
            events::service_id.eq(service),
            events::resource_ids.eq(Json(resource.into_iter().collect::<Vec<_>>())),
            events::occurred_at.eq(now),
            events::state.eq(&self.state),
        );
        insert_into(events::table)
            .values(event)
            .execute(&mut self.conn)
            .expect("an event");
    }

    fn find_session(&mut self, site: SiteId, session: SessionId) {
        let columns = (
            sessions::site_id,
            sessions::id,
            sessions::schedule_id,
            sessions::service_id,
            sessions::title,
            sessions::local_start,
            sessions::local_end,
            sessions::time_zone,
            sessions::starts_at,
            sessions::ends_at,
            sessions::capacity,
            sessions::status,
            sessions::resources,
            sessions::location,
            sessions::revision,
            sessions::created_at,
            sessions::updated_at,
        );
        type Row = (
            SiteId,
            SessionId,
            ScheduleId,
            ServiceId,
            String,
            String,
            String,
            String,
            At,
            At,
            i32,
            String,
            Raw,
            Option<Raw>,
            i64,
            At,
            At,
        );
        let _: Row = sessions::table
            .find((site, session))
            .select(columns)
            .first(&mut self.conn)
            .expect("a session");
    }

    fn find_service(&mut self, site: SiteId, service: ServiceId) {
        let columns = (
            services::site_id,
            services::id,
            services::kind,
            services::name,
            services::slug,
            services::description,
            services::default_capacity,
            services::durations,
            services::buffer_minutes,
            services::price_minor,
            services::price_currency,
            services::pay_online,
            services::pay_in_person,
            services::online_booking_enabled,
            services::require_manual_approval,
            services::allow_multiple_requests,
            services::locations,
            services::requirements,
            services::schedule_id,
            services::revision,
            services::created_at,
            services::updated_at,
        );
        type Row = (
            SiteId,
            ServiceId,
            ServiceKind,
            String,
            String,
            Option<String>,
            i32,
            Raw,
            i32,
            Option<i64>,
            Option<String>,
            bool,
            bool,
            bool,
            bool,
            bool,
            Raw,
            Raw,
            ScheduleId,
            i64,
            At,
            At,
        );
        let live = services::table
            .find((site, service))
            .filter(services::deleted_at.is_null());
        let _: Row = live.select(columns).first(&mut self.conn).expect("a service");
    }

    fn find_resources(&mut self, site: SiteId, ids: Vec<ResourceId>) {
        let columns = (
            resources::site_id,
            resources::id,
            resources::resource_type,
            resources::name,
            resources::email,
            resources::revision,
            resources::created_at,
            resources::updated_at,
        );
        type Row = (SiteId, ResourceId, ResourceType, String, Option<String>, i64, At, At);
        for id in ids {
            let live = resources::table
                .find((site, id))
                .filter(resources::deleted_at.is_null());
            let _: Row = live.select(columns).first(&mut self.conn).expect("a resource");
        }
    }

    fn find_site(&mut self, site: SiteId) {
        type Row = (SiteId, String, String, String, String, i64, At, At);
        let _: Row = sites::table.find(site).first(&mut self.conn).expect("a site");
    }

    fn claims_of_session(&mut self, site: SiteId, session: SessionId) {
        let _: Vec<ClaimRow> = claims::table
            .filter(claims::site_id.eq(site).and(claims::session_id.eq(session)))
            .select(claim_columns())
            .load(&mut self.conn)
            .expect("claims");
    }

    fn claims_of_resource(&mut self, site: SiteId, resource: ResourceId, start: Timestamp) {
        let end = At(start.checked_add(30.minutes()).unwrap());
        let _: Vec<ClaimRow> = claims::table
            .filter(claims::site_id.eq(site).and(claims::resource_id.eq(resource)))
            .filter(claims::ends_at.gt(At(start)).and(claims::starts_at.lt(end)))
            .select(claim_columns())
            .load(&mut self.conn)
            .expect("claims");
    }

    fn live_holds(&mut self, site: SiteId, member: &str) {
        let _: i64 = bookings::table
            .filter(bookings::site_id.eq(site))
            .filter(
                bookings::created_by_kind
                    .eq(ActorKind::Member)
                    .and(bookings::created_by_id.eq(member)),
            )
            .filter(bookings::hold_expires_at.gt(At(self.day)))
            .count()
            .get_result(&mut self.conn)
            .expect("a count");
    }
}

type ClaimRow = (
    ClaimId,
    (Option<ResourceId>, Option<SessionId>, Option<ScheduleId>),
    (At, At),
    i32,
    (Option<BookingId>, Option<SessionId>, Option<BlockedTimeId>),
    Option<At>,
    Option<OverlapReason>,
);

type ClaimColumns = (
    claims::id,
    (claims::resource_id, claims::session_id, claims::schedule_id),
    (claims::starts_at, claims::ends_at),
    claims::seats,
    (claims::booking_id, claims::holder_session_id, claims::block_id),
    claims::hold_expires_at,
    claims::overlap_reason,
);

fn claim_columns() -> ClaimColumns {
    (
        claims::id,
        (claims::resource_id, claims::session_id, claims::schedule_id),
        (claims::starts_at, claims::ends_at),
        claims::seats,
        (claims::booking_id, claims::holder_session_id, claims::block_id),
        claims::hold_expires_at,
        claims::overlap_reason,
    )
}

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

static STORE_SAID: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

fn note(event: InstrumentationEvent<'_>) {
    if let InstrumentationEvent::StartQuery { query, .. } = event {
        let text = query.to_string();
        let text = text.split(" -- binds").next().unwrap_or_default().trim().to_owned();
        SEEN.with_borrow_mut(|seen| seen.push(text.clone()));
        STORE_SAID.lock().unwrap().push(text);
    }
}

/// Runs one booking of each kind through the store and through here, and says where the statements differ.
pub async fn same_statements(url: &DatabaseUrl, path: &Path) {
    let hook = || -> Option<Box<dyn diesel::connection::Instrumentation>> { Some(Box::new(note)) };
    set_default_instrumentation(hook).expect("a hook");
    let db = super::seed::open(url).await;
    let service = frontdesk::service::Service::new(db, frontdesk::service::Limits::default());
    let mut plain = Plain::open(path);
    set_default_instrumentation(|| None).expect("no hook");
    let essential = |texts: Vec<String>| -> Vec<String> {
        texts
            .into_iter()
            .filter(|text| !["BEGIN IMMEDIATE", "COMMIT", "SELECT total_changes()"].contains(&text.as_str()))
            .collect()
    };
    for number in [0, 7] {
        let wish = wish(number, 1, first_day());
        STORE_SAID.lock().unwrap().clear();
        service
            .create_booking(&wish.caller(), wish.input(), None)
            .await
            .expect("a booking");
        let by_store = essential(std::mem::take(&mut *STORE_SAID.lock().unwrap()));
        SEEN.with_borrow_mut(Vec::clear);
        // Another number of the same kind: the first one's time is taken.
        plain.create(&super::mix::wish(number + 10, 1, first_day()));
        let by_plain = essential(SEEN.with_borrow_mut(std::mem::take));
        if by_store != by_plain {
            println!(
                "  NOTE: the limit doesn't run the store's statements; the store's are\n    {}",
                by_store.join("\n    ")
            );
            println!("  and the limit's\n    {}", by_plain.join("\n    "));
        }
    }
}

const CONTACT: &str = r#"{"first_name":"Ada","last_name":"Lovelace","email":"ada17@example.org","phone":"+44 20 7946 0000","full_address":null,"country_code":null}"#;

/// As long as a real one.
const STATE: &str = r#"{"id":"0199a7c0-0000-7000-8000-000000000000","status":"CREATED","payment_status":"UNDEFINED","selected_payment_option":"OFFLINE","booked":{"service":"000000a2-0000-0000-0000-000000000001","kind":"APPOINTMENT","schedule":"000000a4-0000-0000-0000-000000000001","session":null,"span":{"start":"2026-12-01T08:00:00Z","end":"2026-12-01T08:30:00Z"},"buffer_minutes":0,"time_zone":"Europe/Berlin","resources":[{"id":"000000a3-0000-0000-0000-000000000001","name":"Trainer 1","explicitly_requested":true}],"location":null,"title":"Personal training 1"},"participants":{"total":1,"choices":null},"double_booked":false,"hold_expires_at":"2026-11-22T10:10:00.123456Z","flow":{"skip_availability_validation":false,"skip_business_confirmation":false,"skip_selected_payment_option_validation":false},"external_user_id":null,"created_by":{"kind":"MEMBER","id":"member-17"},"participant_notification":null,"revision":1,"created":"2026-11-22T10:00:00.123456Z","updated":"2026-11-22T10:00:00.123456Z","canceled":null}"#;

const _: () = assert!(SESSIONS == 20 && STAFF == 20, "the mix goes over twenty of each");
