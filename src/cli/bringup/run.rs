//! Runs the steps of a bring-up and makes a record of what came of them.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::show::Show;
use crate::basedir::logging::{self, Place as LogPlace};
use crate::basedir::{LogTarget, Rotation};
use crate::bringup::plan::{self, Wanted};
use crate::bringup::source::{self, Origin};
use crate::bringup::{
    Changes, Place, Record, Run, Step, StepResult, assemble, counts, headline, utc,
};
use crate::cli::Exit;
use crate::cli::output::say;
use crate::local::recipe::{Outcome as StepOutcome, Plan};
use crate::local::run::{Job, Report, StepEnd, run};

/// What came of a run.
pub enum Outcome {
    /// It came to its end, good or not.
    Ended(Box<Record>),
    /// Somebody has stopped it, or it could not go on; what there is to say has been said.
    Stopped(Exit),
}

/// The whole bring-up, or the rest of one that failed or was cut off.
///
/// # Errors
/// One line.
pub fn whole(
    place: &Place,
    wanted: &Wanted,
    origin: Option<&Origin>,
    last: Option<Record>,
    fresh: bool,
    verbose: bool,
) -> Result<Outcome, String> {
    let variant = wanted.variant.clone().unwrap_or_default();
    let build = place.build(&variant);
    if origin.is_none() {
        source::check(&build)
            .map_err(|why| format!("{why}; --source or --git brings the source"))?;
    }
    let mut plan = plan::plan(wanted, origin)?;
    let unfinished = place.unfinished(&plan).filter(|_| !fresh);
    let results = place.results(fresh, &plan)?;
    let mut earlier = Vec::new();
    if results.cut_off {
        say("The last run was cut off; going on where it was (--fresh begins anew).");
    } else if let Some((step, steps)) = halted(&plan, last, &variant).or(unfinished) {
        say(&format!(
            "Going on with step {step}, where the last run ended (--fresh begins anew)."
        ));
        plan::from_step(&mut plan, &step);
        earlier = steps;
    }
    let job = job(place, plan.clone(), &variant, &results.directory, true);
    let report = execute(job, place, verbose)?;
    if let Some(exit) = stopped(&report) {
        return Ok(Outcome::Stopped(exit));
    }
    let xml = report.steps.iter().find_map(|end| {
        let is_test = end.name.split(' ').next() == Some("test");
        let log = end.log.as_ref().filter(|_| is_test)?;
        place.xml(&variant, log, end.seconds)
    });
    earlier.extend(report.steps.iter().map(step));
    let ended = Run {
        steps: earlier,
        source: source::describe(&build),
        variant,
        date: now(),
    };
    let mut record = assemble(ended, &place.report, xml.as_deref())?;
    let halt = report.steps.iter().find(|end| {
        let step = plan.steps.iter().find(|step| step.name == end.name);
        step.is_some_and(|step| step.rules.halts(end.outcome))
    });
    record.halted = halt.map(|end| end.name.clone());
    record
        .facts
        .push(("jobs at a time".to_owned(), wanted.jobs.to_string()));
    if let Err(why) = source::check(&build) {
        say(&why);
    }
    Ok(Outcome::Ended(Box::new(record)))
}

/// Only what failed, each test in a process of its own.
///
/// # Errors
/// One line; nothing has failed.
pub fn again(
    place: &Place,
    wanted: &Wanted,
    last: Option<Record>,
    verbose: bool,
) -> Result<Outcome, String> {
    let mut record = last.ok_or_else(|| {
        let report = place.report.display();
        format!("there is no report in {report}; bring it up first")
    })?;
    let tests = record
        .tests
        .as_ref()
        .ok_or("the last run did not come to the tests")?;
    let wanted = Wanted {
        variant: Some(record.variant.clone()),
        ..wanted.clone()
    };
    let (plan, names) = plan::again(&wanted, tests)?;
    let build = place.build(&record.variant);
    if !build.join("Makefile").exists() {
        let build = build.display();
        return Err(format!("{build} is not built any more; bring it up again"));
    }
    let results = place.results(false, &plan)?;
    let variant = record.variant.clone();
    let report = execute(
        job(place, plan, &variant, &results.directory, true),
        place,
        verbose,
    )?;
    if let Some(exit) = stopped(&report) {
        return Ok(Outcome::Stopped(exit));
    }
    let passed = add_again(&mut record, &report, &names);
    say(&format!(
        "{passed} of {} passed when run again",
        names.len()
    ));
    Ok(Outcome::Ended(Box::new(record)))
}

/// Adds what was run again to the record; how many have passed.
fn add_again(record: &mut Record, report: &Report, names: &[(String, String)]) -> usize {
    let mut passed = Vec::new();
    record
        .steps
        .retain(|step| !step.name.starts_with("test again"));
    for end in &report.steps {
        let name = names.iter().find(|(step, _)| *step == end.name);
        let name = name.map(|(_, name)| name.clone()).unwrap_or_default();
        let mut line = step(end);
        line.reason = match line.reason.as_str() {
            "" => name.clone(),
            reason => format!("{name}: {reason}"),
        };
        if end.outcome <= StepOutcome::Warnings && end.code == Some(0) {
            passed.push(name);
        }
        record.seconds += line.seconds;
        record.steps.push(line);
    }
    if let Some(tests) = &mut record.tests {
        tests.passed_again(&passed);
        if tests.failing().is_empty() && tests.result.is_some() {
            let steps = record.steps.iter_mut();
            for step in steps.filter(|step| step.name.split(' ').next() == Some("test")) {
                if step.result == StepResult::Failure {
                    step.result = StepResult::Warnings;
                    step.reason = "all that failed passed when run again".to_owned();
                }
            }
        }
    }
    record.date = now();
    passed.len()
}

fn job(place: &Place, plan: Plan, variant: &str, results: &Path, resume: bool) -> Job {
    Job {
        plan,
        base: place.base.clone(),
        directory: Place::builder(variant),
        results: results.to_owned(),
        environment: std::env::vars_os().collect(),
        resume,
    }
}

fn execute(job: Job, place: &Place, verbose: bool) -> Result<Report, String> {
    let log = LogTarget::File {
        path: place.base.join("twistd.log"),
        rotation: Rotation::UNSET,
    };
    logging::start(&log, &place.base, LogPlace::Inside, verbose);
    run(job, Box::new(Show::new())).map_err(|error| error.to_string())
}

/// Whether a run did not come to its end; says so.
fn stopped(report: &Report) -> Option<Exit> {
    let step = report
        .steps
        .last()
        .map_or("the first step", |end| end.name.as_str());
    if let Some(request) = report.stopped {
        say(&format!(
            "Stopped in {step}. The same command goes on there."
        ));
        return Some(Exit::Signal(request));
    }
    let trouble = report.trouble.as_ref()?;
    say(&format!(
        "It ended in {step}: {trouble}. The same command goes on there."
    ));
    Some(Exit::BAD)
}

/// The step that ended the last run, and what was done before it.
fn halted(plan: &Plan, last: Option<Record>, variant: &str) -> Option<(String, Vec<Step>)> {
    let last = last.filter(|last| last.variant == variant)?;
    let step = last.halted?;
    plan.steps.iter().find(|known| known.name == step)?;
    let before = last.steps.into_iter();
    let before = before.take_while(|done| done.name != step).collect();
    Some((step, before))
}

fn step(end: &StepEnd) -> Step {
    Step {
        name: end.name.clone(),
        result: StepResult::of(end.outcome),
        reason: end.note.clone(),
        seconds: end.seconds,
        log: end
            .log
            .as_ref()
            .map(|log| log.to_string_lossy().into_owned()),
    }
}

fn now() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    utc(now.map_or(0, |now| now.as_secs()))
}

/// Says what came of it, and where the report is.
pub fn tell(place: &Place, record: &Record, changes: Option<&Changes>) {
    say("");
    say(&format!(
        "CPython, {}: {}.",
        record.source,
        headline(record)
    ));
    for missing in &record.missing {
        let remedy = match missing.remedy.as_str() {
            "" => String::new(),
            remedy => format!("; {remedy}"),
        };
        say(&format!(
            "not built: {} ({}){remedy}",
            missing.module, missing.why
        ));
    }
    for command in &record.install {
        say(&format!("    {command}"));
    }
    if let Some(tests) = &record.tests {
        say(&counts(tests));
        for name in tests.failing().into_iter().take(20) {
            say(&format!("failing: {name}"));
        }
        if let Some(problem) = &tests.problem {
            say(problem);
        }
    }
    if let Some(changes) = changes {
        say(&format!(
            "since {}: {} newly failing, {} newly passing",
            changes.earlier,
            changes.newly_failing.len(),
            changes.newly_passing.len()
        ));
    }
    say(&format!(
        "report: {}",
        place.report.join("report.html").display()
    ));
}
