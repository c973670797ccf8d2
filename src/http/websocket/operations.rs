//! The running operations of one socket, as one stream of what they have to say.
//!
//! Each is polled only when it was woken and only when the socket has room, so none holds up
//! another and none piles up results that nobody takes.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    stream::{AbortHandle, Abortable, BoxStream, SelectAll},
};

use crate::http::Frame;

/// What an operation has to say next.
pub(super) enum Step {
    Next(Bytes),
    Errors(Bytes),
    Complete,
    /// It panicked.
    Crashed,
}

#[derive(Default)]
pub(super) struct Operations {
    running: HashMap<Arc<str>, AbortHandle>,
    steps: SelectAll<Abortable<Operation>>,
}

impl Operations {
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.running.contains_key(id)
    }

    pub(super) fn start(&mut self, id: &str, frames: BoxStream<'static, Frame>) {
        let id: Arc<str> = id.into();
        let operation = Operation {
            id: Arc::clone(&id),
            frames: Some(frames),
        };
        let (handle, registration) = AbortHandle::new_pair();
        self.running.insert(id, handle);
        self.steps.push(Abortable::new(operation, registration));
    }

    /// Ends an operation without a word: it says nothing any more, and its id is free.
    pub(super) fn stop(&mut self, id: &str) {
        if let Some(handle) = self.running.remove(id) {
            handle.abort();
        }
    }

    /// The next step of any operation, with its id. After the last step of an operation its id is
    /// free, so that the client may use it again as soon as it hears of the end.
    ///
    /// Waits for ever where there's nothing running. Nothing is lost if the wait is given up.
    pub(super) async fn next(&mut self) -> (Arc<str>, Step) {
        let Some((id, step)) = self.steps.next().await else {
            return std::future::pending().await;
        };
        if !matches!(step, Step::Next(_)) {
            self.running.remove(&id);
        }
        (id, step)
    }
}

struct Operation {
    id: Arc<str>,
    /// `None` after the last step.
    frames: Option<BoxStream<'static, Frame>>,
}

impl Stream for Operation {
    type Item = (Arc<str>, Step);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(frames) = &mut self.frames else {
            return Poll::Ready(None);
        };
        // A crash in one operation must not take the socket's others with it.
        let polled = catch_unwind(AssertUnwindSafe(|| frames.as_mut().poll_next(context)));
        let step = match polled {
            Ok(polled) => match ready!(polled) {
                Some(Frame::Next(payload)) => Step::Next(payload),
                Some(Frame::Errors(payload)) => Step::Errors(payload),
                None => Step::Complete,
            },
            Err(_) => Step::Crashed,
        };
        if !matches!(step, Step::Next(_)) {
            self.frames = None;
        }
        Poll::Ready(Some((Arc::clone(&self.id), step)))
    }
}
