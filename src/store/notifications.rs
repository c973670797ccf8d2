//! The log of messages to the people of a booking.

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, insert_into};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    Conn, StoreError, on,
    schema::notifications,
    types::{At, NotificationKind, NotificationState},
};
use crate::domain::{
    booking::NotificationChannel,
    ids::{BookingId, NotificationId, SiteId},
};

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// About which booking.
    pub booking: BookingId,
    /// What it is about.
    pub kind: NotificationKind,
    /// By which way it goes.
    pub channel: NotificationChannel,
    /// Words of the caller's own.
    pub message: Option<String>,
    /// What became of it.
    pub state: NotificationState,
    /// When it was asked for.
    pub created: Timestamp,
}

type Columns = (
    NotificationId,
    BookingId,
    NotificationKind,
    NotificationChannel,
    Option<String>,
    NotificationState,
    At,
);

macro_rules! columns {
    () => {
        (
            notifications::id,
            notifications::booking_id,
            notifications::kind,
            notifications::channel,
            notifications::message,
            notifications::state,
            notifications::created_at,
        )
    };
}

fn notification(row: Columns) -> Notification {
    let (id, booking, kind, channel, message, state, created) = row;
    Notification {
        id,
        booking,
        kind,
        channel,
        message,
        state,
        created: created.0,
    }
}

/// Adds a message.
pub async fn insert(conn: &mut Conn, site: SiteId, new: &Notification) -> Result<(), StoreError> {
    let row = (
        notifications::site_id.eq(site),
        notifications::id.eq(new.id),
        notifications::booking_id.eq(new.booking),
        notifications::kind.eq(new.kind),
        notifications::channel.eq(new.channel),
        notifications::message.eq(new.message.as_deref()),
        notifications::state.eq(new.state),
        notifications::created_at.eq(At(new.created)),
    );
    on!(conn, c => insert_into(notifications::table).values(row).execute(c).await)?;
    Ok(())
}

/// All messages about a booking, oldest first. There are as many as the booking had changes with a message.
pub async fn of_booking(conn: &mut Conn, site: SiteId, booking: BookingId) -> Result<Vec<Notification>, StoreError> {
    let of_it = notifications::site_id
        .eq(site)
        .and(notifications::booking_id.eq(booking));
    let rows: Vec<Columns> = on!(conn, c => {
        notifications::table.filter(of_it).order(notifications::id.asc()).select(columns!()).load(c).await
    })?;
    Ok(rows.into_iter().map(notification).collect())
}

/// The message with this id.
pub async fn find(conn: &mut Conn, site: SiteId, id: NotificationId) -> Result<Option<Notification>, StoreError> {
    let row: Option<Columns> =
        on!(conn, c => notifications::table.find((site, id)).select(columns!()).first(c).await.optional())?;
    Ok(row.map(notification))
}
