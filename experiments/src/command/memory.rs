//! How much memory a search takes, and whether that much is free.

use super::search_options::SearchOptions;
use birkhoff::Affinity;
use birkhoff::error::{Error, Result};
use birkhoff::graph::Graph;
use birkhoff::objective::is_much_smaller;
use birkhoff::recovery::{Effort, GraphSizes, Method};
use birkhoff::structure::Kind;
use std::path::Path;

/// What decides how much memory a search takes.
pub(super) struct Demand<'a> {
    /// The first layer.
    pub graphs: [&'a Graph; 2],
    /// How many layers there are.
    pub layers: usize,
    /// What two arcs of matched graphs have in common; `None` for a QAP, for which there is no search without matrices.
    pub affinity: Option<Affinity>,
    /// The structure that a start is made of.
    pub start: Option<Kind>,
    pub linear_term: LinearTerm,
    pub options: &'a SearchOptions,
}

/// The linear term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinearTerm {
    None,
    /// With so many entries.
    Sparse(usize),
    /// A matrix, which is padded.
    Dense,
}

/// Matrices of n × n numbers that one run holds at the same time, at most: X and ∇f of its path, X, ∇f and the costs of
/// a descent from it (or a product that these are made from), and X of its best descent so far.
const OF_A_RUN: f64 = 6.0;

/// The same where further runs may be made: the relaxation (X, ∇f), the point that probes look for their pairs in, and
/// X of the best run so far.
const BESIDE: f64 = 4.0;

/// Bytes of a likely pair with its entry, and of the pair that is kept of it.
const PAIR: f64 = 40.0;

/// Likely pairs that are looked for where the number of runs is not given: the budget of the greatest effort pays for
/// no more probes.
const MOST_PAIRS: f64 = 32_768.0;

/// Runs that are made at the same time where the answer is doubtful.
const PROBES: usize = 4;

/// What L-BFGS and its line search take besides: its memory of ten steps and ten gradients, and the states that argmin
/// keeps. A search of n = 600 took 44 matrices in all.
const LBFGS: f64 = 38.0;

/// Bytes that a vertex and an arc take in a search without matrices: 3.5 kB a vertex in all at 10,000 to 60,000
/// vertices of degrees 4 to 10.
const SPARSE_VERTEX: f64 = 3000.0;
const SPARSE_ARC: f64 = 150.0;

/// Bytes that an entry of a sparse linear term takes: in rows and columns for the objective, and in rows for the search
/// and its copy with fewer edges.
const SIMILARITY: f64 = 60.0;

/// Bytes that an arc takes: in the graph as it was read, and beside it as the search's.
const ARC: f64 = 16.0;

impl Demand<'_> {
    /// Refuses what does not fit into the memory that is free now. Where the system does not say how much that is,
    /// nothing is refused.
    ///
    /// # Errors
    /// [`Error::File`] for `source`.
    pub fn check(&self, source: &Path) -> Result<()> {
        let n = self.size();
        check_free(self.bytes()).map_err(|cause| Error::file(source, format!("to search {n} vertices takes {cause}")))
    }

    fn size(&self) -> usize {
        self.graphs[0].vertex_count().max(self.graphs[1].vertex_count())
    }

    /// The most bytes that the search takes beyond what was read.
    fn bytes(&self) -> f64 {
        let [n_a, n_b] = self.graphs.map(Graph::vertex_count);
        let arcs = self.graphs.map(Graph::arc_count).into_iter().max().unwrap_or(0) * self.layers;
        let similarities = if let LinearTerm::Sparse(entries) = self.linear_term { entries } else { 0 };
        let of_similarities = SIMILARITY * similarities as f64;
        if let Some(affinity) = self.affinity
            && self.linear_term != LinearTerm::Dense
            && (GraphSizes { vertices: (n_a, n_b), arcs, similarities, affinity })
                .need_no_matrix(&self.options.settings())
        {
            return SPARSE_VERTEX * self.size() as f64 + SPARSE_ARC * arcs as f64 + of_similarities;
        }
        let (square, matrix) = (8.0 * (self.size() as f64).powi(2), self.matrix());
        let side_by_side = self.side_by_side() as f64;
        let beside = if self.goes_on() { BESIDE } else { 0.0 };
        let mut matrices = beside + OF_A_RUN * side_by_side;
        if self.options.method == Method::Sinkhorn {
            matrices += LBFGS * side_by_side;
        }
        let mut squares = if self.linear_term == LinearTerm::Dense { 1.0 } else { 0.0 };
        if self.is_dense() {
            // A, B and their products with themselves; and what each run keeps of its last product.
            squares += self.layers as f64 * (if self.is_convex() { 4.0 } else { 2.0 } + 3.0 * side_by_side);
        }
        let searching = matrix * (matrices + self.matrices_of_start()) + self.pair_bytes();
        // A structural cost is made while no run is under way.
        let making = self.start.map_or(0.0, |kind| self.making_bytes(kind, matrix) + matrix * beside);
        searching.max(making) + square * squares + self.graph_bytes() + of_similarities
    }

    /// Whether the relaxation is made: squared differences have the products AᵀA and BBᵀ, all else has not.
    fn is_convex(&self) -> bool {
        self.affinity == Some(Affinity::Product)
    }

    /// Whether further runs may be made after the first.
    fn goes_on(&self) -> bool {
        let SearchOptions { starts, restarts, effort, method, .. } = self.options;
        let is_path = self.is_convex() && *method == Method::Penalized;
        *restarts > 0 || is_path && (starts.is_some() || *effort != Effort::Quick)
    }

    /// What a structural start keeps: the term of a path, and where that is asked for again the cost that it is made
    /// of.
    fn matrices_of_start(&self) -> f64 {
        match self.start {
            None => 0.0,
            Some(_) if self.goes_on() => 2.0,
            Some(_) => 1.0,
        }
    }

    /// The pairs at the largest entries of X. They are sought in one pass, at most as many again as are asked for, with
    /// two columns beside, and what is asked for doubles.
    fn pair_bytes(&self) -> f64 {
        let SearchOptions { starts, restarts, effort, .. } = self.options;
        let asked = match (starts, restarts, effort) {
            (Some(starts), ..) => f64::from(*starts),
            (None, 0, Effort::Quick) => return 0.0,
            (None, 0, _) => MOST_PAIRS,
            (None, restarts, _) => f64::from(*restarts),
        };
        let n = self.size() as f64;
        PAIR * (4.0 * asked + 2.0 * n).min(n * n)
    }

    /// Bytes of X.
    fn matrix(&self) -> f64 {
        let [n_a, n_b] = self.graphs.map(Graph::vertex_count);
        let (m, n) = (n_a.min(n_b), n_a.max(n_b));
        let is_padded = !is_much_smaller(m, n) || !self.options.method.needs_no_padding(self.options.penalty);
        8.0 * n as f64 * if is_padded { n } else { m } as f64
    }

    /// Runs that are made at the same time.
    fn side_by_side(&self) -> usize {
        let SearchOptions { restarts, effort, method, .. } = self.options;
        let runs = match (*restarts as usize, effort, method) {
            (0, Effort::Default | Effort::Thorough, Method::Penalized) if self.is_convex() => PROBES,
            (restarts, ..) => restarts.max(1),
        };
        runs.min(self.threads())
    }

    fn threads(&self) -> usize {
        self.options
            .threads
            .map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |threads| threads as usize)
    }

    /// Whether products are formed from matrices: sparse ones cost more than these.
    fn is_dense(&self) -> bool {
        let [a, b] = self.graphs.map(|graph| graph.arc_count() as f64);
        16.0 * a * b > (self.size() as f64).powi(4)
    }

    /// The graphs turned round, where that is not the same, and AᵀA, BBᵀ of sparse ones: Σ d² arcs at most.
    fn graph_bytes(&self) -> f64 {
        let of_graph = |graph: &&Graph| {
            let turned = if graph.is_symmetric() { 0.0 } else { graph.arc_count() as f64 };
            let degrees = (0..graph.vertex_count()).map(|i| graph.neighbours(i).0.len() as f64);
            let all = (self.size() as f64).powi(2);
            let squares = if self.is_convex() && !self.is_dense() { degrees.map(|d| d * d).sum::<f64>() } else { 0.0 };
            // The product is sorted before it becomes a graph.
            ARC * turned + (ARC + 24.0) * squares.min(all)
        };
        self.layers as f64 * self.graphs.iter().map(of_graph).sum::<f64>()
    }

    /// What a structural cost is made from, and the cost itself, with another one where an answer taught it.
    fn making_bytes(&self, kind: Kind, matrix: f64) -> f64 {
        let (n, threads) = (self.size() as f64, self.threads() as f64);
        let [a, b] = self.graphs.map(|graph| graph.arc_count() as f64);
        let making = match kind {
            // For each thread the walks of five lengths from one vertex, over vertices and arcs, in both directions.
            Kind::Walks => threads * 2.0 * 5.0 * 12.0 * (n + a.max(b)) + 2.0 * matrix,
            // Two generations of messages of two bytes, 8 bytes a pair of vertices, and for each thread 4 for each
            // neighbour of one.
            _ => {
                let degree = self.graphs.map(most_neighbours).into_iter().max().unwrap_or(0) as f64;
                4.0 * (a * b).min(2f64.powi(28)) + matrix + threads * 4.0 * degree * n
            }
        };
        matrix * self.matrices_of_start() + making
    }
}

fn most_neighbours(graph: &Graph) -> usize {
    (0..graph.vertex_count()).map(|i| graph.neighbours(i).0.len()).max().unwrap_or(0)
}

/// The bytes that are needed, and how many there are, if those are fewer.
pub(super) fn check_free(needed: f64) -> std::result::Result<(), String> {
    match free_memory().map(|free| free as f64).filter(|&free| free < needed) {
        Some(free) => Err(format!("{:.1} GB, but only {:.1} GB are free", needed / 1e9, free / 1e9)),
        None => Ok(()),
    }
}

/// Bytes, as Linux tells.
fn free_memory() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::super::cli::{Cli, Command};
    use super::*;
    use clap::Parser;

    fn demand<'a>(graphs: [&'a Graph; 2], start: Option<Kind>, options: &'a SearchOptions) -> Demand<'a> {
        Demand { graphs, layers: 1, affinity: Some(Affinity::Product), start, linear_term: LinearTerm::None, options }
    }

    fn bytes(arguments: &str, graphs: [&Graph; 2], start: Option<Kind>) -> f64 {
        let threads = if arguments.contains("--threads") { "" } else { "--threads 2" };
        let line = format!("graph_matching match a b {threads} {arguments}");
        let Some(Command::Match(parsed)) = Cli::parse_from(line.split_whitespace()).command else { panic!("{line}") };
        demand(graphs, start, &parsed.search).bytes()
    }

    #[test]
    fn what_takes_more_is_said_to_take_more() {
        let n = 1000;
        let ring = Graph::undirected(n, (0..n).map(|i| (i, (i + 1) % n, 1.0))).unwrap();
        let star = Graph::undirected(n, (1..n).map(|i| (0, i, 1.0))).unwrap();
        let dense = Graph::undirected(n, (0..n).flat_map(|i| (0..i).map(move |k| (i, k, 1.0)))).unwrap();
        let matrix = 8e6;
        let quick = bytes("--effort quick --engine dense", [&ring, &ring], None);
        // X and ∇f of the path, X, ∇f and the costs of a descent, and X of the best one: measured at n = 5000
        // (docs/engine.md).
        assert!(quick > 6.0 * matrix && quick < 6.2 * matrix, "{quick}");
        // The term of a start is a matrix more, and what it is made from lies there before the path.
        let structural = bytes("--effort quick --engine dense", [&ring, &ring], Some(Kind::Subtrees));
        assert!(structural > 7.0 * matrix && structural < 7.2 * matrix, "{structural}");
        // Probes run side by side, on as many threads as there are.
        let default = bytes("", [&ring, &ring], None);
        assert!(default > quick + 6.0 * matrix);
        // A list of all pairs is the size of a few matrices.
        assert!(bytes("--effort quick --engine dense --starts 1000000", [&ring, &ring], None) > quick + 4.0 * matrix);
        assert!(bytes("--restarts 7", [&ring, &ring], None) > quick + 6.0 * matrix);
        assert!(bytes("--restarts 7 --threads 8", [&ring, &ring], None) > default + 29.0 * matrix);
        assert!(bytes("--method sinkhorn", [&ring, &ring], None) > quick + 15.0 * matrix);
        // The products of a star are full, and so are dense graphs.
        assert!(bytes("", [&star, &ring], None) > default + 4.0 * matrix);
        assert!(bytes("", [&dense, &dense], None) > default + 8.0 * matrix);
        // Walks hold the arcs for each thread.
        let walks = bytes("", [&dense, &dense], Some(Kind::Walks)) - bytes("", [&dense, &dense], None);
        assert!(walks > 20.0 * matrix, "{}", walks / matrix);
        assert!(bytes("", [&ring, &ring], Some(Kind::Subtrees)) > default + 1.9 * matrix);
        // A few vertices in many take no square.
        let few = Graph::undirected(10, [(0, 1, 1.0)]).unwrap();
        let without_padding = bytes("", [&few, &ring], Some(Kind::Walks));
        assert!(without_padding < 0.5 * quick, "{}", without_padding / matrix);
        assert!(bytes("--method relaxation", [&few, &ring], None) > 6.0 * matrix);
        // Large sparse graphs take what their vertices take, unless a path or matrices are asked for.
        let large = Graph::undirected(20_000, (1..20_000).map(|i| (i - 1, i, 1.0))).unwrap();
        let matrix = 8.0 * 20_000f64.powi(2);
        assert!(bytes("", [&large, &large], None) < 0.1 * matrix);
        for options in ["--engine sparse", "--effort quick"] {
            assert!(bytes(options, [&ring, &ring], None) < 10e6, "{options}");
        }
        for options in ["--engine dense", "--method faq", "--restarts 1", "--start relaxed", "--trace t.csv"] {
            assert!(bytes(options, [&large, &large], None) > 6.0 * matrix, "{options}");
        }
        let line = ["graph_matching", "match", "a", "b"];
        let Some(Command::Match(parsed)) = Cli::parse_from(line).command else { panic!() };
        // Similarities take what they are; as a matrix, matrices.
        let with = |linear_term| Demand { linear_term, ..demand([&large, &large], None, &parsed.search) }.bytes();
        let none = with(LinearTerm::None);
        assert!(with(LinearTerm::Sparse(100_000)) > none && with(LinearTerm::Sparse(100_000)) < none + 10e6);
        assert!(with(LinearTerm::Dense) > 7.0 * matrix);
        // An overlap has no relaxation, and a search without matrices all the same; a QAP has neither.
        let overlap = Demand { affinity: Some(Affinity::Minimum), ..demand([&large, &large], None, &parsed.search) };
        assert!(overlap.bytes() < 0.1 * matrix);
        assert!(Demand { affinity: None, ..overlap }.bytes() > 6.0 * matrix);
    }

    #[test]
    fn what_no_memory_holds_is_refused_before_it_is_asked_for() {
        if free_memory().is_some() {
            let vast = Graph::undirected(10_000_000, [(0, 1, 1.0)]).unwrap();
            let line = ["graph_matching", "match", "a", "b", "--engine", "dense"];
            let Some(Command::Match(parsed)) = Cli::parse_from(line).command else { panic!() };
            let message = demand([&vast; 2], None, &parsed.search).check("g".as_ref()).unwrap_err().to_string();
            assert!(
                message.starts_with("g: to search 10000000 vertices takes ") && message.contains("GB are free"),
                "{message}"
            );
            let small = Graph::undirected(10, [(0, 1, 1.0)]).unwrap();
            assert!(demand([&small; 2], None, &parsed.search).check("g".as_ref()).is_ok());
        }
    }
}
