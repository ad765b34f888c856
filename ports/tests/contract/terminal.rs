//! Pseudo terminals.

use ports::{Exit, Read};

use crate::common::{
    end, env, exit_of, gone_soon, output, read_all, read_to, shell_on_terminal, words,
};

#[test]
fn all_three_are_the_terminal() {
    let mut process = shell_on_terminal("test -t 0 && test -t 1 && test -t 2 && echo yes");
    assert_eq!(output(&mut process), "yes\r\n");
}

#[test]
fn window_is_80_by_24() {
    let mut process = shell_on_terminal("stty size");
    assert_eq!(output(&mut process), "24 80\r\n");
}

#[test]
fn terminal_is_a_dumb_one_unless_the_environment_says_otherwise() {
    let mut process = shell_on_terminal("echo $TERM");
    assert_eq!(output(&mut process), "dumb\r\n");
    let mut process = ports::start(&ports::ProcessSpec {
        words: &words(&["/bin/sh", "-c", "echo $TERM"]),
        env: &env(&[("TERM", "vt100")]),
        directory: std::path::Path::new("/"),
        terminal: true,
    })
    .unwrap();
    assert_eq!(output(&mut process), "vt100\r\n");
}

#[test]
fn terminal_controls_the_process() {
    let mut process = shell_on_terminal("echo through > /dev/tty");
    assert_eq!(output(&mut process), "through\r\n");
    // SAFETY: getsid(2) takes a number.
    let session = unsafe { libc::getsid(process.id() as i32) };
    assert_eq!(session, process.id() as i32);
}

#[test]
fn error_output_is_in_the_output() {
    let mut process = shell_on_terminal("echo out; echo err >&2");
    assert!(process.take_stderr().is_none());
    assert_eq!(output(&mut process), "out\r\nerr\r\n");
}

#[test]
fn end_comes_when_the_process_has_ended() {
    let mut process = shell_on_terminal("echo last; exit 6");
    assert_eq!(exit_of(&mut process), Exit::Code(6));
    let mut stdout = process.take_stdout().unwrap();
    assert_eq!(read_all(&mut stdout), b"last\r\n");
    assert_eq!(stdout.read(&mut [0; 10]).unwrap(), Read::End);
    end(process);
    assert_eq!(stdout.read(&mut [0; 10]).unwrap(), Read::End);
}

#[test]
fn much_output_arrives_whole() {
    let script = "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done";
    let text = output(&mut shell_on_terminal(script));
    let expected: String = (0..5000)
        .map(|number| format!("line {number}\r\n"))
        .collect();
    assert_eq!(text, expected);
}

#[test]
fn what_is_typed_arrives() {
    let mut process = shell_on_terminal("echo ready; read line; echo got $line");
    let mut stdout = process.take_stdout().unwrap();
    read_to(&mut stdout, "ready");
    let mut stdin = process.take_stdin().unwrap();
    stdin.write(b"hello\n").unwrap();
    read_to(&mut stdout, "got hello");
}

#[test]
fn typed_control_c_interrupts() {
    // Not while the shell waits: dash loses a ^C that comes between its fork and exec.
    let mut process = shell_on_terminal("echo ready; exec sleep 600");
    let mut stdout = process.take_stdout().unwrap();
    read_to(&mut stdout, "ready");
    process.take_stdin().unwrap().write(b"\x03").unwrap();
    let exit = exit_of(&mut process);
    assert!(
        [Exit::Signal(libc::SIGINT), Exit::Code(130)].contains(&exit),
        "{exit:?}"
    );
}

#[test]
fn closing_our_side_hangs_up() {
    let mut process = shell_on_terminal("echo ready; sleep 600");
    read_to(&mut process.take_stdout().unwrap(), "ready");
    drop(process.take_stdin());
    let exit = exit_of(&mut process);
    assert!(
        [Exit::Signal(libc::SIGHUP), Exit::Code(129)].contains(&exit),
        "{exit:?}"
    );
}

#[test]
fn writing_after_the_end_is_no_hang() {
    let mut process = shell_on_terminal("exit 0");
    let mut stdin = process.take_stdin().unwrap();
    exit_of(&mut process);
    let pid = process.id() as i32;
    end(process);
    assert!(gone_soon(&[pid]));
    // Full, broken or swallowed, as the system likes it; only not for ever.
    for _ in 0..100 {
        if !matches!(stdin.write(&[b'x'; 1000]), Ok(1..)) {
            return;
        }
    }
}
