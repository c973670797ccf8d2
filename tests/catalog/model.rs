//! Random businesses, made and booked through the API, against a model that looks at every minute: slow, obvious, and
//! without a line of the engine.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use crate::{
    confirmed, done, draw, on_both_engines,
    support::{Client, Server},
    weekly,
};

/// Days around a change of the clock, and one without: zone, the first day.
const STAGES: [(&str, &str); 4] = [
    ("Europe/Berlin", "2032-03-27"),
    ("Europe/Berlin", "2032-10-30"),
    ("America/New_York", "2032-03-13"),
    ("Asia/Kolkata", "2032-06-01"),
];
/// Days that are asked about; a day before and behind them belongs to the model, too.
const DAYS: i64 = 3;

/// Times of a day in minutes, for every day.
type Times = Vec<(i64, i64)>;

struct Worker {
    id: String,
    staff: bool,
    hours: Option<Times>,
    busy: Vec<(i64, i64)>,
}

/// A business as it was told to the server. Minutes are counted from the beginning of the model.
struct World {
    zone: TimeZone,
    first: Date,
    hours: Option<Times>,
    workers: Vec<Worker>,
    /// When the business is closed.
    closed: Vec<(i64, i64)>,
    /// For each need, how many and of whom.
    needs: Vec<(usize, Vec<usize>)>,
    duration: i64,
    buffer: i64,
    step: i64,
    service: String,
}

impl World {
    /// The instant at which a day of the wall clock begins, or shows so many minutes.
    fn instant(&self, day: i64, minutes: i64) -> Timestamp {
        let local = self.first.saturating_add((day - 1).days()).at(0, 0, 0, 0) + minutes.minutes();
        self.zone.to_ambiguous_timestamp(local).compatible().unwrap()
    }

    fn minute(&self, at: Timestamp) -> i64 {
        (at.as_second() - self.instant(0, 0).as_second()) / 60
    }

    fn at(&self, minute: i64) -> Timestamp {
        self.instant(0, 0) + minute.minutes()
    }

    fn length(&self) -> usize {
        usize::try_from(self.minute(self.instant(DAYS + 2, 0))).unwrap()
    }

    /// The minutes of some hours.
    fn minutes(&self, times: Option<&Times>) -> Vec<bool> {
        let Some(times) = times else {
            return vec![true; self.length()];
        };
        let mut open = vec![false; self.length()];
        for day in 0..DAYS + 2 {
            for (start, end) in times {
                let (start, end) = (
                    self.minute(self.instant(day, *start)),
                    self.minute(self.instant(day, *end)),
                );
                (start..end).for_each(|minute| open[usize::try_from(minute).unwrap()] = true);
            }
        }
        open
    }

    /// When a worker may serve. Who needs more than staff keeps within the hours of the business.
    fn open(&self, worker: &Worker) -> Vec<bool> {
        let own = match (&worker.hours, worker.staff) {
            (Some(own), _) => self.minutes(Some(own)),
            (None, _) => self.minutes(self.hours.as_ref()),
        };
        if self
            .needs
            .iter()
            .all(|(_, of)| of.iter().all(|one| self.workers[*one].staff))
        {
            return own;
        }
        let business = self.minutes(self.hours.as_ref());
        own.into_iter()
            .zip(business)
            .map(|(own, business)| own && business)
            .collect()
    }

    fn whole_visit_open(&self, open: &[bool], start: usize) -> bool {
        let end = start + usize::try_from(self.duration).unwrap();
        open.get(start..end).is_some_and(|visit| visit.iter().all(|open| *open))
    }

    /// For each open minute, where the grid begins that covers it: with the open time, and anew with every day that is
    /// open as a whole.
    fn origins(&self, open: &[bool]) -> Vec<usize> {
        let date = |minute: usize| self.zone.to_datetime(self.at(i64::try_from(minute).unwrap())).date();
        let dates: Vec<Date> = (0..open.len()).map(date).collect();
        let mut origins = vec![0; open.len()];
        for minute in 1..open.len() {
            let date = dates[minute];
            let whole = || {
                (minute..open.len())
                    .take_while(|other| dates[*other] == date)
                    .all(|other| open[other])
            };
            let anew = !open[minute - 1] || (dates[minute - 1] != date && whole());
            origins[minute] = if anew { minute } else { origins[minute - 1] };
        }
        origins
    }

    /// The starts that must be offered, with the free ones of each need.
    fn expected(&self, from: i64, to: i64) -> BTreeMap<Timestamp, Vec<BTreeSet<String>>> {
        let open: Vec<Vec<bool>> = self.workers.iter().map(|worker| self.open(worker)).collect();
        let origins: Vec<Vec<usize>> = open.iter().map(|open| self.origins(open)).collect();
        let step = usize::try_from(self.step).unwrap();
        let mut told = BTreeMap::new();
        for minute in from..to {
            let start = usize::try_from(minute).unwrap();
            let visits = |worker: &usize| self.whole_visit_open(&open[*worker], start);
            let on_grid = |worker: &usize| (start - origins[*worker][start]).is_multiple_of(step);
            let (_, first) = &self.needs[0];
            if !first.iter().any(|worker| visits(worker) && on_grid(worker)) {
                continue;
            }
            let idle = |worker: &usize| {
                let end = minute + self.duration + self.buffer;
                let mut busy = self.workers[*worker].busy.iter().chain(&self.closed);
                !busy.any(|(from, until)| *from < end && minute < *until)
            };
            let free: Vec<BTreeSet<String>> = self
                .needs
                .iter()
                .map(|(_, of)| {
                    of.iter()
                        .filter(|one| visits(one) && idle(one))
                        .map(|one| self.workers[*one].id.clone())
                        .collect()
                })
                .collect();
            if free
                .iter()
                .zip(&self.needs)
                .all(|(free, (count, _))| free.len() >= *count)
            {
                told.insert(self.at(minute), free);
            }
        }
        told
    }
}

fn clock(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn times(random: &mut u64) -> Times {
    let start = 60 * i64::try_from(draw(random, 11)).unwrap() + 15 * i64::try_from(draw(random, 2)).unwrap();
    let length = 60 * (2 + i64::try_from(draw(random, 8)).unwrap());
    let mut times = vec![(start, start + length)];
    if draw(random, 2) == 0 {
        // After a pause, or right away.
        let pause = 30 * i64::try_from(draw(random, 3)).unwrap();
        times.push((start + length + pause, (start + length + pause + 150).min(23 * 60 + 45)));
    }
    times
}

async fn set_hours(owner: &Client, resource: Option<&str>, times: &Times) {
    let weekly: Vec<Value> = times
        .iter()
        .map(|(start, end)| weekly(&clock(*start), &clock(*end), &[]))
        .collect();
    let mut input = json!({ "weekly": weekly });
    if let Some(resource) = resource {
        input["resourceId"] = json!(resource);
    }
    done(owner, "setWorkingHours", input, "workingHours { revision }").await;
}

/// Makes some sessions of a class, which keep some of those who take part busy.
async fn sessions(owner: &Client, world: &mut World, random: &mut u64) {
    let class = json!({ "type": "CLASS", "name": "Yoga", "payment": { "rateType": "NO_FEE" } });
    let made = done(owner, "createService", class, "service { schedule { id } }").await;
    let schedule = made["service"]["schedule"]["id"].clone();
    for _ in 0..draw(random, 4) {
        let start = i64::try_from(draw(random, 5 * 24 * 60)).unwrap();
        let end = start + 20 + i64::try_from(draw(random, 100)).unwrap();
        let transparency = |transparent: bool| if transparent { "TRANSPARENT" } else { "OPAQUE" };
        let whole = draw(random, 3) == 0;
        let mut resources = Vec::new();
        for worker in &mut world.workers {
            let part = draw(random, 3);
            if part < 2 {
                resources.push(json!({ "resourceId": worker.id, "transparency": transparency(part == 0) }));
            }
            if part == 1 && !whole {
                worker.busy.push((start, end));
            }
        }
        let clock = |minute: i64| world.at(minute).to_zoned(TimeZone::UTC).datetime().to_string();
        let input = json!({
            "scheduleId": schedule, "timeZone": "UTC", "localStart": clock(start), "localEnd": clock(end),
            "allowOverlap": true, "transparency": transparency(whole), "resources": resources,
        });
        done(owner, "createSession", input, "session { id }").await;
    }
}

/// Makes a business, with some times that are blocked, some in which it is closed, and some sessions.
async fn business(server: &Server, owner: &Client, random: &mut u64) -> World {
    let (zone, first) = STAGES[usize::try_from(draw(random, 4)).unwrap()];
    done(owner, "updateSite", json!({ "timeZone": zone }), "site { id }").await;
    let mut world = World {
        zone: TimeZone::get(zone).unwrap(),
        first: first.parse().unwrap(),
        hours: (draw(random, 4) > 0).then(|| times(random)),
        workers: Vec::new(),
        closed: Vec::new(),
        needs: Vec::new(),
        duration: [30, 45, 60, 90][usize::try_from(draw(random, 4)).unwrap()],
        buffer: [0, 0, 10, 30][usize::try_from(draw(random, 4)).unwrap()],
        step: 0,
        service: String::new(),
    };
    if let Some(hours) = &world.hours {
        set_hours(owner, None, hours).await;
    }
    let (staff, rooms) = (1 + draw(random, 4), draw(random, 3));
    for number in 0..staff + rooms {
        let kind = if number < staff { "STAFF" } else { "ROOM" };
        let name = json!({ "type": kind, "name": format!("{kind} {number}") });
        let made = done(owner, "createResource", name, "resource { id }").await;
        let id = made["resource"]["id"].as_str().unwrap().to_owned();
        let hours = (draw(random, 2) == 0).then(|| times(random));
        if let Some(hours) = &hours {
            set_hours(owner, Some(&id), hours).await;
        }
        let mut worker = Worker {
            id,
            staff: number < staff,
            hours,
            busy: Vec::new(),
        };
        for _ in 0..draw(random, 4) {
            let start = i64::try_from(draw(random, 5 * 24 * 60)).unwrap();
            let end = start + 20 + i64::try_from(draw(random, 200)).unwrap();
            let input = json!({
                "resourceId": worker.id, "allowOverlap": true,
                "startDate": world.at(start).to_string(), "endDate": world.at(end).to_string(),
            });
            done(owner, "createBlockedTime", input, "blockedTime { id }").await;
            worker.busy.push((start, end));
        }
        world.workers.push(worker);
    }
    for _ in 0..draw(random, 3) {
        let start = i64::try_from(draw(random, 5 * 24 * 60)).unwrap();
        let end = start + 30 + i64::try_from(draw(random, 300)).unwrap();
        let transparent = draw(random, 4) == 0;
        let input = json!({
            "transparency": if transparent { "TRANSPARENT" } else { "OPAQUE" }, "allowOverlap": true,
            "startDate": world.at(start).to_string(), "endDate": world.at(end).to_string(),
        });
        done(owner, "createBlockedTime", input, "blockedTime { id }").await;
        if !transparent {
            world.closed.push((start, end));
        }
    }
    sessions(owner, &mut world, random).await;
    let of = |world: &World, staff: bool| -> Vec<usize> {
        (0..world.workers.len())
            .filter(|one| world.workers[*one].staff == staff)
            .collect()
    };
    let crew = of(&world, true);
    world
        .needs
        .push((1 + usize::try_from(draw(random, 2)).unwrap().min(crew.len() - 1), crew));
    if rooms > 0 && draw(random, 3) > 0 {
        world.needs.push((1, of(&world, false)));
    }
    let custom = [Some(15), Some(30), Some(60), None][usize::try_from(draw(random, 4)).unwrap()];
    world.step = custom.unwrap_or(world.duration + world.buffer);
    let split = custom.map_or(
        json!({ "sameAsDuration": true }),
        |minutes| json!({ "valueInMinutes": minutes }),
    );
    let ids = |of: &[usize]| -> Vec<String> { of.iter().map(|one| world.workers[*one].id.clone()).collect() };
    let mut input = json!({
        "type": "APPOINTMENT", "name": "A visit", "durations": [world.duration], "bufferMinutes": world.buffer,
        "slotsSplitInterval": split, "payment": { "rateType": "NO_FEE" },
        "staffMemberIds": ids(&world.needs[0].1), "requiredStaffMembersNumber": world.needs[0].0,
    });
    if world.needs.len() > 1 {
        input["requiredResources"] = json!([{ "resourceType": "ROOM" }]);
    }
    let made = done(owner, "createService", input, "service { id }").await;
    made["service"]["id"].as_str().unwrap().clone_into(&mut world.service);
    assert!(server.url.starts_with("http"));
    world
}

const QUERY: &str = "query($ids: [ID!]!, $from: DateTime!, $to: DateTime!) { \
    availability(serviceIds: $ids, from: $from, to: $to, limit: 1000) { nextFrom timeSlots { startDate endDate bookable \
        ... on AppointmentSlot { availableResources { hasMoreAvailableResources resources { id } } } } } }";

/// What is offered, all pages of it.
async fn offered(client: &Client, world: &World, from: i64, to: i64) -> BTreeMap<Timestamp, Vec<BTreeSet<String>>> {
    let (mut told, mut from, to) = (
        BTreeMap::new(),
        json!(world.at(from).to_string()),
        world.at(to).to_string(),
    );
    while !from.is_null() {
        let data = client
            .data(QUERY, json!({ "ids": [world.service], "from": from, "to": to }))
            .await;
        for slot in data["availability"]["timeSlots"].as_array().unwrap() {
            let time = |field: &str| slot[field].as_str().unwrap().parse::<Timestamp>().unwrap();
            assert_eq!(time("endDate"), time("startDate") + world.duration.minutes());
            assert_eq!(slot["bookable"], true);
            let free = |need: &Value| {
                assert_eq!(need["hasMoreAvailableResources"], false);
                let ids = need["resources"].as_array().unwrap().iter();
                ids.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
            };
            let free = slot["availableResources"]
                .as_array()
                .unwrap()
                .iter()
                .map(free)
                .collect();
            assert!(told.insert(time("startDate"), free).is_none(), "no start twice");
        }
        from = data["availability"]["nextFrom"].clone();
    }
    told
}

on_both_engines! {
    async fn random_businesses_offer_what_the_slow_model_says(engine) {
        let mut random = 20_260_211;
        for round in 0..12 {
            let server = Server::start(engine).await;
            let (owner, visitor) = (server.owner(), server.visitor());
            let mut world = business(&server, &owner, &mut random).await;
            let (from, to) = (world.minute(world.instant(1, 0)), world.minute(world.instant(DAYS + 1, 0)));
            for act in 0..4 {
                let expected = world.expected(from, to);
                let told = offered(&visitor, &world, from, to).await;
                assert_eq!(told, expected, "round {round}, act {act}");
                // Somebody takes one of them; who serves is known from the booking.
                let Some((start, _)) = told.iter().nth(usize::try_from(draw(&mut random, told.len().max(1) as u64)).unwrap()) else { break };
                let input = json!({
                    "bookedEntity": { "slot": { "appointment": { "serviceId": world.service, "startDate": start.to_string() } } },
                    "contactDetails": { "firstName": "Ada", "email": "ada@example.org" }, "totalParticipants": 1,
                });
                let id = confirmed(&owner, input).await;
                let query = "query($id: ID!) { booking(id: $id) { bookedEntity { ... on BookedSlot { resource { id } additionalResources { id } } } } }";
                let booking = owner.data(query, json!({ "id": id })).await["booking"].clone();
                let minute = world.minute(*start);
                let busy = (minute, minute + world.duration + world.buffer);
                let slot = &booking["bookedEntity"];
                let others = slot["additionalResources"].as_array().unwrap();
                let serving: Vec<&Value> = std::iter::once(&slot["resource"]).chain(others).collect();
                assert_eq!(serving.len(), world.needs.iter().map(|(count, _)| count).sum::<usize>());
                for one in serving {
                    let worker = world.workers.iter_mut().find(|worker| one["id"] == worker.id).unwrap();
                    worker.busy.push(busy);
                }
            }
        }
    }
}
