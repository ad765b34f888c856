//! What `configure` of CPython says about a machine.

use serde::{Deserialize, Serialize};

/// Most lines of one kind that are kept.
const MOST: usize = 100;

/// The answers that a report shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configure {
    /// `x86_64-pc-linux-gnu`.
    pub system: Option<String>,
    /// What the compiler is called.
    pub compiler: Option<String>,
    /// How far CPython supports this system (PEP 11), in configure's words.
    pub tier: Option<String>,
    /// The options that are on: `--with-pydebug`.
    pub options: Vec<String>,
    /// The modules that will not be built, and why: `missing`, `disabled`.
    pub modules: Vec<(String, String)>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// What ended it before its time.
    pub error: Option<String>,
}

impl Configure {
    /// Takes one line of its output.
    pub fn line(&mut self, line: &str) {
        if let Some((question, answer)) = checked(line) {
            self.answer(question, answer);
        } else if let Some(error) = line.strip_prefix("configure: error: ") {
            self.error.get_or_insert(error.trim().to_owned());
        } else if let Some(warning) = line.strip_prefix("configure: WARNING: ") {
            keep(&mut self.warnings, warning.trim().to_owned());
        }
    }

    fn answer(&mut self, question: &str, answer: &str) {
        let owned = || Some(answer.to_owned());
        match question {
            "host system type" => self.system = owned(),
            "PEP 11 support tier" => self.tier = owned(),
            "CC compiler name" => self.compiler = owned(),
            _ => {}
        }
        if let Some(module) = question.strip_prefix("stdlib extension module ") {
            // `n/a` is what cannot be had on this system at all.
            if answer == "missing" || answer == "disabled" {
                keep(&mut self.modules, (module.to_owned(), answer.to_owned()));
            }
        } else if question.starts_with("--") && answer == "yes" {
            keep(&mut self.options, question.to_owned());
        }
    }
}

fn keep<T>(list: &mut Vec<T>, item: T) {
    if list.len() < MOST {
        list.push(item);
    }
}

/// Question and answer of `checking for X... Y`.
fn checked(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("checking ")?;
    let (question, answer) = rest.split_once("... ")?;
    let question = question.strip_prefix("for ").unwrap_or(question);
    Some((question, answer.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_python_3_11_are_read() {
        let mut found = Configure::default();
        for line in include_str!("../../tests/bringup/configure-3.11.txt").lines() {
            found.line(line);
        }
        assert_eq!(found.system.as_deref(), Some("x86_64-pc-linux-gnu"));
        assert_eq!(found.compiler.as_deref(), Some("gcc"));
        assert_eq!(
            found.tier.as_deref(),
            Some("x86_64-pc-linux-gnu/gcc has tier 1 (supported)")
        );
        assert!(
            found
                .options
                .iter()
                .any(|option| option == "--with-pydebug")
        );
        assert!(!found.options.iter().any(|option| option == "--with-lto"));
        let missing =
            ["_tkinter", "zlib", "_bz2"].map(|name| (name.to_owned(), "missing".to_owned()));
        assert_eq!(found.modules, missing);
        assert_eq!(found.error, None);
    }

    #[test]
    fn the_first_error_is_kept() {
        let mut found = Configure::default();
        found.line("configure: WARNING: you should use --build");
        found.line("configure: error: no acceptable C compiler found in $PATH");
        found.line("configure: error: another");
        assert_eq!(
            found.error.as_deref(),
            Some("no acceptable C compiler found in $PATH")
        );
        assert_eq!(found.warnings, ["you should use --build"]);
    }

    #[test]
    fn endless_output_is_bounded() {
        let mut found = Configure::default();
        for number in 0..10_000 {
            found.line(&format!("configure: WARNING: {number}"));
        }
        assert_eq!(found.warnings.len(), MOST);
    }
}
