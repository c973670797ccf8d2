//! Nodes on one PostgreSQL tell each other of commits by `NOTIFY`.
//!
//! It owns one connection of its own, outside the pool: `NOTIFY` takes a lock of the whole cluster when its
//! transaction commits, so it stays out of those that change bookings, and `LISTEN` needs a connection that lasts.
//! What is said here only wakes: a message that is lost costs a poll's time. It must not know what events are.

use std::{future::poll_fn, pin::pin, time::Duration};

use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket, tls::NoTlsStream};

use super::{
    commits::{Commits, Untold},
    hub::Backoff,
};
use crate::domain::ids::{SiteId, TypedId as _};

/// The channel; payloads are `SITE POSITION`, or [`EVERYTHING`].
const CHANNEL: &str = "frontdesk_commits";
/// Says that there was too much to name.
const EVERYTHING: &str = "*";
/// Commits within this time after a message share the next one.
const COALESCE: Duration = Duration::from_millis(5);
/// Silence after which the connection is tried, so that one that died without a word is noticed.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells and listens, for ever; a lost connection is made again.
pub(super) async fn run(url: String, commits: Commits) {
    let mut pause = Backoff::default();
    loop {
        match session(&url, &commits, &mut pause).await {
            Ok(()) => tracing::warn!("the connection that hears of other nodes' commits was closed; connecting again"),
            Err(error) => tracing::warn!(%error, "other nodes' commits are not heard; connecting again"),
        }
        pause.wait().await;
    }
}

#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the server didn't answer in time")]
    Silent(#[from] tokio::time::error::Elapsed),
}

async fn session(url: &str, commits: &Commits, pause: &mut Backoff) -> Result<(), Lost> {
    let mut config: Config = url.parse()?;
    config.application_name("frontdesk-commits").connect_timeout(PATIENCE);
    let (client, connection) = tokio::time::timeout(PATIENCE, config.connect(NoTls)).await??;
    let mut listening = pin!(listen(connection, commits));
    let mut telling = pin!(async {
        tokio::time::timeout(PATIENCE, client.batch_execute(&format!("LISTEN {CHANNEL}"))).await??;
        *pause = Backoff::default();
        // Before `LISTEN` was done, nothing was heard.
        commits.look_now();
        tell(&client, commits).await
    });
    tokio::select! {
        ended = &mut listening => ended.map_err(Lost::from),
        failed = &mut telling => failed,
    }
}

/// Drives the connection and passes on what others say.
async fn listen(
    mut connection: Connection<Socket, NoTlsStream>,
    commits: &Commits,
) -> Result<(), tokio_postgres::Error> {
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message? {
            AsyncMessage::Notification(said) if said.channel() == CHANNEL => match parse(said.payload()) {
                Some(Said::Reached(site, position)) => commits.heard(site, position),
                Some(Said::Everything) => commits.look_now(),
                None => tracing::debug!(payload = said.payload(), "an unreadable message of another node"),
            },
            AsyncMessage::Notice(notice) => tracing::debug!(%notice, "the server said"),
            _ => {}
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Reached(SiteId, i64),
    Everything,
}

fn parse(payload: &str) -> Option<Said> {
    if payload == EVERYTHING {
        return Some(Said::Everything);
    }
    let (site, position) = payload.split_once(' ')?;
    Some(Said::Reached(SiteId::parse(site).ok()?, position.parse().ok()?))
}

/// Tells others of this node's commits. Returns only by an error.
async fn tell(client: &Client, commits: &Commits) -> Result<(), Lost> {
    loop {
        let beat = tokio::time::timeout(HEARTBEAT, commits.something_to_tell()).await;
        let untold = commits.take_untold();
        if untold.is_empty() {
            if beat.is_err() {
                tokio::time::timeout(PATIENCE, client.batch_execute("")).await??;
            }
            continue;
        }
        let told = say(client, &untold).await;
        if told.is_err() {
            commits.put_back(untold);
        }
        told?;
        tokio::time::sleep(COALESCE).await;
    }
}

async fn say(client: &Client, untold: &Untold) -> Result<(), Lost> {
    let mut payloads: Vec<String> = untold
        .positions
        .iter()
        .map(|(site, position)| format!("{site} {position}"))
        .collect();
    if untold.everything {
        payloads.push(EVERYTHING.to_owned());
    }
    let statement = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload";
    tokio::time::timeout(PATIENCE, client.execute(statement, &[&CHANNEL, &payloads])).await??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let site = SiteId::new();
        assert_eq!(parse(&format!("{site} 7")), Some(Said::Reached(site, 7)));
        assert_eq!(parse(EVERYTHING), Some(Said::Everything));
        for unreadable in ["", "7", "site 7", "* 7"] {
            assert_eq!(parse(unreadable), None, "{unreadable}");
        }
    }
}
