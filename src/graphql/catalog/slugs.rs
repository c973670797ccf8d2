//! Asking whether a service could have a slug.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use crate::{
    domain::text::SlugProblem,
    graphql::{caller, error::bad_input, input::id as read_id, query::refused, service},
    service::catalog::SlugVerdict,
};

/// What speaks against a slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ServiceSlugError {
    /// It leads to another service, as its present slug or as one that it had before.
    SlugAlreadyExists,
    /// It has something else than lower-case letters from `a` to `z`, digits and single hyphens between them.
    SlugContainsIllegalCharacters,
    /// It is empty.
    SlugIsEmpty,
    /// It has more than 63 characters.
    SlugTooLong,
}

impl From<SlugProblem> for ServiceSlugError {
    fn from(problem: SlugProblem) -> Self {
        match problem {
            SlugProblem::Empty => Self::SlugIsEmpty,
            SlugProblem::TooLong => Self::SlugTooLong,
            SlugProblem::IllegalCharacters => Self::SlugContainsIllegalCharacters,
        }
    }
}

/// Whether a service could have a slug.
#[derive(SimpleObject, Debug, Clone)]
pub struct ServiceSlugValidation {
    /// What speaks against it. Whether it is taken is looked up only if its form is right.
    errors: Vec<ServiceSlugError>,
    /// The slug that was asked about.
    slug: String,
    /// Whether `createService` and `updateService` would take it now.
    valid: bool,
}

impl From<SlugVerdict> for ServiceSlugValidation {
    fn from(verdict: SlugVerdict) -> Self {
        let mut errors: Vec<ServiceSlugError> = verdict.problems.into_iter().map(Into::into).collect();
        errors.extend(verdict.taken.then_some(ServiceSlugError::SlugAlreadyExists));
        Self {
            valid: errors.is_empty(),
            slug: verdict.slug,
            errors,
        }
    }
}

/// Asking whether a service could have a slug.
#[derive(Default, Clone)]
pub struct SlugQuery;

/// Asking whether a service could have a slug.
#[Object]
impl SlugQuery {
    /// Whether a service could have a slug, by the rules of `createService` and `updateService`: before it is sent. For the
    /// owner and apps. What is told is not promised.
    async fn validate_service_slug(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The service that is to have it: what it has itself is not in its way. A new one if not said."
        )]
        service_id: Option<ID>,
        #[graphql(desc = "The slug.")] slug: String,
    ) -> Option<async_graphql::Result<ServiceSlugValidation>> {
        let of = match service_id.as_ref().map(read_id).transpose() {
            Ok(of) => of,
            Err(invalid) => return Some(Err(bad_input(&invalid.at("serviceId")))),
        };
        let told = service(ctx).validate_service_slug(caller(ctx), slug, of).await;
        Some(told.map(Into::into).map_err(|error| refused(ctx, error)))
    }
}
