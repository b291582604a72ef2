//! Which method finds the teacher's permutation in a two-layer network, and where is the relaxation exact?

pub mod config;
pub(super) mod figure;
pub mod landscapes;
mod manifest;
pub mod summary;
pub mod trajectories;
pub mod trials;

pub use config::{Experiment, Method, Network};
pub use summary::Summary;
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
    let followed = trajectories::follow(experiment, &limits, &experiment.output_dir)?;
    write_rows(&directory.path("trajectories.csv"), &followed)?;
    write_rows(&directory.path("landscapes.csv"), &landscapes::landscapes()?)?;

    let trials: Vec<Trial> = read_rows(&directory.path("trials.csv"))?;
    let timings: Vec<Timing> = read_rows(&directory.path("timings.csv"))?;
    let summaries = summary::summarize(&trials);
    write_rows(&directory.path("summary.csv"), &summaries)?;
    let followed: Vec<_> = read_rows(&directory.path("trajectories.csv"))?;
    let points: Vec<_> = read_rows(&directory.path("landscapes.csv"))?;
    for extension in ["svg", "png"] {
        let path = |name: &str| directory.path(&format!("{name}.{extension}"));
        figure::draw_success(&path("success"), experiment, &summaries)?;
        figure::draw_trajectories(&path("trajectories"), experiment, &followed)?;
        figure::draw_landscapes(&path("landscapes"), &points)?;
    }
    Ok(Some(summary::table(experiment, &summaries, &timings)))
}
