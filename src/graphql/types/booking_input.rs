//! Inputs of the booking mutations.

use async_graphql::{ID, InputObject, OneofObject};

use super::{
    booked::LocationType,
    booking::{BookingStatus, PaymentStatus, SelectedPaymentOption},
    notification::NotificationChannel,
    participants_input::{ParticipantsChoiceInput, take_participants},
};
use crate::{
    domain::{
        booking::{self as domain, FlowControl, MAX_HOLD_SECONDS},
        catalog::LocationWish,
        ids::{BookingId, ResourceId},
        rejection::{Field, Invalid},
        text,
        time::ZoneName,
    },
    graphql::{
        input::{Problems, Rejections, id, idempotency},
        scalars::{DateTime, EmailAddress, TimeZone},
    },
    service::{
        IdempotencyKey,
        bookings::{CreateBooking, RescheduleBooking, Target, UpdateParticipants, Wanted},
    },
    store::bookings::Contact,
};

/// What is to be booked. Give exactly one.
#[derive(Debug, Clone, OneofObject)]
pub enum BookedEntityInput {
    /// A run of a course.
    Schedule(ScheduleInput),
    /// An appointment's time or a class session.
    Slot(SlotInput),
}

/// An appointment's time or a class session. Give exactly one.
#[derive(Debug, Clone, OneofObject)]
pub enum SlotInput {
    /// A time of an appointment service.
    Appointment(AppointmentSlotInput),
    /// A session of a class.
    Session(SessionSlotInput),
}

/// A session of a class. Time, staff, place and title are the session's.
#[derive(Debug, Clone, InputObject)]
pub struct SessionSlotInput {
    /// The session.
    pub session_id: ID,
    /// The zone in which the customer saw the time; the session's if not said.
    pub time_zone: Option<TimeZone>,
}

/// A time of an appointment service.
#[derive(Debug, Clone, InputObject)]
pub struct AppointmentSlotInput {
    /// When it ends: one of the service's lengths after the start. The usual length if not said.
    pub end_date: Option<DateTime>,
    /// Where: one of the service's `locations`, by its id or its type; its only one if not said. At the customer's the
    /// address is needed, here or in `contactDetails`.
    pub location: Option<LocationInput>,
    /// Who or what is wished for: at most as many of each as the service takes. Nobody means anybody.
    pub resource_ids: Option<Vec<ID>>,
    /// The service.
    pub service_id: ID,
    /// When it starts. Without an offset it is read on the wall clock of `timeZone`.
    pub start_date: DateTime,
    /// The zone in which the customer saw the time; the site's if not said.
    pub time_zone: Option<TimeZone>,
}

/// A run of a course.
#[derive(Debug, Clone, InputObject)]
pub struct ScheduleInput {
    /// The run.
    pub schedule_id: ID,
    /// The zone in which the customer saw the times; the site's if not said.
    pub time_zone: Option<TimeZone>,
}

/// A place. Give its id or whose it is.
#[derive(Debug, Clone, InputObject)]
pub struct LocationInput {
    /// The address in one text, at most 512 characters.
    pub formatted_address: Option<String>,
    /// The id of a location of the business, or of the service's own place.
    pub location_id: Option<ID>,
    /// Whose place it is; needed unless the id is given.
    pub location_type: Option<LocationType>,
    /// The name, at most 150 characters.
    pub name: Option<String>,
}

impl LocationInput {
    /// The place, if its texts fit.
    pub fn parse(self) -> Result<LocationWish, Rejections> {
        let mut problems = Problems::default();
        if self.location_id.is_none() && self.location_type.is_none() {
            problems.complain(&["locationType"], "is needed unless the id is given");
        }
        let id = problems.option("locationId", self.location_id.as_ref().map(id));
        let name = problems.option("name", self.name.map(|name| text::bounded(&name, 150)));
        let formatted_address = problems.option(
            "formattedAddress",
            self.formatted_address.map(|address| text::bounded(&address, 512)),
        );
        problems.finish(Some(LocationWish {
            id,
            location_type: self.location_type.map(Into::into),
            name,
            formatted_address,
        }))
    }
}

fn zone(problems: &mut Problems, zone: Option<&TimeZone>) -> Option<ZoneName> {
    problems.option("timeZone", zone.map(TimeZone::zone))
}

impl BookedEntityInput {
    fn parse(self) -> Result<Wanted, Rejections> {
        let mut problems = Problems::default();
        let wanted = match self {
            Self::Slot(slot) => problems.nest("slot", slot.parse()),
            Self::Schedule(schedule) => problems.nest("schedule", schedule.parse()),
        };
        problems.finish(wanted)
    }
}

impl ScheduleInput {
    fn parse(self) -> Result<Wanted, Rejections> {
        let mut problems = Problems::default();
        let schedule = problems.take("scheduleId", id(&self.schedule_id));
        let time_zone = zone(&mut problems, self.time_zone.as_ref());
        problems.finish(schedule.map(|schedule| Wanted::Course { schedule, time_zone }))
    }
}

impl SlotInput {
    fn parse(self) -> Result<Wanted, Rejections> {
        let mut problems = Problems::default();
        let wanted = match self {
            Self::Session(session) => problems.nest("session", session.parse()),
            Self::Appointment(appointment) => problems.nest("appointment", appointment.parse()),
        };
        problems.finish(wanted)
    }
}

impl SessionSlotInput {
    fn parse(self) -> Result<Wanted, Rejections> {
        let mut problems = Problems::default();
        let session = problems.take("sessionId", id(&self.session_id));
        let time_zone = zone(&mut problems, self.time_zone.as_ref());
        problems.finish(session.map(|session| Wanted::Session { session, time_zone }))
    }
}

impl AppointmentSlotInput {
    /// The time that is wished for.
    pub(super) fn parse(self) -> Result<Wanted, Rejections> {
        let mut problems = Problems::default();
        let service = problems.take("serviceId", id(&self.service_id));
        let time_zone = zone(&mut problems, self.time_zone.as_ref());
        let start = problems.take("startDate", self.start_date.instant(time_zone.as_ref()));
        let end = problems.option("endDate", self.end_date.map(|end| end.instant(time_zone.as_ref())));
        if let (Some(start), Some(end)) = (start, end)
            && end <= start
        {
            problems.complain(&["endDate"], "must be after `startDate`");
        }
        let ids = self.resource_ids.unwrap_or_default();
        if ids.len() > 20 {
            problems.complain(&["resourceIds"], "must have at most 20 entries");
        }
        let mut resource = |(index, each): (usize, &ID)| {
            let read = id(each).map_err(|invalid: Invalid| invalid.at(index.to_string()));
            problems.take("resourceIds", read)
        };
        let ids = ids.iter().take(20).enumerate();
        let resources: Vec<ResourceId> = ids.filter_map(&mut resource).collect();
        let location = self
            .location
            .and_then(|location| problems.nest("location", location.parse()));
        let wanted = (|| {
            Some(Wanted::Appointment {
                service: service?,
                start: start?,
                end,
                time_zone,
                resources,
                location,
            })
        })();
        problems.finish(wanted)
    }
}

/// Whom a booking is for. A name or an e-mail address is needed.
#[derive(Debug, Clone, InputObject)]
pub struct ContactDetailsInput {
    /// Country, ISO 3166-1 alpha-2, such as `DE`.
    pub country_code: Option<String>,
    /// E-mail address.
    pub email: Option<EmailAddress>,
    /// First name, at most 100 characters.
    pub first_name: Option<String>,
    /// Address in one text, at most 512 characters.
    pub full_address: Option<String>,
    /// Last name, at most 100 characters.
    pub last_name: Option<String>,
    /// Phone number, at most 50 characters.
    pub phone: Option<String>,
}

impl ContactDetailsInput {
    /// Whom it is for.
    pub(super) fn parse(self) -> Result<Contact, Rejections> {
        let mut problems = Problems::default();
        let both = [&self.first_name, &self.last_name];
        let named = both
            .iter()
            .any(|name| name.as_ref().is_some_and(|name| !name.trim().is_empty()));
        // One that isn't acceptable has a complaint of its own.
        if !named && self.email.is_none() {
            problems.complain(&[], "must have a name or an e-mail address");
        }
        let mut limited = |name: &str, value: Option<String>, max| {
            problems.option(name, value.map(|value| text::bounded(&value, max)))
        };
        let mut contact = Contact {
            first_name: limited("firstName", self.first_name, 100),
            last_name: limited("lastName", self.last_name, 100),
            phone: limited("phone", self.phone, 50),
            full_address: limited("fullAddress", self.full_address, 512),
            ..Contact::default()
        };
        let address = problems.option("email", self.email.map(|email| email.address()));
        contact.email = address.map(|address| address.as_str().to_owned());
        contact.country_code = problems.option("countryCode", self.country_code.map(|code| country(&code)));
        problems.finish(Some(contact))
    }
}

fn country(code: &str) -> Result<String, Invalid> {
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(code.to_owned())
    } else {
        Err(Invalid::new(Field::Other, "must be two capital letters (ISO 3166-1)"))
    }
}

/// What the participants are to be told.
#[derive(Debug, Clone, InputObject)]
pub struct ParticipantNotificationInput {
    /// By which ways; e-mail if not said.
    pub channels: Option<Vec<NotificationChannel>>,
    /// Words of the sender's own that go with it, at most 5000 characters.
    pub message: Option<String>,
    /// Whether anything is sent.
    #[graphql(default = false)]
    pub notify_participants: bool,
}

impl ParticipantNotificationInput {
    /// What the participants are to be told.
    pub(crate) fn parse(self) -> Result<domain::ParticipantNotification, Rejections> {
        let mut problems = Problems::default();
        let message = problems.option("message", self.message.map(|message| text::bounded(&message, 5000)));
        let mut channels: Vec<domain::NotificationChannel> = Vec::new();
        for channel in self.channels.unwrap_or_default() {
            let channel = channel.into();
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        }
        if channels.is_empty() {
            channels.push(domain::NotificationChannel::Email);
        }
        let notify_participants = self.notify_participants;
        problems.finish(Some(domain::ParticipantNotification {
            notify_participants,
            message,
            channels,
        }))
    }
}

/// Overrides at creation. For the business only: staff may use them on their own calendar.
#[derive(Debug, Clone, Default, InputObject)]
pub struct CreateBookingFlowControlInput {
    /// Book without looking whether it is free. The overlap goes on record, and the booking is never declined or
    /// flagged by the machine.
    #[graphql(default = false)]
    pub skip_availability_validation: bool,
    /// Confirm without approval where the service needs it.
    #[graphql(default = false)]
    pub skip_business_confirmation: bool,
    /// Take a payment option that the service doesn't offer.
    #[graphql(default = false)]
    pub skip_selected_payment_option_validation: bool,
}

/// What `createBooking` needs.
#[derive(Debug, Clone, InputObject)]
pub struct CreateBookingInput {
    /// What is to be booked.
    pub booked_entity: BookedEntityInput,
    /// Whom it is for.
    pub contact_details: ContactDetailsInput,
    /// A key of the app's own for its user, at most 255 characters.
    pub external_user_id: Option<String>,
    /// Overrides. For the business only.
    pub flow_control_settings: Option<CreateBookingFlowControlInput>,
    /// Hold the time for so many seconds, 1 to 1800, so that nobody else gets it in the meantime.
    pub hold_seconds: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    pub idempotency_key: Option<String>,
    /// What the participants are to be told.
    pub participant_notification: Option<ParticipantNotificationInput>,
    /// How many come, in groups: 1 to 20 of them. Exactly one of this and `totalParticipants`.
    pub participants_choices: Option<Vec<ParticipantsChoiceInput>>,
    /// How the customer means to pay; the service must offer it.
    pub selected_payment_option: Option<SelectedPaymentOption>,
    /// The status it is made with: `CREATED`, as if not said, or `CONFIRMED`. The owner and apps may ask for `CONFIRMED`, and
    /// staff where it comes onto their own calendar. Any other is refused with `VALIDATION_FAILURE`, and whatever customers
    /// may not ask for with `UNAUTHORIZED_OPERATION`.
    pub status: Option<BookingStatus>,
    /// How many come, at least 1. Exactly one of this and `participantsChoices`.
    pub total_participants: Option<i32>,
}

impl CreateBookingInput {
    /// The booking to be made.
    pub fn parse(self) -> Result<(CreateBooking, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = take_key(&mut problems, &self, self.idempotency_key.as_ref());
        let wanted = problems.nest("bookedEntity", self.booked_entity.parse());
        let contact = problems.nest("contactDetails", self.contact_details.parse());
        let people = take_participants(&mut problems, self.total_participants, self.participants_choices, true);
        let notification = self
            .participant_notification
            .and_then(|n| problems.nest("participantNotification", n.parse()));
        let external_user_id = problems.option(
            "externalUserId",
            self.external_user_id.map(|user| text::required(&user, 255)),
        );
        if self
            .hold_seconds
            .is_some_and(|seconds| !(1..=MAX_HOLD_SECONDS).contains(&seconds))
        {
            problems.complain(&["holdSeconds"], "must be between 1 and 1800");
        }
        let flow = self.flow_control_settings.unwrap_or_default();
        let booking = (|| {
            Some(CreateBooking {
                wanted: wanted?,
                contact: contact?,
                participants: people?,
                selected_payment_option: self.selected_payment_option.map(Into::into),
                hold_seconds: self.hold_seconds,
                notification,
                flow: FlowControl {
                    skip_availability_validation: flow.skip_availability_validation,
                    skip_business_confirmation: flow.skip_business_confirmation,
                    skip_selected_payment_option_validation: flow.skip_selected_payment_option_validation,
                },
                status: self.status.map(Into::into),
                external_user_id,
            })
        })();
        problems.finish(booking).map(|booking| (booking, key))
    }
}

pub(super) fn take_key<I: async_graphql::InputType>(
    problems: &mut Problems,
    input: &I,
    key: Option<&String>,
) -> Option<IdempotencyKey> {
    match idempotency(input, key) {
        Ok(key) => key,
        Err(invalid) => {
            problems.add(invalid);
            None
        }
    }
}

/// What `bulkCreateBooking` needs.
#[derive(Debug, Clone, InputObject)]
pub struct BulkCreateBookingInput {
    /// The bookings, 1 to 40. Their own `idempotencyKey`s are not used.
    pub bookings: Vec<CreateBookingInput>,
    /// A key for safe retries of the whole call, at most 255 characters.
    pub idempotency_key: Option<String>,
}

/// The booking that an act is about, with what every act takes.
fn target(
    problems: &mut Problems,
    booking_id: &ID,
    expected_revision: Option<i32>,
    key: Option<IdempotencyKey>,
    notification: Option<ParticipantNotificationInput>,
) -> Option<Target> {
    let booking: Option<BookingId> = problems.take("bookingId", id(booking_id));
    let notification = notification.and_then(|n| problems.nest("participantNotification", n.parse()));
    let expected_revision = expected_revision.map(i64::from);
    booking.map(|booking| Target {
        booking,
        expected_revision,
        idempotency: key,
        notification,
    })
}

macro_rules! act_input {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[$meta:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, InputObject)]
        pub struct $name {
            /// The booking.
            pub booking_id: ID,
            /// Refuse with `BOOKING_REVISION_MISMATCH` unless the booking has this revision.
            pub expected_revision: Option<i32>,
            /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
            pub idempotency_key: Option<String>,
            /// What the participants are to be told.
            pub participant_notification: Option<ParticipantNotificationInput>,
            $($(#[$meta])* pub $field: $ty,)*
        }

        impl $name {
            /// The booking that it is about, with what every act takes.
            pub fn target(&self) -> Result<Target, Rejections> {
                let mut problems = Problems::default();
                let target = self.read_target(&mut problems);
                problems.finish(target)
            }

            fn read_target(&self, problems: &mut Problems) -> Option<Target> {
                let key = take_key(problems, self, self.idempotency_key.as_ref());
                let notification = self.participant_notification.clone();
                target(problems, &self.booking_id, self.expected_revision, key, notification)
            }
        }
    };
}

act_input!(
    /// What `confirmBooking` needs.
    ConfirmBookingInput {
        /// Refuse if something is in the way, naming it. Without this a clash is flagged and not refused.
        #[graphql(default = false)]
        check_availability_validation: bool,
        /// What is known about the money now; unchanged if not said.
        payment_status: Option<PaymentStatus>,
    }
);
act_input!(
    /// What `declineBooking` needs.
    DeclineBookingInput {
        /// What is known about the money now; unchanged if not said.
        payment_status: Option<PaymentStatus>,
    }
);
act_input!(
    /// What `cancelBooking` needs.
    CancelBookingInput {}
);
act_input!(
    /// What `markBookingAsPending` needs.
    MarkBookingAsPendingInput {
        /// Overrides.
        flow_control_settings: Option<MarkBookingAsPendingFlowControlInput>,
        /// What is known about the money now; unchanged if not said.
        payment_status: Option<PaymentStatus>,
    }
);
act_input!(
    /// What `confirmOrDeclineBooking` needs.
    ConfirmOrDeclineBookingInput {
        /// What is known about the money now: it decides what becomes of a booking that clashes. Unchanged if not said.
        payment_status: Option<PaymentStatus>,
    }
);
act_input!(
    /// What `rescheduleBooking` needs.
    RescheduleBookingInput {
        /// Overrides. For the business only.
        flow_control_settings: Option<RescheduleFlowControlInput>,
        /// Where to: another time of the same service, or another session of the same class.
        slot: SlotInput,
        /// How many come from now on; unchanged if not said. For the business only.
        total_participants: Option<i32>,
    }
);
act_input!(
    /// What `updateNumberOfParticipants` needs.
    UpdateNumberOfParticipantsInput {
        /// Overrides.
        flow_control_settings: Option<UpdateNumberOfParticipantsFlowControlInput>,
        /// How many come, in groups. Exactly one of this and `totalParticipants`.
        participants_choices: Option<Vec<ParticipantsChoiceInput>>,
        /// How many come, at least 1. Exactly one of this and `participantsChoices`.
        total_participants: Option<i32>,
    }
);

/// Overrides of `markBookingAsPending`.
#[derive(Debug, Clone, Default, InputObject)]
pub struct MarkBookingAsPendingFlowControlInput {
    /// Also for a service that needs no approval.
    #[graphql(default = false)]
    pub skip_pending_approval_service_validation: bool,
}

/// Overrides of `rescheduleBooking`. For the business only: staff may use them on their own calendar.
#[derive(Debug, Clone, Default, InputObject)]
pub struct RescheduleFlowControlInput {
    /// Move without looking whether it is free. The overlap goes on record.
    #[graphql(default = false)]
    pub skip_availability_validation: bool,
    /// Confirm without approval where the service needs it.
    #[graphql(default = false)]
    pub skip_business_confirmation: bool,
}

/// Overrides of `updateNumberOfParticipants`.
#[derive(Debug, Clone, Default, InputObject)]
pub struct UpdateNumberOfParticipantsFlowControlInput {
    /// Take the seats without looking whether they are free. The overlap goes on record.
    #[graphql(default = false)]
    pub skip_availability_validation: bool,
}

impl RescheduleBookingInput {
    /// The booking's new time.
    pub fn parse(self) -> Result<RescheduleBooking, Rejections> {
        let mut problems = Problems::default();
        let target = self.read_target(&mut problems);
        let wanted = problems.nest("slot", self.slot.parse());
        let people = take_participants(&mut problems, self.total_participants, None, false);
        let flow = self.flow_control_settings.unwrap_or_default();
        let input = target.zip(wanted).map(|(target, wanted)| RescheduleBooking {
            target,
            wanted,
            participants: people,
            skip_availability_validation: flow.skip_availability_validation,
            skip_business_confirmation: flow.skip_business_confirmation,
        });
        problems.finish(input)
    }
}

impl UpdateNumberOfParticipantsInput {
    /// The booking's new number.
    pub fn parse(self) -> Result<UpdateParticipants, Rejections> {
        let mut problems = Problems::default();
        let target = self.read_target(&mut problems);
        let people = take_participants(&mut problems, self.total_participants, self.participants_choices, true);
        let flow = self.flow_control_settings.unwrap_or_default();
        let input = target.zip(people).map(|(target, participants)| UpdateParticipants {
            target,
            participants,
            skip_availability_validation: flow.skip_availability_validation,
        });
        problems.finish(input)
    }
}
