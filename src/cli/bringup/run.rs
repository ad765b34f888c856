//! Runs the steps of a bring-up and makes a record of what came of them.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::show::Show;
use crate::basedir::logging::{self, Place as LogPlace};
use crate::basedir::{LogTarget, Rotation};
use crate::bringup::plan::{self, Wanted};
use crate::bringup::source::{self, Origin};
use crate::bringup::{
    Changes, Kind, Pending, Place, Record, Rest, Run, RunOf, Step, StepResult, assemble, counts,
    headline, utc,
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

/// The whole bring-up or some steps of it, or the rest of a run that failed or was cut off.
///
/// # Errors
/// One line.
pub fn whole(
    place: &Place,
    wanted: &Wanted,
    origin: Option<&Origin>,
    fresh: bool,
    verbose: bool,
) -> Result<Outcome, String> {
    let variant = wanted.variant.clone().unwrap_or_default();
    let build = place.build(&variant);
    if origin.is_none() {
        source::check(&build)
            .map_err(|why| format!("{why}; --source or --git brings the source"))?;
    }
    let plan = plan::plan(wanted, origin)?;
    let run = run_of(wanted, origin)?;
    let earlier = match fresh {
        true => Vec::new(),
        false => earlier(place.rest(&run, &plan))?,
    };
    if !wanted.steps.is_empty() {
        say_what_waits(place, wanted, origin, &run)?;
    }
    let directory = place.begin(&run)?;
    let job = job(place, plan.clone(), &variant, directory, earlier);
    let report = execute(job, place, verbose)?;
    if let Some(exit) = stopped(&report) {
        return Ok(Outcome::Stopped(exit));
    }
    let xml = report.steps.iter().find_map(|end| {
        let is_test = end.name.split(' ').next() == Some("test");
        let log = end.log.as_ref().filter(|_| is_test)?;
        place.xml(&variant, log, end.seconds)
    });
    let ended = Run {
        steps: report.steps.iter().map(step).collect(),
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

/// What this run is, whatever the number of jobs.
fn run_of(wanted: &Wanted, origin: Option<&Origin>) -> Result<RunOf, String> {
    let single = Wanted {
        jobs: 1,
        ..wanted.clone()
    };
    let kind = Kind {
        variant: wanted.variant.clone().unwrap_or_default(),
        steps: wanted.steps.clone(),
        again: false,
    };
    Ok(RunOf::new(kind, &plan::plan(&single, origin)?))
}

/// What need not be done again; says where the run goes on.
fn earlier(rest: Rest) -> Result<Vec<StepEnd>, String> {
    match rest {
        Rest::Nothing => Ok(Vec::new()),
        Rest::GoOn(Pending {
            step,
            done,
            cut_off,
        }) => {
            say(&match cut_off {
                true => format!(
                    "The last run was cut off; going on where it was, with step {step} (--fresh begins anew)."
                ),
                false => format!(
                    "Going on with step {step}, where the last run ended (--fresh begins anew)."
                ),
            });
            Ok(done)
        }
        Rest::Lost(why) => {
            say(&format!(
                "The last run had not come to its end, but it begins anew: {why}."
            ));
            Ok(Vec::new())
        }
        Rest::NoSource => Err(
            "the last run did not come to the end of its step source; --source or --git brings the source"
                .to_owned(),
        ),
    }
}

/// Says what becomes of a whole build that is to go on, when only some steps are run now.
fn say_what_waits(
    place: &Place,
    wanted: &Wanted,
    origin: Option<&Origin>,
    run: &RunOf,
) -> Result<(), String> {
    let all = Wanted {
        steps: Vec::new(),
        ..wanted.clone()
    };
    let whole = place.rest(&run_of(&all, origin)?, &plan::plan(&all, origin)?);
    let Rest::GoOn(Pending { step, .. }) = whole else {
        return Ok(());
    };
    say(&match run.removing() {
        Some(remover) => format!(
            "The whole build was to go on with step {step}; it begins anew after this, since step {remover} removes what was built. --directory keeps it, in another place."
        ),
        None => {
            format!("The whole build keeps its place: without --steps it goes on with step {step}.")
        }
    });
    Ok(())
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
    let single = Wanted {
        jobs: 1,
        ..wanted.clone()
    };
    let kind = Kind {
        variant: record.variant.clone(),
        steps: Vec::new(),
        again: true,
    };
    let run = RunOf::new(kind, &plan::again(&single, tests)?.0);
    let build = place.build(&record.variant);
    if !build.join("Makefile").exists() {
        let build = build.display();
        return Err(format!("{build} is not built any more; bring it up again"));
    }
    let earlier = earlier(place.rest(&run, &plan))?;
    let directory = place.begin(&run)?;
    let job = job(place, plan, &record.variant, directory, earlier);
    let report = execute(job, place, verbose)?;
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

fn job(place: &Place, plan: Plan, variant: &str, results: PathBuf, earlier: Vec<StepEnd>) -> Job {
    Job {
        plan,
        base: place.base.clone(),
        directory: Place::builder(variant),
        results,
        environment: std::env::vars_os().collect(),
        earlier,
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
