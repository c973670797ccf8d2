//! The `frontdesk` binary.

use std::process::ExitCode;

use clap::Parser as _;
use frontdesk::app::{self, Cli};

/// Room for the deepest document that is let through, also in an unoptimized build.
const STACK: usize = 16 * 1024 * 1024;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build();
    let outcome = match runtime {
        // On a worker and not here: the main thread's stack is the system's to size.
        Ok(runtime) => runtime.block_on(async { tokio::spawn(app::run(cli)).await }),
        Err(error) => {
            eprintln!("frontdesk: {error}");
            return ExitCode::FAILURE;
        }
    };
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("frontdesk: {error}");
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}
