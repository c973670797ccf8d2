//! Nonsense: each piece of it is a clear error with a code in the right place, writes nothing, and the server goes on.

use serde_json::{Value, json};

use crate::{
    on_both_engines,
    support::{Client, Server, Studio, client::mutation, id, on, with},
};

/// `input` with `value` at `path`.
fn put(mut input: Value, path: &[&str], value: Value) -> Value {
    let mut place = &mut input;
    for segment in path {
        place = match segment.parse::<usize>() {
            Ok(index) => &mut place[index],
            Err(_) => &mut place[*segment],
        };
    }
    *place = value;
    input
}

fn without(mut input: Value, field: &str) -> Value {
    input.as_object_mut().unwrap().remove(field);
    input
}

const ERRORS: &str = "userErrors { __typename code message path }";

struct Bench {
    server: Server,
    studio: Studio,
    owner: Client,
}

impl Bench {
    async fn open(engine: crate::support::Engine) -> Self {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        Self { server, studio, owner }
    }

    async fn marks(&self) -> (i64, i64) {
        (self.server.bookings().await, self.server.position().await)
    }

    /// Refused with a user error at a place of the input, and nothing was written.
    async fn user_error(&self, name: &str, input: Value, code: &str, path: &[&str]) {
        let before = self.marks().await;
        let reply = self
            .owner
            .send(&mutation(name, ERRORS), json!({ "input": input }))
            .await;
        let shown: String = input.to_string().chars().take(300).collect();
        assert_eq!(reply.status, 200, "{name} {shown}");
        assert!(reply.json.get("errors").is_none(), "{name} {shown}: {}", reply.json);
        let errors = reply.json["data"][name]["userErrors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{name} {shown}: {}", reply.json);
        assert_eq!(
            (&errors[0]["code"], &errors[0]["path"]),
            (&json!(code), &json!(path)),
            "{name} {shown}: {}",
            errors[0]
        );
        let message = errors[0]["message"].as_str().unwrap();
        assert!(!message.is_empty() && message.len() < 300, "{message}");
        assert_eq!(self.marks().await, before, "{name} {shown}");
    }

    /// Refused before anything ran, and nothing was written.
    async fn top_level(&self, query: &str, variables: Value, codes: &[&str]) {
        let before = self.marks().await;
        let shown: String = format!("{query} {variables}").chars().take(300).collect();
        let reply = self.owner.send(query, variables).await;
        let errors = reply.json["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("{shown}: {}", reply.json));
        for error in errors {
            let code = error["extensions"]["code"].as_str().unwrap_or_default();
            assert!(codes.contains(&code), "{shown}: {error}");
            assert!(
                error["message"].as_str().is_some_and(|message| !message.is_empty()),
                "{shown}"
            );
        }
        assert_eq!(self.marks().await, before, "{shown}");
    }

    async fn alive(&self) {
        self.owner
            .done("createBooking", self.studio.class(&self.studio.session, 1))
            .await;
    }
}

on_both_engines! {
    async fn malformed_ids_and_ids_of_another_type(engine) {
        let bench = Bench::open(engine).await;
        let studio = &bench.studio;
        let massage = studio.appointment(&studio.massage, 0, &[]);
        let class = studio.class(&studio.session, 1);
        let site = bench.server.site.to_string();
        for bad in ["", "nonsense", "booking_", "booking_01h455vb4pex5vsknk084sn02", "BOOKING_01h455vb4pex5vsknk084sn02q",
            "booking_81h455vb4pex5vsknk084sn02q", "booking_01h455vb4pex5vsknk084sn0\u{0}", "01h455vb4pex5vsknk084sn02q", "💣", &site]
        {
            for act in ["confirmBooking", "declineBooking", "cancelBooking", "markBookingAsPending", "confirmOrDeclineBooking"] {
                bench.user_error(act, json!({ "bookingId": bad }), "INVALID_ID", &["bookingId"]).await;
            }
            let number = json!({ "bookingId": bad, "totalParticipants": 1 });
            bench.user_error("updateNumberOfParticipants", number, "INVALID_ID", &["bookingId"]).await;
            let entity = ["bookedEntity", "slot", "session", "sessionId"];
            bench.user_error("createBooking", put(class.clone(), &entity, json!(bad)), "INVALID_ID", &entity).await;
            let entity = ["bookedEntity", "slot", "appointment", "serviceId"];
            bench.user_error("createBooking", put(massage.clone(), &entity, json!(bad)), "INVALID_ID", &entity).await;
            let entity = ["bookedEntity", "schedule", "scheduleId"];
            bench.user_error("createBooking", put(studio.enrolment(1), &entity, json!(bad)), "INVALID_ID", &entity).await;
            bench.top_level("query($id: ID!) { booking(id: $id) { id } }", json!({ "id": bad }), &["BAD_USER_INPUT"]).await;
            if bad != site {
                bench.top_level("query($id: ID!) { node(id: $id) { id } }", json!({ "id": bad }), &["BAD_USER_INPUT"]).await;
            }
        }
        let long = "x".repeat(100_000);
        bench.user_error("cancelBooking", json!({ "bookingId": long }), "INVALID_ID", &["bookingId"]).await;
        bench.alive().await;
    }

    async fn ids_of_what_isnt_there_name_their_place(engine) {
        let bench = Bench::open(engine).await;
        let studio = &bench.studio;
        let massage = studio.appointment(&studio.massage, 0, &[]);
        let appointment = ["bookedEntity", "slot", "appointment"];
        let at = |field: &'static str| [appointment.as_slice(), &[field]].concat();
        let unknown = |kind: &str| json!(format!("{kind}_01h455vb4pex5vsknk084sn02q"));
        bench.user_error("createBooking", put(massage.clone(), &at("serviceId"), unknown("service")), "SERVICE_NOT_FOUND", &at("serviceId")).await;
        let resource = [at("resourceIds").as_slice(), &["1"]].concat();
        let two = put(massage.clone(), &at("resourceIds"), json!([studio.anna.id.to_string(), unknown("resource")]));
        bench.user_error("createBooking", two, "RESOURCE_NOT_FOUND", &resource).await;
        let both = put(massage.clone(), &at("resourceIds"), json!([studio.anna.id.to_string(), studio.ben.id.to_string()]));
        bench.user_error("createBooking", both, "VALIDATION_FAILURE", &resource).await;
        // Of another kind of service.
        let yoga = put(massage.clone(), &at("serviceId"), json!(studio.yoga.id.to_string()));
        bench.user_error("createBooking", yoga, "SERVICE_NOT_FOUND", &at("serviceId")).await;
        let path = ["bookedEntity", "slot", "session", "sessionId"];
        let class = studio.class(&studio.session, 1);
        bench.user_error("createBooking", put(class.clone(), &path, unknown("session")), "SESSION_NOT_FOUND", &path).await;
        let path = ["bookedEntity", "schedule", "scheduleId"];
        for schedule in [unknown("schedule"), json!(studio.yoga.schedule.to_string())] {
            bench.user_error("createBooking", put(studio.enrolment(1), &path, schedule), "SCHEDULE_NOT_FOUND", &path).await;
        }
        // In a bulk call the place begins with the item, whether it was malformed or isn't there.
        let input = json!({ "bookings": [put(class.clone(), &["bookedEntity", "slot", "session", "sessionId"], unknown("session"))] });
        let payload = bench.owner.mutate_selecting("bulkCreateBooking", input, "results { userErrors { path } }").await;
        let expected = json!(["bookings", "0", "bookedEntity", "slot", "session", "sessionId"]);
        assert_eq!(payload["results"][0]["userErrors"][0]["path"], expected);
        let booking = bench.owner.done("createBooking", class).await;
        let slot = |session: Value| with(on(&booking), json!({ "slot": { "session": { "sessionId": session } } }));
        let path = ["slot", "session", "sessionId"];
        bench.user_error("rescheduleBooking", slot(unknown("session")), "SESSION_NOT_FOUND", &path).await;
        bench.user_error("rescheduleBooking", slot(json!("x")), "INVALID_ID", &path).await;
        bench.user_error("cancelBooking", json!({ "bookingId": unknown("booking") }), "BOOKING_NOT_FOUND", &["bookingId"]).await;
    }

    async fn times_and_zones_that_there_are_not(engine) {
        let bench = Bench::open(engine).await;
        let studio = &bench.studio;
        let massage = studio.appointment(&studio.massage, 0, &[]);
        let at = |field: &'static str| ["bookedEntity", "slot", "appointment", field];
        for bad in ["", "tomorrow", "2026-13-01T00:00:00Z", "2026-02-30T12:00:00Z", "9999-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
            "2101-01-01T00:00:00Z", "-000001-01-01T00:00:00Z", "2026-11-23", "2026-11-23T12:00:00", "1795435200", "2026-11-23T12:00:00Z\u{0}"]
        {
            bench.user_error("createBooking", put(massage.clone(), &at("startDate"), json!(bad)), "INVALID_DATE_FORMAT", &at("startDate")).await;
            bench.user_error("createBooking", put(massage.clone(), &at("endDate"), json!(bad)), "INVALID_DATE_FORMAT", &at("endDate")).await;
        }
        for bad in ["", "Mars/Olympus", "UTC+25", "Europe/Berlin\u{0}", "../../etc/passwd", &"x".repeat(10_000)] {
            bench.user_error("createBooking", put(massage.clone(), &at("timeZone"), json!(bad)), "INVALID_TIME_ZONE", &at("timeZone")).await;
        }
        // The end before, at, and at no length of the service after the start.
        for minutes in [-30, 0, 1, 29, 31, 60] {
            let bad = put(massage.clone(), &at("endDate"), json!(studio.at(minutes)));
            bench.user_error("createBooking", bad, "VALIDATION_FAILURE", &at("endDate")).await;
        }
        let skipped = with(put(massage.clone(), &at("endDate"), json!(studio.at(-30))), json!({ "flowControlSettings": { "skipAvailabilityValidation": true } }));
        bench.user_error("createBooking", skipped, "VALIDATION_FAILURE", &at("endDate")).await;
        // What is well-formed but in the past is the business's to say.
        let past = put(massage.clone(), &at("startDate"), json!("1970-01-01T00:00:00Z"));
        assert_eq!(bench.server.visitor().refused("createBooking", past).await["rule"], "TOO_LATE_TO_BOOK");
        let last = put(massage, &at("startDate"), json!("2100-12-31T23:45:00Z"));
        let made = bench.owner.confirmed(last).await;
        assert_eq!(made["endDate"], "2101-01-01T00:15:00Z");
        assert_eq!(bench.owner.again(&made).await["endDate"], "2101-01-01T00:15:00Z");
    }

    async fn numbers_of_participants_that_cant_be(engine) {
        let bench = Bench::open(engine).await;
        let studio = &bench.studio;
        let class = studio.class(&studio.session, 1);
        for bad in [0, -1, 1001, 1_000_000_000, i32::MIN] {
            let input = put(class.clone(), &["totalParticipants"], json!(bad));
            bench.user_error("createBooking", input, "VALIDATION_FAILURE", &["totalParticipants"]).await;
            let groups = json!({ "participantsChoices": [{ "numberOfParticipants": 1 }, { "numberOfParticipants": bad }] });
            let input = with(without(class.clone(), "totalParticipants"), groups);
            bench.user_error("createBooking", input, "VALIDATION_FAILURE", &["participantsChoices"]).await;
        }
        let groups = |n: usize| json!({ "participantsChoices": vec![json!({ "numberOfParticipants": 1 }); n] });
        for n in [0, 21] {
            let input = with(without(class.clone(), "totalParticipants"), groups(n));
            bench.user_error("createBooking", input, "VALIDATION_FAILURE", &["participantsChoices"]).await;
        }
        let choice = json!({ "participantsChoices": [{ "numberOfParticipants": 1, "choices": [{ "optionId": "x", "custom": "y" }] }] });
        let input = with(without(class.clone(), "totalParticipants"), choice);
        bench.user_error("createBooking", input, "INVALID_SERVICE_CHOICES", &["participantsChoices", "0", "choices", "0"]).await;
        let query = mutation("createBooking", ERRORS);
        for bad in [json!(4_294_967_296_i64), json!(1.5), json!("1"), json!(true), json!([])] {
            let input = put(class.clone(), &["totalParticipants"], bad);
            bench.top_level(&query, json!({ "input": input }), &["BAD_USER_INPUT"]).await;
        }
        let two = put(studio.appointment(&studio.massage, 0, &[]), &["totalParticipants"], json!(2));
        bench.user_error("createBooking", two, "VALIDATION_FAILURE", &["totalParticipants"]).await;
        let booking = bench.owner.done("createBooking", class).await;
        let number = |more| with(on(&booking), more);
        bench.user_error("updateNumberOfParticipants", number(json!({})), "VALIDATION_FAILURE", &["totalParticipants"]).await;
        let both = with(groups(1), json!({ "totalParticipants": 1 }));
        bench.user_error("updateNumberOfParticipants", number(both), "VALIDATION_FAILURE", &["totalParticipants"]).await;
        bench.user_error("updateNumberOfParticipants", number(json!({ "totalParticipants": 0 })), "VALIDATION_FAILURE", &["totalParticipants"]).await;
        let slot = json!({ "slot": { "session": { "sessionId": studio.next_session.id.to_string() } }, "totalParticipants": 0 });
        bench.user_error("rescheduleBooking", number(slot), "VALIDATION_FAILURE", &["totalParticipants"]).await;
    }

    async fn texts_that_are_too_long_or_cant_be_stored(engine) {
        let bench = Bench::open(engine).await;
        let studio = &bench.studio;
        let mut massage = studio.appointment(&studio.massage, 0, &[]);
        massage["bookedEntity"]["slot"]["appointment"]["location"] = json!({ "locationType": "CUSTOM" });
        massage["participantNotification"] = json!({});
        let location = ["bookedEntity", "slot", "appointment", "location"];
        let under = |path: &[&'static str], field: &'static str| [path, &[field]].concat();
        let texts: Vec<(Vec<&str>, usize)> = vec![
            (vec!["contactDetails", "firstName"], 100),
            (vec!["contactDetails", "lastName"], 100),
            (vec!["contactDetails", "phone"], 50),
            (vec!["contactDetails", "fullAddress"], 512),
            (vec!["contactDetails", "email"], 320),
            (vec!["contactDetails", "countryCode"], 2),
            (under(&location, "name"), 150),
            (under(&location, "formattedAddress"), 512),
            (vec!["participantNotification", "message"], 5000),
            (vec!["externalUserId"], 255),
            (vec!["idempotencyKey"], 255),
        ];
        for (path, limit) in &texts {
            for bad in ["x\u{0}y".to_owned(), "x".repeat(limit + 1), "ü".repeat(limit + 1), "x".repeat(900_000)] {
                bench.user_error("createBooking", put(massage.clone(), path, json!(bad)), "VALIDATION_FAILURE", path).await;
            }
            for wrong in [json!(7), json!([]), json!({})] {
                let input = put(massage.clone(), path, wrong);
                bench.top_level(&mutation("createBooking", ERRORS), json!({ "input": input }), &["BAD_USER_INPUT"]).await;
            }
        }
        for bad in ["", "  "] {
            for field in ["externalUserId", "idempotencyKey"] {
                bench.user_error("createBooking", put(massage.clone(), &[field], json!(bad)), "VALIDATION_FAILURE", &[field]).await;
            }
        }
        // At the limit, and with whatever else people write.
        let mut longest = massage.clone();
        for (path, limit) in &texts {
            let text = match path.last() {
                Some(&"email") => "ü@exämple.org".to_owned(),
                Some(&"countryCode") => "DE".to_owned(),
                _ => "💣".repeat(*limit),
            };
            longest = put(longest, path, json!(text));
        }
        bench.owner.done("createBooking", longest).await;
        // More than a request may have.
        let huge = put(massage, &["contactDetails", "firstName"], json!("x".repeat(1024 * 1024)));
        let reply = bench.owner.send(&mutation("createBooking", ERRORS), json!({ "input": huge })).await;
        assert_eq!(reply.status, 413);
        assert!(reply.json["errors"][0]["extensions"]["code"].is_string(), "{}", reply.json);
        bench.alive().await;
    }

    async fn contact_details_need_a_name_or_an_address(engine) {
        let bench = Bench::open(engine).await;
        let class = bench.studio.class(&bench.studio.session, 1);
        for empty in [json!({}), json!({ "firstName": "" }), json!({ "firstName": " \t", "lastName": "\u{a0}" }), json!({ "phone": "1" })] {
            bench.user_error("createBooking", put(class.clone(), &["contactDetails"], empty), "VALIDATION_FAILURE", &["contactDetails"]).await;
        }
        for bad in ["ada", "@b", "a@", "a@b@c", "a b@c.d", "a@b..c", "a@-b", "a\n@b.c"] {
            let input = put(class.clone(), &["contactDetails"], json!({ "firstName": "Ada", "email": bad }));
            bench.user_error("createBooking", input, "VALIDATION_FAILURE", &["contactDetails", "email"]).await;
        }
        for bad in ["de", "DEU", "D", "ÄÖ", "1A"] {
            let input = put(class.clone(), &["contactDetails"], json!({ "firstName": "Ada", "countryCode": bad }));
            bench.user_error("createBooking", input, "VALIDATION_FAILURE", &["contactDetails", "countryCode"]).await;
        }
    }

    async fn all_that_is_wrong_is_told_at_once(engine) {
        let bench = Bench::open(engine).await;
        let mut input = bench.studio.class(&bench.studio.session, 0);
        input["bookedEntity"]["slot"]["session"] = json!({ "sessionId": "x", "timeZone": "y" });
        input["contactDetails"] = json!({ "email": "z", "countryCode": "q", "firstName": "Ada" });
        let payload = bench.owner.mutate("createBooking", input).await;
        let mut paths: Vec<String> = payload["userErrors"].as_array().unwrap().iter()
            .map(|error| error["path"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned()).collect();
        paths.sort();
        assert_eq!(paths, ["countryCode", "email", "sessionId", "timeZone", "totalParticipants"]);
    }

    async fn a_payment_option_must_be_offered(engine) {
        let bench = Bench::open(engine).await;
        let massage = bench.studio.appointment(&bench.studio.massage, 0, &[]);
        for option in ["ONLINE", "MEMBERSHIP", "MEMBERSHIP_OFFLINE"] {
            let input = with(massage.clone(), json!({ "selectedPaymentOption": option }));
            bench.user_error("createBooking", input.clone(), "VALIDATION_FAILURE", &["selectedPaymentOption"]).await;
            let skip = json!({ "flowControlSettings": { "skipSelectedPaymentOptionValidation": true } });
            bench.owner.done("createBooking", with(input, skip)).await;
        }
    }

    async fn lists_over_their_limits(engine) {
        let bench = Bench::open(engine).await;
        let class = bench.studio.class(&bench.studio.session, 1);
        for n in [0, 41, 500] {
            bench.user_error("bulkCreateBooking", json!({ "bookings": vec![class.clone(); n] }), "VALIDATION_FAILURE", &["bookings"]).await;
        }
        let massage = bench.studio.appointment(&bench.studio.massage, 0, &[]);
        let resources = ["bookedEntity", "slot", "appointment", "resourceIds"];
        let many = vec![bench.studio.anna.id.to_string(); 21];
        bench.user_error("createBooking", put(massage, &resources, json!(many)), "VALIDATION_FAILURE", &resources).await;
        let list = "query($filter: BookingFilter) { bookings(filter: $filter) { totalCount } }";
        let id = "booking_01h455vb4pex5vsknk084sn02q";
        for filter in [
            json!({ "id": { "in": vec![id; 101] } }),
            json!({ "status": { "nin": vec!["CREATED"; 101] } }),
            json!({ "or": vec![json!({}); 101] }),
            json!({ "not": { "and": vec![json!({}); 101] } }),
        ] {
            bench.top_level(list, json!({ "filter": filter }), &["BAD_USER_INPUT"]).await;
        }
        assert_eq!(bench.owner.data(list, json!({ "filter": { "id": { "nin": vec![id; 100] } } })).await["bookings"]["totalCount"], 0);
        let log = "query($filter: BookingEventFilter) { bookingEvents(filter: $filter) { nodes { id } } }";
        bench.top_level(log, json!({ "filter": { "bookingIds": vec![id; 101] } }), &["BAD_USER_INPUT"]).await;
        bench.top_level(log, json!({ "filter": { "serviceIds": ["x"] } }), &["BAD_USER_INPUT"]).await;
    }

    async fn filters_that_make_no_sense(engine) {
        let bench = Bench::open(engine).await;
        bench.alive().await;
        let list = "query($filter: BookingFilter) { bookings(filter: $filter) { totalCount } }";
        let nested = |depth: usize, key: &str| (0..depth).fold(json!({ "status": { "eq": "CREATED" } }), |inner, _| {
            if key == "not" { json!({ "not": inner }) } else { json!({ key: [inner] }) }
        });
        for key in ["and", "or", "not"] {
            assert_eq!(bench.owner.data(list, json!({ "filter": nested(8, key) })).await["bookings"]["totalCount"], 1);
            let variables = |depth| json!({ "filter": nested(depth, key) });
            bench.top_level(list, variables(9), &["BAD_USER_INPUT"]).await;
            for depth in [20, 40, 55] {
                bench.top_level(list, variables(depth), &["BAD_USER_INPUT", "LIMIT_EXCEEDED"]).await;
            }
            // Deeper than anybody's parser goes: refused by whoever comes first.
            let (open, close) = if key == "not" { ("", "}") } else { ("[", "]}") };
            let open = format!("{{\"{key}\":{open}");
            let deep = open.repeat(2000) + "{\"status\":{\"eq\":\"CREATED\"}}" + &close.repeat(2000);
            let body = format!("{{\"query\":{},\"variables\":{{\"filter\":{deep}}}}}", json!(list));
            let reply = bench.server.http.post(&bench.server.url).header("content-type", "application/json").body(body).send().await.unwrap();
            assert!(reply.status().is_client_error() || reply.status() == 200, "{}", reply.status());
            let answer: Value = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
            assert!(answer["errors"][0]["extensions"]["code"].is_string(), "{answer}");
            let literal = format!("{{ bookings(filter: {}status: {{ eq: CREATED }}{}) {{ totalCount }} }}",
                if key == "not" { "{ not: ".repeat(2000) + "{ " } else { format!("{{ {key}: [").repeat(2000) + "{ " },
                if key == "not" { " }".repeat(2001) } else { " }".to_owned() + &"] }".repeat(2000) });
            bench.top_level(&literal, json!({}), &["LIMIT_EXCEEDED"]).await;
        }
        for filter in [
            json!({ "createdDate": { "gt": "yesterday" } }),
            json!({ "startDate": { "in": ["2026-11-23T00:00:00Z", "9999-01-01T00:00:00Z"] } }),
            json!({ "id": { "eq": "x" } }),
            json!({ "externalUserId": { "eq": "x\u{0}y" } }),
            json!({ "createdBySubject": { "in": ["\u{0}"] } }),
            json!({ "contactEmail": { "ne": "\u{0}" } }),
            json!({ "contactEmail": { "eq": "x".repeat(500_000) } }),
            json!({ "totalParticipants": { "eq": "1" } }),
            json!({ "status": { "eq": "OPEN" } }),
            json!({ "nonsense": { "eq": 1 } }),
            json!({ "id": { "like": "x" } }),
            json!([]),
            json!(7),
        ] {
            bench.top_level(list, json!({ "filter": filter }), &["BAD_USER_INPUT"]).await;
        }
        bench.alive().await;
    }

    async fn what_doesnt_type_check(engine) {
        let bench = Bench::open(engine).await;
        let class = bench.studio.class(&bench.studio.session, 1);
        let query = mutation("createBooking", ERRORS);
        for input in [
            json!(null), json!(7), json!("x"), json!([]), json!({}),
            without(class.clone(), "contactDetails"),
            with(class.clone(), json!({ "nonsense": 1 })),
            with(class.clone(), json!({ "bookedEntity": {} })),
            with(class.clone(), json!({ "bookedEntity": { "slot": null } })),
            with(class.clone(), json!({ "bookedEntity": { "slot": {}, "schedule": { "scheduleId": "x" } } })),
            with(class.clone(), json!({ "status": "OPEN" })),
            with(class.clone(), json!({ "status": 1 })),
            with(class.clone(), json!({ "holdSeconds": "60" })),
            with(class.clone(), json!({ "flowControlSettings": { "skipAvailabilityValidation": "yes" } })),
            with(class.clone(), json!({ "participantNotification": { "channels": ["PIGEON"] } })),
        ] {
            bench.top_level(&query, json!({ "input": input }), &["BAD_USER_INPUT"]).await;
        }
        bench.top_level(&query, json!({}), &["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"]).await;
        for (document, code) in [
            ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ bookings { nodes { nonsense } } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ bookings", "GRAPHQL_PARSE_FAILED"),
            ("mutation { cancelBooking { booking { id } } }", "GRAPHQL_VALIDATION_FAILED"),
            ("query($x: Nonsense) { bookings(first: $x) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ] {
            bench.top_level(document, json!({}), &[code]).await;
        }
        bench.alive().await;
    }

    async fn keys_and_revisions_that_cant_be(engine) {
        let bench = Bench::open(engine).await;
        let booking = bench.owner.done("createBooking", bench.studio.class(&bench.studio.session, 1)).await;
        let slot = json!({ "session": { "sessionId": bench.studio.next_session.id.to_string() } });
        for (act, more) in [
            ("confirmBooking", json!({})),
            ("cancelBooking", json!({})),
            ("rescheduleBooking", json!({ "slot": slot })),
            ("updateNumberOfParticipants", json!({ "totalParticipants": 2 })),
        ] {
            for bad in ["x".repeat(256), String::new(), "\u{0}".to_owned()] {
                let input = with(with(on(&booking), more.clone()), json!({ "idempotencyKey": bad }));
                bench.user_error(act, input, "VALIDATION_FAILURE", &["idempotencyKey"]).await;
            }
            let long = with(with(on(&booking), more), json!({ "participantNotification": { "message": "x".repeat(5001) } }));
            bench.user_error(act, long, "VALIDATION_FAILURE", &["participantNotification", "message"]).await;
        }
        let bulk = json!({ "bookings": [bench.studio.class(&bench.studio.session, 1)], "idempotencyKey": "x".repeat(256) });
        bench.user_error("bulkCreateBooking", bulk, "VALIDATION_FAILURE", &["idempotencyKey"]).await;
        assert_eq!(bench.owner.booking(id(&booking)).await["revision"], 1);
    }
}
