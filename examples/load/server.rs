//! The server as a process of its own, so that its memory and its share of the processor can be told from the load's.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use frontdesk::{
    app::tokens::{Role, Tokens},
    domain::clock::SystemClock,
    store::DatabaseUrl,
};

use super::seed::{CONNECTIONS, Sort, id};

/// This program becomes the server when this is its first argument.
pub const COMMAND: &str = "server";

const SECRET: &str = "a secret for measuring, long enough to be one";

pub struct Server {
    child: Child,
    pub address: String,
    tokens: Tokens,
}

impl Server {
    pub fn start(url: &DatabaseUrl) -> Self {
        let url = match url {
            DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        };
        let connections = CONNECTIONS.to_string();
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([
                COMMAND,
                "--listen",
                "127.0.0.1:0",
                "--secret",
                SECRET,
                "--database-url",
                &url,
            ])
            .args(["--database-connections", &connections, "--log", "warn"])
            // The load comes from one address, and its members never stop.
            .args([
                "--holds-per-customer",
                "4000000000",
                "--holds-per-address",
                "4000000000",
                "--connections-per-address",
                "1000000",
                "--rate-per-address",
                "0",
                "--rate-per-caller",
                "0",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("its first line");
        let address = line.trim().rsplit("http://").next().unwrap_or_default().to_owned();
        assert!(!address.is_empty(), "the server says where it listens");
        Self {
            child,
            address,
            tokens: Tokens::new(SECRET.as_bytes(), Arc::new(SystemClock)),
        }
    }

    pub fn token(&self, role: Role, site: u64, subject: &str) -> String {
        self.tokens.mint(role, id(Sort::Site, site, 0), subject, None, 86_400)
    }

    /// Bytes that it has in memory.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the server runs");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("its memory");
        line.trim()
            .trim_end_matches(" kB")
            .trim()
            .parse::<u64>()
            .expect("a number")
            * 1024
    }

    /// Seconds that it had a processor.
    pub fn processor(&self) -> f64 {
        processor(&self.child.id().to_string())
    }
}

/// Seconds that a process (`self` for this one) had a processor, in the kernel too.
pub fn processor(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("the process runs");
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks: u64 = [11, 12]
        .iter()
        .map(|field| fields[*field].parse::<u64>().expect("a number"))
        .sum();
    ticks as f64 / 100.0
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
