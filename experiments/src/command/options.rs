//! What the command line says: the definitions of clap, with the checks that need no file.

use crate::experiment::Part;
use birkhoff::io::{GraphFormat, Reading, Repeated};
use birkhoff::penalty::Penalty;
use birkhoff::recovery::{Effort, Method, RestartFrom};
use birkhoff::structure::Kind;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  graph_matching                                    the correlated Erdős-Rényi experiment, in under a minute
  graph_matching match a.edges b.edges -o match.csv match two graphs
  graph_matching match a.mtx b.mtx --truth truth.csv --report report.json --plot path.svg
  graph_matching qap tai20a.dat --solution tai20a.sln --restarts 10
  graph_matching generate er --n 100 --rho 0.8 --output-dir pair

Exit codes: 0 done (also when a time limit or Ctrl-C ended the search: the best answer so far is written),
2 bad input or arguments (nothing is written), 130 a second Ctrl-C.";

/// Finds the permutation that matches two graphs, or solves a QAP, and says how good it provably is.
#[derive(Debug, Parser)]
#[command(name = "graph_matching", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do; nothing means the default experiment.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of the default experiment.
    #[command(flatten)]
    pub experiment: ExperimentOptions,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Match two graphs given by files
    Match(Box<MatchArguments>),
    /// Minimize a quadratic assignment problem in the format of QAPLIB
    Qap(Box<QapArguments>),
    /// Say how near a matrix is to a permutation, and whether its rounding is proved unique
    Certify(CertifyArguments),
    /// Write a random pair of graphs and its hidden correspondence: a.*, b.*, truth.csv
    Generate(GenerateArguments),
    /// Measure all methods on correlated random graphs; what the program does without a command
    Experiment(ExperimentArguments),
    /// Completions and manual pages
    #[command(flatten)]
    Manual(super::ManualCommand),
}

const MATCH_EXAMPLES: &str = "\
Examples:
  graph_matching match a.mtx b.mtx --truth truth.csv --output match.csv --report report.json
  graph_matching match a.graphml b.graphml --anchors known.csv --restarts 8 --time-limit 60
  graph_matching match a.csv b.csv --similarity s.csv --similarity-weight 0.5
  graph_matching match friends_a friends_b --layer calls_a calls_b --trace trace.csv --plot path.svg
  graph_matching match synapses_a.csv synapses_b.csv.gz --repeated sum
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
    /// Similarity S of the vertices, best in 0..1: a matrix (rows A, columns B; .csv, .npy) or triples `a b s`
    #[arg(long, value_name = "FILE")]
    pub similarity: Option<PathBuf>,
    /// The objective gains -W·κ·⟨S, X⟩, κ = ‖A‖‖B‖/n (the mean degree of unweighted graphs): at 1, a similarity of 1
    /// weighs as much as a quarter of an average vertex's edges
    #[arg(long, value_name = "W", default_value_t = 1.0, value_parser = finite, allow_negative_numbers = true)]
    pub similarity_weight: f64,
    /// A further layer of both graphs over the same vertex names; may be repeated
    #[arg(long, num_args = 2, value_names = ["A2", "B2"], action = clap::ArgAction::Append)]
    pub layer: Vec<PathBuf>,
    /// How to search, and what to write.
    #[command(flatten)]
    pub search: SearchOptions,
}

/// How the files of graphs are understood.
#[derive(Debug, Args)]
pub struct ReadingOptions {
    /// Format of all graphs [default: what each file holds, and its extension where that leaves a choice]
    #[arg(long, value_parser = formats())]
    pub format: Option<GraphFormat>,
    /// What rows mean that repeat an edge, be it one row a synapse or a call: `agree` takes rows of one weight as one
    /// edge and refuses others (entries of sparse matrices are added). Both directions of an undirected edge are one
    /// row
    #[arg(long, value_name = "HOW", default_value_t, value_parser = repeated())]
    pub repeated: Repeated,
    /// Where a matrix or a directed file is not symmetric, take (W + W^T)/2
    #[arg(long)]
    pub symmetrize: bool,
}

impl ReadingOptions {
    /// What these options ask of a reader.
    pub(super) fn reading(&self, directed: bool) -> Reading {
        let ReadingOptions { format, repeated, symmetrize } = *self;
        Reading::new(directed).with_format(format).with_repeated(repeated).with_symmetrize(symmetrize)
    }
}

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

const CERTIFY_EXAMPLES: &str = "\
Examples:
  graph_matching certify x.csv
  graph_matching certify shuffle.npy --report report.json
  graph_matching certify model.safetensors:stage2.shuffle --output permutation.csv";

/// Arguments of `graph_matching certify`.
#[derive(Debug, Args)]
#[command(after_help = CERTIFY_EXAMPLES)]
pub struct CertifyArguments {
    /// A square matrix without negative entries: .csv, .npy, .npz:ARRAY or .safetensors:TENSOR; `-` is standard input
    pub matrix: String,
    /// Write the permutation as CSV `a,b`, counted from 0; `-` is standard output [default: not written]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the whole certificate as JSON [default: not written]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// No summary on standard output
    #[arg(short, long)]
    pub quiet: bool,
}

/// Options that `match` and `qap` share.
#[derive(Debug, Args)]
pub struct SearchOptions {
    /// How the permutation is sought
    #[arg(long, default_value_t, value_parser = methods(), help_heading = "Search")]
    pub method: Method,
    /// Penalty of the penalized path and of projected gradient
    #[arg(long, default_value_t, value_parser = penalties(), help_heading = "Search")]
    pub penalty: Penalty,
    /// Known correspondences, kept fixed (two columns: vertex of A, vertex of B) [default: none]
    #[arg(long, value_name = "FILE", help_heading = "Search")]
    pub anchors: Option<PathBuf>,
    /// Where the path starts: `relaxed` (the relaxation's minimizer), `walks` or `subtree` (the same with a hint from
    /// the graphs' structure), or a doubly stochastic n × n matrix (CSV, rows A, columns B; it replaces the
    /// barycenter). `auto` is what suits the graphs: subtree for sparse random ones, walks for regular ones, else (and
    /// where one is much smaller) relaxed
    #[arg(long, value_name = "START", default_value = "auto", value_parser = StartChoice::parse, help_heading = "Search")]
    pub start: StartChoice,
    /// How long to search (penalized path without restarts): one run, up to four times that, or until the answer looks
    /// right
    #[arg(long, default_value_t, value_parser = efforts(), help_heading = "Search")]
    pub effort: Effort,
    /// At most this many runs, reheated paths and probes included [default: as many as the effort pays for]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Search")]
    pub starts: Option<u32>,
    /// Follow the penalized path to its end by itself, without looking ahead by descents on the indefinite form
    #[arg(long, help_heading = "Search")]
    pub no_descents: bool,
    /// Further runs, in parallel; the best is kept
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1_000_000),
          help_heading = "Search")]
    pub restarts: u32,
    /// Where further runs start: with one likely pair anchored, or at random points
    #[arg(long, value_name = "START", default_value = "likely-pairs", value_parser = restart_starts(),
          help_heading = "Search")]
    pub restart_from: RestartFrom,
    /// Seed of all that is random: the same seed gives the same answer with any number of threads
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Search")]
    pub rng_seed: u64,
    /// Return the best answer so far after this many seconds, reading the files included [default: no limit]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Search")]
    pub time_limit: Option<f64>,
    /// Threads that share the restarts [default: one a core]
    #[arg(long, value_name = "N", value_parser = threads(), help_heading = "Search")]
    pub threads: Option<u32>,
    /// Write the matched vertices as CSV `a,b`; `-` is standard output [default: not written]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Write everything that is known of the answer as JSON [default: not written]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub report: Option<PathBuf>,
    /// Write one row an iteration of the first run as CSV [default: not written]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub trace: Option<PathBuf>,
    /// Draw value, penalty, gap and weight of the first run (.png, else SVG) [default: not drawn]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub plot: Option<PathBuf>,
    /// No summary on standard output, no progress on standard error
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}

/// Where a search starts.
#[derive(Debug, Clone, PartialEq)]
pub enum StartChoice {
    /// What suits the graphs.
    Auto,
    /// The relaxation's minimizer.
    Relaxed,
    /// The same with a hint from the graphs' structure.
    Structure(Kind),
    /// A matrix.
    File(PathBuf),
}

impl StartChoice {
    fn parse(text: &str) -> Result<Self, String> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == text);
        Ok(match (text, kind) {
            ("auto", _) => StartChoice::Auto,
            ("relaxed", _) => StartChoice::Relaxed,
            (_, Some(kind)) => StartChoice::Structure(kind),
            _ => StartChoice::File(text.into()),
        })
    }

    /// The matrix's file, if it is one.
    pub fn file(&self) -> Option<&PathBuf> {
        if let StartChoice::File(path) = self { Some(path) } else { None }
    }
}

const GENERATE_EXAMPLES: &str = "\
Examples:
  graph_matching generate er --n 100 --p 0.5 --rho 0.8 --output-dir pair
  graph_matching generate sparse --n 500 --degree 4 --noise 0.25 --rng-seed 7 --output-dir pair
  graph_matching generate regular --n 500 --degree 10 --noise 0.1 --output-dir pair
  graph_matching generate gaussian --n 50 --rho 0.9 --output-dir pair
  graph_matching generate copy yeast.edges --removed 0.05 --added 0.05 --output-dir pair";

/// Arguments of `graph_matching generate`.
#[derive(Debug, Args)]
#[command(after_help = GENERATE_EXAMPLES)]
pub struct GenerateArguments {
    /// The model.
    #[command(subcommand)]
    pub model: Model,
}

/// A random pair of graphs.
#[derive(Debug, Subcommand)]
pub enum Model {
    /// Correlated Erdős-Rényi graphs: each pair is an edge of A and of B with probability p, with correlation rho
    Er {
        /// Vertices
        #[arg(long)]
        n: usize,
        /// Probability of an edge
        #[arg(long, default_value_t = 0.5)]
        p: f64,
        /// Correlation of A's and B's edges, 0 to 1
        #[arg(long)]
        rho: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
    /// Sparse Erdős-Rényi graphs of a given mean degree; an edge survives with probability 1 - noise, densities equal
    Sparse {
        /// Vertices
        #[arg(long)]
        n: usize,
        /// Mean degree
        #[arg(long)]
        degree: f64,
        /// Probability that an edge of A is none of B, 0 to 1
        #[arg(long)]
        noise: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
    /// A random regular graph and a noisy copy; an edge survives with probability 1 - noise, densities equal
    Regular {
        /// Vertices
        #[arg(long)]
        n: usize,
        /// Degree of every vertex of A
        #[arg(long)]
        degree: usize,
        /// Probability that an edge of A is none of B, 0 to 1
        #[arg(long)]
        noise: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
    /// Correlated Gaussian matrices, written as dense CSV
    Gaussian {
        /// Vertices
        #[arg(long)]
        n: usize,
        /// Correlation of A's and B's weights, -1 to 1
        #[arg(long, allow_negative_numbers = true)]
        rho: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
    /// A given graph and a noisy copy of it with its vertices renamed
    Copy {
        /// The graph; `-` is standard input
        graph: PathBuf,
        /// How its file is understood.
        #[command(flatten)]
        reading: ReadingOptions,
        /// Probability that an edge is lost, 0 to 1
        #[arg(long, default_value_t = 0.0)]
        removed: f64,
        /// New edges, as a share of the old ones
        #[arg(long, default_value_t = 0.0, value_parser = share_of_edges)]
        added: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
}

/// Where a generated pair goes.
#[derive(Debug, Args)]
pub struct GenerateOptions {
    /// Seed of the random graphs: the same seed gives the same files
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub rng_seed: u64,
    /// Folder for a.*, b.*, truth.csv and a manifest; made if it is not there. An earlier pair in it is replaced,
    /// another file is not
    #[arg(long, value_name = "FOLDER")]
    pub output_dir: PathBuf,
}

const EXPERIMENT_EXAMPLES: &str = "\
Examples:
  graph_matching experiment experiments/graph_matching.toml --trials 5 --output-dir trial-results
  graph_matching experiment runs/graph_matching/config.toml       the very run that lies there";

/// Arguments of `graph_matching experiment`.
#[derive(Debug, Args)]
#[command(after_help = EXPERIMENT_EXAMPLES)]
pub struct ExperimentArguments {
    /// Configuration [default: the one built in, experiments/graph_matching.toml]
    pub config: Option<PathBuf>,
    /// What to override in it.
    #[command(flatten)]
    pub options: ExperimentOptions,
}

/// What overrides an experiment's configuration.
#[derive(Debug, Clone, Args)]
pub struct ExperimentOptions {
    /// Folder of the results, replaced once the run is complete [default: as configured, runs/ and the experiment's
    /// name]
    #[arg(long, value_name = "FOLDER")]
    pub output_dir: Option<PathBuf>,
    /// Threads that share the trials [default: one a core]
    #[arg(long, value_name = "N", value_parser = threads())]
    pub threads: Option<u32>,
    /// Seed of everything random [default: as configured]
    #[arg(long, value_name = "N")]
    pub rng_seed: Option<u64>,
    /// Trials of each kind [default: as configured]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub trials: Option<u32>,
    /// Do every m-th job only, from the k-th on: what is done goes to the folder's `.partial`
    #[arg(long, value_name = "K/M", conflicts_with = "merge")]
    pub shard: Option<Part>,
    /// Write the results of shards that have done all jobs, their files together in the folder's `.partial`
    #[arg(long)]
    pub merge: bool,
    /// A small version of a few seconds, to see that everything works
    #[arg(long)]
    pub smoke: bool,
    /// No table on standard output, no progress on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

/// A parser of names that are all known.
fn named<T: Clone + Send + Sync + 'static>(all: Vec<(&'static str, T)>) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|(name, _)| *name)).map(move |given| {
        let value = all.iter().find(|(name, _)| *name == given).map(|(_, value)| value.clone());
        value.expect("clap has checked the name")
    })
}

fn methods() -> impl TypedValueParser<Value = Method> {
    named(Method::ALL.map(|method| (method.name(), method)).to_vec())
}

fn repeated() -> impl TypedValueParser<Value = Repeated> {
    named(Repeated::ALL.map(|repeated| (repeated.name(), repeated)).to_vec())
}

fn efforts() -> impl TypedValueParser<Value = Effort> {
    named(Effort::ALL.map(|effort| (effort.name(), effort)).to_vec())
}

fn penalties() -> impl TypedValueParser<Value = Penalty> {
    named(vec![("l1-minus-l2", Penalty::L1MinusL2), ("frobenius", Penalty::Frobenius), ("entropy", Penalty::Entropy)])
}

fn restart_starts() -> impl TypedValueParser<Value = RestartFrom> {
    named(vec![("likely-pairs", RestartFrom::LikelyPairs), ("random-points", RestartFrom::RandomPoints)])
}

fn formats() -> impl TypedValueParser<Value = GraphFormat> {
    named(GraphFormat::ALL.map(|format| (format.name(), format)).to_vec())
}

fn threads() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=1024)
}

fn finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err("not a finite number".to_string()),
    }
}

/// More new edges than this share fit into no graph that is worth it; far more would overflow their number.
fn share_of_edges(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1e6).contains(&value) => Ok(value),
        _ => Err("not a number between 0 and 1e6".to_string()),
    }
}

/// A time limit: positive, and below 10⁹ s, which no clock overflows.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 1e9 => Ok(value),
        _ => Err("not a number of seconds above 0 and up to 1e9".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent_and_every_option_has_a_help_line() {
        Cli::command().debug_assert();
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} of {}", argument.get_id(), command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn every_method_has_its_name_on_the_command_line() {
        for method in Method::ALL {
            let cli = Cli::try_parse_from(["graph_matching", "match", "a", "b", "--method", method.name()]).unwrap();
            let Some(Command::Match(arguments)) = cli.command else { panic!("not match") };
            assert_eq!(arguments.search.method, method);
        }
    }

    #[test]
    fn times_that_no_clock_holds_are_refused() {
        for text in ["0", "-1", "nan", "inf", "1e300", "soon"] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(seconds("0.5"), Ok(0.5));
        assert!(finite("NaN").is_err());
    }
}
