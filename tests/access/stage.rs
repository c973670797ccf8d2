//! A studio with one of everything, and one caller of every sort.

use std::sync::Arc;

use frontdesk::{
    app::tokens::Role,
    domain::{
        clock::SystemClock,
        ids::{ResourceTypeId, SiteId},
        permission::Scope,
    },
};
use serde_json::{Value, json};

use crate::schema::Schema;
use crate::support::{Client, Engine, Reply, Server, Studio, on, with};

/// The callers, in the order of the table's columns. `mine` made the booking that the table is about, or has it on the
/// own calendar.
pub const CALLERS: [&str; 13] = [
    "visitor",
    "visitor, mine",
    "member",
    "member, mine",
    "staff",
    "staff, mine",
    "owner",
    "app, all scopes",
    "app, READ_BOOKINGS",
    "app, READ_PARTICIPANTS",
    "app, READ_CALENDAR",
    "app, MANAGE_CATALOG",
    "operator",
];

pub struct Stage {
    _server: Server,
    pub studio: Studio,
    pub callers: Vec<Client>,
    schema: Schema,
    counter: std::sync::atomic::AtomicI64,
}

/// Whose booking somebody looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    Member,
    Visitor,
}

impl Stage {
    pub async fn set(engine: Engine) -> Self {
        // All fields of a type at once are more than an app asks for.
        let flags = [
            "--limit-aliases",
            "5000",
            "--limit-selections",
            "20000",
            "--limit-complexity",
            "1000000",
        ];
        let server = Server::on_with(engine.database().await, Arc::new(SystemClock), &flags).await;
        let studio = Studio::open(&server).await;
        let tokens = server.running().api.tokens().clone();
        let app = |scopes: &[Scope]| {
            let token = tokens.mint_scoped(Role::App, server.site, "shop", None, Some(scopes.to_vec()), 3600);
            Client::bearer(&server, token)
        };
        let first = studio.appointment(&studio.massage, -600, &[&studio.anna]);
        let named = |client: Client| client.with("Frontdesk-Site", "default".to_owned());
        let payload = server
            .visitor()
            .mutate_selecting("createBooking", first, "visitorToken")
            .await;
        let token = payload["visitorToken"].as_str().expect("a token").to_owned();
        let callers = vec![
            named(server.visitor()),
            named(server.visitor().with("Frontdesk-Visitor-Token", token)),
            server.member("eve"),
            server.member("ada"),
            server.staff(studio.room.id),
            server.staff(studio.anna.id),
            server.owner(),
            app(&Scope::ALL),
            app(&[Scope::ReadBookings]),
            app(&[Scope::ReadParticipants]),
            app(&[Scope::ReadCalendar]),
            app(&[Scope::ManageCatalog]),
            named(Client::bearer(
                &server,
                tokens.mint(Role::Operator, SiteId::NONE, "root", None, 3600),
            )),
        ];
        let owner = server.owner();
        let email = json!({ "resourceId": studio.anna.id.to_string(), "email": "anna@studio.example" });
        owner
            .mutate_selecting("updateResource", email, "userErrors { code }")
            .await;
        let key = json!({ "name": "shop", "scopes": ["READ_BOOKINGS"], "expiresDate": "2090-01-01T00:00:00Z" });
        owner.mutate_selecting("createApiKey", key, "userErrors { code }").await;
        let schema = Schema::of(&owner).await;
        Self {
            _server: server,
            studio,
            callers,
            schema,
            counter: std::sync::atomic::AtomicI64::new(0),
        }
    }

    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    pub fn owner(&self) -> &Client {
        &self.callers[6]
    }

    /// Whose booking a caller's cell is about.
    pub fn maker(caller: usize) -> Maker {
        if caller == 1 { Maker::Visitor } else { Maker::Member }
    }

    pub fn client_of(&self, maker: Maker) -> &Client {
        match maker {
            Maker::Visitor => &self.callers[1],
            Maker::Member => &self.callers[3],
        }
    }

    /// Another number each time.
    pub fn number(&self) -> i64 {
        self.counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
    }

    /// A time that nothing occupies, as minutes after noon of the studio's day.
    pub fn minutes(&self) -> i64 {
        (self.number() + 100) * 120
    }

    /// An appointment's input, at a time of its own, with Anna.
    pub fn wish(&self) -> Value {
        let note = json!({ "participantNotification": { "notifyParticipants": true, "message": "bring a towel" } });
        with(
            self.studio
                .appointment(&self.studio.massage, self.minutes(), &[&self.studio.anna]),
            note,
        )
    }

    /// A booking of somebody's, with Anna, in status CREATED.
    pub async fn booking(&self, maker: Maker) -> Value {
        self.client_of(maker).done("createBooking", self.wish()).await
    }

    /// Such a booking of a service that needs approval.
    pub async fn request(&self, maker: Maker) -> Value {
        let wish = self
            .studio
            .appointment(&self.studio.consultation, self.minutes(), &[&self.studio.anna]);
        self.client_of(maker).done("createBooking", wish).await
    }

    /// The input for a package of two visits to a service, at a time of its own, with Anna.
    pub fn package_input(&self, service: &frontdesk::domain::catalog::Service) -> Value {
        let start = self.minutes();
        let part = |minutes: i64| {
            let slot = json!({
                "serviceId": service.id.to_string(), "startDate": self.studio.at(minutes),
                "resourceIds": [self.studio.anna.id.to_string()],
            });
            json!({ "slot": slot, "totalParticipants": 1 })
        };
        json!({ "bookings": [part(start), part(start + 30)], "contactDetails": { "firstName": "Ada", "email": "ada@example.org" } })
    }

    /// A package of somebody's, in status CREATED.
    pub async fn package(&self, maker: Maker, service: &frontdesk::domain::catalog::Service) -> Value {
        let selection = "multiServiceBooking { id endDate bookings { id startDate } } userErrors { code message path }";
        let client = self.client_of(maker);
        let input = self.package_input(service);
        let payload = client
            .mutate_selecting("createMultiServiceBooking", input, selection)
            .await;
        assert_eq!(payload["userErrors"], json!([]));
        payload["multiServiceBooking"].clone()
    }

    /// Such a booking of a class with Anna.
    pub async fn seat(&self, maker: Maker) -> Value {
        let session = self.session().await;
        let wish = json!({
            "bookedEntity": { "slot": { "session": { "sessionId": session } } },
            "contactDetails": { "firstName": "Ada", "email": "ada@example.org" },
            "totalParticipants": 1,
        });
        self.client_of(maker).done("createBooking", wish).await
    }

    /// A booking that the business confirmed.
    pub async fn confirmed(&self, maker: Maker) -> Value {
        let booking = self.booking(maker).await;
        let told = json!({ "participantNotification": { "notifyParticipants": true, "message": "see you" } });
        self.owner().done("confirmBooking", with(on(&booking), told)).await
    }

    /// Somebody's place on the course, as a group.
    pub async fn enrolment(&self, maker: Maker) -> Value {
        let mut wish = self.studio.enrolment(1);
        wish.as_object_mut().unwrap().remove("totalParticipants");
        let groups = json!({ "participantsChoices": [{ "numberOfParticipants": 1 }] });
        self.client_of(maker).done("createBooking", with(wish, groups)).await
    }

    /// A booking of Ada's that holds its time.
    pub async fn held(&self) -> Value {
        let wish = with(self.wish(), json!({ "holdSeconds": 600 }));
        self.client_of(Maker::Member).done("createBooking", wish).await["id"].clone()
    }

    /// A service with a price and a place.
    pub async fn priced(&self, branch: &Value) -> Value {
        let input = with(
            self.class_input(),
            json!({
                "payment": { "rateType": "FIXED", "price": { "amount": "9.50", "currency": "EUR" } },
                "locations": [
                    { "type": "BUSINESS", "businessLocationId": branch },
                    { "name": "Park", "formattedAddress": "Main Street 1" },
                ],
                "description": "Outside",
            }),
        );
        self.made("createService", input, "service").await
    }

    /// A service that tells all that one can, hidden from customers.
    pub async fn shown(&self, category: &Value) -> Value {
        let picture = json!({ "url": "https://example.org/a.jpg", "altText": "A hall", "width": 8, "height": 6 });
        let input = with(
            self.class_input(),
            json!({
                "payment": {
                    "rateType": "VARIED", "defaultPrice": { "amount": "9.50", "currency": "EUR" }, "deposit": { "percentage": "20" },
                    "options": { "online": true, "inPerson": true, "deposit": true },
                },
                "categoryId": category, "hidden": true, "tagLine": "Breathe", "tags": ["calm"], "extendedFields": { "a": 1 },
                "media": { "items": [picture], "mainMedia": picture, "coverMedia": picture },
                "seoData": { "title": "Breathe", "description": "Every evening" },
            }),
        );
        self.made("createService", input, "service").await
    }

    /// A location to which nothing refers.
    pub async fn location(&self) -> Value {
        self.made("createLocation", json!({ "name": "Branch" }), "location")
            .await
    }

    /// A location with all that there is to know of one.
    pub async fn branch(&self) -> Value {
        let input =
            json!({ "name": "Branch", "formattedAddress": "Main Street 1", "email": "b@example.org", "phone": "1" });
        let id = self.made("createLocation", input, "location").await;
        let hours = json!({ "locationId": id, "weekly": [] });
        let set = self
            .owner()
            .mutate_selecting("setWorkingHours", hours, "userErrors { message }")
            .await;
        assert_eq!(set["userErrors"], json!([]));
        id
    }

    pub async fn category(&self) -> Value {
        self.made("createCategory", json!({ "name": "Group" }), "category")
            .await
    }

    /// A service that takes its staff by rank.
    pub async fn ranked(&self) -> Value {
        let policy = json!({ "sortingMethodType": "RANKING", "rankingOptions": { "order": "HIGHEST_TO_LOWEST" } });
        let service = json!({
            "type": "APPOINTMENT", "name": format!("Ranked {}", self.number()), "durations": [30], "payment": { "rateType": "NO_FEE" },
            "staffMemberIds": [self.studio.anna.id.to_string()], "staffSortingPolicy": policy,
        });
        self.made("createService", service, "service").await
    }

    /// A course that is paid for by the month.
    pub async fn monthly(&self) -> Value {
        let month = json!({
            "amountPerBillingCycle": { "amount": "9.50", "currency": "EUR" }, "totalPayments": 3, "firstCharge": "SCHEDULED",
            "recurringStartDate": "2040-01-01", "fullUpfrontPayment": { "discountPercentage": "10" },
        });
        let course = json!({
            "type": "COURSE", "name": format!("Monthly {}", self.number()), "defaultCapacity": 3,
            "payment": { "rateType": "SUBSCRIPTION", "subscription": month },
        });
        self.made("createService", course, "service").await
    }

    /// A type of resource, whose name no other one has.
    pub async fn resource_type(&self) -> Value {
        let name = ResourceTypeId::new().to_string();
        self.made("createResourceType", json!({ "name": name }), "resourceType")
            .await
    }

    /// Sends a mutation and asks for all that it answers.
    pub async fn send(&self, caller: usize, mutation: &str, input: Value) -> Reply {
        let mut type_name = mutation[..1].to_uppercase();
        type_name.push_str(&mutation[1..]);
        let payload = self.schema.selection(&format!("{type_name}Payload"));
        let query = format!("mutation($input: {type_name}Input!) {{ {mutation}(input: $input) {payload} }}");
        self.callers[caller].send(&query, json!({ "input": input })).await
    }

    pub async fn made(&self, mutation: &str, input: Value, what: &str) -> Value {
        let selection = format!("{what} {{ id }} userErrors {{ code message path }}");
        let payload = self.owner().mutate_selecting(mutation, input.clone(), &selection).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation} {input}");
        payload[what]["id"].clone()
    }

    pub fn session_input(&self) -> Value {
        let minutes = self.minutes();
        let local = |minutes| {
            let at = self
                .studio
                .noon
                .checked_add(jiff::SignedDuration::from_mins(minutes))
                .unwrap();
            at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
        };
        json!({
            "scheduleId": self.studio.yoga.schedule.to_string(), "localStart": local(minutes), "localEnd": local(minutes + 30),
            "timeZone": "UTC", "resourceIds": [self.studio.anna.id.to_string()],
        })
    }

    pub async fn session(&self) -> Value {
        self.made("createSession", self.session_input(), "session").await
    }

    /// Two sessions, the second long after all that there is else.
    pub fn series_input(&self) -> Value {
        with(
            self.session_input(),
            json!({ "recurrence": "FREQ=WEEKLY;INTERVAL=10;COUNT=2" }),
        )
    }

    pub async fn series(&self) -> Value {
        self.made("createSessionSeries", self.series_input(), "series").await
    }

    /// The first session of a series.
    pub async fn repeated(&self) -> Value {
        let series = self.series().await;
        let query = "query($id: ID!) { sessionSeries(id: $id) { sessions(first: 1) { nodes { id } } } }";
        let found = self.owner().data(query, json!({ "id": series })).await;
        found["sessionSeries"]["sessions"]["nodes"][0]["id"].clone()
    }

    pub fn block_input(&self) -> Value {
        let minutes = self.minutes();
        json!({
            "resourceId": self.studio.anna.id.to_string(), "startDate": self.studio.at(minutes),
            "endDate": self.studio.at(minutes + 30), "reason": "dentist",
        })
    }

    pub async fn block(&self) -> Value {
        self.made("createBlockedTime", self.block_input(), "blockedTime").await
    }

    pub async fn resource(&self) -> Value {
        self.made("createResource", json!({ "type": "ROOM", "name": "Attic" }), "resource")
            .await
    }

    pub fn class_input(&self) -> Value {
        json!({ "type": "CLASS", "name": format!("Class {}", self.number()), "payment": { "rateType": "NO_FEE" } })
    }

    pub async fn class(&self) -> Value {
        self.made("createService", self.class_input(), "service").await
    }

    pub fn run_input(&self) -> Value {
        json!({ "serviceId": self.studio.course.id.to_string(), "name": "Autumn" })
    }

    pub async fn run(&self) -> Value {
        self.made("createSchedule", self.run_input(), "schedule").await
    }

    pub async fn policy(&self) -> Value {
        let rules = json!({ "name": "Rules", "participantsPolicy": { "maxParticipantsPerBooking": 100 } });
        self.made("createBookingPolicy", rules, "bookingPolicy").await
    }

    /// One text to choose, for a class.
    pub fn options_input(&self, service: &Value) -> Value {
        json!({
            "serviceId": service, "options": [{ "optionId": "colour", "type": "CUSTOM", "customData": { "name": "Colour", "choices": ["Red"] } }],
            "variants": [{ "choices": [{ "optionId": "colour", "custom": "Red" }], "price": { "amount": "5", "currency": "EUR" } }],
        })
    }

    pub async fn options(&self) -> Value {
        let input = self.options_input(&self.class().await);
        self.made("createServiceOptionsAndVariants", input, "serviceOptionsAndVariants")
            .await
    }

    /// Staff and a length to choose for the training, which nobody else books.
    pub async fn options_of_training(&self) -> Value {
        let (anna, price) = (
            self.studio.anna.id.to_string(),
            json!({ "amount": "50", "currency": "EUR" }),
        );
        let choices = [
            json!({ "optionId": "who", "staffMemberId": anna }),
            json!({ "optionId": "length", "durationInMinutes": 60 }),
            json!({ "optionId": "colour", "custom": "Red" }),
        ];
        let input = json!({
            "serviceId": self.studio.training.id.to_string(),
            "options": [
                { "optionId": "who", "type": "STAFF_MEMBER" },
                { "optionId": "length", "type": "DURATION", "durationData": { "name": "Length", "choices": [{ "minutes": 60 }] } },
                { "optionId": "colour", "type": "CUSTOM", "customData": { "name": "Colour", "choices": ["Red"] } },
            ],
            "variants": [{ "choices": choices, "price": price }],
        });
        self.made("createServiceOptionsAndVariants", input, "serviceOptionsAndVariants")
            .await
    }

    /// A training of somebody's, with what was chosen.
    pub async fn chosen(&self, maker: Maker) -> Value {
        let wish = self
            .studio
            .appointment(&self.studio.training, self.minutes(), &[&self.studio.anna]);
        let mut wish = with(
            wish,
            json!({ "participantsChoices": [{ "numberOfParticipants": 1, "choices": [{ "optionId": "colour", "custom": "Red" }] }] }),
        );
        wish.as_object_mut().unwrap().remove("totalParticipants");
        self.client_of(maker).done("createBooking", wish).await
    }

    pub fn key_input(&self) -> Value {
        json!({ "name": "another", "scopes": ["READ_BOOKINGS"] })
    }

    pub async fn key(&self) -> Value {
        self.made("createApiKey", self.key_input(), "apiKey").await
    }

    pub fn site_input(&self) -> Value {
        json!({ "slug": format!("site-{}", self.number()), "name": "Another", "timeZone": "UTC", "currency": "EUR" })
    }
}
