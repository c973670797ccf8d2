//! Asking when something can be booked, and why not.

use async_graphql::{Context, ID, Object};
use jiff::Timestamp;

use crate::{
    domain::{
        Rejection,
        ids::{ServiceId, TypedId},
        rejection::Invalid,
        time::ZoneName,
    },
    graphql::{
        caller,
        error::bad_input,
        input::id as read_id,
        query::refused,
        scalars::{DateTime, TimeZone},
        service,
        types::{
            explanation::AvailabilityExplanation,
            participants_input::{MAX_CHOICES, MAX_CHOICES_OF_ALL, ServiceChoiceInput, choices},
            time_slot::Availability,
        },
    },
    service::{Error, availability::AvailabilityQuery as Question},
};

/// Asking when something can be booked, and why not.
#[derive(Default, Clone)]
pub struct AvailabilityQuery;

pub(crate) fn ids<I: TypedId>(name: &str, ids: &[ID]) -> async_graphql::Result<Vec<I>> {
    let read = ids
        .iter()
        .enumerate()
        .map(|(index, id)| read_id(id).map_err(|invalid: Invalid| bad_input(&invalid.at(index.to_string()).at(name))));
    read.collect()
}

pub(crate) fn zone(zone: Option<&TimeZone>) -> async_graphql::Result<Option<ZoneName>> {
    let read = zone.map(TimeZone::zone).transpose();
    read.map_err(|invalid| bad_input(&invalid.at("timeZone")))
}

pub(crate) fn instant(name: &str, date: &DateTime, zone: Option<&ZoneName>) -> async_graphql::Result<Timestamp> {
    date.instant(zone).map_err(|invalid| bad_input(&invalid.at(name)))
}

/// The arguments that both questions have.
struct Asked<'a> {
    services: &'a [ID],
    from: Option<&'a DateTime>,
    to: &'a DateTime,
    time_zone: Option<&'a TimeZone>,
    resources: Option<&'a [ID]>,
    locations: Option<&'a [ID]>,
    total_participants: Option<i32>,
    duration: Option<i32>,
    choices: Option<Vec<ServiceChoiceInput>>,
    most_choices: usize,
    limit: i32,
}

impl Asked<'_> {
    fn read(self) -> async_graphql::Result<Question> {
        let time_zone = zone(self.time_zone)?;
        let from = self
            .from
            .map(|from| instant("from", from, time_zone.as_ref()))
            .transpose()?;
        Ok(Question {
            services: ids("serviceIds", self.services)?,
            from,
            to: instant("to", self.to, time_zone.as_ref())?,
            resources: ids("resourceIds", self.resources.unwrap_or_default())?,
            locations: self.locations.map(|list| ids("locationIds", list)).transpose()?,
            time_zone,
            total_participants: self.total_participants,
            duration: self.duration,
            choices: choices(self.choices.unwrap_or_default(), self.most_choices)
                .map_err(|invalid| bad_input(&invalid))?,
            slots_per_day: None,
            bookable: None,
            limit: self.limit,
        })
    }
}

/// Asking when something can be booked, and why not.
#[Object]
impl AvailabilityQuery {
    /// When services can be booked, of all three types at once: free times of appointments, sessions of classes, runs of
    /// courses. It tells of what starts from `from` on and before `to`, and of courses of which a part lies in between.
    /// Times at which something is missing that an appointment needs are left out; full sessions and runs are there. What
    /// is told is not promised: `createBooking` looks again, and `holdSeconds` keeps a time for its customer.
    #[expect(clippy::too_many_arguments, reason = "what the schema says")]
    async fn availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what this caller can book now, or only the rest; both if not said.")] bookable: Option<
            bool,
        >,
        #[graphql(
            desc = "What was chosen of the services' options, at most 100, as in a booking's `participantsChoices`: each \
            choice is made of every service whose option it names. A length sets how long its service is, and must be that \
            of `durationInMinutes` if both are given. None has to be made. A choice that none of the services offers is \
            refused with the `reason` `INVALID_SERVICE_CHOICES`."
        )]
        choices: Option<Vec<ServiceChoiceInput>>,
        #[graphql(
            desc = "How long an appointment is to be, in minutes: one of the service's `durations`, the first if \
            not said. For appointments alone."
        )]
        duration_in_minutes: Option<i32>,
        #[graphql(desc = "The first start that is of interest; now if not said. What is over is never told.")]
        from: Option<DateTime>,
        #[graphql(
            default = 1000,
            desc = "So many rows, the earliest: 1 to 1000. There are more if several start at the last one's time, as those stay together; with `slotsPerDay`, all of a day do."
        )]
        limit: i32,
        #[graphql(desc = "Only at these locations, 1 to 5: those of the business, or places of the services' own.")]
        location_ids: Option<Vec<ID>>,
        #[graphql(
            desc = "Only with these staff members and rooms, at most 135; of several of one type any one will do. An empty list: with any."
        )]
        resource_ids: Option<Vec<ID>>,
        #[graphql(desc = "Which services: 1 to 100 different ones. Services times days may come to 3660.")]
        service_ids: Vec<ID>,
        #[graphql(
            desc = "So many of each service and local day at the most, 1 to 1000: those that can be booked first. \
            Courses are not counted."
        )]
        slots_per_day: Option<i32>,
        #[graphql(
            desc = "The zone in which local times are told and days counted, and of `from` and `to` without an \
            offset; the site's if not said, and then `from` and `to` need one."
        )]
        time_zone: Option<TimeZone>,
        #[graphql(desc = "The first start that is not of interest any more, at most 366 days after `from`.")]
        to: DateTime,
        #[graphql(desc = "How many come, at least 1; 1 if not said.")] total_participants: Option<i32>,
    ) -> Option<async_graphql::Result<Availability>> {
        let asked = Asked {
            services: &service_ids,
            from: from.as_ref(),
            to: &to,
            time_zone: time_zone.as_ref(),
            resources: resource_ids.as_deref(),
            locations: location_ids.as_deref(),
            total_participants,
            duration: duration_in_minutes,
            choices,
            most_choices: MAX_CHOICES_OF_ALL,
            limit,
        };
        let question = match asked.read() {
            Ok(question) => Question {
                slots_per_day,
                bookable,
                ..question
            },
            Err(error) => return Some(Err(error)),
        };
        let answer = service(ctx).availability(caller(ctx), question).await;
        Some(answer.map(Availability::from).map_err(|error| refused(ctx, error)))
    }

    /// Why customers are offered no times of an appointment service within a window, or fewer than one might expect, and
    /// what would help. For the business: the owner, staff, and apps that see the calendar.
    #[expect(clippy::too_many_arguments, reason = "what the schema says")]
    async fn explain_availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was chosen of the service's options, at most 5: see `availability`.")] choices: Option<
            Vec<ServiceChoiceInput>,
        >,
        #[graphql(desc = "How long the appointment is to be, in minutes; the service's first length if not said.")]
        duration_in_minutes: Option<i32>,
        #[graphql(desc = "The first start that is of interest; now if not said.")] from: Option<DateTime>,
        #[graphql(
            default = 20,
            desc = "Of so many starts it is told one by one what is in their way: 1 to 1000."
        )]
        limit: i32,
        #[graphql(desc = "Only at these locations, 1 to 5: those of the business, or places of the service's own.")]
        location_ids: Option<Vec<ID>>,
        #[graphql(desc = "Only with these staff members and rooms, at most 135.")] resource_ids: Option<Vec<ID>>,
        #[graphql(desc = "The appointment service.")] service_id: ID,
        #[graphql(
            desc = "The zone in which local times are told, and of `from` and `to` without an offset; the site's if \
            not said."
        )]
        time_zone: Option<TimeZone>,
        #[graphql(desc = "The first start that is not of interest any more, at most 366 days after `from`.")]
        to: DateTime,
        #[graphql(desc = "How many come; 1 if not said.")] total_participants: Option<i32>,
    ) -> Option<async_graphql::Result<AvailabilityExplanation>> {
        if let Err(invalid) = read_id::<ServiceId>(&service_id) {
            return Some(Err(bad_input(&invalid.at("serviceId"))));
        }
        let asked = Asked {
            services: std::slice::from_ref(&service_id),
            from: from.as_ref(),
            to: &to,
            time_zone: time_zone.as_ref(),
            resources: resource_ids.as_deref(),
            locations: location_ids.as_deref(),
            total_participants,
            duration: duration_in_minutes,
            choices,
            most_choices: MAX_CHOICES,
            limit,
        };
        let about = match asked.read() {
            Ok(about) => about,
            Err(error) => return Some(Err(error)),
        };
        let told = service(ctx).explain_availability(caller(ctx), about).await;
        let told = told.map(AvailabilityExplanation::from);
        Some(told.map_err(|mut error| {
            // Asked about one service, which has no place in a list.
            if let Error::Rejected(Rejection::Invalid(invalid)) = &mut error
                && invalid.path.first().is_some_and(|at| at == "serviceIds")
            {
                invalid.path = vec!["serviceId".to_owned()];
            }
            refused(ctx, error)
        }))
    }
}
