//! Who may import whom. A module that is not in the table, or an import that the table does not
//! allow, fails here with its file and line.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Module, and which of ours it may name.
const MODULES: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "worker", "basedir", "journal", "local", "doctor", "join", "bringup",
        ],
    ),
    ("local", &["session", "wire", "calls", "worker", "basedir"]),
    (
        "worker",
        &["session", "steps", "link", "journal", "basedir", "calls"],
    ),
    ("bringup", &["doctor", "basedir", "local"]),
    ("join", &["doctor", "basedir"]),
    ("doctor", &["worker", "link", "basedir"]),
    ("session", &["wire", "calls"]),
    ("steps", &["calls"]),
    ("link", &[]),
    ("journal", &["calls"]),
    ("basedir", &["calls"]),
    ("wire", &[]),
    ("calls", &[]),
];

/// Crates that are not ours (and `ports`), and the only modules that may name them.
const CRATES: &[(&str, &[&str])] = &[
    (
        "ports",
        &[
            "main", "cli", "worker", "steps", "basedir", "local", "doctor", "join", "bringup",
        ],
    ),
    ("smol", &["link", "worker", "local"]),
    ("async_net", &["link"]),
    ("socket2", &["link"]),
    ("rustls", &["link"]),
    ("webpki", &["link"]),
    ("webpki_roots", &["link"]),
    ("fastrand", &["link", "worker"]),
    ("argh", &["main", "cli"]),
    ("md5", &["session"]),
    ("tar", &["steps"]),
    ("flate2", &["steps"]),
    ("bzip2", &["steps"]),
    ("glob", &["steps"]),
    ("postcard", &["journal"]),
    ("serde", &["journal", "local", "bringup"]),
    ("basic_toml", &["local"]),
    ("crc32fast", &["journal", "local"]),
    ("memchr", &["steps", "wire"]),
    ("websocket_sans_io", &["wire"]),
    ("rmp", &["wire"]),
    ("httparse", &["wire"]),
    ("sha1", &["wire"]),
    ("base64", &["link", "wire"]),
    ("regex_lite", &["steps"]),
    ("encoding_rs", &["steps"]),
    ("libc", &[]),
    ("serde_json", &["doctor", "bringup"]),
    ("quick_xml", &["bringup"]),
];

/// What belongs into the crate `ports`.
const SYSTEM_WORDS: &[&str] = &[
    "unsafe ",
    "unsafe{",
    "cfg(unix",
    "cfg(windows",
    "target_os",
    "target_family",
    "std::os::",
];

#[test]
fn every_import_is_in_the_table() {
    let mut faults = Vec::new();
    for (module, file) in sources() {
        let Some((_, allowed)) = MODULES.iter().find(|(name, _)| *name == module) else {
            faults.push(format!(
                "{}: module {module} is not in the table",
                file.display()
            ));
            continue;
        };
        each_line_of_code(&file, |number, line| {
            for target in named_after(line, "crate::").chain(named_after(line, "coracle::")) {
                let known = MODULES.iter().any(|(name, _)| *name == target);
                if known && target != module && !allowed.contains(&target) {
                    faults.push(format!(
                        "{}:{number}: {module} may not import {target}",
                        file.display()
                    ));
                }
            }
            for (name, homes) in CRATES {
                if names_crate(line, name) && !homes.contains(&module.as_str()) {
                    faults.push(format!(
                        "{}:{number}: {module} may not use the crate {name}",
                        file.display()
                    ));
                }
            }
        });
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn what_differs_between_systems_is_in_ports() {
    let mut faults = Vec::new();
    for (_, file) in sources() {
        each_line_of_code(&file, |number, line| {
            for word in SYSTEM_WORDS {
                if line.contains(word) {
                    faults.push(format!(
                        "{}:{number}: `{word}` belongs into ports",
                        file.display()
                    ));
                }
            }
        });
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn ports_imports_nothing_but_libc() {
    let manifest = fs::read_to_string(root().join("ports/Cargo.toml")).unwrap();
    let after = manifest.split("[dependencies]").nth(1).unwrap();
    let names: Vec<&str> = after
        .lines()
        .filter_map(|line| line.split_once('=').map(|(name, _)| name.trim()))
        .collect();
    assert_eq!(names, ["libc"]);
}

#[test]
fn the_table_has_no_module_that_is_gone() {
    let present: Vec<String> = sources().into_iter().map(|(module, _)| module).collect();
    for (module, _) in MODULES {
        assert!(
            present.iter().any(|name| name == module),
            "{module} is in the table but not in src"
        );
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file with the module it belongs to: the first component below `src`.
fn sources() -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    walk(&root().join("src"), &mut found);
    let source = root().join("src");
    found
        .into_iter()
        .filter_map(|file| {
            let relative = file.strip_prefix(&source).unwrap().to_owned();
            let first = relative
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_str()
                .unwrap();
            let module = first.trim_end_matches(".rs").to_owned();
            (module != "lib").then_some((module, file))
        })
        .collect()
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn each_line_of_code(file: &Path, mut look: impl FnMut(usize, &str)) {
    let text = fs::read_to_string(file).unwrap();
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap();
        look(index + 1, code);
    }
}

/// The identifiers that follow `prefix` in a line.
fn named_after<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(prefix).map(move |(at, _)| {
        let rest = &line[at + prefix.len()..];
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Whether a line names this crate in a path (`name::`) or in a `use name`.
fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let whole =
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '.');
        let rest = &line[at + name.len()..];
        whole
            && (rest.starts_with("::")
                || (line.trim_start().starts_with("use ") && rest.starts_with(';')))
    })
}
