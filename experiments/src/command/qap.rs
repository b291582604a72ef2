//! `graph_matching qap`: a QAPLIB file to a permutation.

use super::inputs::{SearchInputs, check_standard_input, check_weights};
use super::memory::{Demand, LinearTerm};
use super::outputs::{check_outputs, write_outputs};
use super::report::{Files, Report};
use super::search::search;
use super::search_options::{SearchOptions, StartChoice};
use super::summary::summary;
use birkhoff::error::{Error, Result};
use birkhoff::graph::Graph;
use birkhoff::io::{NamedGraph, read_qaplib, read_qaplib_solution};
use birkhoff::objective::QuadraticAssignment;
use birkhoff::recovery::Start;
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Instant;

const QAP_EXAMPLES: &str = "\
Examples:
  graph_matching qap nug30.dat --solution nug30.sln
  graph_matching qap tai20a.dat --restarts 20 --time-limit 30 --output p.csv --report report.json";

/// Arguments of `graph_matching qap`.
#[derive(Debug, Args)]
#[command(after_help = QAP_EXAMPLES)]
pub struct QapArguments {
    /// The problem: n, A, B; minimizes Σ a_ij·b_p(i)p(j). Its indices are counted from 1; `-` is standard input
    pub problem: PathBuf,
    /// Best known solution (n, value, permutation), to report the gap to its value in percent
    #[arg(long, value_name = "FILE")]
    pub solution: Option<PathBuf>,
    /// How to search, and what to write.
    #[command(flatten)]
    pub search: SearchOptions,
}

/// Reads, checks, searches, writes.
pub(super) fn run(arguments: &QapArguments) -> Result<()> {
    let began = Instant::now();
    let inputs = inputs(arguments);
    check_standard_input(inputs.iter().copied())?;
    let problem = read_qaplib(&arguments.problem)?;
    let solution = arguments.solution.as_deref().map(|path| read_qaplib_solution(path, problem.n)).transpose()?;
    let (a, b) = (counted_from_one(&problem.a)?, counted_from_one(&problem.b)?);
    [&a, &b].into_iter().try_for_each(|named| check_weights(&arguments.problem, &named.graph))?;
    let demand = Demand {
        graphs: [&a.graph, &b.graph],
        layers: 1,
        affinity: None,
        start: None,
        linear_term: LinearTerm::None,
        options: &arguments.search,
    };
    demand.check(&arguments.problem)?;
    let objective = QuadraticAssignment::new(a.graph.clone(), b.graph.clone())?;
    let search_inputs = SearchInputs::read(&arguments.search, &a, &b)?;
    let anchors = search_inputs.anchors.len();
    check_outputs(&arguments.search, None, inputs)?;

    if let StartChoice::Structure(kind) = &arguments.search.start {
        return Err(Error::argument(
            "start",
            format!("{} compares graphs, but a QAP's matrices need not be alike", kind.name()),
        ));
    }
    let (recovery, trace) = search(&objective, &[Start::relaxed()], &arguments.search, search_inputs, began)?;
    let best_known = solution.as_ref().map(|solution| solution.value);
    let value = recovery.optimality.value;
    let report = Report {
        anchors,
        best_known,
        gap_percent: best_known.and_then(|best| gap_percent(value, best)),
        ..Report::of("qap", files(arguments), &arguments.search, &recovery)
    };
    let images = recovery.permutation.image();
    let pairs: Vec<_> = images.iter().enumerate().map(|(i, &j)| (a.names[i].as_str(), b.names[j].as_str())).collect();
    let mut lines = vec![("problem", format!("{}: n = {}", arguments.problem.display(), problem.n))];
    if solution.is_some_and(|solution| problem.orient(&solution).is_none()) {
        lines.push(("solution", "its permutation does not have the value that the file states".to_string()));
    }
    write_outputs(&arguments.search, &pairs, &report, &trace, &summary(&report, &lines))
}

/// The graph of a matrix with vertices "1", …, "n", as QAPLIB counts.
fn counted_from_one(matrix: &nalgebra::DMatrix<f64>) -> Result<NamedGraph> {
    let names = (1..=matrix.nrows()).map(|i| i.to_string()).collect();
    NamedGraph::new(Graph::from_matrix(matrix)?, names)
}

/// 100·(value − best)/|best|; at best = 0 it is 0 for value 0 and else unknown.
fn gap_percent(value: f64, best: f64) -> Option<f64> {
    let percent = if value == best { 0.0 } else { 100.0 * (value - best) / best.abs() };
    percent.is_finite().then_some(percent)
}

fn inputs(arguments: &QapArguments) -> Vec<&Path> {
    let QapArguments { problem, solution, search } = arguments;
    let optional = [solution, &search.anchors, &search.start_match].into_iter().flatten().chain(search.start.file());
    std::iter::once(problem).chain(optional).map(PathBuf::as_path).collect()
}

fn files(arguments: &QapArguments) -> Files {
    Files {
        a: arguments.problem.clone(),
        anchors: arguments.search.anchors.clone(),
        start_match: arguments.search.start_match.clone(),
        start: arguments.search.start.file().cloned(),
        solution: arguments.solution.clone(),
        ..Files::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_in_percent_bears_a_best_value_of_zero() {
        assert_eq!(gap_percent(110.0, 100.0), Some(10.0));
        assert_eq!(gap_percent(-90.0, -100.0), Some(10.0));
        assert_eq!((gap_percent(0.0, 0.0), gap_percent(1.0, 0.0)), (Some(0.0), None));
    }
}
