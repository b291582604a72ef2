//! What a run was, and what came of it.

use super::run::Run;
use std::fmt;
use std::time::{Duration, Instant};

/// A run that was made.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Attempt {
    /// What it was.
    pub kind: AttemptKind,
    /// f at its answer.
    pub value: f64,
    /// Its iterations.
    pub iterations: u64,
    /// Assignments it solved.
    pub lap_calls: u64,
    /// Its wall-clock time; runs side by side share the cores.
    pub elapsed: Duration,
}

/// What kind of run; as text, what reports call it.
///
/// ```
/// use birkhoff::recovery::AttemptKind;
/// assert_eq!(AttemptKind::Start("walks".into()).to_string(), "walks");
/// assert_eq!(AttemptKind::Probe { row: 3, column: 5 }.to_string(), "anchor (3, 5)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttemptKind {
    /// The method from a start; its [name](super::Start::name).
    Start(String),
    /// The method from what a start learned of an earlier answer; its name. As text, with `again` behind it.
    Learned(String),
    /// A path from a mixture of the best answer and the barycenter: `reheat`.
    Reheat,
    /// The beginning of a path on which vertex `row` of A is anchored to vertex `column` of B: `anchor (row, column)`.
    Probe {
        /// The vertex of A.
        row: usize,
        /// The vertex of B.
        column: usize,
    },
    /// One of [`Settings::restarts`](super::Settings::restarts): `restart`.
    Restart,
    /// A look at all permutations: `enumeration`.
    Enumeration,
    /// The search with X in sparse rows, on large sparse graphs: `sparse`.
    Sparse,
    /// Local search from [`Settings::start_match`](super::Settings::start_match): `given`.
    Given,
    /// A search for an injection that keeps every arc, where one side is much smaller: `embedding`.
    Embedding,
}

impl fmt::Display for AttemptKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AttemptKind::Start(name) => f.write_str(name),
            AttemptKind::Learned(name) => write!(f, "{name} again"),
            AttemptKind::Reheat => f.write_str("reheat"),
            AttemptKind::Probe { row, column } => write!(f, "anchor ({row}, {column})"),
            AttemptKind::Restart => f.write_str("restart"),
            AttemptKind::Enumeration => f.write_str("enumeration"),
            AttemptKind::Sparse => f.write_str("sparse"),
            AttemptKind::Given => f.write_str("given"),
            AttemptKind::Embedding => f.write_str("embedding"),
        }
    }
}

impl Attempt {
    pub(super) fn of(run: &Run, kind: AttemptKind, began: Instant) -> Self {
        let (iterations, lap_calls) = (run.last.iterations(), run.last.lap_calls);
        Attempt { kind, value: run.value, iterations, lap_calls, elapsed: began.elapsed() }
    }
}
