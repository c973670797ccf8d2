//! Every act from every status (`spec/bookings.md` §3.3): what is allowed leads where it should, what isn't is refused
//! and writes nothing.

use frontdesk::domain::booking::BookingStatus;
use serde_json::{Value, json};

use crate::{
    on_both_engines,
    support::{Client, Server, Studio, id, on, with},
};

const STATUSES: [&str; 6] = [
    "CREATED",
    "PENDING",
    "CONFIRMED",
    "WAITING_LIST",
    "DECLINED",
    "CANCELED",
];
const ACTS: [&str; 7] = [
    "confirmBooking",
    "declineBooking",
    "confirmOrDeclineBooking",
    "markBookingAsPending",
    "cancelBooking",
    "rescheduleBooking",
    "updateNumberOfParticipants",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Appointment,
    Class,
    Course,
}

/// The matrix of §3.3, and what becomes of the booking where the act is allowed.
fn leads_to(from: &str, act: &str) -> Option<&'static str> {
    Some(match (from, act) {
        ("CREATED" | "PENDING" | "WAITING_LIST", "confirmBooking") | ("CREATED", "confirmOrDeclineBooking") => {
            "CONFIRMED"
        }
        ("CREATED" | "PENDING" | "WAITING_LIST", "declineBooking") => "DECLINED",
        ("CREATED", "markBookingAsPending") => "PENDING",
        ("CREATED" | "PENDING" | "CONFIRMED" | "WAITING_LIST", "cancelBooking") => "CANCELED",
        ("CREATED", "rescheduleBooking" | "updateNumberOfParticipants") => "CREATED",
        ("PENDING", "rescheduleBooking" | "updateNumberOfParticipants") => "PENDING",
        ("CONFIRMED", "rescheduleBooking" | "updateNumberOfParticipants") => "CONFIRMED",
        ("WAITING_LIST", "updateNumberOfParticipants") => "WAITING_LIST",
        _ => return None,
    })
}

fn event_of(act: &str) -> &'static str {
    match act {
        "confirmBooking" | "confirmOrDeclineBooking" => "CONFIRMED",
        "declineBooking" => "DECLINED",
        "markBookingAsPending" => "MARKED_AS_PENDING",
        "cancelBooking" => "CANCELED",
        "rescheduleBooking" => "RESCHEDULED",
        _ => "PARTICIPANTS_UPDATED",
    }
}

struct Bench<'a> {
    server: &'a Server,
    studio: &'a Studio,
    owner: Client,
    kind: Kind,
}

impl Bench<'_> {
    /// A booking in a status, on a time that nothing else has.
    async fn booking_in(&self, status: &str) -> Value {
        let input = match self.kind {
            Kind::Appointment => self.studio.appointment(&self.studio.massage, 0, &[&self.studio.anna]),
            Kind::Class => self.studio.class(&self.studio.session, 1),
            Kind::Course => self.studio.enrolment(1),
        };
        let booking = self.owner.done("createBooking", input).await;
        match status {
            "CREATED" => booking,
            "PENDING" => {
                self.owner
                    .done("markBookingAsPending", self.input("markBookingAsPending", &booking))
                    .await
            }
            "CONFIRMED" => self.owner.done("confirmBooking", on(&booking)).await,
            "WAITING_LIST" => {
                self.server.put(id(&booking), BookingStatus::WaitingList).await;
                self.owner.again(&booking).await
            }
            "DECLINED" => self.owner.done("declineBooking", on(&booking)).await,
            _ => self.owner.done("cancelBooking", on(&booking)).await,
        }
    }

    fn input(&self, act: &str, booking: &Value) -> Value {
        let more = match act {
            "markBookingAsPending" => {
                json!({ "flowControlSettings": { "skipPendingApprovalServiceValidation": true } })
            }
            "rescheduleBooking" => json!({ "slot": match self.kind {
                Kind::Appointment => json!({ "appointment": {
                    "serviceId": self.studio.massage.id.to_string(), "startDate": self.studio.at(60),
                } }),
                _ => json!({ "session": { "sessionId": self.studio.next_session.id.to_string() } }),
            } }),
            "updateNumberOfParticipants" => json!({ "totalParticipants": 2 }),
            _ => json!({}),
        };
        with(on(booking), more)
    }

    /// The code with which an act is refused whatever the status, as the kind of service doesn't know it.
    fn never(&self, act: &str) -> Option<&'static str> {
        match (self.kind, act) {
            (Kind::Course, "rescheduleBooking") => Some("RESCHEDULING_NOT_ALLOWED"),
            (Kind::Appointment, "updateNumberOfParticipants") => Some("VALIDATION_FAILURE"),
            _ => None,
        }
    }

    async fn refused_and_nothing_written(&self, act: &str, booking: &Value) -> Value {
        let before = self.server.rows(id(booking)).await;
        let error = self.owner.refused(act, self.input(act, booking)).await;
        assert_eq!(self.server.rows(id(booking)).await, before, "{act} wrote something");
        error
    }

    async fn clear(&self, booking: &Value) {
        let now = self.owner.again(booking).await;
        if now["status"] != "DECLINED" && now["status"] != "CANCELED" {
            self.owner.done("cancelBooking", on(booking)).await;
        }
    }

    async fn allowed_acts(&self) {
        for from in STATUSES {
            for act in ACTS {
                let Some(to) = leads_to(from, act).filter(|_| self.never(act).is_none()) else {
                    continue;
                };
                let before = self.booking_in(from).await;
                let position = self.server.position().await;
                let after = self.owner.done(act, self.input(act, &before)).await;
                let what = format!("{:?} {from} {act}", self.kind);
                assert_eq!(after["status"], to, "{what}");
                assert_eq!(after["revision"], before["revision"].as_i64().unwrap() + 1, "{what}");
                assert_eq!(self.server.position().await, position + 1, "{what}: one event");
                let history = "query($id: ID!) { booking(id: $id) { canceledDate \
                    history(last: 1) { nodes { type status previousStatus revision } } } }";
                let data = self.owner.data(history, json!({ "id": before["id"] })).await;
                let expected = json!([{
                    "type": event_of(act), "status": to, "previousStatus": from, "revision": after["revision"],
                }]);
                assert_eq!(data["booking"]["history"]["nodes"], expected, "{what}");
                assert_eq!(data["booking"]["canceledDate"].is_string(), to == "CANCELED", "{what}");
                let holds = !self.server.claims_of(id(&before)).await.is_empty();
                assert_eq!(
                    holds,
                    to == "PENDING" || to == "CONFIRMED",
                    "{what}: what is on the calendar holds"
                );
                self.clear(&before).await;
            }
        }
    }

    async fn refused_acts(&self) {
        for from in STATUSES {
            let booking = self.booking_in(from).await;
            for act in ACTS {
                let what = format!("{:?} {from} {act}", self.kind);
                if let Some(code) = self.never(act) {
                    let error = self.refused_and_nothing_written(act, &booking).await;
                    assert_eq!(error["code"], code, "{what}");
                    assert_eq!(error["path"], json!(["bookingId"]), "{what}");
                } else if leads_to(from, act).is_none() {
                    let error = self.refused_and_nothing_written(act, &booking).await;
                    assert_eq!(error["__typename"], "InvalidBookingStatus", "{what}");
                    assert_eq!(error["code"], "INVALID_BOOKING_STATUS", "{what}");
                    assert_eq!(error["path"], json!(["bookingId"]), "{what}");
                    assert_eq!(error["status"], from, "{what}");
                    let allowed: Vec<&str> = STATUSES
                        .into_iter()
                        .filter(|status| leads_to(status, act).is_some())
                        .collect();
                    assert_eq!(error["allowed"], json!(allowed), "{what}");
                }
            }
            self.clear(&booking).await;
        }
    }
}

async fn on_each_kind(server: &Server, allowed: bool) {
    let studio = Studio::open(server).await;
    for kind in [Kind::Appointment, Kind::Class, Kind::Course] {
        let bench = Bench {
            server,
            studio: &studio,
            owner: server.owner(),
            kind,
        };
        if allowed {
            bench.allowed_acts().await;
        } else {
            bench.refused_acts().await;
        }
    }
}

fn to(studio: &Studio, service: &frontdesk::domain::catalog::Service, minutes: i64) -> Value {
    let appointment = json!({ "serviceId": service.id.to_string(), "startDate": studio.at(minutes) });
    json!({ "slot": { "appointment": appointment } })
}

on_both_engines! {
    async fn every_allowed_act_leads_where_it_should(engine) {
        let server = Server::start(engine).await;
        on_each_kind(&server, true).await;
    }

    async fn every_other_act_is_refused_and_writes_nothing(engine) {
        let server = Server::start(engine).await;
        on_each_kind(&server, false).await;
    }

    async fn the_owners_move_keeps_the_status(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let (owner, ada) = (server.owner(), server.member("ada"));
        for (minutes, act, status) in [
            (0, None, "CREATED"), (90, Some("markBookingAsPending"), "PENDING"), (180, Some("confirmBooking"), "CONFIRMED"),
        ] {
            let booking = ada.done("createBooking", studio.appointment(&studio.consultation, minutes, &[])).await;
            if let Some(act) = act {
                owner.done(act, on(&booking)).await;
            }
            let moved = owner
                .done("rescheduleBooking", with(on(&booking), to(&studio, &studio.consultation, minutes + 50)))
                .await;
            assert_eq!((&moved["status"], &moved["startDate"]), (&json!(status), &json!(studio.at(minutes + 50))));
        }
    }

    async fn a_customers_move_asks_again_where_the_service_needs_approval(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let (owner, ada) = (server.owner(), server.member("ada"));
        for (service, act, before, after) in [
            (&studio.consultation, "confirmBooking", "CONFIRMED", "PENDING"),
            (&studio.consultation, "markBookingAsPending", "PENDING", "PENDING"),
            (&studio.audition, "confirmBooking", "CONFIRMED", "PENDING"),
            (&studio.massage, "confirmBooking", "CONFIRMED", "CONFIRMED"),
        ] {
            let booking = ada.done("createBooking", studio.appointment(service, 0, &[&studio.anna])).await;
            assert_eq!(owner.done(act, on(&booking)).await["status"], before);
            let moved = ada.done("rescheduleBooking", with(on(&booking), to(&studio, service, 60))).await;
            assert_eq!(moved["status"], after, "{}", service.name);
            let event = server.events_of(id(&booking)).await.pop().unwrap();
            assert_eq!(event.previous_status.unwrap().as_str(), before);
            assert_eq!(event.status.as_str(), after);
            owner.done("cancelBooking", on(&booking)).await;
        }
    }

    async fn a_move_with_skip_business_confirmation_confirms_what_was_pending(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let booking = owner.done("createBooking", studio.appointment(&studio.consultation, 0, &[])).await;
        owner.done("markBookingAsPending", on(&booking)).await;
        let skip = json!({ "flowControlSettings": { "skipBusinessConfirmation": true } });
        let input = with(with(on(&booking), to(&studio, &studio.consultation, 60)), skip);
        assert_eq!(owner.done("rescheduleBooking", input).await["status"], "CONFIRMED");
    }

    async fn a_moved_booking_in_created_still_holds_nothing(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let (owner, ada) = (server.owner(), server.member("ada"));
        let booking = ada.done("createBooking", studio.appointment(&studio.massage, 0, &[])).await;
        let moved = ada.done("rescheduleBooking", with(on(&booking), to(&studio, &studio.massage, 60))).await;
        assert_eq!((&moved["status"], &moved["hold"]), (&json!("CREATED"), &json!(null)));
        assert_eq!(moved["bookedEntity"]["resource"], json!(null), "nobody is assigned yet");
        assert_eq!(server.claims_of(id(&booking)).await, []);
        for staff in [&studio.anna, &studio.ben] {
            let taken = owner.confirmed(studio.appointment(&studio.massage, 60, &[staff])).await;
            assert_eq!(taken["doubleBooked"], false);
        }
    }

    async fn a_booking_moves_only_within_its_service(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let massage = owner.confirmed(studio.appointment(&studio.massage, 0, &[])).await;
        let class = owner.confirmed(studio.class(&studio.session, 1)).await;
        let session = json!({ "slot": { "session": { "sessionId": studio.session.id.to_string() } } });
        for (booking, slot) in [
            (&massage, to(&studio, &studio.consultation, 60)),
            (&massage, session),
            (&class, to(&studio, &studio.massage, 60)),
        ] {
            let before = server.rows(id(booking)).await;
            let error = owner.refused("rescheduleBooking", with(on(booking), slot.clone())).await;
            assert_eq!(error["code"], "VALIDATION_FAILURE", "{slot}");
            assert_eq!(error["path"][0], "slot", "{slot}");
            assert_eq!(server.rows(id(booking)).await, before);
        }
    }

    async fn a_class_booking_moves_with_its_seats(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let booking = owner.confirmed(studio.class(&studio.session, 6)).await;
        let slot = json!({ "slot": { "session": { "sessionId": studio.next_session.id.to_string() } } });
        let moved = owner.done("rescheduleBooking", with(on(&booking), slot)).await;
        assert_eq!(moved["bookedEntity"]["sessionId"], studio.next_session.id.to_string());
        assert_eq!(moved["startDate"], studio.next_session.span.start().to_string());
        owner.confirmed(studio.class(&studio.session, 10)).await;
        let error = owner.refused("createBooking", studio.class(&studio.next_session, 5)).await;
        assert_eq!((&error["requested"], &error["remaining"]), (&json!(5), &json!(4)));
    }
}
