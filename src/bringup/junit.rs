//! Test results in JUnit XML, as CPython's test runner writes them (`--junit-xml`). They come from
//! whatever ran here, so that their size and everything in them is bounded.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::text::plain;

/// Largest file that is read, in bytes; the whole test suite makes about 10 MB.
pub const LARGEST: u64 = 128 * 1024 * 1024;
/// Most results that are kept; the whole test suite has about 50,000.
const MOST: usize = 300_000;
/// Longest message that is kept, in characters.
const MESSAGE: usize = 400;

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It was skipped, for this reason.
    Skipped(String),
    /// It failed, with this message.
    Failed(String),
    /// It failed with this message, and passed when it was run again.
    Flaky(String),
}

/// All results of a run, each test once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cases {
    /// By full name (`test.test_json.test_dump.TestPyDump.test_dump`): what became of it and how
    /// many seconds it took.
    pub tests: BTreeMap<String, (Outcome, f64)>,
    /// Why there may be more than could be read.
    pub problem: Option<String>,
}

/// Reads a file of results. What was read before an error counts.
pub fn read(input: impl Read) -> Cases {
    let mut reader = Reader::from_reader(BufReader::new(input.take(LARGEST)));
    let mut cases = Cases::default();
    if let Err(problem) = read_events(&mut reader, &mut cases) {
        cases.problem = Some(plain(&problem, MESSAGE));
    }
    cases
}

/// A test that is being read.
struct Open {
    name: String,
    seconds: f64,
    outcome: Outcome,
}

fn read_events(reader: &mut Reader<impl BufRead>, cases: &mut Cases) -> Result<(), String> {
    let mut buffer = Vec::new();
    let mut open: Option<Open> = None;
    let mut in_skipped = false;
    loop {
        buffer.clear();
        let place = reader.buffer_position();
        let event = reader.read_event_into(&mut buffer);
        let event = event.map_err(|error| format!("byte {place}: {error}"))?;
        match event {
            Event::Start(element) => match element.local_name().as_ref() {
                b"testcase" => open = begin(&element),
                other => {
                    in_skipped = other == b"skipped";
                    if let Some(open) = &mut open {
                        take_child(open, &element);
                    }
                }
            },
            Event::Empty(element) => match element.local_name().as_ref() {
                b"testcase" => cases.take(begin(&element))?,
                _ => {
                    if let Some(open) = &mut open {
                        take_child(open, &element);
                    }
                }
            },
            Event::Text(text) if in_skipped => {
                let text = String::from_utf8_lossy(&text);
                add_reason(&mut open, &text);
            }
            Event::GeneralRef(reference) if in_skipped => {
                add_reason(&mut open, &resolved(&reference));
            }
            Event::End(element) => {
                in_skipped = false;
                if element.local_name().as_ref() == b"testcase" {
                    cases.take(open.take())?;
                }
            }
            Event::Eof if open.is_some() => return Err("ends in the middle of a test".to_owned()),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// A test; none if it has no name (the runner writes such ones for failed subtests).
fn begin(element: &BytesStart<'_>) -> Option<Open> {
    let name = attribute(element, b"name").filter(|name| !name.is_empty())?;
    let seconds = attribute(element, b"time").and_then(|time| time.parse().ok());
    let seconds = seconds.filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0);
    Some(Open {
        name,
        seconds: seconds.unwrap_or(0.0),
        outcome: Outcome::Passed,
    })
}

fn take_child(open: &mut Open, element: &BytesStart<'_>) {
    match element.local_name().as_ref() {
        b"failure" | b"error" => {
            let message = attribute(element, b"message").unwrap_or_default();
            open.outcome = Outcome::Failed(message);
        }
        b"skipped" => {
            let message = attribute(element, b"message").unwrap_or_default();
            open.outcome = Outcome::Skipped(message);
        }
        _ => {}
    }
}

fn add_reason(open: &mut Option<Open>, text: &str) {
    if let Some(Open {
        outcome: Outcome::Skipped(reason),
        ..
    }) = open
    {
        if reason.len() < 4 * MESSAGE {
            reason.push_str(text);
        }
    }
}

/// The character that `&lt;` or `&#9760;` stands for.
fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    let name = String::from_utf8_lossy(reference);
    resolve_xml_entity(&name).unwrap_or("\u{fffd}").to_owned()
}

/// The value of an attribute on one line; as it stands in the file if it makes no sense.
fn attribute(element: &BytesStart<'_>, name: &[u8]) -> Option<String> {
    let mut attributes = element.attributes();
    attributes.with_checks(false);
    let found = attributes
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let raw = String::from_utf8_lossy(&found.value);
    let value = quick_xml::escape::unescape(&raw);
    let value = value.map_or_else(|_| raw.to_string(), |value| value.into_owned());
    Some(plain(&value, MESSAGE))
}

impl Cases {
    /// Adds one result. A test that is there twice was run again after it had failed.
    fn take(&mut self, open: Option<Open>) -> Result<(), String> {
        let Some(Open {
            name,
            seconds,
            outcome,
        }) = open
        else {
            return Ok(());
        };
        let outcome = match outcome {
            Outcome::Skipped(reason) => Outcome::Skipped(plain(&reason, MESSAGE)),
            other => other,
        };
        if self.tests.len() >= MOST {
            return Err(format!("more than {MOST} tests"));
        }
        let merged = match (self.tests.remove(&name), outcome) {
            (None, new) => new,
            (Some((Outcome::Failed(why), _)), Outcome::Passed) => Outcome::Flaky(why),
            (Some((Outcome::Passed, _)), Outcome::Failed(why)) => Outcome::Flaky(why),
            (Some((old @ (Outcome::Failed(_) | Outcome::Flaky(_)), _)), _) => old,
            (Some((Outcome::Passed | Outcome::Skipped(_), _)), new) => new,
        };
        self.tests.insert(name, (merged, seconds));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome<'a>(cases: &'a Cases, name: &str) -> &'a Outcome {
        &cases
            .tests
            .get(name)
            .unwrap_or_else(|| panic!("no {name}"))
            .0
    }

    #[test]
    fn results_of_python_3_11_are_read() {
        let cases = read(&include_bytes!("../../tests/bringup/results-3.11.xml")[..]);
        assert_eq!(cases.problem, None);
        let name = |test: &str| format!("test.test_coraclefail.Tests.{test}");
        let failed = "AssertionError: 1 != 2 : one <is> & 'not' two";
        assert_eq!(
            outcome(&cases, &name("test_bad")),
            &Outcome::Failed(failed.to_owned())
        );
        assert_eq!(
            outcome(&cases, &name("test_error")),
            &Outcome::Failed("OSError: no \u{2620} device".to_owned())
        );
        assert_eq!(
            outcome(&cases, &name("test_skipped")),
            &Outcome::Skipped("needs <hardware>".to_owned())
        );
        assert_eq!(outcome(&cases, &name("test_good")), &Outcome::Passed);
    }

    #[test]
    fn what_passes_when_run_again_is_flaky() {
        let xml = "<testsuites><testsuite><testcase name='a'><error message='x'/></testcase>\
                   <testcase name='b'><failure message='y'/></testcase></testsuite><testsuite>\
                   <testcase name='a'/><testcase name='b'><failure message='z'/></testcase>\
                   </testsuite></testsuites>";
        let cases = read(xml.as_bytes());
        assert_eq!(outcome(&cases, "a"), &Outcome::Flaky("x".to_owned()));
        assert_eq!(outcome(&cases, "b"), &Outcome::Failed("y".to_owned()));
    }

    #[test]
    fn what_was_read_before_an_error_counts() {
        for end in [
            "<testcase name='b'",
            "</wrong>",
            "<testcase name='b'>",
            "<!--",
            "&",
        ] {
            let cases = read(format!("<a><testcase name='a' time='1'/>{end}").as_bytes());
            assert_eq!(outcome(&cases, "a"), &Outcome::Passed, "{end}");
        }
        let cases = read("<a><testcase name='a' time='1'/><testcase name='b'>".as_bytes());
        assert_eq!(
            cases.problem.as_deref(),
            Some("ends in the middle of a test")
        );
    }

    #[test]
    fn hostile_values_stay_text() {
        let xml = "<a><testcase name='&unknown;\u{1}<b' time='NaN'><error message='&#0;&#x110000;'/>\
                   </testcase><testcase name='c' time='-1e999'/></a>";
        let cases = read(xml.as_bytes());
        assert!(cases.tests.values().all(|(_, seconds)| *seconds == 0.0));
        let long = format!("<a><testcase name='{}'/></a>", "n".repeat(10_000));
        let cases = read(long.as_bytes());
        assert!(
            cases
                .tests
                .keys()
                .all(|name| name.chars().count() <= MESSAGE + 3)
        );
        assert_eq!(read(&b"\xff\xfe\x00<"[..]).tests.len(), 0);
    }

    #[test]
    fn a_file_that_never_ends_is_cut() {
        let element = b"<testcase name='a'/>";
        let endless = std::io::repeat(b' ').chain(&element[..]);
        // 128 MiB of blanks and no more.
        assert_eq!(read(endless).tests.len(), 0);
    }
}
