//! A worker that cron starts: one line in the crontab of its user (crontab(1), crontab(5)).

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::plan::Plan;
use crate::cli::output::say;

/// Puts the line into the crontab of the user, in place of an earlier one for the same directory.
///
/// # Errors
/// The crontab cannot be read or written; it is as before.
pub fn install(plan: &Plan) -> Result<(), String> {
    let user = &plan.instance.user;
    let own = ports::home_directory(None);
    let is_own = own.is_some() && own.as_deref() == plan.instance.home.as_deref().map(Path::new);
    if !is_own && !ports::is_superuser() {
        return Err(format!(
            "the crontab of {user} needs that user or root; run this as one of them"
        ));
    }
    let whose: &[&str] = if is_own { &[] } else { &["-u", user] };
    let present = read(whose)?;
    let wanted = with_line(&present, plan.text.trim_end(), plan.mark.trim_end());
    if wanted == present {
        say(&format!("the crontab of {user} is up to date"));
        return Ok(());
    }
    write(whose, &wanted)?;
    say(&format!(
        "the crontab of {user} has the line {}",
        plan.text.trim_end()
    ));
    Ok(())
}

/// A crontab with this line, and no other line that ends with the mark.
fn with_line(present: &str, line: &str, mark: &str) -> String {
    let is_earlier = |other: &str| other.starts_with("@reboot") && other.trim_end().ends_with(mark);
    let mut text = String::new();
    for other in present.lines().filter(|other| !is_earlier(other)) {
        text.push_str(other);
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
    text
}

fn read(whose: &[&str]) -> Result<String, String> {
    let output = Command::new("crontab").args(whose).arg("-l").output();
    let output = output.map_err(|error| format!("cannot run crontab: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return String::from_utf8(output.stdout)
            .map_err(|_| "the crontab is not UTF-8 text; add the printed line by hand".to_owned());
    }
    // What the various programs say where there is none yet.
    if said.contains("no crontab") || said.contains("can't open") {
        return Ok(String::new());
    }
    Err(format!(
        "`crontab -l` failed: {}; add the printed line by hand",
        said.trim()
    ))
}

fn write(whose: &[&str], text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot run crontab: {error}");
    let child = Command::new("crontab")
        .args(whose)
        .arg("-")
        .stdin(Stdio::piped())
        .spawn();
    let mut child = child.map_err(failed)?;
    let given = match child.stdin.take() {
        Some(mut input) => input.write_all(text.as_bytes()),
        None => Ok(()),
    };
    let status = child.wait().map_err(failed)?;
    match (given, status.success()) {
        (Ok(()), true) => Ok(()),
        (Err(error), _) => Err(failed(error)),
        (Ok(()), false) => Err(format!("`crontab -` failed ({status})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_lines_stay_and_an_earlier_line_goes() {
        let line = "@reboot '/new' start -q '/w'";
        let mark = " start -q '/w'";
        let present =
            "# mine\n0 4 * * * x\n@reboot '/old' start -q '/w'\n@reboot '/old' start -q '/v'";
        assert_eq!(
            with_line(present, line, mark),
            "# mine\n0 4 * * * x\n@reboot '/old' start -q '/v'\n@reboot '/new' start -q '/w'\n"
        );
        assert_eq!(with_line("", line, mark), format!("{line}\n"));
    }
}
