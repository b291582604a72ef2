//! Means over trials with their intervals, and the table that shows them.

use super::config::{Experiment, Model, describe};
use super::trials::{Timing, Trial};
use crate::experiment::interval::{bootstrap_interval, mean};
use birkhoff::score::wilson_interval;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A trial counts as recovered from this share of vertices on: a few vertices of a sparse graph are alike, or have no
/// edges, so that nothing can tell them apart.
pub const RECOVERED: f64 = 0.9;

/// One method at one noise level: a row of `summary.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Vertices.
    pub n: usize,
    /// Probability of an edge; none for Gaussian matrices.
    pub p: Option<f64>,
    /// Correlation of the instances.
    pub rho: f64,
    /// The method, or the name of the variant.
    pub method: String,
    /// Runs that count.
    pub trials: usize,
    /// Runs that failed; they are in no mean.
    pub failed: usize,
    /// Mean share of the vertices matched to their true partner.
    pub node_correctness: Option<f64>,
    /// Lower end of its interval.
    pub node_correctness_low: Option<f64>,
    /// Upper end of its interval.
    pub node_correctness_high: Option<f64>,
    /// Share of the trials that are [`RECOVERED`].
    pub recovered: Option<f64>,
    /// Lower end of its interval.
    pub recovered_low: Option<f64>,
    /// Upper end of its interval.
    pub recovered_high: Option<f64>,
    /// Mean share of A's edges kept.
    pub edge_correctness: Option<f64>,
    /// Mean share of A's edges that the hidden permutation keeps.
    pub truth_edge_correctness: Option<f64>,
}

/// Means and intervals by size, density, correlation and method, in the order of first appearance.
pub fn summarize(trials: &[Trial], rng_seed: u64) -> Vec<Summary> {
    let mut groups: Vec<Vec<&Trial>> = Vec::new();
    for trial in trials {
        let belongs = |first: &Trial| {
            (first.n, first.p, first.rho) == (trial.n, trial.p, trial.rho) && first.method == trial.method
        };
        match groups.iter_mut().find(|group| belongs(group[0])) {
            Some(group) => group.push(trial),
            None => groups.push(vec![trial]),
        }
    }
    let summary = |rows: Vec<&Trial>| {
        let nodes: Vec<f64> = rows.iter().filter_map(|row| row.node_correctness).collect();
        let interval = bootstrap_interval(&nodes, rng_seed);
        let recovered = nodes.iter().filter(|&&share| share >= RECOVERED).count();
        let wilson = wilson_interval(recovered, nodes.len());
        let of = |field: fn(&Trial) -> Option<f64>| mean(&rows.iter().filter_map(|row| field(row)).collect::<Vec<_>>());
        Summary {
            n: rows[0].n,
            p: rows[0].p,
            rho: rows[0].rho,
            method: rows[0].method.clone(),
            trials: nodes.len(),
            failed: rows.len() - nodes.len(),
            node_correctness: mean(&nodes),
            node_correctness_low: interval.map(|(low, _)| low),
            node_correctness_high: interval.map(|(_, high)| high),
            recovered: wilson.map(|_| recovered as f64 / nodes.len() as f64),
            recovered_low: wilson.map(|(low, _)| low),
            recovered_high: wilson.map(|(_, high)| high),
            edge_correctness: of(|row| row.edge_correctness),
            truth_edge_correctness: of(|row| row.truth_edge_correctness),
        }
    };
    groups.into_iter().map(summary).collect()
}

/// The table on standard output: what is right by method and noise level, and how long it took.
pub fn table(experiment: &Experiment, summaries: &[Summary], timings: &[Timing]) -> String {
    let Experiment { trials, instances, output_dir, .. } = experiment;
    let mut text = String::new();
    let mut line = |content: String| {
        let _ = writeln!(text, "{}", content.trim_end());
    };
    let names = experiment.names();
    let percent = |share: Option<f64>| share.map_or("-".to_string(), |share| format!("{:.0}", 100.0 * share));
    let row = |name: &str, cells: Vec<String>| {
        cells.into_iter().fold(format!("{name:<25}"), |row, cell| row + &format!("{cell:>14}"))
    };
    let header = || {
        let cells = instances.rho.iter().map(|&rho| if rho == 0.0 { "0 (null)".into() } else { format!("{rho}") });
        row("correlation", cells.collect())
    };
    for kind in instances.kinds() {
        let at = |rho: f64, method: &str| {
            summaries.iter().find(|row| ((row.n, row.p), row.rho, row.method.as_str()) == (kind, rho, method))
        };
        line(format!("{}, {}: {trials} trials at each correlation", instances.model.title(), describe(kind)));
        line(String::new());
        line("Vertices matched to their true partner, % (95 % bootstrap interval of the mean)".to_string());
        line(header());
        for method in &names {
            let cell = |&rho: &f64| match at(rho, method) {
                Some(cell) if cell.trials > 0 => format!(
                    "{} ({}–{})",
                    percent(cell.node_correctness),
                    percent(cell.node_correctness_low),
                    percent(cell.node_correctness_high)
                ),
                _ => "failed".to_string(),
            };
            line(row(method, instances.rho.iter().map(cell).collect()));
        }
        line(String::new());
        if instances.model == Model::Gaussian {
            // Every pair is an edge.
            continue;
        }
        line("Edges of A kept, %".to_string());
        line(header());
        for method in &names {
            let cell = |&rho: &f64| percent(at(rho, method).and_then(|cell| cell.edge_correctness));
            line(row(method, instances.rho.iter().map(cell).collect()));
        }
        if let Some(method) = names.first() {
            let cell = |&rho: &f64| percent(at(rho, method).and_then(|cell| cell.truth_edge_correctness));
            line(row("(hidden permutation)", instances.rho.iter().map(cell).collect()));
        }
        line(String::new());
    }
    let seconds = |method: &str| {
        let all: Vec<f64> = timings.iter().filter(|row| row.method == method).map(|row| row.seconds).collect();
        mean(&all).map_or("-".to_string(), |seconds| format!("{seconds:.3}"))
    };
    let times: Vec<_> = names.iter().map(|method| format!("{method} {}", seconds(method))).collect();
    line(format!("Mean seconds a run: {}", times.join(", ")));
    let failed: usize = summaries.iter().map(|row| row.failed).sum();
    if failed > 0 {
        line(format!("{failed} runs failed: see the status in trials.csv"));
    }
    line(format!("Results: {}", output_dir.display()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_trials_are_counted_and_in_no_mean() {
        let trial = |node_correctness: Option<f64>| Trial {
            n: 4,
            p: Some(0.5),
            rho: 0.5,
            trial: 0,
            method: "faq".to_string(),
            status: String::new(),
            node_correctness,
            edge_correctness: node_correctness,
            truth_edge_correctness: Some(1.0),
            value: None,
            truth_value: None,
            lower_bound: None,
            proved_optimal: None,
            penalty: None,
            certified: None,
            iterations: None,
            lap_calls: None,
        };
        let rows = summarize(&[trial(Some(0.5)), trial(None), trial(Some(1.0))], 0);
        assert_eq!((rows.len(), rows[0].trials, rows[0].failed), (1, 2, 1));
        assert_eq!((rows[0].node_correctness, rows[0].recovered), (Some(0.75), Some(0.5)));
    }
}
