//! Options of services: made, kept in step with their service, and what a booking makes of them.

use frontdesk::domain::ids::{OptionsId, ResourceId};
use serde_json::{Value, json};

use crate::{
    availability::slots,
    code, done, on_both_engines, refused, studio,
    support::{Client, Studio, client::mutation, fixture::with, on},
};

pub const OPTIONS: &str = "serviceOptionsAndVariants { id revision minPrice { amount } maxPrice { amount currency } service { id durations } \
    options { optionId type customData { name choices } durationData { name choices { minutes name } } } \
    variants { price { amount } choices { optionId custom durationInMinutes staffMemberId } } }";

pub fn price(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

pub fn colour(choices: &[&str]) -> Value {
    json!({ "optionId": "colour", "type": "CUSTOM", "customData": { "name": "Colour", "choices": choices } })
}

pub fn who() -> Value {
    json!({ "optionId": "who", "type": "STAFF_MEMBER" })
}

pub fn length(minutes: &[i32]) -> Value {
    let choices: Vec<Value> = minutes.iter().map(|minutes| json!({ "minutes": minutes })).collect();
    json!({ "optionId": "length", "type": "DURATION", "durationData": { "name": "Length", "choices": choices } })
}

pub fn text(text: &str) -> Value {
    json!({ "optionId": "colour", "custom": text })
}

fn by(resource: &str) -> Value {
    json!({ "optionId": "who", "staffMemberId": resource })
}

pub fn lasting(minutes: i32) -> Value {
    json!({ "optionId": "length", "durationInMinutes": minutes })
}

pub fn variant(choices: &[Value], amount: &str) -> Value {
    json!({ "choices": choices, "price": price(amount) })
}

/// A class with a price.
async fn class(owner: &Client) -> String {
    let input = json!({ "type": "CLASS", "name": "Painting", "defaultCapacity": 20, "payment": { "rateType": "VARIED", "defaultPrice": price("9") } });
    let made = done(owner, "createService", input, "service { id schedule { id } }").await;
    made["service"]["id"].as_str().unwrap().to_owned()
}

/// A session of a class tomorrow, as the entity to book.
async fn session(owner: &Client, studio: &Studio, class: &str) -> Value {
    let query = "query($id: ID!) { service(id: $id) { schedule { id } } }";
    let schedule = owner.data(query, json!({ "id": class })).await["service"]["schedule"]["id"].clone();
    let local = |hours: i64| studio.at(hours * 60).trim_end_matches('Z').to_owned();
    let input = json!({ "scheduleId": schedule, "localStart": local(2), "localEnd": local(3), "timeZone": "UTC" });
    let made = done(owner, "createSession", input, "session { id }").await;
    json!({ "slot": { "session": { "sessionId": made["session"]["id"] } } })
}

/// Gives a service with Anna and Ben a price, and both of them half an hour and an hour to choose.
pub async fn by_staff_and_length(owner: &Client, studio: &Studio) -> Value {
    let (anna, ben) = (studio.anna.id.to_string(), studio.ben.id.to_string());
    let input = json!({ "serviceId": studio.massage.id.to_string(), "payment": { "rateType": "VARIED", "defaultPrice": price("20") } });
    done(owner, "updateService", input, "service { id }").await;
    let input = json!({
        "serviceId": studio.massage.id.to_string(), "options": [who(), length(&[30, 60])],
        "variants": [
            variant(&[by(&anna), lasting(30)], "30"), variant(&[by(&anna), lasting(60)], "50"),
            variant(&[lasting(30), by(&ben)], "25.50"), variant(&[lasting(60), by(&ben)], "40"),
        ],
    });
    done(owner, "createServiceOptionsAndVariants", input, OPTIONS).await["serviceOptionsAndVariants"].clone()
}

const PRICE: &str = "booking { id endDate participantsChoices { numberOfParticipants choices { optionId custom durationInMinutes staffMemberId } } \
    price { total { amount currency } participants { numberOfParticipants pricePerParticipant { amount } choices { optionId custom durationInMinutes staffMemberId } } } }";

/// The total of a booking that was made.
async fn total(client: &Client, input: Value) -> (Value, Value) {
    let booking = done(client, "createBooking", input, PRICE).await["booking"].clone();
    (booking["price"]["total"]["amount"].clone(), booking)
}

pub fn groups(input: Value, groups: Value) -> Value {
    let mut input = with(input, json!({ "participantsChoices": groups }));
    input.as_object_mut().unwrap().remove("totalParticipants");
    input
}

on_both_engines! {
    async fn options_are_made_changed_cloned_and_deleted(engine) {
        let (server, studio, owner) = studio(engine).await;
        let service = class(&owner).await;
        let input = json!({
            "serviceId": service, "options": [colour(&["Red", "Blue"])], "idempotencyKey": "options",
            "variants": [variant(&[text("red")], "10"), variant(&[text("Blue")], "12.50")],
        });
        let made = done(&owner, "createServiceOptionsAndVariants", input.clone(), OPTIONS).await["serviceOptionsAndVariants"].clone();
        assert_eq!(done(&owner, "createServiceOptionsAndVariants", input.clone(), OPTIONS).await["serviceOptionsAndVariants"], made, "a replay");
        assert_eq!((&made["minPrice"]["amount"], &made["maxPrice"]), (&json!("10.00"), &json!({ "amount": "12.50", "currency": "EUR" })));
        assert_eq!(made["variants"][0]["choices"][0]["custom"], "Red", "as the option writes it");
        let again = refused(&owner, "createServiceOptionsAndVariants", with(input, json!({ "idempotencyKey": null }))).await;
        assert_eq!((&again["code"], &again["path"]), (&json!("ALREADY_EXISTS"), &json!(["serviceId"])));
        let query = "query($id: ID!, $service: ID!) { node(id: $id) { id ... on ServiceOptionsAndVariants { revision } } \
            service(id: $service) { optionsAndVariants { id } } services { nodes { id optionsAndVariants { id } } } }";
        let read = server.visitor().data(query, json!({ "id": made["id"], "service": service })).await;
        assert_eq!((&read["node"]["revision"], &read["service"]["optionsAndVariants"]["id"]), (&json!(1), &made["id"]));
        let listed: Vec<&Value> = read["services"]["nodes"].as_array().unwrap().iter().filter(|one| !one["optionsAndVariants"].is_null()).collect();
        assert_eq!(listed, [&json!({ "id": service, "optionsAndVariants": { "id": made["id"] } })]);

        let change = |changes: Value| with(json!({ "serviceOptionsAndVariantsId": made["id"] }), changes);
        let green = json!({ "options": [colour(&["Red", "Green"])], "expectedRevision": 1 });
        assert_eq!(code(&owner, "updateServiceOptionsAndVariants", change(green.clone())).await, "VALIDATION_FAILURE", "the variants don't fit any more");
        let variants = json!({ "variants": [variant(&[text("Green")], "0"), variant(&[text("Red")], "10")] });
        let changed = done(&owner, "updateServiceOptionsAndVariants", change(with(green, variants)), OPTIONS).await["serviceOptionsAndVariants"].clone();
        assert_eq!((&changed["revision"], &changed["minPrice"]["amount"]), (&json!(2), &json!("0.00")));
        assert_eq!(code(&owner, "deleteServiceOptionsAndVariants", change(json!({ "expectedRevision": 1 }))).await, "REVISION_MISMATCH");

        let other = done(&owner, "createService", json!({ "type": "COURSE", "name": "Course", "payment": { "rateType": "NO_FEE" } }), "service { id }").await["service"]["id"].clone();
        let clone = change(json!({ "targetServiceId": other }));
        let cloned = done(&owner, "cloneServiceOptionsAndVariants", clone.clone(), OPTIONS).await["serviceOptionsAndVariants"].clone();
        assert_eq!((&cloned["service"]["id"], &cloned["variants"], &cloned["revision"]), (&other, &changed["variants"], &json!(1)));
        assert_ne!(cloned["id"], made["id"]);
        let error = refused(&owner, "cloneServiceOptionsAndVariants", clone).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("ALREADY_EXISTS"), &json!(["targetServiceId"])));
        assert_eq!(code(&owner, "updateSite", json!({ "currency": "USD" })).await, "VALIDATION_FAILURE", "there are prices");

        done(&owner, "deleteServiceOptionsAndVariants", change(json!({ "expectedRevision": 2 })), OPTIONS).await;
        assert_eq!(code(&owner, "deleteServiceOptionsAndVariants", change(json!({}))).await, "SERVICE_OPTIONS_AND_VARIANTS_NOT_FOUND");
        let read = owner.data(query, json!({ "id": made["id"], "service": service })).await;
        assert_eq!((&read["node"], &read["service"]["optionsAndVariants"]), (&Value::Null, &Value::Null));
        for client in [server.member("mia"), server.visitor(), server.staff(studio.anna.id)] {
            let document = mutation("deleteServiceOptionsAndVariants", "userErrors { code }");
            assert_eq!(client.error_code(&document, json!({ "input": change(json!({})) })).await, "FORBIDDEN");
        }
    }

    async fn options_that_make_no_sense_are_refused_where_they_stand(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let (anna, ben) = (studio.anna.id.to_string(), studio.ben.id.to_string());
        let massage = studio.massage.id.to_string();
        let of = |options: Value, variants: Value| json!({ "serviceId": massage, "options": options, "variants": variants });
        let dollars = json!({ "choices": [text("Blue")], "price": { "amount": "1", "currency": "USD" } });
        for (input, path, problem) in [
            (of(json!([colour(&["Red"])]), json!([variant(&[json!({ "optionId": "size", "custom": "Red" })], "1")])), json!(["variants", "0", "choices", "0", "optionId"]), "UNKNOWN_OPTION_IDS"),
            (of(json!([colour(&["Red", "Blue"])]), json!([variant(&[text("Red")], "1"), dollars])), json!(["variants", "1", "price", "currency"]), "MULTIPLE_CURRENCIES"),
            (of(json!([colour(&["Red", "RED"])]), json!([variant(&[text("Red")], "1")])), json!(["options", "0", "customData", "choices", "1"]), "IDENTICAL_CHOICES"),
            (of(json!([colour(&["Red", "Blue"])]), json!([variant(&[text("Red")], "1"), variant(&[text("red")], "2")])), json!(["variants", "1", "choices"]), "IDENTICAL_CHOICES"),
            (of(json!([colour(&["Red", "Blue"])]), json!([variant(&[text("Red")], "1")])), json!(["variants"]), "MISSING_CUSTOM_CHOICES"),
            (of(json!([who()]), json!([variant(&[by(&anna)], "1")])), json!(["variants"]), "MISSING_STAFF_VARIANTS"),
            (of(json!([who()]), json!([variant(&[by(&anna)], "1"), variant(&[by(&studio.room.id.to_string())], "1")])), json!(["variants", "1", "choices", "0", "staffMemberId"]), "UNKNOWN_STAFF_IDS"),
            (of(json!([who(), length(&[30, 60])]), json!([variant(&[by(&anna), lasting(30)], "1"), variant(&[by(&anna), lasting(60)], "1"), variant(&[by(&ben), lasting(60)], "1")])), json!(["variants"]), "MISSING_STAFF_VARIANTS"),
            (of(json!([with(who(), json!({ "customData": { "name": "x", "choices": ["y"] } }))]), json!([variant(&[by(&anna)], "1")])), json!(["options", "0", "customData"]), "UNSUPPORTED_OPTION_DATA"),
            (of(json!([{ "optionId": "length", "type": "DURATION" }]), json!([variant(&[lasting(30)], "1")])), json!(["options", "0", "durationData"]), "UNSUPPORTED_OPTION_DATA"),
            (of(json!([length(&[30])]), json!([variant(&[json!({ "optionId": "length", "custom": "30" })], "1")])), json!(["variants", "0", "choices", "0", "custom"]), "UNSUPPORTED_OPTION_DATA"),
            (with(of(json!([who()]), json!([variant(&[by(&anna)], "1")])), json!({ "serviceId": studio.yoga.id.to_string() })), json!(["options", "0", "type"]), "UNSUPPORTED_OPTION_TYPE"),
            (of(json!([length(&[30]), with(length(&[60]), json!({ "optionId": "again" }))]), json!([variant(&[lasting(30)], "1")])), json!(["options", "1", "type"]), "UNSUPPORTED_OPTION_TYPE"),
            (of(json!([length(&[0])]), json!([variant(&[lasting(0)], "1")])), json!(["options", "0", "durationData", "choices", "0", "minutes"]), "VALIDATION_FAILURE"),
            (of(json!([]), json!([])), json!(["options"]), "VALIDATION_FAILURE"),
            (of(json!([colour(&["Red"])]), json!([variant(&[text("Red")], "-1")])), json!(["variants", "0", "price", "amount"]), "VALIDATION_FAILURE"),
            (of(json!([colour(&["Red"])]), json!([{ "choices": [{ "optionId": "colour" }], "price": price("1") }])), json!(["variants", "0", "choices", "0", "custom"]), "VALIDATION_FAILURE"),
        ] {
            let error = refused(&owner, "createServiceOptionsAndVariants", input.clone()).await;
            assert_eq!((&error["path"], error["code"].as_str().unwrap()), (&path, problem), "{input}");
        }
        let nobody = json!({ "serviceOptionsAndVariantsId": OptionsId::new().to_string(), "targetServiceId": massage });
        assert_eq!(code(&owner, "cloneServiceOptionsAndVariants", nobody).await, "SERVICE_OPTIONS_AND_VARIANTS_NOT_FOUND");
    }

    async fn variants_and_lengths_stay_in_step_with_their_service(engine) {
        let (server, studio, owner) = studio(engine).await;
        let made = by_staff_and_length(&owner, &studio).await;
        assert_eq!(made["service"]["durations"], json!([30, 60]), "the lengths are those of the option");
        assert_eq!(made["options"][1]["durationData"]["choices"][1], json!({ "minutes": 60, "name": "1 h" }));
        let massage = studio.massage.id.to_string();
        let minutes = |minutes: i32| json!({ "ids": [massage], "from": studio.at(0), "to": studio.at(30), "minutes": minutes });
        assert_eq!(slots(&server.visitor(), minutes(60)).await[0]["endDate"], studio.at(60));
        let error = refused(&owner, "updateService", json!({ "serviceId": massage, "durations": [45] })).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("VALIDATION_FAILURE"), &json!(["durations"])));

        // Who comes gets the service's own price, who leaves loses the own, and who stays keeps it.
        let clara = done(&owner, "createResource", json!({ "type": "STAFF", "name": "Clara" }), "resource { id }").await["resource"]["id"].clone();
        let staff = json!({ "serviceId": massage, "resourceIds": [studio.ben.id.to_string(), clara] });
        let follow = "service { optionsAndVariants { revision variants { price { amount } choices { staffMemberId durationInMinutes } } } }";
        let after = done(&owner, "updateService", staff.clone(), follow).await["service"]["optionsAndVariants"].clone();
        assert_eq!(after["revision"], 2);
        let of = |variant: &Value| (variant["choices"][0]["staffMemberId"].clone(), variant["choices"][1]["durationInMinutes"].clone(), variant["price"]["amount"].as_str().unwrap().to_owned());
        let ben = json!(studio.ben.id.to_string());
        let expected = [(ben.clone(), json!(30), "25.50".to_owned()), (ben, json!(60), "40.00".to_owned()), (clara.clone(), json!(30), "20.00".to_owned()), (clara.clone(), json!(60), "20.00".to_owned())];
        assert_eq!(after["variants"].as_array().unwrap().iter().map(of).collect::<Vec<_>>(), expected);
        let same = done(&owner, "updateService", with(staff, json!({ "description": "Calm" })), follow).await;
        assert_eq!(same["service"]["optionsAndVariants"]["revision"], 2, "nothing to follow");
        // Somebody who is deleted serves nobody any more.
        done(&owner, "deleteResource", json!({ "resourceId": clara }), "resource { id }").await;
        let query = format!("query($id: ID!) {{ {} }}", follow.replacen("service", "service(id: $id)", 1));
        let left = owner.data(&query, json!({ "id": massage })).await["service"]["optionsAndVariants"].clone();
        assert_eq!(left["variants"].as_array().unwrap().iter().map(of).collect::<Vec<_>>(), expected[..2]);
    }

    async fn who_is_hired_has_variants_of_what_any_staff_serves(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let made = done(&owner, "createService", json!({
            "type": "APPOINTMENT", "name": "Cut", "durations": [30], "staffMemberIds": [], "payment": { "rateType": "VARIED", "defaultPrice": price("9") },
        }), "service { id resources { id } }").await["service"].clone();
        let staff: Vec<&str> = made["resources"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        let variants: Vec<Value> = [studio.anna.id, studio.ben.id].iter().map(|id| variant(&[by(&id.to_string())], "12")).collect();
        let input = json!({ "serviceId": made["id"], "options": [who()], "variants": variants });
        done(&owner, "createServiceOptionsAndVariants", input, "serviceOptionsAndVariants { id }").await;
        let eve = done(&owner, "createResource", json!({ "type": "STAFF", "name": "Eve" }), "resource { id }").await["resource"]["id"].clone();
        done(&owner, "createResource", json!({ "type": "ROOM", "name": "Attic" }), "resource { id }").await;
        let told = owner.data("query($id: ID!) { service(id: $id) { optionsAndVariants { revision variants { choices { staffMemberId } price { amount } } } } }", json!({ "id": made["id"] })).await;
        let told = &told["service"]["optionsAndVariants"];
        assert_eq!((told["variants"].as_array().unwrap().len(), &told["revision"]), (3, &json!(2)), "{staff:?} {told}");
        assert_eq!(told["variants"][2]["price"]["amount"], "9.00");
        assert!(told["variants"][2].to_string().contains(eve.as_str().unwrap()), "{told}");
    }

    async fn custom_choices_decide_what_each_group_pays(engine) {
        let (server, studio, owner) = studio(engine).await;
        let ada = server.member("ada");
        let service = class(&owner).await;
        let entity = session(&owner, &studio, &service).await;
        let book = |participants: Value| groups(with(studio.class(&studio.session, 1), json!({ "bookedEntity": entity })), participants);
        let plain = with(studio.class(&studio.session, 3), json!({ "bookedEntity": entity }));
        assert_eq!(total(&ada, plain.clone()).await.0, "27.00", "three at the service's own price");
        let made = done(&owner, "createServiceOptionsAndVariants", json!({
            "serviceId": service, "options": [colour(&["Red", "Blue"])],
            "variants": [variant(&[text("Red")], "10"), variant(&[text("Blue")], "12.50")],
        }), OPTIONS).await["serviceOptionsAndVariants"].clone();
        let both = json!([{ "numberOfParticipants": 2, "choices": [text("red")] }, { "numberOfParticipants": 3, "choices": [text("Blue")] }]);
        let (sum, booking) = total(&ada, book(both)).await;
        assert_eq!(sum, "57.50");
        assert_eq!(booking["participantsChoices"][0]["choices"][0]["custom"], "Red");
        assert_eq!(booking["price"]["participants"][1]["pricePerParticipant"]["amount"], "12.50");
        for (participants, path) in [
            (json!([{ "numberOfParticipants": 1 }]), json!(["participantsChoices", "0", "choices"])),
            (json!([{ "numberOfParticipants": 1, "choices": [text("Red")] }, { "numberOfParticipants": 1, "choices": [text("Green")] }]), json!(["participantsChoices", "1", "choices", "0"])),
            (json!([{ "numberOfParticipants": 1, "choices": [text("Red"), text("Blue")] }]), json!(["participantsChoices", "0", "choices", "1"])),
            (json!([{ "numberOfParticipants": 1, "choices": [{ "optionId": "size", "custom": "Red" }] }]), json!(["participantsChoices", "0", "choices", "0"])),
            (json!([{ "numberOfParticipants": 1, "choices": [{ "optionId": "colour" }] }]), json!(["participantsChoices", "0", "choices", "0", "custom"])),
            (json!([{ "numberOfParticipants": 1, "choices": vec![text("Red"); 6] }]), json!(["participantsChoices", "0", "choices"])),
        ] {
            let error = refused(&ada, "createBooking", book(participants.clone())).await;
            assert_eq!((&error["code"], &error["path"]), (&json!("INVALID_SERVICE_CHOICES"), &path), "{participants}");
        }
        let error = refused(&ada, "createBooking", plain).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("INVALID_SERVICE_CHOICES"), &json!(["participantsChoices"])));
        // The price stays what it was, and other numbers pay by it.
        let dearer = json!({ "serviceOptionsAndVariantsId": made["id"], "variants": [variant(&[text("Red")], "100"), variant(&[text("Blue")], "100")] });
        done(&owner, "updateServiceOptionsAndVariants", dearer, OPTIONS).await;
        let query = "query($id: ID!) { booking(id: $id) { price { total { amount } } } }";
        assert_eq!(ada.data(query, json!({ "id": booking["id"] })).await["booking"]["price"]["total"]["amount"], "57.50");
        let fewer = with(on(&booking), json!({ "participantsChoices": [{ "numberOfParticipants": 1, "choices": [text("BLUE")] }] }));
        let fewer = done(&owner, "updateNumberOfParticipants", fewer, PRICE).await["booking"].clone();
        assert_eq!((&fewer["price"]["total"]["amount"], &fewer["participantsChoices"][0]["choices"][0]["custom"]), (&json!("12.50"), &json!("Blue")));
        let unknown = with(on(&booking), json!({ "participantsChoices": [{ "numberOfParticipants": 1, "choices": [text("Green")] }] }));
        assert_eq!(code(&owner, "updateNumberOfParticipants", unknown).await, "INVALID_SERVICE_CHOICES");
    }

    async fn the_slot_decides_length_and_staff_and_their_price(engine) {
        let (server, studio, owner) = studio(engine).await;
        let ada = server.member("ada");
        by_staff_and_length(&owner, &studio).await;
        let massage = |minutes, with: &[&frontdesk::domain::catalog::Resource]| studio.appointment(&studio.massage, minutes, with);
        let chosen = |minutes: i32| json!([{ "numberOfParticipants": 1, "choices": [lasting(minutes)] }]);
        // The usual length, and one that was chosen.
        assert_eq!(total(&ada, massage(0, &[&studio.anna])).await.0, "30.00");
        let (sum, long) = total(&ada, groups(massage(0, &[&studio.ben]), chosen(60))).await;
        assert_eq!((&sum, &long["endDate"]), (&json!("40.00"), &json!(studio.at(60))), "the slot ends with the choice");
        let choices = &long["participantsChoices"][0]["choices"];
        assert_eq!((&choices[0]["staffMemberId"], &choices[1]["durationInMinutes"]), (&json!(studio.ben.id.to_string()), &json!(60)));
        // The end says it as well.
        let mut ends = massage(0, &[&studio.anna]);
        ends["bookedEntity"]["slot"]["appointment"]["endDate"] = json!(studio.at(60));
        assert_eq!(total(&ada, ends.clone()).await.0, "50.00");
        // Nobody is known yet: the service's own price; whoever is taken at once is known.
        assert_eq!(total(&ada, massage(0, &[])).await.0, "20.00");
        let held = with(massage(0, &[]), json!({ "holdSeconds": 60 }));
        assert_eq!(total(&ada, held).await.0, "30.00", "Anna comes first");
        for (input, path) in [
            (groups(ends, chosen(30)), json!(["participantsChoices", "0", "choices", "0"])),
            (groups(massage(120, &[]), chosen(45)), json!(["participantsChoices", "0", "choices", "0"])),
            (groups(massage(120, &[]), json!([{ "numberOfParticipants": 1, "choices": [lasting(30)] }, { "numberOfParticipants": 1, "choices": [lasting(60)] }])), json!(["participantsChoices", "1", "choices", "0"])),
            (groups(massage(120, &[]), json!([{ "numberOfParticipants": 1, "choices": [{ "optionId": "who", "custom": studio.anna.id.to_string() }] }])), json!(["participantsChoices", "0", "choices", "0"])),
        ] {
            let error = refused(&ada, "createBooking", input.clone()).await;
            assert_eq!((&error["code"], &error["path"]), (&json!("INVALID_SERVICE_CHOICES"), &path), "{input}");
        }
        // Whoever chose a length keeps it when the booking moves.
        let slot = |minutes, end: Option<i64>| {
            let end = end.map(|end| studio.at(end));
            json!({ "slot": { "appointment": { "serviceId": studio.massage.id.to_string(), "startDate": studio.at(minutes), "endDate": end } } })
        };
        let error = refused(&ada, "rescheduleBooking", with(on(&long), slot(180, Some(210)))).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("INVALID_SERVICE_CHOICES"), &json!(["slot", "appointment", "endDate"])));
        let moved = done(&ada, "rescheduleBooking", with(on(&long), slot(180, None)), PRICE).await["booking"].clone();
        assert_eq!((&moved["endDate"], &moved["price"]), (&json!(studio.at(240)), &long["price"]));
    }

    async fn what_a_service_costs_without_options(engine) {
        let (server, studio, owner) = studio(engine).await;
        let ada = server.member("ada");
        let (sum, booking) = total(&ada, studio.appointment(&studio.training, 0, &[])).await;
        assert_eq!((sum, &booking["price"]["total"]["currency"]), (json!("50.00"), &json!("EUR")));
        let (sum, free) = total(&ada, studio.class(&studio.session, 3)).await;
        assert_eq!(sum, "0.00");
        assert_eq!(free["price"]["participants"], json!([{ "numberOfParticipants": 3, "pricePerParticipant": { "amount": "0.00" }, "choices": [] }]));
        // What costs nothing does so whatever is chosen.
        let options = json!({ "serviceId": studio.yoga.id.to_string(), "options": [colour(&["Red"])], "variants": [variant(&[text("Red")], "10")] });
        done(&owner, "createServiceOptionsAndVariants", options, OPTIONS).await;
        let red = json!([{ "numberOfParticipants": 2, "choices": [text("Red")] }]);
        assert_eq!(total(&ada, groups(studio.class(&studio.session, 1), red)).await.0, "0.00");
        assert_eq!(code(&owner, "updateService", json!({ "serviceId": studio.yoga.id.to_string(), "resourceIds": [ResourceId::new().to_string()] })).await, "RESOURCE_NOT_FOUND");
    }
}
