//! Callers who are no longer who they were: their token has ended, or their key was revoked, while they listened.

use std::future::pending;

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use tokio::time::sleep;

use super::{
    api::{Api, Frame, Refusal},
    wire::{self, Fault},
};

/// The end of a caller's time and why; of one without an end, nothing to wait for.
pub(super) struct Lease(Option<BoxFuture<'static, Refusal>>);

impl Lease {
    /// Of nobody yet.
    pub(super) const NONE: Self = Self(None);

    pub(super) fn of<A: Api>(api: &A, caller: &A::Caller) -> Self {
        let Some(mut left) = api.lease(caller) else {
            return Self::NONE;
        };
        let (api, caller) = (api.clone(), caller.clone());
        let over = async move {
            loop {
                sleep(left).await;
                if let Err(refusal) = api.renew(&caller).await {
                    return refusal;
                }
                match api.lease(&caller) {
                    Some(more) => left = more,
                    None => pending().await,
                }
            }
        };
        Self(Some(over.boxed()))
    }

    /// Waits until it is over.
    pub(super) async fn over(&mut self) -> Refusal {
        match &mut self.0 {
            Some(over) => over.await,
            None => pending().await,
        }
    }

    /// The frames until it is over, and then why there are no more.
    pub(super) fn guard(self, frames: BoxStream<'static, Frame>) -> BoxStream<'static, Frame> {
        let Some(over) = self.0 else { return frames };
        let last = |refusal: Refusal| Frame::Errors(wire::fault_list(&Fault::refused(&refusal)));
        let guarded = Some(frames.take_until(over));
        stream::unfold(guarded, move |guarded| async move {
            let mut guarded = guarded?;
            match guarded.next().await {
                Some(frame) => Some((frame, Some(guarded))),
                None => guarded.take_result().map(|refusal| (last(refusal), None)),
            }
        })
        .boxed()
    }
}
