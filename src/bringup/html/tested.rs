//! What the tests said, in lists.

use super::{Page, escaped};
use crate::bringup::markdown::{SHOWN, counts};
use crate::bringup::results::{Test, Tests};
use crate::bringup::text::duration;

impl Page {
    pub(super) fn tests(&mut self, tests: &Tests) {
        self.heading("Tests");
        self.0
            .push_str(&format!("<p>{}.</p>\n", escaped(&counts(tests))));
        if let Some(problem) = &tests.problem {
            self.0
                .push_str(&format!("<p class=\"bad\">{}</p>\n", escaped(problem)));
        }
        self.list("Files that failed", &tests.files_failed);
        self.list("Tests that failed", &tests.failed);
        self.list("Tests that passed only when run again", &tests.flaky);
        self.slow("Slowest files", &tests.slow_files);
        self.slow("Slowest tests", &tests.slow_tests);
        self.list("Files that were skipped", &tests.files_skipped);
        self.list("Tests that were skipped", &tests.skipped);
    }

    pub(super) fn list(&mut self, title: &str, tests: &[Test]) {
        if tests.is_empty() {
            return;
        }
        let count = tests.len();
        self.0.push_str(&format!(
            "<h3>{title}: {count}</h3>\n<div class=\"card\"><table class=\"wide\">\n"
        ));
        for test in tests.iter().take(SHOWN) {
            self.0.push_str(&format!(
                "<tr><td class=\"name\">{}</td><td>{}</td></tr>\n",
                escaped(&test.name),
                escaped(&test.message)
            ));
        }
        self.0.push_str("</table></div>\n");
        self.more(count);
    }

    pub(super) fn slow(&mut self, title: &str, slow: &[(String, f64)]) {
        if slow.is_empty() {
            return;
        }
        self.0
            .push_str(&format!("<h3>{title}</h3>\n<div class=\"card\"><table>\n"));
        let longest = slow
            .iter()
            .map(|(_, seconds)| *seconds)
            .fold(0.001, f64::max);
        for (name, seconds) in slow {
            let percent = (seconds / longest * 100.0).clamp(0.0, 100.0);
            self.0.push_str(&format!(
                "<tr><td class=\"name\">{}</td><td class=\"n\">{}</td>\
                 <td class=\"bars\"><div class=\"bar\" style=\"width:{percent:.1}%\"></div></td></tr>\n",
                escaped(name),
                duration(*seconds)
            ));
        }
        self.0.push_str("</table></div>\n");
    }
}
