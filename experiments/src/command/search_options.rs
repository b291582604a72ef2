//! How to search: the options that `match` and `qap` share, and what each sets.

use super::values::{named, seconds, threads};
use birkhoff::penalty::Penalty;
use birkhoff::recovery::{Effort, Engine, Method, RestartFrom, Settings};
use birkhoff::structure::Kind;
use clap::Args;
use clap::builder::TypedValueParser;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Options that `match` and `qap` share.
#[derive(Debug, Args)]
pub struct SearchOptions {
    /// How the permutation is sought
    #[arg(long, default_value_t, value_parser = methods(), help_heading = "Search")]
    pub method: Method,
    /// With or without matrices of n × n: `auto` searches sparse graphs without first (from 200 vertices on), and more
    /// than 5000 vertices never with them; `sparse` takes O(n) memory [default: auto, dense for a trace or a start]
    #[arg(long, value_parser = engines(), help_heading = "Search")]
    pub engine: Option<Engine>,
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
    /// A matching to begin with, as `--output` writes it (two columns: vertex of A, vertex of B); need not be complete
    /// [default: none]
    #[arg(long, value_name = "FILE", help_heading = "Search")]
    pub start_match: Option<PathBuf>,
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

impl SearchOptions {
    /// The settings that these options are; what they name files of is read elsewhere.
    pub(super) fn settings(&self) -> Settings {
        let engine = self.engine.unwrap_or(if self.needs_path() { Engine::Dense } else { Engine::Auto });
        Settings::of(self.method)
            .with_engine(engine)
            .with_penalty(self.penalty)
            .with_restarts(self.restarts as usize)
            .with_restart_from(self.restart_from)
            .with_effort(self.effort)
            .with_starts(self.starts.map(|starts| starts as usize))
            .with_descents(!self.no_descents)
            .with_rng_seed(self.rng_seed)
    }

    /// When the search has to end, if the program began then: reading belongs to its time, though nothing can cut it
    /// short.
    pub(super) fn deadline(&self, began: Instant) -> Option<Instant> {
        self.time_limit.map(|seconds| began + Duration::from_secs_f64(seconds))
    }

    /// Whether something is asked for that only a path with matrices has: a trace, or a start.
    pub(super) fn needs_path(&self) -> bool {
        self.is_traced() || self.start != StartChoice::Auto
    }

    /// Whether the first run's iterations are recorded.
    pub(super) fn is_traced(&self) -> bool {
        self.trace.is_some() || self.plot.is_some()
    }
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

fn methods() -> impl TypedValueParser<Value = Method> {
    named(Method::ALL.map(|method| (method.name(), method)).to_vec())
}

fn engines() -> impl TypedValueParser<Value = Engine> {
    named(Engine::ALL.map(|engine| (engine.name(), engine)).to_vec())
}

fn efforts() -> impl TypedValueParser<Value = Effort> {
    named(Effort::ALL.map(|effort| (effort.name(), effort)).to_vec())
}

fn penalties() -> impl TypedValueParser<Value = Penalty> {
    named(Penalty::ALL.map(|penalty| (penalty.name(), penalty)).to_vec())
}

fn restart_starts() -> impl TypedValueParser<Value = RestartFrom> {
    named(vec![("likely-pairs", RestartFrom::LikelyPairs), ("random-points", RestartFrom::RandomPoints)])
}
