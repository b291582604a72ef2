//! A search for violations: the bounds' ratios are maximized by ascent, which finds what random matrices miss.

use super::bounds::judge;
use super::config::Experiment;
use super::sample::{Kind, matrices};
use crate::experiment::RunDirectory;
use crate::experiment::error_bounds::trials;
use crate::experiment::parallel::resumable;
use birkhoff::error::Result;
use birkhoff::instance::rng;
use birkhoff::solver::Limits;
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// What is maximized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// min ‖X − Π‖₁/P on D_n: T1 says at most 1 + 1/√2.
    Distance,
    /// P/min ‖X − Π‖₁ on D_n: T1 says at most 1.
    Penalty,
    /// ‖X − Π‖₁/(2P + max(E_r, E_c)) where T3 applies: at most 1.
    Approximate,
}

impl Target {
    /// All of them.
    pub const ALL: [Target; 3] = [Target::Distance, Target::Penalty, Target::Approximate];

    /// The proved bound.
    pub fn bound(self) -> f64 {
        match self {
            Target::Distance => birkhoff::certificate::DISTANCE_FACTOR,
            Target::Penalty | Target::Approximate => 1.0,
        }
    }
}

/// The largest ratio found at a size: a row of `ascent.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Highest {
    /// What was maximized.
    pub target: Target,
    /// n.
    pub n: usize,
    /// Starts.
    pub starts: usize,
    /// Matrices judged.
    pub evaluations: usize,
    /// The proved bound.
    pub bound: f64,
    /// The largest ratio.
    pub ratio: f64,
    /// Statements violated on the way.
    pub violations: usize,
}

/// Matrices with P below this are left out: their ratios are rounding.
const SMALLEST_PENALTY: f64 = 1e-3;

/// The ratio of a matrix, −∞ where it has none, and the number of statements that it violates.
fn ratio(target: Target, x: &DMatrix<f64>) -> Result<(f64, usize)> {
    let verdict = judge(x)?;
    let ratio = match target {
        _ if verdict.penalty < SMALLEST_PENALTY => f64::NEG_INFINITY,
        Target::Distance if verdict.is_feasible => verdict.ratio(),
        Target::Penalty if verdict.is_feasible => 1.0 / verdict.ratio(),
        Target::Approximate if verdict.is_within_t3 => verdict.t3_ratio,
        _ => f64::NEG_INFINITY,
    };
    Ok((ratio, verdict.violated.len()))
}

/// The rows, and for each target the matrix with the largest ratio.
type Found = (Vec<Highest>, Vec<DMatrix<f64>>);

/// All targets at all sizes; the matrices with the largest ratios, one a target. None where this is only a shard.
///
/// # Errors
/// As [`resumable`].
pub(super) fn search(
    experiment: &Experiment,
    directory: &RunDirectory,
    limits: &Limits,
    quiet: bool,
) -> Result<Option<Found>> {
    let ascent = &experiment.ascent;
    let jobs: Vec<(Target, usize, usize)> = (Target::ALL.into_iter())
        .flat_map(|target| ascent.sizes.iter().map(move |&n| (target, n)))
        .flat_map(|(target, n)| (0..ascent.starts).map(move |start| (target, n, start)))
        .collect();
    let first = trials::jobs(experiment).len();
    let found = resumable(directory, (first, jobs.clone()), 1, limits, quiet, |(target, n, start), bar| {
        // Streams that no block of samples has: theirs leave the highest bit clear.
        let stream = (1 << 63) | ((target as u64) << 48) | ((n as u64) << 32) | start as u64;
        let top = climb(target, n, ascent.moves, &mut rng(experiment.rng_seed, stream));
        bar.inc(1);
        top
    })?;
    let Some(found) = found else { return Ok(None) };
    let mut rows: Vec<Highest> = Vec::new();
    let mut best: Vec<(f64, DMatrix<f64>)> = vec![(f64::NEG_INFINITY, DMatrix::zeros(0, 0)); Target::ALL.len()];
    for (&(target, n, _), top) in jobs.iter().zip(found) {
        let row = Highest { target, n, starts: 0, evaluations: 0, bound: target.bound(), ratio: 0.0, violations: 0 };
        if rows.last().is_none_or(|last| (last.target, last.n) != (target, n)) {
            rows.push(row);
        }
        let row = rows.last_mut().expect("one was pushed");
        row.starts += 1;
        row.evaluations += top.evaluations;
        row.violations += top.violations;
        let ratio = top.ratio.unwrap_or(f64::NEG_INFINITY);
        row.ratio = row.ratio.max(ratio);
        let best = &mut best[target as usize];
        if ratio > best.0 {
            *best = (ratio, top.x);
        }
    }
    Ok(Some((rows, best.into_iter().map(|(_, x)| x).collect())))
}

#[derive(Serialize, Deserialize)]
struct Top {
    x: DMatrix<f64>,
    /// None where no matrix on the way has one.
    ratio: Option<f64>,
    evaluations: usize,
    violations: usize,
}

/// Random moves that keep what the target requires; those that do not lower the ratio are kept, and steps shrink when
/// none does.
fn climb(target: Target, n: usize, moves: usize, rng: &mut impl Rng) -> Result<Top> {
    let kind = match target {
        Target::Approximate => Kind::Approximate,
        _ => [Kind::Mixture, Kind::Blocks, Kind::NearVertex][rng.random_range(0..3)],
    };
    let mut x = matrices(kind, n, 1, rng)?.remove(0);
    let (mut ratio_here, mut violations) = ratio(target, &x)?;
    let mut step: f64 = 0.5;
    for _ in 0..moves {
        let mut trial = x.clone();
        if target == Target::Approximate && rng.random_bool(0.5) {
            let entry = rng.random_range(0..n * n);
            trial[entry] = (trial[entry] + step * (2.0 * rng.random::<f64>() - 1.0)).max(0.0);
        } else {
            exchange(&mut trial, step, rng);
        }
        let (there, violated) = ratio(target, &trial)?;
        violations += violated;
        if there >= ratio_here {
            if there > ratio_here {
                step = (step * 1.5).min(1.0);
            }
            (x, ratio_here) = (trial, there);
        } else {
            step = (step * 0.97).max(1e-7);
        }
    }
    let ratio = Some(ratio_here).filter(|ratio| ratio.is_finite());
    Ok(Top { x, ratio, evaluations: moves + 1, violations })
}

/// Moves up to `step` of what is possible from X_ij, X_kl to X_il, X_kj: sums stay, and entries stay ≥ 0.
fn exchange(x: &mut DMatrix<f64>, step: f64, rng: &mut impl Rng) {
    let n = x.nrows();
    let (i, j) = (rng.random_range(0..n), rng.random_range(0..n));
    let (k, l) = ((i + rng.random_range(1..n)) % n, (j + rng.random_range(1..n)) % n);
    let room = x[(i, j)].min(x[(k, l)]);
    // The whole of it now and then: extremal matrices have zeros.
    let amount = if rng.random_bool(0.1) { room } else { room * (step * rng.random::<f64>()) };
    x[(i, j)] -= amount;
    x[(k, l)] -= amount;
    x[(i, l)] += amount;
    x[(k, j)] += amount;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascent_finds_the_extremal_ratio_that_random_matrices_miss() {
        let highest = (0..10).map(|start| climb(Target::Distance, 3, 1500, &mut rng(1, start)).unwrap());
        let highest = highest
            .map(|top| (top.ratio.unwrap(), top.violations))
            .fold((0.0, 0), |a: (f64, usize), b| (a.0.max(b.0), a.1 + b.1));
        assert!(highest.0 > Target::Distance.bound() - 1e-3 && highest.1 == 0, "{highest:?}");
    }
}
