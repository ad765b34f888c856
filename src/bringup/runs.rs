//! The runs of a bring-up, each with a directory for its logs, and what an earlier one has left to do.
//!
//! Runs of one kind go on with one another: a variant has its own, and so has every choice of steps.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::place::{Place, failed, write};
use super::plan::CLEAN;
use super::source;
use crate::local::recipe::{Outcome, Plan};
use crate::local::run::{Done, StepEnd, done};

/// The file among a run's results that says what run it is.
const FILE: &str = "run.json";

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    /// The variant.
    pub variant: String,
    /// The steps that were chosen; none for a whole build.
    pub steps: Vec<String>,
    /// Whether it is only what failed once more.
    pub again: bool,
}

/// A run: its kind, and its steps, each with what tells it from another step of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOf {
    /// Its kind.
    pub kind: Kind,
    /// Name and fingerprint of each step, in order.
    pub steps: Vec<(String, String)>,
}

impl RunOf {
    /// `plan` must be the one for one job at a time: how many there are does not make another build.
    pub fn new(kind: Kind, plan: &Plan) -> RunOf {
        let steps = plan.steps.iter();
        RunOf {
            kind,
            steps: steps
                .map(|step| (step.name.clone(), step.fingerprint()))
                .collect(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.steps.iter().any(|(known, _)| known == name)
    }

    /// The step that removes what is built, if there is one.
    pub fn removing(&self) -> Option<&str> {
        [source::STEP, CLEAN]
            .into_iter()
            .find(|name| self.has(name))
    }
}

/// What the last run of a kind has left to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Rest {
    /// There was none, or it came to its end.
    Nothing,
    /// Its rest.
    GoOn(Pending),
    /// It had not come to its end, but what it has done is of no use any more; why.
    Lost(String),
    /// It did not come to the end of its source, and this run brings none.
    NoSource,
}

/// A run that can go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// The step that comes next.
    pub step: String,
    /// What is done, with its logs.
    pub done: Vec<StepEnd>,
    /// It was cut off; otherwise it ended in that step.
    pub cut_off: bool,
}

impl Place {
    fn results(&self) -> PathBuf {
        self.base.join("results")
    }

    /// The numbers of all runs, the last one first.
    fn numbers(&self) -> Vec<u32> {
        let entries = fs::read_dir(self.results()).into_iter().flatten().flatten();
        let mut numbers: Vec<u32> = entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        numbers
    }

    fn run_directory(&self, number: u32) -> PathBuf {
        self.results().join(format!("{number:04}"))
    }

    /// Makes the directory for the logs of a new run.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn begin(&self, run: &RunOf) -> Result<PathBuf, String> {
        let all = self.results();
        fs::create_dir_all(&all).map_err(|error| failed("make", &all, &error))?;
        let last = self.numbers().first().copied().unwrap_or(0);
        let directory = self.run_directory(last.saturating_add(1));
        fs::create_dir(&directory).map_err(|error| failed("make", &directory, &error))?;
        // Only maps with keys that are no texts could fail, and there is none.
        let text = serde_json::to_string(run).unwrap_or_default();
        write(&directory.join(FILE), &text)?;
        Ok(directory)
    }

    /// What the last run of the same kind has left to do of this one.
    pub fn rest(&self, run: &RunOf, plan: &Plan) -> Rest {
        let mut removed = None;
        for number in self.numbers() {
            let Some((known, done)) = read(&self.run_directory(number)) else {
                continue;
            };
            if known.kind == run.kind {
                let rest = rest(&known, done, run, plan);
                return match (rest, removed) {
                    (Rest::GoOn(_), Some(step)) => Rest::Lost(format!(
                        "the step {step} of a later run has removed what was built"
                    )),
                    (Rest::GoOn(_), None)
                        if source::check(&self.build(&run.kind.variant)).is_err() =>
                    {
                        Rest::Lost("what was built is not there any more".to_owned())
                    }
                    (rest, _) => rest,
                };
            }
            if known.kind.variant == run.kind.variant {
                removed = removed.or(known.removing().map(str::to_owned));
            }
        }
        Rest::Nothing
    }
}

/// The run whose results these are; none if it has not begun, or nobody can tell.
fn read(directory: &Path) -> Option<(RunOf, Done)> {
    let text = fs::read(directory.join(FILE)).ok()?;
    let run = serde_json::from_slice(&text).ok()?;
    Some((run, done(directory).ok()??))
}

/// What is left of `run`, whose steps `plan` has, after what `known` has done.
fn rest(known: &RunOf, done: Done, run: &RunOf, plan: &Plan) -> Rest {
    let halts = |name: &str, outcome: Outcome| {
        let step = plan.steps.iter().find(|step| step.name == name);
        step.is_some_and(|step| step.rules.halts(outcome))
    };
    let has_log = |end: &&StepEnd| end.log.as_ref().is_none_or(|log| log.is_file());
    let good = |name: &str| {
        let mut ends = done.steps.iter().filter(has_log);
        ends.find(|end| end.name == name && !halts(name, end.outcome))
    };
    if known.steps.iter().all(|(name, _)| good(name).is_some()) {
        return Rest::Nothing;
    }
    if known.has(source::STEP) && !run.has(source::STEP) && good(source::STEP).is_none() {
        return Rest::NoSource;
    }
    let mut before = Vec::new();
    let mut next = None;
    for step in &run.steps {
        match good(&step.0) {
            Some(end) if known.steps.contains(step) => before.push(StepEnd {
                earlier: true,
                ..end.clone()
            }),
            other => {
                next = Some((step.0.clone(), other.is_some()));
                break;
            }
        }
    }
    match (next, before.is_empty()) {
        (Some((step, false)), true) if good(&step).is_none() => Rest::Nothing,
        (Some((step, _)), true) => Rest::Lost(format!("its step {step} is another now")),
        (Some((step, _)), false) => Rest::GoOn(Pending {
            step,
            done: before,
            cut_off: !done.ended,
        }),
        (None, _) => Rest::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Wanted, plan};
    use super::*;

    struct Bench {
        place: Place,
    }

    impl Drop for Bench {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.place.base);
        }
    }

    impl Bench {
        fn new(name: &str) -> Bench {
            let name = format!("coracle-runs-{name}-{}", std::process::id());
            let base = std::env::temp_dir().join(name);
            let _ = fs::remove_dir_all(&base);
            let bench = Bench {
                place: Place::open(&base, None).expect("a place"),
            };
            for variant in ["debug", "nogil"] {
                let build = bench.place.build(variant);
                fs::create_dir_all(build.join("Lib/test/libregrtest")).expect("a directory");
                fs::create_dir_all(build.join("Include")).expect("a directory");
                fs::write(build.join("configure"), "").expect("a file");
                let header = "#define PY_VERSION \"3.15.0\"\n";
                fs::write(build.join("Include/patchlevel.h"), header).expect("a file");
            }
            bench
        }

        /// A run that has done these steps.
        fn run(&self, (run, _): &(RunOf, Plan), done: &[(&str, Outcome)], ended: bool) {
            let directory = self.place.begin(run).expect("results");
            let mut text = "coracle progress 2\n".to_owned();
            for (name, outcome) in done {
                text.push_str(&format!("step\t{name}\t{outcome}\t0\t1.0\t\t\n"));
            }
            if ended {
                text.push_str("end\n");
            }
            fs::write(directory.join("progress"), text).expect("a file");
        }

        fn rest(&self, (run, plan): &(RunOf, Plan)) -> Rest {
            self.place.rest(run, plan)
        }

        fn next(&self, run: &(RunOf, Plan)) -> String {
            match self.rest(run) {
                Rest::GoOn(pending) => pending.step,
                other => format!("{other:?}"),
            }
        }
    }

    fn of(variant: &str, steps: &[&str], tests: &[&str], branch: Option<&str>) -> (RunOf, Plan) {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let wanted = Wanted {
            variant: Some(variant.to_owned()),
            jobs: 1,
            tests: texts(tests),
            steps: texts(steps),
        };
        let origin = branch.map(|branch| source::Origin::Git {
            url: "/x".to_owned(),
            branch: Some(branch.to_owned()),
        });
        let plan = plan(&wanted, origin.as_ref()).expect("a plan");
        let kind = Kind {
            variant: variant.to_owned(),
            steps: wanted.steps,
            again: false,
        };
        (RunOf::new(kind, &plan), plan)
    }

    const DONE: &[(&str, Outcome)] = &[
        ("source", Outcome::Success),
        ("configure", Outcome::Success),
    ];

    #[test]
    fn a_run_of_another_kind_leaves_a_pending_one_alone() {
        let bench = Bench::new("kinds");
        let whole = of("debug", &[], &[], Some("main"));
        bench.run(&whole, DONE, false);
        assert_eq!(bench.next(&whole), "compile");
        let other = of("nogil", &[], &[], Some("main"));
        assert_eq!(bench.rest(&other), Rest::Nothing);
        bench.run(&other, &DONE[..1], false);
        let part = of("debug", &["compile"], &[], None);
        bench.run(&part, &[("compile", Outcome::Success)], true);
        assert_eq!(bench.next(&whole), "compile");
        assert_eq!(bench.next(&other), "configure");
        // Without a source, and with other tests, it is the same build.
        assert_eq!(bench.next(&of("debug", &[], &["test_os"], None)), "compile");
        // A directory that a run could not begin in is none.
        fs::create_dir(bench.place.run_directory(77)).expect("a directory");
        assert_eq!(bench.next(&whole), "compile");
    }

    #[test]
    fn what_is_of_no_use_any_more_is_told() {
        let bench = Bench::new("lost");
        let whole = of("debug", &[], &[], Some("main"));
        bench.run(&whole, DONE, false);
        let why = "its step source is another now".to_owned();
        let branch = of("debug", &[], &[], Some("3.14"));
        assert_eq!(bench.rest(&branch), Rest::Lost(why));
        bench.run(&of("debug", &["clean"], &[], None), &[], true);
        let why = "the step clean of a later run has removed what was built".to_owned();
        assert_eq!(bench.rest(&whole), Rest::Lost(why));
        bench.run(&whole, DONE, false);
        fs::remove_dir_all(bench.place.build("debug")).expect("removed");
        assert!(matches!(bench.rest(&whole), Rest::Lost(_)));
        bench.run(&whole, &[], false);
        assert_eq!(bench.rest(&of("debug", &[], &[], None)), Rest::NoSource);
    }

    #[test]
    fn a_step_that_failed_comes_next_and_an_end_is_an_end() {
        let bench = Bench::new("ends");
        let whole = of("debug", &[], &[], Some("main"));
        let failed = [DONE, &[("compile", Outcome::Failure)]].concat();
        bench.run(&whole, &failed, true);
        match bench.rest(&whole) {
            Rest::GoOn(pending) => {
                assert_eq!((pending.step.as_str(), pending.cut_off), ("compile", false));
                assert_eq!(pending.done.len(), 2);
            }
            other => panic!("{other:?}"),
        }
        let names: Vec<(&str, Outcome)> = whole
            .0
            .steps
            .iter()
            .map(|(name, _)| (name.as_str(), Outcome::Warnings))
            .collect();
        bench.run(&whole, &names, true);
        assert_eq!(bench.rest(&whole), Rest::Nothing);
        // Neither goes another one on from an end.
        let tests = of("debug", &[], &["test_os"], Some("main"));
        assert_eq!(bench.rest(&tests), Rest::Nothing);
    }
}
