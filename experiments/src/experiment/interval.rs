//! Means and the intervals they come with.

use birkhoff::instance::rng;
use rand::RngExt;

/// The mean; none without values.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Resamples of the bootstrap: the interval's ends are good to about a twentieth of its width.
pub(super) const RESAMPLES: usize = 4000;

/// The 95 % bootstrap percentile interval of a mean (Efron 1979): values are drawn with replacement, and the means'
/// 2.5 % and 97.5 % quantiles taken. Trials are independent but a trial's vertices are not (a trial is mostly all
/// right or all wrong), so that an interval for pooled vertices, such as Wilson's, would be far too short.
///
/// Where all values agree it is that value: it says nothing then of what was never seen. O(resamples·values).
pub(super) fn bootstrap_interval(values: &[f64], rng_seed: u64) -> Option<(f64, f64)> {
    if values.is_empty() {
        return None;
    }
    // No instance has this stream: theirs begin with the noise level.
    let mut rng = rng(rng_seed, u64::MAX);
    let mut draw = || (0..values.len()).map(|_| values[rng.random_range(0..values.len())]).sum::<f64>();
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| draw() / values.len() as f64).collect();
    means.sort_by(f64::total_cmp);
    Some((quantile(&means, 0.025), quantile(&means, 0.975)))
}

/// The quantile at `share` of sorted values, 0 ≤ share ≤ 1: the nearest one.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[(share * (sorted.len() - 1) as f64).round() as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_holds_the_mean_and_shrinks_with_more_trials() {
        let few: Vec<f64> = (0..10).map(|i| f64::from(i % 2)).collect();
        let many: Vec<f64> = (0..1000).map(|i| f64::from(i % 2)).collect();
        let (low, high) = bootstrap_interval(&few, 1).unwrap();
        // Ten fair coins: the mean is within 0.2 and 0.8 in 94.5 % of all cases, within 0.1 and 0.9 in 99.8 %.
        assert!((0.1..=0.3).contains(&low) && (0.7..=0.9).contains(&high), "{low} {high}");
        let (low, high) = bootstrap_interval(&many, 1).unwrap();
        assert!((0.46..0.48).contains(&low) && (0.52..0.54).contains(&high), "{low} {high}");
        assert_eq!(bootstrap_interval(&[], 1), None);
        assert_eq!(bootstrap_interval(&[1.0, 1.0], 1), Some((1.0, 1.0)));
    }
}
