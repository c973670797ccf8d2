//! The studio's people, services and calendar, and its history.

mod history;

use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{self, Weekday},
};

use crate::{
    app::serve::Fatal,
    domain::{
        actor::Actor,
        catalog::{
            DownPayment, OnlineBooking, PaymentOptions, Presentation, Price, Resource, ResourceType,
            Service as Offered, ServiceKind, Session, Site,
        },
        clock::FixedClock,
        hours::{DayTimes, HoursOwner, OpeningHours, Weekdays, WeeklyRule},
        ids::ResourceId,
        money::{Currency, Money},
        rejection::Invalid,
        text::EmailAddress,
        time::ZoneName,
    },
    service::{
        Caller, Service,
        catalog::{
            Change, CreateBlockedTime, CreateResource, CreateService, CreateSession, Requirements, ResourceChanges,
            ServiceLocations, SessionResources, SetWorkingHours,
        },
    },
};

use history::{Happening, PutOnWaitingList};

/// The member for whom the demo makes a token: she has bookings of her own.
pub(super) const MEMBER: &str = "lena";

struct Studio<'a> {
    service: &'a Service,
    owner: Caller,
    site: Site,
    now: Timestamp,
    history: Vec<(Timestamp, Happening)>,
    booked: usize,
    dice: u64,
}

/// Makes the studio with its history up to `now`.
pub(super) async fn studio(service: &Service, clock: &FixedClock, now: Timestamp) -> Result<(), Fatal> {
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let opening = now.checked_sub(days(60))?;
    clock.set(opening);
    let euro = Currency::parse("EUR").ok_or("EUR is a currency")?;
    let zone = ZoneName::parse("Europe/Berlin").ok_or("Berlin has a zone")?;
    let site = service.create_site("studio", "Sunrise Studio", zone, euro).await?;
    let owner = Caller::new(site.id, Actor::Owner("olivia".to_owned()));
    let mut studio = Studio {
        service,
        owner,
        site,
        now,
        history: Vec::new(),
        booked: 0,
        dice: 0x5eed,
    };

    let maya = studio
        .resource("Maya Lindqvist", ResourceType::Staff, Some("maya@studio.example"))
        .await?;
    let jonas = studio
        .resource("Jonas Weber", ResourceType::Staff, Some("jonas@studio.example"))
        .await?;
    let room = studio.resource("Main room", ResourceType::Room, None).await?;

    let price = |minor| Price::Fixed(Money { minor, currency: euro });
    let yoga = studio
        .offer(
            ServiceKind::Class,
            "Yoga",
            "An hour of unhurried vinyasa for every level.",
            20,
            price(1400),
            false,
        )
        .await?;
    let hiit = studio
        .offer(
            ServiceKind::Class,
            "HIIT",
            "45 minutes of intervals. Bring a towel.",
            12,
            price(1600),
            false,
        )
        .await?;
    let course = studio
        .offer(
            ServiceKind::Course,
            "Strength foundations",
            "Six weeks, one lift a week.",
            10,
            price(18_900),
            false,
        )
        .await?;
    let training = studio.training(&[maya.id, jonas.id], price(4500)).await?;

    let today = now.to_zoned(studio.site.time_zone.zone()).date();
    let monday = today.checked_sub(i64::from(today.weekday().to_monday_zero_offset()).days())?;
    let mut yoga_sessions = Vec::new();
    let mut hiit_sessions = Vec::new();
    for week in -3..6_i64 {
        let day = |weekday: i64| monday.checked_add((week * 7 + weekday).days());
        for weekday in [0, 3] {
            yoga_sessions.push(
                studio
                    .session(&yoga, day(weekday)?.at(18, 0, 0, 0), 60, &[&maya, &room])
                    .await?,
            );
        }
        for weekday in [1, 4] {
            hiit_sessions.push(
                studio
                    .session(&hiit, day(weekday)?.at(7, 0, 0, 0), 45, &[&jonas, &room])
                    .await?,
            );
        }
    }
    for week in 1..=6_i64 {
        let day = monday.checked_add((week * 7 + 2).days())?;
        studio
            .session(&course, day.at(19, 0, 0, 0), 75, &[&jonas, &room])
            .await?;
    }

    studio.plan_classes(&yoga_sessions, 8);
    studio.plan_classes(&hiit_sessions, 6);
    studio.plan_course(&course);
    studio.plan_trainings(&training, &[&maya, &jonas], monday)?;
    studio.plan_requests(&training, &maya, &jonas, monday)?;
    let full = yoga_sessions
        .iter()
        .find(|session| session.span.start() > now.checked_add(days(2)).unwrap_or(now));
    let waiting = full.map(|session| studio.fill(session));
    studio.play(clock).await?;
    if let Some(waiting) = waiting {
        clock.set(now.checked_sub(SignedDuration::from_mins(45))?);
        service
            .db()
            .write(PutOnWaitingList {
                site: studio.site.id,
                booking: waiting?,
            })
            .await?;
    }
    clock.set(now);
    studio.block(&maya, monday).await?;
    studio.open_daily().await
}

impl Studio<'_> {
    async fn resource(&self, name: &str, kind: ResourceType, email: Option<&str>) -> Result<Resource, Fatal> {
        let email = email.map(EmailAddress::parse).transpose()?;
        let input = CreateResource {
            resource_type: kind,
            name: name.to_owned(),
            changes: ResourceChanges {
                email: email.map_or(Change::Keep, Change::Set),
                ..ResourceChanges::default()
            },
        };
        Ok(self.service.create_resource(&self.owner, input, None).await?)
    }

    async fn offer(
        &self,
        kind: ServiceKind,
        name: &str,
        description: &str,
        capacity: i32,
        price: Price,
        approval: bool,
    ) -> Result<Offered, Fatal> {
        let input = CreateService {
            kind,
            name: name.to_owned(),
            slug: None,
            description: Some(description.to_owned()),
            default_capacity: Some(capacity),
            durations: Vec::new(),
            buffer_minutes: 0,
            slot_step: None,
            price,
            payment_options: PaymentOptions {
                online: true,
                ..PaymentOptions::in_person_alone()
            },
            down_payment: DownPayment::default(),
            presentation: Presentation::default(),
            online_booking: OnlineBooking {
                enabled: true,
                require_manual_approval: approval,
                allow_multiple_requests: false,
            },
            locations: ServiceLocations::default(),
            requirements: Requirements::default(),
            booking_policy: None,
            staff_sorting: None,
        };
        Ok(self.service.create_service(&self.owner, input, None).await?)
    }

    async fn training(&self, trainers: &[ResourceId], price: Price) -> Result<Offered, Fatal> {
        let input = CreateService {
            kind: ServiceKind::Appointment,
            name: "1-on-1 personal training".to_owned(),
            slug: Some("personal-training".to_owned()),
            description: Some("Half an hour with a trainer of your choice. We confirm each request.".to_owned()),
            default_capacity: None,
            durations: vec![30, 60],
            buffer_minutes: 10,
            slot_step: None,
            price,
            payment_options: PaymentOptions {
                online: true,
                ..PaymentOptions::in_person_alone()
            },
            down_payment: DownPayment::default(),
            presentation: Presentation::default(),
            online_booking: OnlineBooking {
                enabled: true,
                require_manual_approval: true,
                allow_multiple_requests: false,
            },
            locations: ServiceLocations::default(),
            requirements: Requirements::OfEachType(trainers.to_vec()),
            booking_policy: None,
            staff_sorting: None,
        };
        Ok(self.service.create_service(&self.owner, input, None).await?)
    }

    async fn session(
        &self,
        of: &Offered,
        start: civil::DateTime,
        minutes: i64,
        with: &[&Resource],
    ) -> Result<Session, Fatal> {
        let input = CreateSession {
            schedule: of.schedule,
            local_start: start,
            local_end: start.checked_add(minutes.minutes())?,
            time_zone: None,
            title: None,
            capacity: None,
            resources: SessionResources {
                uses: with.iter().map(|resource| resource.id.into()).collect(),
                one_by_one: false,
            },
            transparent: false,
            location: None,
            allow_overlap: false,
        };
        Ok(self.service.create_session(&self.owner, input, None).await?)
    }

    /// From seven to nine, on Sundays to two.
    async fn open_daily(&self) -> Result<(), Fatal> {
        let rule = |days, end: u16| {
            let times = DayTimes::new(7 * 60, end * 60, None)?;
            Ok::<_, Invalid>(WeeklyRule {
                days,
                times,
                from: None,
                until: None,
            })
        };
        let weekdays = [
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Wednesday,
            Weekday::Thursday,
            Weekday::Friday,
            Weekday::Saturday,
        ];
        let weekly = [
            rule(Weekdays::of(&weekdays), 21),
            rule(Weekdays::of(&[Weekday::Sunday]), 14),
        ];
        let weekly = weekly.into_iter().collect::<Result<Vec<_>, _>>();
        let hours = weekly.and_then(|weekly| OpeningHours::new(weekly, Vec::new()));
        let hours = hours.map_err(|invalid| format!("the demo's hours: {invalid:?}"))?;
        let input = SetWorkingHours {
            owner: HoursOwner::Business,
            bound: Vec::new(),
            hours: Some(hours),
            expected_revision: None,
        };
        self.service.set_working_hours(&self.owner, input, None).await?;
        Ok(())
    }

    async fn block(&self, trainer: &Resource, monday: civil::Date) -> Result<(), Fatal> {
        let zone = &self.site.time_zone;
        let noon = monday.checked_add(8.days())?.at(12, 0, 0, 0);
        let span = zone.instant(noon).zip(zone.instant(noon.checked_add(2.hours())?));
        let span = span
            .and_then(|(start, end)| crate::domain::time::TimeSpan::new(start, end))
            .ok_or("a lunch")?;
        let input = CreateBlockedTime {
            owner: HoursOwner::Resource(trainer.id),
            span,
            reason: Some("Dentist".to_owned()),
            allow_overlap: true,
            transparent: false,
        };
        self.service.create_blocked_time(&self.owner, input, None).await?;
        Ok(())
    }
}
