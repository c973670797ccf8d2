//! The real binary, as a process that can be killed.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use crate::support::{SECRET, engine::Database};

pub struct Program {
    child: Child,
    /// Where it listens.
    pub url: String,
}

impl Program {
    /// Starts it on a database and waits until it says where it listens.
    pub fn start(database: &Database) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_frontdesk"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--secret",
                SECRET,
                "--database-url",
                &database.flag(),
            ])
            .args(["--log", "error"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let address = line
            .trim()
            .rsplit_once("http://")
            .unwrap_or_else(|| panic!("it said `{line}`"))
            .1
            .to_owned();
        Self {
            child,
            url: format!("http://{address}/graphql"),
        }
    }

    /// SIGKILL: nothing can be finished, nothing tidied up.
    pub fn kill(mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is gone");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
