//! `tongbao completions SHELL`

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

/// Prints completions for a shell.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// bash, elvish, fish, powershell or zsh.
    shell: Shell,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let mut command = super::Cli::command();
    clap_complete::generate(args.shell, &mut command, "tongbao", &mut std::io::stdout());
    ExitCode::SUCCESS
}
