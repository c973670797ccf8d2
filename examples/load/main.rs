//! Measures how much Frontdesk does and how fast, each figure beside the limit of what lies below it.
//!
//! ```text
//! cargo run --release --example load -- [--parts writes,reads,availability,delivery] [--engines sqlite,postgres]
//! ```
//!
//! It starts all that it needs and removes it again: database files below `--dir`, which has to be on a real disk, a
//! throw-away PostgreSQL cluster with durable settings (its programs have to be on the machine), and the server as a
//! process of its own. Nothing outside the machine is asked. Load and server share the machine's cores.
//!
//! `docs/performance.md` says what the figures were, and what each of them means.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::items_after_statements,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "a program for measuring: it fails by panicking, and its numbers are far from any edge"
)]

mod availability;
mod cluster;
mod delivery;
mod http;
mod mix;
mod pgbench;
mod plain;
mod reads;
mod seed;
mod server;
mod socket;
mod stats;
mod writes;

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

/// Measures Frontdesk, each figure beside its limit.
#[derive(Debug, Clone, Parser)]
#[command(name = "load")]
pub struct Flags {
    /// What is measured.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["writes", "reads", "availability", "delivery"])]
    parts: Vec<Part>,
    /// On which engines.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["sqlite", "postgres"])]
    engines: Vec<Engine>,
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 2.5)]
    seconds: f64,
    /// How often each measurement is made; a figure and its limit take turns, and the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds for which events are delivered.
    #[arg(long, default_value_t = 10.0)]
    delivery_seconds: f64,
    /// Only measurements whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Where databases are put.
    #[arg(long, default_value = "target")]
    dir: PathBuf,
}

impl Flags {
    fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    fn wants(&self, name: &str) -> bool {
        name.contains(&self.only)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Writes,
    Reads,
    Availability,
    Delivery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Sqlite,
    Postgres,
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(server::COMMAND) {
        let flags = std::iter::once("frontdesk".to_owned()).chain(arguments);
        if let Err(error) = frontdesk::app::run(frontdesk::app::Cli::parse_from(flags)).await {
            eprintln!("the server: {error}");
            std::process::exit(1);
        }
        return;
    }
    let flags = Flags::parse();
    let began = std::time::Instant::now();
    std::fs::create_dir_all(&flags.dir).expect("a directory for databases");
    let dir = tempfile::Builder::new()
        .prefix("load-")
        .tempdir_in(&flags.dir)
        .expect("a directory");
    let cluster = flags
        .engines
        .contains(&Engine::Postgres)
        .then(|| cluster::Cluster::start(dir.path()));
    let place = seed::Place {
        dir: dir.path().to_owned(),
        cluster,
    };
    println!(
        "{} cores, {} build, {} rounds of {} s",
        std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        if cfg!(debug_assertions) { "dev" } else { "release" },
        flags.rounds,
        flags.seconds
    );
    for engine in &flags.engines {
        for part in &flags.parts {
            match part {
                Part::Writes => writes::run(&flags, &place, *engine).await,
                Part::Reads => reads::run(&flags, &place, *engine).await,
                Part::Availability => availability::run(&flags, &place, *engine).await,
                Part::Delivery => delivery::run(&flags, &place, *engine).await,
            }
        }
    }
    println!("\n{:.0} s in all", began.elapsed().as_secs_f64());
}
