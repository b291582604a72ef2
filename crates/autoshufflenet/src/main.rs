//! `autoshufflenet`: ShuffleNet with learned channel shuffles.

use autoshufflenet::command::{Exit, run};
use std::io::Write;
use std::process::ExitCode;

/// Bad input or arguments: the code that clap's own usage errors have.
const BAD_INPUT: u8 = 2;
/// Interrupted, as shells expect.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let_threads_sleep();
    match run() {
        Ok(Exit::Complete) => ExitCode::SUCCESS,
        Ok(Exit::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            let message = error.to_string().lines().collect::<Vec<_>>().join(" ");
            // Where standard error is gone, the exit code has to do.
            let _ = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::from(BAD_INPUT)
        }
    }
}

/// Starts the program again with OMP_WAIT_POLICY=passive, unless it is set.
///
/// OpenMP's threads otherwise spin wherever one waits for another, which makes training several times slower where other
/// programs use the processor, too. libgomp reads the variable as it is loaded, before `main`.
fn let_threads_sleep() {
    #[cfg(unix)]
    if std::env::var_os("OMP_WAIT_POLICY").is_none() {
        use std::os::unix::process::CommandExt;
        if let Ok(program) = std::env::current_exe() {
            // It returns only when it fails; then the program goes on as it is.
            let _ = std::process::Command::new(program)
                .args(std::env::args_os().skip(1))
                .env("OMP_WAIT_POLICY", "passive")
                .exec();
        }
    }
}
