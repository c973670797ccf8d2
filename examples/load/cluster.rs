//! A PostgreSQL cluster to throw away, with the settings of one that is kept: every commit is on the disk.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub struct Cluster {
    pub bin: PathBuf,
    pub port: u16,
    data: PathBuf,
    pub log: PathBuf,
    root: bool,
}

impl Cluster {
    pub fn start(dir: &Path) -> Self {
        let bin = binaries().expect("PostgreSQL's programs; leave it out with --engines sqlite");
        let root = Command::new("id")
            .arg("-u")
            .output()
            .is_ok_and(|output| output.stdout.starts_with(b"0\n"));
        let dir = std::path::absolute(dir).unwrap().join("postgres");
        std::fs::create_dir_all(&dir).expect("a directory for the cluster");
        if root {
            // It refuses to run as root, and must be able to get to its files.
            run(Command::new("chown").arg("postgres").arg(&dir));
            run(Command::new("chmod").arg("o+x").args(dir.ancestors().skip(1).take(1)));
        }
        let data = dir.join("data");
        run(as_postgres(root, &bin.join("initdb")).arg("-D").arg(&data).args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
        ]));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let log = dir.join("log");
        let options = format!(
            "-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=on \
             -c synchronous_commit=on -c full_page_writes=on -c max_connections=200 -c shared_buffers=256MB \
             -c max_wal_size=4GB"
        );
        run(as_postgres(root, &bin.join("pg_ctl"))
            .arg("-D")
            .arg(&data)
            .arg("-w")
            .arg("-l")
            .arg(&log)
            .arg("-o")
            .arg(&options)
            .arg("start"));
        Self {
            bin,
            port,
            data,
            log,
            root,
        }
    }

    /// Makes an empty database and gives back its URL.
    pub fn database(&self, name: &str) -> String {
        run(Command::new(self.bin.join("createdb")).args(self.client()).arg(name));
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// How PostgreSQL's own programs get here.
    pub fn client(&self) -> Vec<String> {
        ["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string()]
            .map(str::to_owned)
            .to_vec()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = as_postgres(self.root, &self.bin.join("pg_ctl"));
        stop.arg("-D").arg(&self.data).args(["-m", "immediate", "stop"]);
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

fn binaries() -> Option<PathBuf> {
    let mut places: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    places.sort();
    places.reverse();
    places.extend(
        std::env::var_os("PATH")
            .iter()
            .flat_map(std::env::split_paths)
            .collect::<Vec<_>>(),
    );
    places.into_iter().find(|place| {
        ["initdb", "postgres", "pgbench"]
            .iter()
            .all(|name| place.join(name).exists())
    })
}

fn as_postgres(root: bool, program: &Path) -> Command {
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .expect("it runs");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
