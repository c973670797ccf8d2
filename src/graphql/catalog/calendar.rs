//! The business calendar.

use async_graphql::{Context, ID, Object};

use super::availability::{ids, instant, zone};
use crate::{
    graphql::{
        caller,
        query::refused,
        scalars::{DateTime, TimeZone},
        service,
        types::calendar::Calendar,
    },
    service::calendar::CalendarQuery as Question,
};

/// The business calendar.
#[derive(Default, Clone)]
pub struct CalendarQuery;

/// The business calendar.
#[Object]
impl CalendarQuery {
    /// What stands on the business calendar and has a part in a window of time: sessions, pending and confirmed
    /// appointments, blocked times; and when everybody is there. For the owner, for apps that see the calendar, and for
    /// staff, who see their own.
    #[expect(clippy::too_many_arguments, reason = "what the schema says")]
    async fn calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where the window begins.")] from: DateTime,
        #[graphql(default = 1000, desc = "So many entries at the most, the earliest: 1 to 1000.")] limit: i32,
        #[graphql(
            desc = "Only what takes place at these locations: those of the business, or places of services' own. Blocked \
            times are told all the same: they are of resources, wherever those are. An empty list: at none."
        )]
        location_ids: Option<Vec<ID>>,
        #[graphql(
            desc = "Of these resources, all of which there must be; of all that there are if not said, and then also \
            sessions that need nobody. An empty list: of none."
        )]
        resource_ids: Option<Vec<ID>>,
        #[graphql(
            desc = "The zone in which local times are told, and of `from` and `to` without an offset; the site's if \
            not said, and then `from` and `to` need one."
        )]
        time_zone: Option<TimeZone>,
        #[graphql(desc = "Where it ends, at most 366 days after `from`.")] to: DateTime,
    ) -> Option<async_graphql::Result<Calendar>> {
        let question = || {
            let time_zone = zone(time_zone.as_ref())?;
            Ok(Question {
                from: instant("from", &from, time_zone.as_ref())?,
                to: instant("to", &to, time_zone.as_ref())?,
                resources: resource_ids
                    .as_deref()
                    .map(|list| ids("resourceIds", list))
                    .transpose()?,
                locations: location_ids
                    .as_deref()
                    .map(|list| ids("locationIds", list))
                    .transpose()?,
                time_zone,
                limit,
            })
        };
        let question = match question() {
            Ok(question) => question,
            Err(error) => return Some(Err(error)),
        };
        let answer = service(ctx).calendar(caller(ctx), question).await;
        Some(answer.map(Calendar::from).map_err(|error| refused(ctx, error)))
    }
}
