//! Dependencies between the layers point down: `main -> app -> http -> graphql -> live -> service -> store -> domain`.
//! Each may skip ahead; none may look up.

use std::path::{Path, PathBuf};

const LAYERS: [&str; 7] = ["app", "http", "graphql", "live", "service", "store", "domain"];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The layers that a source names by `crate::`, also inside `use crate::{..}`.
fn named(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("crate::") {
        let behind = &source[at + "crate::".len()..];
        if let Some(list) = behind.strip_prefix('{') {
            let mut depth = 0_i32;
            let mut name = String::new();
            let mut reading = true;
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push(std::mem::take(&mut name));
                        reading = true;
                    }
                    _ if depth == 0 && reading && (c.is_alphanumeric() || c == '_') => name.push(c),
                    c if depth == 0 && !c.is_whitespace() => reading = false,
                    _ => {}
                }
            }
            found.push(name);
        } else {
            found.push(
                behind
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect(),
            );
        }
    }
    found
}

#[test]
fn no_layer_depends_on_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 50, "the sources are there");
    let mut upward = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        let top = inside.iter().next().unwrap().to_string_lossy().replace(".rs", "");
        let Some(own) = LAYERS.iter().position(|layer| *layer == top) else {
            assert!(
                ["lib", "main"].contains(&top.as_str()),
                "{top} is a layer of its own; where does it stand?"
            );
            continue;
        };
        for name in named(&std::fs::read_to_string(&file).unwrap()) {
            let above = LAYERS
                .iter()
                .position(|layer| *layer == name)
                .is_some_and(|other| other < own);
            if above {
                upward.push(format!("{} uses {name}", inside.display()));
            }
        }
    }
    assert_eq!(upward, Vec::<String>::new());
}

#[test]
fn the_names_are_read_out_of_every_form() {
    let source =
        "use crate::domain::ids; use crate::{\n    live::{Hub, x::{y}},\n    store, http as h,\n}; crate::app::run();";
    assert_eq!(
        named(source)
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect::<Vec<_>>(),
        ["domain", "live", "store", "http", "app"]
    );
}

/// The domain is pure: no I/O, no async, no clock of its own.
#[test]
fn the_domain_does_no_io() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain"), &mut files);
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        for foreign in [
            "async fn",
            "tokio::",
            "diesel",
            "axum",
            "async_graphql",
            "std::fs",
            "std::net",
        ] {
            assert!(!source.contains(foreign), "{} has `{foreign}`", file.display());
        }
    }
}
