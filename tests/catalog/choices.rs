//! What was chosen of a service's options, asked about before it is booked.

use serde_json::{Value, json};

use crate::{
    done, on_both_engines,
    options::{OPTIONS, by_staff_and_length, colour, groups, lasting, text, variant},
    studio,
    support::{Client, fixture::with},
    weekly,
};

const AVAILABILITY: &str = "query($ids: [ID!]!, $from: DateTime, $to: DateTime!, $choices: [ServiceChoiceInput!], $minutes: Int, $who: [ID!]) { \
    availability(serviceIds: $ids, from: $from, to: $to, choices: $choices, durationInMinutes: $minutes, resourceIds: $who) { \
    timeSlots { startDate endDate serviceId } } }";
const CHAINS: &str = "query($services: [MultiServiceAvailabilityItemInput!]!, $from: DateTime, $to: DateTime!) { \
    multiServiceAvailability(services: $services, from: $from, to: $to) { timeSlots { startDate endDate nestedTimeSlots { startDate endDate } } } }";
const EXPLAINED: &str = "query($id: ID!, $from: DateTime, $to: DateTime!, $choices: [ServiceChoiceInput!], $minutes: Int) { \
    explainAvailability(serviceId: $id, from: $from, to: $to, choices: $choices, durationInMinutes: $minutes) { totalStarts bookableStarts } }";

/// What was refused: where, with which reason.
async fn refused(client: &Client, query: &str, variables: Value) -> (String, Value) {
    let reply = client.send(query, variables).await.json;
    let error = &reply["errors"][0];
    let path = error["message"].as_str().unwrap_or_default().split('`').nth(1);
    assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{reply}");
    (
        path.unwrap_or_default().to_owned(),
        error["extensions"]["reason"].clone(),
    )
}

async fn slots(client: &Client, variables: Value) -> Vec<Value> {
    client.data(AVAILABILITY, variables).await["availability"]["timeSlots"]
        .as_array()
        .unwrap()
        .clone()
}

/// How long the slots of a service are, in minutes: all of them the same.
fn minutes(slots: &[Value], service: &str) -> i64 {
    let at = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let own = slots.iter().filter(|slot| slot["serviceId"] == service);
    let mut all: Vec<i64> = own
        .map(|slot| at(&slot["endDate"]).duration_since(at(&slot["startDate"])).as_mins())
        .collect();
    all.dedup();
    assert_eq!(all.len(), 1, "{slots:?}");
    all[0]
}

/// Gives the training a colour to choose.
async fn coloured(owner: &Client, service: &str) {
    let input = json!({
        "serviceId": service, "options": [colour(&["Red", "Blue"])], "variants": [variant(&[text("Red")], "10"), variant(&[text("Blue")], "12")],
    });
    done(owner, "createServiceOptionsAndVariants", input, OPTIONS).await;
}

on_both_engines! {
    async fn what_is_offered_is_as_long_as_what_was_chosen(engine) {
        let (server, studio, owner) = studio(engine).await;
        by_staff_and_length(&owner, &studio).await;
        let (massage, training) = (studio.massage.id.to_string(), studio.training.id.to_string());
        coloured(&owner, &training).await;
        done(&owner, "setWorkingHours", json!({ "weekly": [weekly("13:00", "15:00", &[])] }), "workingHours { revision }").await;
        let ada = server.member("ada");
        let window = |ids: &[&str], more: Value| with(json!({ "ids": ids, "from": studio.at(-720), "to": studio.at(720) }), more);
        assert_eq!(minutes(&slots(&ada, window(&[&massage], json!({}))).await, &massage), 30);
        let chosen = json!({ "choices": [lasting(60)] });
        let long = slots(&ada, window(&[&massage], chosen.clone())).await;
        assert_eq!(minutes(&long, &massage), 60);
        assert_eq!(slots(&ada, window(&[&massage], json!({ "minutes": 60 }))).await, long, "the same as by its length");
        assert_eq!(slots(&ada, window(&[&massage], json!({ "minutes": 60, "choices": [lasting(60)] }))).await, long, "they agree");
        // Of several services each keeps to its own.
        let both = json!({ "choices": [text("blue"), lasting(60)], "who": [studio.anna.id.to_string()] });
        let both = slots(&ada, window(&[&massage, &training], both)).await;
        assert_eq!((minutes(&both, &massage), minutes(&both, &training)), (60, 60));
        let short = slots(&ada, window(&[&massage, &training], json!({ "choices": [text("Red")] }))).await;
        assert_eq!((minutes(&short, &massage), minutes(&short, &training)), (30, 60));
        // What is offered can be booked with the same choices, to the last slot.
        let (last, groups_of) = (long.last().unwrap(), json!([{ "numberOfParticipants": 1, "choices": [lasting(60)] }]));
        let mut input = groups(studio.appointment(&studio.massage, 0, &[]), groups_of);
        input["bookedEntity"]["slot"]["appointment"]["startDate"] = last["startDate"].clone();
        let booked = done(&ada, "createBooking", input, "booking { startDate endDate }").await["booking"].clone();
        assert_eq!((&booked["startDate"], &booked["endDate"]), (&last["startDate"], &last["endDate"]));
        // The explanation follows, too.
        let asked = |more: Value| with(json!({ "id": massage, "from": studio.at(-720), "to": studio.at(720) }), more);
        let told = owner.data(EXPLAINED, asked(chosen)).await["explainAvailability"].clone();
        assert_eq!(told, owner.data(EXPLAINED, asked(json!({ "minutes": 60 }))).await["explainAvailability"]);
        assert_eq!(told["totalStarts"], long.len());
        assert_ne!(told, owner.data(EXPLAINED, asked(json!({}))).await["explainAvailability"]);
    }

    async fn choices_that_nobody_offers_are_refused_where_they_stand(engine) {
        let (server, studio, owner) = studio(engine).await;
        by_staff_and_length(&owner, &studio).await;
        let (massage, yoga, workshop) = (studio.massage.id.to_string(), studio.yoga.id.to_string(), studio.workshop.id.to_string());
        coloured(&owner, &yoga).await;
        let ada = server.visitor();
        let reason = json!("INVALID_SERVICE_CHOICES");
        let window = json!({ "from": studio.at(0), "to": studio.at(720) });
        let by_name = json!({ "optionId": "who", "custom": "Anna" });
        let nothing = json!({ "optionId": "length" });
        for (ids, choices, minutes, path) in [
            (vec![&massage], json!([lasting(45)]), None, "choices.0"),
            (vec![&massage], json!([lasting(60)]), Some(30), "choices.0"),
            (vec![&massage], json!([text("Red")]), None, "choices.0"),
            (vec![&massage], json!([lasting(60), by_name]), None, "choices.1"),
            (vec![&massage], json!([lasting(60), lasting(60)]), None, "choices.1"),
            (vec![&massage], json!([lasting(60), nothing]), None, "choices.1.custom"),
            (vec![&workshop], json!([lasting(60)]), None, "choices.0"),
            (vec![&massage, &yoga], json!([lasting(60), text("Red"), text("Green")]), None, "choices.2"),
            (vec![&massage], json!(vec![lasting(60); 101]), None, "choices"),
        ] {
            let asked = with(window.clone(), json!({ "ids": ids, "choices": choices, "minutes": minutes }));
            assert_eq!(refused(&ada, AVAILABILITY, asked.clone()).await, (path.to_owned(), reason.clone()), "{asked}");
        }
        // Nothing has to be chosen, and what can be is found whatever its case.
        let fine = with(window.clone(), json!({ "ids": [yoga, massage], "choices": [text("BLUE")] }));
        assert!(!slots(&ada, fine).await.is_empty());
        for (choices, path) in [(json!([lasting(45)]), "choices.0"), (json!(vec![lasting(60); 6]), "choices")] {
            let asked = with(window.clone(), json!({ "id": massage, "choices": choices }));
            assert_eq!(refused(&owner, EXPLAINED, asked.clone()).await, (path.to_owned(), reason.clone()), "{asked}");
        }
        for (part, path) in [
            (json!({ "choices": [lasting(45)] }), "services.1.choices.0"),
            (json!({ "choices": [lasting(60)], "durationInMinutes": 30 }), "services.1.choices.0"),
            (json!({ "choices": [lasting(60), text("Red")] }), "services.1.choices.1"),
            (json!({ "choices": [{ "optionId": "length", "durationInMinutes": 60, "custom": "60" }] }), "services.1.choices.0.custom"),
        ] {
            let part = with(json!({ "serviceId": massage }), part);
            let asked = with(window.clone(), json!({ "services": [{ "serviceId": massage }, part] }));
            assert_eq!(refused(&ada, CHAINS, asked.clone()).await, (path.to_owned(), reason.clone()), "{asked}");
        }
    }

    async fn each_part_of_a_visit_is_as_long_as_was_chosen(engine) {
        let (server, studio, owner) = studio(engine).await;
        by_staff_and_length(&owner, &studio).await;
        let massage = studio.massage.id.to_string();
        let ada = server.member("ada");
        let services = json!([{ "serviceId": massage, "choices": [lasting(60)] }, { "serviceId": massage }, { "serviceId": massage, "choices": [lasting(30)], "durationInMinutes": 30 }]);
        let asked = json!({ "services": services, "from": studio.at(0), "to": studio.at(240) });
        let told = ada.data(CHAINS, asked).await["multiServiceAvailability"]["timeSlots"].clone();
        let first = &told[0];
        assert_eq!((&first["startDate"], &first["endDate"]), (&json!(studio.at(0)), &json!(studio.at(120))));
        assert_eq!(first["nestedTimeSlots"], json!([
            { "startDate": studio.at(0), "endDate": studio.at(60) }, { "startDate": studio.at(60), "endDate": studio.at(90) },
            { "startDate": studio.at(90), "endDate": studio.at(120) },
        ]));
        let part = |start: i64, choices: Value| json!({
            "slot": { "serviceId": massage, "startDate": studio.at(start) }, "participantsChoices": [{ "numberOfParticipants": 1, "choices": choices }],
        });
        let input = json!({
            "bookings": [part(0, json!([lasting(60)])), part(60, json!([])), part(90, json!([lasting(30)]))], "contactDetails": { "firstName": "Ada" },
        });
        let made = done(&ada, "createMultiServiceBooking", input, "multiServiceBooking { startDate endDate }").await;
        assert_eq!(made["multiServiceBooking"], json!({ "startDate": studio.at(0), "endDate": studio.at(120) }));
    }
}
