//! What a bring-up runs: the fleet's steps with the source before them, some of them, or only the tests
//! that failed.

use std::collections::BTreeMap;

use super::results::Tests;
use super::source::{self, Origin};
use crate::local::recipe::{Action, CommandText, Plan, RecipeFile, Step, ValueOf};

/// The step that removes what was built. A bring-up leaves it out unless asked, so that tests can be
/// run again.
pub(super) const CLEAN: &str = "clean";

/// Most tests that are run again one by one.
const MOST_AGAIN: usize = 200;

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// A variant of the recipe; none for `debug`.
    pub variant: Option<String>,
    /// How many jobs at a time.
    pub jobs: usize,
    /// The only files of tests that are run; if the first word is `-x`, all but these.
    pub tests: Vec<String>,
    /// The only steps that are run; all but `clean` if there are none.
    pub steps: Vec<String>,
}

/// The plan for a whole bring-up. Without an origin the source must be there already.
///
/// # Errors
/// The recipe is broken, there is no such variant or step, or what is said of tests is wrong.
pub fn plan(wanted: &Wanted, origin: Option<&Origin>) -> Result<Plan, String> {
    check(wanted)?;
    let file = RecipeFile::built_in("cpython").map_err(|error| error.to_string())?;
    let variant = wanted.variant.as_deref();
    let chosen = variant.and_then(|name| file.variant.get(name));
    let jobs = i64::try_from(wanted.jobs).unwrap_or(1);
    let mut values = BTreeMap::from([("jobs".to_owned(), ValueOf::Number(jobs))]);
    if !wanted.tests.is_empty() {
        let usual = chosen.and_then(|variant| variant.values.get("testopts"));
        let usual = usual.or_else(|| file.values.get("testopts"));
        let mut words = match usual {
            Some(ValueOf::Words(words)) => words.clone(),
            Some(ValueOf::Text(word)) => vec![word.clone()],
            Some(ValueOf::Number(_)) | None => Vec::new(),
        };
        words.extend(wanted.tests.iter().cloned());
        values.insert("testopts".to_owned(), ValueOf::Words(words));
    }
    let mut plan = file
        .plan(variant, &values)
        .map_err(|error| error.to_string())?;
    if let Some(origin) = origin {
        plan.steps.insert(0, origin.step());
    }
    select(&mut plan, &wanted.steps)?;
    Ok(plan)
}

/// Whether variant and tests are such as there are.
///
/// # Errors
/// What is wrong, in one line.
pub fn check(wanted: &Wanted) -> Result<(), String> {
    let file = RecipeFile::built_in("cpython").map_err(|error| error.to_string())?;
    if let Some(variant) = wanted.variant.as_deref() {
        if !file.variant.contains_key(variant) {
            let known: Vec<&str> = file.variant.keys().map(String::as_str).collect();
            return Err(format!(
                "--variant {variant}: known are {}",
                known.join(", ")
            ));
        }
    }
    let names = match wanted.tests.split_first() {
        Some((first, [])) if first == "-x" => {
            return Err("--tests -x: name the tests that are to be left out after it".to_owned());
        }
        Some((first, names)) if first == "-x" => names,
        Some(_) | None => &wanted.tests,
    };
    // It must be the same for make, for a shell and for the test runner.
    match names.iter().find(|name| !is_name(name)) {
        Some(word) => Err(format!(
            "--tests {word}: give names of tests, as in 'test_json test_os'"
        )),
        None => Ok(()),
    }
}

/// Leaves only these steps.
fn select(plan: &mut Plan, names: &[String]) -> Result<(), String> {
    if names.is_empty() {
        plan.steps.retain(|step| step.name != CLEAN);
        return Ok(());
    }
    let unknown = names
        .iter()
        .find(|name| !plan.steps.iter().any(|step| step.name == **name));
    if let Some(unknown) = unknown {
        let known: Vec<&str> = plan.steps.iter().map(|step| step.name.as_str()).collect();
        return Err(format!("--steps {unknown}: known are {}", known.join(", ")));
    }
    plan.steps.retain(|step| names.contains(&step.name));
    Ok(())
}

/// The plan that runs what failed again, each test in a process of its own. Also which test each step
/// is for.
///
/// # Errors
/// Nothing failed, or the recipe has no step of tests that can be used for it.
pub fn again(wanted: &Wanted, tests: &Tests) -> Result<(Plan, Vec<(String, String)>), String> {
    let all = Wanted {
        steps: Vec::new(),
        tests: Vec::new(),
        ..wanted.clone()
    };
    let mut plan = plan(&all, None)?;
    let failing = tests.failing();
    if failing.is_empty() {
        return Err("nothing failed in the last run; there is nothing to run again".to_owned());
    }
    let words = |step: &Step| match &step.action {
        Action::Shell(shell) => match &shell.command {
            CommandText::Words(words) => words.iter().any(|word| word.starts_with("TESTOPTS=")),
            CommandText::Shell(_) => false,
        },
        _ => false,
    };
    let model = plan.steps.iter().find(|step| words(step)).cloned();
    let model = model.ok_or(
        "this variant does not run its tests by make; they cannot be run again one by one",
    )?;
    plan.steps.clear();
    let mut names = Vec::new();
    for failed in failing.into_iter().take(MOST_AGAIN) {
        let Some(options) = options(failed, tests) else {
            continue;
        };
        let mut step = model.clone();
        step.name = format!("test again {}", names.len() + 1);
        step.warnings.clear();
        if let Action::Shell(shell) = &mut step.action {
            if let CommandText::Words(words) = &mut shell.command {
                for word in words
                    .iter_mut()
                    .filter(|word| word.starts_with("TESTOPTS="))
                {
                    *word = format!("TESTOPTS=-j1 {options}");
                }
            }
        }
        names.push((step.name.clone(), failed.to_owned()));
        plan.steps.push(step);
    }
    if names.is_empty() {
        return Err(
            "none of the tests that failed has a name that can be given to the test runner"
                .to_owned(),
        );
    }
    Ok((plan, names))
}

/// What the runner is told for one test: its file, and the test in it where it has a name of its own.
/// What comes from a log and goes to a shell must be a name and nothing else.
fn options(failed: &str, tests: &Tests) -> Option<String> {
    if tests.files.contains(failed) {
        return is_name(failed).then(|| failed.to_owned());
    }
    // Without the subtest.
    let test = failed.split(' ').next()?;
    let file = tests.file_of(test)?;
    if !is_name(test) || !is_name(file) {
        return None;
    }
    let method = test.rsplit('.').next()?;
    if method.starts_with("test") {
        Some(format!("-m {test} {file}"))
    } else {
        // setUpClass and its like are not tests.
        Some(file.to_owned())
    }
}

fn is_name(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
    !text.is_empty() && text.bytes().all(good)
}

/// Whether a step brings the source.
pub fn brings_source(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| step.name == source::STEP)
}

#[cfg(test)]
mod tests {
    use super::super::results::Test;
    use super::*;

    fn names(plan: &Plan) -> Vec<&str> {
        plan.steps.iter().map(|step| step.name.as_str()).collect()
    }

    fn words(step: &Step) -> String {
        match &step.action {
            Action::Shell(shell) => match &shell.command {
                CommandText::Words(words) => words.join(" "),
                CommandText::Shell(text) => text.clone(),
            },
            other => format!("{other:?}"),
        }
    }

    fn wanted() -> Wanted {
        Wanted {
            jobs: 3,
            ..Wanted::default()
        }
    }

    #[test]
    fn the_source_comes_first_and_what_was_built_stays() {
        let origin = Origin::Git {
            url: "/x".to_owned(),
            branch: None,
        };
        let plan = plan(&wanted(), Some(&origin)).expect("a plan");
        let names = names(&plan);
        assert_eq!(names[..3], ["source", "configure", "compile"]);
        assert!(!names.contains(&"clean"));
        assert!(words(&plan.steps[2]).contains("-j3"));
    }

    #[test]
    fn tests_and_steps_can_be_chosen() {
        let chosen = Wanted {
            tests: vec!["test_json".to_owned()],
            steps: vec!["test".to_owned(), "clean".to_owned()],
            ..wanted()
        };
        let plan = plan(&chosen, None).expect("a plan");
        assert_eq!(names(&plan), ["test", "clean"]);
        let words = words(&plan.steps[0]);
        assert!(
            words.contains("--junit-xml test-results.xml test_json"),
            "{words}"
        );
        let but = Wanted {
            tests: vec!["-x".to_owned(), "test_gdb".to_owned()],
            ..wanted()
        };
        assert_eq!(check(&but), Ok(()));
    }

    #[test]
    fn what_there_is_not_is_told() {
        let wrong = |change: fn(&mut Wanted)| {
            let mut wanted = wanted();
            change(&mut wanted);
            plan(&wanted, None).err().unwrap_or_default()
        };
        assert!(
            wrong(|wanted| wanted.variant = Some("fast".to_owned()))
                .contains("--variant fast: known are asan, debug, ")
        );
        assert!(
            wrong(|wanted| wanted.steps = vec!["x".to_owned()])
                .contains("--steps x: known are configure, ")
        );
        assert!(wrong(|wanted| wanted.tests = vec!["a; b".to_owned()]).contains("--tests a; b"));
        for bad in ["$(x)", "-x", "-j3", "", "a=b"] {
            let wanted = Wanted {
                tests: vec![bad.to_owned()],
                ..wanted()
            };
            let why = plan(&wanted, None).err().unwrap_or_default();
            assert!(why.starts_with(&format!("--tests {bad}: ")), "{bad}: {why}");
        }
    }

    #[test]
    fn what_failed_runs_again_one_by_one_and_nothing_else_reaches_a_shell() {
        let test = |name: &str| Test {
            name: name.to_owned(),
            message: String::new(),
        };
        let tests = Tests {
            files: ["test_a", "test_b", "test_c;rm"].map(str::to_owned).into(),
            files_failed: vec![test("test_b"), test("test_c;rm")],
            failed: vec![
                test("test.test_a.C.test_x (i=1)"),
                test("test.test_a.C.setUpClass"),
                test("test.test_a.C.test_`touch x`"),
                test("test.unknown.C.test_y"),
            ],
            ..Tests::default()
        };
        let (plan, names) = again(&wanted(), &tests).expect("a plan");
        let lines: Vec<String> = plan.steps.iter().map(words).collect();
        assert_eq!(names.len(), 3);
        assert!(lines[0].contains("TESTOPTS=-j1 test_a "), "{lines:?}");
        assert!(
            lines[1].contains("TESTOPTS=-j1 -m test.test_a.C.test_x test_a "),
            "{lines:?}"
        );
        assert!(lines[2].contains("TESTOPTS=-j1 test_b "), "{lines:?}");
        assert!(again(&wanted(), &Tests::default()).is_err());
    }
}
