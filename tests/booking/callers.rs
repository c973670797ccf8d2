//! Who sees and does what: visitors, members, staff, apps and the owner, on one site and on another.

use std::sync::Arc;

use frontdesk::{
    app::tokens::Role,
    domain::{clock::FixedClock, ids::SiteId, money::Currency, time::ZoneName},
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    on_both_engines,
    support::{Client, Server, Studio, client::mutation, id, ids, on, with},
};

const SEE: &str = "query($id: ID!) { booking(id: $id) { id } node(id: $id) { id } \
    bookings { totalCount nodes { id } } bookingEvents(first: 100) { totalCount nodes { booking { id } } } }";

/// Whether a client sees a booking: by id, in lists and in the log alike.
async fn sees(client: &Client, booking: &Value) -> bool {
    let data = client.data(SEE, json!({ "id": booking["id"] })).await;
    let by_id = !data["booking"].is_null();
    let own = id(booking).to_owned();
    let logged = data["bookingEvents"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .any(|event| event["booking"]["id"] == own);
    assert_eq!(!data["node"].is_null(), by_id, "{data}");
    assert_eq!(ids(&data["bookings"]["nodes"]).contains(&own), by_id, "{data}");
    assert_eq!(logged, by_id, "{data}");
    for list in ["bookings", "bookingEvents"] {
        assert_eq!(data[list]["totalCount"], data[list]["nodes"].as_array().unwrap().len());
    }
    by_id
}

async fn visit(server: &Server, input: Value) -> (Client, Value) {
    let payload = server
        .visitor()
        .mutate_selecting(
            "createBooking",
            input,
            "visitorToken booking { id } userErrors { code }",
        )
        .await;
    let token = payload["visitorToken"]
        .as_str()
        .expect("a token for who had none")
        .to_owned();
    (
        server.visitor().with("Frontdesk-Visitor-Token", token),
        payload["booking"].clone(),
    )
}

fn to(studio: &Studio, minutes: i64) -> Value {
    let appointment = json!({ "serviceId": studio.massage.id.to_string(), "startDate": studio.at(minutes) });
    json!({ "slot": { "appointment": appointment } })
}

async fn second_site(server: &Server) -> SiteId {
    let currency = Currency::parse("EUR").unwrap();
    server
        .service()
        .create_site("second", "Second", ZoneName::utc(), currency)
        .await
        .unwrap()
        .id
}

on_both_engines! {
    async fn a_visitors_first_booking_answers_with_the_token_that_opens_it(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let (visitor, booking) = visit(&server, studio.appointment(&studio.massage, 0, &[])).await;
        assert!(sees(&visitor, &booking).await);
        assert!(!sees(&server.visitor(), &booking).await, "without the token there is nothing");
        let (other, _) = visit(&server, studio.appointment(&studio.massage, 210, &[])).await;
        assert!(!sees(&other, &booking).await);
        let moved = visitor.done("rescheduleBooking", with(on(&booking), to(&studio, 60))).await;
        assert_eq!((&moved["startDate"], &moved["contactDetails"]["firstName"]), (&json!(studio.at(60)), &json!("Ada")));
        for stranger in [&other, &server.visitor(), &server.member("bob")] {
            for (act, input) in
                [("cancelBooking", on(&booking)), ("rescheduleBooking", with(on(&booking), to(&studio, 90)))]
            {
                let error = stranger.refused(act, input).await;
                assert_eq!((&error["code"], &error["path"]), (&json!("BOOKING_NOT_FOUND"), &json!(["bookingId"])));
            }
        }
        let next = visitor
            .mutate_selecting("createBooking", studio.class(&studio.session, 1), "visitorToken booking { id }")
            .await;
        assert_eq!(next["visitorToken"], json!(null), "it has one");
        assert!(sees(&visitor, &next["booking"]).await);
        assert_eq!(visitor.done("cancelBooking", on(&booking)).await["status"], "CANCELED");
    }

    async fn a_refused_first_booking_makes_no_visitor(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let payload = server
            .visitor()
            .mutate_selecting("createBooking", studio.class(&studio.session, 11), "visitorToken userErrors { code }")
            .await;
        assert_eq!(payload["visitorToken"], json!(null));
        let bulk = json!({ "bookings": [studio.class(&studio.session, 11), studio.class(&studio.session, 1)] });
        let selection = "visitorToken results { booking { id } }";
        let payload = server.visitor().mutate_selecting("bulkCreateBooking", bulk, selection).await;
        let token = payload["visitorToken"].as_str().unwrap().to_owned();
        let visitor = server.visitor().with("Frontdesk-Visitor-Token", token);
        assert!(sees(&visitor, &payload["results"][1]["booking"]).await);
    }

    async fn members_see_their_own(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let (ada, bob) = (server.member("ada"), server.member("bob"));
        let own = ada.done("createBooking", studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let other = bob.done("createBooking", studio.appointment(&studio.massage, 60, &[&studio.anna])).await;
        assert!(sees(&ada, &own).await && sees(&bob, &other).await);
        assert!(!sees(&ada, &other).await && !sees(&bob, &own).await);
        assert!(sees(&server.owner(), &own).await && sees(&server.app(), &other).await);
        // Two people may have one name as an owner and as a member, and are still two.
        let namesake = Client::bearer(&server, server.token(Role::Member, "olga", None));
        let made = server.owner().done("createBooking", studio.appointment(&studio.massage, 120, &[])).await;
        assert!(!sees(&namesake, &made).await);
    }

    async fn staff_see_and_manage_their_own_calendar(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let (anna, ben) = (server.staff(studio.anna.id), server.staff(studio.ben.id));
        let hers = owner.done("createBooking", studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let his = owner.done("createBooking", studio.appointment(&studio.massage, 0, &[&studio.ben])).await;
        assert!(sees(&anna, &hers).await && !sees(&anna, &his).await);
        assert!(sees(&ben, &his).await && !sees(&ben, &hers).await);
        assert_eq!(anna.again(&hers).await["contactDetails"]["email"], "ada@example.org");
        assert_eq!(anna.done("confirmBooking", on(&hers)).await["status"], "CONFIRMED");
        for act in ["confirmBooking", "declineBooking", "cancelBooking", "markBookingAsPending", "confirmOrDeclineBooking"] {
            let error = anna.refused(act, on(&his)).await;
            assert_eq!(error["code"], "BOOKING_NOT_FOUND", "{act}");
        }
        // Flags are for the own calendar, too.
        let skip = json!({ "flowControlSettings": { "skipAvailabilityValidation": true } });
        let error = anna.refused("createBooking", with(studio.appointment(&studio.massage, 0, &[&studio.ben]), skip.clone())).await;
        assert_eq!(error["code"], "UNAUTHORIZED_OPERATION");
        anna.done("createBooking", with(studio.appointment(&studio.massage, 0, &[&studio.anna]), skip)).await;
        // A class of Ben's is on his calendar.
        let class = owner.done("createBooking", studio.class(&studio.session, 1)).await;
        assert!(sees(&ben, &class).await && !sees(&anna, &class).await);
    }

    async fn what_is_the_businesss_is_forbidden_to_customers_and_nothing_is_looked_at(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let (visitor, booking) = visit(&server, studio.class(&studio.session, 1)).await;
        let ada = server.member("ada");
        let own = ada.done("createBooking", studio.class(&studio.session, 1)).await;
        let position = server.position().await;
        for (client, booking) in [(&visitor, &booking), (&ada, &own), (&ada, &booking), (&server.visitor(), &own)] {
            for act in [
                "confirmBooking", "declineBooking", "markBookingAsPending", "confirmOrDeclineBooking",
                "updateNumberOfParticipants",
            ] {
                for input in [on(booking), json!({ "bookingId": "nonsense" })] {
                    let input = match act {
                        "updateNumberOfParticipants" => with(input, json!({ "totalParticipants": 2 })),
                        _ => input,
                    };
                    let reply = client.send(&mutation(act, "booking { id } userErrors { code }"), json!({ "input": input })).await;
                    assert_eq!(reply.json["data"], json!({ act: null }), "{act}");
                    assert_eq!(reply.json["errors"].as_array().unwrap().len(), 1);
                    assert_eq!(reply.json["errors"][0]["extensions"]["code"], "FORBIDDEN", "{act}");
                    assert_eq!(reply.json["errors"][0]["path"], json!([act]));
                }
            }
        }
        assert_eq!(server.position().await, position);
    }

    async fn flags_of_the_business_are_user_errors_for_customers(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let ada = server.member("ada");
        let wish = studio.appointment(&studio.massage, 0, &[]);
        for flag in ["skipAvailabilityValidation", "skipBusinessConfirmation", "skipSelectedPaymentOptionValidation"] {
            let input = with(wish.clone(), json!({ "flowControlSettings": { flag: true } }));
            for customer in [&ada, &server.visitor()] {
                let error = customer.refused("createBooking", input.clone()).await;
                assert_eq!(error["code"], "UNAUTHORIZED_OPERATION");
                assert_eq!(error["path"], json!(["flowControlSettings", flag]));
            }
            let input = with(wish.clone(), json!({ "flowControlSettings": { flag: false } }));
            ada.done("createBooking", input).await;
        }
        let booking = ada.done("createBooking", studio.class(&studio.session, 1)).await;
        let slot = json!({ "slot": { "session": { "sessionId": studio.next_session.id.to_string() } } });
        let before = server.rows(id(&booking)).await;
        for flag in ["skipAvailabilityValidation", "skipBusinessConfirmation"] {
            let flags = json!({ "flowControlSettings": { flag: true } });
            let error = ada.refused("rescheduleBooking", with(with(on(&booking), slot.clone()), flags)).await;
            assert_eq!((&error["code"], &error["path"][1]), (&json!("UNAUTHORIZED_OPERATION"), &json!(flag)));
        }
        let more = with(with(on(&booking), slot), json!({ "totalParticipants": 2 }));
        let error = ada.refused("rescheduleBooking", more).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("UNAUTHORIZED_OPERATION"), &json!(["totalParticipants"])));
        assert_eq!(server.rows(id(&booking)).await, before);
    }

    async fn a_bad_token_is_unauthenticated(engine) {
        let clock = Arc::new(FixedClock::new("2026-11-22T08:00:00Z".parse().unwrap()));
        let server = Server::start_with(engine, clock.clone()).await;
        let studio = Studio::open(&server).await;
        let (visitor, _) = visit(&server, studio.class(&studio.session, 1)).await;
        let good = server.token(Role::Owner, "olga", None);
        let tampered = format!("{}x", &good[..good.len() - 2]);
        let member = server.token(Role::Member, "ada", None);
        let anonymous = |name, value: &str| server.visitor().with(name, value.to_owned());
        let mut refused = vec![
            anonymous("Authorization", &format!("Bearer {tampered}")),
            anonymous("Authorization", "Bearer nonsense"),
            anonymous("Authorization", "Basic b2xnYTp4"),
            anonymous("Authorization", "Bearer"),
            anonymous("Frontdesk-Visitor-Token", "nonsense"),
            anonymous("Frontdesk-Visitor-Token", &member),
        ];
        let owner = Client::bearer(&server, good);
        owner.data("{ viewer { canManageBookings } }", json!({})).await;
        clock.advance(SignedDuration::from_secs(3600));
        refused.push(owner);
        visitor.data("{ viewer { canManageBookings } }", json!({})).await;
        clock.advance(SignedDuration::from_hours(400 * 24));
        refused.push(visitor);
        for client in refused {
            let reply = client.send("{ viewer { canManageBookings } }", json!({})).await;
            assert_eq!(reply.status, 401, "{:?}", client.headers);
            assert_eq!(reply.json["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{}", reply.json);
            assert!(reply.json.get("data").is_none_or(Value::is_null));
        }
    }

    async fn a_visitor_names_its_site_where_there_are_several(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let on_site = |slug: &str| server.visitor().with("Frontdesk-Site", slug.to_owned());
        let who = "{ viewer { identity { type } site { id } } }";
        assert_eq!(server.visitor().data(who, json!({})).await["viewer"]["site"]["id"], server.site.to_string());
        let second = second_site(&server).await;
        for (client, code) in [(server.visitor(), "SITE_NOT_FOUND"), (on_site("nowhere"), "SITE_NOT_FOUND"), (on_site("NOT a slug"), "SITE_NOT_FOUND")] {
            let reply = client.send(who, json!({})).await;
            assert_eq!((reply.status, &reply.json["errors"][0]["extensions"]["code"]), (400, &json!(code)));
        }
        assert_eq!(on_site("default").data(who, json!({})).await["viewer"]["site"]["id"], server.site.to_string());
        assert_eq!(on_site("second").data(who, json!({})).await["viewer"]["site"]["id"], second.to_string());
        let wrong = server.owner().with("Frontdesk-Site", "second".to_owned());
        let reply = wrong.send(who, json!({})).await;
        assert_eq!((reply.status, &reply.json["errors"][0]["extensions"]["code"]), (403, &json!("FORBIDDEN")));
        on_site("default").done("createBooking", studio.class(&studio.session, 1)).await;
    }

    async fn another_sites_things_look_like_what_isnt_there(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let second = second_site(&server).await;
        let elsewhere = Studio::open_on(&server, second).await;
        let token = server.running().api.tokens().mint(Role::Owner, second, "olga", None, 3600);
        let stranger = Client::bearer(&server, token);
        let owner = server.owner();
        let booking = owner.confirmed(studio.class(&studio.session, 1)).await;
        let theirs = stranger.confirmed(elsewhere.class(&elsewhere.session, 1)).await;
        assert!(sees(&stranger, &theirs).await && !sees(&stranger, &booking).await && !sees(&owner, &theirs).await);
        let position = server.position().await;
        for act in ["confirmBooking", "declineBooking", "cancelBooking", "markBookingAsPending", "confirmOrDeclineBooking"] {
            let error = stranger.refused(act, on(&booking)).await;
            let unknown = stranger.refused(act, json!({ "bookingId": "booking_01h455vb4pex5vsknk084sn02q" })).await;
            assert_eq!(error["code"], "BOOKING_NOT_FOUND");
            assert_eq!(error, unknown, "{act}: not to be told apart");
        }
        for (input, code) in [
            (studio.class(&studio.session, 1), "SESSION_NOT_FOUND"),
            (studio.enrolment(1), "SCHEDULE_NOT_FOUND"),
            (studio.appointment(&studio.massage, 0, &[]), "SERVICE_NOT_FOUND"),
            (elsewhere.appointment(&elsewhere.massage, 0, &[&studio.anna]), "RESOURCE_NOT_FOUND"),
        ] {
            assert_eq!(stranger.refused("createBooking", input).await["code"], code);
        }
        assert_eq!(server.position().await, position);
        // An event's id says of which site it is, and opens nothing on another.
        let event = "query($id: ID!) { booking(id: $id) { history(first: 1) { nodes { id } } } }";
        let data = owner.data(event, json!({ "id": booking["id"] })).await;
        let event = data["booking"]["history"]["nodes"][0]["id"].clone();
        assert!(!owner.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": event })).await["node"].is_null());
        assert!(stranger.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": event })).await["node"].is_null());
    }

    async fn a_customer_is_told_nothing_of_who_else_acts(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let (owner, ada) = (server.owner(), server.member("ada"));
        let booking = ada.done("createBooking", studio.appointment(&studio.massage, 0, &[])).await;
        owner.done("confirmBooking", on(&booking)).await;
        let query = "query($id: ID!) { booking(id: $id) { contactDetails { firstName } \
            createdBy { type subject } \
            history { nodes { type initiatedBy { type subject } booking { contactDetails { email } } } } } }";
        let variables = json!({ "id": booking["id"] });
        let seen = ada.data(query, variables.clone()).await["booking"].clone();
        let member = json!({ "type": "MEMBER", "subject": "ada" });
        assert_eq!((&seen["createdBy"], &seen["contactDetails"]["firstName"]), (&member, &json!("Ada")));
        assert_eq!(seen["history"]["nodes"][0]["initiatedBy"], member);
        assert_eq!(seen["history"]["nodes"][1]["initiatedBy"], json!(null), "the owner's name is the owner's");
        let seen = owner.data(query, variables).await["booking"].clone();
        assert_eq!(seen["createdBy"], member);
        assert_eq!(seen["history"]["nodes"][1]["initiatedBy"], json!({ "type": "OWNER", "subject": "olga" }));
        assert_eq!(seen["history"]["nodes"][0]["booking"]["contactDetails"]["email"], "ada@example.org");
    }

    async fn a_customer_doesnt_see_whose_booking_is_in_the_way(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let (ada, bob) = (server.member("ada"), server.member("bob"));
        let wish = studio.appointment(&studio.massage, 0, &[&studio.anna]);
        let hers = ada.done("createBooking", wish.clone()).await;
        let his = bob.done("createBooking", wish.clone()).await;
        owner.done("confirmBooking", on(&hers)).await;
        owner.done("confirmBooking", on(&his)).await;
        let seen = bob.again(&his).await;
        assert_eq!((&seen["doubleBooked"], &seen["conflicts"]), (&json!(true), &json!([])));
        assert_eq!(bob.refused("createBooking", wish.clone()).await["conflicts"].as_array().unwrap().len(), 1, "his own");
        assert_eq!(server.member("eve").refused("createBooking", wish).await["conflicts"], json!([]));
    }

    async fn allowed_actions_say_what_would_happen(engine) {
        let clock = Arc::new(FixedClock::new("2026-11-22T08:00:00Z".parse().unwrap()));
        let server = Server::start_with(engine, clock.clone()).await;
        let studio = Studio::open(&server).await;
        let ada = server.member("ada");
        let query = "query($id: ID!) { booking(id: $id) { allowedActions { confirm { allowed code } decline { code } \
            confirmOrDecline { code } markAsPending { code } cancel { allowed code reason } reschedule { code } \
            updateNumberOfParticipants { code } } } }";
        let codes = |client: Client, booking: &Value| {
            let variables = json!({ "id": booking["id"] });
            async move {
                let data = client.data(query, variables).await;
                let actions = &data["booking"]["allowedActions"];
                ["confirm", "decline", "confirmOrDecline", "markAsPending", "cancel", "reschedule", "updateNumberOfParticipants"]
                    .map(|act| actions[act]["code"].as_str().unwrap_or("-").to_owned())
            }
        };
        let massage = ada.done("createBooking", studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let consultation = ada.done("createBooking", studio.appointment(&studio.consultation, 0, &[&studio.anna])).await;
        let (no, status) = ("UNAUTHORIZED_OPERATION", "INVALID_BOOKING_STATUS");
        let pending = "NOT_PENDING_APPROVAL_SERVICE";
        assert_eq!(codes(server.owner(), &massage).await, ["-", "-", "-", pending, "-", "-", "VALIDATION_FAILURE"]);
        assert_eq!(codes(server.owner(), &consultation).await, ["-", "-", "-", "-", "-", "-", "VALIDATION_FAILURE"]);
        let staff = server.staff(studio.anna.id);
        assert_eq!(codes(staff, &consultation).await, ["-", "-", "-", "-", "-", "-", "VALIDATION_FAILURE"]);
        assert_eq!(codes(ada.clone(), &massage).await, [no, no, no, no, "-", "-", no]);
        server.owner().done("confirmBooking", on(&massage)).await;
        assert_eq!(codes(server.owner(), &massage).await, [status, status, status, status, "-", "-", "VALIDATION_FAILURE"]);
        let course = ada.done("createBooking", studio.enrolment(1)).await;
        assert_eq!(codes(server.owner(), &course).await, ["-", "-", "-", pending, "-", "RESCHEDULING_NOT_ALLOWED", "-"]);
        // It began: too late for customers.
        clock.advance(SignedDuration::from_hours(28));
        let (ada, policy) = (server.member("ada"), "BOOKING_POLICY_VIOLATION");
        assert_eq!(codes(ada.clone(), &massage).await, [no, no, no, no, policy, policy, no]);
        for (act, input, rule) in [
            ("cancelBooking", on(&massage), "TOO_LATE_TO_CANCEL"),
            ("rescheduleBooking", with(on(&massage), to(&studio, 600)), "TOO_LATE_TO_RESCHEDULE"),
            ("createBooking", studio.appointment(&studio.massage, 0, &[&studio.ben]), "TOO_LATE_TO_BOOK"),
        ] {
            let error = ada.refused(act, input).await;
            assert_eq!((&error["code"], &error["rule"]), (&json!(policy), &json!(rule)));
            assert_eq!(error["limit"], studio.at(0), "{act}");
        }
        assert_eq!(codes(server.owner(), &massage).await, [status, status, status, status, "-", "-", "VALIDATION_FAILURE"]);
        assert_eq!(server.owner().done("cancelBooking", on(&massage)).await["status"], "CANCELED");
    }

    async fn customers_book_only_what_is_open_to_them(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let mut massage = studio.massage.clone();
        massage.online_booking.enabled = false;
        server.save_service(&massage).await;
        let wish = studio.appointment(&studio.massage, 0, &[]);
        let error = server.visitor().refused("createBooking", wish.clone()).await;
        assert_eq!((&error["code"], &error["rule"]), (&json!("BOOKING_POLICY_VIOLATION"), &json!("ONLINE_BOOKING_DISABLED")));
        server.owner().done("createBooking", wish).await;
    }

    async fn the_viewer_is_who_the_token_says(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let query = "{ viewer { identity { type subject } resource { id } \
            canManageBookings canManageCalendar canManageCatalog } }";
        for (client, kind, subject, rights) in [
            (server.owner(), "OWNER", "olga", [true, true, true]),
            (server.app(), "APP", "shop", [true, true, true]),
            (server.staff(studio.anna.id), "STAFF", "sam", [true, true, false]),
            (server.member("ada"), "MEMBER", "ada", [false, false, false]),
        ] {
            let viewer = client.data(query, json!({})).await["viewer"].clone();
            assert_eq!(viewer["identity"], json!({ "type": kind, "subject": subject }));
            let own = json!([viewer["canManageBookings"], viewer["canManageCalendar"], viewer["canManageCatalog"]]);
            assert_eq!(own, json!(rights), "{kind}");
            assert_eq!(viewer["resource"].is_null(), kind != "STAFF");
        }
        let (visitor, _) = visit(&server, studio.class(&studio.session, 1)).await;
        let identity = |client: Client| async move { client.data(query, json!({})).await["viewer"]["identity"].clone() };
        assert_eq!(identity(visitor.clone()).await, identity(visitor).await, "the token says who it is");
        assert_eq!(identity(server.visitor()).await["type"], "VISITOR");
    }
}
