//! The real binary, as a process of its own.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test binary uses its own part of it, and a test fails by panicking"
)]

use std::{
    io::{BufRead as _, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// The secret of all test servers.
pub const SECRET: &str = "a secret for tests, long enough to be one";

/// A server that runs.
pub struct Program {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    /// Where it listens.
    pub address: String,
    directory: tempfile::TempDir,
}

impl Program {
    /// Starts it with these flags and waits until it says where it listens. Without a database among them it makes one.
    pub fn start(flags: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let own = format!("sqlite:{}", directory.path().join("frontdesk.db").display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--secret", SECRET]);
        if !flags.contains(&"--database-url") {
            command.args(["--database-url", &own]);
        }
        if !flags.contains(&"--log") {
            command.args(["--log", "error"]);
        }
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let mut child = command
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("it starts");
        let mut said = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line = said.next().and_then(Result::ok).unwrap_or_default();
        let Some((_, address)) = line.trim().rsplit_once("http://") else {
            let log = std::fs::read_to_string(directory.path().join("log")).unwrap_or_default();
            panic!("it said `{line}` and logged {log}");
        };
        Self {
            address: address.to_owned(),
            child,
            said,
            directory,
        }
    }

    /// The address of its API.
    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// The next line that it prints.
    pub fn says(&mut self) -> String {
        self.said.next().expect("a line").expect("a line")
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Where it keeps its things.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Its processor time so far.
    pub fn processor(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = |n: usize| fields.split(' ').nth(n).unwrap().parse::<u32>().unwrap();
        // `utime` and `stime`, in hundredths of a second.
        Duration::from_millis(10) * (ticks(11) + ticks(12))
    }

    /// What it has in memory, in MiB.
    pub fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// SIGKILL: nothing can be finished, nothing tidied up.
    pub fn kill(mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is gone");
    }

    /// SIGTERM; waits until it has ended. Gives back how, how long it took, and its log.
    pub fn stop(mut self) -> (ExitStatus, Duration, String) {
        let start = Instant::now();
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("a signal");
        assert!(sent.success());
        let ended = self.child.wait().expect("it ends");
        (ended, start.elapsed(), self.log())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
