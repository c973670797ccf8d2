//! Results as a body that goes on: Server-Sent Events, and multipart as Apollo's clients read it.
//!
//! It owns how the two are written and kept alive, and must not know what runs: it moves bytes that were serialized
//! elsewhere. Each result is asked for when the connection has room for it, so a client that reads slowly piles up
//! nothing here.

use std::{convert::Infallible, panic::AssertUnwindSafe, time::Duration};

use axum::{
    body::Body,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{
    api::{Frame, RequestId},
    lifeline::{Lifeline, Phase},
    metrics::Held,
    negotiate::Streaming,
    wire::{self, Fault},
};

/// Answers with the results of an operation, as they come.
pub(super) fn reply(
    streaming: Streaming,
    frames: BoxStream<'static, Frame>,
    lifeline: Lifeline,
    heartbeat: Duration,
    counted: Held,
    id: RequestId,
) -> Response {
    let mut heartbeat = interval(heartbeat);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // An interval's first tick comes at once.
    heartbeat.reset();
    let conversation = Conversation {
        streaming,
        frames: AssertUnwindSafe(frames).catch_unwind().boxed(),
        heartbeat,
        lifeline,
        _counted: counted,
        id,
        stage: Stage::Opening,
    };
    let body = stream::unfold(conversation, Conversation::next);
    let headers = [
        (header::CONTENT_TYPE, streaming.content_type()),
        (header::VARY, "accept"),
        (header::CACHE_CONTROL, "no-store"),
        // A proxy that waits for more would hold back what is to be seen now.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(body)).into_response()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opening,
    Running,
    Closing,
    Over,
}

struct Conversation {
    streaming: Streaming,
    frames: BoxStream<'static, std::thread::Result<Frame>>,
    heartbeat: Interval,
    lifeline: Lifeline,
    _counted: Held,
    id: RequestId,
    stage: Stage,
}

impl Conversation {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let bytes = match self.stage {
            Stage::Opening => {
                self.stage = Stage::Running;
                self.streaming.opening()
            }
            Stage::Running => self.step().await?,
            Stage::Closing => {
                self.stage = Stage::Over;
                self.streaming.closing()
            }
            Stage::Over => return None,
        };
        Some((Ok(bytes), self))
    }

    /// What is to be said next; nothing more where the server is going down: a stream that breaks off tells the client
    /// to come again.
    async fn step(&mut self) -> Option<Bytes> {
        let frame = tokio::select! {
            biased;
            () = self.lifeline.reached(Phase::Draining) => return None,
            frame = self.frames.next() => frame,
            _ = self.heartbeat.tick() => return Some(self.streaming.heartbeat()),
        };
        self.heartbeat.reset();
        Some(match frame {
            Some(Ok(Frame::Next(result))) => self.streaming.result(&result),
            Some(Ok(Frame::Errors(errors))) => {
                self.stage = Stage::Closing;
                self.streaming.result(&wire::errors_response(&errors))
            }
            Some(Err(_)) => {
                tracing::error!("a subscription crashed");
                self.stage = Stage::Closing;
                self.streaming.result(&wire::fault_response(&Fault::internal(&self.id)))
            }
            None => {
                self.stage = Stage::Over;
                self.streaming.closing()
            }
        })
    }
}

impl Streaming {
    /// Goes out at once, so that the client knows that it is heard.
    fn opening(self) -> Bytes {
        Bytes::from_static(match self {
            Self::EventStream => b":\n\n",
            Self::Multipart => b"\r\n--graphql",
        })
    }

    fn result(self, result: &[u8]) -> Bytes {
        match self {
            Self::EventStream => [b"event: next\ndata: ", result, b"\n\n"].concat().into(),
            Self::Multipart => Self::part(&[br#"{"payload":"#, result, b"}"].concat()),
        }
    }

    fn heartbeat(self) -> Bytes {
        match self {
            Self::EventStream => Bytes::from_static(b":\n\n"),
            Self::Multipart => Self::part(b"{}"),
        }
    }

    fn closing(self) -> Bytes {
        Bytes::from_static(match self {
            // Browsers drop events without data.
            Self::EventStream => b"event: complete\ndata:\n\n",
            Self::Multipart => b"--\r\n",
        })
    }

    /// A part with the delimiter behind it: before that has come, a client can't tell that the part is whole.
    fn part(json: &[u8]) -> Bytes {
        [b"\r\ncontent-type: application/json\r\n\r\n", json, b"\r\n--graphql"]
            .concat()
            .into()
    }
}
