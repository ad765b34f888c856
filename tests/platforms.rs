//! The table of platforms is well formed, and what speaks of the platforms is in step with it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A line of `cross/targets.txt`.
struct Row {
    triple: String,
    system: String,
    tier: String,
    build: String,
    emulator: String,
    tls: String,
}

fn text(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn rows() -> Vec<Row> {
    let table = text("cross/targets.txt");
    let lines = table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [triple, system, tier, build, emulator, tls, _maintainer] = words[..] else {
                panic!("seven columns, not {}: {line}", words.len());
            };
            let [triple, system, tier, build, emulator, tls] =
                [triple, system, tier, build, emulator, tls].map(str::to_owned);
            Row {
                triple,
                system,
                tier,
                build,
                emulator,
                tls,
            }
        })
        .collect()
}

fn is_linked(row: &Row) -> bool {
    row.tier != "check"
}

#[test]
fn every_row_says_how_it_reaches_its_tier() {
    let mut seen = BTreeSet::new();
    for row in rows() {
        let triple = &row.triple;
        assert!(seen.insert(triple.clone()), "{triple} is there twice");
        let zig = row.build == "zigbuild" || row.build.starts_with("zig=");
        let fits = match row.tier.as_str() {
            "run" => zig && (row.emulator == "native" || row.emulator.starts_with("qemu-")),
            "link" => zig && row.emulator == "-",
            "stub" => row.build.starts_with("stub=") && row.emulator == "-",
            "check" => row.build == "-" && row.emulator == "-",
            other => panic!("{triple}: there is no tier {other}"),
        };
        assert!(fits, "{triple}: build or emulator is not of its tier");
        assert!(["yes", "no"].contains(&row.tls.as_str()), "{triple}: tls");
        if let Some(name) = row.build.strip_prefix("stub=") {
            assert!(!text(&format!("cross/symbols/{name}.txt")).is_empty());
        }
    }
}

#[test]
fn emulators_of_the_table_have_a_rule() {
    let rules = text("cross/binfmt-rule");
    for row in rows()
        .iter()
        .filter(|row| row.emulator.starts_with("qemu-"))
    {
        let name = row.emulator.split('=').next().unwrap();
        assert!(rules.contains(&format!("\"{name}\":")), "{name}");
    }
}

#[test]
fn containers_are_for_the_rows_that_are_linked() {
    let file = text("cross/Cross.toml");
    let mut named: Vec<&str> = Vec::new();
    for line in file.lines() {
        let section = line
            .strip_prefix("[target.")
            .and_then(|rest| rest.strip_suffix(']'));
        named.extend(section.or_else(|| line.strip_prefix("# none: ")));
    }
    named.sort_unstable();
    let all = rows();
    let mut linked: Vec<&str> = all
        .iter()
        .filter(|row| is_linked(row))
        .map(|row| row.triple.as_str())
        .collect();
    linked.sort_unstable();
    assert_eq!(named, linked);
}

#[test]
fn every_system_that_is_linked_has_a_page_and_a_file() {
    let contract = text("ports/src/lib.rs");
    for row in rows().iter().filter(|row| is_linked(row)) {
        let name = row.system.to_lowercase();
        assert!(text(&format!("ports/{name}/README.md")).contains("Maintainer"));
        let line = format!("\"{name}\" => \"{name}.rs\",");
        assert!(
            contract.contains(&line),
            "{line} is not in ports/src/lib.rs"
        );
    }
}

#[test]
fn pages_of_systems_name_their_rows_of_the_table() {
    for row in rows() {
        let path = format!("ports/{}/README.md", row.system.to_lowercase());
        let line = format!("| `{}` | {} |", row.triple, row.tier);
        assert!(text(&path).contains(&line), "{path} has no line {line}");
    }
}
