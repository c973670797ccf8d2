//! Shared executions: one for all who ask the same, and every frame once and in order for each of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "support/log.rs"]
mod log;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::{
    Context, EmptyMutation, Error, Object, Request, Schema, ServerError, Subscription, Variables, parser::parse_query,
};
use frontdesk::{
    domain::ids::{BookingId, SiteId, TypedId as _},
    graphql::shared::{Begin, Changes, Cursor, Frame, Shareable, SharedExecutions, SharedField, Start, Until},
    live::{Events, Hub},
    store::events,
};
use futures::{FutureExt as _, Stream, StreamExt as _, stream::BoxStream};
use log::{Database, Node, next, soon};
use serde_json::{Value, json};

/// How often each event was made into a response, and how many executions were begun.
#[derive(Default)]
struct Counts {
    by_position: Mutex<HashMap<i64, usize>>,
    executions: AtomicUsize,
    running: AtomicUsize,
}

impl Counts {
    fn of(&self, position: i64) -> usize {
        self.by_position.lock().unwrap().get(&position).copied().unwrap_or(0)
    }
}

struct Query;

#[Object]
impl Query {
    async fn nothing(&self) -> bool {
        true
    }
}

struct Item {
    position: i64,
    revision: i64,
}

#[Object]
impl Item {
    async fn position(&self, ctx: &Context<'_>) -> i64 {
        let counts = ctx.data_unchecked::<Arc<Counts>>();
        *counts.by_position.lock().unwrap().entry(self.position).or_default() += 1;
        self.position
    }

    async fn revision(&self) -> i64 {
        self.revision
    }

    async fn not_seven(&self) -> Result<i64, Error> {
        if self.position == 7 {
            return Err(Error::new("seven"));
        }
        Ok(self.position)
    }
}

struct Subscriptions;

struct Running(Arc<Counts>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn running(ctx: &Context<'_>) -> Running {
    let counts = ctx.data_unchecked::<Arc<Counts>>().clone();
    counts.executions.fetch_add(1, Ordering::SeqCst);
    counts.running.fetch_add(1, Ordering::SeqCst);
    Running(counts)
}

/// The items of these events, with the cursor set before each.
fn items(events: Events, cursor: Cursor, of_site: bool, running: Running) -> impl Stream<Item = Result<Item, Error>> {
    events.map(move |event| {
        let _ = &running;
        let event = event.map_err(|error| Error::new(error.to_string()))?;
        cursor.store(if of_site { event.position } else { event.revision });
        Ok(Item {
            position: event.position,
            revision: event.revision,
        })
    })
}

#[Subscription]
impl Subscriptions {
    async fn booking_events(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        #[graphql(default)] fails: bool,
    ) -> Result<impl Stream<Item = Result<Item, Error>>, Error> {
        if fails {
            return Err(Error::new("it fails"));
        }
        let (hub, site) = (ctx.data_unchecked::<Hub>(), *ctx.data_unchecked::<SiteId>());
        let start = ctx.data_opt::<Start>().map(|start| start.0);
        let start = start.or(after.and_then(|after| after.parse().ok()));
        let events = match (start, ctx.data_opt::<Until>()) {
            (Some(start), Some(until)) => hub.replay_site(site, start, until.0),
            _ => hub.follow_site(site, start),
        };
        let cursor = ctx.data_unchecked::<Cursor>().clone();
        Ok(items(events, cursor, true, running(ctx)))
    }

    async fn booking_status_changed(
        &self,
        ctx: &Context<'_>,
        booking_id: String,
    ) -> Result<BoxStream<'static, Result<Item, Error>>, Error> {
        let (hub, site) = (ctx.data_unchecked::<Hub>().clone(), *ctx.data_unchecked::<SiteId>());
        let booking = BookingId::parse(&booking_id)?;
        let cursor = ctx.data_unchecked::<Cursor>().clone();
        let running = running(ctx);
        match (ctx.data_opt::<Start>(), ctx.data_opt::<Until>()) {
            (Some(start), Some(until)) => {
                let events = hub.replay_booking(site, booking, start.0, until.0);
                Ok(items(events, cursor, false, running).boxed())
            }
            (Some(start), None) => {
                let events = hub.follow_booking(site, booking, Some(start.0));
                Ok(items(events, cursor, false, running).boxed())
            }
            (None, _) => {
                let db = ctx.data_unchecked::<frontdesk::store::Db>();
                let newest = db
                    .read(move |conn| {
                        Box::pin(events::of_booking(
                            conn,
                            site,
                            booking,
                            0,
                            None,
                            events::Order::Backward,
                            1,
                        ))
                    })
                    .await
                    .map_err(|error| Error::new(error.to_string()))?;
                let newest = newest.into_iter().next().ok_or_else(|| Error::new("no such booking"))?;
                let present = futures::stream::once(async move { Ok(Arc::new(newest)) }).boxed();
                Ok(items(present, cursor, false, running).boxed())
            }
        }
    }
}

/// A node with a site, and a toy schema over it.
struct Stage {
    node: Node,
    site: SiteId,
    shared: SharedExecutions,
    counts: Arc<Counts>,
}

impl Stage {
    async fn new(database: &Database, buffer: usize) -> Self {
        let node = database.node().await;
        let site = node.site().await;
        let counts = Arc::<Counts>::default();
        let schema = Schema::build(Query, EmptyMutation, Subscriptions)
            .data(node.hub.clone())
            .data(node.db.clone())
            .data(counts.clone())
            .finish();
        let shared = SharedExecutions::new(move |request| schema.execute_stream(request), buffer);
        Self {
            node,
            site,
            shared,
            counts,
        }
    }

    /// What the API layer does with a subscription.
    fn subscribe(&self, class: &str, text: &str, variables: Value) -> BoxStream<'static, Frame> {
        let site = self.site;
        let variables = Variables::from_json(variables);
        let shareable = Shareable::of(text, &parse_query(text).unwrap(), None, &variables).expect("shareable");
        let text = text.to_owned();
        let request = move || Request::new(text.clone()).variables(clone(&variables)).data(site);
        let hub = self.node.hub.clone();
        let failed = |error: frontdesk::store::StoreError| ServerError::new(error.to_string(), None);
        let (begin, changes): (Begin, Changes) = match shareable.field {
            SharedField::BookingStatusChanged => {
                let booking = BookingId::parse(shareable.booking.as_deref().unwrap()).unwrap();
                let changes = move |after| {
                    let events = hub.follow_booking(site, booking, Some(after));
                    events
                        .map(move |event| event.map(|event| event.revision).map_err(failed))
                        .boxed()
                };
                (Begin::Present, Arc::new(changes))
            }
            SharedField::BookingEvents => {
                let log = hub.clone();
                let begin = Begin::Log {
                    after: shareable.after.map(|after| after.parse().unwrap()),
                    end: async move { Ok(log.last_position(site).await.unwrap()) }.boxed(),
                    own: false,
                };
                let changes = move |after| {
                    let events = hub.follow_site(site, Some(after));
                    events
                        .map(move |event| event.map(|event| event.position).map_err(failed))
                        .boxed()
                };
                (begin, Arc::new(changes))
            }
        };
        self.shared
            .subscribe(class, &shareable.key, begin, changes, Arc::new(request))
    }

    fn events(&self, after: i64) -> BoxStream<'static, Frame> {
        let text = format!("subscription {{ bookingEvents(after: \"{after}\") {{ position }} }}");
        self.subscribe("owner", &text, json!({}))
    }
}

fn clone(variables: &Variables) -> Variables {
    serde_json::from_value(serde_json::to_value(variables).unwrap()).unwrap()
}

fn data(frame: &Frame) -> Value {
    match frame {
        Frame::Next(bytes) => serde_json::from_slice(bytes).unwrap(),
        Frame::Errors(bytes) => panic!("{}", String::from_utf8_lossy(bytes)),
    }
}

async fn positions(stream: &mut BoxStream<'static, Frame>, count: usize) -> Vec<i64> {
    let mut positions = Vec::with_capacity(count);
    while positions.len() < count {
        let frame = next(stream).await;
        positions.push(data(&frame)["data"]["bookingEvents"]["position"].as_i64().unwrap());
    }
    positions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_subscribers_cost_one_execution_an_event_and_share_its_bytes() {
    let database = Database::sqlite();
    let stage = Stage::new(&database, 256).await;
    let mut streams: Vec<_> = (0..100).map(|_| stage.events(0)).collect();
    // All of them sit in the group when each waits for the first event.
    for stream in &mut streams {
        while stage.shared.groups() == 0 {
            assert!(futures::poll!(stream.next()).is_pending());
            tokio::task::yield_now().await;
        }
        assert!(futures::poll!(stream.next()).is_pending());
    }
    let readers: Vec<_> = streams
        .into_iter()
        .map(|mut stream| tokio::spawn(async move { (positions(&mut stream, 49).await, next(&mut stream).await) }))
        .collect();
    for _ in 0..50 {
        stage.node.append_many(stage.site, 1).await;
    }
    let mut pointers = Vec::new();
    for reader in readers {
        let (positions, last) = reader.await.unwrap();
        assert_eq!(positions, (1..50).collect::<Vec<_>>());
        let Frame::Next(bytes) = last else { panic!("{last:?}") };
        assert_eq!(bytes, r#"{"data":{"bookingEvents":{"position":50}}}"#);
        pointers.push(bytes.as_ptr());
    }
    // Those that joined while the first events were made may have caught up with them on their own.
    assert_eq!((30..=50).map(|position| stage.counts.of(position)).sum::<usize>(), 21);
    pointers.dedup();
    assert_eq!(pointers.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_with_different_cursors_share_and_each_gets_everything_behind_its_own() {
    for database in Database::each().await {
        let stage = Stage::new(&database, 64).await;
        stage.node.append_many(stage.site, 300).await;
        let mut readers = Vec::new();
        for after in [0, 299, 300, 7, 150, 0, 42] {
            let mut stream = stage.events(after);
            readers.push(tokio::spawn(async move {
                let count = usize::try_from(600 - after).unwrap();
                assert_eq!(
                    positions(&mut stream, count).await,
                    (after + 1..=600).collect::<Vec<_>>()
                );
                stream
            }));
        }
        for _ in 0..300 {
            stage.node.append_many(stage.site, 1).await;
        }
        let mut streams = Vec::new();
        for reader in readers {
            streams.push(reader.await.unwrap());
        }
        assert_eq!(stage.shared.groups(), 1);
        // Joining in the midst of it, with a variable's cursor in another document: a group of its own.
        let text = "subscription($c: String) { bookingEvents(after: $c) { position } }";
        let mut other = stage.subscribe("owner", text, json!({"c": "598"}));
        assert_eq!(positions(&mut other, 2).await, [599, 600]);
        let mut same = stage.subscribe("owner", text, json!({"c": "599"}));
        assert_eq!(positions(&mut same, 1).await, [600]);
        stage.node.append_many(stage.site, 1).await;
        for stream in streams.iter_mut().chain([&mut other, &mut same]) {
            assert_eq!(positions(stream, 1).await, [601]);
        }
        assert_eq!(stage.shared.groups(), 2);
        drop((streams, other, same));
        assert_eq!(stage.shared.groups(), 0);
        drop(stage);
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_falls_behind_catches_up_and_holds_up_nobody() {
    let database = Database::sqlite();
    let stage = Stage::new(&database, 4).await;
    let mut slow = stage.events(0);
    let mut quick = stage.events(0);
    stage.node.append_many(stage.site, 1).await;
    assert_eq!(positions(&mut slow, 1).await, [1]);
    assert_eq!(positions(&mut quick, 1).await, [1]);
    for round in 0..5 {
        let first = 2 + round * 100;
        stage.node.append_many(stage.site, 100).await;
        let expected: Vec<_> = (first..first + 100).collect();
        assert_eq!(positions(&mut quick, 100).await, expected);
        // It begins to read while the next ones are being written.
        if round == 4 {
            let writing = stage.node.append_many(stage.site, 200);
            let (seen, ()) = futures::join!(positions(&mut slow, 700), writing);
            assert_eq!(seen, (2..=701).collect::<Vec<_>>());
        }
    }
    assert_eq!(positions(&mut quick, 200).await, (502..=701).collect::<Vec<_>>());
    assert_eq!(stage.shared.groups(), 1);
}

#[tokio::test]
async fn without_a_cursor_nothing_from_before_is_shown() {
    let database = Database::sqlite();
    let stage = Stage::new(&database, 64).await;
    stage.node.append_many(stage.site, 5).await;
    let text = "subscription { bookingEvents { position } }";
    let mut one = stage.subscribe("owner", text, json!({}));
    while stage.shared.groups() == 0 {
        assert!(futures::poll!(one.next()).is_pending());
        tokio::task::yield_now().await;
    }
    stage.node.append_many(stage.site, 3).await;
    // The group may not have read those three yet; they were there before the second one came all the same.
    let mut other = stage.subscribe("owner", text, json!({}));
    assert!(futures::poll!(other.next()).is_pending());
    assert_eq!(positions(&mut one, 3).await, [6, 7, 8]);
    // What is committed before it has looked isn't its own; so write until it has seen something.
    let frame = loop {
        stage.node.append_many(stage.site, 1).await;
        if let Some(frame) = other.next().now_or_never() {
            break frame.unwrap();
        }
    };
    let seen = data(&frame)["data"]["bookingEvents"]["position"].as_i64().unwrap();
    assert!(seen > 8, "{seen}");
    assert_eq!(stage.shared.groups(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_s_followers_get_its_present_state_and_then_each_change_once() {
    for database in Database::each().await {
        let stage = Stage::new(&database, 8).await;
        let booking = BookingId::new();
        stage.node.append(stage.site, &[(booking, 1)]).await;
        let text =
            "subscription($id: ID!) { bookingStatusChanged(bookingId: $id) { revision } }".replace("ID!", "String!");
        let id = json!({"id": booking.to_string()});
        let mut readers = Vec::new();
        for revision in 2..=200 {
            if revision % 10 == 0 {
                let mut stream = stage.subscribe("visitor", &text, id.clone());
                readers.push(tokio::spawn(async move {
                    let mut seen: Vec<i64> = Vec::new();
                    while seen.last() != Some(&200) {
                        let frame = data(&next(&mut stream).await);
                        seen.push(frame["data"]["bookingStatusChanged"]["revision"].as_i64().unwrap());
                    }
                    let from = seen[0];
                    assert_eq!(seen, (from..=200).collect::<Vec<_>>());
                }));
            }
            stage.node.append(stage.site, &[(booking, revision)]).await;
        }
        for reader in readers {
            reader.await.unwrap();
        }
        assert_eq!(stage.shared.groups(), 0);
        let mut late = stage.subscribe("visitor", &text, id);
        let frame = next(&mut late).await;
        let Frame::Next(bytes) = frame else { panic!("{frame:?}") };
        assert_eq!(bytes, r#"{"data":{"bookingStatusChanged":{"revision":200}}}"#);
        let nobody = json!({"id": BookingId::new().to_string()});
        let mut of_nothing = stage.subscribe("visitor", &text, nobody);
        assert!(matches!(next(&mut of_nothing).await, Frame::Errors(_)));
        assert!(soon("the end", of_nothing.next()).await.is_none());
        drop((late, stage));
        database.remove().await;
    }
}

#[tokio::test]
async fn a_group_and_its_execution_are_gone_with_the_last_member() {
    let database = Database::sqlite();
    let stage = Stage::new(&database, 8).await;
    let (mut one, mut other) = (stage.events(0), stage.events(0));
    let mut stranger = stage.subscribe(
        "staff",
        "subscription { bookingEvents(after: \"0\") { position } }",
        json!({}),
    );
    assert_eq!(stage.shared.groups(), 0, "nothing is done before the first poll");
    stage.node.append_many(stage.site, 1).await;
    for stream in [&mut one, &mut other, &mut stranger] {
        assert_eq!(positions(stream, 1).await, [1]);
        // On to the live feed, where the next one has to come from.
        assert!(futures::poll!(stream.next()).is_pending());
    }
    stage.node.append_many(stage.site, 1).await;
    for stream in [&mut one, &mut other, &mut stranger] {
        assert_eq!(positions(stream, 1).await, [2]);
    }
    assert_eq!(stage.shared.groups(), 2, "another class has a group of its own");
    drop(one);
    assert_eq!(stage.shared.groups(), 2);
    drop(other);
    drop(stranger);
    assert_eq!(stage.shared.groups(), 0);
    let ended = async {
        while stage.counts.running.load(Ordering::SeqCst) > 0 || stage.node.hub.followed_sites() > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the executions", ended).await;
    // The next one finds nothing left of it.
    let mut again = stage.events(1);
    assert_eq!(positions(&mut again, 1).await, [2]);
}

#[tokio::test]
async fn an_error_of_one_event_is_its_frame_and_one_of_the_execution_ends_it_for_all() {
    let database = Database::sqlite();
    let stage = Stage::new(&database, 64).await;
    stage.node.append_many(stage.site, 8).await;
    let text = "subscription { bookingEvents(after: \"5\") { notSeven } }";
    let mut stream = stage.subscribe("owner", text, json!({}));
    assert_eq!(data(&next(&mut stream).await)["data"]["bookingEvents"]["notSeven"], 6);
    let seven = data(&next(&mut stream).await);
    assert_eq!(
        (&seven["data"], &seven["errors"][0]["message"]),
        (&Value::Null, &json!("seven"))
    );
    assert_eq!(data(&next(&mut stream).await)["data"]["bookingEvents"]["notSeven"], 8);

    let text = "subscription { bookingEvents(after: \"8\", fails: true) { position } }";
    let mut failing: Vec<_> = (0..3).map(|_| stage.subscribe("owner", text, json!({}))).collect();
    let firsts = futures::future::join_all(failing.iter_mut().map(next)).await;
    for (frame, stream) in firsts.into_iter().zip(&mut failing) {
        let Frame::Errors(bytes) = frame else {
            panic!("{frame:?}")
        };
        let errors: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(errors[0]["message"], "it fails");
        assert!(soon("the end", stream.next()).await.is_none());
    }
    drop((failing, stream));
    assert_eq!(stage.shared.groups(), 0);
}

#[tokio::test]
async fn a_server_that_stops_ends_every_member() {
    let database = Database::sqlite();
    let stage = Stage::new(&database, 8).await;
    let (mut one, mut other) = (stage.events(0), stage.events(0));
    stage.node.append_many(stage.site, 1).await;
    for stream in [&mut one, &mut other] {
        assert_eq!(positions(stream, 1).await, [1]);
        assert!(futures::poll!(stream.next()).is_pending());
    }
    stage.node.shutdown.cancel();
    for stream in [&mut one, &mut other] {
        assert!(matches!(next(stream).await, Frame::Errors(_)));
        assert!(soon("the end", stream.next()).await.is_none());
    }
}

#[tokio::test]
async fn a_private_execution_is_the_caller_s_alone() {
    let database = Database::sqlite();
    let stage = Stage::new(&database, 8).await;
    stage.node.append_many(stage.site, 2).await;
    let request = || Request::new("subscription { bookingEvents(after: \"0\") { position } }").data(stage.site);
    let (mut one, mut other) = (stage.shared.private(request()), stage.shared.private(request()));
    for stream in [&mut one, &mut other] {
        assert_eq!(positions(stream, 2).await, [1, 2]);
    }
    assert_eq!((stage.shared.groups(), stage.counts.of(2)), (0, 2));
    let wrong = Request::new("subscription { nothingOfTheKind }").data(stage.site);
    let mut wrong = stage.shared.private(wrong);
    assert!(matches!(next(&mut wrong).await, Frame::Errors(_)));
    assert!(soon("the end", wrong.next()).await.is_none());
}
