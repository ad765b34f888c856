//! Which C library programs here use: this program may be linked statically with another one.

use std::fs;
use std::process::{Command, Stdio};

/// `glibc 2.36`, `musl 1.2.3`; what the linker of the system says of itself.
pub(crate) fn c_library() -> Option<String> {
    if let Some(linker) = musl_linker() {
        // It prints its name and version as an error.
        let output = Command::new(linker).stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let version = text.lines().find_map(|line| line.strip_prefix("Version "));
        return Some(
            format!("musl {}", version.unwrap_or(""))
                .trim_end()
                .to_owned(),
        );
    }
    let output = Command::new("getconf")
        .arg("GNU_LIBC_VERSION")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && text.starts_with("glibc ")).then_some(text)
}

/// The dynamic linker of musl, where `/bin/sh` is linked with that.
fn musl_linker() -> Option<String> {
    let shell = fs::read("/bin/sh").ok()?;
    let begin = find(&shell, b"/lib/ld-musl-")?;
    let path: Vec<u8> = shell
        .get(begin..)?
        .iter()
        .copied()
        .take_while(|byte| *byte != 0)
        .collect();
    String::from_utf8(path).ok()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    // The name of the linker is near the beginning of a program.
    let bytes = bytes.get(..65_536.min(bytes.len()))?;
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
