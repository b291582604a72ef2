//! Probes: the beginning of a path with one likely pair anchored, which tells where that leads.

use super::path::{DESCENT_STEPS, Path};
use super::run::{Run, Search};
use crate::error::Result;
use crate::penalty::WeightSchedule;
use crate::polytope::Face;
use crate::solver::{Iterate, Limits, Stage};
use nalgebra::DMatrix;
use std::ops::Range;

/// Probes that are made by short paths, before all others: as many as the default effort can pay for
/// (`docs/frontier.md`, *Larger graphs need low weights*).
const SHORT_PROBES: usize = 16;

/// Steps of a short probe at each weight, and its weights as shares of the last one: from 0.028κ to 0.16κ by default.
/// It tells for little what is nearly found without it: of seven kinds it wins most often a second at n = 100, ρ = .58
/// (`docs/frontier.md`, *Shorter probes*).
const SHORT_PROBE: (usize, WeightSchedule) = (20, WeightSchedule { first: 0.0056, last: 0.032, stages: 3 });

/// The same of a long probe, from 0.005κ on: on large graphs it finds many times as much, at some two to four times the
/// cost (`docs/frontier.md`, *Larger graphs need low weights*).
const LONG_PROBE: (usize, WeightSchedule) = (50, WeightSchedule { first: 0.001, last: 0.032, stages: 7 });

impl Search<'_> {
    /// Probe number `number`, from 0 on: the beginning of a path with one pair more anchored, tilted by `cost`. Its
    /// descents tell whether the pair is right, long before the path would.
    pub fn probe(
        &self,
        number: usize,
        pair: (usize, usize),
        x: &DMatrix<f64>,
        cost: Option<&DMatrix<f64>>,
        limits: &Limits,
    ) -> Result<Run> {
        let (steps, schedule) = probe_path(number);
        self.anchored_run(Some(pair), x, |anchored, start| {
            let rising = anchored.stages_of(self.shares(schedule));
            let stages = std::iter::once(anchored.relaxation_stage(self.objective)).chain(rising);
            let stages = stages.map(|stage| Stage { max_steps: steps, ..stage }).collect();
            anchored.follow(Path { stages, tilt: cost.map(|cost| self.tilt(cost)), may_settle: true }, start, limits)
        })
    }

    /// The most iterations that probe number `number` can take.
    pub fn probe_iterations(&self, number: usize) -> u64 {
        let (steps, WeightSchedule { stages, .. }) = probe_path(number);
        (steps * (1 + stages) + DESCENT_STEPS * stages) as u64
    }

    /// A run on the face where one pair more is anchored, from X moved there; polishing may give up that pair.
    pub fn anchored_run(
        &self,
        pair: Option<(usize, usize)>,
        x: &DMatrix<f64>,
        run: impl FnOnce(&Search, Iterate) -> Result<Run>,
    ) -> Result<Run> {
        let anchors: Vec<_> = self.settings.anchors.iter().copied().chain(pair).collect();
        let face = Face::new(self.face.size(), &anchors)?;
        let anchored = Search::new(self.objective, self.settings, &face, (self.stop, self.grace));
        let start = pair.map_or_else(|| x.clone(), |pair| moved(x, pair));
        let mut run = run(&anchored, Iterate::at(start))?;
        // A bound on a smaller face bounds nothing else.
        run.last.lower_bound = f64::NEG_INFINITY;
        self.polish(&mut run)?;
        Ok(run)
    }
}

/// The ranks of the pairs of the probes with these numbers, of the first ones that are alike: the likeliest pairs are
/// probed by short paths, then all by long ones, the likeliest first.
pub(super) fn probe_ranks(numbers: Range<usize>) -> Range<usize> {
    match numbers.start.checked_sub(SHORT_PROBES) {
        None => numbers.start..numbers.end.min(SHORT_PROBES),
        Some(first) => first..numbers.end - SHORT_PROBES,
    }
}

/// The path of probe number `number`.
fn probe_path(number: usize) -> (usize, WeightSchedule) {
    if number < SHORT_PROBES { SHORT_PROBE } else { LONG_PROBE }
}

/// X moved onto the face of one pair more: Y_rc = X_rc + X_rj·X_ic / (1 − X_ij), where what row i and column j held
/// elsewhere is shared out. Doubly stochastic if X is.
fn moved(x: &DMatrix<f64>, (i, j): (usize, usize)) -> DMatrix<f64> {
    let left = 1.0 - x[(i, j)];
    let mut y = x.clone();
    if left > f64::EPSILON {
        y.ger(1.0 / left, &x.column(j), &x.row(i).transpose(), 1.0);
    }
    y.row_mut(i).fill(0.0);
    y.column_mut(j).fill(0.0);
    y[(i, j)] = 1.0;
    y
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;
    use crate::permutation::Permutation;
    use crate::polytope::residual;

    #[test]
    fn a_moved_point_is_doubly_stochastic_and_holds_the_anchor() {
        // Doubly stochastic to the last bits, which a random point is not.
        let mut rng = rng(1, 0);
        let x = (0..16).map(|_| Permutation::random(6, &mut rng).to_matrix() / 16.0).sum();
        let y = moved(&x, (2, 4));
        assert!(residual(&y) < 1e-12 && y.min() >= 0.0);
        assert_eq!((y[(2, 4)], y[(2, 0)], y[(0, 4)]), (1.0, 0.0, 0.0));
        let p = Permutation::identity(3).to_matrix();
        assert_eq!(moved(&p, (1, 1)), p);
    }
}
