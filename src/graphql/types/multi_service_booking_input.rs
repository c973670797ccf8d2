//! Inputs of the mutations of packages.

use async_graphql::{ID, InputObject, InputType};

use super::{
    booking::{BookingStatus, PaymentStatus, SelectedPaymentOption},
    booking_input::{
        AppointmentSlotInput, ContactDetailsInput, CreateBookingFlowControlInput, MarkBookingAsPendingFlowControlInput,
        ParticipantNotificationInput, RescheduleFlowControlInput, take_key,
    },
    participants_input::{ParticipantsChoiceInput, take_participants},
};
use crate::{
    domain::{
        Rejection,
        booking::{FlowControl, MAX_HOLD_SECONDS},
        text,
    },
    graphql::input::{Problems, Rejections, id},
    service::{
        IdempotencyKey,
        bookings::{
            ActOnPackage, AddToPackage, CreateBooking, CreatePackage, Move, PackageTarget, PartInfo, RemoveFromPackage,
            ReschedulePackage, Verdict,
        },
    },
};

/// Entries of a list of bookings that are read. No package has more.
const MOST: usize = 8;

/// One appointment of a package that is to be made.
#[derive(Debug, Clone, InputObject)]
pub struct CreateMultiServiceBookingItemInput {
    /// How many come, in groups: 1 to 20 of them. Exactly one of this and `totalParticipants`.
    pub participants_choices: Option<Vec<ParticipantsChoiceInput>>,
    /// How the customer means to pay; the service must offer it.
    pub selected_payment_option: Option<SelectedPaymentOption>,
    /// The service and its time. It has to start when the one before it ends, at the same place.
    pub slot: AppointmentSlotInput,
    /// How many come, at least 1. Exactly one of this and `participantsChoices`.
    pub total_participants: Option<i32>,
}

/// What `createMultiServiceBooking` needs.
#[derive(Debug, Clone, InputObject)]
pub struct CreateMultiServiceBookingInput {
    /// The appointments, 2 to 8, one after the other without a gap.
    pub bookings: Vec<CreateMultiServiceBookingItemInput>,
    /// Whom all of them are for.
    pub contact_details: ContactDetailsInput,
    /// A key of the app's own for its user, at most 255 characters.
    pub external_user_id: Option<String>,
    /// Overrides. For the business only.
    pub flow_control_settings: Option<CreateBookingFlowControlInput>,
    /// Hold all times for so many seconds, 1 to 1800, so that nobody else gets them in the meantime. Each booking counts as
    /// a hold: where the customer, or its address, has no room for as many, it is refused as `TOO_MANY_HOLDS`.
    pub hold_seconds: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    pub idempotency_key: Option<String>,
    /// What the participants are to be told: once, with the first booking.
    pub participant_notification: Option<ParticipantNotificationInput>,
    /// The status it is made with: `CREATED` if not said. The business may ask for `CONFIRMED`.
    pub status: Option<BookingStatus>,
}

/// Reads the entries of a list, each complaint with its place.
fn entries<I, T>(problems: &mut Problems, entries: Vec<I>, read: impl Fn(I) -> Result<T, Rejections>) -> Vec<T> {
    let mut all = Vec::with_capacity(entries.len().min(MOST));
    // One more than a package has: who sends too many is told so.
    for (index, entry) in entries.into_iter().take(MOST + 1).enumerate() {
        let place = |rejections: Rejections| {
            let nested = rejections.0.into_iter().map(|rejection| match rejection {
                Rejection::Invalid(invalid) => Rejection::Invalid(invalid.at(index.to_string())),
                other => other,
            });
            Rejections(nested.collect())
        };
        all.extend(problems.nest("bookings", read(entry).map_err(place)));
    }
    all
}

impl CreateMultiServiceBookingInput {
    /// The package to be made.
    pub fn parse(self) -> Result<(CreatePackage, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = take_key(&mut problems, &self, self.idempotency_key.as_ref());
        let contact = problems.nest("contactDetails", self.contact_details.parse());
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
        let read = |item: CreateMultiServiceBookingItemInput| {
            let mut problems = Problems::default();
            let wanted = problems.nest("slot", item.slot.parse());
            let people = take_participants(&mut problems, item.total_participants, item.participants_choices, true);
            let option = item.selected_payment_option;
            problems.finish(wanted.zip(people).map(|(wanted, people)| (wanted, people, option)))
        };
        let items = entries(&mut problems, self.bookings, read);
        let package = contact.map(|contact| {
            let bookings = items.into_iter().map(|(wanted, participants, option)| CreateBooking {
                wanted,
                contact: contact.clone(),
                participants,
                selected_payment_option: option.map(Into::into),
                hold_seconds: self.hold_seconds,
                notification: notification.clone(),
                flow: FlowControl {
                    skip_availability_validation: flow.skip_availability_validation,
                    skip_business_confirmation: flow.skip_business_confirmation,
                    skip_selected_payment_option_validation: flow.skip_selected_payment_option_validation,
                },
                status: self.status.map(Into::into),
                external_user_id: external_user_id.clone(),
            });
            CreatePackage {
                bookings: bookings.collect(),
            }
        });
        problems.finish(package).map(|package| (package, key))
    }
}

/// What is said of one booking of a package.
#[derive(Debug, Clone, InputObject)]
pub struct MultiServiceBookingInfoInput {
    /// The booking.
    pub booking_id: ID,
    /// Refuse with `BOOKING_REVISION_MISMATCH` unless the booking has this revision.
    pub expected_revision: Option<i32>,
    /// What is known about the money now; unchanged if not said.
    pub payment_status: Option<PaymentStatus>,
}

impl MultiServiceBookingInfoInput {
    fn parse(self) -> Result<PartInfo, Rejections> {
        let mut problems = Problems::default();
        let booking = problems.take("bookingId", id(&self.booking_id));
        problems.finish(booking.map(|booking| PartInfo {
            booking,
            expected_revision: self.expected_revision.map(i64::from),
            payment_status: self.payment_status.map(Into::into),
        }))
    }
}

/// A booking that joins or leaves a package.
#[derive(Debug, Clone, InputObject)]
pub struct MultiServiceBookingMemberInput {
    /// The booking.
    pub booking_id: ID,
    /// Refuse with `BOOKING_REVISION_MISMATCH` unless the booking has this revision.
    pub expected_revision: Option<i32>,
}

impl MultiServiceBookingMemberInput {
    fn parse(self) -> Result<PartInfo, Rejections> {
        let (booking_id, expected_revision) = (self.booking_id, self.expected_revision);
        MultiServiceBookingInfoInput {
            booking_id,
            expected_revision,
            payment_status: None,
        }
        .parse()
    }
}

/// The new time of one booking of a package.
#[derive(Debug, Clone, InputObject)]
pub struct RescheduleMultiServiceBookingItemInput {
    /// The booking.
    pub booking_id: ID,
    /// Refuse with `BOOKING_REVISION_MISMATCH` unless the booking has this revision.
    pub expected_revision: Option<i32>,
    /// Where to: another time of the same service.
    pub slot: AppointmentSlotInput,
}

impl RescheduleMultiServiceBookingItemInput {
    fn parse(self) -> Result<Move, Rejections> {
        let mut problems = Problems::default();
        let booking = problems.take("bookingId", id(&self.booking_id));
        let wanted = problems.nest("slot", self.slot.parse());
        problems.finish(booking.zip(wanted).map(|(booking, wanted)| Move {
            booking,
            expected_revision: self.expected_revision.map(i64::from),
            wanted,
        }))
    }
}

fn target<I: InputType>(
    problems: &mut Problems,
    input: &I,
    package: &ID,
    key: Option<&String>,
    notification: Option<ParticipantNotificationInput>,
) -> Option<PackageTarget> {
    let idempotency = take_key(problems, input, key);
    let package = problems.take("multiServiceBookingId", id(package));
    let notification = notification.and_then(|n| problems.nest("participantNotification", n.parse()));
    package.map(|package| PackageTarget {
        package,
        idempotency,
        notification,
    })
}

/// An input of which the participants hear nothing: nothing of their visit changes.
macro_rules! quiet_package_input {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[$meta:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, InputObject)]
        pub struct $name {
            /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
            pub idempotency_key: Option<String>,
            /// The package.
            pub multi_service_booking_id: ID,
            $($(#[$meta])* pub $field: $ty,)*
        }

        impl $name {
            fn target(&self, problems: &mut Problems) -> Option<PackageTarget> {
                target(problems, self, &self.multi_service_booking_id, self.idempotency_key.as_ref(), None)
            }
        }
    };
}

macro_rules! package_input {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[$meta:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, InputObject)]
        pub struct $name {
            /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
            pub idempotency_key: Option<String>,
            /// The package.
            pub multi_service_booking_id: ID,
            /// What the participants are to be told: once, with the first booking that it is about.
            pub participant_notification: Option<ParticipantNotificationInput>,
            $($(#[$meta])* pub $field: $ty,)*
        }

        impl $name {
            fn target(&self, problems: &mut Problems) -> Option<PackageTarget> {
                let notification = self.participant_notification.clone();
                target(problems, self, &self.multi_service_booking_id, self.idempotency_key.as_ref(), notification)
            }
        }
    };
}

package_input!(
    /// What `confirmMultiServiceBooking` needs.
    ConfirmMultiServiceBookingInput {
        /// What is said of its bookings: of all that aren't over, or leave it out.
        bookings: Option<Vec<MultiServiceBookingInfoInput>>,
        /// Refuse if something is in the way of any booking, naming it. Without this a clash is flagged and not refused.
        #[graphql(default = false)]
        check_availability_validation: bool,
    }
);
package_input!(
    /// What `declineMultiServiceBooking` needs.
    DeclineMultiServiceBookingInput {
        /// What is said of its bookings: of all that aren't over, or leave it out.
        bookings: Option<Vec<MultiServiceBookingInfoInput>>,
    }
);
package_input!(
    /// What `markMultiServiceBookingAsPending` needs.
    MarkMultiServiceBookingAsPendingInput {
        /// What is said of its bookings: of all that aren't over, or leave it out.
        bookings: Option<Vec<MultiServiceBookingInfoInput>>,
        /// Overrides.
        flow_control_settings: Option<MarkBookingAsPendingFlowControlInput>,
    }
);
package_input!(
    /// What `confirmOrDeclineMultiServiceBooking` needs.
    ConfirmOrDeclineMultiServiceBookingInput {
        /// What is said of its bookings: of all that aren't over, or leave it out. What is known about the money decides
        /// what becomes of a package that clashes: it counts as paid if every booking does.
        bookings: Option<Vec<MultiServiceBookingInfoInput>>,
    }
);
package_input!(
    /// What `cancelMultiServiceBooking` needs. No revision is asked for: whatever it has become, it is given up.
    CancelMultiServiceBookingInput {}
);
package_input!(
    /// What `rescheduleMultiServiceBooking` needs.
    RescheduleMultiServiceBookingInput {
        /// The new times of all of its bookings that aren't over. They stay back to back.
        bookings: Vec<RescheduleMultiServiceBookingItemInput>,
        /// Overrides. For the business only.
        flow_control_settings: Option<RescheduleFlowControlInput>,
    }
);
quiet_package_input!(
    /// What `addBookingsToMultiServiceBooking` needs.
    AddBookingsToMultiServiceBookingInput {
        /// The bookings that join, 1 to 8: appointments of no package, in its status, of the same customer. With them it is
        /// still back to back and of at most 8.
        bookings: Vec<MultiServiceBookingMemberInput>,
    }
);
quiet_package_input!(
    /// What `removeBookingsFromMultiServiceBooking` needs.
    RemoveBookingsFromMultiServiceBookingInput {
        /// The bookings that leave: the first ones or the last ones, at least 1. All if not said.
        bookings: Option<Vec<MultiServiceBookingMemberInput>>,
    }
);

/// The act, with what is said of the bookings.
macro_rules! act {
    ($input:ident, $bookings:expr, $verdict:expr) => {{
        let mut problems = Problems::default();
        let target = $input.target(&mut problems);
        let infos = entries(&mut problems, $bookings, MultiServiceBookingInfoInput::parse);
        let verdict = $verdict;
        problems.finish(target.map(|target| ActOnPackage { target, verdict, infos }))
    }};
}

impl ConfirmMultiServiceBookingInput {
    /// The act.
    pub fn parse(mut self) -> Result<ActOnPackage, Rejections> {
        let check_availability = self.check_availability_validation;
        act!(
            self,
            self.bookings.take().unwrap_or_default(),
            Verdict::Confirm { check_availability }
        )
    }
}

impl DeclineMultiServiceBookingInput {
    /// The act.
    pub fn parse(mut self) -> Result<ActOnPackage, Rejections> {
        act!(self, self.bookings.take().unwrap_or_default(), Verdict::Decline)
    }
}

impl MarkMultiServiceBookingAsPendingInput {
    /// The act.
    pub fn parse(mut self) -> Result<ActOnPackage, Rejections> {
        let flow = self.flow_control_settings.clone().unwrap_or_default();
        let verdict = Verdict::MarkAsPending {
            skip_pending_approval_service: flow.skip_pending_approval_service_validation,
        };
        act!(self, self.bookings.take().unwrap_or_default(), verdict)
    }
}

impl ConfirmOrDeclineMultiServiceBookingInput {
    /// The act.
    pub fn parse(mut self) -> Result<ActOnPackage, Rejections> {
        act!(
            self,
            self.bookings.take().unwrap_or_default(),
            Verdict::ConfirmOrDecline
        )
    }
}

impl CancelMultiServiceBookingInput {
    /// The act.
    pub fn parse(self) -> Result<ActOnPackage, Rejections> {
        act!(self, Vec::new(), Verdict::Cancel)
    }
}

impl RescheduleMultiServiceBookingInput {
    /// The package's new time.
    pub fn parse(self) -> Result<ReschedulePackage, Rejections> {
        let mut problems = Problems::default();
        let target = self.target(&mut problems);
        let moves = entries(
            &mut problems,
            self.bookings,
            RescheduleMultiServiceBookingItemInput::parse,
        );
        let flow = self.flow_control_settings.unwrap_or_default();
        problems.finish(target.map(|target| ReschedulePackage {
            target,
            moves,
            skip_availability_validation: flow.skip_availability_validation,
            skip_business_confirmation: flow.skip_business_confirmation,
        }))
    }
}

impl AddBookingsToMultiServiceBookingInput {
    /// The bookings that join.
    pub fn parse(self) -> Result<AddToPackage, Rejections> {
        let mut problems = Problems::default();
        let target = self.target(&mut problems);
        let bookings = entries(&mut problems, self.bookings, MultiServiceBookingMemberInput::parse);
        problems.finish(target.map(|target| AddToPackage { target, bookings }))
    }
}

impl RemoveBookingsFromMultiServiceBookingInput {
    /// The bookings that leave.
    pub fn parse(self) -> Result<RemoveFromPackage, Rejections> {
        let mut problems = Problems::default();
        let target = self.target(&mut problems);
        let bookings = self
            .bookings
            .map(|bookings| entries(&mut problems, bookings, MultiServiceBookingMemberInput::parse));
        problems.finish(target.map(|target| RemoveFromPackage { target, bookings }))
    }
}
