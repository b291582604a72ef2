//! `graph_matching`: two graph files to a certified matching; without an argument, the correlated Erdős–Rényi experiment.

use birkhoff::command::{Cli, run};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

/// Bad input or arguments: the code that clap's own usage errors have.
const BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let message = error.to_string().lines().collect::<Vec<_>>().join(" ");
            // Where standard error is gone, the exit code has to do.
            let _ = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::from(BAD_INPUT)
        }
    }
}
