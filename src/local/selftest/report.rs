//! What was found, for a terminal, for an issue and for programs.

use std::fmt::Write;

use super::{Check, Status, can_serve};

/// Lines for a terminal.
pub fn table(checks: &[Check]) -> Vec<String> {
    let width = checks.iter().map(|check| check.name.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut lines = Vec::new();
    let mut area = "";
    for check in checks {
        if check.area != area {
            area = check.area;
            lines.push(match area {
                "port" => "What coracle asks of the system:".to_owned(),
                _ => "What a master asks of the worker:".to_owned(),
            });
        }
        let mut line = format!(
            "  {:width$}  {:8}  {}",
            check.name,
            check.status.name(),
            check.note
        );
        if check.status != Status::Works {
            // It cannot fail: it is a text.
            let _ = write!(line, " (see {})", check.see);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// How many of each kind.
fn counts(checks: &[Check]) -> [usize; 3] {
    [Status::Works, Status::Degraded, Status::Absent]
        .map(|status| checks.iter().filter(|check| check.status == status).count())
}

/// A block of Markdown for an issue.
pub fn paste(checks: &[Check], version: &str) -> String {
    let [works, degraded, absent] = counts(checks);
    let system = super::system_name();
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let can = if can_serve(checks) { "can" } else { "cannot" };
    let mut text = format!(
        "{version} on {system} (built for {os}, {arch})\nworks: {works}, degraded: {degraded}, absent: {absent}; this machine {can} serve\n"
    );
    if works < checks.len() {
        text.push_str("\n| what | result | reason | look at |\n|---|---|---|---|\n");
    }
    for check in checks.iter().filter(|check| check.status != Status::Works) {
        let note = check.note.replace('|', "\\|");
        // It cannot fail: it is a text.
        let _ = writeln!(
            text,
            "| {}: {} | {} | {note} | {} |",
            check.area,
            check.name,
            check.status.name(),
            check.see
        );
    }
    text
}

/// Everything, as JSON.
pub fn json(checks: &[Check], version: &str) -> String {
    let rows: Vec<String> = checks
        .iter()
        .map(|check| {
            format!(
                "    {{\"area\": {}, \"name\": {}, \"status\": {}, \"note\": {}, \"see\": {}, \"needed\": {}}}",
                quoted(check.area),
                quoted(&check.name),
                quoted(check.status.name()),
                quoted(&check.note),
                quoted(&check.see),
                check.needed
            )
        })
        .collect();
    format!(
        "{{\n  \"version\": {},\n  \"os\": {},\n  \"arch\": {},\n  \"can_serve\": {},\n  \"checks\": [\n{}\n  ]\n}}\n",
        quoted(version),
        quoted(std::env::consts::OS),
        quoted(std::env::consts::ARCH),
        can_serve(checks),
        rows.join(",\n")
    )
}

/// A text as JSON has it (RFC 8259, section 7).
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{0}'..='\u{1f}' => {
                // It cannot fail: it is a text.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
