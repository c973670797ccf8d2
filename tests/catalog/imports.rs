//! Calendar files brought in: as sessions, or as blocked time.

use std::sync::Arc;

use frontdesk::{
    domain::clock::FixedClock,
    service::{
        Caller,
        catalog::{Import, ImportError, ImportInto, Imported},
    },
    store::DatabaseUrl,
};
use serde_json::{Value, json};

use crate::{
    confirmed, done, on_both_engines, story,
    support::{Client, Engine, Server, Studio},
};

/// Before everything in the fixtures.
const NEW_YEAR: &str = "2026-01-01T00:00:00Z";

async fn studio_at_new_year(engine: Engine) -> (Server, Studio, Client) {
    let clock = Arc::new(FixedClock::new(NEW_YEAR.parse().unwrap()));
    let server = Server::start_with(engine, clock).await;
    let studio = Studio::open(&server).await;
    let owner = server.owner();
    (server, studio, owner)
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/ics/{name}.ics", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

/// A calendar of these events, each given by its lines.
fn calendar(events: &[&str]) -> Vec<u8> {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n".to_owned();
    for event in events {
        text.push_str("BEGIN:VEVENT\r\n");
        for line in event.lines().map(str::trim) {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.push_str("END:VEVENT\r\n");
    }
    text.push_str("END:VCALENDAR\r\n");
    text.into_bytes()
}

async fn import_with(server: &Server, import: Import) -> Result<Imported, ImportError> {
    server.service().import(&Caller::system(server.site), import).await
}

async fn import(server: &Server, file: Vec<u8>, into: ImportInto) -> Result<Imported, ImportError> {
    let import = Import {
        file,
        into,
        allow_overlap: false,
        dry_run: false,
        remove_missing: false,
    };
    import_with(server, import).await
}

/// New, changed, gone, left, made.
fn counts(imported: &Imported) -> [usize; 5] {
    [
        imported.new,
        imported.changed,
        imported.gone,
        imported.left,
        imported.made,
    ]
}

/// `start title` of all yoga sessions but the studio's own, by start; cancelled ones in brackets.
async fn shown(owner: &Client, studio: &Studio) -> Vec<String> {
    let query = "query($filter: SessionFilter) { sessions(filter: $filter, first: 100) { nodes { id startDate title status } } }";
    let filter = json!({ "filter": { "scheduleIds": [studio.yoga.schedule.to_string()] } });
    let own = [studio.session.id.to_string(), studio.next_session.id.to_string()];
    let found = owner.data(query, filter).await["sessions"]["nodes"].clone();
    let show = |session: &Value| {
        let text = format!(
            "{} {}",
            session["startDate"].as_str().unwrap(),
            session["title"].as_str().unwrap()
        );
        if session["status"] == "CANCELLED" {
            format!("[{text}]")
        } else {
            text
        }
    };
    let found = found.as_array().unwrap().iter();
    found
        .filter(|session| !own.iter().any(|id| session["id"] == id.as_str()))
        .map(show)
        .collect()
}

async fn blocked(owner: &Client) -> Vec<String> {
    let query = "{ blockedTimes(first: 100) { nodes { startDate reason } } }";
    let found = owner.data(query, json!({})).await["blockedTimes"]["nodes"].clone();
    let show = |block: &Value| {
        format!(
            "{} {}",
            block["startDate"].as_str().unwrap(),
            block["reason"].as_str().unwrap_or("-")
        )
    };
    found.as_array().unwrap().iter().map(show).collect()
}

on_both_engines! {
    async fn the_calendars_of_the_usual_programs_become_sessions_once(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        let into = ImportInto::Sessions(studio.yoga.schedule);
        // Events and the sessions that they make, counted in the files; then what is cancelled and what takes no time.
        let mut sessions = 0;
        for (name, events, made, cancelled, timeless) in [
            ("google", 4, 10, 1, 0),
            ("outlook", 4, 6, 0, 0),
            ("exchange", 3, 6, 0, 0),
            ("apple", 4, 9, 0, 0),
            ("thunderbird", 2, 4, 0, 0),
            ("two-calendars", 2, 2, 0, 1),
            ("python-icalendar", 3, 8, 0, 0),
            ("python-ics", 2, 2, 0, 0),
            ("ical-generator", 2, 5, 0, 0),
        ] {
            let first = import(&server, fixture(name), into).await.unwrap();
            assert_eq!(counts(&first), [events, 0, 0, 0, made], "{name}: {first:?}");
            assert_eq!((first.cancelled, first.timeless), (cancelled, timeless), "{name}");
            sessions += made;
            let second = import(&server, fixture(name), into).await.unwrap();
            assert_eq!(counts(&second), [0, 0, 0, events, 0], "{name} again: {second:?}");
        }
        assert_eq!(shown(&owner, &studio).await.len(), sessions);
    }

    async fn a_series_stays_one_with_what_is_different_in_it(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        import(&server, fixture("google"), ImportInto::Sessions(studio.yoga.schedule)).await.unwrap();
        let query = "query($filter: SessionFilter) { sessions(filter: $filter) { nodes { title localStart localEnd timeZone originalStart \
            overriddenFields location { name } series { recurrence } } } }";
        let filter = json!({ "filter": { "from": "2026-03-20T12:00:00Z", "to": "2026-03-25T00:00:00Z" } });
        let found = owner.data(query, filter).await["sessions"]["nodes"].clone();
        assert_eq!(found, json!([{
            "title": "Yoga für Anfänger (verlegt)", "localStart": "2026-03-24T19:00:00", "localEnd": "2026-03-24T20:15:00",
            "timeZone": "Europe/Berlin", "originalStart": "2026-03-23T18:00:00", "overriddenFields": found[0]["overriddenFields"],
            "location": found[0]["location"],
            "series": { "recurrence": "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260413T235959\nEXDATE:20260406T180000" },
        }]));
        let overridden = found[0]["overriddenFields"].as_array().unwrap();
        assert!(overridden.contains(&json!("TIME")) && overridden.contains(&json!("TITLE")) && !overridden.contains(&json!("CAPACITY")));
    }

    async fn the_calendars_of_the_usual_programs_become_blocked_time_once(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        let (mut all, mut free) = (0, 0);
        for (name, times, transparent) in [
            ("google", 10, 3),
            ("outlook", 6, 2),
            ("exchange", 6, 0),
            ("apple", 9, 1),
            ("thunderbird", 4, 0),
            ("two-calendars", 2, 0),
            ("python-icalendar", 8, 0),
            ("python-ics", 2, 0),
            ("ical-generator", 5, 0),
        ] {
            let into = ImportInto::BlockedTime(studio.anna.id);
            let first = import(&server, fixture(name), into).await.unwrap();
            assert_eq!(counts(&first), [times, 0, 0, 0, times], "{name}: {first:?}");
            assert_eq!(first.transparent, 0, "{name}");
            (all, free) = (all + times, free + transparent);
            let second = import(&server, fixture(name), into).await.unwrap();
            assert_eq!(counts(&second), [0, 0, 0, times, 0], "{name} again: {second:?}");
        }
        let shown = blocked(&owner).await;
        assert_eq!(shown.len(), all);
        assert!(shown.contains(&"2026-03-24T18:00:00Z Yoga für Anfänger (verlegt)".to_owned()), "{shown:?}");
        assert!(!shown.iter().any(|text| text.contains("Probestunde")), "{shown:?}");
        // What one is free in is only shown.
        let query = "{ blockedTimes(first: 100) { nodes { reason transparency } } }";
        let nodes = owner.data(query, json!({})).await["blockedTimes"]["nodes"].clone();
        let transparent: Vec<&Value> = nodes.as_array().unwrap().iter().filter(|one| one["transparency"] == "TRANSPARENT").collect();
        assert_eq!(transparent.len(), free);
        assert!(transparent.iter().any(|one| one["reason"] == "Abrechnung"), "{transparent:?}");
    }

    async fn what_one_is_free_in_becomes_a_transparent_session(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        let into = ImportInto::Sessions(studio.yoga.schedule);
        let file = |transparency: &str| calendar(&[
            &format!("UID:one\nDTSTART:20260301T100000Z\nDTEND:20260301T110000Z\nSUMMARY:One\nTRANSP:{transparency}"),
            &format!("UID:all\nDTSTART:20260302T100000Z\nDTEND:20260302T110000Z\nSUMMARY:All\nRRULE:FREQ=DAILY;COUNT=2\nTRANSP:{transparency}"),
            "UID:all\nRECURRENCE-ID:20260303T100000Z\nDTSTART:20260303T120000Z\nDTEND:20260303T130000Z\nSUMMARY:All\nTRANSP:OPAQUE",
        ]);
        let told = async || {
            let query = "query($of: ID!) { sessions(filter: { scheduleIds: [$of] }) { nodes { title transparency overriddenFields } } }";
            let found = owner.data(query, json!({ "of": studio.yoga.schedule.to_string() })).await["sessions"]["nodes"].clone();
            let ours = found.as_array().unwrap().iter().filter(|one| one["title"] != "Yoga");
            ours.map(|one| one["transparency"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        import(&server, file("TRANSPARENT"), into).await.unwrap();
        assert_eq!(told().await, ["TRANSPARENT", "TRANSPARENT", "OPAQUE"]);
        assert_eq!(counts(&import(&server, file("TRANSPARENT"), into).await.unwrap())[3], 2, "left as they are");
        import(&server, file("OPAQUE"), into).await.unwrap();
        assert_eq!(told().await, ["OPAQUE", "OPAQUE", "OPAQUE"]);
    }

    async fn a_file_that_cannot_be_understood_is_refused_line_by_line(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        let file = calendar(&[
            "UID:good\nDTSTART:20260301T100000Z\nDTEND:20260301T110000Z\nSUMMARY:Good",
            "UID:bad\nDTSTART:20261301T100000Z\nDTEND:20260301T110000Z\nRRULE:FREQ=SOMETIMES",
        ]);
        for into in [ImportInto::Sessions(studio.yoga.schedule), ImportInto::BlockedTime(studio.anna.id)] {
            let Err(ImportError::Unreadable(unreadable)) = import(&server, file.clone(), into).await else { panic!("refused") };
            let lines: Vec<usize> = unreadable.problems.iter().map(|problem| problem.line).collect();
            assert!(lines.contains(&11), "{unreadable}");
            assert!(import(&server, b"nothing".to_vec(), into).await.is_err());
        }
        assert!(shown(&owner, &studio).await.is_empty() && blocked(&owner).await.is_empty());
    }

    async fn an_event_that_is_refused_leaves_nothing_of_its_file(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        let good = "UID:good\nDTSTART:20260301T100000Z\nDTEND:20260301T110000Z\nSUMMARY:Good";
        let long = format!("UID:long\nDTSTART:20260302T100000Z\nDTEND:20260302T110000Z\nSUMMARY:{}", "x".repeat(501));
        let file = calendar(&[good, &long]);
        for into in [ImportInto::Sessions(studio.yoga.schedule), ImportInto::BlockedTime(studio.anna.id)] {
            let Err(ImportError::Refused { line, rejection, .. }) = import(&server, file.clone(), into).await else { panic!("refused") };
            assert_eq!(line, 9);
            assert!(rejection.to_string().starts_with("title: "), "{rejection}");
        }
        assert!(shown(&owner, &studio).await.is_empty() && blocked(&owner).await.is_empty());
        let gone = ImportInto::Sessions(frontdesk::domain::ids::ScheduleId::new());
        assert!(matches!(import(&server, calendar(&[good]), gone).await, Err(ImportError::Failed(_))));
    }

    async fn a_dry_run_says_what_would_come_and_changes_nothing(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        for into in [ImportInto::Sessions(studio.yoga.schedule), ImportInto::BlockedTime(studio.anna.id)] {
            let dry = Import { file: fixture("google"), into, allow_overlap: false, dry_run: true, remove_missing: false };
            let would = import_with(&server, dry).await.unwrap();
            assert!(shown(&owner, &studio).await.is_empty() && blocked(&owner).await.is_empty());
            assert_eq!(import(&server, fixture("google"), into).await.unwrap(), would);
            if let ImportInto::Sessions(_) = into {
                assert_eq!(shown(&owner, &studio).await.len(), 10);
                for session in owner.data("{ sessions(first: 100) { nodes { id series { id } } } }", json!({})).await["sessions"]["nodes"].as_array().unwrap() {
                    if session["series"] != Value::Null {
                        owner.mutate_selecting("cancelSession", json!({ "sessionId": session["id"] }), "session { id }").await;
                    }
                }
                break;
            }
        }
    }

    async fn what_a_newer_file_says_follows(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        let into = ImportInto::Sessions(studio.yoga.schedule);
        let first = calendar(&[
            "UID:one\nDTSTART:20260301T100000Z\nDTEND:20260301T110000Z\nSUMMARY:One",
            "UID:two\nDTSTART:20260302T100000Z\nDTEND:20260302T110000Z\nSUMMARY:Two\nRRULE:FREQ=WEEKLY;COUNT=3",
            "UID:three\nDTSTART:20260303T100000Z\nDTEND:20260303T110000Z\nSUMMARY:Three",
        ]);
        assert_eq!(counts(&import(&server, first, into).await.unwrap()), [3, 0, 0, 0, 5]);
        let newer = calendar(&[
            "UID:one\nDTSTART:20260301T120000Z\nDTEND:20260301T130000Z\nSUMMARY:One",
            "UID:two\nDTSTART:20260302T100000Z\nDTEND:20260302T110000Z\nSUMMARY:Two\nRRULE:FREQ=WEEKLY;COUNT=4",
            "UID:two\nRECURRENCE-ID:20260309T100000Z\nSTATUS:CANCELLED\nDTSTART:20260309T100000Z\nDTEND:20260309T110000Z",
            "UID:three\nSTATUS:CANCELLED\nDTSTART:20260303T100000Z\nDTEND:20260303T110000Z\nSUMMARY:Three",
        ]);
        assert_eq!(counts(&import(&server, newer.clone(), into).await.unwrap())[..3], [0, 2, 1]);
        let expected = [
            "2026-03-01T12:00:00Z One", "2026-03-02T10:00:00Z Two", "[2026-03-03T10:00:00Z Three]",
            "[2026-03-09T10:00:00Z Two]", "2026-03-16T10:00:00Z Two", "2026-03-23T10:00:00Z Two",
        ];
        assert_eq!(shown(&owner, &studio).await, expected);
        assert_eq!(counts(&import(&server, newer, into).await.unwrap()), [0, 0, 0, 2, 0]);
        // One that isn't in a file is left alone.
        let other = calendar(&["UID:four\nDTSTART:20260304T100000Z\nDTEND:20260304T110000Z"]);
        assert_eq!(counts(&import(&server, other, into).await.unwrap()), [1, 0, 0, 0, 1]);
        assert_eq!(shown(&owner, &studio).await.len(), 7);
    }

    async fn bookings_are_not_touched_by_a_file(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        let into = ImportInto::Sessions(studio.yoga.schedule);
        let at = |hour: u8| calendar(&[&format!("UID:one\nDTSTART:20260301T{hour:02}0000Z\nDTEND:20260301T{:02}0000Z", hour + 1)]);
        import(&server, at(10), into).await.unwrap();
        let filter = json!({ "filter": { "from": "2026-03-01T00:00:00Z" } });
        let session = owner.data("query($filter: SessionFilter) { sessions(filter: $filter) { nodes { id } } }", filter).await["sessions"]["nodes"][0].clone();
        let booked = confirmed(&owner, crate::series::seats(&session, 1)).await;
        let Err(error) = import(&server, at(12), into).await else { panic!("refused") };
        assert_eq!(error.to_string(), format!("line 3: 1 booking is in the way: {booked} from 2026-03-01T10:00:00Z"));
        assert_eq!(story(&owner, &booked).await.0["startDate"], "2026-03-01T10:00:00Z");
        // Nor is a resource blocked over one, unless that is wanted.
        let start = studio.at(0);
        let massage = confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let stamp = start.replace(['-', ':'], "");
        let over = calendar(&[&format!("UID:over\nDTSTART:{stamp}\nDURATION:PT1H"), &format!("UID:too\nDTSTART:{stamp}\nDURATION:PT2H")]);
        let into = ImportInto::BlockedTime(studio.anna.id);
        let Err(error) = import(&server, over.clone(), into).await else { panic!("refused") };
        assert_eq!(error.to_string(), format!("line 3: the time is not free: {massage} from {start}"));
        assert!(blocked(&owner).await.is_empty());
        let allowed = Import { file: over, into, allow_overlap: true, dry_run: false, remove_missing: false };
        assert_eq!(counts(&import_with(&server, allowed).await.unwrap()), [2, 0, 0, 0, 2], "two events may be at one time");
    }

    async fn blocked_time_follows_a_newer_file(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        let into = ImportInto::BlockedTime(studio.anna.id);
        let rule = |day: u8| calendar(&[&format!("UID:meeting\nDTSTART:202603{day:02}T100000Z\nDTEND:202603{day:02}T110000Z\nRRULE:FREQ=WEEKLY;COUNT=2")]);
        assert_eq!(counts(&import(&server, rule(2), into).await.unwrap()), [2, 0, 0, 0, 2]);
        assert_eq!(counts(&import(&server, rule(3), into).await.unwrap()), [2, 0, 2, 0, 2], "those of the old day are free again");
        assert_eq!(blocked(&owner).await, ["2026-03-03T10:00:00Z -", "2026-03-10T10:00:00Z -"]);
        // A person frees one: it stays free.
        let one = owner.data("{ blockedTimes { nodes { id } } }", json!({})).await["blockedTimes"]["nodes"][0]["id"].clone();
        done(&owner, "deleteBlockedTime", json!({ "blockedTimeId": one }), "blockedTime { id }").await;
        assert_eq!(counts(&import(&server, rule(3), into).await.unwrap()), [0, 0, 0, 2, 0]);
    }

    async fn what_a_newer_file_has_not_stays_or_goes(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        let event = |uid: &str, day: u8, more: &str| format!("UID:{uid}\nDTSTART:202603{day:02}T100000Z\nDTEND:202603{day:02}T110000Z\nSUMMARY:{uid}{more}");
        let file = |events: &[String]| calendar(&events.iter().map(String::as_str).collect::<Vec<_>>());
        let (one, two, three) = (event("one", 1, ""), event("two", 2, "\nRRULE:FREQ=WEEKLY;COUNT=2"), event("three", 3, ""));
        let past = "UID:past\nDTSTART:20251201T100000Z\nDTEND:20251201T110000Z".to_owned();
        let all = file(&[one.clone(), two, three.clone(), past]);
        let less = file(&[one]);
        let with_missing = |into, file: &[u8], dry_run: bool| {
            let import = Import { file: file.to_vec(), into, allow_overlap: false, dry_run, remove_missing: true };
            import_with(&server, import)
        };
        let into = ImportInto::Sessions(studio.yoga.schedule);
        // What stands on another schedule is none of it.
        import(&server, file(&[three]), ImportInto::Sessions(studio.run.id)).await.unwrap();
        import(&server, all.clone(), into).await.unwrap();
        let shown_before = shown(&owner, &studio).await;
        let kept = import(&server, less.clone(), into).await.unwrap();
        assert_eq!((counts(&kept), kept.missing), ([0, 0, 0, 1, 0], 2), "{kept:?}");
        assert_eq!(shown(&owner, &studio).await, shown_before);
        let would = with_missing(into, &less, true).await.unwrap();
        assert_eq!((counts(&would), would.missing), ([0, 0, 2, 1, 0], 0));
        assert_eq!(shown(&owner, &studio).await, shown_before);
        assert_eq!(with_missing(into, &less, false).await.unwrap(), would);
        assert_eq!(shown(&owner, &studio).await, [
            "2026-03-01T10:00:00Z one", "[2026-03-02T10:00:00Z two]", "[2026-03-03T10:00:00Z three]", "[2026-03-09T10:00:00Z two]",
        ]);
        assert_eq!(counts(&with_missing(into, &less, false).await.unwrap()), [0, 0, 0, 1, 0], "nothing is left of them");
        // With participants it is refused, as cancelling is.
        import(&server, all.clone(), into).await.unwrap();
        let filter = json!({ "filter": { "from": "2026-03-03T00:00:00Z", "to": "2026-03-04T00:00:00Z", "status": "CONFIRMED", "scheduleIds": [studio.yoga.schedule.to_string()] } });
        let session = owner.data("query($filter: SessionFilter) { sessions(filter: $filter) { nodes { id } } }", filter).await["sessions"]["nodes"][0].clone();
        let booked = confirmed(&owner, crate::series::seats(&session, 1)).await;
        let Err(error) = with_missing(into, &less, false).await else { panic!("refused") };
        assert_eq!(error.to_string(), format!("1 booking is in the way: {booked} from 2026-03-03T10:00:00Z"));
        // Blocked time alike.
        let into = ImportInto::BlockedTime(studio.anna.id);
        import(&server, all, into).await.unwrap();
        assert_eq!(import(&server, less.clone(), into).await.unwrap().missing, 3, "each time of it");
        assert_eq!(counts(&with_missing(into, &less, false).await.unwrap()), [0, 0, 3, 1, 0]);
        assert_eq!(blocked(&owner).await, ["2026-03-01T10:00:00Z one"]);
    }

    async fn the_run_of_a_course_follows_a_file(engine) {
        let (server, studio, owner) = studio_at_new_year(engine).await;
        let booked = confirmed(&owner, studio.enrolment(1)).await;
        let file = calendar(&[
            "UID:one\nDTSTART:20300301T100000Z\nDTEND:20300301T110000Z",
            "UID:two\nDTSTART:20300302T100000Z\nDTEND:20300305T110000Z",
            "UID:three\nDTSTART:20300303T100000Z\nDTEND:20300303T110000Z",
        ]);
        import(&server, file, ImportInto::Sessions(studio.course.schedule)).await.unwrap();
        assert_eq!(story(&owner, &booked).await.0["endDate"], "2030-03-05T11:00:00Z");
    }

    async fn the_command_brings_a_file_in(engine) {
        let (server, studio, owner) = crate::studio(engine).await;
        let url = match &server.database.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        };
        let stamp = |minutes: i64| studio.at(minutes).replace(['-', ':'], "");
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let good = write("good.ics", calendar(&[&format!("UID:one\nDTSTART:{}\nDTEND:{}\nSUMMARY:Flow\nRRULE:FREQ=DAILY;COUNT=3", stamp(0), stamp(60))]));
        let less = write("less.ics", calendar(&[&format!("UID:two\nDTSTART:{}\nDTEND:{}", stamp(0), stamp(60)), &format!("UID:two\nDTSTART:{}\nDTEND:{}", stamp(0), stamp(60))]));
        let bad = write("bad.ics", calendar(&["UID:one\nDTSTART:soon"]));
        let run = |path: &std::path::Path, more: &[&str]| {
            let ended = std::process::Command::new(env!("CARGO_BIN_EXE_frontdesk"))
                .args(["--database-url", &url, "--log", "error", "import"])
                .arg(path)
                .args(more)
                .output()
                .unwrap();
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            (ended.status.success(), text(ended.stdout), text(ended.stderr))
        };
        let schedule = studio.yoga.schedule.to_string();
        let dry = run(&good, &["--schedule", &schedule, "--dry-run"]);
        assert!(dry.0 && dry.1.contains("nothing was written"), "{dry:?}");
        assert!(shown(&owner, &studio).await.is_empty());
        let done = run(&good, &["--schedule", &schedule]);
        assert!(done.0 && done.1.contains("events: 1 new, 0 changed, 0 gone, 0 left as they are\nsessions made: 3\n"), "{done:?}");
        assert_eq!(shown(&owner, &studio).await.len(), 3);
        let again = run(&good, &["--schedule", &schedule]);
        assert!(again.0 && again.1.contains("events: 0 new, 0 changed, 0 gone, 1 left as they are"), "{again:?}");
        let fewer = run(&less, &["--schedule", &schedule]);
        assert!(fewer.0 && fewer.1.contains("1 that earlier files had is not in this one; --remove-missing takes it away"), "{fewer:?}");
        assert!(fewer.1.contains("left out: 1 there in a newer version"), "{fewer:?}");
        let removed = run(&less, &["--schedule", &schedule, "--remove-missing"]);
        assert!(removed.0 && removed.1.contains("events: 0 new, 0 changed, 1 gone, 1 left as they are") && !removed.1.contains("earlier"), "{removed:?}");
        let refused = run(&bad, &["--schedule", &schedule]);
        assert!(!refused.0 && refused.2.contains("line 5: "), "{refused:?}");
        let anna = studio.anna.id.to_string();
        let blocks = run(&good, &["--blocked-time", &anna]);
        assert!(blocks.0 && blocks.1.contains("times: 3 new") && blocks.1.contains("blocked times made: 3"), "{blocks:?}");
        for wrong in [vec![], vec!["--schedule", &anna], vec!["--schedule", &schedule, "--blocked-time", &anna], vec!["--schedule", &schedule, "--site", "none"]] {
            assert!(!run(&good, &wrong).0, "{wrong:?}");
        }
    }
}
