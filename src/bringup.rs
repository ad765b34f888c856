//! Brings CPython up on a machine that no master knows yet (`coracle bringup`): what the output of
//! configure, build and tests says, compared with an earlier time, as a report.

mod assemble;
mod build;
mod compare;
mod configure;
mod console;
mod html;
mod junit;
mod markdown;
mod mask;
mod modules;
mod place;
pub mod plan;
mod progress;
mod record;
mod results;
mod runs;
pub mod source;
mod text;

pub use assemble::{Run, assemble};
pub use build::Build;
pub use compare::{Changes, compare};
pub use configure::Configure;
pub use console::Console;
pub use html::html;
pub use junit::{Cases, read as read_junit};
pub use markdown::{counts, headline, markdown, summary};
pub use modules::{Missing, missing};
pub use place::Place;
pub use progress::{Progress, progress};
pub use record::{Record, Step, StepResult};
pub use results::{Test, Tests};
pub use runs::{Kind, Pending, Rest, RunOf};
pub use text::{duration, plain, utc};
