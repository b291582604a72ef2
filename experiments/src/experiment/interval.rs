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

/// The 95 % Wilson score interval of a proportion (Wilson 1927), k of n independent trials; unlike a bootstrap it says
/// at 0 and n of n how little that proves.
pub(super) fn wilson_interval(k: usize, n: usize) -> Option<(f64, f64)> {
    if n == 0 {
        return None;
    }
    let (z, n) = (1.959_963_984_540_054, n as f64);
    let share = k as f64 / n;
    let middle = share + z * z / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    Some((((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0)))
}

/// The quantile at `share` of sorted values, 0 ≤ share ≤ 1: the nearest one.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[(share * (sorted.len() - 1) as f64).round() as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilsons_interval_is_the_one_of_the_tables() {
        // Brown, Cai and DasGupta (2001): 0 of 10 gives (0, 0.278), 5 of 10 (0.237, 0.763).
        let (low, high) = wilson_interval(0, 10).unwrap();
        assert!(low < 1e-12 && (high - 0.2775).abs() < 5e-5, "{low} {high}");
        let (low, high) = wilson_interval(5, 10).unwrap();
        assert!((low - 0.2366).abs() < 5e-5 && (high - 0.7634).abs() < 5e-5, "{low} {high}");
        assert_eq!(wilson_interval(50, 50).unwrap().1, 1.0);
        assert_eq!(wilson_interval(0, 0), None);
    }

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
