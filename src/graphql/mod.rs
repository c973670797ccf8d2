//! The GraphQL API: types, resolvers, and how results and errors look. Resolvers are thin: they read the input, call one
//! business act and wrap what it says. Nothing here knows of HTTP.

pub mod admin;
pub mod catalog;
pub mod connection;
pub mod documents;
pub mod error;
#[cfg(test)]
mod fuzz;
pub mod gate;
pub mod input;
pub mod look;
pub mod mutation;
pub mod packages;
pub mod query;
pub mod scalars;
pub mod shared;
pub mod subscription;
pub mod summary;
pub mod types;

use std::sync::Arc;

use async_graphql::{Context, SDLExportOptions, Schema, ValidationMode};

use crate::{
    live::Hub,
    service::{Caller, Service},
};

pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;

/// The schema with its resolvers.
pub type FrontdeskSchema = Schema<Query, Mutation, Subscription>;

/// Makes visitors' tokens; who signs them is not the resolvers' business.
pub type VisitorTokens =
    Arc<dyn Fn(&crate::service::bookings::NewVisitor, crate::domain::ids::SiteId) -> String + Send + Sync>;

/// Makes the text of API keys: the same one each time for the same key.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a function has nothing to show")]
pub struct ApiKeyTexts(
    pub Arc<dyn Fn(crate::domain::ids::SiteId, crate::domain::ids::ApiKeyId) -> String + Send + Sync>,
);

/// The id of the request, put into its data by whoever received it.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Builds the schema. Without data it is good for printing; with it, for serving.
fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription)
        .register_output_type::<types::node::Node>()
        .register_output_type::<error::UserError>()
        // All else is settled by the gate in front.
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(usize::MAX)
}

/// The schema that serves.
#[must_use]
pub fn schema(service: Service, hub: Hub, tokens: VisitorTokens, keys: ApiKeyTexts) -> FrontdeskSchema {
    let builder = builder().data(service).data(hub).data(tokens).data(keys);
    builder.finish()
}

/// The schema as text, sorted, as it stands in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items();
    let mut sdl = builder().finish().sdl_with_options(options);
    sdl = sdl.trim().to_owned();
    sdl.push('\n');
    sdl
}

/// The acts.
pub(crate) fn service<'c>(ctx: &Context<'c>) -> &'c Service {
    ctx.data_unchecked::<Service>()
}

/// Who asks.
pub(crate) fn caller<'c>(ctx: &Context<'c>) -> &'c Caller {
    ctx.data_unchecked::<Caller>()
}

/// The request's id, for errors that are our own fault.
pub(crate) fn request_id(ctx: &Context<'_>) -> String {
    ctx.data_opt::<RequestId>().map_or_else(String::new, |id| id.0.clone())
}
