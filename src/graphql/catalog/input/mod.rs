//! Inputs of the catalog's mutations: what clients send, read into what the acts take. Rules stand in the domain; here
//! is only what a text or number means.

mod calendar;
mod categories;
mod hours;
mod locations;
mod options;
mod payment;
mod policies;
mod presentation;
mod requirements;
mod resource_types;
mod resources;
mod series;
mod service_acts;
mod services;
mod site;

use async_graphql::{Enum, ID, InputType, MaybeUndefined};

use crate::{
    domain::{ids::TypedId, rejection::Invalid},
    graphql::input::{Problems, id, idempotency},
    service::{IdempotencyKey, catalog::Change, catalog::Edit},
};

pub use calendar::*;
pub use categories::*;
pub use hours::*;
pub use locations::{CreateLocationInput, DeleteLocationInput, ServiceLocationInput, UpdateLocationInput};
pub use options::*;
pub use payment::*;
pub use policies::*;
pub use presentation::*;
pub use requirements::ServiceResourceInput;
pub use resource_types::{CreateResourceTypeInput, DeleteResourceTypeInput, UpdateResourceTypeInput};
pub use resources::*;
pub use series::*;
pub use service_acts::*;
pub use services::*;
pub use site::*;

/// What is to become of bookings on which somebody counts, when what they are for goes: those that are pending or
/// confirmed, or held. Bookings that were only begun are canceled without a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum BookingsOnRemoval {
    /// They are canceled, each with its event.
    Cancel,
}

/// What is to become of bookings on which somebody counts, when their session moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum BookingsOnMove {
    /// They move with it, each with its event.
    Move,
}

pub(crate) fn key<I: InputType>(problems: &mut Problems, input: &I, key: Option<&String>) -> Option<IdempotencyKey> {
    idempotency(input, key).unwrap_or_else(|invalid| {
        problems.add(invalid);
        None
    })
}

/// What every change of one object is told; `path` is the name of its id's field.
pub(crate) fn edit<I: TypedId>(
    problems: &mut Problems,
    path: &str,
    object: &ID,
    expected_revision: Option<i32>,
    idempotency: Option<IdempotencyKey>,
) -> Option<Edit<I>> {
    let id = problems.take(path, id(object))?;
    Some(Edit {
        id,
        expected_revision: expected_revision.map(i64::from),
        idempotency,
    })
}

/// Ids of one type.
fn ids<I: TypedId>(problems: &mut Problems, path: &str, ids: &[ID]) -> Vec<I> {
    let read =
        |(index, each): (usize, &ID)| problems.take(path, id(each).map_err(|e: Invalid| e.at(index.to_string())));
    ids.iter().enumerate().filter_map(read).collect()
}

/// A value that a change may set, but that there always is one of.
fn given<T: Clone>(problems: &mut Problems, path: &str, value: &MaybeUndefined<T>) -> Option<T> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => {
            problems.complain(&[path], "can't be null; leave it out to keep it as it is");
            None
        }
        MaybeUndefined::Value(value) => Some(value.clone()),
    }
}

/// A value that a change may set or take away.
fn change<T: Clone>(value: &MaybeUndefined<T>) -> Change<T> {
    match value {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Clear,
        MaybeUndefined::Value(value) => Change::Set(value.clone()),
    }
}
