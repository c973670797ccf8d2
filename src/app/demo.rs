//! The demo: a fitness studio with trainers, classes and some weeks of bookings, in a database file of its own.

mod seed;

use std::sync::Arc;

use super::{
    config::Config,
    serve::{Fatal, Running, database_url, settings, start, wait},
    tokens::Role,
};
use crate::{
    domain::{
        catalog::ResourceType,
        clock::{Clock as _, FixedClock, SystemClock},
        ids::ResourceId,
    },
    service::{Caller, Limits, Service},
    store::{
        Db,
        catalog::{ResourceFilter, ResourceOrder},
        page::Direction,
    },
};

/// Serves the demo studio; makes it at the first start.
pub(super) async fn run(config: &Config) -> Result<(), Fatal> {
    let url = database_url(config, "frontdesk-demo.db");
    let now = SystemClock.now();
    {
        // The studio's history is written by the same acts as any other, with a clock that walks through it.
        let clock = Arc::new(FixedClock::new(now));
        let db = Db::open(
            &settings(&url, config, !config.no_migrate),
            clock.clone(),
            Arc::new(|_, _| {}),
        )
        .await?;
        let service = Service::new(
            db,
            Limits {
                holds_per_customer: 100,
                ..Limits::default()
            },
        );
        if service.sites(1).await?.is_empty() {
            seed::studio(&service, &clock, now).await?;
        }
    }
    let running = start(config, &url, Arc::new(SystemClock)).await?;
    println!("{}", welcome(&running).await?);
    wait(running).await
}

/// What a newcomer needs: the address, a token for each role, and something to paste.
async fn welcome(running: &Running) -> Result<String, Fatal> {
    const DAY: i64 = 86_400;
    let (service, tokens) = (running.api.service(), running.api.tokens());
    let site = service
        .sites(1)
        .await?
        .into_iter()
        .next()
        .ok_or("the demo has no site")?;
    let caller = Caller::system(site.id);
    let (all, order) = (ResourceFilter::default(), (ResourceOrder::default(), Direction::Asc));
    let resources = service.resources(&caller, all, order).await?;
    let trainer = resources
        .iter()
        .find(|resource| resource.resource_type == ResourceType::Staff);
    let token =
        |role, subject: &str, resource: Option<ResourceId>| tokens.mint(role, site.id, subject, resource, 30 * DAY);
    let (name, id) = trainer.map_or(("", None), |trainer| (trainer.name.as_str(), Some(trainer.id)));
    let owner = token(Role::Owner, "olivia", None);
    Ok(format!(
        "Frontdesk demo: {studio}
  GraphiQL      http://{address}/#token={owner}
  GraphQL API   http://{address}/graphql

Tokens, good for 30 days (send as `Authorization: Bearer …`; without one you are a visitor):
  owner         {owner}
  staff         {staff}   ({name})
  member        {member}
  app           {app}

A first query to paste:
  {{ services {{ nodes {{ id name type sessions(first: 3, filter: {{ from: \"{now}\" }}) {{ nodes {{ id startDate remainingCapacity }} }} }} }} }}

Stop with Ctrl-C.",
        studio = site.name,
        address = running.address,
        now = service.clock().now().round(jiff::Unit::Second)?,
        staff = token(Role::Staff, "staff", id),
        member = token(Role::Member, seed::MEMBER, None),
        app = token(Role::App, "shop", None),
    ))
}
