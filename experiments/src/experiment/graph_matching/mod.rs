//! Which method finds the hidden permutation of correlated Erdős–Rényi graphs, and up to which noise?

pub mod config;
pub(super) mod figure;
pub mod landscapes;
mod manifest;
pub mod path;
pub mod summary;
pub mod threshold;
pub mod trials;

pub use config::{Experiment, Instances};
pub use summary::Summary;
pub use threshold::Threshold;
pub use trials::{Timing, Trial};

use super::{RunDirectory, read_rows, write_rows};
use birkhoff::error::Result;
use birkhoff::solver::Limits;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn measure(
    experiment: &Experiment,
    directory: &RunDirectory,
    interrupt: &Arc<AtomicBool>,
    quiet: bool,
) -> Result<Option<String>> {
    let Some((trials, timings)) = trials::run(experiment, directory, interrupt, quiet)? else { return Ok(None) };
    write_rows(&directory.path("trials.csv"), &trials)?;
    write_rows(&directory.path("timings.csv"), &timings)?;

    let limits = Limits::default().with_interrupt(interrupt.clone());
    let (stages, entries) = path::follow(experiment, &limits)?;
    write_rows(&directory.path("path.csv"), &stages)?;
    write_rows(&directory.path("heat.csv"), &entries)?;
    if experiment.landscapes {
        write_rows(&directory.path("landscapes.csv"), &landscapes::landscapes()?)?;
    }

    let trials: Vec<Trial> = read_rows(&directory.path("trials.csv"))?;
    let timings: Vec<Timing> = read_rows(&directory.path("timings.csv"))?;
    let summaries = summary::summarize(&trials, experiment.rng_seed);
    write_rows(&directory.path("summary.csv"), &summaries)?;
    let thresholds = threshold::thresholds(&trials, experiment.rng_seed);
    write_rows(&directory.path("rho50.csv"), &thresholds)?;
    for name in ["recovery.svg", "recovery.png"] {
        figure::draw_recovery(&directory.path(name), experiment, &summaries)?;
    }
    Ok(Some(summary::table(experiment, &summaries, &timings)))
}
