//! Holds: exclusive claims at creation that end by themselves, to the microsecond, whether or not anybody sweeps.

use std::sync::Arc;

use frontdesk::domain::clock::FixedClock;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::{
    on_both_engines,
    support::{Client, Engine, Server, Studio, id, ids, on, with},
};

struct Bench {
    server: Server,
    studio: Studio,
    clock: Arc<FixedClock>,
}

impl Bench {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(FixedClock::new("2026-11-22T08:00:00Z".parse().unwrap()));
        let server = Server::start_with(engine, clock.clone()).await;
        let studio = Studio::open(&server).await;
        Self { server, studio, clock }
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    fn massage(&self, minutes: i64) -> Value {
        self.studio
            .appointment(&self.studio.massage, minutes, &[&self.studio.anna])
    }

    async fn held(&self, client: &Client, minutes: i64, seconds: i64) -> Value {
        client.done("createBooking", held(self.massage(minutes), seconds)).await
    }

    fn to(&self, minutes: i64) -> Value {
        let appointment =
            json!({ "serviceId": self.studio.massage.id.to_string(), "startDate": self.studio.at(minutes) });
        json!({ "slot": { "appointment": appointment } })
    }

    async fn taken(&self, minutes: i64) -> bool {
        let payload = self.server.owner().mutate("createBooking", self.massage(minutes)).await;
        match payload["userErrors"][0]["code"].as_str() {
            None => false,
            Some("SLOT_NOT_AVAILABLE") => true,
            Some(other) => panic!("{other}"),
        }
    }

    async fn history(&self, booking: &Value) -> Vec<Value> {
        let query = "query($id: ID!) { booking(id: $id) { history { nodes { \
            type revision source status previousStatus initiatedBy { identityType } } } } }";
        let data = self.server.owner().data(query, json!({ "id": booking["id"] })).await;
        data["booking"]["history"]["nodes"].as_array().unwrap().clone()
    }

    async fn types(&self, booking: &Value) -> Vec<String> {
        self.history(booking)
            .await
            .iter()
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn held(input: Value, seconds: i64) -> Value {
    with(input, json!({ "holdSeconds": seconds }))
}

fn later(now: Timestamp, seconds: i64) -> String {
    now.checked_add(seconds.seconds()).unwrap().to_string()
}

on_both_engines! {
    async fn a_hold_is_shown_and_keeps_others_out(engine) {
        let bench = Bench::open(engine).await;
        let (server, studio) = (&bench.server, &bench.studio);
        let ada = server.member("ada");
        let booking = bench.held(&ada, 0, 600).await;
        assert_eq!((&booking["status"], &booking["revision"]), (&json!("CREATED"), &json!(1)));
        assert_eq!(booking["hold"]["expiresAt"], later(server.now(), 600));
        assert_eq!(ada.again(&booking).await["hold"], booking["hold"]);
        let error = server.member("bob").refused("createBooking", bench.massage(15)).await;
        assert_eq!((&error["code"], &error["conflicts"]), (&json!("SLOT_NOT_AVAILABLE"), &json!([])));
        assert_eq!(error["nextAvailable"], studio.at(30));
        let error = server.owner().refused("createBooking", bench.massage(0)).await;
        assert_eq!(ids(&error["conflicts"]), [id(&booking)], "the business sees whose hold it is");
    }

    async fn a_hold_assigns_somebody_at_once(engine) {
        let bench = Bench::open(engine).await;
        let anybody = held(bench.studio.appointment(&bench.studio.massage, 0, &[]), 60);
        for name in ["Anna", "Ben"] {
            let booking = bench.server.member("ada").done("createBooking", anybody.clone()).await;
            assert_eq!(booking["bookedEntity"]["resource"]["name"], name);
        }
        bench.server.member("ada").refused("createBooking", anybody).await;
    }

    async fn seats_are_held_too(engine) {
        let bench = Bench::open(engine).await;
        let (server, studio) = (&bench.server, &bench.studio);
        let ada = server.member("ada");
        ada.done("createBooking", held(studio.class(&studio.session, 8), 60)).await;
        ada.done("createBooking", held(studio.enrolment(7), 60)).await;
        let error = server.visitor().refused("createBooking", studio.class(&studio.session, 3)).await;
        assert_eq!((&error["code"], &error["remaining"]), (&json!("SESSION_CAPACITY_EXCEEDED"), &json!(2)));
        let error = server.visitor().refused("createBooking", studio.enrolment(2)).await;
        assert_eq!((&error["code"], &error["remaining"]), (&json!("SCHEDULE_CAPACITY_EXCEEDED"), &json!(1)));
        bench.pass(60);
        server.owner().confirmed(studio.class(&studio.session, 10)).await;
        server.owner().confirmed(studio.enrolment(8)).await;
    }

    async fn a_hold_ends_exactly_at_its_time(engine) {
        let bench = Bench::open(engine).await;
        let (server, ada) = (&bench.server, bench.server.member("ada"));
        let booking = bench.held(&ada, 0, 600).await;
        bench.pass(599);
        assert!(bench.taken(0).await);
        bench.clock.advance(SignedDuration::from_micros(999_999));
        assert!(bench.taken(0).await);
        assert!(!ada.again(&booking).await["hold"].is_null());
        bench.clock.advance(SignedDuration::from_micros(1));
        assert!(ada.again(&booking).await["hold"].is_null(), "seen before anything was written");
        assert!(!bench.taken(0).await);
        assert_eq!(bench.types(&booking).await, ["CREATED"], "looking writes nothing");
        // Whoever takes the time settles it.
        let taken = server.owner().confirmed(bench.massage(0)).await;
        assert_eq!(taken["doubleBooked"], false);
        let history = bench.history(&booking).await;
        let expired = json!({
            "type": "HOLD_EXPIRED", "revision": 2, "source": "TIMER", "status": "CREATED", "previousStatus": "CREATED",
            "initiatedBy": { "identityType": "SYSTEM" },
        });
        assert_eq!(history.last(), Some(&expired));
        assert_eq!(ada.again(&booking).await["revision"], 2);
        assert_eq!(server.claims_of(id(&booking)).await, []);
    }

    async fn the_sweep_ends_a_hold_once_and_not_before_its_time(engine) {
        let bench = Bench::open(engine).await;
        let server = &bench.server;
        let booking = bench.held(&server.member("ada"), 0, 60).await;
        let sweep = || server.service().expire_hold(server.site, server_booking(&booking));
        sweep().await.unwrap();
        assert_eq!(bench.types(&booking).await, ["CREATED"]);
        bench.pass(60);
        for _ in 0..3 {
            sweep().await.unwrap();
        }
        assert_eq!(bench.types(&booking).await, ["CREATED", "HOLD_EXPIRED"]);
        assert_eq!(server.claims_of(id(&booking)).await, []);
        assert_eq!(server.row(id(&booking)).await.revision, 2);
    }

    /// The revision that a client reads is the one that it may act on, whether or not the end of the hold was written.
    async fn a_booking_whose_hold_ended_can_be_acted_on_by_the_revision_that_is_read(engine) {
        let bench = Bench::open(engine).await;
        let (server, ada) = (&bench.server, bench.server.member("ada"));
        for (minutes, act, more, last) in [
            (0, "confirmBooking", json!({}), "CONFIRMED"),
            (60, "cancelBooking", json!({}), "CANCELED"),
            (120, "declineBooking", json!({}), "DECLINED"),
            (180, "confirmOrDeclineBooking", json!({}), "CONFIRMED"),
            (240, "rescheduleBooking", bench.to(720), "RESCHEDULED"),
        ] {
            let booking = bench.held(&ada, minutes, 60).await;
            bench.pass(60);
            let read = server.owner().again(&booking).await;
            let input = with(with(on(&booking), more), json!({ "expectedRevision": read["revision"] }));
            let after = server.owner().done(act, input).await;
            assert_eq!(after["hold"], json!(null), "{act}");
            assert_eq!(bench.types(&booking).await, ["CREATED", "HOLD_EXPIRED", last], "{act}");
            assert_eq!(after["revision"], 3, "{act}");
        }
    }

    async fn a_class_booking_whose_hold_ended_can_change_its_numbers_and_move(engine) {
        let bench = Bench::open(engine).await;
        let (server, studio) = (&bench.server, &bench.studio);
        let owner = server.owner();
        let booking = server.member("ada").done("createBooking", held(studio.class(&studio.session, 2), 60)).await;
        bench.pass(60);
        let input = with(on(&booking), json!({ "totalParticipants": 3, "expectedRevision": 1 }));
        assert_eq!(owner.done("updateNumberOfParticipants", input).await["revision"], 3);
        let booking = server.member("ada").done("createBooking", held(studio.class(&studio.session, 2), 60)).await;
        bench.pass(60);
        let slot = json!({ "slot": { "session": { "sessionId": studio.next_session.id.to_string() } } });
        let moved = owner.done("rescheduleBooking", with(on(&booking), slot)).await;
        assert_eq!((&moved["revision"], &moved["hold"]), (&json!(3), &json!(null)));
        assert_eq!(server.claims_of(id(&booking)).await, []);
    }

    async fn a_hold_moves_with_its_booking(engine) {
        let bench = Bench::open(engine).await;
        let ada = bench.server.member("ada");
        let booking = bench.held(&ada, 0, 600).await;
        bench.pass(100);
        let moved = ada.done("rescheduleBooking", with(on(&booking), bench.to(60))).await;
        assert_eq!((&moved["status"], &moved["hold"]), (&json!("CREATED"), &booking["hold"]), "no renewal");
        assert!(!bench.taken(0).await);
        assert!(bench.taken(60).await);
        bench.pass(499);
        assert!(bench.taken(60).await);
        bench.pass(1);
        assert!(!bench.taken(60).await);
    }

    async fn giving_the_booking_up_frees_its_time(engine) {
        let bench = Bench::open(engine).await;
        let (ada, owner) = (bench.server.member("ada"), bench.server.owner());
        let canceled = bench.held(&ada, 0, 600).await;
        ada.done("cancelBooking", on(&canceled)).await;
        let declined = bench.held(&ada, 60, 600).await;
        owner.done("declineBooking", on(&declined)).await;
        assert!(!bench.taken(0).await && !bench.taken(60).await);
        bench.pass(600);
        for booking in [&canceled, &declined] {
            bench.server.service().expire_hold(bench.server.site, server_booking(booking)).await.unwrap();
            assert_eq!(owner.again(booking).await["revision"], 2, "nothing is left that could end");
        }
    }

    async fn coming_onto_the_calendar_makes_a_hold_last(engine) {
        let bench = Bench::open(engine).await;
        let (server, ada) = (&bench.server, bench.server.member("ada"));
        let skip = json!({ "flowControlSettings": { "skipPendingApprovalServiceValidation": true } });
        for (minutes, act, more) in [
            (0, "confirmBooking", json!({ "checkAvailabilityValidation": true })),
            (60, "confirmOrDeclineBooking", json!({ "paymentStatus": "NOT_PAID" })),
            (120, "markBookingAsPending", skip),
        ] {
            let booking = bench.held(&ada, minutes, 60).await;
            let after = server.owner().done(act, with(on(&booking), more)).await;
            assert_eq!((&after["hold"], &after["doubleBooked"]), (&json!(null), &json!(false)), "{act}");
            bench.pass(60);
            assert!(bench.taken(minutes).await, "{act}");
            server.service().expire_hold(server.site, server_booking(&booking)).await.unwrap();
            assert_eq!(server.owner().again(&booking).await["revision"], 2, "{act}");
        }
    }

    async fn a_booking_that_was_confirmed_over_a_hold_is_flagged_until_the_hold_ends(engine) {
        let bench = Bench::open(engine).await;
        let (server, owner) = (&bench.server, bench.server.owner());
        let rival = owner.done("createBooking", bench.massage(0)).await;
        let holder = bench.held(&server.member("ada"), 0, 60).await;
        let rival = owner.done("confirmBooking", on(&rival)).await;
        assert_eq!(rival["doubleBooked"], true);
        assert_eq!(ids(&rival["conflicts"]), [id(&holder)]);
        assert_eq!(ids(&owner.again(&holder).await["conflicts"]), [id(&rival)], "each names the other");
        bench.pass(60);
        server.service().expire_hold(server.site, server_booking(&holder)).await.unwrap();
        let rival = owner.again(&rival).await;
        assert_eq!((&rival["doubleBooked"], &rival["revision"]), (&json!(false), &json!(3)));
    }

    async fn a_customer_has_a_limited_number_of_holds(engine) {
        let bench = Bench::open(engine).await;
        let (server, ada) = (&bench.server, bench.server.member("ada"));
        let mut last = Value::Null;
        for n in 0..5 {
            last = bench.held(&ada, n * 30, 600).await;
        }
        let (bookings, position) = (server.bookings().await, server.position().await);
        let sixth = held(bench.massage(300), 600);
        let error = ada.refused("createBooking", sixth.clone()).await;
        assert_eq!(error["__typename"], "PolicyViolation");
        assert_eq!(error["code"], "BOOKING_POLICY_VIOLATION");
        assert_eq!((&error["rule"], &error["limit"]), (&json!("TOO_MANY_HOLDS"), &json!("5")));
        assert_eq!((server.bookings().await, server.position().await), (bookings, position));
        ada.done("createBooking", bench.massage(300)).await;
        bench.held(&server.member("bob"), 330, 600).await;
        bench.held(&server.owner(), 360, 600).await;
        ada.done("cancelBooking", on(&last)).await;
        ada.done("createBooking", sixth).await;
        let error = ada.refused("createBooking", held(bench.massage(390), 600)).await;
        assert_eq!(error["rule"], "TOO_MANY_HOLDS");
        bench.pass(600);
        bench.held(&ada, 390, 600).await;
    }

    async fn a_visitors_holds_are_counted_by_its_token(engine) {
        let bench = Bench::open(engine).await;
        let server = &bench.server;
        let payload = server
            .visitor()
            .mutate_selecting("createBooking", held(bench.massage(0), 600), "visitorToken userErrors { code }")
            .await;
        let visitor = server.visitor().with("Frontdesk-Visitor-Token", payload["visitorToken"].as_str().unwrap().into());
        for n in 1..5 {
            bench.held(&visitor, n * 30, 600).await;
        }
        assert_eq!(visitor.refused("createBooking", held(bench.massage(300), 600)).await["rule"], "TOO_MANY_HOLDS");
    }

    async fn an_address_has_a_limited_number_of_holds(engine) {
        let bench = Bench::open(engine).await;
        let server = &bench.server;
        for n in 0..50 {
            bench.held(&server.visitor(), n * 30 - 1500, 600).await;
        }
        let error = server.visitor().refused("createBooking", held(bench.massage(300), 600)).await;
        assert_eq!((&error["rule"], &error["limit"]), (&json!("TOO_MANY_HOLDS"), &json!("50")));
        bench.pass(600);
        bench.held(&server.visitor(), 300, 600).await;
    }

    async fn a_hold_runs_for_one_second_to_half_an_hour(engine) {
        let bench = Bench::open(engine).await;
        let ada = bench.server.member("ada");
        for seconds in [0, -1, 1801, i64::from(i32::MAX)] {
            let error = ada.refused("createBooking", held(bench.massage(0), seconds)).await;
            assert_eq!((&error["code"], &error["path"]), (&json!("VALIDATION_FAILURE"), &json!(["holdSeconds"])));
        }
        for (minutes, seconds) in [(0, 1), (60, 1800)] {
            let booking = bench.held(&ada, minutes, seconds).await;
            assert_eq!(booking["hold"]["expiresAt"], later(bench.server.now(), seconds));
        }
        let both = with(held(bench.massage(120), 60), json!({ "status": "CONFIRMED" }));
        let error = bench.server.owner().refused("createBooking", both).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("VALIDATION_FAILURE"), &json!(["holdSeconds"])));
    }
}

fn server_booking(booking: &Value) -> frontdesk::domain::ids::BookingId {
    crate::support::rows::booking_id(id(booking))
}
