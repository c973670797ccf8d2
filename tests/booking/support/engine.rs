//! Databases for tests: a file each on the embedded engine, a database each on PostgreSQL, whose cluster is given by
//! `TEST_POSTGRES_URL` or started here and thrown away.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use frontdesk::store::{self, DatabaseUrl};
use tempfile::TempDir;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A database of a test's own, gone when it is dropped.
#[derive(Debug)]
pub struct Database {
    pub url: DatabaseUrl,
    pub engine: Engine,
    _dir: Option<TempDir>,
}

impl Database {
    /// The URL as a flag takes it.
    pub fn flag(&self) -> String {
        match &self.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        }
    }
}

impl Engine {
    pub async fn database(self) -> Database {
        match self {
            Self::Sqlite => {
                let dir = tempfile::tempdir().expect("a temporary directory");
                let url = DatabaseUrl::Sqlite(dir.path().join("test.db"));
                Database {
                    url,
                    engine: self,
                    _dir: Some(dir),
                }
            }
            Self::Postgres => {
                let cluster = cluster().expect("PostgreSQL is there");
                cluster.template().await;
                static NUMBER: AtomicU32 = AtomicU32::new(0);
                let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
                cluster
                    .sql(&format!("CREATE DATABASE {name} TEMPLATE {}", template_name()))
                    .await;
                Database {
                    url: DatabaseUrl::Postgres(cluster.url(&name)),
                    engine: self,
                    _dir: None,
                }
            }
        }
    }
}

/// Whether tests on PostgreSQL can run. If not, says so loudly, and fails where `REQUIRE_POSTGRES` is set.
pub fn postgres_is_there() -> bool {
    if cluster().is_some() {
        return true;
    }
    assert!(
        std::env::var_os("REQUIRE_POSTGRES").is_none(),
        "REQUIRE_POSTGRES is set, but there is no TEST_POSTGRES_URL and no PostgreSQL on this machine"
    );
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        eprintln!("\n*** ONE ENGINE ONLY: no TEST_POSTGRES_URL and no PostgreSQL on this machine; its tests were skipped ***\n");
    });
    false
}

struct Cluster {
    /// Ends with `/`: a database's name follows, and then parameters.
    base: String,
    parameters: String,
    templated: tokio::sync::OnceCell<()>,
    _started: Option<Started>,
}

/// A cluster that was started here. A process of its own watches over this one and cleans up behind it: statics are
/// not dropped, and tests may be killed.
struct Started;

fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER
        .get_or_init(|| match std::env::var("TEST_POSTGRES_URL") {
            Ok(url) => Some(given(&url)),
            Err(_) => started(),
        })
        .as_ref()
}

fn given(url: &str) -> Cluster {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let base = address.rsplit_once('/').map_or(address, |(base, _)| base);
    Cluster {
        base: format!("{base}/"),
        parameters: parameters.to_owned(),
        templated: tokio::sync::OnceCell::new(),
        _started: None,
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
    places
        .into_iter()
        .find(|place| place.join("initdb").exists() && place.join("postgres").exists())
}

fn started() -> Option<Cluster> {
    let bin = binaries()?;
    let dir = std::env::temp_dir().join(format!("frontdesk-pg-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory for the cluster");
    let data = dir.join("data");
    let root = is_root();
    if root {
        run(Command::new("chown").arg("postgres").arg(&dir));
    }
    run(as_postgres(root, &bin.join("initdb")).arg("-D").arg(&data).args([
        "--auth=trust",
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]));
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address").port()
    };
    let options = format!(
        "-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off \
         -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 -c shared_buffers=128MB"
    );
    run(as_postgres(root, &bin.join("pg_ctl"))
        .arg("-D")
        .arg(&data)
        .arg("-w")
        .arg("-l")
        .arg(dir.join("log"))
        .arg("-o")
        .arg(&options)
        .arg("start"));
    watch_over(&bin, &data, &dir, root);
    Some(Cluster {
        base: format!("postgres://postgres@127.0.0.1:{port}/"),
        parameters: String::new(),
        templated: tokio::sync::OnceCell::new(),
        _started: Some(Started),
    })
}

/// Stops the cluster and deletes its files when this process is gone, however it ends.
fn watch_over(bin: &Path, data: &Path, dir: &Path, root: bool) {
    let stop = format!(
        "{} -D {} -m immediate stop",
        bin.join("pg_ctl").display(),
        data.display()
    );
    let stop = if root {
        format!("runuser -u postgres -- {stop}")
    } else {
        stop
    };
    let script = format!(
        "while kill -0 {} 2>/dev/null; do sleep 0.5; done; {stop}; rm -rf {}",
        std::process::id(),
        dir.display()
    );
    Command::new("setsid")
        .args(["sh", "-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout.starts_with(b"0\n")
}

/// PostgreSQL refuses to run as root.
fn as_postgres(root: bool, program: &Path) -> Command {
    if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn run(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .expect("runs");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn template_name() -> String {
    format!("frontdesk_template_{}", std::process::id())
}

impl Cluster {
    fn url(&self, database: &str) -> String {
        let parameters = if self.parameters.is_empty() {
            String::new()
        } else {
            format!("?{}", self.parameters)
        };
        format!("{}{database}{parameters}", self.base)
    }

    async fn sql(&self, sql: &str) {
        use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
        let mut conn = AsyncPgConnection::establish(&self.url("postgres"))
            .await
            .expect("connects");
        conn.batch_execute(sql).await.expect(sql);
    }

    /// Migrates once; every test's database is a copy of that.
    async fn template(&self) {
        self.templated
            .get_or_init(|| async {
                let name = template_name();
                self.sql(&format!("CREATE DATABASE {name}")).await;
                store::migrate(&DatabaseUrl::Postgres(self.url(&name)))
                    .await
                    .expect("migrates");
            })
            .await;
    }
}
