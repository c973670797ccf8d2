//! Inputs of acts on services as a whole: deleting, copying, making many.

use async_graphql::{ID, InputObject};

use super::{BookingsOnRemoval, CreateServiceInput, edit, key};
use crate::{
    domain::Rejection,
    graphql::{
        input::{Problems, Rejections, id},
        types::booking_input::ParticipantNotificationInput,
    },
    service::{
        IdempotencyKey,
        catalog::{BookingsOfService, CloneService, CreateService, DeleteService},
    },
};

/// A service that is to be deleted.
#[derive(InputObject, Clone, Debug)]
pub struct DeleteServiceInput {
    /// What is to become of bookings that aren't over. If there are any and nothing is said, here or by
    /// `preserveFutureSessionsWithParticipants`, it is refused with `HAS_BOOKINGS`.
    bookings: Option<BookingsOnRemoval>,
    /// Whether nothing is deleted, and only counted in `impact` what would be.
    #[graphql(default = false)]
    dry_run: bool,
    /// Refuse with `REVISION_MISMATCH` unless the service has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// What the participants of canceled bookings are told; nothing if not said.
    participant_notification: Option<ParticipantNotificationInput>,
    /// Whether sessions and appointments on which somebody counts stay on the calendar, with their bookings; everything
    /// else goes. Not together with `bookings`. What stays can be canceled later, but not booked any more.
    #[graphql(default = false)]
    preserve_future_sessions_with_participants: bool,
    /// The service.
    service_id: ID,
}

/// A service that is to be made after another.
#[derive(InputObject, Clone, Debug)]
pub struct CloneServiceInput {
    /// Whether it gets the sessions to come of the other's own schedule (of a course: its first run), at most 1000. They
    /// come without staff and rooms, which are busy with the others, and each stands alone, in no series.
    #[graphql(default = false)]
    copy_sessions: bool,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Its name, 1 to 400 characters; the other's if not said. Its slug is made of it.
    name: Option<String>,
    /// The other service.
    service_id: ID,
}

/// Services that are to be made.
#[derive(InputObject, Clone, Debug)]
pub struct BulkCreateServicesInput {
    /// Whether one that is refused refuses all; else it leaves the others standing.
    #[graphql(default = false)]
    all_or_nothing: bool,
    /// A key for safe retries of the whole call, at most 255 characters.
    idempotency_key: Option<String>,
    /// The services, 1 to 100. Their own `idempotencyKey`s are not used.
    services: Vec<CreateServiceInput>,
}

impl DeleteServiceInput {
    pub(crate) fn parse(&self) -> Result<DeleteService, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "serviceId",
            &self.service_id,
            self.expected_revision,
            key,
        );
        let notification = self.participant_notification.clone();
        let notification =
            notification.and_then(|notification| problems.nest("participantNotification", notification.parse()));
        let bookings = match (self.bookings, self.preserve_future_sessions_with_participants) {
            (None, false) => BookingsOfService::Refuse,
            (Some(BookingsOnRemoval::Cancel), false) => BookingsOfService::Cancel,
            (None, true) => BookingsOfService::Keep,
            (Some(_), true) => {
                problems.complain(
                    &["bookings"],
                    "can't be said with `preserveFutureSessionsWithParticipants`",
                );
                BookingsOfService::Refuse
            }
        };
        problems.finish(edit.map(|edit| DeleteService {
            edit,
            bookings,
            dry_run: self.dry_run,
            notification,
        }))
    }
}

impl CloneServiceInput {
    pub(crate) fn parse(&self) -> Result<(CloneService, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let service = problems.take("serviceId", id(&self.service_id));
        let clone = service.map(|service| CloneService {
            service,
            name: self.name.clone(),
            copy_sessions: self.copy_sessions,
        });
        problems.finish(clone.map(|clone| (clone, key)))
    }
}

/// Many services, and whether it is all or none.
pub(crate) type BulkCreate = (Vec<CreateService>, bool, Option<IdempotencyKey>);

impl BulkCreateServicesInput {
    /// A malformed service refuses the whole call, as a missing field does; what breaks a rule is refused on its own.
    pub(crate) fn parse(&self) -> Result<BulkCreate, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let mut services = Vec::with_capacity(self.services.len());
        for (index, service) in self.services.iter().enumerate() {
            let place = |rejections: Rejections| {
                let nested = rejections.0.into_iter();
                Rejections(
                    nested
                        .map(|rejection: Rejection| rejection.within(&[&index.to_string()]))
                        .collect(),
                )
            };
            if let Some((service, _)) = problems.nest("services", service.parse().map_err(place)) {
                services.push(service);
            }
        }
        problems.finish(Some((services, self.all_or_nothing, key)))
    }
}
