// Helpers of tests may panic like tests.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use super::judge::{Evidence, judge};
use super::progress::{Progress, done};
use super::*;
use crate::local::recipe::RecipeFile;

fn directory(name: &str) -> PathBuf {
    let name = format!("coracle-run-{name}-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn end(name: &str, outcome: Outcome) -> StepEnd {
    StepEnd {
        name: name.to_owned(),
        outcome,
        code: Some(3),
        seconds: 1.5,
        note: "a note".to_owned(),
        log: Some(PathBuf::from("/l")),
        earlier: true,
    }
}

#[test]
fn what_a_run_has_done_is_read_up_to_where_it_was_cut_off() {
    let path = directory("progress");
    assert_eq!(done(&path).unwrap(), None);
    let mut progress = Progress::begin(&path, &[end("a", Outcome::Warnings)]).unwrap();
    progress.add(&end("b\tb", Outcome::Failure)).unwrap();
    // The machine lost its power in the middle of a line.
    let file = path.join("progress");
    let mut text = fs::read(&file).unwrap();
    text.extend_from_slice(b"step\tc\tsucc");
    fs::write(&file, text).unwrap();
    let found = done(&path).unwrap().unwrap();
    assert_eq!(
        found.steps,
        [end("a", Outcome::Warnings), end("b b", Outcome::Failure)]
    );
    assert!(!found.ended);
    // The next run writes down what it was given, whatever is in the file.
    let mut progress = Progress::begin(&path, &found.steps).unwrap();
    progress.add(&end("c", Outcome::Success)).unwrap();
    progress.end().unwrap();
    let found = done(&path).unwrap().unwrap();
    assert_eq!((found.steps.len(), found.ended), (3, true));
    fs::write(&file, "something else\nend\n").unwrap();
    assert_eq!(done(&path).unwrap(), None);
    fs::remove_dir_all(path).unwrap();
}

#[test]
fn a_step_is_judged_by_code_output_and_what_went_wrong() {
    let text = "title = \"t\"\n[[step]]\nname = \"a\"\ncommand = \"x\"\nresults = { 5 = \"warnings\" }\nshows = \"saw {line}\"\n";
    let plan = RecipeFile::parse("t", text).unwrap();
    let plan = plan.plan(None, &std::collections::BTreeMap::new()).unwrap();
    let step = &plan.steps[0];
    let with = |code| Evidence {
        code,
        last_line: "last".to_owned(),
        last_out: "out".to_owned(),
        ..Evidence::default()
    };
    assert_eq!(
        judge(step, &with(Some(0))),
        (Outcome::Success, "saw out".to_owned())
    );
    assert_eq!(judge(step, &with(Some(5))).0, Outcome::Warnings);
    assert_eq!(
        judge(step, &with(Some(2))),
        (Outcome::Failure, "exit code 2: last".to_owned())
    );
    assert_eq!(judge(step, &with(None)).0, Outcome::Failure);
    let missing = vec!["hello".to_owned()];
    let evidence = Evidence {
        missing,
        ..with(Some(0))
    };
    assert_eq!(judge(step, &evidence).0, Outcome::Failure);
    let evidence = Evidence {
        warnings: 2,
        ..with(Some(0))
    };
    assert_eq!(judge(step, &evidence).0, Outcome::Warnings);
    let failure = Some("no such directory".to_owned());
    let evidence = Evidence {
        failure,
        ..with(Some(0))
    };
    assert_eq!(judge(step, &evidence).0, Outcome::Exception);
    let evidence = Evidence {
        cancelled: true,
        ..evidence
    };
    assert_eq!(judge(step, &evidence).0, Outcome::Cancelled);
}

#[test]
fn names_of_steps_are_harmless_as_names_of_files() {
    assert_eq!(super::step::file_name("../a b/\u{e9}"), ".._a_b__");
}
