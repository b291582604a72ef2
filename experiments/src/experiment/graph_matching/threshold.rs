//! ρ₅₀: the correlation at which half of the trials are recovered.

use super::summary::RECOVERED;
use super::trials::Trial;
use crate::experiment::interval::{RESAMPLES, quantile};
use birkhoff::instance::rng;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// One method at one size and density: a row of `rho50.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Vertices.
    pub n: usize,
    /// Probability of an edge; none for Gaussian matrices.
    pub p: Option<f64>,
    /// The method, or the name of the variant.
    pub method: String,
    /// Trials at each correlation.
    pub trials: usize,
    /// The correlation at which half of the trials are recovered; none where it lies outside of the levels.
    pub rho50: Option<f64>,
    /// Lower end of its interval.
    pub rho50_low: Option<f64>,
    /// Upper end of its interval.
    pub rho50_high: Option<f64>,
}

/// ρ₅₀ and its bootstrap interval by size, density and method, in the order of first appearance. Failed trials count as
/// not recovered; the null experiment (ρ = 0) does not enter.
pub fn thresholds(trials: &[Trial], rng_seed: u64) -> Vec<Threshold> {
    let mut kinds: Vec<(usize, Option<f64>, &str)> = Vec::new();
    for trial in trials {
        let kind = (trial.n, trial.p, trial.method.as_str());
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let threshold = |(n, p, method): (usize, Option<f64>, &str)| {
        let mut levels: Vec<(f64, Vec<bool>)> = Vec::new();
        let rows = trials.iter().filter(|row| (row.n, row.p, row.method.as_str()) == (n, p, method) && row.rho > 0.0);
        for row in rows {
            let recovered = row.node_correctness.is_some_and(|share| share >= RECOVERED);
            match levels.iter_mut().find(|(rho, _)| *rho == row.rho) {
                Some((_, trials)) => trials.push(recovered),
                None => levels.push((row.rho, vec![recovered])),
            }
        }
        levels.sort_by(|a, b| b.0.total_cmp(&a.0));
        let share = |trials: &[bool]| trials.iter().filter(|&&right| right).count() as f64 / trials.len() as f64;
        let rho50 = crossing(&levels.iter().map(|(rho, trials)| (*rho, share(trials))).collect::<Vec<_>>());

        // Trials are drawn anew at every level. The intervals of all rows come from the same stream.
        let mut rng = rng(rng_seed, u64::MAX - 1);
        let mut resampled = || {
            let levels: Vec<(f64, f64)> = (levels.iter())
                .map(|(rho, trials)| {
                    let drawn = (0..trials.len()).filter(|_| trials[rng.random_range(0..trials.len())]).count();
                    (*rho, drawn as f64 / trials.len() as f64)
                })
                .collect();
            crossing(&levels)
        };
        let mut found: Vec<f64> = (0..RESAMPLES).filter_map(|_| resampled()).collect();
        found.sort_by(f64::total_cmp);
        let whole = rho50.is_some() && found.len() == RESAMPLES;
        Threshold {
            n,
            p,
            method: method.to_string(),
            trials: levels.first().map_or(0, |(_, trials)| trials.len()),
            rho50,
            rho50_low: whole.then(|| quantile(&found, 0.025)),
            rho50_high: whole.then(|| quantile(&found, 0.975)),
        }
    };
    kinds.into_iter().map(threshold).collect()
}

/// Where the share first falls below one half, with the correlation falling; linear between the levels.
fn crossing(levels: &[(f64, f64)]) -> Option<f64> {
    let below = levels.iter().position(|&(_, share)| share < 0.5)?;
    let ((rho, share), (above, most)) = (levels[below], *levels.get(below.checked_sub(1)?)?);
    Some(rho + (above - rho) * (0.5 - share) / (most - share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crossing_is_interpolated_and_absent_outside_of_the_levels() {
        assert_eq!(crossing(&[(1.0, 1.0), (0.8, 0.75), (0.6, 0.25)]), Some(0.7));
        assert_eq!(crossing(&[(1.0, 1.0), (0.8, 0.5), (0.6, 0.0)]), Some(0.8));
        assert_eq!(crossing(&[(1.0, 0.4), (0.8, 0.0)]), None);
        assert_eq!(crossing(&[(1.0, 1.0), (0.8, 0.5)]), None);
        assert_eq!(crossing(&[]), None);
    }
}
