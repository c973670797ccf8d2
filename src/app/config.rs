//! Flags and environment.

mod commands;
mod values;

use std::{net::SocketAddr, path::PathBuf};

use axum::http::Uri;
use clap::{Args, Parser, ValueEnum};
use ipnet::IpNet;

use super::traces::Endpoint;
use crate::{graphql::gate::Limits, store::DatabaseUrl};

pub use commands::{ApiKeyCommand, Command, ImportArgs, SiteCommand, TokenArgs};
pub use values::MIN_SECRET;
use values::{at_once, keys_url, network, origin, secret};

/// A self-hosted bookings server with a GraphQL API, live subscriptions and no accidental overbooking.
///
/// Without a command it serves, out of one SQLite file. Every flag can be set by the environment variable beside it.
#[derive(Debug, Parser)]
#[command(name = "frontdesk", version, max_term_width = 100)]
pub struct Cli {
    /// What to do; `serve` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What every command takes.
    #[command(flatten)]
    pub config: Config,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Address and port to listen on.
    #[arg(
        long,
        env = "FRONTDESK_LISTEN",
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8080",
        global = true
    )]
    pub listen: SocketAddr,

    /// The database: `sqlite:FILE`, or `postgres://user@host/database` [default: sqlite:frontdesk.db; demo:
    /// sqlite:frontdesk-demo.db].
    #[arg(
        long,
        env = "FRONTDESK_DATABASE_URL",
        value_name = "URL",
        global = true,
        hide_env_values = true
    )]
    pub database_url: Option<DatabaseUrl>,

    /// Connections to `PostgreSQL`; the embedded engine reads with a quarter as many threads, at least 2.
    #[arg(
        long, env = "FRONTDESK_DATABASE_CONNECTIONS", value_name = "NUMBER", default_value_t = 16, global = true,
        value_parser = clap::value_parser!(u16).range(2..=1000)
    )]
    pub database_connections: u16,

    /// The most that an embedded database may grow to, in MiB: beyond it, bookings are refused with
    /// `INSUFFICIENT_STORAGE` while reading goes on [default: as far as the disk goes].
    #[arg(
        long, env = "FRONTDESK_DATABASE_MAX_MIB", value_name = "MIB", global = true,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub database_max_mib: Option<u32>,

    /// Don't apply pending migrations at start; `frontdesk migrate` does it.
    #[arg(long, env = "FRONTDESK_NO_MIGRATE", global = true)]
    pub no_migrate: bool,

    /// The secret that signs tokens, at least 32 bytes. Needed on `PostgreSQL`; beside an embedded database a file with
    /// one is made at the first start.
    #[arg(long, env = "FRONTDESK_SECRET", value_name = "TEXT", global = true, hide_env_values = true, value_parser = secret)]
    pub secret: Option<String>,

    /// A file with the secret, instead of `--secret`.
    #[arg(
        long,
        env = "FRONTDESK_SECRET_FILE",
        value_name = "FILE",
        global = true,
        conflicts_with = "secret"
    )]
    pub secret_file: Option<PathBuf>,

    /// A file with an identity provider's public keys, whose RS256, ES256 and `EdDSA` tokens are accepted, too: a JSON Web
    /// Key Set, or keys as PEM. Read again every 5 minutes, and when a token names a key that isn't in it.
    #[arg(
        long,
        env = "FRONTDESK_JWT_KEYS_FILE",
        value_name = "FILE",
        global = true,
        requires_all = ["jwt_issuer", "jwt_audience"]
    )]
    pub jwt_keys_file: Option<PathBuf>,

    /// Where the identity provider publishes its JSON Web Key Set, instead of `--jwt-keys-file`: `https`, or a loopback
    /// address.
    #[arg(
        long,
        env = "FRONTDESK_JWT_KEYS_URL",
        value_name = "URL",
        global = true,
        conflicts_with = "jwt_keys_file",
        requires_all = ["jwt_issuer", "jwt_audience"],
        value_parser = keys_url
    )]
    pub jwt_keys_url: Option<Uri>,

    /// The `iss` that the identity provider's tokens must have.
    #[arg(long, env = "FRONTDESK_JWT_ISSUER", value_name = "TEXT", global = true)]
    pub jwt_issuer: Option<String>,

    /// The `aud` that the identity provider's tokens must have.
    #[arg(long, env = "FRONTDESK_JWT_AUDIENCE", value_name = "TEXT", global = true)]
    pub jwt_audience: Option<String>,

    /// What stands before the claims `role`, `site`, `resource` and `scopes` in the identity provider's tokens, such as
    /// `https://studio.example/` [default: nothing].
    #[arg(long, env = "FRONTDESK_JWT_CLAIM_PREFIX", value_name = "TEXT", global = true)]
    pub jwt_claim_prefix: Option<String>,

    /// How log lines look.
    #[arg(long, env = "FRONTDESK_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,

    /// Which log lines are written: a level (`error`, `warn`, `info`, `debug`, `trace`), or levels by module, such as
    /// `info,frontdesk::store=debug`.
    #[arg(
        long,
        env = "FRONTDESK_LOG",
        value_name = "LEVELS",
        default_value = "info",
        global = true
    )]
    pub log: String,

    /// Address and port for Prometheus to fetch metrics from, at `/metrics`; keep it private [default: none].
    #[arg(long, env = "FRONTDESK_METRICS_LISTEN", value_name = "ADDR:PORT", global = true)]
    pub metrics_listen: Option<SocketAddr>,

    /// An OpenTelemetry collector that traces are sent to (OTLP as protobuf over HTTP), such as
    /// `http://127.0.0.1:4318` [default: none].
    #[arg(long, env = "FRONTDESK_OTLP_ENDPOINT", value_name = "URL", global = true)]
    pub otlp_endpoint: Option<Endpoint>,

    /// Largest request body, in bytes.
    #[arg(long, env = "FRONTDESK_BODY_LIMIT", value_name = "BYTES", default_value_t = 1024 * 1024, global = true)]
    pub body_limit: usize,

    /// Don't serve the GraphiQL page.
    #[arg(long, env = "FRONTDESK_NO_GRAPHIQL", global = true)]
    pub no_graphiql: bool,

    /// A file with the only documents that may run, as Relay's compiler or Apollo's `generate-persisted-query-manifest`
    /// writes it [default: any document may run].
    #[arg(long, env = "FRONTDESK_TRUSTED_DOCUMENTS", value_name = "FILE", global = true)]
    pub trusted_documents: Option<PathBuf>,

    /// KiB of documents that are kept for clients which send a hash instead of the text (automatic persisted queries);
    /// 0 for none.
    #[arg(
        long,
        env = "FRONTDESK_PERSISTED_QUERIES_KIB",
        value_name = "KIB",
        default_value_t = 2048,
        global = true
    )]
    pub persisted_queries_kib: u32,

    /// Origins whose pages may use the API from a browser, such as `https://studio.example`, with commas between them;
    /// `*` for all [default: only the server's own pages].
    #[arg(
        long,
        env = "FRONTDESK_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ',',
        value_parser = origin,
        global = true
    )]
    pub allow_origin: Vec<String>,

    /// Proxies whose `X-Forwarded-For` is believed, as addresses or networks (`10.0.0.0/8`), with commas between them
    /// [default: none].
    #[arg(
        long,
        env = "FRONTDESK_TRUSTED_PROXY",
        value_name = "NETWORK",
        value_delimiter = ',',
        value_parser = network,
        global = true
    )]
    pub trusted_proxy: Vec<IpNet>,

    /// Connections at once from one address; trusted proxies may have any number.
    #[arg(
        long,
        env = "FRONTDESK_CONNECTIONS_PER_ADDRESS",
        value_name = "NUMBER",
        default_value_t = 1000,
        global = true
    )]
    pub connections_per_address: usize,

    /// Connections at once, whosever they are.
    #[arg(
        long,
        env = "FRONTDESK_CONNECTIONS",
        value_name = "NUMBER",
        default_value_t = 10_000,
        global = true
    )]
    pub connections: usize,

    /// How much may come at once, and how fast.
    #[command(flatten)]
    pub crowd: Crowd,

    /// Seconds after which a query is stopped. A mutation never is.
    #[arg(
        long,
        env = "FRONTDESK_QUERY_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 30,
        global = true
    )]
    pub query_timeout: u64,

    /// Seconds that requests in flight get to finish at shutdown.
    #[arg(
        long,
        env = "FRONTDESK_SHUTDOWN_GRACE",
        value_name = "SECONDS",
        default_value_t = 20,
        global = true
    )]
    pub shutdown_grace: u64,

    /// Running holds that one customer may have.
    #[arg(
        long,
        env = "FRONTDESK_HOLDS_PER_CUSTOMER",
        value_name = "NUMBER",
        default_value_t = 5,
        global = true
    )]
    pub holds_per_customer: u32,

    /// Running holds that customers may have made from one address.
    #[arg(
        long,
        env = "FRONTDESK_HOLDS_PER_ADDRESS",
        value_name = "NUMBER",
        default_value_t = 50,
        global = true
    )]
    pub holds_per_address: u32,

    /// Hours for which idempotency keys are kept.
    #[arg(
        long,
        env = "FRONTDESK_IDEMPOTENCY_HOURS",
        value_name = "HOURS",
        default_value_t = 168,
        global = true
    )]
    pub idempotency_hours: u32,

    /// How much one request may ask for.
    #[command(flatten)]
    pub limits: Limits,
}

/// How much may come at once, and how fast.
#[derive(Debug, Clone, Args)]
pub struct Crowd {
    /// Requests a second from one address (of IPv6: one /64), and ten times as many at once after it was quiet; 0 for
    /// any number.
    #[arg(
        long,
        env = "FRONTDESK_RATE_PER_ADDRESS",
        value_name = "NUMBER",
        default_value_t = 2000,
        global = true
    )]
    pub rate_per_address: u32,

    /// Operations a second of one caller, and ten times as many at once after it was quiet; 0 for any number.
    #[arg(
        long,
        env = "FRONTDESK_RATE_PER_CALLER",
        value_name = "NUMBER",
        default_value_t = 2000,
        global = true
    )]
    pub rate_per_caller: u32,

    /// Operations of one caller at once, subscriptions among them, over all its connections.
    #[arg(
        long,
        env = "FRONTDESK_OPERATIONS_PER_CALLER",
        value_name = "NUMBER",
        default_value_t = 1000,
        global = true
    )]
    pub operations_per_caller: usize,

    /// Operations at once on one WebSocket.
    #[arg(
        long,
        env = "FRONTDESK_OPERATIONS_PER_SOCKET",
        value_name = "NUMBER",
        default_value_t = 512,
        global = true
    )]
    pub operations_per_socket: usize,

    /// Results that a subscriber may be behind the others that asked the same, before it is left to catch up with the
    /// log by itself.
    #[arg(
        long, env = "FRONTDESK_SUBSCRIPTION_QUEUE", value_name = "NUMBER", default_value_t = 1024, global = true,
        value_parser = at_once
    )]
    pub subscription_queue: usize,

    /// KiB of requests that haven't come to their end and of answers that aren't read, of one address, and a sixteenth of
    /// what all together may have; then nothing more of it is taken.
    #[arg(
        long,
        env = "FRONTDESK_PENDING_PER_ADDRESS",
        value_name = "KIB",
        default_value_t = 16384,
        global = true
    )]
    pub pending_per_address: u32,

    /// Queries and mutations that run at once; eight times as many wait for up to two seconds, and the rest is refused.
    #[arg(
        long, env = "FRONTDESK_OPERATIONS_AT_ONCE", value_name = "NUMBER", default_value_t = 64, global = true,
        value_parser = at_once
    )]
    pub operations_at_once: usize,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{values::lifetime, *};
    use clap::CommandFactory as _;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_documents_have_every_flag_with_its_variable_and_default() {
        let page =
            |name: &str| std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
        let (readme, limits) = (page("README.md"), page("docs/limits.md"));
        for flag in Cli::command().get_arguments() {
            let (Some(long), Some(env)) = (flag.get_long(), flag.get_env()) else {
                continue;
            };
            let page = if long.starts_with("limit-") { &limits } else { &readme };
            let start = format!("| `--{long}");
            let row = page.lines().find(|line| {
                line.strip_prefix(&start)
                    .is_some_and(|rest| rest.starts_with([' ', '`']))
            });
            let row = row.unwrap_or_else(|| panic!("no row for --{long}"));
            assert!(row.contains(&format!("`{}`", env.to_str().unwrap())), "{row}");
            for default in flag.get_default_values() {
                assert!(row.contains(default.to_str().unwrap()), "{row}");
            }
        }
    }

    #[test]
    fn a_bad_value_is_named_with_what_was_expected() {
        for (flag, value, expected) in [
            ("--database-url", "mysql://x", "sqlite:FILE"),
            ("--listen", "nowhere", "invalid socket address"),
            ("--secret", "short", "at least 32 bytes"),
            ("--database-connections", "1", "2..=1000"),
            ("--operations-at-once", "0", "from 1 to 100000"),
            ("--limit-nesting", "57", "from 1 to 56"),
            ("--allow-origin", "studio.example", "https://studio.example"),
            ("--allow-origin", "https://studio.example/path", "without a path"),
            ("--trusted-proxy", "10.0.0.0/33", "10.0.0.0/8"),
            ("--jwt-keys-url", "http://issuer.example/keys", "expected an https URL"),
            ("--metrics-listen", "9090", "invalid socket address"),
            ("--otlp-endpoint", "https://collector:4318", "without TLS"),
        ] {
            let error = Cli::try_parse_from(["frontdesk", flag, value]).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(flag), "{error}");
        }
        for bad in ["30", "d", "0d", "-1d", "99999d", "9223372036854775807d"] {
            assert!(lifetime(bad).is_err(), "{bad}");
        }
        assert_eq!(lifetime("12h"), Ok(12 * 3600));
    }
}
