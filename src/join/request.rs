//! The text of the request to CPython's fleet: the fields of its form (python/buildmaster-config,
//! new_worker.yml), what was tried, and the lines for its configuration.

use super::{Answers, Machine};
use crate::doctor::{self, Report, check::Verdict};

/// Where the request goes.
const FORM: &str =
    "https://github.com/python/buildmaster-config/issues/new?template=new_worker.yml";

/// What the request can show.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// What the doctor found.
    pub doctor: Option<Report>,
    /// What a bring-up of CPython found, in Markdown.
    pub bringup: Option<String>,
}

/// The whole text, in Markdown.
pub fn text(answers: &Answers, machine: &Machine, evidence: &Evidence) -> String {
    let mut text = fields(answers, machine);
    text.push_str("\n### What was tried\n\n");
    match &evidence.doctor {
        Some(report) => text.push_str(&examined(report)),
        None => text.push_str("The machine was not examined with `coracle doctor`.\n"),
    }
    text.push('\n');
    match &evidence.bringup {
        Some(summary) => text.push_str(summary),
        None => text.push_str(
            "CPython was not built here yet (`coracle bringup cpython` does that as the fleet would).\n",
        ),
    }
    text.push_str(&configuration(answers, machine));
    text
}

fn fields(answers: &Answers, machine: &Machine) -> String {
    let Answers {
        owner,
        person,
        contact,
        github,
        name,
        os,
        arch,
        password,
        special,
    } = answers;
    let contact = spelled(contact);
    let password = password.option();
    let special = if special.is_empty() { "no" } else { special };
    let host = machine.description(answers);
    format!(
        "<!-- Paste this at {FORM} -->\n\
         # New worker request: {name}\n\n\
         ### Owner information\n\n\
         - **Username:** {owner}\n\
         - **GitHub username:** {github}\n\
         - **Name:** {person}\n\
         - **Email address:** {contact}\n\
         - **Password status:** {password}\n\n\
         ### Worker information\n\n\
         - **Processor architecture:** {arch}\n\
         - **Operating System:** {os}\n\
         - **Machine:** {host}\n\
         - **Worker software:** {}\n\
         - **Anything special about the worker?** {special}\n",
        crate::basedir::version()
    )
}

/// An address as the form asks for it: `user at domain dot tld`.
fn spelled(contact: &str) -> String {
    match contact.split_once('@') {
        Some((user, domain)) => format!("{user} at {}", domain.replace('.', " dot ")),
        None => contact.to_owned(),
    }
}

fn examined(report: &Report) -> String {
    let ok = doctor::count(&report.checks, Verdict::Ok);
    let mut text = format!(
        "`coracle doctor --for cpython` on {}: {ok} of {} checks are fine.\n",
        report.title,
        report.checks.len()
    );
    for check in report
        .checks
        .iter()
        .filter(|check| check.verdict != Verdict::Ok)
    {
        let word = check.verdict.word();
        text.push_str(&format!("- {word}: {}: {}\n", check.name, check.saw));
    }
    text
}

/// The lines for the fleet's configuration, and for the table of ports.
fn configuration(answers: &Answers, machine: &Machine) -> String {
    let Answers {
        name,
        os,
        arch,
        github,
        ..
    } = answers;
    let tags: Vec<String> = machine
        .tags()
        .iter()
        .map(|tag| format!("'{tag}'"))
        .collect();
    let tags = tags.join(", ");
    let title = os.replace(['"', '\\'], "");
    let tests = doctor::jobs();
    let arch_title = match arch.as_str() {
        "x86_64" | "amd64" => "AMD64",
        other => other,
    };
    format!(
        "\n### Lines for the configuration\n\n\
         `master/custom/workers.py`:\n\n\
         ```python\n\
         \x20       cpw(\n\
         \x20           name=\"{name}\",\n\
         \x20           tags=[{tags}],\n\
         \x20           parallel_tests={tests},\n\
         \x20       ),\n\
         ```\n\n\
         `master/custom/builders.py`, among the unstable builders without a tier:\n\n\
         ```python\n\
         \x20   (\"{arch_title} {title}\", \"{name}\", UnixBuild),\n\
         ```\n\n\
         For a platform that the devguide's \"Ports and contacts\" does not list yet, a row for \
         `developer-workflow/porting.rst`: {os} ({arch}), {github}\n"
    )
}
