//! A function of one's own, minimized over the permutations: graph matching that a few wrong weights do not mislead.
//!
//! cargo run --release --example own_objective
//!
//! The square of [`GraphMatching`] lets one wrong weight outvote a hundred right ones. Here differences count by
//! Σ (√(1 + r²/s²) − 1), which grows like r² below s, and like |r| above.

use birkhoff::instance::{correlated_gaussian, rng};
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::recovery::{Settings, recover};
use birkhoff::{Graph, Permutation};
use nalgebra::DMatrix;
use rand::RngExt;

/// f(X) = Σ (√(1 + R_ij²/s²) − 1), R = AX − XB, n × n.
struct RobustMatching {
    a: DMatrix<f64>,
    b: DMatrix<f64>,
    /// s: what differs by more is thought wrong.
    scale: f64,
}

impl RobustMatching {
    /// R.
    fn differences(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        &self.a * x - x * &self.b
    }
}

/// Three methods are required; each of the others makes a search better or faster.
impl Objective for RobustMatching {
    fn size(&self) -> usize {
        self.a.nrows()
    }

    fn value(&self, x: &DMatrix<f64>) -> f64 {
        self.differences(x).iter().map(|r| (1.0 + (r / self.scale).powi(2)).sqrt() - 1.0).sum()
    }

    /// ∇f = AᵀΨ − ΨBᵀ, Ψ_ij = R_ij / (s²·√(1 + R_ij²/s²)).
    fn gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) {
        let slope = |r: f64| r / (self.scale.powi(2) * (1.0 + (r / self.scale).powi(2)).sqrt());
        let slopes = self.differences(x).map(slope);
        gradient.copy_from(&(self.a.tr_mul(&slopes) - slopes * self.b.transpose()));
    }

    /// A sum of convex functions of what is linear in X: so the relaxation bounds f from below.
    fn is_convex(&self) -> bool {
        true
    }

    /// About what an entry of ∇f varies by: the unit of the penalty's weight.
    fn scale(&self) -> f64 {
        self.a.norm() * self.b.norm() / (self.a.nrows() as f64 * self.scale.powi(2))
    }
}

/// The vertices that are right by the squares and by the function above, of all.
///
/// # Errors
/// None: the pair is drawn here.
pub fn rights(n: usize, trial: u64) -> birkhoff::Result<(usize, usize, usize)> {
    let mut rng = rng(1, trial);
    let pair = correlated_gaussian(n, 0.95, &mut rng)?;
    let (a, mut b) = (pair.a.to_matrix(), pair.b.to_matrix());
    // One weight in twenty is wrong by far.
    for _ in 0..n * n / 40 {
        let (i, j) = (rng.random_range(0..n), rng.random_range(0..n));
        let wrong = rng.random_range(-20.0..20.0);
        (b[(i, j)], b[(j, i)]) = (wrong, wrong);
    }
    let right = |p: &Permutation| (0..n).filter(|&i| p.apply(i) == pair.truth.apply(i)).count();
    let squares = GraphMatching::new(pair.a, Graph::from_matrix(&b)?)?;
    let by_squares = recover(&squares, &Settings::default())?;
    let robust = RobustMatching { a, b, scale: 0.5 };
    let by_robust = recover(&robust, &Settings::default())?;
    Ok((right(&by_squares.permutation), right(&by_robust.permutation), n))
}

fn main() -> birkhoff::Result<()> {
    for trial in 0..5 {
        let (squares, robust, n) = rights(30, trial)?;
        println!("pair {trial}: {squares} of {n} vertices are right by squares, {robust} by the function of our own");
    }
    Ok(())
}
