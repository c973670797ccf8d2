//! The API as the transports see it: credentials become a caller, requests are executed, subscriptions shared.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{ErrorExtensionValues, Request, Response, ServerError};
use futures_util::{StreamExt as _, stream::BoxStream};

use super::tokens::Tokens;
use crate::{
    domain::{actor::Actor, ids::VisitorId},
    graphql::{
        self, FrontdeskSchema,
        shared::{self, Begin, Shareable, SharedExecutions, SharedField},
        types::event::log_position,
    },
    http::{Api, Credentials, Frame, Refusal, RequestId},
    live::Hub,
    service::{Caller, Service, access},
};

/// Frames that a subscriber may be behind before it catches up on its own.
const SHARED_BUFFER: usize = 1024;

/// The API over one database.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "handles have nothing to show")]
pub struct Frontdesk {
    service: Service,
    hub: Hub,
    schema: FrontdeskSchema,
    tokens: Tokens,
    shared: SharedExecutions,
}

impl Frontdesk {
    /// Puts it together.
    #[must_use]
    pub fn new(service: Service, hub: Hub, tokens: Tokens) -> Self {
        let signer = tokens.clone();
        let visitors: graphql::VisitorTokens = Arc::new(move |visitor, site| signer.visitor(visitor, site));
        let schema = graphql::schema(service.clone(), hub.clone(), visitors);
        let executor = schema.clone();
        let execute = move |request: Request| -> BoxStream<'static, Response> {
            executor.execute_stream(request).map(with_codes).boxed()
        };
        Self {
            service,
            hub,
            schema,
            tokens,
            shared: SharedExecutions::new(execute, SHARED_BUFFER),
        }
    }

    /// Signs and checks tokens.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The business acts.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }

    async fn visitor(&self, slug: Option<String>) -> Result<Caller, Refusal> {
        let unavailable = |_| Refusal::unavailable("the sites can't be looked up at the moment");
        let site = match slug {
            Some(slug) => self
                .service
                .site_by_slug(slug)
                .await
                .map_err(unavailable)?
                .ok_or_else(|| Refusal::site_not_found("there is no site with the slug in `Frontdesk-Site`"))?,
            None => match self.service.sites(2).await.map_err(unavailable)?.as_slice() {
                [only] => only.clone(),
                _ => {
                    return Err(Refusal::site_not_found(
                        "name the site by its slug in the header `Frontdesk-Site`",
                    ));
                }
            },
        };
        Ok(Caller {
            site: site.id,
            actor: Actor::Visitor(VisitorId::new()),
            fresh: true,
            address: None,
        })
    }
}

impl Api for Frontdesk {
    type Caller = Caller;

    async fn authenticate(&self, credentials: Credentials) -> Result<Caller, Refusal> {
        let token = credentials.bearer.as_deref().or(credentials.visitor_token.as_deref());
        let mut caller = match token {
            Some(token) => {
                let caller = self
                    .tokens
                    .verify(token)
                    .map_err(|error| Refusal::unauthenticated(error.to_string()))?;
                if credentials.bearer.is_none() && !matches!(caller.actor, Actor::Visitor(_)) {
                    let message =
                        "the token in `Frontdesk-Visitor-Token` is not a visitor's; send it as `Authorization: Bearer`";
                    return Err(Refusal::unauthenticated(message));
                }
                if let Some(slug) = credentials.site {
                    let named = self.visitor(Some(slug)).await?;
                    if named.site != caller.site {
                        return Err(Refusal::forbidden(
                            "the token is for another site than `Frontdesk-Site` names",
                        ));
                    }
                }
                caller
            }
            None => self.visitor(credentials.site).await?,
        };
        caller.address = credentials.peer;
        Ok(caller)
    }

    async fn execute(&self, caller: Caller, mut request: Request) -> Response {
        match readable(&mut request) {
            Ok(()) => with_codes(self.schema.execute(prepare(caller, request)).await),
            Err(error) => Response::from_errors(vec![error]),
        }
    }

    fn subscribe(&self, caller: Caller, mut request: Request) -> BoxStream<'static, Frame> {
        if let Err(error) = readable(&mut request) {
            let errors = serde_json::to_vec(&[error]).unwrap_or_default();
            return futures_util::stream::iter([Frame::Errors(errors.into())]).boxed();
        }
        let parsed = request.parsed_query().ok().cloned();
        let shareable = parsed.as_ref().and_then(|document| {
            Shareable::of(
                &request.query,
                document,
                request.operation_name.as_deref(),
                &request.variables,
            )
        });
        let begin = shareable.as_ref().and_then(|shareable| self.begin(&caller, shareable));
        let frames = match (shareable, begin) {
            (Some(shareable), Some(begin)) => {
                let class = access::class(&caller);
                let (query, variables, operation) = (
                    request.query.clone(),
                    request.variables.clone(),
                    request.operation_name.clone(),
                );
                let request_id = request
                    .data
                    .get(&std::any::TypeId::of::<RequestId>())
                    .and_then(|data| data.downcast_ref::<RequestId>().cloned());
                let make = move || {
                    let mut again = Request::new(query.clone()).variables(variables.clone());
                    again.operation_name.clone_from(&operation);
                    if let Some(document) = &parsed {
                        again.set_parsed_query(document.clone());
                    }
                    if let Some(id) = &request_id {
                        again = again.data(id.clone());
                    }
                    prepare(caller.clone(), again)
                };
                self.shared.subscribe(&class, &shareable.key, begin, Arc::new(make))
            }
            _ => self.shared.private(prepare(caller, request)),
        };
        frames
            .map(|frame| match frame {
                shared::Frame::Next(bytes) => Frame::Next(bytes),
                shared::Frame::Errors(bytes) => Frame::Errors(bytes),
            })
            .boxed()
    }

    async fn readiness(&self) -> Result<(), String> {
        self.service.db().ready().await.map_err(|error| error.to_string())
    }
}

impl Frontdesk {
    /// Where a shared subscription begins; none if its cursor is malformed, which the resolver then says.
    fn begin(&self, caller: &Caller, shareable: &Shareable) -> Option<Begin> {
        match shareable.field {
            SharedField::BookingStatusChanged => Some(Begin::Present),
            SharedField::BookingEvents => {
                let after = match &shareable.after {
                    Some(text) => Some(log_position(text)?),
                    None => None,
                };
                let (hub, site) = (self.hub.clone(), caller.site);
                let end = async move {
                    hub.last_position(site).await.map_err(|error| {
                        tracing::error!(%error, "the log's end couldn't be read");
                        let mut error = ServerError::new("the log can't be read at the moment", None);
                        error
                            .extensions
                            .get_or_insert_with(ErrorExtensionValues::default)
                            .set("code", "SERVICE_UNAVAILABLE");
                        error
                    })
                };
                Some(Begin::Log {
                    after,
                    end: Box::pin(end),
                })
            }
        }
    }
}

/// Makes the document one that the parser can read, or says why it can't be.
fn readable(request: &mut Request) -> Result<(), ServerError> {
    let unreadable = |message: &str, code: &'static str| {
        let mut error = ServerError::new(message, None);
        error
            .extensions
            .get_or_insert_with(ErrorExtensionValues::default)
            .set("code", code);
        error
    };
    if graphql::document::too_deep(&request.query) {
        return Err(unreadable(
            "the document is nested too deeply",
            "GRAPHQL_VALIDATION_FAILED",
        ));
    }
    let repaired = match graphql::document::without_surrogates(&request.query) {
        Ok(Cow::Borrowed(_)) => return Ok(()),
        Ok(Cow::Owned(text)) => text,
        Err(message) => return Err(unreadable(message, "GRAPHQL_PARSE_FAILED")),
    };
    request.query = repaired;
    Ok(())
}

fn prepare(caller: Caller, request: Request) -> Request {
    let id = request
        .data
        .get(&std::any::TypeId::of::<RequestId>())
        .and_then(|data| data.downcast_ref::<RequestId>())
        .map(|id| graphql::RequestId(id.as_str().to_owned()));
    let request = request.data(caller);
    match id {
        Some(id) => request.data(id),
        None => request,
    }
}

/// Gives the library's own errors their codes: everything that resolvers say has one.
fn with_codes(mut response: Response) -> Response {
    for error in &mut response.errors {
        let coded = error
            .extensions
            .as_ref()
            .is_some_and(|extensions| extensions.get("code").is_some());
        if coded {
            continue;
        }
        let message = error.message.as_str();
        let input = [
            "Invalid value for",
            "Failed to parse",
            "Variable",
            "Expected input type",
        ];
        let code = if input.iter().any(|start| message.starts_with(start)) {
            "BAD_USER_INPUT"
        } else if message.contains(" --> ") {
            "GRAPHQL_PARSE_FAILED"
        } else if error.path.is_empty() {
            "GRAPHQL_VALIDATION_FAILED"
        } else {
            "INTERNAL_ERROR"
        };
        error
            .extensions
            .get_or_insert_with(ErrorExtensionValues::default)
            .set("code", code);
    }
    response
}
