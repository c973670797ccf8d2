//! SQL types that both engines know, and how domain types become them.
//!
//! One `table!` schema serves SQLite and PostgreSQL: an id is a 16-byte blob there and a `uuid` here, an instant
//! integer microseconds there and a `timestamptz` here, a document text there and `jsonb` here.

use std::io::Write as _;

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromStaticSqlRow, Queryable},
    expression::AsExpression,
    internal::derives::as_expression::Bound,
    pg::{Pg, PgValue},
    query_builder::QueryId,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{BigInt, Binary, Nullable, SqlType, Text},
    sqlite::{Sqlite, SqliteValue},
};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::domain::{
    actor::ActorKind,
    booking::{BookingStatus, NotificationChannel, PaymentStatus, SelectedPaymentOption, ServiceKind},
    catalog::{ResourceType, SessionStatus},
    conflict::OverlapReason,
    event::{EventSource, EventType},
    ids::{
        ApiKeyId, BlockedTimeId, BookingId, BookingPolicyId, CategoryId, ClaimId, LocationId, MultiServiceBookingId,
        NotificationId, OptionsId, ResourceId, ResourceTypeId, ScheduleId, SeriesId, ServiceId, SessionId, SiteId,
        TypedId,
    },
};

/// An id: `uuid` or a 16-byte blob.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Binary"), postgres_type(oid = 2950, array_oid = 2951))]
pub struct Uid;

/// An instant: `timestamptz` or microseconds since 1970.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"), postgres_type(oid = 1184, array_oid = 1185))]
pub struct Instant;

/// A JSON document: `jsonb` or text.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Text"), postgres_type(oid = 3802, array_oid = 3807))]
pub struct Document;

/// An instant on its way to or from a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(pub Timestamp);

/// A document on its way to or from a row.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// PostgreSQL counts from 2000-01-01.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Makes a domain type usable as a value of a SQL type. Written out because the derives have to stand on the type,
/// and the domain must not know of Diesel.
macro_rules! sql_value {
    ($sql:ty: $($(@$generic:ident)? $value:ty),* $(,)?) => {$(
        impl$(<$generic: std::fmt::Debug>)? AsExpression<$sql> for $value {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl<'value, $($generic: std::fmt::Debug)?> AsExpression<$sql> for &'value $value {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl$(<$generic: std::fmt::Debug>)? AsExpression<Nullable<$sql>> for $value {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl<'value, $($generic: std::fmt::Debug)?> AsExpression<Nullable<$sql>> for &'value $value {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl<DB: Backend, $($generic: std::fmt::Debug)?> ToSql<Nullable<$sql>, DB> for $value
        where
            $value: ToSql<$sql, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                ToSql::<$sql, DB>::to_sql(self, out)
            }
        }
        impl<DB: Backend, ST, $($generic)?> Queryable<ST, DB> for $value
        where
            Self: FromStaticSqlRow<ST, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> deserialize::Result<Self> { Ok(row) }
        }
    )*};
}

macro_rules! id_values {
    ($($id:ident),* $(,)?) => {
        sql_value!(Uid: $($id),*);
        $(
            impl ToSql<Uid, Sqlite> for $id {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                    out.set_value(self.uuid().as_bytes().to_vec());
                    Ok(IsNull::No)
                }
            }
            impl ToSql<Uid, Pg> for $id {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                    out.write_all(self.uuid().as_bytes())?;
                    Ok(IsNull::No)
                }
            }
            impl FromSql<Uid, Sqlite> for $id {
                fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
                    let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
                    Ok(Self::from_uuid(Uuid::from_slice(&bytes)?))
                }
            }
            impl FromSql<Uid, Pg> for $id {
                fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                    Ok(Self::from_uuid(Uuid::from_slice(value.as_bytes())?))
                }
            }
        )*
    };
}

id_values!(
    SiteId,
    ResourceTypeId,
    BookingId,
    MultiServiceBookingId,
    BookingPolicyId,
    OptionsId,
    ServiceId,
    CategoryId,
    LocationId,
    ResourceId,
    ScheduleId,
    SessionId,
    SeriesId,
    BlockedTimeId,
    ClaimId,
    NotificationId,
    ApiKeyId,
);

sql_value!(Instant: At);

impl ToSql<Instant, Sqlite> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_microsecond());
        Ok(IsNull::No)
    }
}

impl ToSql<Instant, Pg> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&(self.0.as_microsecond() - PG_EPOCH_MICROS).to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Instant, Sqlite> for At {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?;
        Ok(Self(Timestamp::from_microsecond(micros)?))
    }
}

impl FromSql<Instant, Pg> for At {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_be_bytes(value.as_bytes().try_into()?);
        Ok(Self(Timestamp::from_microsecond(micros + PG_EPOCH_MICROS)?))
    }
}

sql_value!(Document: @T Json<T>);

impl<T: Serialize + std::fmt::Debug> ToSql<Document, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl<T: Serialize + std::fmt::Debug> ToSql<Document, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // The version byte of the binary form.
        out.write_all(&[1])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

impl<T: DeserializeOwned> FromSql<Document, Sqlite> for Json<T> {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

impl<T: DeserializeOwned> FromSql<Document, Pg> for Json<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((1, json)) => Ok(Self(serde_json::from_slice(json)?)),
            _ => Err("unknown version of the binary form of jsonb".into()),
        }
    }
}

macro_rules! text_enum {
    ($($name:ident { $($variant:ident = $text:literal),* $(,)? })*) => {
        sql_value!(Text: $($name),*);
        $(
            impl ToSql<Text, Sqlite> for $name {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                    out.set_value(match self { $(Self::$variant => $text),* });
                    Ok(IsNull::No)
                }
            }
            impl ToSql<Text, Pg> for $name {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                    out.write_all(match self { $(Self::$variant => $text),* }.as_bytes())?;
                    Ok(IsNull::No)
                }
            }
            impl<DB: Backend> FromSql<Text, DB> for $name
            where
                String: FromSql<Text, DB>,
            {
                fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                    match String::from_sql(value)?.as_str() {
                        $($text => Ok(Self::$variant),)*
                        other => Err(format!(concat!("unknown ", stringify!($name), ": {}"), other).into()),
                    }
                }
            }
        )*
    };
}

text_enum! {
    BookingStatus {
        Created = "CREATED", Pending = "PENDING", Confirmed = "CONFIRMED", WaitingList = "WAITING_LIST",
        Declined = "DECLINED", Canceled = "CANCELED",
    }
    PaymentStatus {
        Undefined = "UNDEFINED", NotPaid = "NOT_PAID", Paid = "PAID", PartiallyPaid = "PARTIALLY_PAID",
        Refunded = "REFUNDED", Exempt = "EXEMPT", Failed = "FAILED",
    }
    SelectedPaymentOption {
        Undefined = "UNDEFINED", Offline = "OFFLINE", Online = "ONLINE", Membership = "MEMBERSHIP",
        MembershipOffline = "MEMBERSHIP_OFFLINE",
    }
    ServiceKind { Appointment = "APPOINTMENT", Class = "CLASS", Course = "COURSE" }
    SessionStatus { Confirmed = "CONFIRMED", Cancelled = "CANCELLED" }
    OverlapReason {
        OwnerSkip = "OWNER_SKIP", OwnerConfirm = "OWNER_CONFIRM", PaidOrder = "PAID_ORDER",
        MultipleRequests = "MULTIPLE_REQUESTS", OwnerEdit = "OWNER_EDIT", Transparent = "TRANSPARENT",
    }
    ActorKind {
        Owner = "OWNER", Staff = "STAFF", App = "APP", Member = "MEMBER", Visitor = "VISITOR", Operator = "OPERATOR",
        System = "SYSTEM",
    }
    EventType {
        Created = "CREATED", Confirmed = "CONFIRMED", Declined = "DECLINED", Canceled = "CANCELED",
        Rescheduled = "RESCHEDULED", MarkedAsPending = "MARKED_AS_PENDING",
        ParticipantsUpdated = "PARTICIPANTS_UPDATED",
        HoldExpired = "HOLD_EXPIRED", DoubleBooked = "DOUBLE_BOOKED",
        DoubleBookingResolved = "DOUBLE_BOOKING_RESOLVED", Updated = "UPDATED",
    }
    EventSource { Request = "REQUEST", Timer = "TIMER" }
    NotificationChannel { Email = "EMAIL", Sms = "SMS" }
    NotificationKind {
        Created = "CREATED", Confirmed = "CONFIRMED", Declined = "DECLINED", Canceled = "CANCELED",
        Rescheduled = "RESCHEDULED", MarkedAsPending = "MARKED_AS_PENDING",
        ParticipantsUpdated = "PARTICIPANTS_UPDATED",
    }
    NotificationState { Queued = "QUEUED", Sent = "SENT", Failed = "FAILED" }
}

sql_value!(Text: ResourceType);

impl ToSql<Text, Sqlite> for ResourceType {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.to_text());
        Ok(IsNull::No)
    }
}

impl ToSql<Text, Pg> for ResourceType {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.to_text().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl<DB: Backend> FromSql<Text, DB> for ResourceType
where
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(value)?;
        Self::from_text(&text).ok_or_else(|| format!("unknown ResourceType: {text}").into())
    }
}

/// What a message to participants is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotificationKind {
    /// The booking was made.
    Created,
    /// It was confirmed.
    Confirmed,
    /// It was declined.
    Declined,
    /// It was canceled.
    Canceled,
    /// It was moved.
    Rescheduled,
    /// It waits for the business.
    MarkedAsPending,
    /// More or fewer people come.
    ParticipantsUpdated,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotificationState {
    /// It waits to be sent.
    Queued,
    /// It was handed over.
    Sent,
    /// It could not be handed over.
    Failed,
}
