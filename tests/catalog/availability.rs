//! When something can be booked: what is told, to whom, and that it is true.

use serde_json::{Value, json};

use crate::{
    confirmed, done, draw, on_both_engines, studio,
    support::{Client, Studio, fixture::with},
    weekly,
};

/// A question and everything that it can select.
pub const QUERY: &str = "query($ids: [ID!]!, $from: DateTime, $to: DateTime!, $zone: TimeZone, $resources: [ID!], $party: Int, \
    $minutes: Int, $perDay: Int, $bookable: Boolean, $limit: Int! = 1000) { \
    availability(serviceIds: $ids, from: $from, to: $to, timeZone: $zone, resourceIds: $resources, totalParticipants: $party, \
        durationInMinutes: $minutes, slotsPerDay: $perDay, bookable: $bookable, limit: $limit) { \
    nextFrom timeZone timeSlots { __typename startDate endDate localStartDate localEndDate serviceId bookable totalCapacity \
        remainingCapacity bookableCapacity \
        nonBookableReasons { noRemainingCapacity violatesBookingPolicy reservedForWaitingList eventCancelled } \
        bookingPolicyViolations { tooEarlyToBook earliestBookingDate tooLateToBook bookOnlineDisabled } } } }";

/// The same with who is free.
const WHO: &str = "query($ids: [ID!]!, $from: DateTime, $to: DateTime!, $resources: [ID!]) { \
    availability(serviceIds: $ids, from: $from, to: $to, resourceIds: $resources, limit: 100) { timeSlots { startDate \
        ... on AppointmentSlot { availableResources { resourceType numberOfResourcesRequired hasMoreAvailableResources \
            resources { id name } } } } } }";

/// The slots of an answer.
pub async fn slots(client: &Client, variables: Value) -> Vec<Value> {
    let data = client.data(QUERY, variables).await;
    data["availability"]["timeSlots"].as_array().unwrap().clone()
}

/// The starts of an answer.
pub async fn starts(client: &Client, variables: Value) -> Vec<String> {
    let of = |slot: &Value| slot["startDate"].as_str().unwrap().to_owned();
    slots(client, variables).await.iter().map(of).collect()
}

fn window(studio: &Studio, services: &[&frontdesk::domain::catalog::Service], from: i64, to: i64) -> Value {
    let ids: Vec<String> = services.iter().map(|service| service.id.to_string()).collect();
    json!({ "ids": ids, "from": studio.at(from), "to": studio.at(to) })
}

on_both_engines! {
    async fn a_days_share_is_the_same_however_it_is_paged(engine) {
        let (server, studio, owner) = studio(engine).await;
        let ada = server.visitor();
        done(&owner, "setWorkingHours", json!({ "weekly": [weekly("12:00", "15:00", &[])] }), "workingHours { revision }").await;
        let asked = with(window(&studio, &[&studio.massage, &studio.yoga], 0, 4 * 24 * 60), json!({ "perDay": 2, "zone": "Europe/Berlin" }));
        let whole = starts(&ada, asked.clone()).await;
        let mut paged = Vec::new();
        let mut from = asked["from"].clone();
        for _ in 0..20 {
            let answer = ada.data(QUERY, with(asked.clone(), json!({ "from": from, "limit": 1 }))).await["availability"].clone();
            let rows = answer["timeSlots"].as_array().unwrap();
            paged.extend(rows.iter().map(|row| row["startDate"].as_str().unwrap().to_owned()));
            from = answer["nextFrom"].clone();
            if from.is_null() {
                break;
            }
        }
        assert!(whole.len() >= 6, "{whole:?}");
        assert_eq!(paged, whole);
    }

    async fn all_three_types_are_told_side_by_side(engine) {
        let (server, studio, owner) = studio(engine).await;
        let ada = server.visitor();
        done(&owner, "setWorkingHours", json!({ "weekly": [weekly("12:00", "13:00", &[])] }), "workingHours { revision }").await;
        let asked = with(window(&studio, &[&studio.massage, &studio.yoga, &studio.course], 0, 24 * 60), json!({ "zone": "America/New_York" }));
        let told = ada.data(QUERY, asked).await["availability"].clone();
        assert_eq!((&told["timeZone"], &told["nextFrom"]), (&json!("America/New_York"), &Value::Null));
        let slots = told["timeSlots"].as_array().unwrap();
        let kinds: Vec<&str> = slots.iter().map(|slot| slot["__typename"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["AppointmentSlot", "AppointmentSlot", "ClassSlot"], "the course begins later");
        assert_eq!((&slots[0]["startDate"], &slots[0]["endDate"]), (&json!(studio.at(0)), &json!(studio.at(30))));
        let local: jiff::Timestamp = studio.at(0).parse().unwrap();
        let local = local.to_zoned(jiff::tz::TimeZone::get("America/New_York").unwrap()).datetime().to_string();
        assert_eq!(slots[0]["localStartDate"], json!(local));
        for (slot, seats) in [(&slots[0], 1), (&slots[2], 10)] {
            assert_eq!((&slot["bookable"], &slot["totalCapacity"], &slot["bookableCapacity"]), (&json!(true), &json!(seats), &json!(seats)));
        }
        let later = starts(&ada, window(&studio, &[&studio.course], 0, 3 * 24 * 60)).await;
        assert_eq!(later, [studio.at(54 * 60)]);
    }

    async fn seats_that_are_taken_are_told_and_full_sessions_stay_in_the_list(engine) {
        let (server, studio, owner) = studio(engine).await;
        confirmed(&owner, studio.class(&studio.session, 9)).await;
        confirmed(&owner, studio.enrolment(8)).await;
        let ada = server.member("ada");
        let both = window(&studio, &[&studio.yoga, &studio.course], 0, 3 * 24 * 60);
        let told = slots(&ada, both.clone()).await;
        assert_eq!((&told[0]["remainingCapacity"], &told[0]["bookable"]), (&json!(1), &json!(true)));
        assert_eq!((&told[2]["remainingCapacity"], &told[2]["bookable"]), (&json!(0), &json!(false)));
        assert_eq!(told[2]["nonBookableReasons"]["noRemainingCapacity"], true);
        let two = slots(&ada, with(both.clone(), json!({ "party": 2 }))).await;
        assert_eq!((&two[0]["bookable"], &two[1]["bookable"]), (&json!(false), &json!(true)));
        let only = starts(&ada, with(both.clone(), json!({ "bookable": true }))).await;
        assert_eq!(only, [studio.at(6 * 60), studio.at(30 * 60)]);
        assert_eq!(starts(&ada, with(both.clone(), json!({ "bookable": false }))).await, [studio.at(54 * 60)]);
        let with_ben = with(both, json!({ "resources": [studio.ben.id.to_string()] }));
        assert_eq!(starts(&ada, with_ben).await, [studio.at(6 * 60), studio.at(30 * 60)], "nobody gives the course");
    }

    async fn who_is_free_is_told_by_name_and_can_be_asked_for(engine) {
        let (server, studio, owner) = studio(engine).await;
        confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let visitor = server.visitor();
        let told = visitor.data(WHO, window(&studio, &[&studio.workshop], 0, 60)).await["availability"]["timeSlots"].clone();
        let free = |slot: &Value, at: usize| -> Vec<String> {
            let listed = slot["availableResources"][at]["resources"].as_array().unwrap();
            listed.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!((free(&told[0], 0), free(&told[0], 1)), (vec!["Ben".to_owned()], vec!["Studio 1".to_owned()]));
        assert_eq!(free(&told[1], 0), ["Anna", "Ben"]);
        assert_eq!(told[0]["availableResources"][0]["resourceType"], "STAFF");
        for (named, count) in [(vec![&studio.anna], 1), (vec![&studio.ben], 2), (vec![&studio.anna, &studio.ben], 2), (vec![&studio.anna, &studio.room], 1)] {
            let ids: Vec<String> = named.iter().map(|one| one.id.to_string()).collect();
            let asked = with(window(&studio, &[&studio.workshop], 0, 60), json!({ "resources": ids }));
            assert_eq!(starts(&visitor, asked).await.len(), count, "{ids:?}");
        }
        // A massage needs no room: with one there is none.
        let asked = with(window(&studio, &[&studio.massage], 0, 60), json!({ "resources": [studio.room.id.to_string()] }));
        assert_eq!(starts(&visitor, asked).await, Vec::<String>::new());
    }

    async fn live_holds_count_and_several_requests_for_one_time_do_not(engine) {
        let (server, studio, owner) = studio(engine).await;
        let ada = server.member("ada");
        let hold = with(studio.appointment(&studio.training, 0, &[]), json!({ "holdSeconds": 600 }));
        ada.done("createBooking", hold).await;
        let asked = window(&studio, &[&studio.training], 0, 1);
        assert_eq!(starts(&ada, asked.clone()).await, Vec::<String>::new(), "not even for whom it is kept");
        let request = owner.done("createBooking", studio.appointment(&studio.audition, 120, &[])).await;
        owner.done("markBookingAsPending", json!({ "bookingId": request["id"] })).await;
        assert_eq!(starts(&ada, window(&studio, &[&studio.audition], 120, 121)).await.len(), 1);
        let waits = owner.done("createBooking", studio.appointment(&studio.consultation, 240, &[&studio.anna])).await;
        owner.done("markBookingAsPending", json!({ "bookingId": waits["id"] })).await;
        let with_anna = json!({ "resources": [studio.anna.id.to_string()] });
        let asked = with(window(&studio, &[&studio.consultation], 240, 241), with_anna);
        assert_eq!(starts(&ada, asked).await, Vec::<String>::new(), "one that waits alone keeps its time");
    }

    async fn customers_see_what_they_cannot_book_online_and_the_business_is_not_bound(engine) {
        let (server, studio, owner) = studio(engine).await;
        done(&owner, "updateService", json!({ "serviceId": studio.massage.id.to_string(), "onlineBooking": { "enabled": false } }), "service { id }").await;
        let asked = window(&studio, &[&studio.massage], 0, 30);
        for (client, bookable) in [(server.visitor(), false), (server.member("mia"), false), (server.staff(studio.anna.id), true), (server.owner(), true)] {
            let told = slots(&client, asked.clone()).await;
            assert_eq!((told.len(), &told[0]["bookable"]), (1, &json!(bookable)));
            assert_eq!(told[0]["bookingPolicyViolations"]["bookOnlineDisabled"], true);
            assert_eq!(told[0]["nonBookableReasons"]["violatesBookingPolicy"], !bookable);
        }
    }

    async fn questions_that_make_no_sense_are_refused_by_name(engine) {
        let (server, studio, _owner) = studio(engine).await;
        let asked = window(&studio, &[&studio.massage], 0, 60);
        let nobody = frontdesk::domain::ids::ResourceId::new().to_string();
        for (change, argument) in [
            (json!({ "to": studio.at(0) }), "`to`"),
            (json!({ "from": studio.at(120) }), "`to`"),
            (json!({ "to": studio.at(367 * 24 * 60) }), "`to`"),
            (json!({ "to": "tomorrow" }), "`to`"),
            (json!({ "from": "2030-01-01T10:00" }), "`from`"),
            (json!({ "ids": [] }), "`serviceIds`"),
            (json!({ "ids": ["massage"] }), "`serviceIds.0`"),
            (json!({ "ids": [studio.anna.id.to_string()] }), "`serviceIds.0`"),
            (json!({ "ids": [studio.massage.id.to_string(), frontdesk::domain::ids::ServiceId::new().to_string()] }), "`serviceIds.1`"),
            (json!({ "ids": [studio.massage.id.to_string(), studio.massage.id.to_string()] }), "`serviceIds.1`"),
            (json!({ "resources": [nobody] }), "`resourceIds.0`"),
            (json!({ "zone": "Mars/Olympus" }), "`timeZone`"),
            (json!({ "party": 0 }), "`totalParticipants`"),
            (json!({ "perDay": 0 }), "`slotsPerDay`"),
            (json!({ "limit": 1001 }), "`limit`"),
            (json!({ "minutes": 45 }), "`durationInMinutes`"),
            (json!({ "minutes": 30, "ids": [studio.yoga.id.to_string()] }), "`durationInMinutes`"),
        ] {
            let reply = server.visitor().send(QUERY, with(asked.clone(), change.clone())).await;
            let error = &reply.json["errors"][0];
            assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{change}: {}", reply.json);
            assert!(error["message"].as_str().unwrap().starts_with(argument), "{change}: {error}");
        }
    }

    async fn a_long_list_goes_on_where_it_was_cut_and_days_can_be_capped(engine) {
        let (server, studio, _owner) = studio(engine).await;
        let visitor = server.visitor();
        let asked = window(&studio, &[&studio.massage, &studio.training, &studio.yoga], 0, 40 * 24 * 60);
        let mut pages = Vec::new();
        let mut from = json!(studio.at(0));
        while !from.is_null() {
            let page = visitor.data(QUERY, with(asked.clone(), json!({ "from": from, "limit": 999 }))).await["availability"].clone();
            pages.extend(page["timeSlots"].as_array().unwrap().clone());
            from = page["nextFrom"].clone();
        }
        // Half past and full hours of forty days for the massage; the training's hour ends before the next thing of Anna's.
        assert_eq!(pages.len(), 2 * 40 * 48 + 2);
        let mut once = std::collections::BTreeSet::new();
        assert!(pages.iter().all(|slot| once.insert((slot["startDate"].to_string(), slot["serviceId"].to_string()))), "nothing twice");
        assert!(pages.is_sorted_by_key(|slot| slot["startDate"].as_str().unwrap().to_owned()));
        // A course that began before the window comes first on each page, and stops nobody from going on.
        let asked = with(window(&studio, &[&studio.course, &studio.massage], 55 * 60, 56 * 60), json!({ "limit": 1 }));
        let page = visitor.data(QUERY, asked).await["availability"].clone();
        assert_eq!((page["timeSlots"].as_array().unwrap().len(), &page["nextFrom"]), (2, &json!(studio.at(55 * 60 + 30))));
        let capped = starts(&visitor, with(window(&studio, &[&studio.massage], 0, 36 * 60), json!({ "perDay": 2, "zone": "UTC" }))).await;
        assert_eq!(capped, [studio.at(0), studio.at(30), studio.at(12 * 60), studio.at(12 * 60 + 30)]);
    }

    async fn of_many_who_take_an_offered_time_at_once_as_many_get_it_as_are_free(engine) {
        let (server, studio, owner) = studio(engine).await;
        done(&owner, "setWorkingHours", json!({ "weekly": [weekly("12:00", "13:00", &[])] }), "workingHours { revision }").await;
        let input = with(studio.appointment(&studio.massage, 0, &[]), json!({ "holdSeconds": 600 }));
        let people: Vec<Client> = (0..8).map(|number| server.member(&format!("member {number}"))).collect();
        let tries = people.iter().map(|person| person.mutate("createBooking", input.clone()));
        let answers = futures::future::join_all(tries).await;
        let won: Vec<&Value> = answers.iter().filter(|answer| !answer["booking"].is_null()).collect();
        assert_eq!(won.len(), 2, "Anna and Ben");
        for lost in answers.iter().filter(|answer| answer["booking"].is_null()) {
            let error = &lost["userErrors"][0];
            assert_eq!((&error["code"], &error["nextAvailable"]), (&json!("SLOT_NOT_AVAILABLE"), &json!(studio.at(30))));
        }
        assert_eq!(starts(&server.visitor(), window(&studio, &[&studio.massage], 0, 60)).await, [studio.at(30)]);
    }

    async fn whatever_is_offered_can_be_booked_once_and_comes_back_when_it_is_canceled(engine) {
        for seed in 1..=3_u64 {
            let (server, studio, owner) = studio(engine).await;
            let mut state = seed;
            random_studio(&owner, &studio, &mut state).await;
            let ada = server.member("ada");
            for service in [&studio.massage, &studio.training, &studio.workshop, &studio.consultation] {
                let asked = window(&studio, &[service], 0, 36 * 60);
                for _ in 0..2 {
                    let before = slots(&ada, asked.clone()).await;
                    if before.is_empty() {
                        continue;
                    }
                    let pick = &before[usize::try_from(draw(&mut state, before.len() as u64)).unwrap()];
                    assert_eq!(pick["bookable"], true);
                    let input = with(book(service, pick, &[]), json!({ "holdSeconds": 600 }));
                    let first = ada.done("createBooking", input.clone()).await;
                    let after = slots(&ada, asked.clone()).await;
                    assert!(after.iter().all(|slot| before.contains(slot)), "a booking adds nothing");
                    let serving = &first["bookedEntity"]["resource"]["id"];
                    let again = with(book(service, pick, &[serving]), json!({ "holdSeconds": 600 }));
                    let error = server.member("bob").refused("createBooking", again).await;
                    assert_eq!(error["code"], "SLOT_NOT_AVAILABLE", "seed {seed}, {pick}");
                    if let Some(next) = error["nextAvailable"].as_str() {
                        let asked = json!({ "ids": asked["ids"], "from": next, "to": studio.at(60 * 24 * 60), "resources": [serving], "limit": 1 });
                        assert_eq!(starts(&ada, asked).await.first().map(String::as_str), Some(next), "the next one is offered");
                    }
                    ada.done("cancelBooking", json!({ "bookingId": first["id"] })).await;
                    assert_eq!(slots(&ada, asked.clone()).await, before, "seed {seed}: exactly what was there");
                    // Some stay, so that the next one finds a fuller day.
                    if draw(&mut state, 2) == 0 {
                        confirmed(&owner, book(service, pick, &[])).await;
                    }
                }
            }
        }
    }
}

/// The input for a slot that was offered.
fn book(service: &frontdesk::domain::catalog::Service, slot: &Value, with: &[&Value]) -> Value {
    json!({
        "bookedEntity": { "slot": { "appointment": {
            "serviceId": service.id.to_string(), "startDate": slot["startDate"], "endDate": slot["endDate"], "resourceIds": with,
        } } },
        "contactDetails": { "firstName": "Ada", "email": "ada@example.org" },
        "totalParticipants": 1,
    })
}

/// Hours, blocked times and intervals as chance has it.
async fn random_studio(owner: &Client, studio: &Studio, state: &mut u64) {
    let hours = "workingHours { revision }";
    let clock = |minutes: u64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    for resource in [None, Some(&studio.anna), Some(&studio.ben), Some(&studio.room)] {
        if draw(state, 4) == 0 {
            continue;
        }
        let mut rules = Vec::new();
        for _ in 0..=draw(state, 2) {
            let start = draw(state, 20) * 60 + draw(state, 4) * 15;
            let end = start + 60 + draw(state, 40) * 15;
            rules.push(weekly(&clock(start), &clock(end), &[]));
        }
        let input = json!({ "resourceId": resource.map(|one| one.id.to_string()), "weekly": rules });
        done(owner, "setWorkingHours", input, hours).await;
    }
    for resource in [&studio.anna, &studio.ben] {
        let from = i64::try_from(draw(state, 24 * 4)).unwrap() * 15;
        let length = 20 + i64::try_from(draw(state, 200)).unwrap();
        let block = json!({
            "resourceId": resource.id.to_string(), "startDate": studio.at(from), "endDate": studio.at(from + length), "allowOverlap": true,
        });
        done(owner, "createBlockedTime", block, "blockedTime { id }").await;
    }
    for service in [&studio.massage, &studio.training] {
        let step = [
            json!({ "valueInMinutes": 15 }),
            json!({ "valueInMinutes": 25 }),
            json!({ "sameAsDuration": true }),
        ];
        let step = &step[usize::try_from(draw(state, 3)).unwrap()];
        let input = json!({ "serviceId": service.id.to_string(), "slotsSplitInterval": step });
        done(owner, "updateService", input, "service { id }").await;
    }
}
