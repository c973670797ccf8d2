//! Builds the web page (`web/`) with npm and embeds it, gzipped, in the binary.
//!
//! What comes out is `$OUT_DIR/web_assets.rs`, an index that `src/http/pages.rs` includes. The
//! source tree stays clean: `web/` is copied into `$OUT_DIR` and npm runs there, so that builds
//! with different target directories can't disturb one another either.
//!
//! The page is not worth a failed build. Where npm is missing or fails, or where
//! `FRONTDESK_SKIP_WEB=1` asks for a quick build, the index is empty and says why; the server then
//! answers `/` with that sentence. After a failure every build tries again (Cargo can't be told of
//! the thing that was missing), so set `FRONTDESK_SKIP_WEB=1` where there never will be an npm.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::hash::{Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

/// All that the page is built from, below `web/`. Only what is listed here is copied, so a file
/// that was forgotten fails the page's build at once instead of going unwatched.
const SOURCES: [&str; 6] = [
    ".npmrc",
    "index.html",
    "package.json",
    "package-lock.json",
    "src",
    "vite.config.js",
];

const SKIP: &str = "FRONTDESK_SKIP_WEB";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={SKIP}");
    for source in SOURCES {
        println!("cargo:rerun-if-changed=web/{source}");
    }

    let out = path_from_env("OUT_DIR");
    let index = match built_page(&out) {
        Ok(dist) => index_of_files(&dist, &out)?,
        Err(reason) => {
            if !skipped() {
                println!("cargo:warning={reason} ({SKIP}=1 silences this)");
                // A file that isn't there counts as changed: the next build tries again.
                println!("cargo:rerun-if-changed={}", out.join("never").display());
            }
            index_of_nothing(&reason)
        }
    };
    fs::write(out.join("web_assets.rs"), index)
}

fn skipped() -> bool {
    env::var_os(SKIP).is_some_and(|value| !value.is_empty() && value != "0")
}

/// The folder with the built page, or one sentence on what is missing and how to get it.
fn built_page(out: &Path) -> Result<PathBuf, String> {
    if skipped() {
        return Err(format!(
            "The page was left out of this build because {SKIP} is set. To get it, unset that, \
             have Node.js 20 or newer with npm, then build again."
        ));
    }
    let source = path_from_env("CARGO_MANIFEST_DIR").join("web");
    let work = out.join("web");
    let dist = work.join("dist");
    let stamp = out.join("web.stamp");

    let fingerprint = fingerprint(&source).map_err(|error| format!("web/ can't be read: {error}."))?;
    // Cargo may run this script for reasons of its own; the page's build takes a minute.
    if fs::read_to_string(&stamp).is_ok_and(|built| built == fingerprint) && dist.is_dir() {
        return Ok(dist);
    }

    let copied = remove(&stamp).and_then(|()| remove(&work)).and_then(|()| {
        SOURCES
            .iter()
            .try_for_each(|name| copy(&source.join(name), &work.join(name)))
    });
    copied.map_err(|error| format!("web/ can't be copied to {}: {error}.", work.display()))?;

    // No package's install script runs: none is needed, and none should on somebody's build host.
    npm(
        &work,
        &[
            "ci",
            "--include=dev",
            "--ignore-scripts",
            "--prefer-offline",
            "--no-audit",
            "--no-fund",
            "--no-progress",
        ],
    )?;
    npm(&work, &["run", "build", "--", "--logLevel", "warn"])?;

    // Hundreds of megabytes, and one copy for each profile. Who works on the page has
    // `npm run dev` in web/; a failure to tidy up is no failure of the build.
    let _ = remove(&work.join("node_modules"));
    fs::write(&stamp, fingerprint).map_err(|error| format!("{} can't be written: {error}.", stamp.display()))?;
    Ok(dist)
}

/// Runs npm without a terminal, and turns each way to fail into a sentence for the page.
fn npm(directory: &Path, arguments: &[&str]) -> Result<(), String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let step = arguments
        .iter()
        .take_while(|word| !word.starts_with('-'))
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .env("CI", "1")
        .env("npm_config_loglevel", "error")
        .env("npm_config_update_notifier", "false")
        // Offline, npm's own patience is minutes.
        .env("npm_config_fetch_retries", "1")
        .env("npm_config_fetch_retry_mintimeout", "1000")
        .env("NODE_ENV", "production")
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            for line in first_lines(&output.stderr, &output.stdout) {
                println!("cargo:warning=npm {step}: {line}");
            }
            Err(format!(
                "The page was left out of this build because `npm {step}` failed, see the build's output. It \
                 needs Node.js 20 or newer with npm and, the first time, a package registry: then build again."
            ))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(
            "The page was left out of this build because npm was not found: install Node.js 20 or newer with npm, \
             then build again."
                .to_owned(),
        ),
        Err(error) => Err(format!(
            "The page was left out of this build because npm can't be run: {error}."
        )),
    }
}

/// What npm and vite say of a failure comes first; a page of usage may follow.
fn first_lines(stderr: &[u8], stdout: &[u8]) -> Vec<String> {
    let text = [stderr, stdout].map(String::from_utf8_lossy).join("\n");
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with("npm warn"))
        .take(12)
        .map(str::to_owned)
        .collect()
}

/// The index of a built page: every file gzipped, with what an answer's headers need.
fn index_of_files(dist: &Path, out: &Path) -> io::Result<String> {
    let packed = out.join("web-gz");
    remove(&packed)?;
    let mut files = Vec::new();
    list(dist, &mut files)?;

    // By path, which is what the server searches by.
    let mut entries: Vec<(String, PathBuf)> = files
        .into_iter()
        .map(|file| {
            let below = file
                .strip_prefix(dist)
                .unwrap_or(&file)
                .to_string_lossy()
                .replace('\\', "/");
            let path = if below == "index.html" {
                "/".to_owned()
            } else {
                format!("/graphiql/{below}")
            };
            (path, file)
        })
        .collect();
    entries.sort();

    let mut index = String::from("static ASSETS: &[Asset] = &[\n");
    fs::create_dir_all(&packed)?;
    for (number, (path, file)) in entries.iter().enumerate() {
        let content = fs::read(file)?;
        let gzipped = fs::File::create(packed.join(format!("{number}.gz")))?;
        let mut encoder = GzEncoder::new(gzipped, Compression::best());
        encoder.write_all(&content)?;
        encoder.finish()?;
        let _ = writeln!(
            index,
            "    Asset {{ path: {path:?}, mime: {:?}, etag: {:?}, gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/web-gz/{number}.gz\")) }},",
            mime(file),
            etag(&content),
        );
    }
    index.push_str("];\nstatic LEFT_OUT: Option<&str> = None;\n");
    Ok(index)
}

fn index_of_nothing(reason: &str) -> String {
    format!("static ASSETS: &[Asset] = &[];\nstatic LEFT_OUT: Option<&str> = Some({reason:?});\n")
}

fn mime(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("ttf") => "font/ttf",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

/// Weak, because the same tag stands for the gzipped and the plain form.
fn etag(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("W/\"{:016x}\"", hasher.finish())
}

/// Changes with every name and every byte that the page is built from.
fn fingerprint(source: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    for name in SOURCES {
        list(&source.join(name), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(source).unwrap_or(&file).hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        list(&entry?.path(), files)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    list(from, &mut files)?;
    for file in files {
        let target = match file.strip_prefix(from) {
            Ok(below) if !below.as_os_str().is_empty() => to.join(below),
            _ => to.to_owned(),
        };
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&file, &target)?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn path_from_env(name: &str) -> PathBuf {
    PathBuf::from(env::var_os(name).unwrap_or_else(|| {
        // Cargo always sets these; run by hand, the script has nowhere to write.
        eprintln!("{name} is not set");
        OsString::from(".")
    }))
}
