//! Templates of service files: what stands in for what, and how each format writes odd characters.
//!
//! `@name@` is replaced by a value that needs no care, `@name:how@` by one that is written as
//! [`How`] says. A line that begins with `@?name@` is kept only if there is such a value, one that
//! begins with `@!name@` only if there is not. Any other `@` is itself.

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As it is: made of letters, digits and the like.
    Plain,
    /// A word for sh(1).
    Sh,
    /// A word that two shells read, one after the other.
    ShTwice,
    /// A path that is the whole value of a setting of systemd.
    UnitPath,
    /// Between quotes, where systemd expands specifiers: the program of a command.
    UnitProgram,
    /// Between quotes, where systemd expands specifiers and variables: another word of a command.
    UnitWord,
    /// Between quotes, where systemd expands specifiers: a path in a list.
    UnitQuoted,
    /// Text or attribute of XML.
    Xml,
    /// A word for the shell of an SMF method, in an attribute of XML.
    Smf,
    /// Between quotes in a settings file of Haiku.
    Haiku,
    /// A word for the shell of cron.
    Cron,
}

/// The names by which templates ask for it.
const NAMES: &[(&str, How)] = &[
    ("sh", How::Sh),
    ("shsh", How::ShTwice),
    ("unitpath", How::UnitPath),
    ("unitprogram", How::UnitProgram),
    ("unitword", How::UnitWord),
    ("unitquoted", How::UnitQuoted),
    ("xml", How::Xml),
    ("smf", How::Smf),
    ("haiku", How::Haiku),
    ("cron", How::Cron),
];

impl How {
    /// A value written so. It has no control characters.
    ///
    /// # Errors
    /// Why this format cannot hold the value.
    pub fn write(self, value: &str) -> Result<String, String> {
        let refused = |why: &str| Err(format!("cannot write \"{value}\" into this service: {why}"));
        Ok(match self {
            How::Plain => value.to_owned(),
            How::Sh => sh(value),
            How::ShTwice => sh(&sh(value)),
            How::UnitPath if value.ends_with(['\\', ' ']) => {
                return refused("systemd drops a blank or a backslash at the end");
            }
            // systemd.unit(5): specifiers. The value is not unquoted.
            How::UnitPath => value.replace('%', "%%"),
            How::UnitProgram if value.contains(['\'', '"', '\\']) => {
                return refused("systemd starts no program with a quote or backslash in its name");
            }
            How::UnitProgram | How::UnitQuoted => unit(value),
            // systemd.service(5), "Command lines".
            How::UnitWord => unit(value).replace('$', "$$"),
            How::Xml => xml(value),
            // smf_method(7), "Method Tokens".
            How::Smf => xml(&sh(value).replace('%', "%%")),
            How::Haiku if value.contains("$HOME") || value.contains("${HOME}") => {
                return refused("the launch_daemon would replace $HOME in it");
            }
            How::Haiku => backslashed(value),
            How::Cron if value.contains('\\') => {
                return refused("what cron makes of a backslash differs from system to system");
            }
            // crontab(5): a % ends the command.
            How::Cron => sh(value).replace('%', "\\%"),
        })
    }
}

/// In single quotes, between which only a quote means something.
fn sh(value: &str) -> String {
    format!("'{}'", value.replace('\'', "'\\''"))
}

fn backslashed(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

fn unit(value: &str) -> String {
    backslashed(value).replace('%', "%%")
}

fn xml(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&apos;"),
            other => text.push(other),
        }
    }
    text
}

/// What a placeholder asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder<'a> {
    Value(&'a str, How),
    IfThere(&'a str),
    IfNot(&'a str),
}

/// The template with all values put in; `value` knows them by name.
///
/// # Errors
/// A format cannot hold a value, or (a defect of the template) there is none of that name.
pub fn render<'a>(
    template: &str,
    value: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<String, String> {
    let mut text = String::with_capacity(template.len() * 2);
    for line in template.split_inclusive('\n') {
        let mut rest = line;
        let (keep, after) = condition(line, value);
        if !keep {
            continue;
        }
        rest = after.unwrap_or(rest);
        while let Some(at) = rest.find('@') {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            match placeholder(rest) {
                Some((Placeholder::Value(name, how), after)) => {
                    let found = value(name).ok_or_else(|| {
                        format!("a defect of coracle: no value for {name} in a service template")
                    })?;
                    text.push_str(&how.write(found)?);
                    rest = after;
                }
                Some((Placeholder::IfThere(_) | Placeholder::IfNot(_), _)) | None => {
                    text.push('@');
                    rest = &rest[1..];
                }
            }
        }
        text.push_str(rest);
    }
    Ok(text)
}

/// Whether a line is kept, and what follows its condition if it has one.
fn condition<'t, 'a>(
    line: &'t str,
    value: &dyn Fn(&str) -> Option<&'a str>,
) -> (bool, Option<&'t str>) {
    match placeholder(line) {
        Some((Placeholder::IfThere(name), rest)) => (value(name).is_some(), Some(rest)),
        Some((Placeholder::IfNot(name), rest)) => (value(name).is_none(), Some(rest)),
        Some((Placeholder::Value(..), _)) | None => (true, None),
    }
}

/// The placeholder at the beginning of a text, and what follows it.
fn placeholder(text: &str) -> Option<(Placeholder<'_>, &str)> {
    let (inner, rest) = text.strip_prefix('@')?.split_once('@')?;
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if let Some(name) = inner.strip_prefix('?') {
        return is_name(name).then_some((Placeholder::IfThere(name), rest));
    }
    if let Some(name) = inner.strip_prefix('!') {
        return is_name(name).then_some((Placeholder::IfNot(name), rest));
    }
    let (name, how) = match inner.split_once(':') {
        Some((name, how)) => (name, NAMES.iter().find(|(known, _)| *known == how)?.1),
        None => (inner, How::Plain),
    };
    is_name(name).then_some((Placeholder::Value(name, how), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(name: &str) -> Option<&'static str> {
        match name {
            "dir" => Some("/a b/%$'\"\\&<@dir@"),
            "user" => Some("bb"),
            _ => None,
        }
    }

    #[test]
    fn each_format_has_its_own_way_with_odd_characters() {
        let written = |how: How| how.write("/a b/%$'\"&<é").unwrap();
        assert_eq!(written(How::Sh), "'/a b/%$'\\''\"&<é'");
        assert_eq!(
            written(How::ShTwice),
            "''\\''/a b/%$'\\''\\'\\'''\\''\"&<é'\\'''"
        );
        assert_eq!(written(How::UnitPath), "/a b/%%$'\"&<é");
        assert_eq!(How::UnitProgram.write("/a b/%$&é").unwrap(), "/a b/%%$&é");
        assert_eq!(written(How::UnitQuoted), "/a b/%%$'\\\"&<é");
        assert_eq!(written(How::UnitWord), "/a b/%%$$'\\\"&<é");
        assert_eq!(written(How::Xml), "/a b/%$&apos;&quot;&amp;&lt;é");
        assert_eq!(
            written(How::Smf),
            "&apos;/a b/%%$&apos;\\&apos;&apos;&quot;&amp;&lt;é&apos;"
        );
        assert_eq!(written(How::Haiku), "/a b/%$'\\\"&<é");
        assert_eq!(written(How::Cron), "'/a b/\\%$'\\''\"&<é'");
    }

    #[test]
    fn what_a_format_cannot_hold_is_refused() {
        assert!(How::UnitPath.write("/a\\").is_err());
        assert!(How::UnitPath.write("/a ").is_err());
        assert!(How::UnitProgram.write("/a'").is_err());
        assert!(How::UnitProgram.write("/a\"").is_err());
        assert!(How::UnitProgram.write("/a\\").is_err());
        assert!(How::Haiku.write("/a/$HOME/b").is_err());
        assert!(How::Haiku.write("/a/${HOME}").is_err());
        assert!(How::Cron.write("/a\\b").is_err());
        assert!(How::Sh.write("/a\\").is_ok());
    }

    #[test]
    fn a_value_is_not_searched_for_placeholders() {
        let text = render("x=@dir:xml@;@user@\n", &values).unwrap();
        assert_eq!(text, "x=/a b/%$&apos;&quot;\\&amp;&lt;@dir@;bb\n");
    }

    #[test]
    fn conditions_keep_or_drop_their_line() {
        let template = "@?user@a @user@\n@!user@b\n@?none@c\n@!none@d\n";
        assert_eq!(render(template, &values).unwrap(), "a bb\nd\n");
    }

    #[test]
    fn other_at_signs_are_themselves() {
        let template = "@reboot a@b @ @@ @Dir@ @dir:none@\n";
        assert_eq!(render(template, &values).unwrap(), template);
    }

    #[test]
    fn an_unknown_value_is_an_error() {
        assert!(render("@none@", &values).is_err());
    }
}
