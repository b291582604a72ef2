//! Matrices of all kinds and sizes against the bounds, in parallel.

use super::bounds::{Verdict, judge};
use super::config::Experiment;
use super::sample::{Kind, matrices};
use crate::experiment::RunDirectory;
use crate::experiment::parallel::resumable;
use birkhoff::error::Result;
use birkhoff::instance::rng;
use birkhoff::solver::Limits;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All matrices of one kind and size: a row of `trials.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Kind of matrix.
    pub kind: Kind,
    /// n.
    pub n: usize,
    /// Matrices.
    pub samples: usize,
    /// Statements that were violated.
    pub violations: usize,
    /// The first of them, if any.
    pub first_violated: String,
    /// Matrices within T2's radius.
    pub within_t2: usize,
    /// Matrices to which T3 applies.
    pub within_t3: usize,
    /// Largest min ‖X − Π‖₁/P on D_n.
    pub largest_ratio: f64,
    /// Smallest one; none where no matrix is in D_n.
    pub smallest_ratio: Option<f64>,
    /// Largest one within T2's radius.
    pub largest_t2_ratio: f64,
    /// Largest ‖X − Π‖₁/(2P + max(E_r, E_c)) within T3.
    pub largest_t3_ratio: f64,
    /// Largest ‖tangent ∇P‖/2√n.
    pub largest_lipschitz_ratio: f64,
    /// Largest (2/n)/(−curvature of P).
    pub largest_curvature_ratio: f64,
    /// Largest threshold λ/L of exact penalization.
    pub largest_t4_ratio: f64,
}

impl Cell {
    fn new(kind: Kind, n: usize) -> Self {
        Cell {
            kind,
            n,
            samples: 0,
            violations: 0,
            first_violated: String::new(),
            within_t2: 0,
            within_t3: 0,
            largest_ratio: 0.0,
            smallest_ratio: None,
            largest_t2_ratio: 0.0,
            largest_t3_ratio: 0.0,
            largest_lipschitz_ratio: 0.0,
            largest_curvature_ratio: 0.0,
            largest_t4_ratio: 0.0,
        }
    }

    fn add(&mut self, verdict: &Verdict) {
        self.samples += 1;
        self.violations += verdict.violated.len();
        if let (true, Some(first)) = (self.first_violated.is_empty(), verdict.violated.first()) {
            self.first_violated = first.to_string();
        }
        self.within_t2 += usize::from(verdict.is_within_radius);
        self.within_t3 += usize::from(verdict.is_within_t3);
        // max and min leave out NaN, which stands for a ratio that says nothing.
        if verdict.is_feasible {
            self.largest_ratio = self.largest_ratio.max(verdict.ratio());
            self.smallest_ratio = smaller(self.smallest_ratio, Some(verdict.ratio()));
        }
        if verdict.is_within_radius {
            self.largest_t2_ratio = self.largest_t2_ratio.max(verdict.ratio());
        }
        self.largest_t3_ratio = self.largest_t3_ratio.max(verdict.t3_ratio);
        self.largest_lipschitz_ratio = self.largest_lipschitz_ratio.max(verdict.lipschitz_ratio);
        self.largest_curvature_ratio = self.largest_curvature_ratio.max(verdict.curvature_ratio);
        self.largest_t4_ratio = self.largest_t4_ratio.max(verdict.t4_ratio);
    }

    fn join(&mut self, other: Cell) {
        self.samples += other.samples;
        self.violations += other.violations;
        if self.first_violated.is_empty() {
            self.first_violated = other.first_violated;
        }
        self.within_t2 += other.within_t2;
        self.within_t3 += other.within_t3;
        self.largest_ratio = self.largest_ratio.max(other.largest_ratio);
        self.smallest_ratio = smaller(self.smallest_ratio, other.smallest_ratio);
        self.largest_t2_ratio = self.largest_t2_ratio.max(other.largest_t2_ratio);
        self.largest_t3_ratio = self.largest_t3_ratio.max(other.largest_t3_ratio);
        self.largest_lipschitz_ratio = self.largest_lipschitz_ratio.max(other.largest_lipschitz_ratio);
        self.largest_curvature_ratio = self.largest_curvature_ratio.max(other.largest_curvature_ratio);
        self.largest_t4_ratio = self.largest_t4_ratio.max(other.largest_t4_ratio);
    }
}

/// The smaller one of those that there are and that say something.
fn smaller(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.into_iter().chain(b).filter(|ratio| !ratio.is_nan()).reduce(f64::min)
}

/// How many matrices lie in a small rectangle: a row of `histogram.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Whether the bin is of matrices of D_n, or of those to which T3 applies.
    pub domain: Domain,
    /// log₁₀ of P (D_n) or of 2P + max(E_r, E_c) (T3): the bin's middle.
    pub log_x: f64,
    /// distance/P, or distance/(2P + max(E_r, E_c)): the bin's middle.
    pub ratio: f64,
    /// Matrices.
    pub count: usize,
}

/// On which matrices a bound holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// D_n.
    Feasible,
    /// Where T3 applies.
    Approximate,
}

/// Bins a decade and a unit of the ratio.
pub const BINS: (f64, f64) = (10.0, 80.0);

type Counts = BTreeMap<(Domain, i32, i32), usize>;

/// A ratio that is at its bound up to rounding belongs to the bin on the bound's inner side.
const AT_THE_BOUND: f64 = 1e-5;

fn count(verdict: &Verdict, counts: &mut Counts) {
    let mut add = |domain, x: f64, ratio: f64| {
        if ratio.is_finite() && x > 0.0 {
            let bin = ((x.log10() * BINS.0).floor() as i32, (ratio * BINS.1).floor() as i32);
            *counts.entry((domain, bin.0, bin.1)).or_default() += 1;
        }
    };
    if verdict.is_feasible {
        add(Domain::Feasible, verdict.penalty, verdict.ratio() + AT_THE_BOUND);
    } else if verdict.is_within_t3 {
        add(Domain::Approximate, verdict.distance / verdict.t3_ratio, verdict.t3_ratio - AT_THE_BOUND);
    }
}

/// Matrices that are made and judged at a time.
const BLOCK: usize = 200;

/// A kind of matrix, n, and the number of the block among those.
type Job = (Kind, usize, usize);

/// What is judged, in blocks.
pub(super) fn jobs(experiment: &Experiment) -> Vec<Job> {
    // The largest first: they take longest.
    let sizes = experiment.sizes.iter().rev();
    let kinds = sizes.flat_map(|&n| Kind::ALL.into_iter().map(move |kind| (kind, n)));
    kinds.flat_map(|(kind, n)| (0..experiment.count(n).div_ceil(BLOCK)).map(move |block| (kind, n, block))).collect()
}

/// Judges all matrices, on the current rayon pool; none where this is only a shard.
///
/// # Errors
/// As [`resumable`].
pub(super) fn run(
    experiment: &Experiment,
    directory: &RunDirectory,
    limits: &Limits,
    quiet: bool,
) -> Result<Option<(Vec<Cell>, Vec<Bin>)>> {
    let blocks = resumable(directory, (0, jobs(experiment)), 1, limits, quiet, |(kind, n, block), bar| {
        let stream = ((kind as u64) << 56) | ((n as u64) << 32) | block as u64;
        let count_here = (experiment.count(n) - block * BLOCK).min(BLOCK);
        let (mut cell, mut counts) = (Cell::new(kind, n), Counts::new());
        for x in matrices(kind, n, count_here, &mut rng(experiment.rng_seed, stream))? {
            let verdict = judge(&x)?;
            cell.add(&verdict);
            count(&verdict, &mut counts);
        }
        bar.inc(1);
        // As a list: JSON has no keys of three parts.
        Ok((cell, counts.into_iter().collect::<Vec<_>>()))
    })?;
    let Some(blocks) = blocks else { return Ok(None) };
    let order = Kind::ALL.into_iter().flat_map(|kind| experiment.sizes.iter().map(move |&n| (kind, n)));
    let mut cells: Vec<Cell> = order.map(|(kind, n)| Cell::new(kind, n)).collect();
    let mut all = Counts::new();
    for (cell, counts) in blocks {
        let whole = cells.iter_mut().find(|whole| (whole.kind, whole.n) == (cell.kind, cell.n));
        whole.expect("made above").join(cell);
        counts.into_iter().for_each(|(bin, count)| *all.entry(bin).or_default() += count);
    }
    let middle = |bin: i32, bins: f64| (f64::from(bin) + 0.5) / bins;
    let bins = all.into_iter().map(|((domain, x, ratio), count)| Bin {
        domain,
        log_x: middle(x, BINS.0),
        ratio: middle(ratio, BINS.1),
        count,
    });
    Ok(Some((cells, bins.collect())))
}
