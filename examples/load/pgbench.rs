//! The limit on PostgreSQL: `pgbench`, prepared, running the statements that the store was seen to run.
//!
//! The server's own log is asked what one booking of each kind made it run. Those statements become a script: ids and
//! times that have to be different each time are worked out, everything else stays as it was.

use std::{fmt::Write as _, path::PathBuf, process::Command, time::Duration};

use frontdesk::{domain::ids::TypedId as _, store::DatabaseUrl};
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::{
    Engine,
    mix::{What, wish},
    seed::{CONNECTIONS, Place, Sort, TEAM, first_day, parts},
};

/// A statement as the log has it.
#[derive(Debug)]
struct Statement {
    sql: String,
    parameters: Vec<Option<String>>,
}

/// Scripts for the two kinds of bookings, on a database of their own with so many sites.
pub struct Scripts {
    files: Vec<(PathBuf, u32)>,
    database: String,
    command: PathBuf,
    client: Vec<String>,
    runs: u64,
}

impl Scripts {
    /// Watches the store make bookings on `name`, a database that is thrown away.
    pub async fn record(place: &Place, name: &str, sites: u64) -> Self {
        let watched = place.seeded(Engine::Postgres, &format!("{name}_watched"), 1).await;
        let DatabaseUrl::Postgres(watched) = watched else {
            unreachable!("a URL of PostgreSQL")
        };
        let db = super::seed::open(&DatabaseUrl::Postgres(format!(
            "{watched}?options=-c%20log_statement%3Dall"
        )))
        .await;
        let service = frontdesk::service::Service::new(db, frontdesk::service::Limits::default());
        let cluster = place.cluster.as_ref().expect("a cluster");
        let mut files = Vec::new();
        for (number, weight, kind) in [(0, 7, "class"), (7, 3, "appointment")] {
            // The first time, types are looked up and statements prepared.
            let mut statements = Vec::new();
            let mut texts = Vec::new();
            for turn in 0..3 {
                let wish = wish(number + turn * 10, 1, first_day());
                let before = std::fs::metadata(&cluster.log).unwrap().len() as usize;
                let created = service
                    .create_booking(&wish.caller(), wish.input(), None)
                    .await
                    .expect("a booking");
                tokio::time::sleep(Duration::from_millis(200)).await;
                let log = std::fs::read(&cluster.log).unwrap();
                statements = transaction(&String::from_utf8_lossy(&log[before..]));
                let start = match wish.what {
                    What::Class { .. } => None,
                    What::Appointment { start, .. } => Some(start),
                };
                texts = script(&statements, created.booking.id.uuid(), start);
            }
            assert!(statements.len() > 4, "the log has the statements: {statements:?}");
            let file = place.dir.join(format!("{name}-{kind}.sql"));
            std::fs::write(&file, texts.join("\n")).unwrap();
            files.push((file, weight));
        }
        let database = place.seeded(Engine::Postgres, name, sites).await;
        let DatabaseUrl::Postgres(database) = database else {
            unreachable!("a URL of PostgreSQL")
        };
        Self {
            files,
            database: database.rsplit('/').next().unwrap_or_default().to_owned(),
            command: cluster.bin.join("pgbench"),
            client: cluster.client(),
            runs: 0,
        }
    }

    /// How many statements the two kinds of bookings take, `BEGIN` and `COMMIT` among them.
    pub fn statements(&self) -> String {
        let count = |file: &PathBuf| {
            let text = std::fs::read_to_string(file).unwrap();
            text.lines().filter(|line| !line.starts_with('\\')).count().to_string()
        };
        self.files
            .iter()
            .map(|(file, _)| count(file))
            .collect::<Vec<_>>()
            .join(" and ")
    }

    /// How many transactions a second it does, spread over so many sites.
    pub async fn rate(&mut self, sites: u64, time: Duration) -> f64 {
        self.runs += 1;
        let mut command = Command::new(&self.command);
        command
            .args(&self.client)
            .args(["-n", "-M", "prepared", "-j", "2", "-c", &CONNECTIONS.to_string()]);
        command.args(["-T", &time.as_secs_f64().ceil().to_string()]);
        command.args([
            "-D",
            &format!("sites={sites}"),
            "-D",
            "n=0",
            "-D",
            &format!("run={}", self.runs),
        ]);
        for (file, weight) in &self.files {
            command.arg("-f").arg(format!("{}@{weight}", file.display()));
        }
        command.arg(&self.database);
        let output = tokio::task::spawn_blocking(move || command.output().expect("pgbench runs"))
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let tps = text
            .lines()
            .find_map(|line| line.strip_prefix("tps = "))
            .and_then(|rest| rest.split(' ').next());
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(!complaint.contains("aborted"), "{complaint}");
        tps.and_then(|tps| tps.parse().ok())
            .unwrap_or_else(|| panic!("{text}\n{complaint}"))
    }
}

/// The statements of the one transaction in a piece of the log.
fn transaction(log: &str) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once("LOG:  ") {
            let sql = rest.strip_prefix("statement: ").or_else(|| {
                rest.strip_prefix("execute ")
                    .and_then(|rest| rest.split_once(": ").map(|(_, sql)| sql))
            });
            if let Some(sql) = sql {
                statements.push(Statement {
                    sql: sql.trim_end_matches(';').to_owned(),
                    parameters: Vec::new(),
                });
            }
        } else if let Some((_, rest)) = line.split_once("DETAIL:  parameters: ")
            && let Some(last) = statements.last_mut()
        {
            last.parameters = values(rest);
        }
    }
    let begin = statements
        .iter()
        .rposition(|statement| statement.sql.starts_with("BEGIN"))
        .unwrap_or(0);
    statements.split_off(begin)
}

/// `$1 = 'a', $2 = NULL`.
fn values(text: &str) -> Vec<Option<String>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, value)) = rest.split_once(" = ") {
        if let Some(after) = value.strip_prefix("NULL") {
            found.push(None);
            rest = after;
            continue;
        }
        let mut content = String::new();
        let mut characters = value.char_indices().skip(1).peekable();
        let mut end = value.len();
        while let Some((at, character)) = characters.next() {
            if character == '\'' && characters.next_if(|(_, next)| *next == '\'').is_none() {
                end = at + 1;
                break;
            }
            content.push(character);
        }
        found.push(Some(content));
        rest = &value[end..];
    }
    found
}

/// The script: one line a statement.
fn script(statements: &[Statement], booking: Uuid, start: Option<Timestamp>) -> Vec<String> {
    let mut lines = vec![
        // Whole runs, clients and turns: never the same number twice, and later ones are higher.
        "\\set n :n + 1".to_owned(),
        "\\set booking (:run * 1000000 + :n) * 1000 + :client_id".to_owned(),
        "\\set site random(0, :sites - 1)".to_owned(),
        "\\set session random(0, 19)".to_owned(),
        "\\set resource random(0, 19)".to_owned(),
        format!("\\set team :resource / {TEAM} * {TEAM}"),
        format!(
            "\\set service {}",
            if start.is_some() {
                format!("1 + :resource / {TEAM}")
            } else {
                "0".to_owned()
            }
        ),
        "\\set slot (:run * 20000 + :n) * 40 + :client_id".to_owned(),
    ];
    let mut claims = 0;
    for statement in statements {
        let position = position_of("position", &statement.sql).filter(|_| statement.sql.contains(r#"INTO "events""#));
        let mut sql = String::new();
        let mut rest = statement.sql.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            let digits = after
                .find(|character: char| !character.is_ascii_digit())
                .unwrap_or(after.len());
            let number: usize = after[..digits].parse().expect("a parameter's number");
            let value = &statement.parameters[number - 1];
            let cast = if after[digits..].starts_with("::") { "" } else { " " };
            let text = match value {
                Some(_) if position == Some(number) => ":position::bigint".to_owned(),
                Some(value) => expression(value, booking, start, &mut claims),
                None => "NULL".to_owned(),
            };
            let _ = write!(sql, "{before}{text}{}", cast.trim());
            rest = &after[digits..];
        }
        sql.push_str(rest);
        let sql = sql.replace('\n', " ");
        let end = if sql.starts_with("UPDATE \"site_counters\"") && sql.contains("RETURNING") {
            " \\gset"
        } else {
            ";"
        };
        lines.push(format!("{sql}{end}"));
    }
    lines
}

/// Which parameter of an insert a column is.
fn position_of(column: &str, sql: &str) -> Option<usize> {
    let columns = sql.split_once('(')?.1.split_once(')')?.0;
    columns
        .split(", ")
        .position(|name| name.trim_matches('"') == column)
        .map(|at| at + 1)
}

fn expression(value: &str, booking: Uuid, start: Option<Timestamp>, claims: &mut u32) -> String {
    if let Some(list) = value.strip_prefix('{').and_then(|list| list.strip_suffix('}'))
        && let Ok(ids) = list.split(',').map(str::parse::<Uuid>).collect::<Result<Vec<_>, _>>()
    {
        let several = ids.len() > 1;
        let each: Vec<String> = ids
            .iter()
            .map(|id| match parts(*id) {
                Some((Sort::Resource, _, number)) if several => {
                    seeded(Sort::Resource, &format!(":team + {}", number % TEAM))
                }
                _ => id_expression(*id, booking, claims),
            })
            .collect();
        return format!("ARRAY[{}]::uuid[]", each.join(", "));
    }
    if let Ok(uuid) = value.parse::<Uuid>() {
        return id_expression(uuid, booking, claims);
    }
    if let Some(start) = start {
        let shown = |at: Timestamp| at.to_string().replace('T', " ").replace('Z', "+00");
        let at = |minutes: &str| {
            format!(
                "('{first}'::timestamptz + (:slot{minutes}) * interval '30 minutes')",
                first = first_day()
            )
        };
        if value == shown(start) {
            return at("");
        }
        if value == shown(start.checked_add(30.minutes()).unwrap()) {
            return at(" + 1");
        }
    }
    // pgbench reads `:name` as a variable, in strings too, unless something stands before the colon that it doesn't
    // take for a beginning; `::` it leaves alone.
    let mut text = String::new();
    let mut plain = String::new();
    for (at, character) in value.char_indices() {
        let variable =
            character == ':' && value[at + 1..].starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
        if variable {
            let _ = write!(text, "'{}:' || ", plain.replace('\'', "''"));
            plain.clear();
        } else {
            plain.push(character);
        }
    }
    if text.is_empty() {
        return format!("'{}'", plain.replace('\'', "''"));
    }
    let cast = if value.starts_with(['{', '[']) {
        "jsonb"
    } else {
        "timestamptz"
    };
    format!("({text}'{}')::{cast}", plain.replace('\'', "''"))
}

fn id_expression(uuid: Uuid, booking: Uuid, claims: &mut u32) -> String {
    if uuid == booking {
        return "lpad(to_hex(:booking::bigint), 32, '0')::uuid".to_owned();
    }
    match parts(uuid) {
        Some((Sort::Site, ..)) => {
            format!(
                "('{:08x}00000000' || lpad(to_hex(:site::bigint), 8, '0') || '00000000')::uuid",
                Sort::Site as u32
            )
        }
        Some((sort @ Sort::Session, ..)) => seeded(sort, ":session"),
        Some((sort @ Sort::Resource, ..)) => seeded(sort, ":resource"),
        Some((sort @ (Sort::Service | Sort::Schedule), ..)) => seeded(sort, ":service"),
        None => {
            *claims += 1;
            format!("('{claims:08x}' || lpad(to_hex(:booking::bigint), 24, '0'))::uuid")
        }
    }
}

/// The id of something on the site that the turn is about.
fn seeded(sort: Sort, number: &str) -> String {
    format!(
        "('{:08x}00000000' || lpad(to_hex(:site::bigint), 8, '0') || lpad(to_hex(({number})::bigint), 8, '0'))::uuid",
        sort as u32
    )
}
