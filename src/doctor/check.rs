//! What one look at the machine found.

use super::packages::Need;

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, with less than there could be, or with a risk.
    Warning,
    /// Without it the work cannot be done.
    Missing,
}

impl Verdict {
    /// The word for it, in text and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Missing => "missing",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in one or two words.
    pub name: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen, on one line.
    pub saw: String,
    /// Why that matters; empty if all is well.
    pub why: &'static str,
    /// What to do about it; empty if nothing, or if a package is the remedy.
    pub remedy: String,
    /// The package that is the remedy.
    pub need: Option<Need>,
}

impl Check {
    /// All is well.
    pub fn ok(name: impl Into<String>, saw: impl Into<String>) -> Check {
        Check {
            name: name.into(),
            verdict: Verdict::Ok,
            saw: one_line(&saw.into()),
            why: "",
            remedy: String::new(),
            need: None,
        }
    }

    /// It works, but.
    pub fn warning(
        name: impl Into<String>,
        saw: impl Into<String>,
        why: &'static str,
        remedy: impl Into<String>,
    ) -> Check {
        Check {
            verdict: Verdict::Warning,
            why,
            remedy: one_line(&remedy.into()),
            ..Check::ok(name, saw)
        }
    }

    /// It does not work.
    pub fn missing(
        name: impl Into<String>,
        saw: impl Into<String>,
        why: &'static str,
        remedy: impl Into<String>,
    ) -> Check {
        Check {
            verdict: Verdict::Missing,
            ..Check::warning(name, saw, why, remedy)
        }
    }

    /// A package is the remedy.
    pub fn needing(mut self, need: Need) -> Check {
        self.need = Some(need);
        self
    }

    /// No worse than a warning, where the thing is not needed.
    pub fn at_most_warning(mut self) -> Check {
        self.verdict = self.verdict.min(Verdict::Warning);
        self
    }
}

/// Longest text that is shown of what a program printed, in characters.
const SHOWN: usize = 300;

/// A text from outside on one line, without control characters, and not too long.
pub fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line: String = words
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    if let Some((at, _)) = line.char_indices().nth(SHOWN) {
        line.truncate(at);
        line.push_str("...");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_print_is_brought_on_one_line() {
        assert_eq!(one_line(" a\n\tb\x1b[1m  c\r\n"), "a b[1m c");
        let long = one_line(&"ü".repeat(400));
        assert_eq!(long.chars().count(), SHOWN + 3);
    }

    #[test]
    fn what_is_not_needed_is_never_missing() {
        let check = Check::missing("x", "none", "", "").at_most_warning();
        assert_eq!(check.verdict, Verdict::Warning);
        assert_eq!(
            Check::ok("x", "there").at_most_warning().verdict,
            Verdict::Ok
        );
    }
}
