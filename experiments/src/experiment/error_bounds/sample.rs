//! Random doubly stochastic matrices, and nearly doubly stochastic ones, of all kinds.

use birkhoff::certificate::FEASIBILITY;
use birkhoff::error::Result;
use birkhoff::instance::correlated_erdos_renyi;
use birkhoff::objective::GraphMatching;
use birkhoff::permutation::Permutation;
use birkhoff::polytope::{residual, sinkhorn};
use birkhoff::recovery::{Effort, Settings, recover_within};
use birkhoff::solver::{Iterate, Limits};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, StandardNormal};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// Where a matrix comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Σ w_k Π_k of 2 to 4n random permutations, w Dirichlet or more extreme.
    Mixture,
    /// Sinkhorn scaling of e^(βZ), Z normal.
    Sinkhorn,
    /// A mixture drawn towards a permutation, by a factor down to 1e-6.
    NearVertex,
    /// Direct sums of \[\[1 − t, t\], \[t, 1 − t\]\], of (1 − t)I + t·cycle and of 1, in random order: T2's extremal
    /// matrices among them.
    Blocks,
    /// Iterates of the penalized path on correlated Erdős–Rényi graphs.
    Iterate,
    /// Sums off by up to a third: a mixture near a permutation with perturbed rows, columns and entries, as in
    /// training.
    Approximate,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 6] =
        [Kind::Mixture, Kind::Sinkhorn, Kind::NearVertex, Kind::Blocks, Kind::Iterate, Kind::Approximate];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Mixture => "mixture",
            Kind::Sinkhorn => "sinkhorn",
            Kind::NearVertex => "near-vertex",
            Kind::Blocks => "blocks",
            Kind::Iterate => "iterate",
            Kind::Approximate => "approximate",
        }
    }
}

/// `count` matrices of a kind, n × n.
pub(super) fn matrices(kind: Kind, n: usize, count: usize, rng: &mut impl Rng) -> Result<Vec<DMatrix<f64>>> {
    if kind == Kind::Iterate {
        return iterates(n, count, rng);
    }
    let one = |_| match kind {
        Kind::Mixture => Ok(mixture(n, rng)),
        Kind::Sinkhorn => scaled(n, rng),
        Kind::NearVertex => Ok(near_vertex(n, 1e-6, rng)),
        Kind::Blocks => Ok(blocks(n, rng)),
        Kind::Approximate | Kind::Iterate => Ok(approximate(n, rng)),
    };
    (0..count).map(one).collect()
}

fn mixture(n: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    let count = [2, 3, n, 4 * n][rng.random_range(0..4)];
    // Powers of exponentials: Dirichlet weights at power 1, nearly a single one at power 8.
    let power = [1.0, 3.0, 8.0][rng.random_range(0..3)];
    let exponential = |rng: &mut _| -> f64 { Exp1.sample(rng) };
    let weights: Vec<f64> = (0..count).map(|_| exponential(rng).powf(power)).collect();
    let total: f64 = weights.iter().sum();
    let mut x = DMatrix::zeros(n, n);
    for weight in weights {
        let q = Permutation::random(n, rng);
        q.image().iter().enumerate().for_each(|(i, &j)| x[(i, j)] += weight / total);
    }
    x
}

/// Scaled as far as its range allows; where that is not to feasibility, a smaller range is taken.
fn scaled(n: usize, rng: &mut impl Rng) -> Result<DMatrix<f64>> {
    let mut log = DMatrix::from_fn(n, n, |_, _| StandardNormal.sample(rng)) * (0.3 * 30f64.powf(rng.random()));
    loop {
        let (x, _) = sinkhorn(&log, 1e-11, 200)?;
        if residual(&x) <= FEASIBILITY {
            return Ok(x);
        }
        log *= 0.6;
    }
}

fn near_vertex(n: usize, nearest: f64, rng: &mut impl Rng) -> DMatrix<f64> {
    let t = nearest.powf(rng.random());
    mixture(n, rng) * t + Permutation::random(n, rng).to_matrix() * (1.0 - t)
}

fn blocks(n: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    let mut x = DMatrix::zeros(n, n);
    let mut start = 0;
    // One block alone, or many.
    let alone = rng.random_bool(0.3);
    while start < n {
        let size = if alone && start > 0 { 1 } else { rng.random_range(1..=4).min(n - start) };
        let t: f64 = if rng.random_bool(0.3) { 0.5 } else { rng.random() };
        for k in 0..size {
            x[(start + k, start + k)] += 1.0 - t;
            x[(start + k, start + (k + 1) % size)] += t;
        }
        start += size;
    }
    let (rows, columns) = (Permutation::random(n, rng), Permutation::random(n, rng));
    DMatrix::from_fn(n, n, |i, j| x[(rows.apply(i), columns.apply(j))])
}

/// Iterates of runs on random graphs of all noise levels; the relaxation's and the path's.
fn iterates(n: usize, count: usize, rng: &mut impl Rng) -> Result<Vec<DMatrix<f64>>> {
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let instance = correlated_erdos_renyi(n, 0.5, rng.random(), rng)?;
        let objective = GraphMatching::new(instance.a, instance.b)?;
        let seen: Arc<Mutex<Vec<DMatrix<f64>>>> = Arc::default();
        let watched = seen.clone();
        let limits = Limits::default().with_watcher(move |iterate: &Iterate| {
            watched.lock().unwrap_or_else(PoisonError::into_inner).push(iterate.x.clone_owned());
        });
        let settings = Settings::default().with_effort(Effort::Quick).with_descents(false).with_polish(false);
        recover_within(&objective, &settings.with_relaxation_steps(50), &limits)?;
        let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        // At most forty of a run, evenly spread, so that no run stands for all.
        let step = seen.len().div_ceil(40).max(1);
        found.extend(seen.into_iter().step_by(step).take(count - found.len()));
    }
    Ok(found)
}

fn approximate(n: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    let mut x = near_vertex(n, 1e-4, rng);
    let eta = 0.33 * rng.random::<f64>().powi(2);
    let mut factor = |share: f64| 1.0 + share * eta * (2.0 * rng.random::<f64>() - 1.0);
    let rows: Vec<f64> = (0..n).map(|_| factor(0.5)).collect();
    let columns: Vec<f64> = (0..n).map(|_| factor(0.4)).collect();
    x.iter_mut().enumerate().for_each(|(k, v)| *v *= rows[k % n] * columns[k / n] * factor(0.1));
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use birkhoff::instance::rng;

    #[test]
    fn all_kinds_but_one_are_doubly_stochastic() {
        for (stream, kind) in Kind::ALL.into_iter().enumerate() {
            for n in [2, 5, 11] {
                let found = matrices(kind, n, 60, &mut rng(3, stream as u64)).unwrap();
                assert_eq!(found.len(), 60);
                let worst = found.iter().map(residual).fold(0.0, f64::max);
                assert_eq!(worst <= FEASIBILITY, kind != Kind::Approximate, "{kind:?}, {n}: {worst}");
                assert!(found.iter().all(|x| x.min() >= 0.0 && worst < 1.0));
            }
        }
    }
}
