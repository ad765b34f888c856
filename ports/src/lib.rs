//! What coracle needs from an operating system: the whole contract, each function documented once.
//!
//! One file a system answers it. A system's file begins with `pub use crate::unix::*;` and defines
//! only what it does differently; a definition of its own shadows the common one. A system without
//! a file of its own gets `unlisted.rs`: plain POSIX and no special knowledge, which is also the
//! template for a new port. Nothing outside this crate is `unsafe` or asks which system it runs on.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

// A system's file may shadow any of it.
#[allow(dead_code)]
mod unix;

/// One line a system: the name that Rust has for it (`target_os`), and its file.
macro_rules! systems {
    ($($name:literal => $file:literal,)*) => {
        $(#[cfg_attr(all(target_os = $name, not(any(ports_unlisted, ports_marked))), path = $file)])*
        #[cfg_attr(ports_marked, path = "unlisted_marked.rs")]
        #[cfg_attr(not(any(ports_marked, all(any($(target_os = $name),*), not(ports_unlisted)))), path = "unlisted.rs")]
        mod system;
    };
}

systems! {
    "linux" => "linux.rs",
    "freebsd" => "freebsd.rs",
    "openbsd" => "openbsd.rs",
    "netbsd" => "netbsd.rs",
    "dragonfly" => "dragonfly.rs",
    "illumos" => "illumos.rs",
    "solaris" => "solaris.rs",
    "haiku" => "haiku.rs",
    "macos" => "macos.rs",
    "hurd" => "hurd.rs",
}

pub use system::{ReadEnd, StepProcess, StopRequests, WakeReader, Waker, WriteEnd};

// ---------------------------------------------------------------------------------------------
// Processes of a step

/// What a step's process is started with.
#[derive(Debug, Clone, Copy)]
pub struct ProcessSpec<'a> {
    /// Program and arguments, at least the program. A program without a slash is looked up in the
    /// `PATH` of `env`, not in the worker's own.
    pub words: &'a [OsString],
    /// The complete environment, but for a mark by which some ports find again what was started.
    pub env: &'a [(OsString, OsString)],
    /// The working directory; it exists.
    pub directory: &'a Path,
    /// A pseudo terminal as standard input, output, error and controlling terminal (a new session;
    /// 80x24, `TERM=dumb` unless `env` has another, `stderr` arrives as `stdout`). Otherwise three
    /// pipes and a new process group.
    pub terminal: bool,
}

/// What the processes of steps are held to, beyond what the worker itself is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepLimits {
    /// By how much they are nicer than the worker, see nice(2); 0 for as nice.
    pub nice: u8,
    /// The largest file that a dying program leaves, in bytes; none for the worker's own limit. Never
    /// more than the hard limit.
    pub core: Option<u64>,
}

/// Sets what the processes of steps are held to, for all that start from now on. Where the system
/// chooses whom to kill when memory runs out, it is told to spare the worker (which only the
/// superuser may ask) and to take the step. What the system refuses stays as it is.
pub fn prepare_for_steps(limits: StepLimits) {
    system::prepare_for_steps(limits);
}

/// How far the child came before it failed to become the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartStage {
    /// Words, environment or directory cannot be given to the system (they contain a NUL byte).
    Arguments,
    /// Making pipes.
    Pipes,
    /// Opening the pseudo terminal.
    Terminal,
    /// Starting a process: out of memory or of processes.
    Fork,
    /// Making a session or process group.
    Group,
    /// Setting up standard input, output and error.
    Descriptors,
    /// Entering the working directory.
    Directory,
    /// Becoming the program: not found, not executable, wrong format.
    Exec,
}

/// Why a process did not start.
#[derive(Debug)]
pub struct StartError {
    /// What was being done.
    pub stage: StartStage,
    /// What the system said.
    pub error: io::Error,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status (0 to 255).
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

/// A process that a step started and that was still there when the step had ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its number.
    pub pid: u32,
    /// Its name as the system shows it, or empty where the system does not tell.
    pub name: String,
}

/// What [`StepProcess::end`] did.
#[derive(Debug, Default)]
pub struct Ended {
    /// What had to be killed besides the step's own process, as far as the system tells.
    pub killed: Vec<Leftover>,
    /// What was still there at the deadline (a process in uninterruptible sleep).
    pub survived: Vec<Leftover>,
}

/// What [`StepProcess::end`] finds again of what a step started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Containment {
    /// All of it.
    Everything,
    /// What keeps its environment, or stays in the process group of the step. What starts with an
    /// environment of its own outside of the group (`env -i setsid`) gets away.
    Environment,
    /// What stayed in the process group of the step; what left it (`setsid`, a job of an interactive
    /// shell) gets away.
    ProcessGroup,
}

/// How well this system contains a step.
pub fn containment() -> Containment {
    system::containment()
}

/// Starts the process of a step, contained: whatever it starts in turn is found again by
/// [`StepProcess::end`] as well as the system allows, and is killed also when the worker itself
/// dies, even by signal 9.
///
/// # Errors
/// The stage and the system's error, also for what went wrong in the child before `exec`.
pub fn start(spec: &ProcessSpec<'_>) -> Result<StepProcess, StartError> {
    system::start(spec)
}

impl StepProcess {
    /// The number of the step's own process, which is also the number of its process group.
    pub fn id(&self) -> u32 {
        self.system_id()
    }

    /// Takes the reading end of standard output (and of the terminal).
    pub fn take_stdout(&mut self) -> Option<ReadEnd> {
        self.system_take_stdout()
    }

    /// Takes the reading end of standard error; none with a terminal.
    pub fn take_stderr(&mut self) -> Option<ReadEnd> {
        self.system_take_stderr()
    }

    /// Takes the writing end of standard input; dropping it is end of file for the process (not
    /// with a terminal).
    pub fn take_stdin(&mut self) -> Option<WriteEnd> {
        self.system_take_stdin()
    }

    /// How the process ended, once it has. Does not block; [`wait`] on [`Source::Exit`] tells when.
    pub fn exited(&mut self) -> Option<Exit> {
        self.system_exited()
    }

    /// Sends a signal to the process group of the step, or to its process alone if there is no
    /// group. Never reaches a stranger, even if the number was used again.
    ///
    /// # Errors
    /// The process is gone, or the system refused.
    pub fn signal(&mut self, signal: Signal) -> io::Result<()> {
        self.system_signal(signal)
    }

    /// Kills everything that the step started and that is still there, and waits until it is gone
    /// or the deadline has come.
    pub fn end(self, deadline: Instant) -> Ended {
        self.system_end(deadline)
    }
}

/// A signal that a master or a person may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    /// SIGKILL.
    pub const KILL: Signal = Signal(system::SIGKILL);
    /// SIGTERM.
    pub const TERM: Signal = Signal(system::SIGTERM);

    /// The signal of this name (`TERM`, `SIGTERM`, upper case), if the system has it.
    pub fn named(name: &str) -> Option<Signal> {
        system::signal_number(name.strip_prefix("SIG").unwrap_or(name)).map(Signal)
    }

    /// The signal that reaches a worker as this request.
    pub fn of(request: StopRequest) -> Signal {
        Signal(system::stop_signal(request))
    }

    /// The number.
    pub fn number(self) -> i32 {
        self.0
    }
}

// ---------------------------------------------------------------------------------------------
// Waiting

/// Something that [`wait`] waits for.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// Bytes or end of file to read.
    Readable(&'a ReadEnd),
    /// Room to write, or nobody reads any more.
    Writable(&'a WriteEnd),
    /// The step's process has ended.
    Exit(&'a StepProcess),
    /// [`Waker::wake`] was called.
    Wake(&'a WakeReader),
}

/// Waits until at least one source is ready, or the deadline has come. The one place where the
/// thread of a step sleeps.
///
/// Returns one flag for each source, in order; all are false at the deadline. May return early with
/// all flags false.
///
/// # Errors
/// The system's; none is expected in practice.
pub fn wait(sources: &[Source<'_>], deadline: Option<Instant>) -> io::Result<Vec<bool>> {
    system::wait(sources, deadline)
}

/// What a non-blocking read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing yet.
    NotYet,
    /// Nobody writes any more.
    End,
}

impl ReadEnd {
    /// Reads what is there, without blocking. The end of a terminal is [`Read::End`] like that of a
    /// pipe.
    ///
    /// # Errors
    /// The system's, other than "not now" and "interrupted".
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        self.system_read(buffer)
    }
}

impl WriteEnd {
    /// Writes what fits, without blocking; 0 means "not now".
    ///
    /// # Errors
    /// The system's; `BrokenPipe` when nobody reads any more (no signal is raised).
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.system_write(bytes)
    }
}

/// A pair that lets one thread wake another one out of [`wait`].
///
/// # Errors
/// Out of descriptors.
pub fn waker() -> io::Result<(Waker, WakeReader)> {
    system::waker()
}

impl Waker {
    /// Makes [`wait`] on the other half return; wakes that nobody has seen yet are one.
    pub fn wake(&self) {
        self.system_wake();
    }
}

impl WakeReader {
    /// Forgets the wakes so far. Call it before looking at what the other thread left.
    pub fn clear(&mut self) {
        self.system_clear();
    }
}

/// Somebody asked the worker to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopRequest {
    /// SIGTERM.
    Terminate,
    /// SIGINT.
    Interrupt,
    /// SIGHUP.
    Hangup,
    /// SIGUSR2: once the running builds are over.
    Drain,
}

/// From now on SIGTERM, SIGINT, SIGHUP and SIGUSR2 are values instead of ends. At most once a process.
///
/// A process with the number 1, as which a container runs its program, has a duty besides: children
/// whose parent has ended come to it. The thread in [`StopRequests::next`] then also reaps those,
/// and never what [`start`] has started.
///
/// # Errors
/// Out of descriptors.
pub fn stop_requests() -> io::Result<StopRequests> {
    system::stop_requests()
}

impl StopRequests {
    /// Blocks until the next request.
    ///
    /// # Errors
    /// The system's; none is expected.
    #[allow(clippy::should_implement_trait)] // It never ends and may fail, so it is no iterator.
    pub fn next(&mut self) -> io::Result<StopRequest> {
        self.system_next()
    }
}

/// From now on SIGUSR1 is a wish for a new log file instead of an end.
///
/// # Errors
/// The system's.
pub fn accept_log_wishes() -> io::Result<()> {
    system::accept_log_wishes()
}

/// Whether somebody has wished for a new log file since this was last asked.
pub fn new_log_wished() -> bool {
    system::new_log_wished()
}

// ---------------------------------------------------------------------------------------------
// Being a daemon

/// Which of the two processes this is, after [`detach`].
#[derive(Debug)]
pub enum Detached {
    /// The one that was started; reads what the daemon writes, and its end when the daemon ends.
    Starter(ReadEnd),
    /// The daemon.
    Daemon(WriteEnd),
}

/// Starts a copy of this process that has no terminal: a session of its own which it does not lead,
/// `/dev/null` as standard input, output and error. Returns in both. The process must not have more
/// than one thread.
///
/// # Errors
/// The system's; also in the daemon.
pub fn detach() -> io::Result<Detached> {
    system::detach()
}

/// Takes the lock on an open file, for as long as it (or a copy) is open, without waiting. False if
/// another process has it.
///
/// # Errors
/// The system's, for example on a network file system without locks.
pub fn lock_file(file: &File) -> io::Result<bool> {
    system::lock_file(file)
}

/// From now on what this process prints goes into a file. It may be called again with another one.
///
/// # Errors
/// The system's.
pub fn print_to(file: &File) -> io::Result<()> {
    system::print_to(file)
}

/// Whether another process has the lock of a file that [`lock_file`] takes. Looking does not disturb
/// others who look; whoever takes the lock at the same moment has to try again.
///
/// # Errors
/// The file cannot be locked at all.
pub fn is_locked(file: &File) -> io::Result<bool> {
    system::is_locked(file)
}

/// The process that has taken the lock of a file with [`lock_file`]; none if the system does not tell.
/// It may be one that has locked a file of the same number in another file system.
pub fn lock_holder(file: &File) -> Option<u32> {
    system::lock_holder(file)
}

/// Whether there is a process with this number, whoever owns it.
pub fn process_exists(pid: u32) -> bool {
    system::process_exists(pid)
}

/// When a process was started, in units of the system's own: two processes that have had the same
/// number differ in it. None if there is no such process or the system does not tell.
pub fn process_start(pid: u32) -> Option<u64> {
    system::process_start(pid)
}

/// The working directory of a process; none if the system does not tell.
pub fn process_directory(pid: u32) -> Option<PathBuf> {
    system::process_directory(pid)
}

/// Sends a signal to one process, which is not that with number 1.
///
/// # Errors
/// The system's: no such process, not ours.
pub fn signal_process(pid: u32, signal: Signal) -> io::Result<()> {
    system::signal_process(pid, signal.0)
}

/// Which process this is: told apart from any other that has, had or gets its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Its number.
    pub pid: u32,
    /// When it was started, see [`process_start`].
    pub start: u64,
    /// Its process group.
    pub group: u32,
    /// Its session.
    pub session: u32,
}

/// The identity of a process. None if there is no such process or the system does not tell.
pub fn process_identity(pid: u32) -> Option<Identity> {
    system::process_identity(pid)
}

/// What [`process_start`] would tell of a process that is started now; none if that cannot be known.
pub fn process_clock() -> Option<u64> {
    system::process_clock()
}

/// Names the time since the system was started: processes of different such times have nothing to
/// do with each other, whatever their numbers. None if the system does not tell.
pub fn boot_id() -> Option<String> {
    system::boot_id()
}

/// How a process group is recognised whose leader has ended, see [`end_group`].
#[derive(Debug, Clone, Copy)]
pub struct Traces<'a> {
    /// A time of [`process_clock`] at which the group was known to exist.
    pub seen: Option<u64>,
    /// The directory in which, or below which, its processes work; absolute, without links.
    pub directory: Option<&'a Path>,
}

/// What became of a process group, see [`end_group`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupEnd {
    /// Nothing of it was there any more.
    Gone,
    /// These were killed, as far as the system tells who they were, and are gone.
    Killed(Vec<Leftover>),
    /// These did not go until the deadline.
    Survived(Vec<Leftover>),
    /// The number belongs to somebody else now, or may. Nobody was signalled.
    Stranger,
    /// This system does not tell enough to be sure. Nobody was signalled.
    Unknown,
}

/// Kills what is left of the process group that `leader` led (and of its session, if it led one),
/// and waits until it is gone or the deadline has come. Meant for what an earlier process of ours
/// left, in the same time since the system's start ([`boot_id`]). May block.
///
/// The group is the one that is meant if its leader still lives. Or else if a process in it and in
/// the leader's session, no older than the leader, was there when the group was seen last (from then
/// on its number was always taken), or works in the group's directory. Everything else is a stranger
/// and stays unharmed.
pub fn end_group(leader: &Identity, traces: &Traces<'_>, deadline: Instant) -> GroupEnd {
    system::end_group(leader, traces, deadline)
}

/// Ends this process as the stop request would have ended it, so that whoever waits for it sees a
/// process ended by that signal. Runs nothing more of this program.
pub fn end_by(request: StopRequest) -> ! {
    system::end_by_signal(system::stop_signal(request))
}

// ---------------------------------------------------------------------------------------------
// Facts

/// What a master calls this kind of system: `posix` or `nt` (PROTOCOL 4.3).
pub const SYSTEM_KIND: &str = system::SYSTEM_KIND;

/// What separates directories in `PATH`.
pub const PATH_SEPARATOR: char = system::PATH_SEPARATOR;

/// The words that run a command line given as one text (PROTOCOL 6.2.3).
pub fn shell_words(text: &str) -> Vec<OsString> {
    system::shell_words(text)
}

/// How many processors this process may use, at least 1.
pub fn cpu_count() -> usize {
    system::cpu_count()
}

/// The node name, as `uname -n` prints it; empty if the system does not tell.
pub fn node_name() -> String {
    system::node_name()
}

/// The C library that programs here use, with its version where it tells: `glibc 2.36`. None where
/// it is a part of the system without a name of its own. May start a program.
pub fn c_library() -> Option<String> {
    system::c_library()
}

/// How many processes were running or ready to run, on average over the last 1, 5 and 15 minutes;
/// none if the system does not tell.
pub fn load() -> Option<[f64; 3]> {
    system::load()
}

/// A point in time in the local time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct LocalTime {
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    /// Minutes east of UTC.
    pub offset: i32,
}

/// The local time; UTC where the system knows no other.
pub fn local_time(time: SystemTime) -> LocalTime {
    system::local_time(time)
}

/// The system's text for an error number, as `strerror` gives it: `No such file or directory`.
pub fn error_text(number: i32) -> String {
    system::error_text(number)
}

/// What the system says about an error, without the number that Rust puts behind it.
pub fn words_of(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => error_text(number),
        None => error.to_string(),
    }
}

/// The home directory of a user, or of the user we run as (from the password database); none if
/// there is no such user.
pub fn home_directory(user: Option<&str>) -> Option<PathBuf> {
    system::home_directory(user)
}

/// The name of the user with this number (from the password database); none if there is no such
/// user.
pub fn user_name(uid: u32) -> Option<String> {
    system::user_name(uid)
}

/// Whether this process may do what only the superuser may.
pub fn is_superuser() -> bool {
    system::is_superuser()
}

/// Something that starts services when a system boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ServiceManager {
    Systemd,
    OpenRc,
    FreeBsdRc,
    OpenBsdRc,
    NetBsdRc,
    DragonFlyRc,
    /// illumos.
    Smf,
    /// macOS.
    Launchd,
    /// The `launch_daemon` of Haiku.
    HaikuLaunch,
}

/// What has started the services of the running system; none if that is nothing of these, as in
/// most containers.
pub fn service_manager() -> Option<ServiceManager> {
    system::service_manager()
}

/// Sets the permission bits that new files do not get; returns the ones before.
pub fn set_umask(mask: u32) -> u32 {
    system::set_umask(mask)
}

/// What the system calls itself, as `uname -srm` prints it; empty where it does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SystemName {
    pub system: String,
    pub release: String,
    pub machine: String,
}

/// What the system calls itself.
pub fn system_name() -> SystemName {
    system::system_name()
}

/// The memory in bytes that we may use, that of the machine or of our container, if the system tells.
pub fn memory() -> Option<u64> {
    system::memory()
}

/// Gives memory back to the system that this process has, but does not need while it waits: free
/// parts of the heap, and pages of the program that can be read again. Takes less than a
/// millisecond. Does nothing where the system has no way to do it.
pub fn release_memory() {
    system::release_memory();
}

/// The file system that a file is on (statvfs(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystem {
    /// Bytes that we may still write.
    pub free: u64,
    /// Bytes in all.
    pub size: u64,
    /// How many more files we may make; none where there is no such limit.
    pub free_files: Option<u64>,
    /// Nobody may write.
    pub read_only: bool,
}

/// The file system that `path` is on.
///
/// # Errors
/// The system's.
pub fn file_system(path: &Path) -> io::Result<FileSystem> {
    system::file_system(path)
}

/// Whether we may write this file, or make files in this directory.
pub fn may_write(path: &Path) -> bool {
    system::may_write(path)
}

/// What a process has a limit for (getrlimit(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// How many files it may have open.
    Files,
    /// Largest core file, in bytes.
    Core,
    /// Bytes of stack of the first thread.
    Stack,
    /// Bytes of data.
    Data,
}

/// Such a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// There is none.
    None,
    /// So much.
    Of(u64),
}

/// The limit that holds for this process and what it starts; none if the system does not tell.
pub fn resource_limit(resource: Resource) -> Option<Limit> {
    system::resource_limit(resource)
}

// ---------------------------------------------------------------------------------------------
// Network

/// Places with the certificates that everybody trusts, as PEM; see [`root_certificates`].
#[derive(Debug, Clone, Copy)]
pub struct RootCertificates {
    /// Files, of which the first that exists and has certificates has all of them.
    pub files: &'static [&'static str],
    /// Directories of files, for a system without such a file.
    pub directories: &'static [&'static str],
}

/// Where this system may keep the certificates that everybody trusts. Not all of it exists.
pub fn root_certificates() -> RootCertificates {
    system::root_certificates()
}

/// Lets a TCP connection fail when what was sent has not been acknowledged for so long. Does nothing
/// where the system has no such limit.
///
/// # Errors
/// The system's.
pub fn limit_unacknowledged(socket: &impl system::Socket, limit: Duration) -> io::Result<()> {
    system::limit_unacknowledged(socket, limit)
}

/// Bytes written to a TCP connection that the other end has not acknowledged; none if the system does
/// not tell.
pub fn unsent(socket: &impl system::Socket) -> Option<u64> {
    system::unsent(socket)
}

// ---------------------------------------------------------------------------------------------
// Names and files

/// The bytes of a name, as they are in the file system.
pub fn name_bytes(name: &OsStr) -> Cow<'_, [u8]> {
    system::name_bytes(name)
}

/// A name from its bytes.
pub fn name_from_bytes(bytes: Vec<u8>) -> OsString {
    system::name_from_bytes(bytes)
}

/// What `stat(2)` tells of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct FileStat {
    pub mode: u32,
    pub inode: u64,
    pub device: u64,
    pub links: u64,
    pub uid: u32,
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Which device a device node stands for; meaningless for other files.
    pub node: u64,
    /// Last access, last change of content, last change of state: seconds since 1970 and nanoseconds.
    pub accessed: (i64, u32),
    pub modified: (i64, u32),
    pub changed: (i64, u32),
}

/// The state of a file; of what a symbolic link points to if `follow`.
///
/// # Errors
/// The system's.
pub fn stat(path: &Path, follow: bool) -> io::Result<FileStat> {
    system::stat(path, follow)
}

/// Has the file opened and read without waiting for anybody: a named pipe without somebody at its other
/// end, or a device with nothing to say, is an error or the end of the file. Files on a disk do not
/// notice.
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    system::without_waiting(options)
}

/// Makes a new file for writing that only its owner may read and write, from the first moment on.
///
/// # Errors
/// The system's; there is a file already.
pub fn create_private(path: &Path) -> io::Result<File> {
    system::create_private(path)
}

/// Waits until everything that was written to a file is on the disk, as far as its file system can do
/// that (fdatasync(2)). May block for as long as the disk likes.
///
/// # Errors
/// The system's.
pub fn save(file: &File) -> io::Result<()> {
    system::save(file)
}

/// Sets the permission bits (octal `07777`) of a file.
///
/// # Errors
/// The system's.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    system::set_mode(path, mode)
}

/// Makes `link` a symbolic link to `target`.
///
/// # Errors
/// The system's.
pub fn make_link(target: &Path, link: &Path) -> io::Result<()> {
    system::make_link(target, link)
}

/// Makes a named pipe, socket or device node like the one that `model` describes.
///
/// # Errors
/// The system's; most need the superuser.
pub fn make_node(path: &Path, model: &FileStat) -> io::Result<()> {
    system::make_node(path, model)
}

/// Gives `path` the owner (as far as we may), mode and times of `model`, without following a link.
///
/// # Errors
/// The system's; a refused change of owner is none.
pub fn copy_attributes(path: &Path, model: &FileStat) -> io::Result<()> {
    system::copy_attributes(path, model)
}

// ---------------------------------------------------------------------------------------------
// The service manager, and clocks

/// Sends one message to a socket of datagrams, given as in `NOTIFY_SOCKET` of sd_notify(3): a path,
/// or `@` and an abstract name. Does not block.
///
/// # Errors
/// The system's, or that it has no such sockets.
pub fn send_datagram(address: &OsStr, message: &[u8]) -> io::Result<()> {
    system::send_datagram(address, message)
}

/// Sleeps, and notices when the clock on the wall is set or the machine wakes up from a suspend.
#[derive(Debug)]
pub struct ClockAlarm(system::ClockAlarm);

/// Why [`ClockAlarm::sleep`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awake {
    /// The time is over.
    TimeOver,
    /// The clock was set, or the machine was suspended.
    ClockChanged,
    /// A [`Rouser`] has ended it.
    Roused,
}

impl ClockAlarm {
    /// Needs one descriptor at most. Where the system does not tell of changes, it only sleeps. To be
    /// made by the thread that sleeps.
    pub fn new() -> ClockAlarm {
        ClockAlarm(system::ClockAlarm::new())
    }

    /// Whether the system tells of changes of the clock.
    pub fn is_told(&self) -> bool {
        self.0.is_told()
    }

    /// Blocks for so long, without end if no time is given, or until the clock has changed or somebody
    /// has roused it since the last call. May be roused without reason.
    pub fn sleep(&mut self, time: Option<Duration>) -> Awake {
        self.0.sleep(time)
    }

    /// Ends its sleep from another thread.
    pub fn rouser(&self) -> Rouser {
        Rouser(self.0.rouser())
    }
}

impl Default for ClockAlarm {
    fn default() -> ClockAlarm {
        ClockAlarm::new()
    }
}

/// Ends the sleep of a [`ClockAlarm`].
#[derive(Debug, Clone)]
pub struct Rouser(system::Rouser);

impl Rouser {
    /// The sleep that lasts, or the next one, ends at once.
    pub fn rouse(&self) {
        self.0.rouse();
    }
}
