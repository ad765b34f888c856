//! The head of the page: how it stands, in numbers, and what is new.

use super::{Page, escaped};
use crate::bringup::compare::Changes;
use crate::bringup::markdown::{SHOWN, headline};
use crate::bringup::record::{Record, StepResult};
use crate::bringup::text::duration;

impl Page {
    pub(super) fn head(&mut self, record: &Record) {
        let (class, word) = match record.is_good() {
            true => ("good", "good"),
            false => ("bad", "not good yet"),
        };
        self.0.push_str(&format!(
            "<header>\n<span class=\"verdict {class}\">{word}</span>\n<h1>CPython bring-up: {}</h1>\n\
             <p class=\"soft\">{}, variant {}. {} of work, ended {} UTC.</p>\n</header>\n",
            escaped(&headline(record)),
            escaped(&record.source),
            escaped(&record.variant),
            duration(record.seconds),
            escaped(&record.date)
        ));
    }

    pub(super) fn tiles(&mut self, record: &Record) {
        self.0.push_str("<div class=\"tiles\">\n");
        let good = record
            .steps
            .iter()
            .filter(|step| step.result == StepResult::Success);
        let all = record.steps.len();
        let good = good.count();
        self.tile(
            &format!("{good}/{all}"),
            "steps good",
            if good == all { "good" } else { "bad" },
        );
        if record.configure.system.is_some() {
            self.modules_tile(record.missing.len());
        }
        if let Some(tests) = &record.tests {
            let failing = tests.failing().len();
            self.tile(&tests.passed.to_string(), "tests passed", "");
            self.tile(
                &failing.to_string(),
                "failing",
                if failing == 0 { "good" } else { "bad" },
            );
            let flaky = tests.flaky.len() + tests.files_flaky.len();
            if flaky > 0 {
                self.tile(&flaky.to_string(), "passed only when run again", "warn");
            }
            self.tile(&tests.skipped.len().to_string(), "tests skipped", "");
            let files = format!(
                "{}/{}",
                tests.files.len(),
                tests.files_total.max(tests.files.len() as u32)
            );
            self.tile(&files, "test files", "");
        }
        self.0.push_str("</div>\n");
    }

    fn modules_tile(&mut self, missing: usize) {
        self.tile(
            &missing.to_string(),
            "modules not built",
            if missing == 0 { "good" } else { "warn" },
        );
    }

    fn tile(&mut self, number: &str, what: &str, class: &str) {
        self.0.push_str(&format!(
            "<div class=\"tile\"><b class=\"{class}\">{number}</b><span>{what}</span></div>\n"
        ));
    }

    pub(super) fn changes(&mut self, changes: &Changes) {
        let Changes {
            earlier,
            newly_failing,
            newly_passing,
            still_failing,
            modules_lost,
            modules_gained,
        } = changes;
        self.heading(&format!("Compared with {earlier}"));
        self.0.push_str("<div class=\"card text\">\n");
        self.names("Newly failing", newly_failing, "bad");
        self.names("Newly passing", newly_passing, "good");
        self.names("Modules no longer built", modules_lost, "bad");
        self.names("Modules newly built", modules_gained, "good");
        self.0.push_str(&format!(
            "<p>Failing both times: {still_failing}</p>\n</div>\n"
        ));
    }

    fn names(&mut self, what: &str, names: &[String], class: &str) {
        if names.is_empty() {
            self.0
                .push_str(&format!("<p class=\"soft\">{what}: none</p>\n"));
            return;
        }
        let count = names.len();
        self.0
            .push_str(&format!("<p class=\"{class}\">{what}: {count}</p>\n<ul>\n"));
        for name in names.iter().take(SHOWN) {
            self.0
                .push_str(&format!("<li class=\"name\">{}</li>\n", escaped(name)));
        }
        self.0.push_str("</ul>\n");
        self.more(count);
    }

    pub(super) fn more(&mut self, count: usize) {
        if let rest @ 1.. = count.saturating_sub(SHOWN) {
            self.0.push_str(&format!(
                "<p class=\"soft\">and {rest} more, see report.json</p>\n"
            ));
        }
    }
}
