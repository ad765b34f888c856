//! What follows from the entries: which run is the last one, and which of its steps still run.

use std::collections::BTreeMap;

use super::entry::{Entry, Event, Moment, Process, Run, Step, StepNumber};

/// Most steps that are kept in mind at a time. A file that has more was not written by us.
const MOST_STEPS: usize = 10_000;

/// A step that has begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenStep {
    /// Since when.
    pub since: Moment,
    /// What.
    pub step: Step,
    /// The process that runs for it, if it came that far and is a program at all.
    pub process: Option<Process>,
}

/// What a journal says about the last run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// The run.
    pub run: Run,
    /// Whether it ended in order.
    pub stopped: bool,
    /// Its last entry.
    pub last: Moment,
    /// The steps of which no end is written down, in the order of their numbers.
    pub unfinished: Vec<OpenStep>,
}

/// The sum of all entries so far.
#[derive(Debug, Default)]
pub(super) struct State {
    run: Option<(Moment, Run)>,
    stopped: bool,
    last: Moment,
    open: BTreeMap<StepNumber, OpenStep>,
    next_step: u64,
}

impl State {
    /// Takes the next entry.
    pub(super) fn take(&mut self, entry: &Entry) {
        self.last = entry.moment;
        match &entry.event {
            Event::WorkerStarted(run) => {
                self.open.clear();
                self.stopped = false;
                self.next_step = self.next_step.max(run.first_step.0);
                self.run = Some((entry.moment, run.clone()));
            }
            Event::StepStarted(step) => {
                self.next_step = self.next_step.max(step.number.0.saturating_add(1));
                if self.open.len() < MOST_STEPS {
                    let open = OpenStep {
                        since: entry.moment,
                        step: step.clone(),
                        process: None,
                    };
                    self.open.insert(step.number, open);
                }
            }
            Event::ProgramStarted { step, process } => {
                if let Some(open) = self.open.get_mut(step) {
                    open.process = Some(*process);
                }
            }
            Event::StepEnded { step, .. } => {
                self.open.remove(step);
            }
            Event::WorkerStopped => self.stopped = true,
            Event::Connected { .. } | Event::ConnectionLost { .. } => {}
        }
    }

    /// The number for the next step.
    pub(super) fn next_step(&self) -> StepNumber {
        StepNumber(self.next_step)
    }

    /// The last run; none if there was none.
    pub(super) fn last_run(&self) -> Option<LastRun> {
        let (_, run) = self.run.as_ref()?;
        Some(LastRun {
            run: run.clone(),
            stopped: self.stopped,
            last: self.last,
            unfinished: self.open.values().cloned().collect(),
        })
    }

    /// The entries from which a new file makes the same state.
    pub(super) fn carried(&self) -> Vec<Entry> {
        let carried = |moment, event| Entry {
            moment,
            carried: true,
            event,
        };
        let mut entries = Vec::new();
        if let Some((moment, run)) = &self.run {
            let run = Run {
                first_step: self.next_step(),
                ..run.clone()
            };
            entries.push(carried(*moment, Event::WorkerStarted(run)));
        }
        for open in self.open.values() {
            let step = open.step.number;
            entries.push(carried(open.since, Event::StepStarted(open.step.clone())));
            if let Some(process) = open.process {
                let event = Event::ProgramStarted { step, process };
                entries.push(carried(open.since, event));
            }
        }
        if self.stopped {
            entries.push(carried(self.last, Event::WorkerStopped));
        }
        entries
    }
}
