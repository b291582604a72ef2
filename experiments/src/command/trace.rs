//! The trace of a search: one row an iteration of its first run.

use crate::experiment::{Panel, draw_panels};
use birkhoff::error::Result;
use birkhoff::io::write_atomically;
use birkhoff::solver::Iterate;
use serde::Serialize;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// One iteration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceRow {
    /// Counted from 1 over the whole search: the relaxation, then the path.
    pub iteration: u64,
    /// Stretch of constant weight, counted from 0; the relaxation is the first.
    pub stage: usize,
    /// λ, in the units of the objective.
    pub weight: f64,
    /// f(X).
    pub value: f64,
    /// P(X).
    pub penalty: f64,
    /// Frank–Wolfe gap of f + λP, in the units of the objective; empty where it is not computed.
    pub gap: Option<f64>,
    /// Step taken.
    pub step_size: f64,
    /// Assignments solved so far.
    pub lap_calls: u64,
}

/// Gathers rows from the iterates of solvers that run one after another.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Recording>);

#[derive(Debug, Default)]
struct Recording {
    rows: Vec<TraceRow>,
    /// Iterations and assignments of the solvers that are done.
    before: (u64, u64),
    last_iteration: u64,
}

impl Recorder {
    /// Adds an iterate. One that counts from the beginning again belongs to the next solver.
    pub fn record(&self, iterate: &Iterate) {
        let mut recording = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = recording.rows.last().cloned();
        let mut stage = last.as_ref().map_or(0, |last| last.stage);
        if let Some(last) = last {
            let next_solver = iterate.iterations() <= recording.last_iteration;
            if next_solver {
                recording.before = (last.iteration, last.lap_calls);
            }
            stage += usize::from(next_solver || iterate.weight != last.weight);
        }
        recording.last_iteration = iterate.iterations();
        let row = TraceRow {
            iteration: recording.before.0 + iterate.iterations() + 1,
            stage,
            weight: iterate.weight,
            value: iterate.value,
            penalty: iterate.penalty,
            gap: iterate.gap.is_finite().then_some(iterate.gap),
            step_size: iterate.step_size,
            lap_calls: recording.before.1 + iterate.lap_calls,
        };
        recording.rows.push(row);
    }

    pub fn rows(&self) -> Vec<TraceRow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rows.clone()
    }
}

/// Writes the rows as CSV, atomically.
pub(super) fn write_trace(path: &Path, rows: &[TraceRow]) -> Result<()> {
    write_atomically(path, |file| {
        let mut writer = csv::Writer::from_writer(file);
        rows.iter().try_for_each(|row| writer.serialize(row)).map_err(std::io::Error::other)?;
        writer.flush()
    })
}

/// Draws the rows: PNG if the file's extension says so, else SVG.
pub(super) fn draw_trace(path: &Path, rows: &[TraceRow], title: &str) -> Result<()> {
    let points = |of: fn(&TraceRow) -> Option<f64>| -> Vec<(f64, f64)> {
        rows.iter().filter_map(|row| of(row).map(|y| (row.iteration as f64, y))).collect()
    };
    let panel = |label, logarithmic, of| Panel { label, logarithmic, points: points(of) };
    let panels = [
        panel("value f(X)", false, |row| Some(row.value)),
        panel("penalty P(X)", false, |row| Some(row.penalty)),
        panel("Frank-Wolfe gap", true, |row| row.gap),
        panel("weight λ", rows.iter().all(|row| row.weight >= 0.0), |row| Some(row.weight)),
    ];
    draw_panels(path, title, "iteration", &panels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argmin::core::State;

    fn iterate(steps: u64, weight: f64, lap_calls: u64) -> Iterate {
        let mut iterate = Iterate::at(nalgebra::DMatrix::zeros(1, 1));
        (0..steps).for_each(|_| iterate.increment_iter());
        (iterate.weight, iterate.lap_calls) = (weight, lap_calls);
        iterate
    }

    #[test]
    fn iterations_and_assignments_count_on_over_solvers_and_stages() {
        let recorder = Recorder::default();
        for seen in [iterate(0, 0.0, 1), iterate(1, 0.0, 2), iterate(0, 0.5, 1), iterate(1, 0.5, 2), iterate(2, 1.0, 3)]
        {
            recorder.record(&seen);
        }
        let rows: Vec<_> = recorder.rows().iter().map(|row| (row.iteration, row.stage, row.lap_calls)).collect();
        assert_eq!(rows, [(1, 0, 1), (2, 0, 2), (3, 1, 3), (4, 1, 4), (5, 2, 5)]);
        assert_eq!(recorder.rows()[0].gap, None);
    }
}
