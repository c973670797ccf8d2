//! Services: what can be booked, and the rules of the three kinds.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    DownPayment, PaymentOptions, Presentation, Price, ServiceResource, SlugOrigin, check_capacity,
    payment::check_payment, requirement,
};
use crate::domain::{
    Rejection,
    availability::Rank,
    booking::Location,
    ids::{BookingPolicyId, ScheduleId, ServiceId},
    money::Currency,
    rejection::{Field, Invalid},
    text,
};

/// The three kinds of service (`spec/catalog-availability.md` §1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ServiceKind {
    /// A free time is booked; the booking makes the event.
    Appointment,
    /// One session of many is booked.
    Class,
    /// A whole run of sessions is booked.
    Course,
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Appointment => "appointment",
            Self::Class => "class",
            Self::Course => "course",
        })
    }
}

/// Whether and how customers book by themselves (§1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineBooking {
    /// Whether customers can book it at all; the business always can.
    pub enabled: bool,
    /// Whether the business has to confirm each booking.
    pub require_manual_approval: bool,
    /// Whether several requests may wait for one time. Appointments that need approval only.
    pub allow_multiple_requests: bool,
}

/// How far apart the starts are that an appointment service offers (§1.7, §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotStep {
    /// So many minutes, 1 to 1440.
    Minutes(i32),
    /// As long as the service's usual length and its buffer.
    SameAsDuration,
}

impl Default for SlotStep {
    fn default() -> Self {
        Self::Minutes(30)
    }
}

/// In which order free staff are taken for an appointment (`spec/catalog-availability.md` §4.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum StaffSorting {
    /// As the service names them.
    #[default]
    Named,
    /// By their ranks.
    Ranking(Rank),
    /// By lot, anew for each booking.
    Random,
}

/// Something that the business offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Which of the three kinds it is; never changes.
    pub kind: ServiceKind,
    /// Its name, 1 to 400 characters.
    pub name: String,
    /// A name for addresses, unique on the site.
    pub slug: String,
    /// Where that name comes from.
    #[serde(default)]
    pub slug_origin: SlugOrigin,
    /// How it is shown and found.
    #[serde(default)]
    pub presentation: Presentation,
    /// What it is, at most 7000 characters.
    pub description: Option<String>,
    /// Seats of new sessions (class) or of a new run (course), 1 to 1000. Appointments: 1.
    pub default_capacity: i32,
    /// Lengths that an appointment can have, in minutes, the usual one first; empty for classes and courses.
    pub durations: Vec<i32>,
    /// Minutes kept free after an appointment, 0 to 720.
    pub buffer_minutes: i32,
    /// How far apart the starts of appointments are.
    #[serde(default)]
    pub slot_step: SlotStep,
    /// What it costs.
    pub price: Price,
    /// How it can be paid for.
    pub payment_options: PaymentOptions,
    /// What of it is paid when booking.
    #[serde(default)]
    pub down_payment: DownPayment,
    /// Whether and how customers book it by themselves.
    pub online_booking: OnlineBooking,
    /// Where it takes place, in the order in which free times are listed; empty: nowhere in particular. Those of the
    /// business have its id and no words of their own.
    #[serde(default, alias = "location", deserialize_with = "one_or_many")]
    pub locations: Vec<Location>,
    /// Who and what an appointment needs, all of it: staff first.
    #[serde(default)]
    pub requirements: Vec<ServiceResource>,
    /// In which order free staff are taken for an appointment.
    #[serde(default)]
    pub staff_sorting: StaffSorting,
    /// The policy by which customers book it; none: the site's default.
    #[serde(default)]
    pub booking_policy: Option<BookingPolicyId>,
    /// The schedule that was made with it: sessions of a class, the first run of a course.
    pub schedule: ScheduleId,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// Answers that were kept before a service could have several places have one, or none.
fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Location>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kept {
        Many(Vec<Location>),
        One(Option<Location>),
    }
    Ok(match Kept::deserialize(from)? {
        Kept::Many(all) => all,
        Kept::One(one) => one.into_iter().collect(),
    })
}

/// Minutes that are kept free after an appointment, at the most.
pub const MAX_BUFFER_MINUTES: i32 = 720;
/// Minutes of an appointment, at the most: a minute less than 31 days.
pub const MAX_DURATION_MINUTES: i32 = 44_639;
/// Minutes between the starts that are offered, at the most: a day.
pub const MAX_STEP_MINUTES: i32 = 1440;
/// Lengths that a service offers, at the most.
pub const MAX_DURATIONS: usize = 50;
/// Resources of a service or a session, at the most.
pub const MAX_RESOURCES: usize = 220;

impl Service {
    /// Refuses a service that breaks a rule of its kind (§1.1, §1.3, §1.5, §1.7). `currency` is the site's.
    pub fn check(&self, currency: Currency) -> Result<(), Rejection> {
        text::required(&self.name, 400).map_err(|invalid| invalid.at("name"))?;
        text::slug(&self.slug).map_err(|invalid| invalid.at("slug"))?;
        if let Some(description) = &self.description {
            text::bounded(description, 7000).map_err(|invalid| invalid.at("description"))?;
        }
        match self.kind {
            ServiceKind::Appointment => self.check_appointment()?,
            ServiceKind::Class | ServiceKind::Course => self.check_sessions_of_its_own()?,
        }
        self.presentation.check()?;
        if matches!(self.price, Price::Subscription { .. }) && self.kind != ServiceKind::Course {
            return Err(Rejection::invalid(
                &["payment", "rateType"],
                "`SUBSCRIPTION` is for courses only",
            ));
        }
        check_payment(&self.price, self.payment_options, self.down_payment, currency)?;
        self.check_plans()?;
        let online = self.online_booking;
        let asks = self.kind == ServiceKind::Appointment && online.require_manual_approval;
        if online.allow_multiple_requests && !asks {
            let path = ["onlineBooking", "allowMultipleRequests"];
            return Err(Rejection::invalid(&path, "is for appointments that need approval only"));
        }
        Ok(())
    }

    /// What is paid for with a plan is confirmed at once, by the customer who books it (§1.3).
    fn check_plans(&self) -> Result<(), Rejection> {
        let wrong = |field, path: &[&str], message: &str| {
            Err(Rejection::Invalid(Invalid {
                field,
                path: path.iter().map(|segment| (*segment).to_owned()).collect(),
                message: message.to_owned(),
            }))
        };
        if self.payment_options.pricing_plan && self.online_booking.require_manual_approval {
            let path = ["onlineBooking", "requireManualApproval"];
            let message = "can't be for a service that can be paid for with pricing plans";
            return wrong(Field::PlanWithApproval, &path, message);
        }
        if self.payment_options.pricing_plan && !self.online_booking.enabled {
            let path = ["payment", "options", "pricingPlan"];
            return wrong(
                Field::PaymentOptions,
                &path,
                "is for services that can be booked online",
            );
        }
        Ok(())
    }

    /// Whether customers can book it by themselves.
    #[must_use]
    pub fn open_to_customers(&self) -> bool {
        self.online_booking.enabled && !self.presentation.hidden
    }

    fn check_appointment(&self) -> Result<(), Rejection> {
        if self.default_capacity != 1 {
            return Err(Rejection::invalid(&["defaultCapacity"], "must be 1 for an appointment"));
        }
        if !(1..=MAX_DURATIONS).contains(&self.durations.len()) {
            let message = format!("must name 1 to {MAX_DURATIONS} lengths in minutes");
            return Err(Rejection::invalid(&["durations"], message));
        }
        for (index, minutes) in self.durations.iter().enumerate() {
            let position = index.to_string();
            if !(1..=MAX_DURATION_MINUTES).contains(minutes) {
                let message = format!("must be between 1 and {MAX_DURATION_MINUTES} minutes");
                return Err(Rejection::invalid(&["durations", &position], message));
            }
            if self.durations.iter().take(index).any(|earlier| earlier == minutes) {
                return Err(Rejection::invalid(&["durations", &position], "is there twice"));
            }
        }
        if !(0..=MAX_BUFFER_MINUTES).contains(&self.buffer_minutes) {
            let message = format!("must be between 0 and {MAX_BUFFER_MINUTES}");
            return Err(Rejection::invalid(&["bufferMinutes"], message));
        }
        if let SlotStep::Minutes(minutes) = self.slot_step
            && !(1..=MAX_STEP_MINUTES).contains(&minutes)
        {
            let message = format!("must be between 1 and {MAX_STEP_MINUTES}");
            return Err(Rejection::invalid(&["slotsSplitInterval", "valueInMinutes"], message));
        }
        if self.requirements.is_empty() {
            let message =
                format!("must name 1 to {MAX_RESOURCES} resources, unless the longer form says what is needed");
            return Err(Rejection::invalid(&["resourceIds"], message));
        }
        requirement::check(&self.requirements)
    }

    fn check_sessions_of_its_own(&self) -> Result<(), Rejection> {
        check_capacity(self.default_capacity).map_err(|invalid| invalid.at("defaultCapacity"))?;
        if !self.durations.is_empty() {
            return Err(Rejection::invalid(
                &["durations"],
                "is for appointments: sessions have their own times",
            ));
        }
        if self.buffer_minutes != 0 {
            return Err(Rejection::invalid(&["bufferMinutes"], "is for appointments"));
        }
        if self.slot_step != SlotStep::default() {
            return Err(Rejection::invalid(&["slotsSplitInterval"], "is for appointments"));
        }
        if self.staff_sorting != StaffSorting::default() {
            return Err(Rejection::invalid(&["staffSortingPolicy"], "is for appointments"));
        }
        if !self.requirements.is_empty() {
            return Err(Rejection::invalid(
                &["resourceIds"],
                "is for appointments: sessions have their own resources",
            ));
        }
        Ok(())
    }
}
