//! The demo studio.

use super::{config::Config, serve::Fatal};

/// Serves the demo studio.
pub(super) async fn run(_config: &Config) -> Result<(), Fatal> {
    Err("not yet".into())
}
