//! The API as the transports see it: credentials become a caller, requests are executed, subscriptions shared.

use std::{sync::Arc, time::Duration};

use async_graphql::{ErrorExtensionValues, Request, Response, ServerError, Variables};
use futures_util::{StreamExt as _, stream::BoxStream};

use tracing::Instrument as _;

use super::{
    operations::{Operations, data},
    tokens::Tokens,
};
use crate::{
    domain::{
        actor::Actor,
        api_key::KeyError,
        ids::{BookingId, SiteId, TypedId as _, VisitorId},
    },
    graphql::{
        self, FrontdeskSchema,
        documents::{Documents, Unresolved},
        gate::{Gate, Limits},
        shared::{self, Begin, Changes, Shareable, SharedExecutions, SharedField},
        types::event::log_position,
    },
    http::{Api, Credentials, DocumentId, Frame, Refusal, RequestId},
    live::Hub,
    service::{
        Caller, Service,
        access::{self, EventSubjects},
    },
    store::StoreError,
};

/// How long a socket that came by an API key goes on without the key being looked at again.
const KEY_LEASE: Duration = Duration::from_secs(10);

/// The API over one database.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "handles have nothing to show")]
pub struct Frontdesk {
    service: Service,
    hub: Hub,
    schema: FrontdeskSchema,
    gate: Gate,
    documents: Documents,
    tokens: Tokens,
    shared: SharedExecutions,
    operations: Operations,
}

/// What may be asked, and how.
#[derive(Debug)]
pub struct Asked {
    /// How much one request may ask for.
    pub limits: Limits,
    /// Which documents may run, and which are known by name.
    pub documents: Documents,
    /// Results that a subscriber may be behind before it catches up on its own.
    pub queue: usize,
}

impl Frontdesk {
    /// Puts it together.
    #[must_use]
    pub fn new(service: Service, hub: Hub, tokens: Tokens, asked: Asked) -> Self {
        let signer = tokens.clone();
        let visitors: graphql::VisitorTokens = Arc::new(move |visitor, site| signer.visitor(visitor, site));
        let signer = tokens.clone();
        let keys = graphql::ApiKeyTexts(Arc::new(move |site, id| signer.api_key(site, id)));
        let schema = graphql::schema(service.clone(), hub.clone(), visitors, keys);
        let Asked {
            limits,
            documents,
            queue,
        } = asked;
        let gate = Gate::new(limits);
        for (id, text) in documents.manifest() {
            if let Err(reason) = gate.check(text) {
                tracing::warn!(id, reason, "a trusted document can't run");
            }
        }
        let (executor, most) = (schema.clone(), gate.limits().errors);
        let execute = move |request: Request| -> BoxStream<'static, Response> {
            let responses = executor.execute_stream(request);
            responses.map(move |response| with_codes(response, most)).boxed()
        };
        Self {
            service,
            hub,
            schema,
            gate,
            documents,
            tokens,
            shared: SharedExecutions::new(execute, queue),
            operations: Operations::default(),
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

    pub(super) fn hub(&self) -> &Hub {
        &self.hub
    }

    pub(super) fn operations(&self) -> &Operations {
        &self.operations
    }

    /// The site with this slug; without one, the only site that there is, if there is only one.
    async fn site_named(&self, slug: Option<String>) -> Result<Option<SiteId>, Refusal> {
        let unavailable = |_| Refusal::unavailable("the sites can't be looked up at the moment");
        match slug {
            Some(slug) => {
                let site = self.service.site_by_slug(slug).await.map_err(unavailable)?;
                let missing = || Refusal::site_not_found("there is no site with the slug in `Frontdesk-Site`");
                Ok(Some(site.ok_or_else(missing)?.id))
            }
            None => match self.service.sites(2).await.map_err(unavailable)?.as_slice() {
                [only] => Ok(Some(only.id)),
                _ => Ok(None),
            },
        }
    }

    async fn visitor(&self, slug: Option<String>) -> Result<Caller, Refusal> {
        let missing = || Refusal::site_not_found("name the site by its slug in the header `Frontdesk-Site`");
        let site = self.site_named(slug).await?.ok_or_else(missing)?;
        Ok(Caller {
            fresh: true,
            ..Caller::new(site, Actor::Visitor(VisitorId::new()))
        })
    }

    /// Who shows a token or an API key.
    async fn bearer(&self, text: &str) -> Result<Caller, Refusal> {
        let Some(named) = Tokens::key_named(text) else {
            let verified = self.tokens.verify(text).await;
            return verified.map_err(|error| Refusal::unauthenticated(error.to_string()));
        };
        let refused = |error: KeyError| Refusal::unauthenticated(error.to_string());
        let (site, id) = named.ok_or_else(|| refused(KeyError::Unknown))?;
        let found = self.service.app_of(site, id, text).await;
        found
            .map_err(|_| Refusal::unavailable("API keys can't be looked up at the moment"))?
            .map_err(refused)
    }
}

impl Api for Frontdesk {
    type Caller = Caller;

    async fn authenticate(&self, credentials: Credentials) -> Result<Caller, Refusal> {
        let token = credentials.bearer.as_deref().or(credentials.visitor_token.as_deref());
        let mut caller = match token {
            Some(token) => {
                let mut caller = self.bearer(token).await?;
                if credentials.bearer.is_none() && !matches!(caller.actor, Actor::Visitor(_)) {
                    let message =
                        "the token in `Frontdesk-Visitor-Token` is not a visitor's; send it as `Authorization: Bearer`";
                    return Err(Refusal::unauthenticated(message));
                }
                if matches!(caller.actor, Actor::Operator(_)) {
                    caller.site = self.site_named(credentials.site).await?.unwrap_or(SiteId::NONE);
                } else if credentials.site.is_some() && self.site_named(credentials.site).await? != Some(caller.site) {
                    let message = "the token is for another site than `Frontdesk-Site` names";
                    return Err(Refusal::forbidden(message));
                }
                caller
            }
            None => self.visitor(credentials.site).await?,
        };
        caller.address = credentials.peer;
        Ok(caller)
    }

    fn lease(&self, caller: &Caller) -> Option<Duration> {
        let left = caller.until.map(|until| {
            let left = until.duration_since(self.service.clock().now());
            Duration::try_from(left).unwrap_or(Duration::ZERO)
        });
        match caller.api_key {
            // It may be revoked at any time.
            Some(_) => Some(left.map_or(KEY_LEASE, |left| left.min(KEY_LEASE))),
            None => left,
        }
    }

    async fn renew(&self, caller: &Caller) -> Result<(), Refusal> {
        let now = self.service.clock().now();
        if caller.until.is_some_and(|until| until <= now) {
            return Err(Refusal::unauthenticated("the token has expired"));
        }
        match self.service.api_key_holds(caller).await {
            Ok(holds) => holds.map_err(|error| Refusal::unauthenticated(error.to_string())),
            // Nobody is thrown out because the database is away.
            Err(_) => Ok(()),
        }
    }

    fn counted_as(&self, caller: &Caller) -> Option<String> {
        // A visitor without a token has a name for this one call.
        let identity = (!caller.fresh).then(|| caller.actor.identity())?;
        Some(format!("{}/{:?}/{}", caller.site, identity.kind, identity.id))
    }

    fn resolve(&self, request: &mut Request) -> Result<(), Refusal> {
        let name = data::<DocumentId>(request).map(|DocumentId(name)| name.as_ref());
        let found = self.documents.resolve(&request.query, name);
        let found = found.map_err(|unresolved| match unresolved {
            Unresolved::NotFound => Refusal::persisted_query_not_found(),
            Unresolved::NotSupported => Refusal::persisted_query_not_supported(),
            Unresolved::Mismatch => Refusal::persisted_query_mismatch(),
            Unresolved::NotTrusted => Refusal::document_not_trusted(),
        })?;
        if let Some(text) = found {
            request.query = text.to_string();
        }
        Ok(())
    }

    async fn execute(&self, caller: Caller, mut request: Request) -> Response {
        let mut watch = self.operations.begin();
        if let Err(errors) = self.gate.admit(&mut request) {
            watch.refused(&request, &errors);
            return Response::from_errors(errors);
        }
        let refusals = watch.admitted(&mut request);
        let request = prepare(caller, request).data(refusals);
        let execution = self.schema.execute(request).instrument(watch.span());
        let response = with_codes(execution.await, self.gate.limits().errors);
        watch.ended(&response);
        response
    }

    fn subscribe(&self, caller: Caller, mut request: Request) -> BoxStream<'static, Frame> {
        let mut watch = self.operations.begin();
        if let Err(errors) = self.gate.admit(&mut request) {
            watch.refused(&request, &errors);
            let errors = serde_json::to_vec(&errors).unwrap_or_default();
            return futures_util::stream::iter([Frame::Errors(errors.into())]).boxed();
        }
        watch.admitted(&mut request);
        let mut watch = watch.subscribed();
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
            (Some(shareable), Some((begin, changes))) => {
                let class = access::class(&caller);
                // Kept as text: an idle subscriber is to be small, and its document is parsed again when it matters.
                let (query, operation) = (request.query.clone(), request.operation_name.clone());
                let variables = serde_json::to_string(&request.variables).unwrap_or_default();
                let request_id = data::<RequestId>(&request).cloned();
                let gate = self.gate.clone();
                let make = move || {
                    let variables: Variables = serde_json::from_str(&variables).unwrap_or_default();
                    let mut again = Request::new(query.clone()).variables(variables);
                    again.operation_name.clone_from(&operation);
                    // It got through before, and what it came to then is looked up.
                    if let Err(errors) = gate.admit(&mut again) {
                        tracing::error!(?errors, "a request that was admitted is refused");
                    }
                    if let Some(id) = &request_id {
                        again = again.data(id.clone());
                    }
                    prepare(caller.clone(), again)
                };
                self.shared
                    .subscribe(&class, &shareable.key, begin, changes, Arc::new(make))
            }
            _ => self.shared.private(prepare(caller, request)),
        };
        frames
            .map(move |frame| match frame {
                shared::Frame::Next(bytes) => {
                    watch.result();
                    Frame::Next(bytes)
                }
                shared::Frame::Errors(bytes) => {
                    watch.failed();
                    Frame::Errors(bytes)
                }
            })
            .boxed()
    }

    async fn readiness(&self) -> Result<(), String> {
        self.service.db().ready().await.map_err(|error| error.to_string())
    }
}

impl Frontdesk {
    /// Where a shared subscription begins and what concerns it; none if its cursor or id is malformed, which the resolver
    /// then says.
    fn begin(&self, caller: &Caller, shareable: &Shareable) -> Option<(Begin, Changes)> {
        let (hub, site, caller) = (self.hub.clone(), caller.site, caller.clone());
        match shareable.field {
            SharedField::BookingStatusChanged => {
                let id = BookingId::parse(shareable.booking.as_deref()?).ok()?;
                let changes = move |after| {
                    let events = hub.follow_booking(site, id, Some(after));
                    let revisions = events.map(|event| event.map(|event| event.revision).map_err(unreadable_log));
                    revisions.boxed()
                };
                Some((Begin::Present, Arc::new(changes)))
            }
            SharedField::BookingEvents => {
                let after = match &shareable.after {
                    Some(text) => Some(log_position(text)?),
                    None => None,
                };
                let log = hub.clone();
                let begin = Begin::Log {
                    after,
                    end: Box::pin(async move { log.last_position(site).await.map_err(unreadable_log) }),
                    own: access::sees_own_events(&caller),
                };
                let changes = move |after| {
                    let caller = caller.clone();
                    let positions = hub.follow_site(site, Some(after)).filter_map(move |event| {
                        let position = match event {
                            Ok(event) => {
                                access::sees_event(&caller, &EventSubjects::from(&*event)).then_some(Ok(event.position))
                            }
                            Err(error) => Some(Err(unreadable_log(error))),
                        };
                        std::future::ready(position)
                    });
                    positions.boxed()
                };
                Some((begin, Arc::new(changes)))
            }
        }
    }
}

fn unreadable_log(error: StoreError) -> ServerError {
    tracing::error!(%error, "the log couldn't be read");
    let mut error = ServerError::new("the log can't be read at the moment", None);
    error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default)
        .set("code", "SERVICE_UNAVAILABLE");
    error
}

fn prepare(caller: Caller, request: Request) -> Request {
    let id = data::<RequestId>(&request).map(|id| graphql::RequestId(id.as_str().to_owned()));
    let request = request.data(caller);
    match id {
        Some(id) => request.data(id),
        None => request,
    }
}

/// Gives the library's own errors their codes, where everything that resolvers say has one, and leaves out those beyond
/// the most that are told.
fn with_codes(mut response: Response, most: usize) -> Response {
    response.errors.truncate(most);
    for error in &mut response.errors {
        let coded = error
            .extensions
            .as_ref()
            .is_some_and(|extensions| extensions.get("code").is_some());
        if coded {
            continue;
        }
        let message = error.message.as_str();
        let input = ["Invalid value for", "Failed to parse", "Expected input type"];
        let code = if input.iter().any(|start| message.starts_with(start)) {
            "BAD_USER_INPUT"
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
