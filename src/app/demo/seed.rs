//! The studio's people, services and history.

use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{self, Weekday},
};

use crate::{
    app::serve::Fatal,
    domain::{
        actor::Actor,
        booking::{
            Booking, BookingStatus, FlowControl, NotificationChannel, ParticipantNotification, Participants,
            PaymentStatus,
        },
        catalog::{
            DownPayment, OnlineBooking, PaymentOptions, Presentation, Price, Resource, ResourceType,
            Service as Offered, ServiceKind, Session, Site,
        },
        clock::FixedClock,
        event::{EventSource, EventType},
        hours::{DayTimes, HoursOwner, OpeningHours, Weekdays, WeeklyRule},
        ids::{BookingId, ResourceId, SiteId, VisitorId},
        money::{Currency, Money},
        rejection::Invalid,
        terms::Terms,
        text::EmailAddress,
        time::ZoneName,
    },
    service::{
        Caller, Error, Service,
        bookings::{ActOn, CreateBooking, Target, Verdict, Wanted},
        catalog::{
            Change, CreateBlockedTime, CreateResource, CreateService, CreateSession, Requirements, ResourceChanges,
            ServiceLocations, SessionResources, SetWorkingHours,
        },
    },
    store::{
        Command, Failure, Tx,
        bookings::{self, Contact},
        events::NewEvent,
    },
};

/// The member for whom the demo makes a token: she has bookings of her own.
pub(super) const MEMBER: &str = "lena";

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
enum Happening {
    Book(usize, Box<CreateBooking>, Caller),
    Decide(usize, Verdict, Option<PaymentStatus>),
}

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

    fn plan_classes(&mut self, sessions: &[Session], most: u64) {
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

    fn plan_course(&mut self, course: &Offered) {
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

    fn plan_trainings(&mut self, training: &Offered, trainers: &[&Resource], monday: civil::Date) -> Result<(), Fatal> {
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
    fn plan_requests(
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
    fn fill(&mut self, session: &Session) -> Result<Booking, Fatal> {
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
    async fn play(&mut self, clock: &FixedClock) -> Result<(), Fatal> {
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
struct PutOnWaitingList {
    site: SiteId,
    booking: Booking,
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
            actor: self.booking.created_by.clone(),
            source: EventSource::Request,
            occurred: self.booking.created,
        });
        Ok(())
    }
}
