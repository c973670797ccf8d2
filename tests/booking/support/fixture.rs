//! A small studio: two trainers, a room, and a service of each kind. Put into the store directly, so that the tests of
//! bookings rest on nothing but bookings.

use frontdesk::{
    domain::{
        booking::BookedResource,
        catalog::{
            DownPayment, OnlineBooking, PaymentOptions, Presentation, Price, Resource, ResourceDetails, ResourceType,
            Schedule, Service, ServiceKind, ServiceResource, Session, SessionStatus, SlugOrigin, StaffSorting,
        },
        conflict::{Claim, Holder, Target},
        ids::{ClaimId, ResourceId, ScheduleId, ServiceId, SessionId, SiteId},
        money::{Currency, Money},
        time::{TimeSpan, ZoneName},
    },
    store::{Command, Failure, Tx, catalog, claims},
};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::Server;

/// What there is to book.
#[derive(Debug, Clone)]
pub struct Studio {
    pub site: SiteId,
    pub anna: Resource,
    pub ben: Resource,
    pub room: Resource,
    /// 30 minutes with Anna or Ben, no approval, no buffer.
    pub massage: Service,
    /// 60 minutes with Anna, with a buffer of 15 minutes; paid.
    pub training: Service,
    /// 30 minutes with Anna or Ben; needs approval.
    pub consultation: Service,
    /// 30 minutes with Anna; needs approval and lets several requests wait for one time.
    pub audition: Service,
    /// 30 minutes with Anna or Ben, in the room.
    pub workshop: Service,
    pub yoga: Service,
    /// A session of yoga with 10 seats, tomorrow.
    pub session: Session,
    /// Another one, the day after.
    pub next_session: Session,
    pub course: Service,
    /// The course's run, with 8 seats and two sessions.
    pub run: Schedule,
    /// Tomorrow at noon UTC: a time that nothing occupies.
    pub noon: Timestamp,
}

struct Seed {
    studio: Studio,
    schedules: Vec<Schedule>,
    sessions: Vec<Session>,
}

impl Command for Seed {
    type Output = ();

    fn site(&self) -> SiteId {
        self.studio.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let (site, studio) = (self.studio.site, &self.studio);
        for resource in [&studio.anna, &studio.ben, &studio.room] {
            catalog::insert_resource(tx.conn(), site, resource).await?;
        }
        for service in [
            &studio.massage,
            &studio.training,
            &studio.consultation,
            &studio.audition,
            &studio.workshop,
            &studio.yoga,
            &studio.course,
        ] {
            catalog::insert_service(tx.conn(), site, service).await?;
        }
        for schedule in &self.schedules {
            catalog::insert_schedule(tx.conn(), site, schedule).await?;
        }
        for session in &self.sessions {
            catalog::insert_session(tx.conn(), site, session).await?;
            for resource in &session.resources {
                let claim = Claim {
                    id: ClaimId::new(),
                    target: Target::Resource(resource.id),
                    span: session.span,
                    seats: 1,
                    holder: Holder::Session(session.id),
                    hold_expires_at: None,
                    overlap_reason: None,
                };
                claims::insert(tx.conn(), site, &claim).await?;
            }
        }
        Ok(())
    }
}

impl Studio {
    /// Opens the studio on a server's site.
    pub async fn open(server: &Server) -> Self {
        Self::open_on(server, server.site).await
    }

    /// Opens the studio on one of several sites.
    pub async fn open_on(server: &Server, site: SiteId) -> Self {
        let now = server.now();
        let day = Timestamp::from_second(now.as_second() / 86_400 * 86_400).unwrap();
        let noon = day.checked_add((24 + 12).hours()).unwrap();
        let resource = |name: &str, resource_type| Resource {
            id: ResourceId::new(),
            resource_type,
            name: name.to_owned(),
            email: None,
            ranking: 0,
            bookable: true,
            details: ResourceDetails::default(),
            locations: None,
            revision: 1,
            created: now,
            updated: now,
        };
        let (anna, ben) = (
            resource("Anna", ResourceType::Staff),
            resource("Ben", ResourceType::Staff),
        );
        let room = resource("Studio 1", ResourceType::Room);
        let all = [anna.clone(), ben.clone(), room.clone()];
        let needs = |ids: &[ResourceId]| {
            let named: Vec<Resource> = all.iter().filter(|one| ids.contains(&one.id)).cloned().collect();
            ServiceResource::of_each_type(&named)
        };
        let service = |name: &str, kind, resources: Vec<ResourceId>| Service {
            id: ServiceId::new(),
            kind,
            name: name.to_owned(),
            slug: name.to_lowercase(),
            slug_origin: SlugOrigin::default(),
            presentation: Presentation::default(),
            description: None,
            default_capacity: 1,
            durations: if kind == ServiceKind::Appointment {
                vec![30]
            } else {
                vec![]
            },
            buffer_minutes: 0,
            slot_step: frontdesk::domain::catalog::SlotStep::default(),
            booking_policy: None,
            staff_sorting: StaffSorting::default(),
            price: Price::NoFee,
            payment_options: PaymentOptions::in_person_alone(),
            down_payment: DownPayment::default(),
            online_booking: OnlineBooking {
                enabled: true,
                require_manual_approval: false,
                allow_multiple_requests: false,
            },
            locations: Vec::new(),
            requirements: needs(&resources),
            schedule: ScheduleId::new(),
            revision: 1,
            created: now,
            updated: now,
        };
        let both = vec![anna.id, ben.id];
        let massage = service("Massage", ServiceKind::Appointment, both.clone());
        let mut training = service("Training", ServiceKind::Appointment, vec![anna.id]);
        training.durations = vec![60];
        training.buffer_minutes = 15;
        training.price = Price::Fixed(Money {
            minor: 5000,
            currency: Currency::parse("EUR").unwrap(),
        });
        training.payment_options.online = true;
        let mut consultation = service("Consultation", ServiceKind::Appointment, both.clone());
        consultation.online_booking.require_manual_approval = true;
        let mut audition = service("Audition", ServiceKind::Appointment, vec![anna.id]);
        audition.online_booking.require_manual_approval = true;
        audition.online_booking.allow_multiple_requests = true;
        let workshop = service("Workshop", ServiceKind::Appointment, vec![anna.id, ben.id, room.id]);
        let mut yoga = service("Yoga", ServiceKind::Class, vec![]);
        yoga.default_capacity = 10;
        let mut course = service("Course", ServiceKind::Course, vec![]);
        course.default_capacity = 8;
        let zone = ZoneName::parse("Europe/Berlin").unwrap();
        let session_at = |service: &Service, hours: i64, capacity: i32, with: &[&Resource]| {
            let start = noon.checked_add(hours.hours()).unwrap();
            let span = TimeSpan::new(start, start.checked_add(1.hours()).unwrap()).unwrap();
            let booked = |r: &&Resource| BookedResource {
                id: r.id,
                name: r.name.clone(),
                explicitly_requested: false,
                buffer_minutes: None,
                transparent: false,
            };
            Session {
                id: SessionId::new(),
                schedule: service.schedule,
                service: service.id,
                title: service.name.clone(),
                local_start: zone.local(span.start()),
                local_end: zone.local(span.end()),
                time_zone: zone.clone(),
                span,
                capacity,
                status: SessionStatus::Confirmed,
                resources: with.iter().map(booked).collect(),
                transparent: false,
                location: None,
                series: None,
                revision: 1,
                created: now,
                updated: now,
            }
        };
        let session = session_at(&yoga, 6, 10, &[&ben]);
        let next_session = session_at(&yoga, 30, 10, &[&ben]);
        let runs = [session_at(&course, 54, 8, &[]), session_at(&course, 78, 8, &[])];
        let schedule = |service: &Service, span| Schedule {
            id: service.schedule,
            service: service.id,
            name: service.name.clone(),
            capacity: service.default_capacity,
            span,
            revision: 1,
            created: now,
            updated: now,
        };
        let run = schedule(&course, TimeSpan::new(runs[0].span.start(), runs[1].span.end()));
        let mut schedules: Vec<Schedule> = [&massage, &training, &consultation, &audition, &workshop, &yoga]
            .into_iter()
            .map(|s| schedule(s, None))
            .collect();
        schedules.push(run.clone());
        let studio = Self {
            site,
            anna,
            ben,
            room,
            massage,
            training,
            consultation,
            audition,
            workshop,
            yoga,
            session: session.clone(),
            next_session: next_session.clone(),
            course,
            run,
            noon,
        };
        let [first, second] = runs;
        let sessions = vec![session, next_session, first, second];
        let seed = Seed {
            studio: studio.clone(),
            schedules,
            sessions,
        };
        server.service().db().write(seed).await.expect("the studio opens");
        studio
    }

    /// Noon and some minutes.
    pub fn at(&self, minutes: i64) -> String {
        self.noon.checked_add(minutes.minutes()).unwrap().to_string()
    }

    /// The input for an appointment, some minutes after noon, with somebody.
    pub fn appointment(&self, service: &Service, minutes: i64, with: &[&Resource]) -> Value {
        let ids: Vec<String> = with.iter().map(|resource| resource.id.to_string()).collect();
        json!({
            "bookedEntity": { "slot": { "appointment": {
                "serviceId": service.id.to_string(), "startDate": self.at(minutes), "resourceIds": ids,
            } } },
            "contactDetails": { "firstName": "Ada", "email": "ada@example.org" },
            "totalParticipants": 1,
        })
    }

    /// The input for seats of a class session.
    pub fn class(&self, session: &Session, seats: i32) -> Value {
        json!({
            "bookedEntity": { "slot": { "session": { "sessionId": session.id.to_string() } } },
            "contactDetails": { "firstName": "Ada", "email": "ada@example.org" },
            "totalParticipants": seats,
        })
    }

    /// The input for seats of the course.
    pub fn enrolment(&self, seats: i32) -> Value {
        json!({
            "bookedEntity": { "schedule": { "scheduleId": self.run.id.to_string() } },
            "contactDetails": { "firstName": "Ada", "email": "ada@example.org" },
            "totalParticipants": seats,
        })
    }
}

/// `input` with more fields.
pub fn with(mut input: Value, more: Value) -> Value {
    let (Some(fields), Some(more)) = (input.as_object_mut(), more.as_object()) else {
        panic!("objects")
    };
    for (name, value) in more {
        fields.insert(name.clone(), value.clone());
    }
    input
}
