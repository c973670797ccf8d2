//! What there is to book: sites that are all alike, with ids that can be worked out.

use std::{path::PathBuf, sync::Arc};

use frontdesk::{
    domain::{
        catalog::{
            DownPayment, OnlineBooking, PaymentOptions, Presentation, Price, Resource, ResourceType, Schedule, Service,
            ServiceKind, ServiceResource, Session, SessionStatus, Site, SlugOrigin,
        },
        clock::{Clock as _, SystemClock},
        ids::{ResourceId, ScheduleId, ServiceId, SessionId, SiteId, TypedId},
        money::Currency,
        time::{TimeSpan, ZoneName},
    },
    store::{Command, DatabaseUrl, Db, Failure, StoreSettings, Tx, catalog, sites},
};
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::{Engine, cluster::Cluster};

/// Staff of a site, 4 for each appointment service.
pub const STAFF: u64 = 20;
/// Sessions of a site's class.
pub const SESSIONS: u64 = 20;
/// Staff of one appointment service.
pub const TEAM: u64 = 4;

/// Ids are made of a kind, the site's number and a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Sort {
    Site = 0xa1,
    Service,
    Resource,
    Schedule,
    Session,
}

pub fn uuid(sort: Sort, site: u64, number: u64) -> Uuid {
    Uuid::from_u128(u128::from(sort as u8) << 96 | u128::from(site) << 32 | u128::from(number))
}

/// The kind, the site's number and the number in an id; none if it isn't one of ours.
pub fn parts(uuid: Uuid) -> Option<(Sort, u64, u64)> {
    let bits = uuid.as_u128();
    let sort = [Sort::Site, Sort::Service, Sort::Resource, Sort::Schedule, Sort::Session]
        .into_iter()
        .find(|sort| u128::from(*sort as u8) == bits >> 96)?;
    Some((sort, (bits >> 32) as u64 & 0xffff_ffff, bits as u64 & 0xffff_ffff))
}

pub fn id<I: TypedId>(sort: Sort, site: u64, number: u64) -> I {
    I::from_uuid(uuid(sort, site, number))
}

/// The class is service 0; appointments are with services 1 to 5.
pub fn service_of(resource: u64) -> u64 {
    1 + resource / TEAM
}

/// Where databases are made.
pub struct Place {
    pub dir: PathBuf,
    pub cluster: Option<Cluster>,
}

impl Place {
    /// An empty database.
    pub fn url(&self, engine: Engine, name: &str) -> DatabaseUrl {
        match engine {
            Engine::Sqlite => DatabaseUrl::Sqlite(self.dir.join(format!("{name}.db"))),
            Engine::Postgres => {
                let cluster = self.cluster.as_ref().expect("a cluster was started");
                DatabaseUrl::Postgres(cluster.database(name))
            }
        }
    }

    /// A database with sites on it.
    pub async fn seeded(&self, engine: Engine, name: &str, sites: u64) -> DatabaseUrl {
        let url = self.url(engine, name);
        let db = open(&url).await;
        for number in 0..sites {
            db.write(Seed {
                number,
                first_day: first_day(),
            })
            .await
            .expect("a site");
        }
        url
    }
}

/// Connections, as the server has them if nothing is said.
pub const CONNECTIONS: usize = 16;

pub async fn open(url: &DatabaseUrl) -> Db {
    let settings = StoreSettings {
        url: url.clone(),
        connections: CONNECTIONS,
        migrate: true,
        max_bytes: None,
    };
    Db::open(&settings, Arc::new(SystemClock), Arc::new(|_, _| {}))
        .await
        .expect("the database opens")
}

/// Midnight of a day soon, from which on appointments are made.
pub fn first_day() -> Timestamp {
    let now = SystemClock.now().as_second();
    Timestamp::from_second((now / 86_400 + 2) * 86_400).unwrap()
}

struct Seed {
    number: u64,
    first_day: Timestamp,
}

impl Command for Seed {
    type Output = ();

    fn site(&self) -> SiteId {
        id(Sort::Site, self.number, 0)
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let (site, number, now) = (self.site(), self.number, tx.now());
        let zone = ZoneName::parse("Europe/Berlin").unwrap();
        sites::insert(
            tx.conn(),
            &Site {
                id: site,
                slug: format!("studio-{number}"),
                name: format!("Studio {number}"),
                time_zone: zone.clone(),
                currency: Currency::parse("EUR").unwrap(),
                revision: 1,
                created: now,
                updated: now,
            },
        )
        .await?;
        for staff in 0..STAFF {
            let resource = Resource {
                id: id(Sort::Resource, number, staff),
                resource_type: ResourceType::Staff,
                name: format!("Trainer {staff}"),
                email: Some(format!("trainer{staff}@example.org")),
                locations: None,
                ranking: 0,
                bookable: true,
                details: frontdesk::domain::catalog::ResourceDetails::default(),
                revision: 1,
                created: now,
                updated: now,
            };
            catalog::insert_resource(tx.conn(), site, &resource).await?;
        }
        for kind in 0..=STAFF / TEAM {
            let class = kind == 0;
            let staff = (0..STAFF).filter(|staff| service_of(*staff) == kind);
            let service = Service {
                id: id::<ServiceId>(Sort::Service, number, kind),
                kind: if class {
                    ServiceKind::Class
                } else {
                    ServiceKind::Appointment
                },
                name: if class {
                    "Morning yoga".to_owned()
                } else {
                    format!("Personal training {kind}")
                },
                slug: format!("service-{kind}"),
                slug_origin: SlugOrigin::default(),
                presentation: Presentation::default(),
                description: Some("An hour with people who know what they do, in a quiet place.".to_owned()),
                default_capacity: if class { 1000 } else { 1 },
                durations: if class { vec![] } else { vec![30, 60] },
                buffer_minutes: 0,
                slot_step: frontdesk::domain::catalog::SlotStep::default(),
                staff_sorting: frontdesk::domain::catalog::StaffSorting::default(),
                booking_policy: None,
                price: Price::NoFee,
                payment_options: PaymentOptions {
                    online: true,
                    ..PaymentOptions::in_person_alone()
                },
                down_payment: DownPayment::default(),
                online_booking: OnlineBooking {
                    enabled: true,
                    require_manual_approval: false,
                    allow_multiple_requests: false,
                },
                locations: Vec::new(),
                requirements: vec![ServiceResource::one_of(
                    ResourceType::Staff,
                    staff
                        .map(|staff| id::<ResourceId>(Sort::Resource, number, staff))
                        .collect(),
                )],
                schedule: id::<ScheduleId>(Sort::Schedule, number, kind),
                revision: 1,
                created: now,
                updated: now,
            };
            catalog::insert_service(tx.conn(), site, &service).await?;
            let schedule = Schedule {
                id: service.schedule,
                service: service.id,
                name: service.name.clone(),
                capacity: service.default_capacity,
                span: None,
                revision: 1,
                created: now,
                updated: now,
            };
            catalog::insert_schedule(tx.conn(), site, &schedule).await?;
        }
        for session in 0..SESSIONS {
            let hours = i64::try_from(session).unwrap_or(0) * 24 + 8;
            let start = self.first_day.checked_add(hours.hours()).unwrap();
            let span = TimeSpan::new(start, start.checked_add(1.hours()).unwrap()).unwrap();
            let session = Session {
                id: id::<SessionId>(Sort::Session, number, session),
                schedule: id::<ScheduleId>(Sort::Schedule, number, 0),
                service: id::<ServiceId>(Sort::Service, number, 0),
                title: "Morning yoga".to_owned(),
                local_start: zone.local(span.start()),
                local_end: zone.local(span.end()),
                time_zone: zone.clone(),
                span,
                capacity: 1000,
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
