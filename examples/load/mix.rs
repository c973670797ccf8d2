//! The bookings that are made: 7 of 10 are places in a class session, without a hold; 3 are appointments with a staff
//! member who is named, each at a time of its own and held for ten minutes. All by members of the site.

use frontdesk::{
    domain::{
        actor::Actor,
        booking::{FlowControl, Participants, SelectedPaymentOption},
        ids::{ResourceId, ServiceId, SessionId},
    },
    service::{
        Caller,
        bookings::{CreateBooking, Wanted},
    },
    store::bookings::Contact,
};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::seed::{SESSIONS, STAFF, Sort, id, service_of};

/// Members of each site.
pub const MEMBERS: u64 = 2000;
/// How long an appointment is held, in seconds.
pub const HOLD: i32 = 600;

/// One booking to be made.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    pub site: u64,
    pub member: u64,
    pub what: What,
}

#[derive(Debug, Clone, Copy)]
pub enum What {
    Class { session: u64 },
    Appointment { resource: u64, start: Timestamp },
}

/// The `number`th booking.
pub fn wish(number: u64, sites: u64, first_day: Timestamp) -> Wish {
    // Whole tens go to one site, so that each gets the same mix.
    let (ten, place) = (number / 10, number % 10);
    let what = if place < 7 {
        What::Class {
            session: (ten * 7 + place) % SESSIONS,
        }
    } else {
        appointment(ten / sites * 3 + place - 7, first_day)
    };
    Wish {
        site: ten % sites,
        member: number % MEMBERS,
        what,
    }
}

/// A site's `number`th appointment: nobody has two at once.
pub fn appointment(number: u64, first_day: Timestamp) -> What {
    let minutes = i64::try_from(number / STAFF * 30).unwrap();
    What::Appointment {
        resource: number % STAFF,
        start: first_day.checked_add(minutes.minutes()).unwrap(),
    }
}

impl Wish {
    pub fn caller(&self) -> Caller {
        Caller::new(id(Sort::Site, self.site, 0), Actor::Member(member(self.member)))
    }

    /// As the service takes it.
    pub fn input(&self) -> CreateBooking {
        let (wanted, hold_seconds) = match self.what {
            What::Class { session } => {
                let session = id::<SessionId>(Sort::Session, self.site, session);
                (
                    Wanted::Session {
                        session,
                        time_zone: None,
                    },
                    None,
                )
            }
            What::Appointment { resource, start } => {
                let wanted = Wanted::Appointment {
                    service: id::<ServiceId>(Sort::Service, self.site, service_of(resource)),
                    start,
                    end: None,
                    time_zone: None,
                    resources: vec![id::<ResourceId>(Sort::Resource, self.site, resource)],
                    location: None,
                };
                (wanted, Some(HOLD))
            }
        };
        CreateBooking {
            wanted,
            contact: Contact {
                first_name: Some("Ada".to_owned()),
                last_name: Some("Lovelace".to_owned()),
                email: Some(format!("ada{}@example.org", self.member)),
                phone: Some("+44 20 7946 0000".to_owned()),
                ..Contact::default()
            },
            participants: Participants::total(1).unwrap(),
            selected_payment_option: Some(SelectedPaymentOption::Offline),
            hold_seconds,
            notification: None,
            flow: FlowControl::default(),
            status: None,
            external_user_id: None,
        }
    }

    /// As a GraphQL variable.
    pub fn json(&self) -> Value {
        let mut input = json!({
            "contactDetails": {
                "firstName": "Ada", "lastName": "Lovelace", "email": format!("ada{}@example.org", self.member),
                "phone": "+44 20 7946 0000",
            },
            "totalParticipants": 1,
            "selectedPaymentOption": "OFFLINE",
        });
        let slot = match self.what {
            What::Class { session } => {
                json!({ "session": { "sessionId": id::<SessionId>(Sort::Session, self.site, session).to_string() } })
            }
            What::Appointment { resource, start } => {
                input["holdSeconds"] = json!(HOLD);
                json!({ "appointment": {
                    "serviceId": id::<ServiceId>(Sort::Service, self.site, service_of(resource)).to_string(),
                    "startDate": start.to_string(),
                    "resourceIds": [id::<ResourceId>(Sort::Resource, self.site, resource).to_string()],
                } })
            }
        };
        input["bookedEntity"] = json!({ "slot": slot });
        input
    }
}

pub fn member(number: u64) -> String {
    format!("member-{number}")
}

/// What is asked of a booking that was made.
pub const CREATE: &str = "mutation Create($input: CreateBookingInput!) { createBooking(input: $input) { \
    booking { id status revision startDate endDate totalParticipants hold { expiresAt } } \
    userErrors { code message } } }";
