// Helpers of tests may panic like tests.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn plan(text: &str) -> Result<Plan, RecipeError> {
    RecipeFile::parse("test.toml", text)?.plan(None, &BTreeMap::new())
}

fn refused(text: &str) -> String {
    plan(text).unwrap_err().to_string()
}

fn words(step: &Step) -> Vec<String> {
    match &step.action {
        Action::Shell(shell) => match &shell.command {
            CommandText::Words(words) => words.clone(),
            CommandText::Shell(text) => vec![text.clone()],
        },
        other => panic!("no command: {other:?}"),
    }
}

#[test]
fn every_built_in_recipe_can_be_planned_in_all_its_variants() {
    let program = BTreeMap::from([("coracle".to_owned(), ValueOf::Text("/c".to_owned()))]);
    for (name, _) in BUILT_IN {
        let file = RecipeFile::built_in(name).unwrap();
        file.plan(None, &program).unwrap();
        for variant in file.variant.keys() {
            file.plan(Some(variant), &program).unwrap();
        }
    }
}

#[test]
fn cpython_is_built_as_the_fleet_builds_it() {
    let file = RecipeFile::built_in("cpython").unwrap();
    let jobs = BTreeMap::from([("jobs".to_owned(), ValueOf::Number(7))]);
    let plan = file.plan(Some("nogil"), &jobs).unwrap();
    let names: Vec<&str> = plan.steps.iter().map(|step| step.name.as_str()).collect();
    let wanted = [
        "configure",
        "compile",
        "pythoninfo",
        "test",
        "upload-test-results",
        "clean",
    ];
    assert_eq!(names, wanted);
    let configure = [
        "./configure",
        "--prefix",
        "$(PWD)/target",
        "--with-pydebug",
        "--disable-gil",
    ];
    assert_eq!(words(&plan.steps[0]), configure);
    assert_eq!(words(&plan.steps[1]), ["make", "-j7", "all"]);
    let test = [
        "make",
        "buildbottest",
        "TESTOPTS=-j7 --junit-xml test-results.xml ${BUILDBOT_TESTOPTS}",
        "TESTPYTHONOPTS=",
        "TESTTIMEOUT=1800",
    ];
    assert_eq!(words(&plan.steps[3]), test);
    let Action::Shell(shell) = &plan.steps[3].action else {
        panic!("no command");
    };
    assert_eq!(
        (shell.timeout, shell.max_time, shell.sigterm_time, shell.pty),
        (Some(2400.0), Some(14400.0), Some(30.0), false)
    );
    assert_eq!(
        plan.steps[3].results,
        BTreeMap::from([(5, Outcome::Warnings)])
    );
    assert!(plan.steps[5].rules.always_run && !plan.steps[5].rules.flunk_on_failure);
    let installed = file.plan(Some("installed"), &jobs).unwrap();
    assert_eq!(
        words(&installed.steps[5]),
        [
            "./target/bin/python3",
            "-Wdefault",
            "-bb",
            "-E",
            "-m",
            "test",
            "-rwW",
            "-uall",
            "--timeout=1200",
            "-j7"
        ]
    );
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let head = "title = \"t\"\n\n[[step]]\nname = \"a\"\n";
    for (text, line, reason) in [
        ("title = \"t\"\nbroken", "line 2", "expected"),
        (
            "title = \"t\"\n[[step]]\nname = \"a\"\ncomand = \"x\"\n",
            "line",
            "comand",
        ),
        (
            &format!("{head}command = \"{{nothing}}\"\n"),
            "line 3",
            "no value {nothing}",
        ),
        (head, "line 3", "nothing to do"),
        (
            &format!("{head}mkdir = \"a\"\nrmdir = \"b\"\n"),
            "line 3",
            "more than one thing",
        ),
        (
            &format!("{head}command = []\n"),
            "line 3",
            "command is empty",
        ),
        (
            &format!("{head}command = \"x\"\ntimeout = -1\n"),
            "line 3",
            "no number of seconds",
        ),
        (
            &format!("{head}command = \"x\"\ntimeout = \"soon\"\n"),
            "line 3",
            "'soon'",
        ),
        (
            &format!("{head}command = \"x\"\nafter = [\"b\"]\n"),
            "line 3",
            "no step 'b'",
        ),
        (
            &format!("{head}command = \"x\"\nresults = {{ x = \"success\" }}\n"),
            "line 3",
            "'x'",
        ),
        (
            &format!("{head}command = \"x\"\nresults = {{ 1 = \"great\" }}\n"),
            "line",
            "great",
        ),
        (
            &format!("{head}download = \"x\"\n"),
            "line 3",
            "content or size",
        ),
        (
            &format!("{head}download = \"x\"\nsize = 1_000_000_000\n"),
            "line 3",
            "size is",
        ),
        (
            &format!("{head}mkdir = \"a\"\n[[step]]\nname = \"a\"\nmkdir = \"b\"\n"),
            "line 6",
            "second",
        ),
    ] {
        let error = refused(text);
        assert!(error.starts_with("test.toml, line"), "{error}");
        assert!(error.contains(line) && error.contains(reason), "{error}");
    }
    assert!(refused("title = \"t\"").contains("no steps"));
    let loops = "title = \"t\"\nvalues = { a = \"{b}\", b = \"{a}\" }\n[[step]]\nname = \"a\"\ncommand = \"{a}\"\n";
    assert!(refused(loops).contains("contains itself"));
    let error = RecipeFile::built_in("cpython")
        .unwrap()
        .plan(Some("fast"), &BTreeMap::new());
    assert!(error.unwrap_err().to_string().contains("asan, debug"));
}

#[test]
fn values_fill_texts_and_words() {
    let values = Values(BTreeMap::from([
        ("one".to_owned(), ValueOf::Text("1".to_owned())),
        (
            "some".to_owned(),
            ValueOf::Words(vec!["a".to_owned(), "b{one}".to_owned()]),
        ),
        ("none".to_owned(), ValueOf::Words(Vec::new())),
    ]));
    let given = [
        "{some}", "x={some}", "{none}", "${one}", "{", "{}", "{One}", "{one",
    ];
    let given = given.map(str::to_owned);
    let filled = values.fill_words(&given).unwrap();
    assert_eq!(
        filled,
        ["a", "b1", "x=a b1", "${one}", "{", "{}", "{One}", "{one"]
    );
}

#[test]
fn results_add_up_as_buildbots_do() {
    let usual = Rules {
        halt_on_failure: false,
        flunk_on_failure: true,
        warn_on_failure: false,
        warn_on_warnings: false,
        always_run: false,
    };
    assert_eq!(
        usual.add(Outcome::Success, Outcome::Skipped),
        Outcome::Success
    );
    assert_eq!(
        usual.add(Outcome::Success, Outcome::Warnings),
        Outcome::Success
    );
    assert_eq!(
        usual.add(Outcome::Warnings, Outcome::Failure),
        Outcome::Failure
    );
    assert_eq!(
        usual.add(Outcome::Failure, Outcome::Success),
        Outcome::Failure
    );
    let mild = Rules {
        flunk_on_failure: false,
        warn_on_failure: true,
        ..usual
    };
    assert_eq!(
        mild.add(Outcome::Success, Outcome::Failure),
        Outcome::Warnings
    );
    let warned = Rules {
        warn_on_warnings: true,
        ..usual
    };
    assert_eq!(
        warned.add(Outcome::Success, Outcome::Warnings),
        Outcome::Warnings
    );
    assert!(!usual.halts(Outcome::Failure) && usual.halts(Outcome::Exception));
}

#[test]
fn patterns_are_found_anywhere_in_a_line() {
    let is_in = |pattern: &str, line| Pattern(pattern.to_owned()).is_in(line);
    assert!(is_in("warning:", "x.c:1: Warning: unused"));
    assert!(is_in("test_* leaked ", "test_os leaked [6] blocks"));
    assert!(!is_in("test_* leaked ", "leaked by test_os"));
    assert!(is_in("FAIL: ", "FAIL: test_x") && !is_in("FAIL: ", "fail: x"));
}
