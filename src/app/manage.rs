//! Commands of whoever runs the server: tokens, sites, API keys, imports. They work on the database, beside a server or without.

use std::sync::Arc;

use jiff::ToSpan as _;

use super::{
    Fatal,
    config::{ApiKeyCommand, Config, ImportArgs, SiteCommand, TokenArgs},
    serve::{database_url, existing, secret},
    tokens::{Role, Tokens},
};
use crate::{
    domain::{
        actor::Actor,
        catalog::Site,
        clock::SystemClock,
        ids::{ApiKeyId, ResourceId, ScheduleId, SiteId, TypedId as _},
        money::Currency,
        permission::Scope,
        time::ZoneName,
    },
    service::{
        Caller, Limits, Service,
        api_keys::CreateApiKey,
        catalog::{Edit, Import, ImportError, ImportInto, Imported},
    },
    store::{Db, page::PageRequest},
};

/// Rows that are read at once.
const PAGE: i64 = 100;

async fn service(config: &Config) -> Result<Service, Fatal> {
    let settings = existing(&database_url(config, "frontdesk.db"), config)?;
    let db = Db::open(&settings, Arc::new(SystemClock), Arc::new(|_, _| {})).await?;
    Ok(Service::new(db, Limits::default()))
}

fn tokens(config: &Config) -> Result<Tokens, Fatal> {
    let secret = secret(config, &database_url(config, "frontdesk.db"))?;
    Ok(Tokens::new(&secret, Arc::new(SystemClock)))
}

async fn site_with(service: &Service, slug: &str) -> Result<Site, Fatal> {
    let found = service.site_by_slug(slug.to_owned()).await?;
    found.ok_or_else(|| format!("there is no site `{slug}`").into())
}

fn operator(site: SiteId) -> Caller {
    Caller::new(site, Actor::Operator("command line".to_owned()))
}

fn first_page<K>(after: Option<K>) -> PageRequest<K> {
    PageRequest {
        limit: PAGE,
        after,
        before: None,
        from_end: false,
    }
}

/// Prints a token.
pub(super) async fn token(config: &Config, args: &TokenArgs) -> Result<(), Fatal> {
    let service = service(config).await?;
    let site = match args.role {
        Role::Operator => SiteId::NONE,
        _ => site_with(&service, &args.site).await?.id,
    };
    let resource = args.resource.as_deref().map(ResourceId::parse).transpose()?;
    let resource = resource.filter(|_| args.role == Role::Staff);
    let scopes = (args.role == Role::App && !args.scope.is_empty()).then(|| args.scope.clone());
    let tokens = tokens(config)?;
    println!(
        "{}",
        tokens.mint_scoped(args.role, site, &args.subject, resource, scopes, args.expires_in)
    );
    Ok(())
}

/// Makes and lists sites.
pub(super) async fn site(config: &Config, command: SiteCommand) -> Result<(), Fatal> {
    let service = service(config).await?;
    match command {
        SiteCommand::Create {
            slug,
            name,
            time_zone,
            currency,
        } => {
            let zone = ZoneName::parse(&time_zone).ok_or_else(|| format!("there is no time zone `{time_zone}`"))?;
            let money = Currency::parse(&currency).ok_or_else(|| format!("there is no currency `{currency}`"))?;
            let site = service.create_site(&slug, &name, zone, money).await?;
            println!("{}", site.id);
        }
        SiteCommand::List => {
            let mut after = None;
            loop {
                let page = service.all_sites(&operator(SiteId::NONE), first_page(after)).await?;
                for site in &page.items {
                    println!("{}  {}  {}", site.id, site.slug, site.name);
                    after = Some(crate::store::catalog::TimeKey {
                        at: site.created,
                        id: site.id,
                    });
                }
                if !page.has_next {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Makes, lists and revokes API keys.
pub(super) async fn api_key(config: &Config, command: ApiKeyCommand) -> Result<(), Fatal> {
    let service = service(config).await?;
    let now = service.clock().now();
    match command {
        ApiKeyCommand::Create {
            site,
            name,
            scope,
            expires_in,
        } => {
            let tokens = tokens(config)?;
            let caller = operator(site_with(&service, &site).await?.id);
            let expires = expires_in
                .map(|seconds| now.checked_add(seconds.seconds()))
                .transpose()?;
            let input = CreateApiKey {
                name,
                scopes: scope,
                expires,
            };
            let text = |site, id| tokens.api_key(site, id);
            let key = service.create_api_key(&caller, input, None, &text).await?;
            println!("{}", text(caller.site, key.id));
        }
        ApiKeyCommand::List { site } => {
            let caller = operator(site_with(&service, &site).await?.id);
            let mut after = None;
            loop {
                let page = service.api_keys(&caller, first_page(after)).await?;
                for key in &page.items {
                    let state = match key.check(now) {
                        Ok(()) => "good".to_owned(),
                        Err(error) => error.to_string(),
                    };
                    let scopes: Vec<_> = key.scopes.iter().copied().map(Scope::name).collect();
                    println!("{}  {}  {}  {state}", key.id, key.name, scopes.join(","));
                    after = Some(crate::store::catalog::TimeKey {
                        at: key.created,
                        id: key.id,
                    });
                }
                if !page.has_next {
                    break;
                }
            }
        }
        ApiKeyCommand::Revoke { site, id } => {
            let caller = operator(site_with(&service, &site).await?.id);
            let edit = Edit {
                id: ApiKeyId::parse(&id)?,
                expected_revision: None,
                idempotency: None,
            };
            let key = service.revoke_api_key(&caller, edit).await?;
            println!("{} revoked", key.id);
        }
    }
    Ok(())
}

/// Brings a calendar file in.
pub(super) async fn import(config: &Config, args: ImportArgs) -> Result<(), Fatal> {
    let into = match (&args.schedule, &args.blocked_time) {
        (Some(schedule), _) => ImportInto::Sessions(ScheduleId::parse(schedule)?),
        (None, Some(resource)) => ImportInto::BlockedTime(ResourceId::parse(resource)?),
        (None, None) => return Err("give `--schedule` or `--blocked-time`".into()),
    };
    let name = args.file.display().to_string();
    let file = std::fs::read(&args.file).map_err(|error| format!("can't read {name}: {error}"))?;
    let service = service(config).await?;
    // Whoever has the database may do with it what the server itself does.
    let caller = Caller::system(site_with(&service, &args.site).await?.id);
    let import = Import {
        file,
        into,
        allow_overlap: args.allow_overlap,
        dry_run: args.dry_run,
        remove_missing: args.remove_missing,
    };
    match service.import(&caller, import).await {
        Ok(imported) => {
            println!("{}", summary(&imported, into, args.dry_run));
            Ok(())
        }
        Err(ImportError::Unreadable(unreadable)) => {
            let mut lines = vec![format!("{name} can't be read, and nothing of it was brought in")];
            lines.extend(unreadable.problems.iter().map(|problem| format!("  {problem}")));
            if unreadable.more {
                lines.push("  and more".to_owned());
            }
            Err(lines.join("\n").into())
        }
        Err(error) => Err(format!("nothing of {name} was brought in\n  {error}").into()),
    }
}

/// What came of a file, for people.
fn summary(imported: &Imported, into: ImportInto, dry_run: bool) -> String {
    let (each, made) = match into {
        ImportInto::Sessions(_) => ("events", "sessions"),
        ImportInto::BlockedTime(_) => ("times", "blocked times"),
    };
    let mut lines = vec![format!(
        "{each}: {} new, {} changed, {} gone, {} left as they are",
        imported.new, imported.changed, imported.gone, imported.left
    )];
    let left_out = [
        (imported.cancelled, "cancelled"),
        (imported.over, "over"),
        (imported.timeless, "without a length"),
        (imported.transparent, "transparent"),
        (imported.superseded, "there in a newer version"),
    ];
    let left_out: Vec<String> = left_out
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!("{count} {why}"))
        .collect();
    if !left_out.is_empty() {
        lines.push(format!("left out: {}", left_out.join(", ")));
    }
    lines.push(format!("{made} made: {}", imported.made));
    let missing = imported.missing;
    if missing > 0 {
        let (are, them) = if missing == 1 { ("is", "it") } else { ("are", "them") };
        lines.push(format!(
            "{missing} that earlier files had {are} not in this one; --remove-missing takes {them} away"
        ));
    }
    if dry_run {
        lines.push("nothing was written: this was a dry run".to_owned());
    }
    lines.join("\n")
}
