//! Filters and orders of bookings.

use async_graphql::{Enum, ID, InputObject};
use jiff::Timestamp;

use super::{
    booking::{BookingStatus, PaymentStatus, SelectedPaymentOption},
    identity::IdentityType,
    service::ServiceType,
};
use crate::{
    domain::{
        ids::{BookingId, TypedId},
        rejection::{Field, Invalid},
        text,
    },
    graphql::{
        connection::{cursor, open_cursor},
        input::id,
        scalars::DateTime,
    },
    store::{
        bookings::{BookingField, BookingFilter as Tests, BookingKey, OrderField},
        page::{self, Filter, Test},
    },
};

/// How deeply `and`, `or` and `not` may be nested.
const MAX_DEPTH: usize = 8;
/// How many values a list of a filter may have.
const MAX_VALUES: usize = 100;

macro_rules! filter_input {
    ($(#[doc = $doc:literal])* $name:ident, $ty:ty $(, $extra:ident: $test:ident = $extra_doc:literal)*) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, InputObject)]
        pub struct $name {
            /// Equal to this.
            pub eq: Option<$ty>,
            $(#[doc = $extra_doc] pub $extra: Option<$ty>,)*
            /// One of these. At most 100.
            #[graphql(name = "in")]
            pub one_of: Option<Vec<$ty>>,
            /// Not equal to this; an absent value isn't, either.
            pub ne: Option<$ty>,
            /// None of these. At most 100.
            #[graphql(name = "nin")]
            pub none_of: Option<Vec<$ty>>,
        }

        impl $name {
            /// The tests, all of which must be met, with the values read by `read`.
            fn tests<T>(
                self,
                read: impl Fn($ty) -> Result<T, Invalid>,
                field: impl Fn(Test<T>) -> BookingField,
            ) -> Result<Tests, Invalid> {
                let mut tests = Vec::new();
                let mut one = |name: &str, value: Option<$ty>, test: fn(T) -> Test<T>| -> Result<(), Invalid> {
                    if let Some(value) = value {
                        tests.push(Filter::Is(field(test(read(value).map_err(|invalid| invalid.at(name))?))));
                    }
                    Ok(())
                };
                one("eq", self.eq, Test::Eq)?;
                one("ne", self.ne, Test::Ne)?;
                $(one(stringify!($extra), self.$extra, Test::$test)?;)*
                for (name, list, test) in [
                    ("in", self.one_of, Test::In as fn(Vec<T>) -> Test<T>),
                    ("nin", self.none_of, Test::NotIn),
                ] {
                    let Some(list) = list else { continue };
                    if list.len() > MAX_VALUES {
                        return Err(Invalid::new(Field::Other, "must have at most 100 entries").at(name));
                    }
                    let values = list.into_iter().map(&read).collect::<Result<Vec<T>, _>>();
                    tests.push(Filter::Is(field(test(values.map_err(|invalid| invalid.at(name))?))));
                }
                Ok(Filter::All(tests))
            }
        }
    };
}

filter_input!(
    /// Tests of an id. All given ones must be met.
    IdFilter, ID
);
filter_input!(
    /// Tests of an instant. All given ones must be met.
    DateTimeFilter, DateTime,
    gt: Gt = "Later than this.", gte: Gte = "At this or later.",
    lt: Lt = "Earlier than this.", lte: Lte = "At this or earlier."
);
filter_input!(
    /// Tests of a number. All given ones must be met.
    IntFilter, i32,
    gt: Gt = "Larger than this.", gte: Gte = "This or larger.", lt: Lt = "Smaller than this.", lte: Lte = "This or smaller."
);
filter_input!(
    /// Tests of a text. All given ones must be met.
    StringFilter, String
);
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
    /// Tests of a service's type. All given ones must be met.
    ServiceTypeFilter, ServiceType
);
filter_input!(
    /// Tests of the sort of somebody who acts. All given ones must be met.
    IdentityTypeFilter, IdentityType
);

/// Tests of a yes or no. All given ones must be met.
#[derive(Debug, Clone, InputObject)]
pub struct BooleanFilter {
    /// Equal to this.
    pub eq: Option<bool>,
    /// Not equal to this.
    pub ne: Option<bool>,
}

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
        if depth > MAX_DEPTH {
            return Err(Invalid::new(Field::Other, "is nested too deeply"));
        }
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
            all.extend(
                filter
                    .eq
                    .map(|yes| Filter::Is(BookingField::DoubleBooked(Test::Eq(yes)))),
            );
            all.extend(
                filter
                    .ne
                    .map(|yes| Filter::Is(BookingField::DoubleBooked(Test::Ne(yes)))),
            );
        }
        for (name, list) in [("and", self.and), ("or", self.or)] {
            let Some(list) = list else { continue };
            if list.len() > MAX_VALUES {
                return Err(Invalid::new(Field::Other, "must have at most 100 entries").at(name));
            }
            let parts = list
                .into_iter()
                .map(|part| part.nested(depth + 1))
                .collect::<Result<Vec<_>, _>>();
            let parts = parts.map_err(|invalid| invalid.at(name))?;
            all.push(if name == "and" {
                Filter::All(parts)
            } else {
                Filter::Any(parts)
            });
        }
        if let Some(not) = self.not {
            all.push(Filter::Not(Box::new(
                not.nested(depth + 1).map_err(|invalid| invalid.at("not"))?,
            )));
        }
        Ok(Filter::All(all))
    }
}

fn read_id<T: TypedId>(value: &ID) -> Result<T, Invalid> {
    id(value)
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut all, word| {
        let (head, tail) = word.split_at(1);
        all.push_str(&head.to_uppercase());
        all.push_str(tail);
        all
    })
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

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// Smallest or earliest first.
    Asc,
    /// Largest or latest first.
    Desc,
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
        let direction = match order.direction {
            OrderDirection::Asc => page::Direction::Asc,
            OrderDirection::Desc => page::Direction::Desc,
        };
        (field, direction)
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
