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

/// The exception that ends a step. As with the Python worker it has a traceback, which masters before
/// 4.0 show: one without frames, which repeats what it is.
pub(super) fn end_of_step(failure: &Failure) -> RemoteFailure {
    let mut exception = exception(failure);
    exception.traceback = format!(
        "Traceback (most recent call last):\n{}: {}\n",
        exception.class, exception.text
    );
    exception
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_a_class_with_all_its_bases() {
        let kinds = [
            (FailureKind::MissingArgument, "builtins.KeyError", 5),
            (FailureKind::BadArgument, "builtins.ValueError", 4),
            (
                FailureKind::UnknownCommand,
                "buildbot_worker.base.UnknownCommand",
                5,
            ),
            (
                FailureKind::UnknownMethod,
                "twisted.spread.flavors.NoSuchMethod",
                5,
            ),
            (FailureKind::UnknownObject, "twisted.spread.pb.Error", 4),
            (FailureKind::System, "builtins.OSError", 4),
            (FailureKind::Other, "builtins.RuntimeError", 4),
        ];
        for (kind, class, parents) in kinds {
            let message = "what, on what, why".to_owned();
            let exception = exception(&Failure { kind, message });
            assert_eq!(exception.class, class);
            assert_eq!(exception.text, "what, on what, why");
            assert_eq!(exception.parents.len(), parents);
            assert_eq!(exception.parents[0], class);
            assert_eq!(exception.parents[parents - 1], "builtins.object");
        }
    }

    #[test]
    fn the_end_of_a_step_says_in_its_traceback_what_failed() {
        let failure = Failure {
            kind: FailureKind::System,
            message: "what, on what, why".to_owned(),
        };
        let said = "Traceback (most recent call last):\nbuiltins.OSError: what, on what, why\n";
        assert_eq!(end_of_step(&failure).traceback, said);
        assert_eq!(exception(&failure).traceback, "Traceback unavailable\n");
    }

    #[test]
    fn a_text_of_any_size_can_be_sent() {
        let failure = Failure {
            kind: FailureKind::Other,
            message: "é".repeat(1_000_000),
        };
        assert_eq!(exception(&failure).text.len(), TEXT_LIMIT);
        let odd = format!("x{}", failure.message);
        assert_eq!(shortened(&odd).len(), TEXT_LIMIT - 1);
    }
}
