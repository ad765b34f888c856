use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::entry::{EndReason, Ending, Entry, Event, Moment, Process, Run, Step, StepNumber};
use super::file::{Journal, current, older};
use super::frame::{Beginning, Frame, HEAD, Reader};
use super::{history, last_run};

/// A directory of a test's own.
struct Base(PathBuf);

impl Base {
    fn new(name: &str) -> Base {
        let name = format!("coracle-journal-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Base(path)
    }

    fn entries(&self) -> Vec<Entry> {
        history(&self.0).unwrap().map(Result::unwrap).collect()
    }

    fn events(&self) -> Vec<Event> {
        let entries = self.entries().into_iter();
        entries.map(|entry| entry.event).collect()
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn at(wall: u64) -> Moment {
    Moment {
        wall,
        process_clock: Some(wall / 10),
    }
}

fn run(first_step: StepNumber) -> Event {
    Event::WorkerStarted(Run {
        pid: 100,
        boot: Some("a-boot".to_owned()),
        version: "0.1.0".to_owned(),
        first_step,
    })
}

fn step(number: u64) -> Step {
    Step {
        number: StepNumber(number),
        builder: "b".to_owned(),
        id: number.to_string(),
        name: "shell".to_owned(),
        directory: "/w/b".to_owned(),
        line: "make all".to_owned(),
    }
}

fn process(pid: u32) -> Process {
    Process {
        pid,
        start: Some(u64::from(pid) * 10),
        session: Some(7),
    }
}

fn ended(number: u64) -> Event {
    Event::StepEnded {
        step: StepNumber(number),
        ending: Ending {
            code: Some(0),
            seconds: 1.5,
            reason: EndReason::Finished,
        },
    }
}

/// A run in which everything happens once; step 1 does not end.
fn busy_run() -> Vec<Event> {
    vec![
        run(StepNumber(0)),
        Event::Connected {
            master: "localhost:9989".to_owned(),
        },
        Event::StepStarted(step(0)),
        Event::ProgramStarted {
            step: StepNumber(0),
            process: process(200),
        },
        Event::StepStarted(step(1)),
        Event::ProgramStarted {
            step: StepNumber(1),
            process: process(201),
        },
        ended(0),
        Event::ConnectionLost {
            reason: "gone".to_owned(),
        },
    ]
}

fn write(journal: &mut Journal, events: &[Event]) {
    for (wall, event) in (0..).zip(events) {
        journal.append(at(wall * 1000), event.clone()).unwrap();
    }
}

#[test]
fn what_was_written_is_read_back_in_order() {
    let base = Base::new("back");
    assert_eq!(last_run(&base.0).unwrap(), None);
    assert!(base.entries().is_empty());
    let mut journal = Journal::open(&base.0).unwrap();
    assert_eq!(journal.last_run(), None);
    write(&mut journal, &busy_run());
    assert_eq!(base.events(), busy_run());
    assert_eq!(base.entries()[1].moment, at(1000));
    assert_eq!(last_run(&base.0).unwrap(), journal.last_run());
}

#[test]
fn step_without_an_end_is_unfinished_with_its_process() {
    let base = Base::new("unfinished");
    write(&mut Journal::open(&base.0).unwrap(), &busy_run());
    let journal = Journal::open(&base.0).unwrap();
    let last = journal.last_run().unwrap();
    assert!(!last.stopped);
    assert_eq!(last.last, at(7000));
    assert_eq!(last.run.pid, 100);
    let [open] = last.unfinished.as_slice() else {
        panic!("{last:?}")
    };
    assert_eq!((&open.step, open.process), (&step(1), Some(process(201))));
    assert_eq!(open.since, at(4000));
    assert_eq!(journal.next_step(), StepNumber(2));
}

#[test]
fn second_run_begins_with_nothing_unfinished_and_with_fresh_numbers() {
    let base = Base::new("two-runs");
    write(&mut Journal::open(&base.0).unwrap(), &busy_run());
    let mut journal = Journal::open(&base.0).unwrap();
    let second = [run(journal.next_step()), Event::WorkerStopped];
    write(&mut journal, &second);
    let last = journal.last_run().unwrap();
    assert!(last.stopped);
    assert!(last.unfinished.is_empty());
    assert_eq!(journal.next_step(), StepNumber(2));
    assert_eq!(base.events().len(), busy_run().len() + 2);
}

#[test]
fn journal_torn_at_any_byte_keeps_every_whole_entry_and_can_be_continued() {
    let base = Base::new("torn");
    write(&mut Journal::open(&base.0).unwrap(), &busy_run());
    let whole = fs::read(current(&base.0)).unwrap();
    for length in 0..whole.len() {
        fs::write(current(&base.0), &whole[..length]).unwrap();
        let before = base.events();
        assert_eq!(before, busy_run()[..before.len()], "{length}");
        let mut journal = Journal::open(&base.0).unwrap();
        journal.append(at(1), Event::WorkerStopped).unwrap();
        let mut expected = before;
        expected.push(Event::WorkerStopped);
        assert_eq!(base.events(), expected, "{length}");
    }
    assert!(
        !older(&base.0).exists(),
        "a torn file was taken for another"
    );
}

#[test]
fn tail_of_zeros_or_of_garbage_is_cut_off() {
    let base = Base::new("garbage");
    write(&mut Journal::open(&base.0).unwrap(), &busy_run());
    let whole = fs::read(current(&base.0)).unwrap();
    for tail in [vec![0; 5000], vec![0xff; 5000], vec![1; 3], HEAD.to_vec()] {
        fs::write(current(&base.0), [whole.as_slice(), &tail].concat()).unwrap();
        drop(Journal::open(&base.0).unwrap());
        assert_eq!(fs::read(current(&base.0)).unwrap(), whole);
    }
}

#[test]
fn no_flipped_bit_gives_another_entry() {
    let base = Base::new("flipped");
    write(&mut Journal::open(&base.0).unwrap(), &busy_run());
    let whole = fs::read(current(&base.0)).unwrap();
    for at in HEAD.len()..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let read = entries(&bytes);
            assert!(read.len() < busy_run().len());
            assert_eq!(read, busy_run()[..read.len()], "byte {at}, bit {bit}");
        }
    }
}

/// The entries in these bytes of a file.
fn entries(bytes: &[u8]) -> Vec<Event> {
    let (_, mut reader) = Reader::new(bytes).unwrap();
    let mut found = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        if let Frame::Entry(entry) = frame {
            found.push(entry.event);
        }
    }
    assert!(reader.good() <= bytes.len() as u64);
    found
}

#[test]
fn any_bytes_give_entries_or_an_end() {
    // Numbers that look random and are the same every time (Knuth's linear congruence).
    let mut state: u64 = 1;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        u8::try_from((state >> 33) % below).unwrap()
    };
    for _ in 0..20_000 {
        let length = random(200);
        let noise: Vec<u8> = (0..length).map(|_| random(256)).collect();
        entries(&noise);
        entries(&[HEAD, &noise].concat());
        // With a right checksum, so that it reaches the decoder.
        let body: Vec<u8> = (0..=length).map(|_| random(12)).collect();
        let size = u32::try_from(body.len()).unwrap().to_le_bytes();
        let sum = crc32fast::hash(&[&size, body.as_slice()].concat());
        let frame = [&size, sum.to_le_bytes().as_slice(), &body].concat();
        entries(&[HEAD, &frame, &frame].concat());
    }
}

#[test]
fn entry_of_a_later_version_is_skipped_and_added_fields_are_ignored() {
    let frame = |body: &[u8]| {
        let size = u32::try_from(body.len()).unwrap().to_le_bytes();
        let sum = crc32fast::hash(&[&size, body].concat());
        [&size, sum.to_le_bytes().as_slice(), body].concat()
    };
    let entry = Entry {
        moment: at(5),
        carried: false,
        event: ended(3),
    };
    let mut longer = postcard::to_allocvec(&entry).unwrap();
    longer.extend_from_slice(b"more");
    // Moment without a process clock, not carried, event number 100.
    let unknown = [5, 0, 0, 100, 1, 2, 3];
    let bytes = [HEAD, &frame(&unknown), &frame(&longer)].concat();
    assert_eq!(entries(&bytes), [ended(3)]);
}

#[test]
fn announced_length_beyond_the_limit_is_the_end() {
    for length in [16 * 1024 + 1, u32::MAX] {
        let mut bytes = HEAD.to_vec();
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.resize(bytes.len() + 20_000, 0);
        assert!(entries(&bytes).is_empty());
    }
}

#[test]
fn foreign_file_is_put_aside() {
    let base = Base::new("foreign");
    fs::create_dir_all(base.0.join(".coracle")).unwrap();
    fs::write(current(&base.0), "coracle journal 2\nsomething").unwrap();
    assert!(base.entries().is_empty());
    let mut journal = Journal::open(&base.0).unwrap();
    write(&mut journal, &busy_run());
    assert_eq!(base.events(), busy_run());
    let aside = fs::read_to_string(older(&base.0)).unwrap();
    assert_eq!(aside, "coracle journal 2\nsomething");
    let (beginning, _) = Reader::new(aside.as_bytes()).unwrap();
    assert_eq!(beginning, Beginning::Foreign);
}

#[test]
fn full_file_gives_way_to_a_new_one_that_knows_what_still_runs() {
    let base = Base::new("rotation");
    let limit = 2000;
    let mut journal = Journal::open_with(&base.0, limit).unwrap();
    write(&mut journal, &busy_run());
    let mut number = journal.next_step().0;
    while !older(&base.0).exists() {
        write(
            &mut journal,
            &[Event::StepStarted(step(number)), ended(number)],
        );
        number += 1;
    }
    let total = base.events();
    assert_eq!(total[..8], busy_run());
    assert_eq!(total.len() as u64, 8 + 2 * (number - 2), "repeated or lost");
    assert!(fs::metadata(current(&base.0)).unwrap().len() < limit);
    for journal in [&journal, &Journal::open(&base.0).unwrap()] {
        assert_eq!(journal.next_step(), StepNumber(number));
        let last = journal.last_run().unwrap();
        assert_eq!(last.run.boot.as_deref(), Some("a-boot"));
        let [open] = last.unfinished.as_slice() else {
            panic!("{last:?}")
        };
        assert_eq!(open.step, step(1));
        assert_eq!(open.process, Some(process(201)));
        assert_eq!(open.since, at(4000));
    }
}

#[test]
fn two_files_are_kept_and_they_stay_small() {
    let base = Base::new("small");
    let mut journal = Journal::open_with(&base.0, 2000).unwrap();
    write(&mut journal, &[run(StepNumber(0))]);
    for number in 0..1000 {
        write(
            &mut journal,
            &[Event::StepStarted(step(number)), ended(number)],
        );
    }
    let files: Vec<u64> = fs::read_dir(base.0.join(".coracle"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.iter().all(|size| *size < 2200), "{files:?}");
}

#[test]
fn more_running_steps_than_a_file_holds_do_not_make_every_entry_a_new_file() {
    let base = Base::new("many");
    let mut journal = Journal::open_with(&base.0, 500).unwrap();
    write(&mut journal, &[run(StepNumber(0))]);
    let mut rotations = 0;
    let mut size = 0;
    for number in 0..1000 {
        write(&mut journal, &[Event::StepStarted(step(number))]);
        let now = fs::metadata(older(&base.0)).map_or(0, |found| found.len());
        rotations += u32::from(now != size);
        size = now;
    }
    assert!(rotations < 15, "{rotations}");
    assert_eq!(last_run(&base.0).unwrap().unwrap().unfinished.len(), 1000);
}

#[test]
fn crash_between_the_two_renames_loses_nothing() {
    let base = Base::new("renames");
    write(&mut Journal::open(&base.0).unwrap(), &busy_run());
    let new = base.0.join(".coracle/journal.new");
    // The new file is complete, the old one has just made room.
    fs::copy(current(&base.0), &new).unwrap();
    fs::rename(current(&base.0), older(&base.0)).unwrap();
    let journal = Journal::open(&base.0).unwrap();
    assert_eq!(journal.last_run().unwrap().unfinished.len(), 1);
    assert!(!new.exists());
    // Before that: the new file is not complete.
    fs::write(&new, b"corac").unwrap();
    let journal = Journal::open(&base.0).unwrap();
    assert_eq!(journal.last_run().unwrap().unfinished.len(), 1);
    assert!(!new.exists());
}

#[test]
fn endless_texts_of_a_master_are_cut() {
    let base = Base::new("texts");
    let mut journal = Journal::open(&base.0).unwrap();
    let long = "x".repeat(1_000_000);
    let step = Step {
        number: StepNumber(0),
        builder: long.clone(),
        id: long.clone(),
        name: long.clone(),
        directory: long.clone(),
        line: long,
    };
    journal.append(at(0), Event::StepStarted(step)).unwrap();
    assert!(fs::metadata(current(&base.0)).unwrap().len() < 6000);
    assert_eq!(base.events().len(), 1);
}

#[test]
fn directory_that_cannot_be_used_is_an_error_that_names_the_file() {
    let base = Base::new("unusable");
    fs::write(base.0.join(".coracle"), "").unwrap();
    let error = Journal::open(&base.0).unwrap_err().to_string();
    assert!(error.contains(".coracle/journal: "), "{error}");
    assert!(history(&base.0).is_err() || base.entries().is_empty());
    fs::remove_file(base.0.join(".coracle")).unwrap();
    fs::create_dir_all(current(&base.0)).unwrap();
    assert!(Journal::open(&base.0).is_err());
}

/// Set in a process whose base directory lies on a file system that is soon full.
const SMALL_DISK: &str = "CORACLE_TEST_SMALL_DISK";

#[test]
fn full_disk_costs_entries_and_nothing_else() {
    if let Some(base) = std::env::var_os(SMALL_DISK) {
        return fill_disk(Path::new(&base));
    }
    let base = Base::new("full");
    let mounted =
        "mount -t tmpfs -o size=32k none \"$1\" && exec \"$2\" --exact --nocapture \"$3\"";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", mounted, "sh"])
        .arg(&base.0)
        .arg(std::env::current_exe().unwrap())
        .arg("journal::tests::full_disk_costs_entries_and_nothing_else")
        .env(SMALL_DISK, &base.0)
        .output();
    let Some(output) = output.ok().filter(|output| !output.stdout.is_empty()) else {
        println!("not tested: no small disk can be made here (needs unshare and permission)");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("was full"),
        "{text}{error}"
    );
}

fn fill_disk(base: &Path) {
    let mut journal = Journal::open(base).unwrap();
    journal.append(at(0), run(StepNumber(0))).unwrap();
    let ballast = base.join("ballast");
    let room = 32 * 1024 - 4096;
    let mut size = room;
    while fs::write(&ballast, vec![1; size]).is_err() {
        size -= 4096;
    }
    let mut number = 0;
    let error = loop {
        if let Err(error) = journal.append(at(1), Event::StepStarted(step(number))) {
            break error;
        }
        number += 1;
    };
    assert!(error.to_string().starts_with("cannot write"), "{error}");
    for _ in 0..3 {
        let again = Event::StepStarted(step(number));
        journal.append(at(2), again).unwrap_err();
    }
    println!("the disk was full: {error}");
    fs::remove_file(ballast).unwrap();
    journal.append(at(3), Event::WorkerStopped).unwrap();
    let read: Vec<Event> = history(base)
        .unwrap()
        .map(|entry| entry.unwrap().event)
        .collect();
    assert_eq!(read.len() as u64, number + 2);
    assert_eq!(read.last(), Some(&Event::WorkerStopped));
}
