//! The limits of a process, which a login class or a service manager may have set low.

use ports::{Limit, Resource};

use super::check::Check;
use super::machine::amount;

/// Open files that the tests need (test_subprocess and asyncio open hundreds).
const FILES: u64 = 512;
/// Stack that deep recursion in the tests needs.
const STACK: u64 = 4 * 1024 * 1024;
/// Data that the large tests need; OpenBSD's login classes have less.
const DATA: u64 = 1536 * 1024 * 1024;

/// All limits in one line.
pub fn look() -> Check {
    let limits = [
        ("open files", Resource::Files, FILES),
        ("stack", Resource::Stack, STACK),
        ("data", Resource::Data, DATA),
    ];
    let mut low = Vec::new();
    let mut all = Vec::new();
    for (name, resource, wanted) in limits {
        let Some(limit) = ports::resource_limit(resource) else {
            continue;
        };
        let text = format!("{name} {}", words(resource, limit));
        if matches!(limit, Limit::Of(number) if number < wanted) {
            low.push(text);
        } else {
            all.push(text);
        }
    }
    if low.is_empty() {
        return Check::ok("limits", all.join(", "));
    }
    Check::warning(
        "limits",
        format!("low: {}", low.join(", ")),
        "large tests fail with strange errors",
        "raise them (ulimit, login.conf, limits.conf) for the worker's user",
    )
}

fn words(resource: Resource, limit: Limit) -> String {
    match (resource, limit) {
        (_, Limit::None) => "unlimited".to_owned(),
        (Resource::Files, Limit::Of(number)) => number.to_string(),
        (Resource::Core | Resource::Stack | Resource::Data, Limit::Of(bytes)) => amount(bytes),
    }
}
