//! Jobs on all threads, in an order that does not depend on their number.

use crate::error::{Error, Result};
use crate::solver::Limits;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use std::path::Path;

/// What `work` makes of each job, in the jobs' order, on the current rayon pool. `work` advances the bar, whose length is `runs`.
///
/// # Errors
/// The first of `work`; [`Error::File`] for `output_dir` when the limits were reached: an interrupted experiment writes nothing.
pub(super) fn in_parallel<J: Send, R: Send>(
    output_dir: &Path,
    jobs: Vec<J>,
    runs: usize,
    limits: &Limits,
    quiet: bool,
    work: impl Fn(J, &ProgressBar) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let bar = progress_bar(runs, quiet);
    let interrupted = || Error::file(output_dir, "the experiment was interrupted, and nothing was written");
    let results = jobs.into_par_iter().map(|job| match limits.reached() {
        Some(_) => Err(interrupted()),
        None => work(job, &bar),
    });
    let results = results.collect::<Result<Vec<R>>>();
    bar.finish_and_clear();
    if limits.reached().is_some() { Err(interrupted()) } else { results }
}

/// A bar on standard error, seen only where that is a terminal.
fn progress_bar(length: usize, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length as u64);
    if let Ok(style) = ProgressStyle::with_template("{elapsed} [{wide_bar}] {pos}/{len} runs, {eta} left") {
        bar.set_style(style);
    }
    bar
}
