//! The report in Markdown: the whole of it, and a few lines for a request.

use super::compare::Changes;
use super::record::{Record, StepResult};
use super::results::{Test, Tests};
use super::text::duration;

/// Most entries of one list that are shown; all are in `report.json`.
pub const SHOWN: usize = 200;

/// The whole report.
pub fn markdown(record: &Record, changes: Option<&Changes>) -> String {
    let mut text = format!("# CPython bring-up: {}\n\n", headline(record));
    text.push_str(&format!(
        "{}, variant {}; {} of work, ended {} UTC.\n\n",
        escaped(&record.source),
        escaped(&record.variant),
        duration(record.seconds),
        escaped(&record.date),
    ));
    if let Some(changes) = changes {
        text.push_str(&changed(changes));
    }
    text.push_str(&steps(record));
    text.push_str(&modules(record));
    if let Some(tests) = &record.tests {
        text.push_str(&tests_text(tests));
    }
    text.push_str(&configure(record));
    text.push_str("## The machine\n\n");
    for (name, value) in &record.facts {
        text.push_str(&format!("- {}: {}\n", escaped(name), escaped(value)));
    }
    text.push_str(&format!("\nMade by {}.\n", escaped(&record.software)));
    text
}

/// What a request to the fleet shows of it.
pub fn summary(record: &Record) -> String {
    let mut text = format!(
        "`coracle bringup cpython` ({}, variant {}), {} UTC: **{}**, in {}.\n",
        escaped(&record.source),
        escaped(&record.variant),
        escaped(&record.date),
        headline(record),
        duration(record.seconds),
    );
    if !record.missing.is_empty() {
        let names: Vec<&str> = record
            .missing
            .iter()
            .map(|one| one.module.as_str())
            .collect();
        text.push_str(&format!(
            "- modules not built: {}\n",
            escaped(&names.join(", "))
        ));
    }
    if let Some(tests) = &record.tests {
        text.push_str(&format!("- {}\n", counts(tests)));
        for name in tests.failing().into_iter().take(30) {
            text.push_str(&format!("  - {}\n", escaped(name)));
        }
    }
    text
}

/// How it went, in a few words.
pub fn headline(record: &Record) -> String {
    let failed = record
        .steps
        .iter()
        .find(|step| step.result == StepResult::Failure);
    let failing = record
        .tests
        .as_ref()
        .map_or(0, |tests| tests.failing().len());
    match (failed, failing) {
        (None, 0) => match record.missing.len() {
            0 => "all steps are good".to_owned(),
            1 => "all steps are good, 1 module is missing".to_owned(),
            count => format!("all steps are good, {count} modules are missing"),
        },
        (_, 1) => "1 test fails".to_owned(),
        (Some(step), 0) => format!("step {} fails", step.name),
        (_, failing) => format!("{failing} tests fail"),
    }
}

/// How many tests did what.
pub fn counts(tests: &Tests) -> String {
    let files = match tests.files_total as usize {
        total if total > tests.files.len() => format!("{} of {total} files", tests.files.len()),
        _ => format!("{} files", tests.files.len()),
    };
    let flaky = match tests.flaky.len() {
        0 => String::new(),
        count => format!(", {count} passed only when run again"),
    };
    format!(
        "{} tests in {files}: {} passed, {} failed{flaky}, {} skipped",
        tests.ran,
        tests.passed,
        tests.failed.len(),
        tests.skipped.len()
    )
}

fn changed(changes: &Changes) -> String {
    let Changes {
        earlier,
        newly_failing,
        newly_passing,
        still_failing,
        modules_lost,
        modules_gained,
    } = changes;
    let mut text = format!("## Compared with {}\n\n", escaped(earlier));
    text.push_str(&names("newly failing", newly_failing));
    text.push_str(&names("newly passing", newly_passing));
    text.push_str(&format!("- failing both times: {still_failing}\n"));
    text.push_str(&names("modules no longer built", modules_lost));
    text.push_str(&names("modules newly built", modules_gained));
    text.push('\n');
    text
}

fn names(what: &str, names: &[String]) -> String {
    let mut text = format!("- {what}: {}\n", names.len());
    for name in names.iter().take(SHOWN) {
        text.push_str(&format!("  - {}\n", escaped(name)));
    }
    text.push_str(&more(names.len()));
    text
}

fn more(count: usize) -> String {
    match count.saturating_sub(SHOWN) {
        0 => String::new(),
        rest => format!("- and {rest} more, see report.json\n"),
    }
}

fn steps(record: &Record) -> String {
    let mut text = "## Steps\n\n| step | result | time | log |\n|---|---|---:|---|\n".to_owned();
    for step in &record.steps {
        let mut result = step.result.word().to_owned();
        if !step.reason.is_empty() {
            result = format!("{result}: {}", escaped(&step.reason));
        }
        let log = step.log.as_ref().map_or(String::new(), |log| {
            format!("[{}]({})", escaped(log), address(log))
        });
        text.push_str(&format!(
            "| {} | {result} | {} | {log} |\n",
            escaped(&step.name),
            duration(step.seconds)
        ));
    }
    text.push('\n');
    for error in &record.build.errors {
        text.push_str(&format!("- `{}`\n", error.replace('`', "'")));
    }
    if let Some(masked) = masked(record) {
        text.push_str(&format!("\n{}\n", escaped(&masked)));
    }
    text
}

/// What the copies of the logs do not show; none if they show everything.
pub fn masked(record: &Record) -> Option<String> {
    let names: Vec<&str> = record.masked.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| {
        format!(
            "Values that look like secrets are masked in these logs (of {}); the logs themselves, in the \
             directory results, have them.",
            names.join(", ")
        )
    })
}

fn modules(record: &Record) -> String {
    if record.missing.is_empty() {
        return String::new();
    }
    let mut text = "\n## Modules that were not built\n\n| module | why | library | remedy |\n|---|---|---|---|\n".to_owned();
    for missing in &record.missing {
        text.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            escaped(&missing.module),
            escaped(&missing.why),
            escaped(missing.library.as_deref().unwrap_or("")),
            escaped(&missing.remedy)
        ));
    }
    for command in &record.install {
        text.push_str(&format!("\n    {command}\n"));
    }
    text.push('\n');
    text
}

fn tests_text(tests: &Tests) -> String {
    let mut text = format!("## Tests\n\n{}.\n", counts(tests));
    if let Some(problem) = &tests.problem {
        text.push_str(&format!("\n**{}**\n", escaped(problem)));
    }
    text.push_str(&list("Files that failed", &tests.files_failed));
    text.push_str(&list("Tests that failed", &tests.failed));
    text.push_str(&list("Tests that passed only when run again", &tests.flaky));
    text.push_str(&list("Files that were skipped", &tests.files_skipped));
    text.push_str(&list("Tests that were skipped", &tests.skipped));
    text.push_str(&slowest("Slowest files", &tests.slow_files));
    text.push_str(&slowest("Slowest tests", &tests.slow_tests));
    text.push('\n');
    text
}

fn list(title: &str, tests: &[Test]) -> String {
    if tests.is_empty() {
        return String::new();
    }
    let mut text = format!("\n### {title}: {}\n\n", tests.len());
    for test in tests.iter().take(SHOWN) {
        let message = match test.message.as_str() {
            "" => String::new(),
            message => format!(": {}", escaped(message)),
        };
        text.push_str(&format!("- {}{message}\n", escaped(&test.name)));
    }
    text.push_str(&more(tests.len()));
    text
}

fn slowest(title: &str, slow: &[(String, f64)]) -> String {
    if slow.is_empty() {
        return String::new();
    }
    let mut text = format!("\n### {title}\n\n");
    for (name, seconds) in slow {
        text.push_str(&format!("- {}: {}\n", escaped(name), duration(*seconds)));
    }
    text
}

fn configure(record: &Record) -> String {
    let configure = &record.configure;
    let mut text = "## Configure\n\n".to_owned();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("- {name}: {}\n", escaped(value)));
        }
    };
    line("system", configure.system.as_deref().unwrap_or(""));
    line("support (PEP 11)", configure.tier.as_deref().unwrap_or(""));
    line("compiler", configure.compiler.as_deref().unwrap_or(""));
    line("options", &configure.options.join(" "));
    line("error", configure.error.as_deref().unwrap_or(""));
    for warning in &configure.warnings {
        line("warning", warning);
    }
    text.push('\n');
    text
}

/// Text from a log in which nothing is Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '@' => {
                safe.push('\\');
                safe.push(character);
            }
            character if character.is_control() => safe.push(' '),
            character => safe.push(character),
        }
    }
    safe
}

/// The address of a file beside the report.
fn address(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
    name.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_log_is_markup() {
        let mut record = Record::new();
        record.tests = Some(Tests {
            failed: vec![Test {
                name: "a_b".to_owned(),
                message: "<script>alert(1)</script> [x](javascript:1) `|`\u{1b}".to_owned(),
            }],
            ..Tests::default()
        });
        let text = markdown(&record, None);
        assert!(text.contains(
            "- a\\_b: &lt;script&gt;alert(1)&lt;/script&gt; \\[x\\](javascript:1) \\`\\|\\` \n"
        ));
        assert!(text.starts_with("# CPython bring-up: 1 test fails\n"));
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        let test = Test {
            name: "a".to_owned(),
            message: String::new(),
        };
        let text = list("Many", &vec![test; 1000]);
        assert_eq!(text.matches("- a\n").count(), SHOWN);
        assert!(text.ends_with("- and 800 more, see report.json\n"));
    }

    #[test]
    fn addresses_of_logs_stay_addresses() {
        assert_eq!(address("logs/01 a\"b.txt"), "logs/01%20a%22b.txt");
    }
}
