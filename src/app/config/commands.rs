//! The commands and what they take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::{lifetime, scope};
use crate::{app::tokens::Role, domain::permission::Scope};

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve the API (the default).
    Serve,
    /// Serve a demo studio with services, staff and bookings, out of a database file of its own.
    Demo,
    /// Apply pending migrations and exit.
    Migrate,
    /// Print the GraphQL schema.
    Schema,
    /// Make a bearer token.
    Token(TokenArgs),
    /// Make and list sites.
    #[command(subcommand)]
    Site(SiteCommand),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Bring a calendar file (`.ics`) in: as sessions of a class or course, or as blocked time of a staff member or room.
    ///
    /// All of it or nothing; reading a file again makes nothing twice.
    Import(ImportArgs),
    /// Copy the embedded database into a file while it is in use.
    Backup {
        /// The file to write; it must not be there yet.
        file: PathBuf,
    },
}

/// A calendar file, and what it becomes.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The calendar file, as Google, Apple, Outlook, Thunderbird and others write it.
    pub file: PathBuf,
    /// The slug of the site.
    #[arg(long, default_value = "default")]
    pub site: String,
    /// The id of the schedule whose sessions the events become; those that repeat become series.
    #[arg(
        long,
        value_name = "SCHEDULE_ID",
        required_unless_present = "blocked_time",
        conflicts_with = "blocked_time"
    )]
    pub schedule: Option<String>,
    /// The id of the resource that can't be booked while the events take place.
    #[arg(long, value_name = "RESOURCE_ID")]
    pub blocked_time: Option<String>,
    /// Let blocked time stand over bookings and sessions: the overlaps go on record.
    #[arg(long, requires = "blocked_time")]
    pub allow_overlap: bool,
    /// Only say what would come of it.
    #[arg(long)]
    pub dry_run: bool,
    /// Take away what earlier files brought onto this schedule, or to this resource, and this file hasn't: sessions that
    /// haven't begun, and blocked times that aren't over. Refused where sessions have bookings.
    #[arg(long)]
    pub remove_missing: bool,
}

/// What to do with sites.
#[derive(Debug, Clone, Subcommand)]
pub enum SiteCommand {
    /// Make a site.
    Create {
        /// The name by which visitors' browsers name it: lower-case letters, digits and hyphens.
        #[arg(long)]
        slug: String,
        /// Its name.
        #[arg(long)]
        name: String,
        /// The zone of its wall clock.
        #[arg(long, value_name = "ZONE", default_value = "UTC")]
        time_zone: String,
        /// The currency of its prices.
        #[arg(long, value_name = "CODE", default_value = "EUR")]
        currency: String,
    },
    /// List all sites: id, slug and name.
    List,
}

/// What to do with API keys.
#[derive(Debug, Clone, Subcommand)]
pub enum ApiKeyCommand {
    /// Make a key and print it, once.
    Create {
        /// The slug of the site.
        #[arg(long, default_value = "default")]
        site: String,
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it may do; several with commas between them.
        #[arg(long, value_name = "SCOPE", required = true, value_delimiter = ',', value_parser = scope)]
        scope: Vec<Scope>,
        /// For how long it is good: a number with `h` (hours) or `d` (days) [default: until it is revoked].
        #[arg(long, value_parser = lifetime)]
        expires_in: Option<i64>,
    },
    /// List a site's keys: id, name, scopes, and whether they are good.
    List {
        /// The slug of the site.
        #[arg(long, default_value = "default")]
        site: String,
    },
    /// Revoke a key.
    Revoke {
        /// The slug of the site.
        #[arg(long, default_value = "default")]
        site: String,
        /// The key's id.
        id: String,
    },
}

/// For whom a token is made.
#[derive(Debug, Clone, Args)]
pub struct TokenArgs {
    /// What its bearer may do.
    #[arg(long, value_enum)]
    pub role: Role,
    /// The slug of the site.
    #[arg(long, default_value = "default")]
    pub site: String,
    /// The name of its bearer: an account of yours.
    #[arg(long, default_value = "me")]
    pub subject: String,
    /// Staff: the id of the resource whose calendar it manages.
    #[arg(long, required_if_eq("role", "staff"), value_name = "ID")]
    pub resource: Option<String>,
    /// Apps: what it may do, several with commas between them [default: everything that apps may].
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = scope)]
    pub scope: Vec<Scope>,
    /// For how long it is good: a number with `h` (hours) or `d` (days).
    #[arg(long, default_value = "30d", value_parser = lifetime)]
    pub expires_in: i64,
}
