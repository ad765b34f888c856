//! Our failures as a Python master understands them (PROTOCOL 3.5).

use crate::calls::{Failure, FailureKind};
use crate::wire::jelly::RemoteFailure;

/// The class that a master is told for an exception at login because of name or password.
pub(super) const UNAUTHORIZED: &str = "twisted.cred.error.UnauthorizedLogin";

/// Longest text of a failure in bytes; what is said on one line is far shorter.
const TEXT_LIMIT: usize = 64 * 1024;

/// The exception that stands for a failure.
pub(super) fn exception(failure: &Failure) -> RemoteFailure {
    let classes = classes(failure.kind);
    RemoteFailure {
        class: classes.first().copied().unwrap_or_default().to_owned(),
        text: shortened(&failure.message).to_owned(),
        parents: classes
            .iter()
            .chain(&[
                "builtins.Exception",
                "builtins.BaseException",
                "builtins.object",
            ])
            .map(|class| (*class).to_owned())
            .collect(),
        traceback: "Traceback unavailable\n".to_owned(),
    }
}

/// The class of the exception and its bases up to, and without, `Exception`.
fn classes(kind: FailureKind) -> &'static [&'static str] {
    match kind {
        FailureKind::MissingArgument => &["builtins.KeyError", "builtins.LookupError"],
        FailureKind::BadArgument => &["builtins.ValueError"],
        FailureKind::UnknownCommand => &[
            "buildbot_worker.base.UnknownCommand",
            "twisted.spread.pb.Error",
        ],
        FailureKind::UnknownMethod => &[
            "twisted.spread.flavors.NoSuchMethod",
            "builtins.AttributeError",
        ],
        FailureKind::UnknownObject => &["twisted.spread.pb.Error"],
        FailureKind::System => &["builtins.OSError"],
        FailureKind::Other => &["builtins.RuntimeError"],
    }
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
