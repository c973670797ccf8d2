#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::format_collect
)]

use async_graphql::{Request, Variables};
use serde_json::{Value as Json, json};

use super::{Gate, Limits};

fn request(document: &str, variables: &Json) -> Request {
    Request::new(document).variables(Variables::from_json(variables.clone()))
}

/// What gets through of a request: its document as the executor reads it, and its variables. Or the codes and messages
/// of why not. Asked twice, since the second time nothing is read any more.
fn admit(gate: &Gate, document: &str, variables: &Json) -> Result<(String, Json), Vec<(String, String)>> {
    let attempt = || {
        let mut request = request(document, variables);
        gate.admit(&mut request).map_err(|errors| {
            let told = errors.iter().map(|error| {
                let code = error.extensions.as_ref().and_then(|all| all.get("code")).unwrap();
                (
                    code.clone().into_json().unwrap().as_str().unwrap().to_owned(),
                    error.message.clone(),
                )
            });
            told.collect::<Vec<_>>()
        })?;
        let variables = serde_json::to_value(&request.variables).unwrap();
        Ok((format!("{:?}", request.parsed_query().unwrap()), variables))
    };
    let (first, second) = (attempt(), attempt());
    match (&first, &second) {
        (Ok((_, one)), Ok((_, other))) => assert_eq!(one, other),
        _ => assert_eq!(first, second),
    }
    first
}

fn refusal(document: &str, variables: &Json) -> String {
    let refused = admit(&Gate::new(Limits::default()), document, variables);
    let told = refused.expect_err(document);
    assert!(
        told.iter()
            .all(|(code, message)| *code == told[0].0 && !message.is_empty()),
        "{told:?}"
    );
    told[0].0.clone()
}

fn passes(document: &str, variables: &Json) -> (String, Json) {
    admit(&Gate::new(Limits::default()), document, variables).unwrap_or_else(|told| panic!("{document}: {told:?}"))
}

#[test]
fn what_does_not_fit_the_schema_is_refused_however_it_does_not() {
    for document in [
        "",
        "{",
        "{ }",
        "{ site { } }",
        "query { site { id } } }",
        "{ site(: 1) { id } }",
        "{ service(slug: \"\\uD83D\") { id } }",
        "{ service(slug: \"\\uDE00\\uD83D\") { id } }",
        "{ service(slug: \"\\u{110000}\") { id } }",
        "{ service(slug: \"not closed) { id } }",
        "{ site { id } } type Query { a: Int }",
        "query ($a: Int = ) { bookings(first: $a) { totalCount } }",
        "fragment on on Site { id } { site { ...on } }",
    ] {
        let code = refusal(document, &json!({}));
        assert!(
            code == "GRAPHQL_PARSE_FAILED" || code == "GRAPHQL_VALIDATION_FAILED",
            "{document}: {code}"
        );
    }
    for document in [
        // Fields
        "{ nonsense }",
        "{ site }",
        "{ site { id { more } } }",
        "{ bookings { nodes { nonsense } } }",
        "{ node(id: \"x\") { status } }",
        "subscription { nonsense }",
        // Two root fields, or none that counts, in a subscription
        "subscription { a: bookingEvents { id } b: bookingEvents { id } }",
        "subscription { __typename }",
        // Arguments
        "{ bookings(nonsense: 1) { totalCount } }",
        "{ bookings(first: 1, first: 2) { totalCount } }",
        "{ bookings(first: \"1\") { totalCount } }",
        "{ bookings(first: 1.5) { totalCount } }",
        "{ bookings(first: 99999999999) { totalCount } }",
        "{ booking { id } }",
        "{ booking(id: null) { id } }",
        "{ bookings(filter: { nonsense: 1 }) { totalCount } }",
        "{ bookings(filter: { status: { eq: NONSENSE } }) { totalCount } }",
        "{ bookings(filter: { status: { eq: \"CREATED\" } }) { totalCount } }",
        "mutation { cancelBooking { booking { id } } }",
        "mutation { cancelBooking(input: {}) { booking { id } } }",
        // Two that can't be one
        "{ service(slug: \"a\") { id } service(slug: \"b\") { id } }",
        "{ site { a: id a: name } }",
        "{ node(id: \"x\") { ... on Booking { a: status } ... on Service { a: name } } }",
        // Fragments
        "{ site { ...Missing } }",
        "{ site { ...F } } fragment F on Nonsense { id }",
        "{ site { ...F } } fragment F on ID { id }",
        "{ site { ...F } } fragment F on Booking { id }",
        "{ site { ... on Booking { id } } }",
        "{ site { id } } fragment F on Site { id }",
        "{ site { ...F } } fragment F on Site { id } fragment F on Site { name }",
        "{ site { ...F } } fragment F on Site { ...F }",
        "{ site { ...F } } fragment F on Site { ...G } fragment G on Site { ...F }",
        // Operations
        "query A { site { id } } query A { site { id } }",
        "{ site { id } } query A { site { id } }",
        "query A { site { id } } query B { site { id } }",
        // Variables
        "{ service(slug: $missing) { id } }",
        "query ($unused: Int) { site { id } }",
        "query ($a: Int, $a: Int) { bookings(first: $a) { totalCount } }",
        "query ($a: Nonsense) { bookings(first: $a) { totalCount } }",
        "query ($a: Booking) { bookings(first: $a) { totalCount } }",
        "query ($a: String) { bookings(first: $a) { totalCount } }",
        "query ($a: ID) { booking(id: $a) { id } }",
        "query ($a: [ID]!) { nodes(ids: $a) { id } }",
        "query ($a: Int = \"1\") { bookings(first: $a) { totalCount } }",
        "query ($a: Int! = null) { bookings(first: $a) { totalCount } }",
        // Directives
        "{ site @nonsense { id } }",
        "{ site @include { id } }",
        "{ site @include(if: 1) { id } }",
        "{ site @include(if: true) @include(if: true) { id } }",
        "query @include(if: true) { site { id } }",
        "{ site @deprecated { id } }",
        // Input objects of which one field is to be given
        "mutation { createBooking(input: { bookedEntity: {}, contactDetails: {} }) { booking { id } } }",
        "mutation { createBooking(input: { bookedEntity: { slot: null }, contactDetails: {} }) { booking { id } } }",
        "mutation { createBooking(input: { bookedEntity: { slot: { session: { sessionId: 1 } }, schedule: { scheduleId: 1 } }, contactDetails: {} }) { booking { id } } }",
        "mutation ($s: ScheduleInput) { createBooking(input: { bookedEntity: { schedule: $s }, contactDetails: {} }) { booking { id } } }",
    ] {
        assert_eq!(refusal(document, &json!({})), "GRAPHQL_VALIDATION_FAILED", "{document}");
    }
}

#[test]
fn variables_are_of_their_types() {
    let document =
        "query ($first: Int!, $filter: BookingFilter) { bookings(first: $first, filter: $filter) { totalCount } }";
    for variables in [
        json!({}),
        json!({ "first": null }),
        json!({ "first": "1" }),
        json!({ "first": 1.5 }),
        json!({ "first": true }),
        json!({ "first": 2_147_483_648_i64 }),
        json!({ "first": [1, 2] }),
        json!({ "first": 1, "filter": 1 }),
        json!({ "first": 1, "filter": { "nonsense": 1 } }),
        json!({ "first": 1, "filter": { "status": { "eq": "NONSENSE" } } }),
        json!({ "first": 1, "filter": { "status": { "eq": 1 } } }),
    ] {
        assert_eq!(refusal(document, &variables), "BAD_USER_INPUT", "{variables}");
    }
    let create = "mutation ($in: CreateBookingInput!) { createBooking(input: $in) { booking { id } } }";
    for entity in [
        json!({}),
        json!({ "slot": null }),
        json!({ "slot": { "session": { "sessionId": 1 } }, "schedule": { "scheduleId": 1 } }),
    ] {
        let variables = json!({ "in": { "bookedEntity": entity, "contactDetails": {} } });
        assert_eq!(refusal(create, &variables), "BAD_USER_INPUT", "{variables}");
    }
    let (_, coerced) = passes(
        "query ($first: Int = 7, $filter: BookingFilter, $ids: [ID!]!, $more: ID) { bookings(first: $first, filter: $filter) { totalCount } nodes(ids: $ids) { id } booking(id: \"a\") @skip(if: true) { id } node(id: \"b\") { id } service(id: $more) { id } }",
        &json!({ "ids": "one", "nobody asked": 1 }),
    );
    assert_eq!(
        coerced,
        json!({ "first": 7, "ids": ["one"] }),
        "defaults and lists of one are made, the rest left out"
    );
}

#[test]
fn an_argument_whose_variable_is_left_out_is_left_out() {
    let document = "query ($a: Int, $b: ID) { ...F } fragment F on Query { x: bookings(first: $a, last: null) { totalCount } service(id: $b) { id } }";
    let (read, _) = passes(document, &json!({ "b": null }));
    assert!(
        !read.contains("\"first\"") && read.contains("\"last\"") && read.contains("\"id\""),
        "{read}"
    );
    let (read, _) = passes(document, &json!({ "a": null }));
    assert!(read.contains("\"first\""), "null is a value: {read}");
}

#[test]
fn any_character_may_be_escaped() {
    let (read, _) = passes(
        r#"{ service(slug: "\uD83D\uDE00 \u{1F600} \u00e9 \\uD83D") { id } }"#,
        &json!({}),
    );
    assert!(read.contains(r"😀 😀 é \\uD83D"), "{read}");
}

#[test]
fn an_unknown_operation_is_refused_and_a_known_one_found() {
    let gate = Gate::new(Limits::default());
    let document = "query A { site { id } } mutation B { cancelBooking(input: { bookingId: 1 }) { booking { id } } }";
    for (name, fits) in [("A", true), ("B", true), ("C", false), ("", false)] {
        let mut request = request(document, &json!({})).operation_name(name);
        assert_eq!(gate.admit(&mut request).is_ok(), fits, "{name}");
    }
}

#[test]
fn introspection_passes_but_does_not_unfold_the_schema_into_itself() {
    passes(
        "{ __schema { types { name isOneOf fields(includeDeprecated: true) { args { type { ofType { ofType { name } } } } } } } }",
        &json!({}),
    );
    passes(
        "{ __type(name: \"Booking\") { interfaces { fields { name } possibleTypes { name } } } }",
        &json!({}),
    );
    let unfolding =
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }";
    assert_eq!(refusal(unfolding, &json!({})), "LIMIT_EXCEEDED");
}

#[test]
fn of_a_field_without_a_known_selection_the_unknown_one_is_told() {
    let told = admit(
        &Gate::new(Limits::default()),
        "{ bookings { nodes { nonsense } } }",
        &json!({}),
    )
    .unwrap_err();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1.contains("nonsense"), "{told:?}");
    let told = admit(&Gate::new(Limits::default()), "{ bookings { nodes } }", &json!({})).unwrap_err();
    assert!(told[0].1.contains("nodes"), "{told:?}");
    let many: String = (0..500).map(|n| format!(" f{n}")).collect();
    let told = admit(
        &Gate::new(Limits::default()),
        &format!("{{ site {{{many} }} }}"),
        &json!({}),
    )
    .unwrap_err();
    assert_eq!(told.len(), super::TOLD);
}

/// Documents that are small, and far more than that when they are unfolded, read or run.
fn attacks() -> Vec<(&'static str, String, Json)> {
    let none = json!({});
    let doubling = (0..30)
        .map(|n| format!("fragment F{n} on Site {{ ...F{} ...F{0} }} ", n + 1))
        .collect::<String>();
    let nested = |open: &str, close: &str, n: usize| open.repeat(n) + &close.repeat(n);
    let aliases = (0..10_000).map(|n| format!(" a{n}: id")).collect::<String>();
    let filter = |depth: usize| (0..depth).fold(json!({}), |inner, _| json!({ "and": [inner] }));
    let list = "query ($filter: BookingFilter) { bookings(filter: $filter) { totalCount } }";
    let ids = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    vec![
        ("fragments", format!("{{ site {{ ...F0 }} }} {doubling} fragment F30 on Site {{ id }}"), none.clone()),
        ("fragments without a use", format!("{{ site {{ id }} }} {doubling} fragment F30 on Site {{ id }}"), none.clone()),
        ("aliases", format!("{{ site {{{aliases} }} }}"), none.clone()),
        ("few aliases", format!("{{ site {{{} }} }}", (0..101).map(|n| format!(" a{n}: id")).collect::<String>()), none.clone()),
        ("root fields", format!("{{{} }}", (0..51).map(|n| format!(" a{n}: site {{ id }}")).collect::<String>()), none.clone()),
        ("tokens", format!("{{ site {{{} }} }}", " id".repeat(40_000)), none.clone()),
        ("commas", format!("{{ site {{ id {} }} }}", ",".repeat(200_000)), none.clone()),
        ("directives", format!("{{ site {{ id {} }} }}", "@skip(if: false) ".repeat(1_000)), none.clone()),
        ("unknown directives", format!("query {} {{ site {{ id }} }}", "@a ".repeat(1_000)), none.clone()),
        ("selections", format!("{{ site {{ {} }} }}", "id ".repeat(3_000)), none.clone()),
        ("definitions", "query A { site { id } } ".repeat(101), none.clone()),
        ("depth", format!("{{ services {} }}", nested("{ nodes { services ", "} }", 14).replace("services } }", "services { totalCount } } }")), none.clone()),
        ("brackets", nested("{a", "}", 20_000), none.clone()),
        ("lists", format!("{{ bookings(filter: {} ) {{ totalCount }} }}", nested("[", "]", 10_000)), none.clone()),
        ("objects", format!("{{ bookings(filter: {} ) {{ totalCount }} }}", nested("{a:", "}", 10_000)), none.clone()),
        ("types", format!("query ($a: {}) {{ site {{ id }} }}", nested("[", "]", 10_000)), none.clone()),
        ("deep variables", list.to_owned(), json!({ "filter": filter(40) })),
        ("long list", format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"a\" ".repeat(1_001)), none.clone()),
        ("long list in variables", ids.to_owned(), json!({ "ids": vec!["a"; 1_001] })),
        (
            "operations that spread the same",
            "query Q { site { ...F } } ".repeat(90) + &format!("fragment F on Site {{ {} }}", "id ".repeat(30)),
            none.clone(),
        ),
        (
            "wide introspection",
            format!("{{ __schema {{ types {{ {} }} }} }}", "name kind ".repeat(260)),
            none.clone(),
        ),
        ("pages of pages", "{ services(first: 100) { nodes { sessions(first: 100) { nodes { id title startDate endDate status } } } } }".to_owned(), none),
        ("pages by variables", "query ($n: Int!) { services(first: $n) { edges { node { ...S } } } } fragment S on Service { sessions(last: $n) { nodes { id title startDate endDate status } } }".to_owned(), json!({ "n": 100 })),
    ]
}

#[test]
fn what_would_cost_too_much_is_refused_before_it_does() {
    let gate = Gate::new(Limits::default());
    for (what, document, variables) in attacks() {
        let told = admit(&gate, &document, &variables).expect_err(what);
        assert_eq!(told[0].0, "LIMIT_EXCEEDED", "{what}: {told:?}");
    }
    let modest = "query ($n: Int!) { services(first: $n) { nodes { sessions(first: 10) { nodes { id title startDate endDate status } } } } }";
    passes(modest, &json!({ "n": 100 }));
}

#[test]
fn each_limit_is_a_setting() {
    let with = |change: fn(&mut Limits), document: &str, variables: Json| {
        passes(document, &variables);
        let mut limits = Limits::default();
        change(&mut limits);
        let told = admit(&Gate::new(limits), document, &variables).unwrap_err();
        assert_eq!(told[0].0, "LIMIT_EXCEEDED", "{told:?}");
    };
    let site = "{ site { id name } }";
    with(|limits| limits.document_bytes = 19, site, json!({}));
    with(|limits| limits.tokens = 6, site, json!({}));
    with(
        |limits| limits.definitions = 1,
        "query A { site { ...F } } fragment F on Site { id }",
        json!({}),
    );
    with(|limits| limits.nesting = 1, site, json!({}));
    with(|limits| limits.depth = 1, site, json!({}));
    with(|limits| limits.selections = 2, site, json!({}));
    with(|limits| limits.root_fields = 1, "{ site { id } __typename }", json!({}));
    with(|limits| limits.aliases = 0, "{ a: site { id } }", json!({}));
    with(
        |limits| limits.directives = 1,
        "{ site @skip(if: false) { id @skip(if: false) } }",
        json!({}),
    );
    with(
        |limits| limits.complexity = 19,
        "{ services(first: 20) { nodes { id } } }",
        json!({}),
    );
    with(
        |limits| limits.list_items = 1,
        "{ nodes(ids: [\"a\", \"b\"]) { id } }",
        json!({}),
    );
    let nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    with(|limits| limits.list_items = 1, nodes, json!({ "ids": ["a", "b"] }));
    with(|limits| limits.variable_values = 2, nodes, json!({ "ids": ["a", "b"] }));
    with(|limits| limits.nesting = 2, nodes, json!({ "ids": ["a", "b"] }));
}

#[test]
fn a_list_that_is_bounded_by_time_counts_as_long_as_its_limit() {
    let asked = |limit: &str, selection: &str| {
        let declared = if limit.contains('$') {
            "query($limit: Int = 900)"
        } else {
            ""
        };
        format!(
            "{declared} {{ availability(serviceIds: [\"a\"], to: \"b\"{limit}) \
                {{ timeSlots {{ startDate {selection} }} }} }}"
        )
    };
    let who = "... on AppointmentSlot { availableResources { resources { id name } } }";
    let gate = |complexity| {
        Gate::new(Limits {
            complexity,
            ..Limits::default()
        })
    };
    // A row is itself and what is selected of it; the answer has the field around the rows, too.
    for (limit, selection, values) in [
        ("", "", 2001),
        (", limit: 30", "", 61),
        (", limit: $limit", "", 1801),
        (", limit: 30", who, 30 * (2 + 2 * 31) + 1),
    ] {
        let document = asked(limit, selection);
        let admitted = admit(&gate(values), &document, &json!({}));
        assert!(admitted.is_ok(), "{document}: {admitted:?}");
        let errors = admit(&gate(values - 1), &document, &json!({})).unwrap_err();
        assert!(errors[0].1.contains(&values.to_string()), "{document}: {errors:?}");
    }
}
