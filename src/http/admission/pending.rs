//! What lies in memory for clients: requests that haven't come to their end, and answers that aren't read.
//!
//! Whoever leaves too much of it lying can't ask for more, so that clients which only begin, or only ask, cost no more than
//! so many bytes, each and all together.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// All clients together may leave so many times of what one may.
const ALL: usize = 16;

/// Pieces in which an answer is handed on: what is behind the one that is being sent counts as unread.
const PIECE: usize = 64 * 1024;

/// How much lies there, by client.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    lying: Arc<Mutex<Lying>>,
    /// In bytes, of one client.
    most: usize,
}

#[derive(Debug, Default)]
struct Lying {
    by_client: HashMap<u64, usize>,
    all: usize,
}

/// Something that lies there, until this is dropped.
#[derive(Debug)]
pub(in crate::http) struct Pending {
    shelf: Shelf,
    client: u64,
    bytes: usize,
}

impl Shelf {
    pub(super) fn new(most: usize) -> Self {
        Self {
            lying: Arc::default(),
            most,
        }
    }

    /// Whether a client may ask for more.
    pub(super) fn has_room(&self, client: u64) -> bool {
        let lying = self.lock();
        let own = lying.by_client.get(&client).copied().unwrap_or_default();
        own < self.most && lying.all < self.most.saturating_mul(ALL)
    }

    /// Puts something there, whose client was let in before it was known how long it would be.
    pub(super) fn put(&self, client: u64, bytes: usize) -> Pending {
        let mut lying = self.lock();
        *lying.by_client.entry(client).or_default() += bytes;
        lying.all += bytes;
        Pending {
            shelf: self.clone(),
            client,
            bytes,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lying> {
        self.lying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    /// Makes it longer, if there is room for more.
    pub(in crate::http) fn grow(&mut self, bytes: usize) -> bool {
        if !self.shelf.has_room(self.client) {
            return false;
        }
        let mut lying = self.shelf.lock();
        *lying.by_client.entry(self.client).or_default() += bytes;
        lying.all += bytes;
        self.bytes += bytes;
        true
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut lying = self.shelf.lock();
        lying.all -= self.bytes;
        if let Some(own) = lying.by_client.get_mut(&self.client) {
            *own -= self.bytes;
            if *own == 0 {
                lying.by_client.remove(&self.client);
            }
        }
    }
}

/// The body of an answer, handed on in pieces.
pub(in crate::http) struct Answer {
    left: Bytes,
    _pending: Pending,
}

impl Answer {
    pub(in crate::http) fn body(bytes: Bytes, pending: Pending) -> Body {
        Body::new(Self {
            left: bytes,
            _pending: pending,
        })
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let length = self.left.len().min(PIECE);
        let piece = self.left.split_to(length);
        Poll::Ready((!piece.is_empty()).then_some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn whoever_leaves_answers_lying_gets_no_more_until_they_are_taken() {
        let shelf = Shelf::new(100);
        let first = shelf.put(1, 60);
        assert!(shelf.has_room(1));
        let second = shelf.put(1, 60);
        assert!(!shelf.has_room(1) && shelf.has_room(2), "that is its own affair");
        drop(first);
        assert!(shelf.has_room(1));
        drop(second);
        assert!(shelf.lock().by_client.is_empty());
        let mut growing = shelf.put(1, 0);
        assert!(growing.grow(70) && growing.grow(70) && !growing.grow(1));
        drop(growing);
        let all: Vec<_> = (0..16).map(|client| shelf.put(client, 100)).collect();
        assert!(!shelf.has_room(99), "all together have left too much");
        drop(all);
        assert!(shelf.has_room(99));
        assert_eq!(shelf.lock().all, 0);
    }

    #[tokio::test]
    async fn an_answer_is_whole_in_its_pieces() {
        let shelf = Shelf::new(1);
        let text: Bytes = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let body = Answer::body(text.clone(), shelf.put(1, text.len()));
        assert_eq!(body.size_hint().exact(), Some(200_000));
        assert_eq!(axum::body::to_bytes(body, usize::MAX).await.unwrap(), text);
        assert!(shelf.has_room(1));
    }
}
