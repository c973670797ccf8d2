//! From raw input to domain types: every complaint is collected, so that a form can show them all at once.

use async_graphql::{ID, InputType};
use sha2::{Digest as _, Sha256};

use crate::{
    domain::{
        Rejection,
        ids::TypedId,
        rejection::{Field, Invalid},
        text,
    },
    service::IdempotencyKey,
};

/// Collects what is wrong with an input.
#[derive(Debug, Default)]
pub struct Problems(Vec<Invalid>);

impl Problems {
    /// The value, or a complaint at `path`.
    pub fn take<T>(&mut self, path: &str, value: Result<T, Invalid>) -> Option<T> {
        value.map_err(|invalid| self.0.push(invalid.at(path))).ok()
    }

    /// The value that may be left out, or a complaint at `path`.
    pub fn option<T>(&mut self, path: &str, value: Option<Result<T, Invalid>>) -> Option<T> {
        value.and_then(|value| self.take(path, value))
    }

    /// A complaint that knows its place.
    pub fn add(&mut self, invalid: Invalid) {
        self.0.push(invalid);
    }

    /// A complaint of our own.
    pub fn complain(&mut self, path: &[&str], message: &str) {
        let mut invalid = Invalid::new(Field::Other, message);
        invalid.path = path.iter().map(|segment| (*segment).to_owned()).collect();
        self.0.push(invalid);
    }

    /// Takes over what was found in a part of the input.
    pub fn nest<T>(&mut self, path: &str, part: Result<T, Rejections>) -> Option<T> {
        match part {
            Ok(value) => Some(value),
            Err(rejections) => {
                for rejection in rejections.0 {
                    if let Rejection::Invalid(invalid) = rejection {
                        self.0.push(invalid.at(path));
                    }
                }
                None
            }
        }
    }

    /// The finished value, unless anything was wrong.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Rejections> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Rejections(self.0.into_iter().map(Rejection::Invalid).collect())),
        }
    }
}

/// Refusals of one call.
#[derive(Debug, Clone)]
pub struct Rejections(pub Vec<Rejection>);

impl From<Rejection> for Rejections {
    fn from(rejection: Rejection) -> Self {
        Self(vec![rejection])
    }
}

/// Reads the id of an entity.
pub fn id<T: TypedId>(id: &ID) -> Result<T, Invalid> {
    T::parse(id.as_str()).map_err(|error| Invalid::new(Field::Id, error.to_string()))
}

/// Reads a client's idempotency key; the hash is of the whole input as it was understood, without the key itself.
pub fn idempotency<I: InputType>(input: &I, key: Option<&String>) -> Result<Option<IdempotencyKey>, Invalid> {
    let Some(key) = key else { return Ok(None) };
    let key = text::required(key, 255).map_err(|invalid| invalid.at("idempotencyKey"))?;
    let mut value = input.to_value();
    if let async_graphql::Value::Object(fields) = &mut value {
        fields.swap_remove("idempotencyKey");
    }
    let input_hash = Sha256::digest(value.to_string().as_bytes()).to_vec();
    Ok(Some(IdempotencyKey { key, input_hash }))
}
