//! Inputs about services.

use async_graphql::{Enum, ID, InputObject, MaybeUndefined};

use super::{
    PresentationInput, ServiceLocationInput, ServicePaymentInput, ServiceResourceInput, change, edit, given, key,
    locations::service_locations, requirements::Told,
};
use crate::{
    domain::{
        catalog::{self, Presentation},
        ids::ServiceId,
    },
    graphql::{
        input::{Problems, Rejections, id as read_id},
        types::{booking_input::LocationInput, service::ServiceType, staff_sorting::StaffSortingPolicyInput},
    },
    service::{
        IdempotencyKey,
        catalog::{Change, CreateService, ServiceChanges, UpdateService},
    },
};

/// Whether and how customers book by themselves. It is replaced as a whole.
#[derive(InputObject, Clone, Debug)]
pub struct OnlineBookingInput {
    /// Whether several requests may wait for one time: appointments that need approval only.
    #[graphql(default = false)]
    allow_multiple_requests: bool,
    /// Whether customers can book it at all.
    #[graphql(default = true)]
    enabled: bool,
    /// Whether the business has to confirm each booking.
    #[graphql(default = false)]
    require_manual_approval: bool,
}

impl From<&OnlineBookingInput> for catalog::OnlineBooking {
    fn from(input: &OnlineBookingInput) -> Self {
        Self {
            enabled: input.enabled,
            require_manual_approval: input.require_manual_approval,
            allow_multiple_requests: input.allow_multiple_requests,
        }
    }
}

/// How far apart the starts are that an appointment service offers. Exactly one of the two.
#[derive(InputObject, Clone, Debug)]
pub struct SlotsSplitIntervalInput {
    /// As far apart as the service's usual length and its buffer.
    #[graphql(default = false)]
    same_as_duration: bool,
    /// So many minutes, 1 to 1440.
    value_in_minutes: Option<i32>,
}

impl SlotsSplitIntervalInput {
    fn parse(&self) -> Result<catalog::SlotStep, Rejections> {
        match (self.same_as_duration, self.value_in_minutes) {
            (true, None) => Ok(catalog::SlotStep::SameAsDuration),
            (false, Some(minutes)) => Ok(catalog::SlotStep::Minutes(minutes)),
            _ => {
                let mut problems = Problems::default();
                problems.complain(
                    &["valueInMinutes"],
                    "is needed unless `sameAsDuration` is true, and only then",
                );
                problems.finish(None)
            }
        }
    }
}

/// A service that is to be made, with its schedule.
#[derive(InputObject, Clone, Debug)]
pub struct CreateServiceInput {
    /// The policy by which customers book it; the site's default if not said.
    booking_policy_id: Option<ID>,
    /// Minutes kept free after an appointment, 0 to 720; 0 if not said.
    buffer_minutes: Option<i32>,
    /// Seats of new sessions (class) or of the run (course), 1 to 1000. Appointments: 1. If not said, 1.
    default_capacity: Option<i32>,
    /// What it is, at most 7000 characters.
    description: Option<String>,
    /// Lengths that an appointment can have, in minutes, the usual one first: 1 to 50 different ones of 1 to 44639.
    /// Not for classes and courses, whose sessions have their own times.
    durations: Option<Vec<i32>>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The short form of `locations`, for one place or none.
    location: Option<LocationInput>,
    /// Where it takes place, at most 500 entries, a course at one at the most; in this order free times of one start are
    /// listed. Not together with `location`.
    locations: Option<Vec<ServiceLocationInput>>,
    /// Its name, 1 to 400 characters.
    name: String,
    /// Whether and how customers book it by themselves; enabled and without approval if not said.
    online_booking: Option<OnlineBookingInput>,
    /// What it costs and how it is paid for.
    payment: ServicePaymentInput,
    /// How it is shown and found.
    #[graphql(flatten)]
    presentation: PresentationInput,
    /// How many of the staff members at once, 1 to 100, and no more than are named; 1 if not said. Only with
    /// `staffMemberIds`.
    required_staff_members_number: Option<i32>,
    /// The short form of what an appointment needs, 1 to 220: one free resource of each type that occurs here. Instead
    /// of `staffMemberIds` and `requiredResources`. Not for classes and courses, whose sessions have their own.
    resource_ids: Option<Vec<ID>>,
    /// What an appointment needs besides staff, at most 8 entries. All of them must be free, and a resource serves one
    /// of them only. Not together with `resourceIds`.
    required_resources: Option<Vec<ServiceResourceInput>>,
    /// A name for addresses: 1 to 63 lower-case letters, digits and single hyphens. Made of the name if not said.
    slug: Option<String>,
    /// How far apart the starts of appointments are that are offered; 30 minutes if not said.
    slots_split_interval: Option<SlotsSplitIntervalInput>,
    /// In which order free staff are taken for an appointment; as they are named if not said.
    staff_sorting_policy: Option<StaffSortingPolicyInput>,
    /// The staff members that will do, at most 220; an empty list: any, those too who come later. Left out: it needs no
    /// staff. Not together with `resourceIds`.
    staff_member_ids: Option<Vec<ID>>,
    /// Which of the three types it is; it can't change later.
    #[graphql(name = "type")]
    service_type: ServiceType,
}

impl CreateServiceInput {
    pub(crate) fn parse(&self) -> Result<(CreateService, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let requirements = Told {
            resource_ids: &self
                .resource_ids
                .clone()
                .map_or(MaybeUndefined::Undefined, MaybeUndefined::Value),
            staff_member_ids: &self
                .staff_member_ids
                .clone()
                .map_or(MaybeUndefined::Undefined, MaybeUndefined::Value),
            required_staff_members_number: &self
                .required_staff_members_number
                .map_or(MaybeUndefined::Undefined, MaybeUndefined::Value),
            required_resources: &self
                .required_resources
                .clone()
                .map_or(MaybeUndefined::Undefined, MaybeUndefined::Value),
        };
        let requirements = requirements.parse(&mut problems).unwrap_or_default();
        let locations = service_locations(
            &mut problems,
            &self
                .locations
                .clone()
                .map_or(MaybeUndefined::Undefined, MaybeUndefined::Value),
            &self
                .location
                .clone()
                .map_or(MaybeUndefined::Undefined, MaybeUndefined::Value),
        );
        let payment = problems.nest("payment", self.payment.parse());
        let step = self.slots_split_interval.as_ref().map(SlotsSplitIntervalInput::parse);
        let slot_step = step.and_then(|step| problems.nest("slotsSplitInterval", step));
        let sorting = self.staff_sorting_policy.map(StaffSortingPolicyInput::parse);
        let staff_sorting = sorting.and_then(|sorting| problems.nest("staffSortingPolicy", sorting));
        let policy = self.booking_policy_id.as_ref().map(read_id);
        let booking_policy = problems.option("bookingPolicyId", policy);
        let usual = catalog::OnlineBooking {
            enabled: true,
            require_manual_approval: false,
            allow_multiple_requests: false,
        };
        let mut presentation = Presentation::default();
        self.presentation.parse(&mut problems).apply(&mut presentation);
        let service = payment.map(|payment| CreateService {
            kind: self.service_type.into(),
            name: self.name.clone(),
            slug: self.slug.clone(),
            description: self.description.clone(),
            default_capacity: self.default_capacity,
            durations: self.durations.clone().unwrap_or_default(),
            buffer_minutes: self.buffer_minutes.unwrap_or(0),
            slot_step,
            price: payment.price,
            payment_options: payment.options,
            down_payment: payment.down,
            presentation,
            online_booking: self.online_booking.as_ref().map_or(usual, Into::into),
            locations: locations.unwrap_or_default(),
            requirements,
            staff_sorting,
            booking_policy,
        });
        problems.finish(service.map(|service| (service, key)))
    }
}

/// What becomes of sessions at a location where their service isn't given any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RemovedLocationSessionsAction {
    /// They stay there.
    KeepAtCurrentLocation,
    /// They go to `newLocation`, and what is booked of them with them.
    MoveToLocation,
}

/// What changes of a service. What is left out stays; lists and objects are replaced as a whole. What is booked stays
/// as it was booked.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateServiceInput {
    /// The policy by which customers book it; null: the site's default.
    booking_policy_id: MaybeUndefined<ID>,
    /// Minutes kept free after an appointment, 0 to 720.
    buffer_minutes: MaybeUndefined<i32>,
    /// Seats of new sessions (class) or of new runs (course), 1 to 1000. Sessions and runs that are there keep theirs.
    default_capacity: MaybeUndefined<i32>,
    /// What it is, at most 7000 characters.
    description: MaybeUndefined<String>,
    /// Lengths that an appointment can have, in minutes, the usual one first: 1 to 50 different ones of 1 to 44639.
    durations: MaybeUndefined<Vec<i32>>,
    /// Refuse with `REVISION_MISMATCH` unless the service has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The short form of `locations`, for one place; null: nowhere in particular.
    location: MaybeUndefined<LocationInput>,
    /// Where it takes place, all of it: at most 500 entries, a course at one at the most. Not together with `location`.
    /// What is booked stays where it was booked, and so do sessions, unless `removedLocationSessionsAction` moves them;
    /// those at the only location before follow it if it was a place in words and still is.
    locations: MaybeUndefined<Vec<ServiceLocationInput>>,
    /// Its name, 1 to 400 characters.
    name: MaybeUndefined<String>,
    /// Where sessions are moved: one of the `locations`, or another place in words. With
    /// `removedLocationSessionsAction: MOVE_TO_LOCATION`, and only then.
    new_location: Option<LocationInput>,
    /// Whether and how customers book it by themselves.
    online_booking: MaybeUndefined<OnlineBookingInput>,
    /// What it costs and how it is paid for.
    payment: MaybeUndefined<ServicePaymentInput>,
    /// How it is shown and found.
    #[graphql(flatten)]
    presentation: PresentationInput,
    /// What becomes of upcoming sessions at places that are not among `locations` any more, and of what is booked of
    /// them.
    #[graphql(default_with = "RemovedLocationSessionsAction::KeepAtCurrentLocation")]
    removed_location_sessions_action: RemovedLocationSessionsAction,
    /// How many of the staff members at once, 1 to 100, and no more than are named.
    required_staff_members_number: MaybeUndefined<i32>,
    /// The short form of what an appointment needs, 1 to 220: one free resource of each type that occurs here. Instead
    /// of `staffMemberIds` and `requiredResources`.
    resource_ids: MaybeUndefined<Vec<ID>>,
    /// The service.
    service_id: ID,
    /// What an appointment needs besides staff, at most 8 entries. Not together with `resourceIds`.
    required_resources: MaybeUndefined<Vec<ServiceResourceInput>>,
    /// A name for addresses: 1 to 63 lower-case letters, digits and single hyphens. The one that it had goes on leading
    /// to it, as do the last 100.
    slug: MaybeUndefined<String>,
    /// How far apart the starts of appointments are that are offered.
    slots_split_interval: MaybeUndefined<SlotsSplitIntervalInput>,
    /// The staff members that will do, at most 220; an empty list: any, those too who come later; null: it needs no
    /// staff. Not together with `resourceIds`.
    staff_member_ids: MaybeUndefined<Vec<ID>>,
    /// In which order free staff are taken for an appointment; null: as they are named.
    staff_sorting_policy: MaybeUndefined<StaffSortingPolicyInput>,
}

impl UpdateServiceInput {
    pub(crate) fn parse(&self) -> Result<UpdateService, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit::<ServiceId>(
            &mut problems,
            "serviceId",
            &self.service_id,
            self.expected_revision,
            key,
        );
        let payment = given(&mut problems, "payment", &self.payment);
        let payment = payment.and_then(|payment| problems.nest("payment", payment.parse()));
        let requirements = Told {
            resource_ids: &self.resource_ids,
            staff_member_ids: &self.staff_member_ids,
            required_staff_members_number: &self.required_staff_members_number,
            required_resources: &self.required_resources,
        };
        let requirements = requirements.parse(&mut problems);
        let step = given(&mut problems, "slotsSplitInterval", &self.slots_split_interval);
        let slot_step = step.and_then(|step| problems.nest("slotsSplitInterval", step.parse()));
        let locations = service_locations(&mut problems, &self.locations, &self.location);
        let booking_policy = match &self.booking_policy_id {
            MaybeUndefined::Undefined => Change::Keep,
            MaybeUndefined::Null => Change::Clear,
            MaybeUndefined::Value(policy) => problems
                .take("bookingPolicyId", read_id(policy))
                .map_or(Change::Keep, Change::Set),
        };
        let staff_sorting = match self.staff_sorting_policy {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(catalog::StaffSorting::default()),
            MaybeUndefined::Value(sorting) => problems.nest("staffSortingPolicy", sorting.parse()),
        };
        let changes = ServiceChanges {
            name: given(&mut problems, "name", &self.name),
            slug: given(&mut problems, "slug", &self.slug),
            description: change(&self.description),
            default_capacity: given(&mut problems, "defaultCapacity", &self.default_capacity),
            durations: given(&mut problems, "durations", &self.durations),
            buffer_minutes: given(&mut problems, "bufferMinutes", &self.buffer_minutes),
            slot_step,
            payment_options: payment.as_ref().map(|payment| payment.options),
            down_payment: payment.as_ref().map(|payment| payment.down),
            price: payment.map(|payment| payment.price),
            presentation: self.presentation.parse(&mut problems),
            online_booking: given(&mut problems, "onlineBooking", &self.online_booking)
                .as_ref()
                .map(Into::into),
            locations,
            requirements,
            staff_sorting,
            booking_policy,
        };
        let moves = self.removed_location_sessions_action == RemovedLocationSessionsAction::MoveToLocation;
        if moves && changes.locations.is_none() {
            let message = "is for a change of `locations`";
            problems.complain(&["removedLocationSessionsAction"], message);
        }
        let move_sessions_to = match &self.new_location {
            Some(_) if !moves => {
                problems.complain(&["newLocation"], "is for `MOVE_TO_LOCATION` only");
                None
            }
            None if moves => {
                problems.complain(&["newLocation"], "is needed with `MOVE_TO_LOCATION`");
                None
            }
            wish => wish.clone().and_then(|wish| problems.nest("newLocation", wish.parse())),
        };
        problems.finish(edit.map(|edit| UpdateService {
            edit,
            changes,
            move_sessions_to,
        }))
    }
}
