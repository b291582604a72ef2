//! `report.json`: everything that is known of an answer.

use super::search_options::SearchOptions;
use argmin::core::TerminationReason;
use birkhoff::certificate::{Standing, Theorem};
use birkhoff::chance::{ChanceBound, is_not_by_chance};
use birkhoff::held_out::{Evidence, HeldOut};
use birkhoff::io::GraphFile;
use birkhoff::penalty::Penalty;
use birkhoff::recovery::{Attempt, Effort, Method, Recovery, RestartFrom};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The files that a report is about, as they were given.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Files {
    /// Graph A; for a QAP the problem.
    pub a: PathBuf,
    /// Graph B; `None` for a QAP.
    pub b: Option<PathBuf>,
    /// Further layers, A and B in turn.
    pub layers: Vec<PathBuf>,
    /// The true correspondence.
    pub truth: Option<PathBuf>,
    /// Known correspondences.
    pub anchors: Option<PathBuf>,
    /// The matching that the search began with.
    pub start_match: Option<PathBuf>,
    /// Similarities.
    pub similarity: Option<PathBuf>,
    /// The start.
    pub start: Option<PathBuf>,
    /// The best known solution of a QAP.
    pub solution: Option<PathBuf>,
}

/// A graph that was read.
#[derive(Debug, Clone, Serialize)]
pub struct GraphReport {
    /// Its file.
    pub file: PathBuf,
    /// The format it was read as.
    pub format: &'static str,
    /// Its vertices.
    pub vertices: usize,
    /// Its edges, or arcs if it is directed.
    pub edges: usize,
    /// Whether W is not symmetric.
    pub directed: bool,
    /// Whether a weight is not 1.
    pub weighted: bool,
    /// Edges from a vertex to itself.
    pub loops: usize,
    /// Rows of the file that repeated an edge.
    pub repeated: usize,
    /// How the file was understood, where that is not plain.
    pub notes: Vec<String>,
}

impl GraphReport {
    pub(super) fn of(path: &Path, file: &GraphFile) -> Self {
        let graph = &file.named.graph;
        GraphReport {
            file: path.to_path_buf(),
            format: file.format.name(),
            vertices: graph.vertex_count(),
            edges: graph.edge_count(),
            directed: !graph.is_symmetric(),
            weighted: graph.arcs().any(|(_, _, weight)| weight != 1.0),
            loops: graph.arcs().filter(|(i, j, _)| i == j).count(),
            repeated: file.repeated,
            notes: file.notes.clone(),
        }
    }
}

/// One run of a search.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// Its start, with `again` where it had learned from an answer, `reheat`, `anchor (i, j)` (vertices counted from
    /// 0), `restart` or `sparse`.
    pub name: String,
    /// f at its answer.
    pub value: f64,
    /// Its iterations.
    pub iterations: u64,
    /// Assignments it solved.
    pub lap_calls: u64,
    /// Its wall-clock time; runs side by side share the cores.
    pub seconds: f64,
}

impl RunReport {
    fn of(attempt: &Attempt) -> Self {
        let &Attempt { value, iterations, lap_calls, elapsed, .. } = attempt;
        let name = attempt.kind.to_string();
        RunReport { name, value, iterations, lap_calls, seconds: elapsed.as_secs_f64() }
    }
}

/// Edges of B that the search did not see, and whether its answer keeps them.
#[derive(Debug, Clone, Serialize)]
pub struct HeldOutReport {
    /// So many edges were hidden.
    pub hidden: usize,
    /// So many of them are matched to edges of A.
    pub found: usize,
    /// found / hidden.
    pub share: f64,
    /// The 95 % interval of the share (Wilson).
    pub interval: (f64, f64),
    /// The share that degrees alone would give.
    pub chance: f64,
    /// `far-above-chance`, `above-chance`, `no-better-than-chance`.
    pub evidence: Evidence,
}

impl HeldOutReport {
    pub(super) fn of(test: HeldOut) -> Self {
        let HeldOut { hidden, found, chance, .. } = test;
        let (share, interval) = (test.share().unwrap_or(0.0), test.interval().unwrap_or((0.0, 1.0)));
        HeldOutReport { hidden, found, share, interval, chance, evidence: test.evidence() }
    }
}

/// How likely unrelated graphs have a match as good.
#[derive(Debug, Clone, Serialize)]
pub struct ChanceReport {
    /// Whether all bounds say that fewer than one in a million pairs have.
    pub not_by_chance: bool,
    /// For each way to draw unrelated graphs (`density`, `degrees`, `gaussian`) log₁₀ of a bound on the probability.
    pub bounds: Vec<ChanceBound>,
}

impl ChanceReport {
    pub(super) fn of(bounds: Vec<ChanceBound>) -> Option<Self> {
        (!bounds.is_empty()).then(|| ChanceReport { not_by_chance: is_not_by_chance(&bounds), bounds })
    }
}

/// The weight that the graphs have in common.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct OverlapReport {
    /// Σ min(w, w') over the arcs and their images, all layers.
    pub common: f64,
    /// What it would be if the heaviest arc met the heaviest: no permutation has more.
    pub most: f64,
    /// common / most; 1 where there is nothing to have in common.
    pub share: f64,
}

impl OverlapReport {
    pub(super) fn new(common: f64, most: f64) -> Self {
        OverlapReport { common, most, share: if most > 0.0 { common / most } else { 1.0 } }
    }
}

/// Everything that is known of an answer.
///
/// All but `seconds` depends on the input and the options only, not on the number of threads, unless a limit
/// ended the search. A number that is not known is null.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of this library.
    pub version: &'static str,
    /// `match` or `qap`.
    pub command: &'static str,
    /// The input.
    pub files: Files,
    /// The graphs A and B, and those of further layers in turn; none for a QAP.
    pub graphs: Vec<GraphReport>,
    /// Size of the problem, max(n_a, n_b).
    pub n: usize,
    /// Vertices of A.
    pub n_a: usize,
    /// Vertices of B.
    pub n_b: usize,
    /// Vertices of the larger graph without a partner: |n_a − n_b|.
    pub unmatched: usize,
    /// The method.
    pub method: Method,
    /// P of the method.
    pub penalty_name: Penalty,
    /// Correspondences that were given.
    pub anchors: usize,
    /// Weight of the similarities, null without any.
    pub similarity_weight: Option<f64>,
    /// Restarts asked for.
    pub restarts: usize,
    /// Where restarts begin.
    pub restart_from: RestartFrom,
    /// How long was searched without restarts.
    pub effort: Effort,
    /// Whether the path looked ahead by descents.
    pub descents: bool,
    /// The bound on the number of runs that was given.
    pub starts: Option<usize>,
    /// The runs that were made, in order: fewer than allowed when the answer was good enough, or a limit came first.
    pub runs: Vec<RunReport>,
    /// The run that won, 0 the first.
    pub winner: usize,
    /// Seed of the restarts.
    pub rng_seed: u64,
    /// f at the answer.
    pub value: f64,
    /// Proved: no permutation (with these anchors) has a smaller f.
    pub lower_bound: Option<f64>,
    /// value − lower_bound.
    pub optimality_gap: Option<f64>,
    /// Whether it is proved, rounding errors included, that no permutation (with these anchors) has a smaller value.
    pub proved_optimal: bool,
    /// The same in a word: `proved`, `within-rounding` (the gap is 1e-9 of the value or less, or less than rounding can
    /// tell: no proof), `open`.
    pub standing: Standing,
    /// P(X) of the winning run before rounding.
    pub penalty: f64,
    /// Whether a theorem says that the winning run's X has this rounding only. Says nothing about it being right.
    pub certified: bool,
    /// That theorem.
    pub theorem: Option<Theorem>,
    /// Proved bound on ‖X − Π‖₁ to the nearest permutation.
    pub distance_at_most: Option<f64>,
    /// Swaps after rounding.
    pub swaps: usize,
    /// Edges (directed: arcs) of A.
    pub edges_a: Option<usize>,
    /// Edges (directed: arcs) of B.
    pub edges_b: Option<usize>,
    /// Edges of A that are kept.
    pub common_edges: Option<usize>,
    /// common_edges / edges_a.
    pub edge_correctness: Option<f64>,
    /// Vertices matched to their true partner.
    pub right_vertices: Option<usize>,
    /// Vertices with a true partner.
    pub known_vertices: Option<usize>,
    /// right_vertices / known_vertices.
    pub node_correctness: Option<f64>,
    /// What became of the edges that were hidden from the search; null where none were.
    pub held_out: Option<HeldOutReport>,
    /// How likely unrelated graphs have a match as good; null where that has no bound.
    pub chance: Option<ChanceReport>,
    /// The weight in common, where that is the objective.
    pub overlap: Option<OverlapReport>,
    /// Value of the best known solution of a QAP.
    pub best_known: Option<f64>,
    /// 100·(value − best_known)/|best_known|.
    pub gap_percent: Option<f64>,
    /// Iterations of all runs.
    pub iterations: u64,
    /// Assignments solved by all runs.
    pub lap_calls: u64,
    /// How the search ended.
    pub termination: String,
    /// Wall-clock time of the search.
    pub seconds: f64,
}

impl Report {
    /// What a recovery and its options say; what only one command knows is still empty.
    pub(super) fn of(command: &'static str, files: Files, options: &SearchOptions, recovery: &Recovery) -> Self {
        let n = recovery.permutation.len();
        let known = |value: f64| value.is_finite().then_some(value);
        Report {
            version: env!("CARGO_PKG_VERSION"),
            command,
            files,
            graphs: vec![],
            n,
            n_a: n,
            n_b: n,
            unmatched: 0,
            method: options.method,
            penalty_name: options.penalty,
            anchors: 0,
            similarity_weight: None,
            restarts: options.restarts as usize,
            restart_from: options.restart_from,
            effort: options.effort,
            descents: !options.no_descents,
            starts: options.starts.map(|starts| starts as usize),
            runs: recovery.attempts.iter().map(RunReport::of).collect(),
            winner: recovery.winner,
            rng_seed: options.rng_seed,
            value: recovery.optimality.value,
            lower_bound: known(recovery.optimality.lower_bound),
            optimality_gap: known(recovery.optimality.gap),
            proved_optimal: recovery.optimality.is_proved(),
            standing: recovery.optimality.standing,
            penalty: recovery.certificate.penalty,
            certified: recovery.certificate.is_certified(),
            theorem: recovery.certificate.theorem,
            distance_at_most: recovery.certificate.distance_at_most,
            swaps: recovery.swaps,
            edges_a: None,
            edges_b: None,
            common_edges: None,
            edge_correctness: None,
            right_vertices: None,
            known_vertices: None,
            node_correctness: None,
            held_out: None,
            chance: None,
            overlap: None,
            best_known: None,
            gap_percent: None,
            iterations: recovery.iterations,
            lap_calls: recovery.lap_calls,
            termination: ending(&recovery.termination),
            seconds: recovery.elapsed.as_secs_f64(),
        }
    }

    /// What a picture of the search is called.
    pub(super) fn title(&self) -> String {
        let name = |path: &Path| path.file_name().map_or("-".into(), |name| name.to_string_lossy().into_owned());
        match &self.files.b {
            Some(b) => format!("{} and {}: {}", name(&self.files.a), name(b), self.method),
            None => format!("{}: {}", name(&self.files.a), self.method),
        }
    }
}

/// How a search ended, in a word.
fn ending(reason: &TerminationReason) -> String {
    match reason {
        TerminationReason::SolverConverged => "converged".to_string(),
        TerminationReason::MaxItersReached => "max-iterations".to_string(),
        TerminationReason::TargetCostReached => "target-reached".to_string(),
        TerminationReason::Timeout => "time-limit".to_string(),
        TerminationReason::Interrupt => "interrupt".to_string(),
        TerminationReason::SolverExit(cause) => cause.clone(),
    }
}
