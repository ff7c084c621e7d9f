//! Parse, run, print, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(miggen::cli::main())
}
