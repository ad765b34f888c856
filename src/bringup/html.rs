//! The report as one HTML page without anything from elsewhere: no script, no font, no picture.
//! Everything that comes from a log is text.

mod summary;
mod tested;

use super::compare::Changes;
use super::markdown::{headline, masked};
use super::record::{Record, Step, StepResult};

use super::text::duration;

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn html(record: &Record, changes: Option<&Changes>) -> String {
    let mut page = Page(String::new());
    page.0.push_str(concat!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
        // Whatever a log says, a browser fetches and runs nothing.
        "<meta http-equiv=\"Content-Security-Policy\" ",
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    ));
    let title = format!("CPython bring-up: {}", headline(record));
    page.0.push_str(&format!(
        "<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escaped(&title)
    ));
    page.head(record);
    page.tiles(record);
    if let Some(changes) = changes {
        page.changes(changes);
    }
    page.steps(record);
    page.modules(record);
    if let Some(tests) = &record.tests {
        page.tests(tests);
    }
    page.configure(record);
    page.machine(record);
    page.0.push_str(&format!(
        "<footer>Made by {}. Everything in numbers: report.json.</footer>\n</main>\n</body>\n</html>\n",
        escaped(&record.software)
    ));
    page.0
}

struct Page(String);

impl Page {
    fn heading(&mut self, text: &str) {
        self.0.push_str(&format!("<h2>{}</h2>\n", escaped(text)));
    }

    fn steps(&mut self, record: &Record) {
        self.heading("Steps");
        self.0.push_str(
            "<div class=\"card\"><table>\n<tr><th>step</th><th>result</th>\
             <th class=\"n\">time</th><th class=\"bars\"></th><th class=\"w\">log</th></tr>\n",
        );
        let times = record.steps.iter().map(|step| step.seconds);
        let longest = times.fold(0.001, f64::max);
        for step in &record.steps {
            self.step(step, longest);
        }
        self.0.push_str("</table></div>\n");
        if let Some(masked) = masked(record) {
            self.0
                .push_str(&format!("<p class=\"soft\">{}</p>\n", escaped(&masked)));
        }
        if !record.build.errors.is_empty() {
            self.0
                .push_str("<h3>First errors of the build</h3>\n<div class=\"card text\"><pre>");
            for error in &record.build.errors {
                self.0.push_str(&escaped(error));
                self.0.push('\n');
            }
            self.0.push_str("</pre></div>\n");
        }
    }

    fn step(&mut self, step: &Step, longest: f64) {
        let class = match step.result {
            StepResult::Success => "good",
            StepResult::Warnings => "warn",
            StepResult::Failure => "bad",
            StepResult::Skipped => "none",
        };
        let reason = match step.reason.as_str() {
            "" => String::new(),
            reason => format!("<br><span class=\"soft\">{}</span>", escaped(reason)),
        };
        let log = step.log.as_ref().map_or(String::new(), |log| {
            format!("<a href=\"{}\">log</a>", address(log))
        });
        let percent = (step.seconds / longest * 100.0).clamp(0.0, 100.0);
        self.0.push_str(&format!(
            "<tr class=\"step\"><td>{}</td><td class=\"{class}\"><span class=\"w\">{}</span>{reason}</td><td class=\"n\">{}</td>\
             <td class=\"bars\"><div class=\"bar\" style=\"width:{percent:.1}%\"></div></td><td class=\"w\">{log}</td></tr>\n",
            escaped(&step.name),
            step.result.word(),
            duration(step.seconds),
        ));
    }

    fn modules(&mut self, record: &Record) {
        if record.missing.is_empty() {
            return;
        }
        self.heading("Modules that were not built");
        self.0.push_str(
            "<div class=\"card\"><table class=\"wide\">\n<tr class=\"head\"><th>module</th><th>why</th><th>library</th>\
             <th>remedy</th></tr>\n",
        );
        for missing in &record.missing {
            self.0.push_str(&format!(
                "<tr><td class=\"name\">{}</td><td>{}</td><td data-l=\"library\">{}</td>\
                 <td data-l=\"remedy\">{}</td></tr>\n",
                escaped(&missing.module),
                escaped(&missing.why),
                escaped(missing.library.as_deref().unwrap_or("")),
                escaped(&missing.remedy)
            ));
        }
        self.0.push_str("</table></div>\n");
        for command in &record.install {
            self.0
                .push_str(&format!("<pre>{}</pre>\n", escaped(command)));
        }
    }

    fn configure(&mut self, record: &Record) {
        let configure = &record.configure;
        let options = configure.options.join(" ");
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let mut rows = vec![
            ("system", text(&configure.system)),
            ("support (PEP 11)", text(&configure.tier)),
            ("compiler", text(&configure.compiler)),
            ("options", options),
            ("error", text(&configure.error)),
        ];
        rows.extend(
            configure
                .warnings
                .iter()
                .map(|warning| ("warning", warning.clone())),
        );
        rows.retain(|(_, value)| !value.is_empty());
        if !rows.is_empty() {
            self.heading("Configure");
            self.rows(rows.iter().map(|(name, value)| (*name, value.as_str())));
        }
    }

    fn machine(&mut self, record: &Record) {
        self.heading("The machine");
        let facts = record.facts.iter();
        self.rows(facts.map(|(name, value)| (name.as_str(), value.as_str())));
    }

    fn rows<'a>(&mut self, rows: impl Iterator<Item = (&'a str, &'a str)>) {
        self.0.push_str("<div class=\"card\"><table>\n");
        for (name, value) in rows {
            self.0.push_str(&format!(
                "<tr><td class=\"soft w\">{}</td><td>{}</td></tr>\n",
                escaped(name),
                escaped(value)
            ));
        }
        self.0.push_str("</table></div>\n");
    }
}

/// Text in which nothing is HTML, also inside of quotes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            character if character.is_control() => safe.push(char::REPLACEMENT_CHARACTER),
            character => safe.push(character),
        }
    }
    safe
}

/// The address of a file beside the page; never one with a scheme.
fn address(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
    let coded: String = name
        .bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect();
    format!("./{}", coded.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bringup::results::{Test, Tests};
    use crate::bringup::{Missing, StepResult};

    const HOSTILE: &str = "</style><script>alert(1)</script>\" onload='x' &amp; \u{1b}\u{0}";

    /// A record with this text wherever text comes from outside.
    fn hostile() -> (Record, Changes) {
        let text = HOSTILE.to_owned();
        let mut record = Record::new();
        record.source = text.clone();
        record.variant = text.clone();
        record.date = text.clone();
        record.facts = vec![(text.clone(), text.clone())];
        record.install = vec![text.clone()];
        record.missing = vec![Missing {
            module: text.clone(),
            why: text.clone(),
            library: Some(text.clone()),
            remedy: text.clone(),
        }];
        record.steps = vec![Step {
            name: text.clone(),
            result: StepResult::Failure,
            reason: text.clone(),
            seconds: f64::NAN,
            log: Some(text.clone()),
        }];
        record.build.errors = vec![text.clone()];
        record.configure.tier = Some(text.clone());
        record.configure.warnings = vec![text.clone()];
        let test = Test {
            name: text.clone(),
            message: text.clone(),
        };
        record.tests = Some(Tests {
            problem: Some(text.clone()),
            failed: vec![test.clone()],
            flaky: vec![test.clone()],
            skipped: vec![test.clone()],
            files_failed: vec![test.clone()],
            files_skipped: vec![test],
            slow_files: vec![(text.clone(), f64::INFINITY)],
            ..Tests::default()
        });
        let changes = Changes {
            earlier: text.clone(),
            newly_failing: vec![text.clone()],
            newly_passing: vec![text.clone()],
            still_failing: 0,
            modules_lost: vec![text.clone()],
            modules_gained: vec![text],
        };
        (record, changes)
    }

    #[test]
    fn nothing_from_outside_is_markup() {
        let (record, changes) = hostile();
        let page = html(&record, Some(&changes));
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("onload='"), "{page}");
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(page.contains("&lt;script&gt;"));
        assert!(!page.contains(['\u{1b}', '\u{0}']));
        let body = page.split("</style>").nth(1).unwrap_or_default();
        assert_eq!(body.matches('<').count(), body.matches('>').count());
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        let (record, _) = hostile();
        let page = html(&record, None);
        for word in [
            "http://",
            "https://",
            "src=",
            "url(",
            "@import",
            "javascript:",
        ] {
            assert!(!page.contains(word), "{word}");
        }
    }
}
