//! `tongbao`, the program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tongbao::cli::main()
}
