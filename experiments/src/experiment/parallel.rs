//! Jobs on all threads, in an order that does not depend on their number.

use super::journal::Part;
use super::run_directory::RunDirectory;
use birkhoff::error::{Error, Result};
use birkhoff::solver::Limits;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// What `work` makes of each job, in the jobs' order, on the current rayon pool. `work` advances the bar, whose length
/// is `runs`.
///
/// # Errors
/// The first of `work`; [`Error::File`] for `output_dir` when the limits were reached: an interrupted experiment writes
/// nothing.
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

/// What `work` makes of each job, as [`in_parallel`], with every result written down at once: what the folder's journal
/// has is not done again. None where the folder's [`Part`] leaves jobs to others. A job is `runs` steps of the bar, and
/// the first has the number `first` in the journal, after those of earlier calls.
///
/// # Errors
/// As [`in_parallel`]; [`Error::File`] when a merge lacks jobs.
pub(super) fn resumable<J: Send, R: Send + Serialize + DeserializeOwned>(
    directory: &RunDirectory,
    (first, jobs): (usize, Vec<J>),
    runs: usize,
    limits: &Limits,
    quiet: bool,
    work: impl Fn(J, &ProgressBar) -> Result<R> + Sync,
) -> Result<Option<Vec<R>>> {
    let (journal, part) = (directory.journal(), directory.part());
    let mut results: Vec<Option<R>> = (0..jobs.len()).map(|job| journal?.result(first + job)).collect();
    let missing = results.iter().filter(|result| result.is_none()).count();
    if part == Part::Merge && missing > 0 {
        let cause = format!("{missing} of {} jobs are not done in {}", jobs.len(), directory.partial().display());
        return Err(Error::file(directory.target(), cause));
    }
    let open = jobs.into_iter().enumerate().filter(|(job, _)| results[*job].is_none() && part.has(first + *job));
    let open: Vec<(usize, J)> = open.collect();
    let length = runs * open.len();
    let stopped =
        || Error::file(directory.target(), "the experiment was interrupted; the same command goes on with it");
    let done = in_parallel(directory.target(), open, length, limits, quiet, |(job, what), bar| {
        let result = work(what, bar)?;
        if limits.reached().is_some() {
            return Err(stopped());
        }
        let result = if let Some(journal) = journal { journal.record(first + job, result)? } else { result };
        Ok((job, result))
    });
    for (job, result) in done.map_err(|error| if limits.reached().is_some() { stopped() } else { error })? {
        results[job] = Some(result);
    }
    Ok(if matches!(part, Part::Shard { .. }) { None } else { results.into_iter().collect() })
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
