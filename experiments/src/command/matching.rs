//! `graph_matching match`: two graph files to a certified matching.

use super::inputs::{SearchInputs, aligned, check_no_negative, check_standard_input, check_weights};
use super::memory::{Demand, LinearTerm};
use super::outputs::{check_outputs, write_outputs};
use super::reading::ReadingOptions;
use super::report::{ChanceReport, Files, GraphReport, HeldOutReport, OverlapReport, Report};
use super::search::search;
use super::search_options::{SearchOptions, StartChoice};
use super::summary::summary;
use super::values::{finite, named, share_up_to_half};
use birkhoff::Affinity;
use birkhoff::chance::chance_bounds;
use birkhoff::error::{Error, Result};
use birkhoff::io::{CheckpointFile, NamedGraph, Similarity, SimilarityFile, read_truth};
use birkhoff::objective::{GraphMatching, Objective, WeightedOverlap, is_much_smaller};
use birkhoff::permutation::Permutation;
use birkhoff::recovery::{Method, Start};
use birkhoff::score::{EdgeScore, right_vertices};
use birkhoff::structure::Kind;
use clap::Args;
use clap::builder::TypedValueParser;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

const MATCH_EXAMPLES: &str = "\
Examples:
  graph_matching match a.edges b.edges
  graph_matching match a.mtx b.mtx --truth truth.csv --output match.csv --report report.json
  graph_matching match a.graphml b.graphml --anchors known.csv --restarts 8 --time-limit 60
  graph_matching match a.csv b.csv --similarity s.csv --similarity-weight 0.5
  graph_matching match friends_a friends_b --layer calls_a calls_b --trace trace.csv --plot path.svg
  graph_matching match synapses_a.csv synapses_b.csv.gz --repeated sum
  graph_matching match male.csv female.csv --directed --objective overlap --start-match start.csv
  zcat a.edges.gz | graph_matching match - b.edges --quiet --output -";

/// Arguments of `graph_matching match`.
#[derive(Debug, Args)]
#[command(after_help = MATCH_EXAMPLES)]
pub struct MatchArguments {
    /// Graph A; `-` is standard input
    pub a: PathBuf,
    /// Graph B; `-` is standard input
    pub b: PathBuf,
    /// How the graphs' files are understood.
    #[command(flatten)]
    pub reading: ReadingOptions,
    /// Edges have a direction [default: undirected]
    #[arg(long, conflicts_with = "symmetrize")]
    pub directed: bool,
    /// True correspondence, as far as it is known (two columns: vertex of A, vertex of B), to report the node
    /// correctness
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// Similarity S of the vertices, best in 0..1: a matrix (rows A, columns B; .csv, .npy) or triples `a b s`, which
    /// take no matrix, so that the graphs can be large
    #[arg(long, value_name = "FILE")]
    pub similarity: Option<PathBuf>,
    /// The objective gains -W·κ·⟨S, X⟩, κ = ‖A‖‖B‖/n (the mean degree of unweighted graphs; for overlap the mean weight
    /// of a vertex's arcs): at 1, a similarity of 1 weighs as much as a quarter of an average vertex's edges
    #[arg(long, value_name = "W", default_value_t = 1.0, value_parser = finite, allow_negative_numbers = true)]
    pub similarity_weight: f64,
    /// What is minimized: `squared` differences of matched arcs' weights, or absolute ones, which maximizes the
    /// weighted `overlap` Σ min(w, w') that connectomes are aligned by
    #[arg(long, default_value = "squared", value_parser = objectives())]
    pub objective: ObjectiveChoice,
    /// Hide this share of B's edges from the sparse search until it has an answer, and report how many of them that
    /// keeps; 0 for no such test [default: 0.02 from 2000 vertices on]
    #[arg(long, value_name = "SHARE", value_parser = share_up_to_half)]
    pub hold_out: Option<f64>,
    /// Keep the search without matrices in this file, a path at a time. If it is there, go on from it: a run that was
    /// cut short or killed, and is begun again with the same graphs and settings, ends with the answer of one that was
    /// not [default: not kept]
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// A further layer of both graphs over the same vertex names; may be repeated
    #[arg(long, num_args = 2, value_names = ["A2", "B2"], action = clap::ArgAction::Append)]
    pub layer: Vec<PathBuf>,
    /// How to search, and what to write.
    #[command(flatten)]
    pub search: SearchOptions,
}

/// What is minimized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ObjectiveChoice {
    /// ‖AX − XB‖².
    #[default]
    Squared,
    /// Σ |A − XBXᵀ|.
    Overlap,
}

impl ObjectiveChoice {
    fn affinity(self) -> Affinity {
        match self {
            ObjectiveChoice::Squared => Affinity::Product,
            ObjectiveChoice::Overlap => Affinity::Minimum,
        }
    }
}

fn objectives() -> impl TypedValueParser<Value = ObjectiveChoice> {
    named(vec![("squared", ObjectiveChoice::Squared), ("overlap", ObjectiveChoice::Overlap)])
}

/// Reads, checks, searches, writes.
pub(super) fn run(arguments: &MatchArguments) -> Result<()> {
    let began = Instant::now();
    let inputs = inputs(arguments);
    check_standard_input(inputs.iter().copied())?;
    let mut graphs = Vec::new();
    let mut read = |path: &Path| read_checked(path, arguments, &mut graphs);
    let (a, b) = (read(&arguments.a)?, read(&arguments.b)?);
    let (n_a, n_b) = (a.names.len(), b.names.len());
    if let (StartChoice::Structure(kind), ObjectiveChoice::Overlap) = (&arguments.search.start, arguments.objective) {
        let cause = format!("is {}, which begins at a relaxation, but --objective overlap has none", kind.name());
        return Err(Error::argument("--start", cause));
    }
    let kind = start_kind(arguments, &a, &b);
    let similarity = arguments.similarity.as_deref().map(|path| SimilarityFile::read(path, &b)).transpose()?;
    let demand = Demand {
        graphs: [&a.graph, &b.graph],
        layers: 1 + arguments.layer.len() / 2,
        affinity: Some(arguments.objective.affinity()),
        start: kind,
        linear_term: match &similarity {
            None => LinearTerm::None,
            Some(file) => file.most_entries().map_or(LinearTerm::Dense, LinearTerm::Sparse),
        },
        options: &arguments.search,
    };
    demand.check(if n_a >= n_b { &arguments.a } else { &arguments.b })?;
    let truth = arguments.truth.as_deref().map(|path| read_truth(path, &a, &b)).transpose()?;
    let target = Target::read(arguments, &a, &b, &mut graphs)?;
    let target = match similarity {
        Some(file) => target.with_similarity(&file, arguments.similarity_weight, (&a, &b))?,
        None => target,
    };
    let search_inputs = SearchInputs::read(&arguments.search, &a, &b)?.with_hold_out(arguments.hold_out);
    let anchors = search_inputs.anchors.len();
    check_outputs(&arguments.search, arguments.checkpoint.as_deref(), inputs)?;
    let checkpoint = arguments.checkpoint.as_deref().map(|path| CheckpointFile::open(path, SOURCES));
    let checkpoint = checkpoint.transpose()?.map(Arc::new);
    let search_inputs = search_inputs.with_checkpoint(checkpoint.clone());

    let start = match kind {
        Some(kind) => Start::structural(kind, &a.graph, &b.graph, &search_inputs.anchors)?,
        None => Start::relaxed(),
    };
    let (recovery, trace) = search(target.objective(), &[start], &arguments.search, search_inputs, began)?;
    let p = &recovery.permutation;
    let edges = EdgeScore::of(&a.graph, &b.graph, p);
    let right = truth.map(|truth| right_vertices(p, &truth));
    let report = Report {
        n_a,
        n_b,
        unmatched: n_a.abs_diff(n_b),
        anchors,
        similarity_weight: arguments.similarity.as_ref().map(|_| arguments.similarity_weight),
        edges_a: Some(edges.edges_a),
        edges_b: Some(edges.edges_b),
        common_edges: Some(edges.common),
        edge_correctness: edges.correctness(),
        right_vertices: right.map(|(right, _)| right),
        known_vertices: right.map(|(_, known)| known),
        held_out: recovery.held_out.map(HeldOutReport::of),
        chance: ChanceReport::of(chance_bounds(&a.graph, &b.graph, p)),
        overlap: target.overlap(p),
        node_correctness: right.filter(|&(_, known)| known > 0).map(|(right, known)| right as f64 / known as f64),
        graphs,
        ..Report::of("match", files(arguments), &arguments.search, &recovery)
    };
    let pairs: Vec<(&str, &str)> =
        (0..n_a).filter_map(|i| Some((a.names[i].as_str(), b.names.get(p.apply(i))?.as_str()))).collect();
    let mut lines = described(&report.graphs);
    lines.push(("matched", matched(pairs.len(), &report)));
    lines.extend(checkpoint.iter().map(|checkpoint| ("checkpoint", kept(checkpoint))));
    write_outputs(&arguments.search, &pairs, &report, &trace, &summary(&report, &lines))?;
    checkpoint.map_or(Ok(()), |checkpoint| checkpoint.result())
}

/// Checkpoints are gone on from by the program that made them.
const SOURCES: &str = concat!(env!("CARGO_PKG_VERSION"), ", sources ", env!("BIRKHOFF_SOURCES"));

fn kept(checkpoint: &CheckpointFile) -> String {
    let (before, all) = checkpoint.part_counts();
    format!("{}: {before} of {all} paths were there", checkpoint.path().display())
}

/// A line a graph, and one a note on how its file was understood.
fn described(graphs: &[GraphReport]) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for (k, graph) in graphs.iter().enumerate() {
        let name = if k % 2 == 0 { "A" } else { "B" };
        let GraphReport { vertices, edges, directed, weighted, loops, .. } = graph;
        let file =
            if graph.file == Path::new("-") { "standard input".to_string() } else { graph.file.display().to_string() };
        let direction = if *directed { "directed" } else { "undirected" };
        let weights = if *weighted { "weighted" } else { "unweighted" };
        let loops = match loops {
            0 => String::new(),
            1 => ", 1 loop".to_string(),
            loops => format!(", {loops} loops"),
        };
        lines.push((name, format!("{file}: {vertices} vertices, {edges} edges; {direction}, {weights}{loops}")));
        lines.extend(graph.notes.iter().map(|note| ("", note.clone())));
    }
    lines
}

fn matched(pairs: usize, report: &Report) -> String {
    let larger = if report.n_a > report.n_b { "A" } else { "B" };
    let rest = match report.unmatched {
        0 => String::new(),
        unmatched => format!("; {unmatched} of {larger} have no partner"),
    };
    let anchors = if report.anchors > 0 { format!(", {} of them anchors", report.anchors) } else { String::new() };
    format!("{pairs} pairs of vertices{anchors}{rest}")
}

/// What is minimized, as it was asked for.
enum Target {
    Squared(GraphMatching),
    Overlap(WeightedOverlap),
}

impl Target {
    /// ‖AX − XB‖² or Σ |A − XBXᵀ|, summed over the layers.
    fn read(arguments: &MatchArguments, a: &NamedGraph, b: &NamedGraph, graphs: &mut Vec<GraphReport>) -> Result<Self> {
        let mut layers = vec![];
        for layer in arguments.layer.chunks_exact(2) {
            let mut read = |path: &Path, main: &NamedGraph, which: &str| {
                aligned(path, &read_checked(path, arguments, graphs)?, main, which)
            };
            layers.push((read(&layer[0], a, "A")?, read(&layer[1], b, "B")?));
        }
        let (a_graph, b_graph) = (a.graph.clone(), b.graph.clone());
        match arguments.objective {
            ObjectiveChoice::Squared => {
                let objective = layers
                    .into_iter()
                    .try_fold(GraphMatching::new(a_graph, b_graph)?, |sum, (a, b)| sum.with_layer(a, b))?;
                Ok(Target::Squared(objective))
            }
            ObjectiveChoice::Overlap => {
                let first = WeightedOverlap::new(a_graph, b_graph)?;
                Ok(Target::Overlap(layers.into_iter().try_fold(first, |sum, (a, b)| sum.with_layer(a, b))?))
            }
        }
    }

    /// Less the similarities' weight times κ⟨S, X⟩.
    fn with_similarity(self, file: &SimilarityFile, weight: f64, (a, b): (&NamedGraph, &NamedGraph)) -> Result<Self> {
        let unit = -weight * self.objective().scale();
        let target = match (self, file.parse(a, b)?) {
            (Target::Squared(f), Similarity::Dense(s)) => f.with_linear(&(s * unit)).map(Target::Squared),
            (Target::Squared(f), Similarity::Sparse(s)) => f.with_sparse_linear(&s.scaled(unit)).map(Target::Squared),
            (Target::Overlap(f), Similarity::Dense(s)) => f.with_linear(&(s * unit)).map(Target::Overlap),
            (Target::Overlap(f), Similarity::Sparse(s)) => f.with_sparse_linear(&s.scaled(unit)).map(Target::Overlap),
        };
        target.map_err(|error| Error::file(file.source(), format!("with its weight of {unit:e}: {error}")))
    }

    fn objective(&self) -> &dyn Objective {
        match self {
            Target::Squared(objective) => objective,
            Target::Overlap(objective) => objective,
        }
    }

    fn overlap(&self, p: &Permutation) -> Option<OverlapReport> {
        match self {
            Target::Squared(_) => None,
            Target::Overlap(objective) => Some(OverlapReport::new(objective.overlap_at(p), objective.most_overlap())),
        }
    }
}

/// The structure of the first layer that the search starts from.
fn start_kind(arguments: &MatchArguments, a: &NamedGraph, b: &NamedGraph) -> Option<Kind> {
    match &arguments.search.start {
        // Structures tilt a relaxation, and there is none.
        StartChoice::Auto if arguments.objective == ObjectiveChoice::Overlap => None,
        // Without padding, a path is better without.
        StartChoice::Auto if is_much_smaller(a.names.len().min(b.names.len()), a.names.len().max(b.names.len())) => {
            None
        }
        StartChoice::Auto if arguments.search.method == Method::Penalized => Kind::suited(&a.graph, &b.graph),
        StartChoice::Structure(kind) => Some(*kind),
        _ => None,
    }
}

/// A graph, and its report at the end of `graphs`.
fn read_checked(path: &Path, arguments: &MatchArguments, graphs: &mut Vec<GraphReport>) -> Result<NamedGraph> {
    let file = arguments.reading.reading(arguments.directed).read(path)?;
    check_weights(path, &file.named.graph)?;
    if arguments.objective == ObjectiveChoice::Overlap {
        check_no_negative(path, &file.named.graph)?;
    }
    graphs.push(GraphReport::of(path, &file));
    Ok(file.named)
}

/// Every file that is read.
fn inputs(arguments: &MatchArguments) -> Vec<&Path> {
    let MatchArguments { a, b, truth, similarity, layer, search, .. } = arguments;
    let optional =
        [truth, similarity, &search.anchors, &search.start_match].into_iter().flatten().chain(search.start.file());
    [a, b].into_iter().chain(layer).chain(optional).map(PathBuf::as_path).collect()
}

fn files(arguments: &MatchArguments) -> Files {
    Files {
        a: arguments.a.clone(),
        b: Some(arguments.b.clone()),
        layers: arguments.layer.clone(),
        truth: arguments.truth.clone(),
        anchors: arguments.search.anchors.clone(),
        start_match: arguments.search.start_match.clone(),
        similarity: arguments.similarity.clone(),
        start: arguments.search.start.file().cloned(),
        solution: None,
    }
}
