use std::sync::mpsc::{self, Receiver};

use super::*;

use std::time::Duration;

/// As on PB.
const BATCH_SIZE: usize = 64 * 1024;
const BATCH_INTERVAL: Duration = Duration::from_millis(200);

/// A reporter, and what it has posted.
fn reporter(line_times: bool) -> (Reporter, Receiver<StepEvent>) {
    let (sender, events) = mpsc::channel();
    let post: Post = Box::new(move |event| sender.send(event).unwrap());
    let rules = OutputRules {
        line_times,
        ..OutputRules::default()
    };
    (Reporter::new(Rc::new(post), rules), events)
}

fn updates(events: &Receiver<StepEvent>) -> Vec<Update> {
    let mut all = Vec::new();
    for event in events.try_iter() {
        match event {
            StepEvent::Updates { updates, .. } => all.extend(updates),
            StepEvent::Transfer { .. } | StepEvent::Complete(_) => panic!("not an update"),
        }
    }
    all
}

fn lines(text: &str) -> Lines {
    Lines {
        text: text.to_owned(),
        times: Vec::new(),
    }
}

#[test]
fn the_first_words_do_not_wait_and_the_next_ones_wait_for_each_other() {
    let (mut reporter, events) = reporter(false);
    reporter.header("h\n");
    reporter.stdout("a\n");
    let now = Instant::now();
    reporter.post_due(now);
    assert_eq!(updates(&events).len(), 2);
    reporter.stdout("b\n");
    reporter.stdout("c\n");
    reporter.post_due(now);
    assert_eq!(updates(&events), []);
    assert_eq!(reporter.due(), Some(now + FIRST_INTERVAL));
    let now = now + FIRST_INTERVAL;
    reporter.post_due(now);
    assert_eq!(updates(&events), [Update::Stdout(lines("b\nc\n"))]);
    assert_eq!(reporter.due(), None);
    reporter.stdout("d\n");
    assert_eq!(reporter.due(), Some(now + BATCH_INTERVAL));
}

#[test]
fn text_of_one_stream_is_one_update_until_another_stream_speaks() {
    let (mut reporter, events) = reporter(false);
    reporter.stdout("a\n");
    reporter.stdout("b\n");
    reporter.stderr("c\n");
    reporter.log("x", "d\n");
    reporter.log("y", "e\n");
    reporter.stdout("f\n");
    reporter.finish();
    let log = |name: &str, text| Update::Log {
        name: name.to_owned(),
        lines: lines(text),
    };
    let expected = [
        Update::Stdout(lines("a\nb\n")),
        Update::Stderr(lines("c\n")),
        log("x", "d\n"),
        log("y", "e\n"),
        Update::Stdout(lines("f\n")),
    ];
    assert_eq!(updates(&events), expected);
}

#[test]
fn text_without_newline_comes_after_exit_code_and_time() {
    let (mut reporter, events) = reporter(false);
    reporter.header("stat: No such file or directory: /x");
    reporter.exit_code(2);
    reporter.elapsed(0.5);
    reporter.finish();
    let header = lines("stat: No such file or directory: /x\n");
    let expected = [
        Update::ExitCode(2),
        Update::Elapsed(0.5),
        Update::Header(header),
    ];
    assert_eq!(updates(&events), expected);
}

#[test]
fn a_full_batch_does_not_wait() {
    let (mut reporter, events) = reporter(false);
    reporter.header("h\n");
    reporter.post_due(Instant::now());
    updates(&events);
    let line = format!("{}\n", "x".repeat(99));
    for _ in 0..BATCH_SIZE / 100 + 1 {
        reporter.stdout(&line);
    }
    assert_eq!(updates(&events).len(), 1);
}

#[test]
fn the_window_closes_and_opens_with_what_the_master_has_taken() {
    let (mut reporter, events) = reporter(false);
    let block = format!("{}\n", "x".repeat(99)).repeat(1000);
    let mut given = 0;
    while reporter.has_room() {
        reporter.stdout(&block);
        given += block.len();
    }
    assert!(given < WINDOW + 2 * block.len());
    let costs: Vec<usize> = events
        .try_iter()
        .map(|event| match event {
            StepEvent::Updates { cost, .. } => cost,
            StepEvent::Transfer { .. } | StepEvent::Complete(_) => panic!("not an update"),
        })
        .collect();
    assert!(costs.iter().sum::<usize>() >= WINDOW);
    for cost in costs {
        reporter.acknowledged(cost);
    }
    assert!(reporter.has_room());
    assert!(reporter.unacknowledged.fits(WINDOW));
}

#[test]
fn no_update_is_near_the_longest_text_of_the_wire() {
    let (mut reporter, events) = reporter(false);
    // The worst there is: one character a line, three bytes a character.
    reporter.stdout(&"\u{FFFD}\n".repeat(1 << 18));
    reporter.header(&"é".repeat(1 << 20));
    reporter.finish();
    let mut total = 0;
    for update in updates(&events) {
        let (Update::Stdout(lines) | Update::Header(lines)) = update else {
            panic!("{update:?}");
        };
        assert!(lines.text.len() <= 3 * BATCH_SIZE, "{}", lines.text.len());
        total += lines.text.matches(|c| c != '\n').count();
    }
    assert_eq!(total, (1 << 18) + (1 << 20));
}

#[test]
fn lines_have_times_only_if_the_master_wants_them() {
    let (mut with, events) = reporter(true);
    let before = seconds_since_1970();
    with.stdout("a\nb\nc");
    with.finish();
    let mut times = Vec::new();
    for update in updates(&events) {
        let Update::Stdout(lines) = update else {
            panic!("{update:?}");
        };
        times.extend(lines.times);
    }
    assert_eq!(times.len(), 3);
    assert!(
        times
            .iter()
            .all(|&time| time >= before && time < before + 60.0)
    );
    let (mut without, events) = reporter(false);
    without.stdout("a\n");
    without.finish();
    assert_eq!(updates(&events), [Update::Stdout(lines("a\n"))]);
}

#[test]
fn transfers_are_told_apart_by_their_tags() {
    let (mut reporter, events) = reporter(false);
    let first = reporter.transfer(Transfer::Read(8));
    let second = reporter.transfer(Transfer::Close);
    assert_ne!(first, second);
    let expected = [
        StepEvent::Transfer {
            tag: first,
            transfer: Transfer::Read(8),
        },
        StepEvent::Transfer {
            tag: second,
            transfer: Transfer::Close,
        },
    ];
    assert_eq!(events.try_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn what_was_said_before_an_interrupt_does_not_wait() {
    let (mut reporter, events) = reporter(false);
    reporter.stdout("a\n");
    reporter.post_due(Instant::now());
    reporter.stdout("b\nhalf");
    updates(&events);
    reporter.flush();
    assert_eq!(updates(&events), [Update::Stdout(lines("b\n"))]);
}

#[test]
fn a_master_may_ask_for_smaller_and_faster_batches_but_not_for_slower_ones() {
    let settings = |buffer_size, buffer_timeout| crate::calls::WorkerSettings {
        buffer_size,
        buffer_timeout: crate::calls::Seconds::Float(buffer_timeout),
        newline_re: "x".to_owned(),
        max_line_length: 80,
    };
    let rules = OutputRules::wanted(&settings(100, 0.01)).unwrap();
    assert_eq!(rules.batch_size, 100);
    assert_eq!(rules.batch_interval, Duration::from_millis(10));
    assert_eq!(rules.longest_line, 79);
    let rules = OutputRules::wanted(&settings(usize::MAX, 5.0)).unwrap();
    assert_eq!(rules.batch_interval, BATCH_INTERVAL);
    assert!(rules.batch_size <= WINDOW / 2);
    let mut short = settings(1, 0.0);
    short.max_line_length = 1;
    assert!(OutputRules::wanted(&short).is_err());
}
