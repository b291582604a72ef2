//! The first answer on large sparse graphs, in a fraction of a path's time.

use super::attempt::{Attempt, AttemptKind};
use super::run::{Run, Search};
use super::settings::Method;
use crate::error::Result;
use crate::penalty::Penalty;
use crate::permutation::Permutation;
use crate::solver::{Iterate, Limits};
use crate::sparse::{Layers, search};
use std::time::Instant;

/// Graphs of fewer vertices are searched by a path soon enough.
const FEWEST: usize = 1000;

/// Sparse: so many arcs for each vertex at most. Above, a step of the sparse search costs no less than one of a path.
const MOST_ARCS: usize = 64;

impl Search<'_> {
    /// The answer of the [sparse search](crate::sparse), where the graphs are large and sparse and the settings ask for
    /// the default method; `None` elsewhere, or where a limit came first.
    pub fn scout(&self, limits: &Limits) -> Result<Option<(Run, Attempt)>> {
        let settings = self.settings;
        let is_default = settings.method == Method::Penalized && settings.descents && settings.restarts == 0;
        let n = self.objective.size();
        let is_known = settings.penalty != Penalty::Entropy;
        if !is_default || !is_known || !settings.polish || settings.start.is_some() || n < FEWEST {
            return Ok(None);
        }
        let Some(layers) = self.objective.sparse_form() else { return Ok(None) };
        let arcs: usize = layers.iter().map(|(a, b)| a.arc_count().max(b.arc_count())).sum();
        if arcs > MOST_ARCS * n {
            return Ok(None);
        }
        let began = Instant::now();
        let (n_a, n_b) = layers.first().map_or((0, 0), |(a, b)| (a.vertex_count(), b.vertex_count()));
        if settings.anchors.iter().any(|&(i, j)| i >= n_a || j >= n_b) {
            return Ok(None);
        }
        let layers = Layers::new(layers, &settings.anchors)?;
        let Some(answer) = search(&layers, settings.penalty, settings.rng_seed, limits)? else { return Ok(None) };
        let permutation = padded(&answer.partners, n)?;
        let value = self.objective.value_at(&permutation);
        let last = Iterate::at(permutation.to_matrix()).counting(answer.steps, answer.steps);
        let run = Run { last, permutation, value, swaps: 0, agreed: false };
        let attempt = Attempt::of(&run, AttemptKind::Sparse, began);
        Ok(Some((run, attempt)))
    }
}

/// The permutation of n that matches each vertex with its partner, and the others as they come.
fn padded(partners: &[Option<usize>], n: usize) -> Result<Permutation> {
    let mut is_free = vec![true; n];
    partners.iter().flatten().for_each(|&j| is_free[j] = false);
    let mut free = (0..n).filter(|&j| is_free[j]);
    let all = partners.iter().copied().chain(std::iter::repeat(None)).take(n);
    Permutation::new(all.filter_map(|partner| partner.or_else(|| free.next())).collect())
}
