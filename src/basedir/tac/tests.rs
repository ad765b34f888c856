use super::*;

fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn run_with(source: &str, environment: &[(&str, &str)]) -> Tac {
    let file = "/w/buildbot.tac".to_owned();
    read(
        source.as_bytes(),
        file,
        "/w".to_owned(),
        variables(environment),
    )
    .unwrap()
}

/// What `x` stands for at the end of the file: its repr, or why it is not known.
fn x_with(source: &str, environment: &[(&str, &str)]) -> String {
    let tac = run_with(source, environment);
    match &tac.names["x"].value {
        Value::Unknown(unknown) => format!("? {unknown}"),
        value => value.quoted().unwrap_or_else(|| value.kind().to_owned()),
    }
}

fn x(source: &str) -> String {
    x_with(source, &[])
}

#[test]
fn expressions_have_pythons_values() {
    for (source, value) in [
        ("x = 1 + 2 * 3 ** 2", "19"),
        ("x = -2 ** 2", "-4"),
        ("x = 2 ** -1 < 1", "True"),
        ("x = 2 ** 64", "? `2 ** 64`: the number is too large"),
        ("x = 7 // 2, 7 % 3, 7 / 2", "(3, 1, 3.5)"),
        ("x = not 1 == 2 and 'a' in 'bac'", "True"),
        ("x = 1 < 2 < 3 != 4", "True"),
        ("x = 3 not in [1, 2]", "True"),
        ("x = None is not None or 5", "5"),
        ("x = 'a' 'b' + \"c\" * 2", "'abcc'"),
        ("x = 'yes' if '' else 'no'", "'no'"),
        ("x = [1, (2,), 'a',]", "[1, (2,), 'a']"),
        ("x = {'a': 1, 'b': 2}['b']", "2"),
        ("x = [n * 2 for n in (1, 2, 3) if n != 2]", "[2, 6]"),
        ("x = 'abcdef'[1:-2] + 'ab'[-1]", "'bcdb'"),
        ("x = f'{1 + 1}-{\"a\"!r}' + f'{{}}'", "\"2-'a'{}\""),
        ("x = '%s:%d' % ('h', 9989)", "'h:9989'"),
        ("x = '{0}.{1}.{k}'.format('a', 'b', k=1)", "'a.b.1'"),
        ("x = ' a,b '.strip().split(',')", "['a', 'b']"),
        ("x = int('0o17', 8) + int(' 12 ') + int('1_0')", "37"),
        ("x = str(5) + 'a'.upper() + repr('q')", "\"5A'q'\""),
        ("x = len('äb') + len([1])", "3"),
        ("x = 0o22 | 0x10 & 0b11", "18"),
        ("x: int = 5", "5"),
        ("x = y = 4; x += y", "8"),
        ("a, (b, x) = 1, (2, 3)", "3"),
        ("x = lambda: 1", "? ``: `lambda` is not supported"),
        ("x = bool([]) or bool('0')", "True"),
        ("x = min(3, 2) + max([1, 5])", "7"),
        ("x = b'abc'.decode('utf-8')", "'abc'"),
        ("x = 'a.b.c'.rsplit('.', 1)[0]", "'a.b'"),
        ("x = 'a=b'.partition('=')[2]", "'b'"),
    ] {
        assert_eq!(x(source), value, "{source}");
    }
}

#[test]
fn statements_run_as_in_python() {
    let source = "
if False:
    x = 1
elif 'a' == 'b': x = 2
else:
    x = []
    for n in ('a', 'b', 'c', 'd'):
        if n == 'b':
            continue
        elif n == 'd':
            break
        x.append(n)
    x.extend(['z'])
";
    assert_eq!(x(source), "['a', 'c', 'z']");
}

#[test]
fn an_exception_goes_to_its_handler() {
    let source = "
import os
try:
    x = os.environ['NOT_SET']
    x = 'went on'
except (ValueError, KeyError) as error:
    x = 'handled'
";
    assert_eq!(x(source), "'handled'");
    let nested = "
try:
    try:
        x = int('abc')
    except KeyError:
        x = 'wrong handler'
    finally:
        y = 1
except ValueError:
    x = y
";
    assert_eq!(x(nested), "1");
    let missing = "
try:
    x = open('/nonexistent/file').read()
except IOError:
    x = None
else:
    x = 'else'
";
    assert_eq!(x(missing), "None");
}

#[test]
fn an_exception_that_nothing_handles_is_a_problem() {
    let tac = run_with(
        "try:\n    x = int('a')\nexcept KeyError:\n    pass\ny = 1\n",
        &[],
    );
    assert_eq!(tac.problems.len(), 1);
    assert_eq!(tac.problems[0].line, 2);
    let tac = run_with("import sys\nif True:\n    sys.exit('no')\n", &[]);
    assert_eq!(tac.problems[0].line, 3);
}

#[test]
fn what_is_not_known_says_where_and_why_and_hides_texts() {
    let source = "import vault\nkey = vault.open('s3cret')\nx = key.read() + 'more'\n";
    assert_eq!(
        x(source),
        "? `vault.open('...')`: the function vault.open is not one of those that are supported"
    );
}

#[test]
fn a_branch_that_may_or_may_not_run_makes_its_names_unknown() {
    let source = "import vault\nx = 1\nif vault.ready():\n    x = 2\ny = 3\n";
    assert!(x(source).starts_with("? `vault.ready()`"));
    let tac = run_with(source, &[]);
    assert!(matches!(tac.names["y"].value, Value::Int(3)));
}

#[test]
fn statements_that_cannot_be_read_spoil_only_their_own_names() {
    let source = "
print 'Python 2', 'says', x
x = 1
@decorated
def f(a, b=2):
    x = 5
    return a
class C(object):
    x = 3
async def g():
    x = 9
match x:
    case 1:
        y = 4
z = yield 5
";
    let tac = run_with(source, &[]);
    assert!(matches!(tac.names["x"].value, Value::Int(1)));
    assert!(matches!(tac.names["y"].value, Value::Unknown(_)));
    assert!(matches!(tac.names["z"].value, Value::Unknown(_)));
    assert!(tac.problems.is_empty());
}

#[test]
fn the_environment_can_be_read_in_every_way() {
    let environment = [("HOST", "h"), ("HOME", "/home/me")];
    for source in [
        "import os\nx = os.environ['HOST']",
        "from os import environ\nx = environ.get('HOST', 'd')",
        "from os import environ as e, getenv\nx = getenv('HOST')",
        "import os as o\nx = o.getenv('NO') or o.environ.get('HOST')",
        "import os\nx = 'h' if 'HOST' in os.environ else 'd'",
        "import os\nx = os.environ.copy()['HOST']",
        "import os\nx = '%(HOST)s' % dict(os.environ.items()) if False else os.environ.pop('HOST')",
    ] {
        assert_eq!(x_with(source, &environment), "'h'", "{source}");
    }
    let home = "import os\nx = os.path.expanduser('~/a')";
    assert_eq!(x_with(home, &environment), "'/home/me/a'");
}

#[test]
fn the_directory_of_the_file_is_known() {
    for source in [
        "import os\nx = os.path.abspath(os.path.dirname(__file__))",
        "import os.path\nx = os.path.dirname(os.path.abspath(__file__))",
        "from os.path import *\nimport os\nx = os.getcwd()",
        "from pathlib import Path\nx = str(Path(__file__).parent)",
        "import os\nx = os.path.abspath('.')",
    ] {
        assert_eq!(x(source), "'/w'", "{source}");
    }
    assert_eq!(
        x("from pathlib import Path\nx = str(Path('/a') / 'b')"),
        "'/a/b'"
    );
}

#[test]
fn variables_are_removed_by_pattern_as_the_container_image_does_it() {
    let source = "
import fnmatch, os
for name in list(os.environ.keys()):
    for pattern in os.environ.get('HIDE', 'WORKERPASS').split():
        if fnmatch.fnmatch(name, pattern):
            del os.environ[name]
            break
";
    let environment = [
        ("WORKERPASS", "p"),
        ("AWS_KEY", "k"),
        ("PATH", "/bin"),
        ("HIDE", "*PASS AWS_*"),
    ];
    let names = |tac: Tac| -> Vec<String> {
        let names = tac.environment.into_iter();
        names.map(|(name, _)| name.into_string().unwrap()).collect()
    };
    assert_eq!(names(run_with(source, &environment)), ["PATH", "HIDE"]);
    assert_eq!(
        names(run_with(source, &environment[..3])),
        ["AWS_KEY", "PATH"]
    );
}

#[test]
fn a_change_of_the_environment_that_we_cannot_follow_is_a_problem() {
    for source in [
        "import os, v\nfor n in v.names():\n    del os.environ[n]\n",
        "import os, v\nif v.x:\n    if v.x():\n        os.environ.pop('A')\n",
        "import os\nf = lambda: os.environ.pop('A')\n",
        "import os, v\nos.environ[v.name()] = 'a'\n",
        "import os\nwhile True:\n    os.environ.clear()\n",
    ] {
        let tac = run_with(source, &[("A", "1")]);
        assert_eq!(tac.problems.len(), 1, "{source}");
        assert!(tac.problems[0].text.contains("environment"), "{source}");
    }
}

#[test]
fn the_sources_of_a_value_are_known() {
    let source = "
import os
password = os.environ.get('SECRET')
other = os.environ.get('HOST')
x = '%s' % password
";
    let tac = run_with(source, &[("SECRET", "a"), ("HOST", "b")]);
    let sources: Vec<&String> = tac.names["x"].sources.iter().collect();
    assert_eq!(sources, ["SECRET"]);
}

#[test]
fn the_log_block_is_understood() {
    let file = "
from twisted.python.logfile import LogFile
from twisted.python.log import ILogObserver, FileLogObserver
import os, sys
application = service.Application('buildbot-worker')
logfile = LogFile.fromFullPath(os.path.join('/b', 'twistd.log'), rotateLength=5, maxRotatedFiles=None)
";
    let installed =
        format!("{file}application.setComponent(ILogObserver, FileLogObserver(logfile).emit)\n");
    let expected = LogFile {
        path: "/b/twistd.log".to_owned(),
        rotate_length: Some(5),
        max_files: None,
    };
    assert_eq!(run_with(&installed, &[]).log, LogBlock::File(expected));
    assert_eq!(run_with(file, &[]).log, LogBlock::Absent);
    let out =
        format!("{file}application.setComponent(ILogObserver, FileLogObserver(sys.stdout).emit)\n");
    assert_eq!(run_with(&out, &[]).log, LogBlock::StandardOutput);
    let odd = format!("{file}application.setComponent(ILogObserver, my.observer)\n");
    assert_eq!(run_with(&odd, &[]).log, LogBlock::Unclear(7));
}

#[test]
fn hostile_files_end_in_an_error_or_in_unknown_values() {
    let deep = format!("x = {}1{}\n", "(".repeat(90), ")".repeat(90));
    assert!(x(&deep).starts_with("? "));
    let signs = format!("x = {}1\n", "-".repeat(10_000));
    assert!(x(&signs).starts_with("? "));
    let long = format!("x = 1{}\n", "+1".repeat(50_000));
    assert!(x(&long).starts_with("? "));
    let calls = format!("x = a{}\n", "()".repeat(50_000));
    assert!(x(&calls).starts_with("? "));
    let indices = format!("x = a{}\n", "[0]".repeat(50_000));
    assert!(x(&indices).starts_with("? "));
    let conditions = format!("x = {}1\n", "1 if 0 else ".repeat(10_000));
    assert!(x(&conditions).starts_with("? "));
    let compared = format!("x = 1{}\n", " < 1".repeat(50_000));
    assert!(x(&compared).starts_with("? "));
    let fields = "x = f'{f\"{1}\"}'\n";
    assert_eq!(x(fields), "'1'");
    let branches = format!(
        "if a: x = 1\n{}else: x = 2\n",
        "elif a: pass\n".repeat(10_000)
    );
    assert!(x(&branches).starts_with("? "));
}

#[test]
fn a_file_cannot_compute_forever_or_fill_the_memory() {
    let doubling = format!("x = 'aaaaaaaa'\n{}", "x = x + x\n".repeat(60));
    assert!(x(&doubling).contains("too large"));
    let lists = format!("x = [1]\n{}", "x = [x, x]\n".repeat(60));
    assert!(!x(&lists).starts_with('['));
    let nested = format!("x = [1]\n{}", "x = [x]\n".repeat(20_000));
    assert!(!x(&nested).starts_with('['));
    let nested = format!("x = [1]\n{}", "y = [2]; y.append(x); x = y\n".repeat(8_000));
    assert!(x(&nested).starts_with("? "));
    let nested = format!("x = {{}}\n{}", "y = {}; y['a'] = x; x = y\n".repeat(8_000));
    assert!(x(&nested).starts_with("? "));
    let loops = "x = 'a' * 1000\nfor a in x:\n  for b in x:\n    for c in x:\n      d = a\n";
    let tac = run_with(loops, &[]);
    assert!(tac.problems[0].text.contains("too long"));
    let appended = "x = ['a' * 1000]\nfor a in 'b' * 2000:\n  x.append('a' * 1000)\n";
    assert!(
        run_with(appended, &[]).problems[0]
            .text
            .contains("too long")
    );
    let formats = format!("x = 'a' * 9999\n{}", "x = '%s%s' % (x, x)\n".repeat(30));
    assert!(x(&formats).contains("too large"));
    let joined = format!("x = 'ab'\n{}", "x = x.join(x)\n".repeat(30));
    assert!(x(&joined).contains("too large"));
    let replaced = format!("x = 'a'\n{}", "x = x.replace('a', x + 'a')\n".repeat(30));
    assert!(x(&replaced).contains("too large"));
}

#[test]
fn excerpts_are_short_and_on_one_line() {
    let source = "f(a,\n   'secret',\n   b)";
    assert_eq!(excerpt(source, 0, source.len()), "f(a, '...', b)");
    let long = "a + ".repeat(100) + "a";
    assert!(excerpt(&long, 0, long.len()).len() < 90);
    assert_eq!(excerpt("'abc", 0, 2), "");
}
