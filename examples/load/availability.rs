//! Free times over HTTP: a month, a day and a year of a large business, a class of many sessions, and what history costs.

use std::{sync::Arc, time::Instant};

use frontdesk::{
    app::tokens::Role,
    domain::{
        actor::Actor,
        booking::{Booked, BookedResource, Booking, BookingStatus, FlowControl, Participants, PaymentStatus},
        catalog::{Resource, ResourceType, Service, ServiceKind, ServiceResource, Session, SessionStatus},
        conflict::{Claim, Holder, Target},
        ids::{BookingId, ClaimId, ResourceId, ScheduleId, ServiceId, SessionId, SiteId},
        terms::Terms,
        time::{TimeSpan, ZoneName},
    },
    store::{
        Command, Failure, Tx,
        bookings::{self, Contact},
        catalog, claims,
    },
};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::{
    Engine, Flags,
    http::{Http, find},
    seed::{Place, Sort, first_day, id, open},
    server::Server,
    stats::{Tickets, Worker, line, median, percentile, rate},
};

/// Questions that are under way at any time.
const IN_FLIGHT: usize = 8;
/// Staff of the large service; the small one has the first ten of them.
const STAFF: u64 = 50;
const FEW: u64 = 10;
const DAYS: u64 = 30;
/// Bookings in that month.
const BOOKINGS: u64 = 5_000;
/// Bookings in the past.
const HISTORY: u64 = 195_000;
/// Sessions of the class.
const SESSIONS: u64 = 1_000;
/// Where ids of this part begin, so that they are no others'.
const BASE: u64 = 1_000_000;

/// A team of fifty with its services, and a class.
struct Crowd;

fn resource(number: u64) -> ResourceId {
    id(Sort::Resource, 0, BASE + number)
}

fn service(number: u64) -> ServiceId {
    id(Sort::Service, 0, BASE + number)
}

fn schedule(number: u64) -> ScheduleId {
    id(Sort::Schedule, 0, BASE + number)
}

impl Command for Crowd {
    type Output = ();

    fn site(&self) -> SiteId {
        id(Sort::Site, 0, 0)
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let (site, now) = (self.site(), tx.now());
        for number in 0..STAFF {
            let staff = Resource {
                id: resource(number),
                resource_type: ResourceType::Staff,
                name: format!("Stylist {number}"),
                email: None,
                locations: None,
                ranking: 0,
                bookable: true,
                details: frontdesk::domain::catalog::ResourceDetails::default(),
                revision: 1,
                created: now,
                updated: now,
            };
            catalog::insert_resource(tx.conn(), site, &staff).await?;
        }
        let like = catalog::find_service(tx.conn(), site, id(Sort::Service, 0, 1))
            .await?
            .expect("a service");
        let class = catalog::find_service(tx.conn(), site, id(Sort::Service, 0, 0))
            .await?
            .expect("a class");
        for (number, team) in [(0, STAFF), (1, FEW), (2, 0)] {
            let of = if team == 0 { &class } else { &like };
            let new = Service {
                id: service(number),
                slug: format!("crowd-{number}"),
                name: format!("Crowd {number}"),
                durations: if team == 0 { vec![] } else { vec![60] },
                requirements: if team == 0 {
                    vec![]
                } else {
                    vec![ServiceResource::one_of(
                        ResourceType::Staff,
                        (0..team).map(resource).collect(),
                    )]
                },
                schedule: schedule(number),
                ..of.clone()
            };
            catalog::insert_service(tx.conn(), site, &new).await?;
            let own = catalog::find_schedule(tx.conn(), site, of.schedule)
                .await?
                .expect("a schedule");
            let own = frontdesk::domain::catalog::Schedule {
                id: schedule(number),
                service: new.id,
                ..own
            };
            catalog::insert_schedule(tx.conn(), site, &own).await?;
        }
        let zone = ZoneName::parse("Europe/Berlin").unwrap();
        for number in 0..SESSIONS {
            let start = first_day()
                .checked_add(i64::try_from(number * 8).unwrap().hours())
                .unwrap();
            let span = TimeSpan::new(start, start.checked_add(1.hour()).unwrap()).unwrap();
            let session = Session {
                id: id::<SessionId>(Sort::Session, 0, BASE + number),
                schedule: schedule(2),
                service: service(2),
                title: "Spinning".to_owned(),
                local_start: zone.local(span.start()),
                local_end: zone.local(span.end()),
                time_zone: zone.clone(),
                span,
                capacity: 20,
                status: SessionStatus::Confirmed,
                resources: Vec::new(),
                transparent: false,
                location: None,
                revision: 1,
                created: now,
                updated: now,
                series: None,
            };
            catalog::insert_session(tx.conn(), site, &session).await?;
        }
        Ok(())
    }
}

/// Some bookings of the large service, each an hour of one of its staff: those of the month, or of the time before now.
struct Book {
    numbers: std::ops::Range<u64>,
    past: bool,
}

impl Book {
    /// Every booking has an hour of its own.
    fn hour(&self, number: u64) -> (u64, Timestamp) {
        let who = number % STAFF;
        let turn = number / STAFF;
        let opening = 7;
        let hours = if self.past {
            // Eight a day, the oldest first: a claim is compared with those that end later.
            let ago = HISTORY / STAFF - 1 - turn;
            i64::try_from(ago % 8).unwrap() - i64::try_from((ago / 8 + 4) * 24).unwrap()
        } else {
            let (day, slot) = (turn % DAYS, turn / DAYS);
            i64::try_from(day * 24 + (who * 3 + day * 5 + slot * 2) % 8).unwrap()
        };
        (who, first_day().checked_add((hours + opening).hours()).unwrap())
    }
}

impl Command for Book {
    type Output = ();

    fn site(&self) -> SiteId {
        id(Sort::Site, 0, 0)
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let (site, now) = (self.site(), tx.now());
        for number in self.numbers.clone() {
            let (who, start) = self.hour(number);
            let span = TimeSpan::new(start, start.checked_add(1.hour()).unwrap()).unwrap();
            let booking = Booking {
                id: BookingId::new(),
                status: BookingStatus::Confirmed,
                payment_status: PaymentStatus::NotPaid,
                selected_payment_option: None,
                booked: Booked {
                    service: service(0),
                    kind: ServiceKind::Appointment,
                    schedule: schedule(0),
                    session: None,
                    span: Some(span),
                    buffer_minutes: 0,
                    time_zone: ZoneName::utc(),
                    resources: vec![BookedResource {
                        id: resource(who),
                        name: format!("Stylist {who}"),
                        explicitly_requested: false,
                        buffer_minutes: None,
                        transparent: false,
                    }],
                    location: None,
                    title: "Crowd 0".to_owned(),
                },
                participants: Participants::total(1).expect("one is enough"),
                double_booked: false,
                hold_expires_at: None,
                flow: FlowControl::default(),
                external_user_id: None,
                created_by: Actor::Owner("olga".into()).identity(),
                participant_notification: None,
                revision: 1,
                created: now,
                updated: now,
                canceled: None,
                terms: Terms::default(),
                package: None,
            };
            bookings::insert(tx.conn(), site, &booking, &Contact::default()).await?;
            let claim = Claim {
                id: ClaimId::new(),
                target: Target::Resource(resource(who)),
                span,
                seats: 1,
                holder: Holder::Booking(booking.id),
                hold_expires_at: None,
                overlap_reason: None,
            };
            claims::insert(tx.conn(), site, &claim).await?;
        }
        Ok(())
    }
}

struct Asker {
    http: Http,
    token: String,
    body: Arc<str>,
}

impl Worker for Asker {
    async fn step(&mut self, _number: u64) {
        let answer = self.http.post(&self.token, &self.body).await;
        assert!(
            find(answer, br#""errors":"#).is_none(),
            "{}",
            String::from_utf8_lossy(answer)
        );
    }
}

fn question(number: u64, days: u64) -> String {
    let query = "query Free($id: ID!, $from: DateTime, $to: DateTime!) { availability(serviceIds: [$id], from: $from, to: $to) \
        { timeSlots { startDate endDate bookable remainingCapacity } } }";
    let to = first_day()
        .checked_add(i64::try_from(days * 24).unwrap().hours())
        .unwrap();
    let variables = json!({ "id": service(number).to_string(), "from": first_day().to_string(), "to": to.to_string() });
    json!({ "query": query, "variables": variables }).to_string()
}

pub async fn run(flags: &Flags, place: &Place, engine: Engine) {
    println!("\n{engine:?}: free times over HTTP, {BOOKINGS} bookings in the month, {IN_FLIGHT} questions in flight");
    let url = place.seeded(engine, "availability", 1).await;
    let db = open(&url).await;
    let book = async |count: u64, past: bool| {
        for from in (0..count).step_by(2_000) {
            let numbers = from..count.min(from + 2_000);
            db.write(Book { numbers, past }).await.expect("bookings");
        }
    };
    db.write(Crowd).await.expect("a crowd");
    book(BOOKINGS, false).await;
    let server = Server::start(&url);
    let owner = server.token(Role::Owner, 0, "olga");
    let member = server.token(Role::Member, 0, "mia");
    let days = [
        "MONDAY",
        "TUESDAY",
        "WEDNESDAY",
        "THURSDAY",
        "FRIDAY",
        "SATURDAY",
        "SUNDAY",
    ];
    let hours = json!({ "weekly": [{ "days": days, "startTime": "09:00", "endTime": "17:00" }] });
    let set = json!({
        "query": "mutation($input: SetWorkingHoursInput!) { setWorkingHours(input: $input) { userErrors { message } } }",
        "variables": { "input": hours },
    });
    let mut http = Http::connect(&server.address).await;
    http.post(&owner, &set.to_string()).await;

    let kinds = [
        ("a month, 50 staff", question(0, DAYS)),
        ("a month, 10 staff", question(1, DAYS)),
        ("a day, 50 staff", question(0, 1)),
        ("a day, 10 staff", question(1, 1)),
        ("a year, 50 staff (1,000 rows)", question(0, 366)),
        ("1,000 sessions of a class", question(2, 366)),
    ];
    let kinds: Vec<(&str, Arc<str>)> = kinds
        .iter()
        .map(|(name, body)| (*name, Arc::from(body.as_str())))
        .filter(|(name, _)| flags.wants(name))
        .collect();
    // One after the other, before there is a history.
    let mut alone = Vec::new();
    for (_, body) in &kinds {
        alone.push(one_by_one(&mut http, &member, body).await);
    }
    book(HISTORY, true).await;
    // The server doesn't wait that long for a connection that asks nothing.
    let mut http = Http::connect(&server.address).await;
    println!("  {HISTORY} bookings of the past added; one question at a time, in ms: before, with them");
    for ((name, body), before) in kinds.iter().zip(&alone) {
        let after = one_by_one(&mut http, &member, body).await;
        let show = |times: &[f64]| {
            format!(
                "{:7.2} (99 % within {:.2})",
                percentile(times, 0.5),
                percentile(times, 0.99)
            )
        };
        let answer: Value = serde_json::from_slice(http.post(&member, body).await).unwrap();
        let rows = answer["data"]["availability"]["timeSlots"]
            .as_array()
            .map_or(0, Vec::len);
        println!("  {name:<30} {}  {}  {rows} rows", show(before), show(&after));
    }
    for (name, body) in &kinds {
        let (mut figures, mut shares) = (Vec::new(), Vec::new());
        for _ in 0..flags.rounds {
            let mut workers = Vec::new();
            for _ in 0..IN_FLIGHT {
                workers.push(Asker {
                    http: Http::connect(&server.address).await,
                    token: member.clone(),
                    body: body.clone(),
                });
            }
            let (began, processor) = (Instant::now(), server.processor());
            figures.push(rate(workers, &Tickets::default(), flags.time()).await);
            shares.push((server.processor() - processor) / began.elapsed().as_secs_f64());
        }
        line(name, "/s", &figures, None);
        println!("    the server had {:.2} of {} cores", median(&shares), 2);
    }
}

/// Milliseconds that each of 200 questions took, sorted.
async fn one_by_one(http: &mut Http, token: &str, body: &str) -> Vec<f64> {
    let mut times = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        http.post(token, body).await;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    times
}
