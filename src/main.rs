//! The `frontdesk` binary.

use clap::Parser as _;
use frontdesk::app::{self, Cli};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match app::run(Cli::parse()).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("frontdesk: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
