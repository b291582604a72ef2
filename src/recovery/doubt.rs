//! When an answer is doubted: the thresholds at which a search goes on or ends, and where they come from.
//!
//! Measurements are in `docs/frontier.md`, *Probing*; a threshold that names none was chosen by hand.

use super::attempt::Attempt;
use super::run::Search;
use crate::instance::rng;
use crate::permutation::Permutation;

/// A value v is doubtful when v − b > 0.45·(r − b), b the bound of the relaxation or the [ideal
/// value](crate::objective::Objective::ideal_value), whichever is more, and r the mean value of random permutations.
///
/// On Erdős–Rényi graphs v/r came to about 0.3 at the hidden permutation and 0.7 where the path went astray (n = 100, p
/// = ½, ρ = 0.65 to 0.7), and to about 0.25 and 0.5 (n = 500, degree 4, noise 0.25).
pub const DOUBTFUL: f64 = 0.45;

/// An answer further from the bound than this (on the scale of [`DOUBTFUL`]) is not worth reheating unless it stands
/// out: a path from it ends where it began. Chosen by hand.
const COLD: f64 = 0.65;

/// A path may end early with an answer that is no further from the bound than this (on the scale of [`DOUBTFUL`]).
/// Chosen by hand.
const SETTLED: f64 = 0.3;

/// Runs that must have been made before one of them can stand out. Chosen by hand: four values that lay together by
/// chance ended a search once.
const FEWEST: usize = 5;

/// A value stands out that is so many median deviations below the median of all: lost runs lie within 2 % of each
/// other, the truth 30 % below (docs/frontier.md, "Probing ends when a value stands out") …
const JUMP: f64 = 15.0;

/// … and is worth reheating from here on: it may be right in part. Chosen by hand.
const WARM: f64 = 3.0;

/// The median deviation counts as at least this share of what the median is above the bound: a few values may lie
/// together by chance, and four that did ended a search (n = 300, ρ = 0.6, one of nine; docs/frontier.md).
const LEAST_DEVIATION: f64 = 1e-3;

/// Random permutations whose mean value tells what knowing nothing is worth. Chosen by hand.
const RANDOM_VALUES: usize = 32;

/// How doubtful the best of some runs is.
pub(super) struct Doubt {
    /// How far it is from `zero`, see [`Search::excess`].
    excess: f64,
    /// The value of every run, the best first.
    values: Vec<f64>,
    zero: f64,
}

impl Doubt {
    /// Of the best of these runs; `bound` is a lower bound of f from its relaxation.
    pub fn of(search: &Search, attempts: &[Attempt], bound: f64) -> Self {
        let mut values: Vec<f64> = attempts.iter().map(|attempt| attempt.value).collect();
        values.sort_by(f64::total_cmp);
        let zero = bound.max(search.objective.ideal_value());
        Doubt { excess: values.first().map_or(0.0, |&best| search.excess(best, zero)), values, zero }
    }

    /// Whether a path from the answer may end elsewhere: it is worth reheating.
    pub fn is_warm(&self) -> bool {
        self.excess <= COLD || self.stands_out(WARM)
    }

    /// Whether nothing else is worth a try.
    pub fn is_over(&self) -> bool {
        self.excess <= DOUBTFUL || self.stands_out(JUMP)
    }

    /// Whether the best value is more than `deviations` median deviations below the median: the values of runs that are
    /// lost lie close together.
    fn stands_out(&self, deviations: f64) -> bool {
        if self.values.len() < FEWEST {
            return false;
        }
        let median = |values: &[f64]| values[values.len() / 2];
        let middle = median(&self.values);
        let mut distances: Vec<f64> = self.values.iter().map(|value| (value - middle).abs()).collect();
        distances.sort_by(f64::total_cmp);
        middle - self.values[0] > deviations * median(&distances).max(LEAST_DEVIATION * (middle - self.zero))
    }
}

impl Search<'_> {
    /// Whether a value is so good that no more descents of a path have to agree on it.
    pub fn is_settled(&self, value: f64) -> bool {
        self.objective.is_convex() && self.excess(value, self.objective.ideal_value()) <= SETTLED
    }

    /// How far `value` is from `zero`, where the mean value of random permutations is at 1. Not at all once the stop is
    /// reached.
    pub fn excess(&self, value: f64, zero: f64) -> f64 {
        let Some(mean) = self.random_mean() else { return 0.0 };
        if mean > zero { (value - zero) / (mean - zero) } else { 0.0 }
    }

    /// `None` where the stop comes first.
    fn random_mean(&self) -> Option<f64> {
        if let Some(&mean) = self.random_mean.get() {
            return Some(mean);
        }
        let mut rng = rng(self.settings.rng_seed, u64::MAX);
        let m = self.face.free_rows().len();
        let mut sum = 0.0;
        for _ in 0..RANDOM_VALUES {
            if self.stop.is_reached() {
                return None;
            }
            sum += self.objective.value_at(&self.face.vertex(Permutation::random(m, &mut rng).image()));
        }
        Some(*self.random_mean.get_or_init(|| sum / RANDOM_VALUES as f64))
    }
}
