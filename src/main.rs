//! The program `coracle`: runs the command line, and is the only place where the program ends.

use coracle::cli::Exit;

fn main() -> std::process::ExitCode {
    match coracle::cli::run(std::env::args_os()) {
        Exit::Code(code) => code.into(),
        Exit::Signal(request) => ports::end_by(request),
    }
}
