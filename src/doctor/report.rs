//! What a look at the machine found, as text and as JSON.

use serde_json::{Value, json};

use super::check::{Check, Verdict};
use super::count;
use super::packages::{Installation, Need, Package, installation, package};
use super::system::System;

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whose package names are told.
    pub system: System,
    /// The machine in a few words.
    pub title: String,
    /// Whether it was looked at for building CPython.
    pub cpython: bool,
    /// In the order of looking.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether nothing is missing.
    pub fn is_good(&self) -> bool {
        count(&self.checks, Verdict::Missing) == 0
    }

    /// How everything that is missing or could be there is installed.
    pub fn installation(&self) -> Installation {
        let lacking = self
            .checks
            .iter()
            .filter(|check| check.verdict != Verdict::Ok);
        let mut needs: Vec<Need> = lacking.filter_map(|check| check.need).collect();
        needs.dedup();
        installation(self.system, &needs)
    }

    /// One line a check, then the command that installs what is missing, then the sum.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.title);
        let names = self.checks.iter().map(|check| check.name.chars().count());
        let width = names.max().unwrap_or(0);
        for check in &self.checks {
            text.push_str(&self.line(check, width));
            text.push('\n');
        }
        text.push_str(&self.install_text());
        text.push_str(&format!("\n{}\n", self.sum()));
        text
    }

    fn line(&self, check: &Check, width: usize) -> String {
        let word = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Missing => "MISSING",
        };
        let mut line = format!("{word:<7}  {:<width$}  {}", check.name, check.saw);
        if check.verdict != Verdict::Ok {
            let remedy = self.remedy(check);
            for part in [check.why, remedy.as_str()] {
                if !part.is_empty() {
                    line.push_str("; ");
                    line.push_str(part);
                }
            }
        }
        line
    }

    /// What to do about it: the package, or the check's own words.
    fn remedy(&self, check: &Check) -> String {
        let Some(need) = check.need else {
            return check.remedy.clone();
        };
        match package(self.system, need) {
            Package::Name(name) => format!("package {name}"),
            Package::Guess(name) => format!("package {name} (name not verified)"),
            Package::Base(text) => text.to_owned(),
            Package::Unknown => "we know no package of it for this system".to_owned(),
        }
    }

    fn install_text(&self) -> String {
        let Installation {
            command,
            unverified,
            base: _,
            unknown: _,
        } = self.installation();
        let who = if self.system.installs_as_root() {
            ", as root"
        } else {
            ""
        };
        let command = command
            .map(|command| format!("\nTo install what is not there{who}:\n\n    {command}\n"));
        let unverified = unverified.map(|command| {
            format!("\nNobody has checked these names; they may be wrong:\n\n    {command}\n")
        });
        command.unwrap_or_default() + &unverified.unwrap_or_default()
    }

    /// The last line.
    fn sum(&self) -> String {
        let missing = count(&self.checks, Verdict::Missing);
        let warnings = count(&self.checks, Verdict::Warning);
        let what = match self.cpython {
            true => "build CPython",
            false => "be a worker",
        };
        let warned = match warnings {
            0 => String::new(),
            1 => ", with 1 warning".to_owned(),
            _ => format!(", with {warnings} warnings"),
        };
        match missing {
            0 => format!("This machine can {what}{warned}."),
            1 => format!("This machine cannot {what} yet: 1 thing is missing{warned}."),
            _ => format!("This machine cannot {what} yet: {missing} things are missing{warned}."),
        }
    }

    /// The same for programs, as one line of JSON.
    pub fn json(&self) -> String {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|check| self.check_json(check))
            .collect();
        let found = self.installation();
        json!({
            "system": self.title,
            "for": self.cpython.then_some("cpython"),
            "good": self.is_good(),
            "missing": count(&self.checks, Verdict::Missing),
            "warnings": count(&self.checks, Verdict::Warning),
            "install": found.command,
            "install_unverified": found.unverified,
            "checks": checks,
        })
        .to_string()
    }

    fn check_json(&self, check: &Check) -> Value {
        let name = check.need.map(|need| package(self.system, need));
        let (name, verified) = match name {
            Some(Package::Name(name)) => (Some(name), Some(true)),
            Some(Package::Guess(name)) => (Some(name), Some(false)),
            Some(Package::Base(_) | Package::Unknown) | None => (None, None),
        };
        json!({
            "name": check.name,
            "verdict": check.verdict.word(),
            "saw": check.saw,
            "why": check.why,
            "remedy": if check.verdict == Verdict::Ok { String::new() } else { self.remedy(check) },
            "package": name,
            "package_verified": verified,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            system: System::Debian,
            title: "a board".to_owned(),
            cpython: true,
            checks: vec![
                Check::ok("make", "GNU Make"),
                Check::missing("zlib", "no zlib.h", "it is needed", "").needing(Need::Zlib),
                Check::warning("libmpdec", "no header", "it is nice", "").needing(Need::Mpdec),
            ],
        }
    }

    #[test]
    fn each_check_is_a_line_and_one_command_installs_the_rest() {
        let text = report().text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[2], "ok       make      GNU Make");
        assert_eq!(
            lines[3],
            "MISSING  zlib      no zlib.h; it is needed; package zlib1g-dev"
        );
        assert!(lines.contains(&"    apt-get install zlib1g-dev"));
        assert!(lines.contains(&"    apt-get install libmpdec-dev"));
        assert_eq!(
            lines.last(),
            Some(&"This machine cannot build CPython yet: 1 thing is missing, with 1 warning.")
        );
    }

    #[test]
    fn json_says_the_same() {
        let parsed: Value = serde_json::from_str(&report().json()).expect("JSON");
        assert_eq!(parsed["good"], false);
        assert_eq!(parsed["checks"][1]["verdict"], "missing");
        assert_eq!(parsed["checks"][1]["package"], "zlib1g-dev");
        assert_eq!(parsed["checks"][2]["package_verified"], false);
        assert_eq!(parsed["install"], "apt-get install zlib1g-dev");
        assert_eq!(parsed["install_unverified"], "apt-get install libmpdec-dev");
    }
}
