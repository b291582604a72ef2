//! One search, as `match` and `qap` run it: settings, limits, progress, trace.

use super::inputs::SearchInputs;
use super::interrupt;
use super::search_options::SearchOptions;
use super::trace::{Recorder, TraceRow};
use birkhoff::error::{Error, Result};
use birkhoff::objective::Objective;
use birkhoff::recovery::{Engine, Recovery, Start, recover_from};
use birkhoff::solver::{Iterate, Limits, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Searches as the options say; also returns the first run's trace, empty if nobody asked for it. The time limit counts
/// from `began`.
pub(super) fn search(
    objective: &dyn Objective,
    starts: &[Start],
    options: &SearchOptions,
    inputs: SearchInputs,
    began: Instant,
) -> Result<(Recovery, Vec<TraceRow>)> {
    let SearchInputs { anchors, start, start_match, hold_out, checkpoint } = inputs;
    let settings = options.settings().with_anchors(anchors).with_start(start).with_hold_out(hold_out);
    let settings = settings.with_start_match(start_match);
    let recorder = Arc::new(Recorder::default());
    let spinner = spinner(options.quiet);
    let traced = options.is_traced();
    if options.needs_path() && options.engine == Some(Engine::Sparse) {
        return Err(Error::argument("--engine", "is sparse, but traces and starts are those of a path with matrices"));
    }
    let mut limits = Limits::default().with_interrupt(interrupt::flag());
    limits.deadline = options.deadline(began);
    if let Some(checkpoint) = checkpoint {
        limits = limits.with_keeper(checkpoint);
    }
    if traced || !spinner.is_hidden() {
        let (recorder, spinner) = (recorder.clone(), spinner.clone());
        limits = limits.with_watcher(move |iterate: &Iterate| {
            if traced {
                recorder.record(iterate);
            }
            spinner.set_message(format!(
                "step {}, value {:.6}, penalty {:.4}, weight {:.3e}",
                iterate.iterations(),
                iterate.value,
                iterate.penalty,
                iterate.weight
            ));
        });
    }
    if !spinner.is_hidden() {
        let (spinner, deadline) = (spinner.clone(), limits.deadline);
        limits = limits.with_reporter(move |progress: &Progress| {
            spinner.set_message(progress_message(progress, deadline));
        });
    }
    let recovery = in_pool(options.threads, || recover_from(objective, starts, &settings, &limits));
    spinner.finish_and_clear();
    let recovery = recovery?.map_err(|error| at_its_file(error, options))?;
    Ok((recovery, recorder.rows()))
}

/// Errors in what a file gave name that file.
fn at_its_file(error: Error, options: &SearchOptions) -> Error {
    let path = match &error {
        Error::Argument { name: "start", .. } => options.start.file(),
        Error::Shape { what, .. } | Error::Entry { what, .. } if what == "start" => options.start.file(),
        Error::Argument { name: "anchors", .. } => options.anchors.as_ref(),
        Error::Argument { name: "start_match", .. } => options.start_match.as_ref(),
        _ => None,
    };
    match path {
        Some(path) => Error::file(path, error.to_string()),
        None => error,
    }
}

/// What a search without matrices is doing, how much it keeps, and the seconds that are left.
fn progress_message(progress: &Progress, deadline: Option<Instant>) -> String {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let left = left.map_or_else(String::new, |left| format!(", {:.0} s left", left.as_secs_f64()));
    format!("{}, {:.2} % of what can be kept{left}", progress.stage, 100.0 * progress.kept)
}

/// A spinner on standard error, seen only where that is a terminal.
fn spinner(quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        spinner.set_style(style);
    }
    if !spinner.is_hidden() {
        spinner.enable_steady_tick(Duration::from_millis(200));
    }
    spinner
}

/// Runs `work` on a pool of that many threads, or of one a core.
pub(super) fn in_pool<T: Send>(threads: Option<u32>, work: impl FnOnce() -> T + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0) as usize).build();
    let pool = pool.map_err(|error| Error::argument("threads", error.to_string()))?;
    Ok(pool.install(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_what_is_kept_and_how_long_there_is() {
        let progress = Progress::new("annealing", 0.98765);
        assert_eq!(progress_message(&progress, None), "annealing, 98.77 % of what can be kept");
        assert!(progress_message(&progress, Some(Instant::now())).ends_with("kept, 0 s left"));
    }
}
