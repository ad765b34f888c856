//! Copies of logs without what is nobody else's business: every log of a step begins with the
//! environment, and a report is made to be shown.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// What stands in place of a value.
const MASKED: &str = "(masked)";

/// Words in the name of a variable whose value is masked.
const SECRET: &[&str] = &[
    "TOKEN",
    "SECRET",
    "PASS",
    "PASSW",
    "PASSPHRASE",
    "PWD",
    "KEY",
    "CREDENTIAL",
    "AUTH",
    "COOKIE",
    "PRIVATE",
    "SIGNATURE",
    "DSN",
    "WEBHOOK",
    "JWT",
    "OAUTH",
    "APIKEY",
    "PAT",
];

/// Names with such a word in them that are no secret.
const HARMLESS: &[&str] = &["PWD", "OLDPWD", "PATH"];

/// Shortest value that is looked for outside of its variable: shorter ones are in every other word.
const SHORTEST: usize = 6;

/// Longest piece of a line that is looked at at once, in bytes; longer than any variable of Linux.
const LINE: u64 = 1024 * 1024;

/// Where the environment begins and ends in the header of a step (PROTOCOL 6.2.7).
const BEGIN: &str = " environment:";
const END: &str = " using PTY: ";

/// What is masked.
#[derive(Debug, Default)]
pub struct Mask {
    /// Values that are masked wherever they are, the longest first.
    values: Vec<String>,
    /// The variables of which something was masked.
    pub names: BTreeSet<String>,
}

impl Mask {
    /// For the values in this environment.
    pub fn new(environment: impl Iterator<Item = (OsString, OsString)>) -> Mask {
        let mut values = Vec::new();
        for (name, value) in environment {
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            if is_secret(&name) && value.len() >= SHORTEST {
                // A value of several lines is on several lines of a log.
                let lines = value.lines().filter(|line| line.len() >= SHORTEST);
                values.extend(lines.map(str::to_owned));
            }
        }
        values.sort_by_key(|value: &String| std::cmp::Reverse(value.len()));
        values.dedup();
        Mask {
            values,
            names: BTreeSet::new(),
        }
    }

    /// Copies a log.
    ///
    /// # Errors
    /// The system's.
    pub fn copy(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let mut reader = BufReader::new(File::open(from)?);
        let mut writer = BufWriter::new(File::create(to)?);
        let mut at = At::Output;
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            if reader.by_ref().take(LINE).read_until(b'\n', &mut bytes)? == 0 {
                return writer.flush();
            }
            let line = String::from_utf8_lossy(&bytes);
            if let Some(line) = self.line(&line, &mut at) {
                writer.write_all(line.as_bytes())?;
            }
        }
    }

    /// The line as it may be shown; none if it goes on with what is masked.
    fn line(&mut self, line: &str, at: &mut At) -> Option<String> {
        let bare = line.trim_end();
        if bare == BEGIN {
            *at = At::Environment;
        } else if bare.starts_with(END) {
            *at = At::Output;
        } else if *at != At::Output {
            if let Some((name, _)) = variable(line) {
                if is_secret(name) {
                    self.names.insert(name.to_owned());
                    *at = At::Secret;
                    return Some(format!("  {name}={MASKED}\n"));
                }
                *at = At::Environment;
            } else if *at == At::Secret {
                return None;
            }
        }
        Some(self.text(line))
    }

    /// A text without the values, and without passwords in addresses.
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for value in &self.values {
            if text.contains(value.as_str()) {
                text = text.replace(value.as_str(), MASKED);
            }
        }
        without_passwords(&text)
    }
}

/// Where in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Output,
    Environment,
    /// In the value of a variable that is masked.
    Secret,
}

/// Name and value of `  NAME=value`.
fn variable(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix("  ")?.split_once('=')?;
    let good = |c: char| c.is_ascii_alphanumeric() || "_.-%()".contains(c);
    (!name.is_empty() && name.chars().all(good)).then_some((name, value))
}

/// Whether the name looks like that of a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let is_word = |word: &str| match word.len() {
        // Short ones are parts of other words: MONKEY, AUTHOR, PATH.
        ..=4 => name.split(|c: char| !c.is_ascii_alphabetic()).any(|part| {
            part == word
                || (word == "PASS" || word == "KEY" || word == "PWD") && part.ends_with(word)
        }),
        _ => name.contains(word),
    };
    !HARMLESS.contains(&name.as_str()) && SECRET.iter().any(|word| is_word(word))
}

/// `https://user:word@host` without its user and word.
fn without_passwords(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || "/'\"<>".contains(c))
            .unwrap_or(after.len());
        let (place, further) = after.split_at(end);
        match place.rsplit_once('@') {
            // A name alone is a secret only where names are tokens.
            Some((user, host))
                if user.contains(':')
                    || before.ends_with("http://")
                    || before.ends_with("https://") =>
            {
                shown.push_str(MASKED);
                shown.push('@');
                shown.push_str(host);
            }
            Some(_) | None => shown.push_str(place),
        }
        rest = further;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
/bin/sh -c make
 in dir /w (timeout 1200 secs)
 environment:
  AUTHOR=Jo
  AWS_SECRET_ACCESS_KEY=first
 using the second line of it
third
  GITHUB_TOKEN=ghp_abcdefgh
  HOME=/root
  HTTPS_PROXY=http://jo:hunter2@proxy:3128/
  MANY=one
two
  PWD=/w
 using PTY: False
output with ghp_abcdefgh in it
  MY_TOKEN=kept, for it is output
fetching https://x-access@github.com/x and ssh://git@github.com/x
";

    #[test]
    fn a_copy_has_no_values_that_look_secret() {
        let directory = std::env::temp_dir().join(format!("coracle-mask-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        let (from, to) = (directory.join("from"), directory.join("to"));
        std::fs::write(&from, LOG).expect("a file");
        let environment = [("GITHUB_TOKEN", "ghp_abcdefgh"), ("HOME", "/root/x")];
        let environment = environment.map(|(name, value)| (name.into(), value.into()));
        let mut mask = Mask::new(environment.into_iter());
        mask.copy(&from, &to).expect("a copy");
        let copy = std::fs::read_to_string(&to).expect("a file");
        let expected = "\
/bin/sh -c make
 in dir /w (timeout 1200 secs)
 environment:
  AUTHOR=Jo
  AWS_SECRET_ACCESS_KEY=(masked)
  GITHUB_TOKEN=(masked)
  HOME=/root
  HTTPS_PROXY=http://(masked)@proxy:3128/
  MANY=one
two
  PWD=/w
 using PTY: False
output with (masked) in it
  MY_TOKEN=kept, for it is output
fetching https://(masked)@github.com/x and ssh://git@github.com/x
";
        assert_eq!(copy, expected);
        assert_eq!(std::fs::read_to_string(&from).expect("a file"), LOG);
        let names: Vec<&str> = mask.names.iter().map(String::as_str).collect();
        assert_eq!(names, ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"]);
        std::fs::remove_dir_all(&directory).expect("removed");
    }

    #[test]
    fn names_of_secrets_are_told_from_others() {
        for secret in [
            "PASSWORD",
            "PGPASSWORD",
            "DB_PASS",
            "MYSQL_PWD",
            "SSHPASS",
            "API_KEY",
            "APIKEY",
            "npm_config__authToken",
            "AWS_SESSION_TOKEN",
            "GH_PAT",
            "HTTP_AUTH",
            "SENTRY_DSN",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for other in [
            "PATH",
            "PWD",
            "OLDPWD",
            "HOME",
            "PASSAGES",
            "AUTHOR",
            "COMPAT_LEVEL",
            "KEYBOARD",
            "XDG_SESSION_TYPE",
            "LANG",
        ] {
            assert!(!is_secret(other), "{other}");
        }
    }
}
