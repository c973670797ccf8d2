//! Messages to the people of a booking.

use async_graphql::{Context, Enum, ID, Object};

use super::booking::{Booking, words_for};
use crate::{
    graphql::{connection::connection, scalars::DateTime},
    store::notifications,
};

/// By which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::booking::NotificationChannel")]
pub enum NotificationChannel {
    /// E-mail, to the address in the contact details.
    Email,
    /// Text message, to the phone number in the contact details.
    Sms,
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::store::types::NotificationKind")]
pub enum NotificationKind {
    /// The booking was made.
    Created,
    /// It was confirmed.
    Confirmed,
    /// It was declined.
    Declined,
    /// It was canceled.
    Canceled,
    /// It was moved.
    Rescheduled,
    /// It waits for the business.
    MarkedAsPending,
    /// More or fewer people come.
    ParticipantsUpdated,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::store::types::NotificationState")]
pub enum NotificationState {
    /// It was asked for and waits to be sent.
    Queued,
    /// It was handed over to the channel.
    Sent,
    /// It could not be handed over.
    Failed,
}

/// A message to the people of a booking.
#[derive(Debug, Clone)]
pub struct Notification(pub notifications::Notification);

/// A message to the people of a booking.
#[Object]
impl Notification {
    /// The booking that it is about.
    async fn booking(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<Booking>> {
        Booking::load(ctx, self.0.booking).await.transpose()
    }

    /// By which way it goes.
    async fn channel(&self) -> NotificationChannel {
        self.0.channel.into()
    }

    /// When it was asked for.
    async fn created_date(&self) -> DateTime {
        self.0.created.into()
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What it is about.
    async fn kind(&self) -> NotificationKind {
        self.0.kind.into()
    }

    /// Words of the sender's own that go with it. Null for whoever may not know.
    async fn message(&self, ctx: &Context<'_>) -> Option<String> {
        words_for(ctx, self.0.message.as_ref())
    }

    /// What became of it.
    async fn state(&self) -> NotificationState {
        self.0.state.into()
    }
}

connection!(
    "The messages about a booking, oldest first.",
    NotificationConnection,
    NotificationEdge,
    Notification
);
