//! Filters and orders of bookings.

use async_graphql::{Enum, InputObject};
use jiff::Timestamp;

use super::{
    booking::{BookingStatus, PaymentStatus, SelectedPaymentOption},
    filter::{
        BooleanFilter, DateTimeFilter, IdFilter, IntFilter, OrderDirection, ServiceTypeFilter, StringFilter, camel,
        check_depth, filter_input, join, read_id,
    },
    identity::IdentityType,
};
use crate::{
    domain::{
        ids::{BookingId, TypedId as _},
        rejection::Invalid,
        text,
    },
    graphql::{
        connection::{cursor, open_cursor},
        scalars::DateTime,
    },
    store::{
        bookings::{BookingField, BookingFilter as Tests, BookingKey, OrderField},
        page::{self, Filter},
    },
};

filter_input!(
    /// Tests of a booking's status. All given ones must be met.
    BookingStatusFilter, BookingStatus
);
filter_input!(
    /// Tests of a payment status. All given ones must be met.
    PaymentStatusFilter, PaymentStatus
);
filter_input!(
    /// Tests of a payment option. All given ones must be met.
    SelectedPaymentOptionFilter, SelectedPaymentOption
);
filter_input!(
    /// Tests of the sort of somebody who acts. All given ones must be met.
    IdentityTypeFilter, IdentityType
);

/// Which bookings are wanted. All given tests must be met; `and`, `or` and `not` nest up to 8 deep.
#[derive(Debug, Clone, Default, InputObject)]
pub struct BookingFilter {
    /// All of these. At most 100.
    pub and: Option<Vec<BookingFilter>>,
    /// When it was canceled or anything else about it changed last.
    pub updated_date: Option<DateTimeFilter>,
    /// The e-mail address of whom it is for, whatever its case.
    pub contact_email: Option<StringFilter>,
    /// The name of who made it: the token's subject, or a visitor's id.
    pub created_by_subject: Option<StringFilter>,
    /// The sort of who made it.
    pub created_by_type: Option<IdentityTypeFilter>,
    /// When it was made.
    pub created_date: Option<DateTimeFilter>,
    /// Whether it is flagged as clashing with one that was there before.
    pub double_booked: Option<BooleanFilter>,
    /// When it ends. Bookings without a time pass no test of it.
    pub end_date: Option<DateTimeFilter>,
    /// A key of the creating app's own.
    pub external_user_id: Option<StringFilter>,
    /// Its id.
    pub id: Option<IdFilter>,
    /// The package (`MultiServiceBooking`) that it is a part of.
    pub multi_service_booking_id: Option<IdFilter>,
    /// Not this.
    pub not: Option<Box<BookingFilter>>,
    /// At least one of these. At most 100.
    pub or: Option<Vec<BookingFilter>>,
    /// What is known about the money.
    pub payment_status: Option<PaymentStatusFilter>,
    /// The first of its resources: the staff member, if there is one.
    pub resource_id: Option<IdFilter>,
    /// The schedule; for a course, its run.
    pub schedule_id: Option<IdFilter>,
    /// How the customer means to pay.
    pub selected_payment_option: Option<SelectedPaymentOptionFilter>,
    /// The service.
    pub service_id: Option<IdFilter>,
    /// The type of the service.
    pub service_type: Option<ServiceTypeFilter>,
    /// The class session.
    pub session_id: Option<IdFilter>,
    /// When it starts. Bookings without a time pass no test of it.
    pub start_date: Option<DateTimeFilter>,
    /// Where it is in its life.
    pub status: Option<BookingStatusFilter>,
    /// How many come.
    pub total_participants: Option<IntFilter>,
}

impl BookingFilter {
    /// The tests.
    pub fn parse(self) -> Result<Tests, Invalid> {
        self.nested(0)
    }

    fn nested(self, depth: usize) -> Result<Tests, Invalid> {
        check_depth(depth)?;
        let mut all: Vec<Tests> = Vec::new();
        macro_rules! test {
            ($($name:ident => $field:ident by $read:expr;)*) => {
                $(if let Some(filter) = self.$name {
                    let tests = filter.tests($read, BookingField::$field);
                    all.push(tests.map_err(|invalid| invalid.at(camel(stringify!($name))))?);
                })*
            };
        }
        test! {
            id => Id by |value| read_id(&value);
            service_id => Service by |value| read_id(&value);
            schedule_id => Schedule by |value| read_id(&value);
            session_id => Session by |value| read_id(&value);
            resource_id => Resource by |value| read_id(&value);
            multi_service_booking_id => Package by |value| read_id(&value);
            service_type => Kind by |value| Ok(value.into());
            status => Status by |value| Ok(value.into());
            payment_status => PaymentStatus by |value| Ok(value.into());
            selected_payment_option => PaymentOption by |value| Ok(value.into());
            contact_email => Email by |value: String| Ok(text::bounded(&value, 320)?.to_lowercase());
            external_user_id => ExternalUser by |value: String| text::bounded(&value, 320);
            created_by_type => CreatedByKind by |value| Ok(value.into());
            created_by_subject => CreatedById by |value: String| text::bounded(&value, 320);
            created_date => Created by |value: DateTime| value.instant(None);
            updated_date => Updated by |value: DateTime| value.instant(None);
            start_date => Start by |value: DateTime| value.instant(None);
            end_date => End by |value: DateTime| value.instant(None);
            total_participants => Participants by Ok;
        }
        if let Some(filter) = self.double_booked {
            all.extend(filter.tests(BookingField::DoubleBooked));
        }
        join(&mut all, self.and, self.or, self.not, |part| part.nested(depth + 1))?;
        Ok(Filter::All(all))
    }
}

/// By what bookings can be sorted; the id decides between equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum BookingOrderField {
    /// When it was made.
    CreatedDate,
    /// When it ends. Bookings without a time count as far in the future.
    EndDate,
    /// When it starts. Bookings without a time count as far in the future.
    StartDate,
    /// When it changed last.
    UpdatedDate,
}

/// How bookings are sorted.
#[derive(Debug, Clone, InputObject)]
pub struct BookingOrder {
    /// Which way.
    pub direction: OrderDirection,
    /// By what.
    pub field: BookingOrderField,
}

impl BookingOrder {
    /// The field and the direction; newest first if nothing was said.
    #[must_use]
    pub fn parse(order: Option<Self>) -> (OrderField, page::Direction) {
        let Some(order) = order else {
            return (OrderField::Created, page::Direction::Desc);
        };
        let field = match order.field {
            BookingOrderField::CreatedDate => OrderField::Created,
            BookingOrderField::EndDate => OrderField::End,
            BookingOrderField::StartDate => OrderField::Start,
            BookingOrderField::UpdatedDate => OrderField::Updated,
        };
        (field, order.direction.into())
    }
}

/// The opaque cursor of a place in a list of bookings; good for the order that it was made in.
#[must_use]
pub fn booking_cursor(key: &BookingKey, field: OrderField) -> String {
    cursor(&format!("{field:?}:{}:{}", key.at.as_microsecond(), key.id))
}

/// The place in a cursor of a list in this order.
#[must_use]
pub fn booking_key(text: &str, field: OrderField) -> Option<BookingKey> {
    let content = open_cursor(text)?;
    let (name, rest) = content.split_once(':')?;
    let (micros, id) = rest.split_once(':')?;
    if name != format!("{field:?}") {
        return None;
    }
    Some(BookingKey {
        at: Timestamp::from_microsecond(micros.parse().ok()?).ok()?,
        id: BookingId::parse(id).ok()?,
    })
}
