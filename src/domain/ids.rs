//! Identifiers: UUIDv7 inside, `TypeID` text (`booking_01h455vb4pex5vsknk084sn02q`) outside.
//!
//! The prefix says what the id names, so that the id of another type is refused with a useful message.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ENCODED_LEN: usize = 26;

/// A UUIDv7 of the millisecond after another's.
fn later(than: Uuid) -> Uuid {
    let (seconds, nanos) = than.get_timestamp().map_or((0, 0), |at| at.to_unix());
    let nanos = nanos + 1_000_000;
    let at = uuid::Timestamp::from_unix(
        uuid::NoContext,
        seconds + u64::from(nanos / 1_000_000_000),
        nanos % 1_000_000_000,
    );
    Uuid::new_v7(at)
}

/// Why a text is not the id that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// It is not of the form `prefix_26 characters`.
    #[error("not a well-formed id; a {expected} id looks like `{expected}_01h455vb4pex5vsknk084sn02q`")]
    Malformed {
        /// The prefix that was expected.
        expected: &'static str,
    },
    /// It is a well-formed id of something else.
    #[error("this is the id of a {found}, but the id of a {expected} was expected")]
    WrongType {
        /// The prefix that was expected.
        expected: &'static str,
        /// The prefix that it has.
        found: String,
    },
}

/// What every typed id can do.
pub trait TypedId: Copy + Send + Sync + 'static {
    /// The word in front of the underscore.
    const PREFIX: &'static str;
    /// Wraps a UUID.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The UUID inside.
    fn uuid(self) -> Uuid;
    /// Reads the outside form.
    fn parse(text: &str) -> Result<Self, IdError> {
        let (prefix, rest) = text
            .rsplit_once('_')
            .ok_or(IdError::Malformed { expected: Self::PREFIX })?;
        let uuid = decode(rest).ok_or(IdError::Malformed { expected: Self::PREFIX })?;
        if prefix == Self::PREFIX {
            Ok(Self::from_uuid(uuid))
        } else if Kind::of(prefix).is_some() {
            Err(IdError::WrongType {
                expected: Self::PREFIX,
                found: prefix.to_owned(),
            })
        } else {
            Err(IdError::Malformed { expected: Self::PREFIX })
        }
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:ident $prefix:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(Uuid);

            impl $name {
                /// A new id; ids made later sort later.
                #[must_use]
                #[expect(clippy::disallowed_methods, reason = "ids are made here and nowhere else")]
                pub fn new() -> Self {
                    Self(Uuid::now_v7())
                }

                /// A new id that sorts after `last`, whatever the clock of the server says that made `last`.
                #[must_use]
                pub fn after(last: Option<Self>) -> Self {
                    let new = Self::new();
                    match last {
                        Some(last) if new <= last => Self(later(last.0)),
                        _ => new,
                    }
                }
            }

            impl Default for $name {
                fn default() -> Self {
                    Self::new()
                }
            }

            impl TypedId for $name {
                const PREFIX: &'static str = $prefix;
                fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
                fn uuid(self) -> Uuid { self.0 }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}_{}", $prefix, encode(self.0))
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    fmt::Display::fmt(self, f)
                }
            }
        )*

        /// What an id may name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Kind { $(#[doc = concat!("`", $prefix, "`")] $kind),* }

        impl Kind {
            /// The kind with this prefix.
            #[must_use]
            pub fn of(prefix: &str) -> Option<Self> {
                match prefix { $($prefix => Some(Self::$kind),)* _ => None }
            }

            /// The prefix of this kind's ids.
            #[must_use]
            pub fn prefix(self) -> &'static str {
                match self { $(Self::$kind => $prefix),* }
            }
        }
    };
}

ids! {
    /// A business on this server.
    SiteId = Site "site";
    /// A policy for bookings.
    BookingPolicyId = BookingPolicy "policy";
    /// The options and variants of a service.
    OptionsId = Options "options";
    /// A booking.
    BookingId = Booking "booking";
    /// Bookings that are one visit: a package.
    MultiServiceBookingId = MultiServiceBooking "package";
    /// A service that the business offers.
    ServiceId = Service "service";
    /// A group of services.
    CategoryId = Category "category";
    /// A place at which services are given.
    LocationId = Location "location";
    /// A staff member or a room.
    ResourceId = Resource "resource";
    /// A type of resource.
    ResourceTypeId = ResourceType "resourcetype";
    /// The schedule of a service; a course's run.
    ScheduleId = Schedule "schedule";
    /// One occupied block of time on a schedule.
    SessionId = Session "session";
    /// Sessions that repeat by one rule.
    SeriesId = Series "series";
    /// A time in which a resource can't be booked.
    BlockedTimeId = BlockedTime "block";
    /// A piece of held capacity.
    ClaimId = Claim "claim";
    /// A message to the people of a booking.
    NotificationId = Notification "notification";
    /// An app's key.
    ApiKeyId = ApiKey "apikey";
    /// An anonymous visitor.
    VisitorId = Visitor "visitor";
    /// An entry of a site's event log. Made from its position: see [`EventId::at`].
    EventId = Event "event";
}

impl SiteId {
    /// No site: what somebody acts on who named none. Nothing is ever found on it.
    pub const NONE: Self = Self(Uuid::nil());
}

impl ResourceTypeId {
    /// The id of a type that every site has: the site's with its number as the last byte, so that it is known without a
    /// look at the store.
    #[must_use]
    pub fn built_in(site: SiteId, number: u8) -> Self {
        let bits = site.0.as_u128() & !0xff | u128::from(number);
        Self(Uuid::from_u128(bits))
    }
}

impl EventId {
    /// The id of the event at a position of a site's log: the position behind six bytes of the site's id, so that
    /// no two sites share one and no index is needed to find the event again.
    #[must_use]
    pub fn at(site: SiteId, position: i64) -> Self {
        let mark = site.0.as_u128() << 80;
        let bits = mark | u128::from(position.unsigned_abs());
        Self(uuid::Builder::from_custom_bytes(bits.to_be_bytes()).into_uuid())
    }

    /// The position in the log of `site`, unless the id is another site's or made up.
    #[must_use]
    pub fn position(self, site: SiteId) -> Option<i64> {
        let position = i64::try_from(self.0.as_u128() & u128::from(u64::MAX >> 2)).ok()?;
        (Self::at(site, position) == self).then_some(position)
    }
}

/// Splits an id of any type into its kind and UUID.
#[must_use]
pub fn parse_any(text: &str) -> Option<(Kind, Uuid)> {
    let (prefix, rest) = text.rsplit_once('_')?;
    Some((Kind::of(prefix)?, decode(rest)?))
}

fn encode(uuid: Uuid) -> String {
    let bits = uuid.as_u128();
    (0..ENCODED_LEN)
        .rev()
        .map(|i| {
            let index = usize::try_from((bits >> (i * 5)) & 31).unwrap_or_default();
            char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
        })
        .collect()
}

fn decode(text: &str) -> Option<Uuid> {
    if text.len() != ENCODED_LEN || text.as_bytes().first()? > &b'7' {
        return None;
    }
    let mut bits = 0_u128;
    for byte in text.bytes() {
        let digit = ALPHABET.iter().position(|c| *c == byte)?;
        bits = (bits << 5) | u128::try_from(digit).ok()?;
    }
    Some(Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_of_another_type_says_which_type_was_expected() {
        let error = BookingId::parse(&ServiceId::new().to_string()).unwrap_err();
        assert_eq!(
            error,
            IdError::WrongType {
                expected: "booking",
                found: "service".into()
            }
        );
    }

    #[test]
    fn the_published_example_decodes() {
        let id = BookingId::parse("booking_01h455vb4pex5vsknk084sn02q").unwrap();
        assert_eq!(id.to_string(), "booking_01h455vb4pex5vsknk084sn02q");
    }

    proptest! {
        #[test]
        fn every_uuid_survives_the_round_trip(bits: u128) {
            let id = BookingId::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(BookingId::parse(&id.to_string()).unwrap(), id);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,60}") {
            let _ = BookingId::parse(&text);
            let _ = parse_any(&text);
        }

        #[test]
        fn an_event_id_gives_back_its_position(position in 0_i64..(1 << 60)) {
            let (site, other) = (SiteId::new(), SiteId::new());
            prop_assert_eq!(EventId::at(site, position).position(site), Some(position));
            prop_assert_eq!(EventId::at(site, position).position(other), None);
        }
    }
}
