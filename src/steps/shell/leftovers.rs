//! Tells what a step left running.

use ports::{Ended, Leftover};

/// Most processes named in one line.
const NAMED: usize = 20;

/// The header lines about what had to be ended with the step; empty if there was nothing.
/// `open` says whether something still had the step's output open.
pub(super) fn header(ended: &Ended, open: bool) -> String {
    let mut text = String::new();
    let what = if open {
        "left running and that kept its output open"
    } else {
        "left running"
    };
    if !ended.killed.is_empty() {
        let (count, names) = (count(&ended.killed), names(&ended.killed));
        text.push_str(&format!("killed {count} that the step {what}: {names}\n"));
    }
    if !ended.survived.is_empty() {
        let (count, names) = (count(&ended.survived), names(&ended.survived));
        text.push_str(&format!(
            "could not kill {count} that the step {what}: {names}\n"
        ));
    }
    if open && text.is_empty() {
        text.push_str("closed the output of the step, which something it left running kept open\n");
    }
    text
}

fn count(processes: &[Leftover]) -> String {
    match processes.len() {
        1 => "1 process".to_owned(),
        number => format!("{number} processes"),
    }
}

fn names(processes: &[Leftover]) -> String {
    let one = |process: &Leftover| {
        // A process chooses its name itself.
        let name: String = process.name.chars().filter(|c| !c.is_control()).collect();
        if name.is_empty() {
            format!("pid {}", process.pid)
        } else {
            format!("{name} ({})", process.pid)
        }
    };
    let mut names: Vec<_> = processes.iter().take(NAMED).map(one).collect();
    if processes.len() > NAMED {
        names.push(format!("and {} more", processes.len() - NAMED));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes(pids: std::ops::Range<u32>) -> Vec<Leftover> {
        let name = "sleep\n".to_owned();
        pids.map(|pid| Leftover {
            pid,
            name: name.clone(),
        })
        .collect()
    }

    #[test]
    fn nothing_left_is_nothing_said() {
        assert_eq!(header(&Ended::default(), false), "");
    }

    #[test]
    fn each_process_is_named_up_to_a_limit() {
        let ended = |killed| Ended {
            killed,
            survived: Vec::new(),
        };
        let one = header(&ended(processes(7..8)), false);
        assert_eq!(
            one,
            "killed 1 process that the step left running: sleep (7)\n"
        );
        let many = header(&ended(processes(1..31)), true);
        assert!(many.starts_with("killed 30 processes that the step left running and that kept "));
        assert!(many.ends_with(", sleep (20), and 10 more\n"), "{many}");
    }

    #[test]
    fn what_survives_is_told_apart() {
        let ended = Ended {
            killed: Vec::new(),
            survived: processes(5..6),
        };
        let text = header(&ended, false);
        assert_eq!(
            text,
            "could not kill 1 process that the step left running: sleep (5)\n"
        );
    }
}
