//! `autoshufflenet`: ShuffleNet with learned channel shuffles.

use autoshufflenet::command::{Exit, run};
use std::io::Write;
use std::process::ExitCode;

/// Bad input or arguments: the code that clap's own usage errors have.
const BAD_INPUT: u8 = 2;
/// Interrupted, as shells expect.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    set_runtime();
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

/// What the libraries below read from the environment as they are loaded, before `main`.
///
/// OpenMP's threads otherwise spin wherever one waits for another, which makes training several times slower where
/// other programs use the processor, too; without any spinning it is a tenth to a fifth slower where none do. 10,000
/// rounds, some ten microseconds, are right for both. glibc otherwise gives a step's memory back to the system and
/// takes it again in the next, which costs 7 % of the time, and more with several networks; both of its thresholds are
/// needed, as one set alone keeps the other low.
const ENVIRONMENT: [[(&str, &str); 2]; 2] = [
    [("OMP_WAIT_POLICY", "passive"), ("GOMP_SPINCOUNT", "10000")],
    [("MALLOC_MMAP_THRESHOLD_", "4294967296"), ("MALLOC_TRIM_THRESHOLD_", "17179869184")],
];

/// Starts the program again with [`ENVIRONMENT`]. Of a pair that its user has a word in, nothing is changed.
fn set_runtime() {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let unset = |pair: &[(&str, &str); 2]| pair.iter().all(|(name, _)| std::env::var_os(name).is_none());
        let missing: Vec<_> = ENVIRONMENT.into_iter().filter(unset).flatten().collect();
        if let (false, Ok(program)) = (missing.is_empty(), std::env::current_exe()) {
            // It returns only when it fails; then the program goes on as it is.
            let _ = std::process::Command::new(program).args(std::env::args_os().skip(1)).envs(missing).exec();
        }
    }
}
