//! The commands, and the server put together from its layers.

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::http::HeaderValue;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    Asked, Cli, Frontdesk,
    config::{Command, Config, MIN_SECRET},
    demo, log, manage,
    metrics::{self, Sources},
    tokens::{KeySource, Provider, PublicKeys, Tokens},
};
use crate::{
    domain::{
        clock::{Clock, SystemClock},
        money::Currency,
        time::ZoneName,
    },
    graphql::{self, documents::Documents},
    http,
    live::{
        Hub, HubSettings, commit_listener,
        timers::{TimerSettings, Timers},
    },
    service::{Error, Limits, Service, catalog::AHEAD},
    store::{self, DatabaseUrl, Db, Failure, StoreSettings},
};

/// Why the program stops.
pub type Fatal = Box<dyn std::error::Error + Send + Sync>;

/// Runs a command to its end.
pub async fn run(cli: Cli) -> Result<(), Fatal> {
    let config = cli.config;
    let traces = log::start(&config)?;
    let ended = command(cli.command.unwrap_or(Command::Serve), config).await;
    if let Some(traces) = traces {
        traces.finish().await;
    }
    ended
}

async fn command(command: Command, config: Config) -> Result<(), Fatal> {
    match command {
        Command::Serve => serve(&config).await,
        Command::Demo => demo::run(&config).await,
        Command::Migrate => {
            let applied = store::migrate(&database_url(&config, "frontdesk.db")).await?;
            println!("{applied} migrations applied");
            Ok(())
        }
        Command::Schema => {
            print!("{}", graphql::sdl());
            Ok(())
        }
        Command::Token(args) => manage::token(&config, &args).await,
        Command::Site(command) => manage::site(&config, command).await,
        Command::ApiKey(command) => manage::api_key(&config, command).await,
        Command::Import(args) => manage::import(&config, args).await,
        Command::Backup { file } => {
            let url = database_url(&config, "frontdesk.db");
            let db = Db::open(&existing(&url, &config)?, Arc::new(SystemClock), Arc::new(|_, _| {})).await?;
            db.backup(&file).await?;
            println!("{} written", file.display());
            Ok(())
        }
    }
}

async fn serve(config: &Config) -> Result<(), Fatal> {
    let url = database_url(config, "frontdesk.db");
    let running = start(config, &url, Arc::new(SystemClock)).await?;
    println!("Frontdesk is listening on http://{}", running.address);
    if let Some(metrics) = running.metrics {
        println!("Metrics are at http://{metrics}/metrics");
    }
    wait(running).await
}

/// Waits for the server to end, which a signal makes it do.
pub(super) async fn wait(running: Running) -> Result<(), Fatal> {
    let stop = running.stop.clone();
    tokio::spawn(async move {
        terminated().await;
        tracing::info!("stopping");
        stop.cancel();
    });
    running.finished().await
}

async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// A server that is running.
#[expect(missing_debug_implementations, reason = "handles have nothing to show")]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its metrics are, if they are shown.
    pub metrics: Option<SocketAddr>,
    /// The API, for whoever runs the server in its own process.
    pub api: Frontdesk,
    /// Ends it: requests in flight are finished, sockets closed.
    pub stop: CancellationToken,
    serving: JoinHandle<io::Result<()>>,
    timers: Timers,
    live: CancellationToken,
}

impl Running {
    /// Waits until it has ended.
    pub async fn finished(self) -> Result<(), Fatal> {
        self.serving.await??;
        // Subscriptions need the hub until their sockets are closed.
        self.live.cancel();
        self.timers.stopped().await;
        Ok(())
    }
}

/// Starts a server.
pub async fn start(config: &Config, url: &DatabaseUrl, clock: Arc<dyn Clock>) -> Result<Running, Fatal> {
    let secret = secret(config, url)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("can't listen on {}: {error}", config.listen))?;
    let (committed, commits) = commit_listener();
    let db = Db::open(&settings(url, config, !config.no_migrate), clock.clone(), committed).await?;
    db.ready().await?;
    let limits = Limits {
        holds_per_customer: i64::from(config.holds_per_customer),
        holds_per_address: usize::try_from(config.holds_per_address).unwrap_or(usize::MAX),
        idempotency_hours: i64::from(config.idempotency_hours),
        ..Limits::default()
    };
    let service = Service::new(db.clone(), limits);
    if service.sites(1).await?.is_empty() {
        let currency = Currency::parse("EUR").ok_or("EUR is a currency")?;
        let site = service
            .ensure_default_site("My business", ZoneName::utc(), currency)
            .await?;
        tracing::info!(slug = site.slug, "made the site `default`");
    }
    let live = CancellationToken::new();
    let hub = Hub::start(db.clone(), commits, HubSettings::default(), &live);
    let expirer = service.clone();
    let expire = move |site, booking| {
        let service = expirer.clone();
        async move {
            match service.expire_hold(site, booking).await {
                Err(Error::Store(error)) => Err(Failure::Store(error)),
                Err(Error::Rejected(rejection)) => Err(Failure::Rejected(rejection)),
                // The system is never forbidden anything.
                Ok(()) | Err(Error::Forbidden(_)) => Ok(()),
            }
        }
    };
    let extender = service.clone();
    let extend = move |site, series| {
        let service = extender.clone();
        async move { service.extend_series(site, series).await }
    };
    let settings = TimerSettings::default();
    let timers = Timers::start(db.clone(), settings.clone(), service.hold_made(), live.clone(), expire).with_series(
        db,
        settings,
        live.clone(),
        AHEAD,
        extend,
    );
    let tokens = match provider(config).await? {
        Some((provider, keys)) => Tokens::new(&secret, clock).with_provider(provider, keys),
        None => Tokens::new(&secret, clock),
    };
    let asked = Asked {
        limits: config.limits.clone(),
        documents: documents(config)?,
        queue: config.crowd.subscription_queue,
    };
    let api = Frontdesk::new(service, hub, tokens, asked);
    let address = listener.local_addr()?;
    let counters = http::Metrics::default();
    let metrics = match config.metrics_listen {
        None => None,
        Some(address) => {
            let sources = Sources {
                db: api.service().db().clone(),
                hub: api.hub().clone(),
                timers: timers.metrics().clone(),
                http: counters.clone(),
                operations: api.operations().clone(),
            };
            Some(metrics::expose(address, sources, live.clone()).await?)
        }
    };
    let stop = CancellationToken::new();
    let transport = http::Settings {
        body_limit: config.body_limit,
        grace: Duration::from_secs(config.shutdown_grace),
        query_timeout: Duration::from_secs(config.query_timeout),
        connections_per_address: config.connections_per_address,
        connections: config.connections,
        max_operations: config.crowd.operations_per_socket,
        operations_per_caller: config.crowd.operations_per_caller,
        operations_at_once: config.crowd.operations_at_once,
        rate_per_address: config.crowd.rate_per_address,
        rate_per_caller: config.crowd.rate_per_caller,
        trusted_proxies: config.trusted_proxy.clone(),
        allowed_origins: origins(&config.allow_origin),
        pending_per_address: usize::try_from(config.crowd.pending_per_address)
            .unwrap_or(usize::MAX)
            .saturating_mul(1024),
        graphiql: !config.no_graphiql,
        metrics: counters,
        ..http::Settings::default()
    };
    let serving = tokio::spawn(http::serve(
        listener,
        api.clone(),
        transport,
        stop.clone().cancelled_owned(),
    ));
    Ok(Running {
        address,
        metrics,
        api,
        stop,
        serving,
        timers,
        live,
    })
}

/// The documents that may run.
fn documents(config: &Config) -> Result<Documents, Fatal> {
    let Some(file) = &config.trusted_documents else {
        let kib = usize::try_from(config.persisted_queries_kib).unwrap_or(usize::MAX);
        return Ok(Documents::automatic(kib.saturating_mul(1024)));
    };
    let refused = |reason: String| format!("--trusted-documents {}: {reason}", file.display());
    let manifest = fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
    Ok(Documents::trusted(&manifest).map_err(refused)?)
}

/// Whose tokens are accepted beside the server's own.
async fn provider(config: &Config) -> Result<Option<(Provider, PublicKeys)>, Fatal> {
    let source = match (&config.jwt_keys_file, &config.jwt_keys_url) {
        (Some(file), _) => KeySource::File(file.clone()),
        (None, Some(url)) => KeySource::Url(url.clone()),
        (None, None) => return Ok(None),
    };
    let (Some(issuer), Some(audience)) = (config.jwt_issuer.clone(), config.jwt_audience.clone()) else {
        return Err("an identity provider's keys need --jwt-issuer and --jwt-audience".into());
    };
    let claim_prefix = config.jwt_claim_prefix.clone().unwrap_or_default();
    let provider = Provider {
        issuer,
        audience,
        claim_prefix,
    };
    Ok(Some((provider, PublicKeys::open(source).await?)))
}

fn origins(allowed: &[String]) -> http::Origins {
    if allowed.iter().any(|origin| origin == "*") {
        return http::Origins::Any;
    }
    let allowed = allowed.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    http::Origins::These(allowed.collect())
}

/// The database that was asked for, or the embedded one in `file`.
pub(super) fn database_url(config: &Config, file: &str) -> DatabaseUrl {
    config
        .database_url
        .clone()
        .unwrap_or_else(|| DatabaseUrl::Sqlite(PathBuf::from(file)))
}

pub(super) fn settings(url: &DatabaseUrl, config: &Config, migrate: bool) -> StoreSettings {
    StoreSettings {
        url: url.clone(),
        connections: usize::from(config.database_connections),
        migrate,
        max_bytes: config.database_max_mib.map(|mib| u64::from(mib) * 1024 * 1024),
    }
}

/// For commands that need a database that is there already.
pub(super) fn existing(url: &DatabaseUrl, config: &Config) -> Result<StoreSettings, Fatal> {
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        return Err(format!("there is no database {}; `frontdesk serve` makes one", path.display()).into());
    }
    Ok(settings(url, config, false))
}

/// The secret that signs tokens: given, or, beside an embedded database, kept in a file that only its owner can read.
pub(super) fn secret(config: &Config, url: &DatabaseUrl) -> Result<Vec<u8>, Fatal> {
    if let Some(secret) = &config.secret {
        return Ok(secret.clone().into_bytes());
    }
    let file = match (&config.secret_file, url) {
        (Some(file), _) => return read_secret(file),
        (None, DatabaseUrl::Sqlite(path)) => {
            let mut name = path.clone().into_os_string();
            name.push(".secret");
            PathBuf::from(name)
        }
        (None, DatabaseUrl::Postgres(_)) => {
            return Err("on PostgreSQL the secret must be given: --secret, or FRONTDESK_SECRET".into());
        }
    };
    if file.exists() {
        return read_secret(&file);
    }
    let secret = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
    let mut options = fs::OpenOptions::new();
    let mut made = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    made.write_all(secret.as_bytes())?;
    made.sync_all()?;
    tracing::info!(file = %file.display(), "made a secret that signs tokens");
    Ok(secret.into_bytes())
}

fn read_secret(file: &Path) -> Result<Vec<u8>, Fatal> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let secret = text.trim();
    if secret.len() < MIN_SECRET {
        return Err(format!("{}: the secret must have at least {MIN_SECRET} bytes", file.display()).into());
    }
    Ok(secret.as_bytes().to_vec())
}
