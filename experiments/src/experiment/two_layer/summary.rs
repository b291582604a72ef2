//! Shares over trials with their intervals, and the table that shows them.

use super::config::{Experiment, Method, Network};
use super::trials::{Timing, Trial};
use crate::experiment::interval::mean;
use birkhoff::score::wilson_interval;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// One method on one network at one level: a row of `summary.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Kind of network.
    pub network: Network,
    /// Dimension.
    pub d: usize,
    /// Noise of the teacher.
    pub noise: f64,
    /// The method.
    pub method: Method,
    /// Runs that count.
    pub trials: usize,
    /// Runs that failed; they are in no share.
    pub failed: usize,
    /// Share of the runs that found the whole permutation.
    pub recovered: Option<f64>,
    /// Lower end of its interval.
    pub recovered_low: Option<f64>,
    /// Upper end of its interval.
    pub recovered_high: Option<f64>,
    /// Share of the runs that found it after swap descent.
    pub polished: Option<f64>,
    /// Lower end of its interval.
    pub polished_low: Option<f64>,
    /// Upper end of its interval.
    pub polished_high: Option<f64>,
    /// Share of the runs whose X was certified before rounding.
    pub certified: Option<f64>,
    /// Lower end of its interval.
    pub certified_low: Option<f64>,
    /// Upper end of its interval.
    pub certified_high: Option<f64>,
    /// Mean share of the units in their place.
    pub node_correctness: Option<f64>,
    /// Mean of P(X) before rounding.
    pub penalty: Option<f64>,
    /// Mean of ‖X − T‖_F before rounding.
    pub distance: Option<f64>,
    /// Share of the runs whose value is at most the hidden permutation's.
    pub as_good: Option<f64>,
    /// Share of the answers that are proved optimal.
    pub proved_optimal: Option<f64>,
}

/// Values that differ by less are the same: trials.csv has nine digits behind the point.
const SAME: f64 = 2e-9;

/// Shares and means, in the order of first appearance.
pub fn summarize(trials: &[Trial]) -> Vec<Summary> {
    let key = |row: &Trial| (row.network, row.d, row.noise, row.method);
    let mut groups = Vec::new();
    for row in trials {
        if !groups.contains(&key(row)) {
            groups.push(key(row));
        }
    }
    let summary = |group: (Network, usize, f64, Method)| {
        let all: Vec<&Trial> = trials.iter().filter(|row| key(row) == group).collect();
        let runs: Vec<&Trial> = all.iter().copied().filter(|row| row.node_correctness.is_some()).collect();
        let count = |of: &dyn Fn(&Trial) -> bool| runs.iter().filter(|row| of(row)).count();
        let share = |k: usize| (!runs.is_empty()).then(|| k as f64 / runs.len() as f64);
        let of = |field: fn(&Trial) -> Option<f64>| mean(&runs.iter().filter_map(|row| field(row)).collect::<Vec<_>>());
        let recovered = count(&|row| row.node_correctness == Some(1.0));
        let polished = count(&|row| row.node_correctness_polished == Some(1.0));
        let certified = count(&|row| row.certified == Some(true));
        let interval = |k| wilson_interval(k, runs.len());
        Summary {
            network: group.0,
            d: group.1,
            noise: group.2,
            method: group.3,
            trials: runs.len(),
            failed: all.len() - runs.len(),
            recovered: share(recovered),
            recovered_low: interval(recovered).map(|(low, _)| low),
            recovered_high: interval(recovered).map(|(_, high)| high),
            polished: share(polished),
            polished_low: interval(polished).map(|(low, _)| low),
            polished_high: interval(polished).map(|(_, high)| high),
            certified: share(certified),
            certified_low: interval(certified).map(|(low, _)| low),
            certified_high: interval(certified).map(|(_, high)| high),
            node_correctness: of(|row| row.node_correctness),
            penalty: of(|row| row.penalty),
            distance: of(|row| row.distance),
            as_good: share(count(&|row| row.value <= row.truth_value.map(|value| value + SAME))),
            proved_optimal: share(count(&|row| row.proved_optimal == Some(true))),
        }
    };
    groups.into_iter().map(summary).collect()
}

/// The table on standard output.
pub fn table(experiment: &Experiment, summaries: &[Summary], timings: &[Timing]) -> String {
    let levels = experiment.instances.levels();
    let mut text = String::new();
    let mut line = |content: String| {
        let _ = writeln!(text, "{}", content.trim_end());
    };
    let row = |name: &str, cells: Vec<String>| {
        cells.into_iter().fold(format!("{name:<22}"), |row, cell| row + &format!("{cell:>19}"))
    };
    let percent = |share: Option<f64>| share.map_or("-".to_string(), |share| format!("{:.0}", 100.0 * share));
    let header = || row("d, teacher's noise", levels.iter().map(|(d, noise)| format!("{d}, {noise}")).collect());
    let find = |network, (d, noise), method| {
        summaries.iter().find(move |row| (row.network, row.d, row.noise, row.method) == (network, d, noise, method))
    };
    line(format!("Two-layer ReLU networks: {} trials of each network, dimension and noise", experiment.trials));
    for &network in &experiment.networks {
        line(String::new());
        line(format!("{}, {}", network.name(), network.formula()));
        line("  hidden permutation found, % of the trials (95 % Wilson interval); after swaps".to_string());
        line(header());
        for &method in &experiment.methods {
            let cell = |&level: &(usize, f64)| match find(network, level, method) {
                Some(cell) if cell.trials > 0 => {
                    let (share, low, high) = (cell.recovered, cell.recovered_low, cell.recovered_high);
                    format!("{} ({}-{}); {}", percent(share), percent(low), percent(high), percent(cell.polished))
                }
                _ => "failed".to_string(),
            };
            line(row(method.name(), levels.iter().map(cell).collect()));
        }
        line("  certified to be near one permutation before rounding, % of the trials; mean P(X)".to_string());
        for &method in &experiment.methods {
            let cell = |&level: &(usize, f64)| match find(network, level, method) {
                Some(Summary { certified, penalty: Some(penalty), .. }) => {
                    format!("{}; {penalty:.2}", percent(*certified))
                }
                _ => "failed".to_string(),
            };
            line(row(method.name(), levels.iter().map(cell).collect()));
        }
        line("  as good as the hidden permutation, % of the trials".to_string());
        for &method in &experiment.methods {
            let cell = |&level: &(usize, f64)| percent(find(network, level, method).and_then(|cell| cell.as_good));
            line(row(method.name(), levels.iter().map(cell).collect()));
        }
    }
    line(String::new());
    let seconds = |method: Method| {
        let all: Vec<f64> = timings.iter().filter(|row| row.method == method).map(|row| row.seconds).collect();
        mean(&all).map_or("-".to_string(), |seconds| format!("{seconds:.3}"))
    };
    let times: Vec<_> =
        experiment.methods.iter().map(|&method| format!("{} {}", method.name(), seconds(method))).collect();
    line(format!("Mean seconds a run: {}", times.join(", ")));
    let failed: usize = summaries.iter().map(|row| row.failed).sum();
    if failed > 0 {
        line(format!("{failed} runs failed: see the status in trials.csv"));
    }
    line(format!("Results: {}", experiment.output_dir.display()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_permutation_counts_as_recovered_and_failures_count_in_nothing() {
        let trial = |node_correctness: Option<f64>| Trial {
            network: Network::InsideVector,
            d: 2,
            noise: 0.0,
            trial: 0,
            method: Method::Sgd,
            status: String::new(),
            node_correctness,
            node_correctness_polished: node_correctness.map(|_| 1.0),
            value: node_correctness.map(|share| 1.0 - share),
            truth_value: Some(0.0),
            proved_optimal: Some(false),
            penalty: node_correctness,
            certified: Some(true),
            distance: Some(0.0),
            iterations: Some(1),
        };
        let rows = summarize(&[trial(Some(1.0)), trial(Some(0.9)), trial(None)]);
        assert_eq!((rows.len(), rows[0].trials, rows[0].failed), (1, 2, 1));
        assert_eq!((rows[0].recovered, rows[0].as_good, rows[0].certified), (Some(0.5), Some(0.5), Some(1.0)));
        assert_eq!(rows[0].polished, Some(1.0));
        assert_eq!(rows[0].node_correctness, Some(0.95));
    }
}
