//! Exact retries: a key and its input are done once, and every replay answers what the first call answered.

use std::{collections::HashSet, sync::Arc};

use frontdesk::{app::tokens::Role, domain::clock::FixedClock};
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    on_both_engines,
    support::{Client, Server, Studio, client::mutation, id, on, with},
};

const CREATED: &str = "visitorToken booking { id status revision startDate createdDate totalParticipants \
    hold { expiresAt } bookedEntity { ... on BookedSlot { resource { id } } } } userErrors { code path }";
const CHANGED: &str = "booking { id status revision updatedDate } userErrors { code path }";

fn key(input: Value, key: &str) -> Value {
    with(input, json!({ "idempotencyKey": key }))
}

/// Sends a mutation many times at once; gives back the one answer that all of them got.
async fn at_once(clients: &[Client], name: &str, input: &Value, selection: &str) -> Value {
    let query = mutation(name, selection);
    let calls = (0..32).map(|n| clients[n % clients.len()].send(&query, json!({ "input": input })));
    let replies = join_all(calls).await;
    let answers: HashSet<&[u8]> = replies.iter().map(|reply| reply.bytes.as_slice()).collect();
    assert_eq!(
        answers.len(),
        1,
        "{:?}",
        replies.iter().map(|reply| &reply.json).collect::<Vec<_>>()
    );
    assert_eq!(
        replies[0].json["data"][name]["userErrors"],
        json!([]),
        "{}",
        replies[0].json
    );
    replies[0].json["data"][name].clone()
}

on_both_engines! {
    async fn a_key_used_many_times_at_once_makes_one_booking(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let wish = studio.appointment(&studio.massage, 0, &[&studio.anna]);
        at_once(&[server.member("ada")], "createBooking", &key(wish.clone(), "a"), CREATED).await;
        assert_eq!((server.bookings().await, server.position().await), (1, 1));
        // Two tokens of one member are one caller.
        let clients = [server.member("ada"), server.member("ada")];
        at_once(&clients, "createBooking", &key(wish, "b"), CREATED).await;
        assert_eq!((server.bookings().await, server.position().await), (2, 2));
    }

    async fn twins_that_fight_for_one_time_all_get_it(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let wish = |minutes| studio.appointment(&studio.massage, minutes, &[&studio.anna]);
        let confirmed = key(with(wish(0), json!({ "status": "CONFIRMED" })), "a");
        let answer = at_once(&[server.owner()], "createBooking", &confirmed, CREATED).await;
        assert_eq!(answer["booking"]["status"], "CONFIRMED");
        let held = key(with(wish(60), json!({ "holdSeconds": 600 })), "b");
        let answer = at_once(&[server.member("ada")], "createBooking", &held, CREATED).await;
        assert!(answer["booking"]["hold"]["expiresAt"].is_string());
        // The last seats, and a key for each of two who want them.
        let seats = with(studio.class(&studio.session, 6), json!({ "status": "CONFIRMED" }));
        let query = mutation("createBooking", CREATED);
        let owner = server.owner();
        let calls = (0..32).map(|n| {
            let input = key(seats.clone(), if n % 2 == 0 { "even" } else { "odd" });
            owner.send(&query, json!({ "input": input }))
        });
        let calls = calls.collect::<Vec<_>>();
        let replies = join_all(calls).await;
        let won = |parity: usize| {
            let answers: HashSet<String> =
                replies.iter().skip(parity).step_by(2).map(|reply| reply.json.to_string()).collect();
            assert_eq!(answers.len(), 1, "{answers:?}");
            !replies[parity].json["data"]["createBooking"]["booking"].is_null()
        };
        assert_ne!(won(0), won(1), "one of the two");
        assert_eq!((server.bookings().await, server.position().await), (3, 3));
    }

    async fn a_visitor_without_a_token_gets_one_booking_and_one_token(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let wish = with(studio.appointment(&studio.massage, 0, &[]), json!({ "holdSeconds": 600 }));
        let answer = at_once(&[server.visitor()], "createBooking", &key(wish, "first"), CREATED).await;
        let token = answer["visitorToken"].as_str().unwrap().to_owned();
        let visitor = server.visitor().with("Frontdesk-Visitor-Token", token);
        assert_eq!(visitor.again(&answer["booking"]).await["id"], answer["booking"]["id"]);
        let bulk = key(json!({ "bookings": [studio.class(&studio.session, 1)] }), "first");
        let selection = "visitorToken results { booking { id } } userErrors { code }";
        let answer = at_once(&[server.visitor()], "bulkCreateBooking", &bulk, selection).await;
        assert!(answer["visitorToken"].is_string());
        assert_eq!((server.bookings().await, server.position().await), (2, 2));
    }

    async fn every_act_can_be_retried(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let slot = json!({ "slot": { "session": { "sessionId": studio.next_session.id.to_string() } } });
        let skip = json!({ "flowControlSettings": { "skipPendingApprovalServiceValidation": true } });
        for (n, (act, more)) in [
            ("confirmBooking", json!({ "expectedRevision": 1 })),
            ("declineBooking", json!({})),
            ("cancelBooking", json!({})),
            ("confirmOrDeclineBooking", json!({})),
            ("markBookingAsPending", skip),
            ("rescheduleBooking", slot),
            ("updateNumberOfParticipants", json!({ "totalParticipants": 2 })),
        ]
        .into_iter()
        .enumerate()
        {
            let booking = owner.done("createBooking", studio.class(&studio.session, 1)).await;
            let input = key(with(on(&booking), more), &format!("key {n}"));
            let answer = at_once(std::slice::from_ref(&owner), act, &input, CHANGED).await;
            assert_eq!(answer["booking"]["revision"], 2, "{act}");
            assert_eq!(server.events_of(id(&booking)).await.len(), 2, "{act}");
        }
    }

    async fn a_bulk_call_is_retried_as_a_whole(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let confirmed = |seats| with(studio.class(&studio.session, seats), json!({ "status": "CONFIRMED" }));
        let input = key(json!({ "bookings": [confirmed(6), confirmed(6), confirmed(4)] }), "bulk");
        let selection = "totalSuccesses totalFailures userErrors { code } results { originalIndex booking { id revision } \
            userErrors { code message ... on CapacityExceeded { remaining } } }";
        let answer = at_once(&[server.owner()], "bulkCreateBooking", &input, selection).await;
        assert_eq!((&answer["totalSuccesses"], &answer["totalFailures"]), (&json!(2), &json!(1)));
        assert_eq!(answer["results"][1]["userErrors"][0]["remaining"], 4);
        assert_eq!((server.bookings().await, server.position().await), (2, 2));
    }

    async fn another_input_under_a_used_key_is_refused(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let ada = server.member("ada");
        let wish = studio.class(&studio.session, 1);
        let booking = ada.done("createBooking", key(wish.clone(), "a")).await;
        for other in [studio.class(&studio.session, 2), with(wish.clone(), json!({ "externalUserId": "x" }))] {
            let error = ada.refused("createBooking", key(other, "a")).await;
            assert_eq!((&error["code"], &error["path"]), (&json!("IDEMPOTENCY_KEY_REUSED"), &json!(["idempotencyKey"])));
        }
        assert_eq!((server.bookings().await, server.position().await), (1, 1));
        // The same input in another order of fields, and with a default written out, is the same input.
        let query = "mutation($key: String, $entity: BookedEntityInput!) { createBooking(input: { idempotencyKey: $key, \
            totalParticipants: 1, contactDetails: { email: \"ada@example.org\", firstName: \"Ada\" }, \
            bookedEntity: $entity }) { booking { id } userErrors { code } } }";
        let data = ada.data(query, json!({ "key": "a", "entity": wish["bookedEntity"] })).await;
        assert_eq!(data["createBooking"]["booking"]["id"], booking["id"]);
    }

    async fn a_refused_call_leaves_its_key_free(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let (owner, ada) = (server.owner(), server.member("ada"));
        let wish = key(studio.appointment(&studio.massage, 0, &[&studio.anna]), "a");
        let rival = owner.confirmed(studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        assert_eq!(ada.refused("createBooking", wish.clone()).await["code"], "SLOT_NOT_AVAILABLE");
        owner.done("cancelBooking", on(&rival)).await;
        ada.done("createBooking", wish).await;
        ada.refused("createBooking", key(studio.class(&studio.session, 11), "b")).await;
        ada.done("createBooking", key(studio.class(&studio.session, 10), "b")).await;
        // A bulk call in which nothing was made wrote nothing, either.
        let bulk = |seats| key(json!({ "bookings": [studio.class(&studio.session, seats)] }), "c");
        let selection = "totalSuccesses userErrors { code }";
        assert_eq!(ada.mutate_selecting("bulkCreateBooking", bulk(11), selection).await["totalSuccesses"], 0);
        let payload = ada.mutate_selecting("bulkCreateBooking", bulk(1), selection).await;
        assert_eq!((&payload["totalSuccesses"], &payload["userErrors"]), (&json!(1), &json!([])));
    }

    async fn a_key_is_its_callers_and_its_mutations_own(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let wish = key(studio.class(&studio.session, 1), "a");
        let mut made = HashSet::new();
        let namesake = Client::bearer(&server, server.token(Role::App, "ada", None));
        for client in [server.member("ada"), server.member("bob"), server.owner(), server.visitor(), namesake] {
            let booking = client.done("createBooking", wish.clone()).await;
            made.insert(id(&booking).to_owned());
        }
        assert_eq!(made.len(), 5);
        let owner = server.owner();
        let booking = owner.done("createBooking", wish).await;
        let confirmed = owner.done("confirmBooking", key(on(&booking), "a")).await;
        let canceled = owner.done("cancelBooking", key(on(&booking), "a")).await;
        assert_eq!((&confirmed["status"], &canceled["status"]), (&json!("CONFIRMED"), &json!("CANCELED")));
    }

    async fn a_replay_gives_the_first_answer_whatever_happened_since(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let query = mutation("createBooking", CREATED);
        let variables = json!({ "input": key(studio.class(&studio.session, 1), "a") });
        let first = owner.send(&query, variables.clone()).await;
        let booking = first.json["data"]["createBooking"]["booking"].clone();
        let change = mutation("confirmBooking", CHANGED);
        let confirm = json!({ "input": key(with(on(&booking), json!({ "expectedRevision": 1 })), "b") });
        let confirmed = owner.send(&change, confirm.clone()).await;
        owner.done("updateNumberOfParticipants", with(on(&booking), json!({ "totalParticipants": 3 }))).await;
        owner.done("cancelBooking", on(&booking)).await;
        let position = server.position().await;
        assert_eq!(owner.send(&query, variables).await.bytes, first.bytes);
        assert_eq!(owner.send(&change, confirm).await.bytes, confirmed.bytes, "though the status no longer allows it");
        assert_eq!(server.position().await, position);
    }

    async fn a_key_is_forgotten_after_seven_days(engine) {
        let clock = Arc::new(FixedClock::new("2026-11-22T08:00:00Z".parse().unwrap()));
        let server = Server::start_with(engine, clock.clone()).await;
        let studio = Studio::open(&server).await;
        let token = server.running().api.tokens().mint(Role::Owner, server.site, "olga", None, 30 * 86_400);
        let owner = Client::bearer(&server, token);
        let wish = key(studio.class(&studio.session, 1), "a");
        let first = owner.done("createBooking", wish.clone()).await;
        clock.advance(SignedDuration::from_secs(7 * 86_400 - 1));
        assert_eq!(owner.done("createBooking", wish.clone()).await["id"], first["id"]);
        clock.advance(SignedDuration::from_secs(1));
        // Its record may still be there: whoever comes next with the key takes its place.
        let second = owner.done("createBooking", wish.clone()).await;
        assert_ne!(second["id"], first["id"]);
        assert_eq!(owner.done("createBooking", wish).await["id"], second["id"]);
    }

    async fn replays_of_a_hold_are_not_counted_as_holds(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let wish = with(studio.appointment(&studio.massage, 0, &[&studio.anna]), json!({ "holdSeconds": 1800 }));
        let first = server.visitor().done("createBooking", key(wish.clone(), "a")).await;
        for _ in 0..60 {
            assert_eq!(server.visitor().done("createBooking", key(wish.clone(), "a")).await["id"], first["id"]);
        }
        for n in 1..50 {
            let next = studio.appointment(&studio.massage, n * 30 + 120, &[&studio.anna]);
            server.visitor().done("createBooking", with(next, json!({ "holdSeconds": 1800 }))).await;
        }
        let next = studio.appointment(&studio.massage, 60, &[&studio.anna]);
        let error = server.visitor().refused("createBooking", with(next, json!({ "holdSeconds": 1800 }))).await;
        assert_eq!(error["rule"], "TOO_MANY_HOLDS");
        let again = server.visitor().done("createBooking", key(wish, "a")).await;
        assert_eq!(again["id"], first["id"], "no limit stands between a retry and its answer");
    }
}
