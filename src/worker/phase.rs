//! What the loop does just now, for the one who finds it stuck.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::calls::MasterCall;

/// A process has one loop, so it is in one phase.
static CURRENT: AtomicU8 = AtomicU8::new(0);

/// What the loop may be doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Phase {
    Starting,
    Waiting,
    Dialling,
    ReadingMaster,
    ServingMessage,
    TellingFacts,
    SettingBuilders,
    StartingBuild,
    StartingCommand,
    Interrupting,
    ShuttingDown,
    HearingStep,
    Timers,
    Writing,
    EndingSteps,
}

const ALL: [Phase; 15] = [
    Phase::Starting,
    Phase::Waiting,
    Phase::Dialling,
    Phase::ReadingMaster,
    Phase::ServingMessage,
    Phase::TellingFacts,
    Phase::SettingBuilders,
    Phase::StartingBuild,
    Phase::StartingCommand,
    Phase::Interrupting,
    Phase::ShuttingDown,
    Phase::HearingStep,
    Phase::Timers,
    Phase::Writing,
    Phase::EndingSteps,
];

impl Phase {
    /// The phase in which a call is served.
    pub fn serving(call: &MasterCall) -> Phase {
        match call {
            MasterCall::Print { .. } => Phase::ServingMessage,
            MasterCall::GetWorkerInfo { .. }
            | MasterCall::GetCommands { .. }
            | MasterCall::GetVersion { .. } => Phase::TellingFacts,
            MasterCall::SetBuilderList { .. } => Phase::SettingBuilders,
            MasterCall::SetWorkerSettings { .. } => Phase::ServingMessage,
            MasterCall::StartBuild { .. } => Phase::StartingBuild,
            MasterCall::StartCommand { .. } => Phase::StartingCommand,
            MasterCall::InterruptCommand { .. } => Phase::Interrupting,
            MasterCall::Shutdown { .. } => Phase::ShuttingDown,
        }
    }

    /// It, as people read it after "stuck while".
    pub fn text(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Waiting => "waiting for something to happen",
            Phase::Dialling => "connecting to the master",
            Phase::ReadingMaster => "reading what the master says",
            Phase::ServingMessage => "logging a message of the master",
            Phase::TellingFacts => "collecting facts about this machine",
            Phase::SettingBuilders => "making the directories of the builders",
            Phase::StartingBuild => "noting the start of a build",
            Phase::StartingCommand => "starting a command",
            Phase::Interrupting => "interrupting a command",
            Phase::ShuttingDown => "shutting down",
            Phase::HearingStep => "passing on what a step says",
            Phase::Timers => "looking at its timers",
            Phase::Writing => "writing to the master",
            Phase::EndingSteps => "ending the steps of a lost connection",
        }
    }
}

/// The loop does this from now on.
pub fn enter(phase: Phase) {
    CURRENT.store(phase as u8, Ordering::Relaxed);
}

/// What the loop does.
pub fn current() -> Phase {
    let number = usize::from(CURRENT.load(Ordering::Relaxed));
    ALL.get(number).copied().unwrap_or(Phase::Starting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_is_at_the_place_of_its_number() {
        for (number, phase) in ALL.iter().enumerate() {
            assert_eq!(*phase as usize, number);
        }
    }
}
