//! Scalars of the API. They take whatever text comes in and leave its meaning to the resolver, so that a malformed one
//! in a mutation is a user error with its path and not a request that fails.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use jiff::{Timestamp, civil};

use crate::domain::{
    rejection::{Field, Invalid},
    text,
    time::{self, ZoneName},
};

macro_rules! text_scalar {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub String);

        $(#[doc = $doc])*
        #[Scalar]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match value {
                    Value::String(text) => Ok(Self(text)),
                    other => Err(InputValueError::expected_type(other)),
                }
            }

            fn is_valid(value: &Value) -> bool {
                matches!(value, Value::String(_))
            }

            fn to_value(&self) -> Value {
                Value::String(self.0.clone())
            }
        }
    };
}

text_scalar!(
    /// An instant in RFC 3339, such as `2026-11-23T09:00:00Z`. Answers are always in UTC, with a `Z`, to the
    /// microsecond. The year lies between 1970 and 2100.
    DateTime
);
text_scalar!(
    /// A date and time on a wall clock, without an offset, such as `2026-11-23T10:00`. The zone stands beside it.
    LocalDateTime
);
text_scalar!(
    /// A date on a wall clock, such as `2026-11-23`.
    LocalDate
);
text_scalar!(
    /// A time of day on a wall clock, hours and minutes, such as `09:00`. Where times may run past midnight, hours go on
    /// beyond 24: `26:00` is two o'clock of the next day.
    LocalTime
);
text_scalar!(
    /// The IANA name of a time zone, such as `Europe/Berlin`.
    TimeZone
);
text_scalar!(
    /// An exact decimal number as text, such as `19.90`. Never a float.
    Decimal
);
text_scalar!(
    /// An ISO 4217 currency code, such as `EUR`.
    CurrencyCode
);
text_scalar!(
    /// An e-mail address, such as `ada@example.org`. At most 320 characters.
    EmailAddress
);

/// Any JSON value. For what apps keep with an object, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(pub serde_json::Value);

/// Any JSON value. For what apps keep with an object, and nothing else.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        value.into_json().map(Self).map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

impl From<Timestamp> for DateTime {
    fn from(at: Timestamp) -> Self {
        Self(at.to_string())
    }
}

impl DateTime {
    /// The instant; without an offset it is read on the wall clock of `zone`.
    pub fn instant(&self, zone: Option<&ZoneName>) -> Result<Timestamp, Invalid> {
        time::parse_instant(&self.0, zone)
    }
}

impl From<civil::DateTime> for LocalDateTime {
    fn from(local: civil::DateTime) -> Self {
        Self(local.to_string())
    }
}

impl LocalDateTime {
    /// The wall-clock time.
    pub fn civil(&self) -> Result<civil::DateTime, Invalid> {
        time::parse_local(&self.0)
    }
}

impl From<civil::Date> for LocalDate {
    fn from(date: civil::Date) -> Self {
        Self(date.to_string())
    }
}

impl LocalDate {
    /// The date.
    pub fn civil(&self) -> Result<civil::Date, Invalid> {
        let date = if self.0.len() == 10 {
            self.0.parse::<civil::Date>().ok()
        } else {
            None
        };
        let known = date.filter(|date| (1970..=time::LATEST_YEAR).contains(&date.year()));
        known.ok_or_else(|| Invalid::new(Field::Date, "is not a date of 1970 to 2100 such as `2026-11-23`"))
    }
}

impl LocalTime {
    /// The clock after so many minutes since midnight.
    #[must_use]
    pub fn of(minutes: u16) -> Self {
        Self(format!("{:02}:{:02}", minutes / 60, minutes % 60))
    }
}

impl From<&ZoneName> for TimeZone {
    fn from(zone: &ZoneName) -> Self {
        Self(zone.as_str().to_owned())
    }
}

impl TimeZone {
    /// The zone, if the database knows it.
    pub fn zone(&self) -> Result<ZoneName, Invalid> {
        ZoneName::parse(&self.0).ok_or_else(|| {
            Invalid::new(
                Field::TimeZone,
                "is not the IANA name of a time zone, such as `Europe/Berlin`",
            )
        })
    }
}

impl EmailAddress {
    /// The address, if it is plausible.
    pub fn address(&self) -> Result<text::EmailAddress, Invalid> {
        text::EmailAddress::parse(&self.0)
    }
}
