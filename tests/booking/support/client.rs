//! A GraphQL client over real HTTP.

use serde_json::{Value, json};

use super::Server;

#[derive(Debug, Clone)]
pub struct Client {
    url: String,
    http: reqwest::Client,
    pub headers: Vec<(&'static str, String)>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub bytes: Vec<u8>,
    pub json: Value,
}

impl Client {
    pub fn new(server: &Server) -> Self {
        Self {
            url: server.url.clone(),
            http: server.http.clone(),
            headers: Vec::new(),
        }
    }

    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            http: reqwest::Client::new(),
            headers: Vec::new(),
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn bearer(server: &Server, token: String) -> Self {
        Self::new(server).with("Authorization", format!("Bearer {token}"))
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends a document; panics only when the server can't be reached.
    pub async fn send(&self, query: &str, variables: Value) -> Reply {
        self.try_send(query, variables).await.expect("an answer")
    }

    pub async fn try_send(&self, query: &str, variables: Value) -> Result<Reply, reqwest::Error> {
        let mut request = self
            .http
            .post(&self.url)
            .json(&json!({ "query": query, "variables": variables }));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?.to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Reply { status, bytes, json })
    }

    /// The data of an answer without errors.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let reply = self.send(query, variables).await;
        assert!(reply.json.get("errors").is_none(), "{query}: {}", reply.json);
        reply.json["data"].clone()
    }

    /// Runs a mutation by its input type and gives back its payload.
    pub async fn mutate(&self, name: &str, input: Value) -> Value {
        self.mutate_selecting(name, input, PAYLOAD).await
    }

    pub async fn mutate_selecting(&self, name: &str, input: Value, selection: &str) -> Value {
        let reply = self.send(&mutation(name, selection), json!({ "input": input })).await;
        assert!(reply.json.get("errors").is_none(), "{name} {input}: {}", reply.json);
        reply.json["data"][name].clone()
    }

    /// The changed booking; panics on a user error.
    pub async fn done(&self, name: &str, input: Value) -> Value {
        let payload = self.mutate(name, input.clone()).await;
        assert_eq!(payload["userErrors"], json!([]), "{name} {input}");
        payload["booking"].clone()
    }

    /// The only user error.
    pub async fn refused(&self, name: &str, input: Value) -> Value {
        let payload = self.mutate(name, input.clone()).await;
        assert_eq!(payload["booking"], Value::Null, "{name} {input}: {payload}");
        let errors = payload["userErrors"].as_array().expect("errors").clone();
        assert_eq!(errors.len(), 1, "{name} {input}: {payload}");
        errors[0].clone()
    }

    /// The code of the only top-level error.
    pub async fn error_code(&self, query: &str, variables: Value) -> String {
        let reply = self.send(query, variables).await;
        let errors = reply.json["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("{query}: {}", reply.json))
            .clone();
        assert_eq!(errors.len(), 1, "{query}: {}", reply.json);
        errors[0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A booking as it is now.
    pub async fn booking(&self, id: &str) -> Value {
        let query = format!("query($id: ID!) {{ booking(id: $id) {{ {BOOKING} }} }}");
        self.data(&query, json!({ "id": id })).await["booking"].clone()
    }
}

/// A mutation that takes an input.
pub fn mutation(name: &str, selection: &str) -> String {
    let mut type_name = name[..1].to_uppercase();
    type_name.push_str(&name[1..]);
    format!("mutation($input: {type_name}Input!) {{ {name}(input: $input) {{ {selection} }} }}")
}

/// The fields of a booking that the tests look at.
pub const BOOKING: &str = "id status paymentStatus doubleBooked revision totalParticipants startDate endDate \
    hold { expiresAt } conflicts { id } \
    bookedEntity { __typename ... on BookedSlot { title sessionId resource { id name explicitlyRequested } additionalResources { id } startDate endDate timeZone } \
        ... on BookedSchedule { title scheduleId firstSessionStart lastSessionEnd timeZone } } \
    contactDetails { firstName email }";

/// A payload with a booking.
pub const PAYLOAD: &str = "booking { id status paymentStatus doubleBooked revision totalParticipants startDate endDate \
    hold { expiresAt } conflicts { id } \
    bookedEntity { __typename ... on BookedSlot { title sessionId resource { id name explicitlyRequested } additionalResources { id } startDate endDate timeZone } \
        ... on BookedSchedule { title scheduleId firstSessionStart lastSessionEnd timeZone } } \
    contactDetails { firstName email } } \
    userErrors { __typename code message path \
        ... on SlotNotAvailable { conflicts { id } nextAvailable } \
        ... on CapacityExceeded { requested remaining } \
        ... on RevisionMismatch { current } \
        ... on InvalidBookingStatus { status allowed } \
        ... on PolicyViolation { rule limit } }";
