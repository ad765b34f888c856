//! Processes as `/proc` has them: the file `psinfo` of each, a `psinfo_t` of proc(5), whose layout
//! for programs of 64 bits is fixed.

use std::fs;
use std::time::Instant;

use crate::Identity;
use crate::unix::{Listed, Pid};

/// Where the members lie that we read; all are of four bytes but the start (two of eight) and the name.
const LWPS: usize = 4;
const PID: usize = 8;
const GROUP: usize = 16;
const SESSION: usize = 20;
const START: usize = 88;
const NAME: usize = 136;
const NAME_ROOM: usize = 16;
pub(super) const CONTRACT: usize = 280;
/// As much as we need of the structure, which goes on.
pub(super) const SIZE: usize = 288;

/// A living process.
pub(super) struct Process {
    pub(super) listed: Listed,
    pub(super) contract: i32,
}

/// The process of this number; none if there is none, or if it has ended and waits for its parent.
pub(super) fn process(pid: u32) -> Option<Process> {
    let bytes = fs::read(format!("/proc/{pid}/psinfo")).ok()?;
    let number = |at: usize| int(&bytes, at);
    // Also that the layout is the one we think it is.
    if u32::try_from(number(PID)?) != Ok(pid) || number(LWPS)? == 0 {
        return None;
    }
    let (seconds, nanoseconds) = (long(&bytes, START)?, long(&bytes, START + 8)?);
    let name = bytes.get(NAME..NAME + NAME_ROOM)?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Some(Process {
        listed: Listed {
            identity: Identity {
                pid,
                start: seconds
                    .checked_mul(1_000_000_000)?
                    .checked_add(nanoseconds)?,
                group: number(GROUP)?.unsigned_abs(),
                session: number(SESSION)?.unsigned_abs(),
            },
            name: String::from_utf8_lossy(name).into_owned(),
        },
        contract: number(CONTRACT)?,
    })
}

/// The number of four bytes at this place.
pub(super) fn int(bytes: &[u8], at: usize) -> Option<i32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(i32::from_ne_bytes(bytes.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_ne_bytes(bytes.try_into().ok()?))
}

/// The contract that a process holds, by the links in its `contracts`; a monitor holds one.
pub(super) fn contract_held_by(pid: Pid) -> Option<i32> {
    let mut names = fs::read_dir(format!("/proc/{pid}/contracts"))
        .ok()?
        .flatten();
    names.find_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The living processes in a contract.
pub(super) fn members_of(contract: i32, until: Instant) -> Vec<Listed> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if Instant::now() > until {
            break;
        }
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let member = pid.and_then(process);
        found.extend(
            member
                .filter(|member| member.contract == contract)
                .map(|member| member.listed),
        );
    }
    found
}
