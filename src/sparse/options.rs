//! What is asked of a search.

use crate::penalty::Penalty;

/// What is asked of a [`search`](super::search).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// That of the convex form: l1−l2 (the default) or Frobenius.
    pub penalty: Penalty,
    /// Seed of all that is random.
    pub rng_seed: u64,
    /// The share of B's edges that are hidden until the search has an answer, 0 to ½. Default: 0, and no test is made.
    pub hold_out: f64,
    /// Whether graphs of less than 6000 vertices are searched again until three searches agree. Default: true.
    pub repeats: bool,
    /// A matching to begin with: the partner in B of each vertex of A that has one. Default: none.
    pub start_match: Option<Vec<Option<usize>>>,
}

impl Default for Options {
    fn default() -> Self {
        Options { penalty: Penalty::default(), rng_seed: 0, hold_out: 0.0, repeats: true, start_match: None }
    }
}

impl Options {
    /// Sets [`penalty`](Self::penalty).
    pub fn with_penalty(self, penalty: Penalty) -> Self {
        Options { penalty, ..self }
    }

    /// Sets [`rng_seed`](Self::rng_seed).
    pub fn with_rng_seed(self, rng_seed: u64) -> Self {
        Options { rng_seed, ..self }
    }

    /// Sets [`repeats`](Self::repeats).
    pub fn with_repeats(self, repeats: bool) -> Self {
        Options { repeats, ..self }
    }

    /// Sets [`start_match`](Self::start_match).
    pub fn with_start_match(self, partners: Vec<Option<usize>>) -> Self {
        Options { start_match: Some(partners), ..self }
    }

    /// Sets [`hold_out`](Self::hold_out).
    pub fn with_hold_out(self, hold_out: f64) -> Self {
        Options { hold_out, ..self }
    }
}
