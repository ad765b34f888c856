//! Brings what was typed into the one form that the parser knows: `--option value`, full names,
//! each option once, then `--`, then the rest. `--option=value`, `-k60`, `-nq`, beginnings of
//! names and repeated options are what scripts written for the Python tool contain.

mod spellings;

pub use spellings::is_command;
use spellings::{GENERAL, Spelling, is_left_out, spellings};

/// The command among the words: the first that is no option.
pub fn command(words: &[String]) -> Option<&str> {
    words
        .iter()
        .map(String::as_str)
        .find(|word| !word.starts_with('-'))
}

/// The words in the form that the parser knows.
///
/// # Errors
/// What is wrong with them, in one line.
pub fn normal(words: &[String]) -> Result<Vec<String>, String> {
    let at = words.iter().position(|word| !word.starts_with('-'));
    let (before, rest) = words.split_at(at.unwrap_or(words.len()));
    let mut sorted = Sorted::new(GENERAL, false);
    sorted.take(before)?;
    let mut result = sorted.options();
    let Some((command, rest)) = rest.split_first() else {
        return Ok(result);
    };
    if command == "help" {
        let about = rest.first().filter(|word| is_command(word)).cloned();
        return Ok(about.into_iter().chain(["--help".to_owned()]).collect());
    }
    let Some(spellings) = spellings(command) else {
        return Err(if is_left_out(command) {
            format!("this program was built without the command {command} (its feature `tools`)")
        } else {
            format!("unknown command {command}")
        });
    };
    let mut sorted = Sorted::new(spellings, command == "create-worker");
    if rest.iter().any(|word| word == "--version") && command != "create-worker" {
        return Ok(vec!["--version".to_owned()]);
    }
    if command == "create-worker" {
        // As the Python tool reads them, if that makes sense: the first word ends the options, so that
        // a password may look like one.
        let mut in_order = Sorted::new(spellings, false);
        in_order.in_order = true;
        if in_order.take(rest).is_ok() && check_count(&in_order).is_ok() {
            sorted = in_order;
        } else {
            sorted.take(rest)?;
            if !sorted.is("help") {
                check_count(&sorted)?;
            }
        }
    } else {
        sorted.take(rest)?;
    }
    result.push(command.clone());
    result.extend(sorted.options());
    if !sorted.others.is_empty() {
        result.push("--".to_owned());
        result.extend(sorted.others);
    }
    Ok(result)
}

/// Whether there are as many words as a new worker needs.
fn check_count(sorted: &Sorted) -> Result<(), String> {
    let elsewhere = sorted.is("passwd-file") || sorted.is("passwd-env");
    match (sorted.others.len(), elsewhere) {
        (3, true) | (4, false) => Ok(()),
        (_, true) => Err(
            "needs BASEDIR MASTER NAME, and no PASSWD beside the option that gives it".to_owned(),
        ),
        (_, false) => {
            Err("incorrect number of arguments: needs BASEDIR MASTER NAME PASSWD".to_owned())
        }
    }
}

/// Options and other words, told apart.
struct Sorted {
    spellings: &'static [Spelling],
    /// Whether the fourth other word is a password, which may look like an option.
    has_password: bool,
    /// Whether the first other word ends the options.
    in_order: bool,
    options: Vec<(&'static str, Option<String>)>,
    others: Vec<String>,
}

impl Sorted {
    fn new(spellings: &'static [Spelling], has_password: bool) -> Self {
        Self {
            spellings,
            has_password,
            in_order: false,
            options: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Whether this option was given.
    fn is(&self, name: &str) -> bool {
        self.options.iter().any(|(known, _)| *known == name)
    }

    fn options(&self) -> Vec<String> {
        let options = self.options.iter();
        options
            .flat_map(|(name, value)| [Some(format!("--{name}")), value.clone()])
            .flatten()
            .collect()
    }

    fn take(&mut self, words: &[String]) -> Result<(), String> {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                self.others.extend(words.by_ref().cloned());
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                };
                match self.long(name) {
                    Ok(spelling) => self.set(spelling, value, &mut words)?,
                    Err(_) if self.expects_password() => self.others.push(word.clone()),
                    Err(why) => return Err(why),
                }
            } else if word.len() > 1 && word.starts_with('-') {
                match self.cluster(&word[1..]) {
                    Ok(found) => {
                        for (spelling, value) in found {
                            self.set(spelling, value, &mut words)?;
                        }
                    }
                    Err(_) if self.expects_password() => self.others.push(word.clone()),
                    Err(why) => return Err(why),
                }
            } else {
                self.others.push(word.clone());
                if self.in_order {
                    self.others.extend(words.by_ref().cloned());
                }
            }
        }
        Ok(())
    }

    fn expects_password(&self) -> bool {
        self.has_password && self.others.len() == 3
    }

    fn long(&self, name: &str) -> Result<&'static Spelling, String> {
        let unknown = || Err(format!("unknown option --{name}"));
        if name.is_empty() {
            return unknown();
        }
        if let Some(spelling) = self.spellings.iter().find(|known| known.long == name) {
            return Ok(spelling);
        }
        let mut fitting = self
            .spellings
            .iter()
            .filter(|known| known.long.starts_with(name));
        match (fitting.next(), fitting.next()) {
            (Some(spelling), None) => Ok(spelling),
            (None, _) => unknown(),
            (Some(one), Some(two)) => {
                Err(format!("--{name} may be --{} or --{}", one.long, two.long))
            }
        }
    }

    /// Short options in one word; the last one may have its value with it.
    fn cluster(&self, letters: &str) -> Result<Vec<(&'static Spelling, Option<String>)>, String> {
        let mut found = Vec::new();
        for (at, letter) in letters.char_indices() {
            let spelling = self
                .spellings
                .iter()
                .find(|known| known.short == Some(letter));
            let Some(spelling) = spelling else {
                return Err(format!("unknown option -{letter}"));
            };
            let rest = &letters[at + letter.len_utf8()..];
            if spelling.value && !rest.is_empty() {
                found.push((spelling, Some(rest.to_owned())));
                break;
            }
            found.push((spelling, None));
        }
        Ok(found)
    }

    fn set(
        &mut self,
        spelling: &'static Spelling,
        value: Option<String>,
        words: &mut std::slice::Iter<'_, String>,
    ) -> Result<(), String> {
        let name = spelling.long;
        let value = match (spelling.value, value) {
            (true, Some(value)) => Some(value),
            (true, None) => match words.next() {
                Some(value) => Some(value.clone()),
                None => return Err(format!("option --{name} needs a value")),
            },
            (false, None) => None,
            (false, Some(_)) => return Err(format!("option --{name} takes no value")),
        };
        // The last one counts.
        self.options.retain(|(known, _)| *known != name);
        self.options.push((name, value));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal_text(line: &str) -> Result<String, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        normal(&words).map(|words| words.join(" "))
    }

    #[test]
    fn all_ways_to_write_an_option_are_one() {
        for line in [
            "create-worker --keepalive=60 -r d h n p",
            "create-worker --keepalive 60 --relocatable d h n p",
            "create-worker -k 60 -r d h n p",
            "create-worker -k60 -r d h n p",
            "create-worker -k 5 --keepa=60 --reloc d h n p",
            "create-worker d -k60 h n p -r",
        ] {
            let expected = "create-worker --keepalive 60 --relocatable -- d h n p";
            assert_eq!(normal_text(line).as_deref(), Ok(expected), "{line}");
        }
        assert_eq!(
            normal_text("create-worker -rnk60 d h n p").as_deref(),
            Ok("create-worker --relocatable --no-logrotate --keepalive 60 -- d h n p")
        );
        assert_eq!(
            normal_text("--verbose start -q").as_deref(),
            Ok("--verbose start --quiet")
        );
        for (line, expected) in [
            ("-h", "--help"),
            ("help", "--help"),
            ("help stop", "stop --help"),
            ("help frob", "--help"),
            ("stop -h", "stop --help"),
            ("stop --version", "--version"),
            ("create-worker -h", "create-worker --help"),
        ] {
            assert_eq!(normal_text(line).as_deref(), Ok(expected), "{line}");
        }
    }

    #[test]
    fn a_password_may_look_like_an_option() {
        let line = "create-worker d h n -pw";
        assert_eq!(
            normal_text(line).as_deref(),
            Ok("create-worker -- d h n -pw")
        );
        assert_eq!(
            normal_text("create-worker d h n --zzz --umask=0").as_deref(),
            Ok("create-worker --umask 0 -- d h n --zzz")
        );
        assert_eq!(
            normal_text("create-worker -r d h n -secret").as_deref(),
            Ok("create-worker --relocatable -- d h n -secret")
        );
        assert!(normal_text("create-worker d h -pw").is_err());
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (line, why) in [
            ("start --frob", "unknown option --frob"),
            ("start --nodaemon=1", "option --nodaemon takes no value"),
            ("create-worker --umask", "option --umask needs a value"),
            (
                "create-worker --max=1",
                "--max may be --maxdelay or --maxretries",
            ),
            ("frob", "unknown command frob"),
            ("start -x", "unknown option -x"),
            (
                "create-worker a b",
                "incorrect number of arguments: needs BASEDIR MASTER NAME PASSWD",
            ),
            (
                "create-worker --passwd-env=X a b c d",
                "needs BASEDIR MASTER NAME, and no PASSWD beside the option that gives it",
            ),
            ("start --=", "unknown option --"),
        ] {
            assert_eq!(normal_text(line), Err(why.to_owned()), "{line}");
        }
    }
}
