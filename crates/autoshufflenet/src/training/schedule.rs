//! What changes over a run: the learning rate and the weight of the penalty.

use crate::settings::{Ramp, Schedule, Settings};
use crate::shuffle::ShuffleKind;
use std::f64::consts::PI;

/// The learning rate of step `step` of `steps` in all, `per_epoch` an epoch: up in a straight line over the warm-up,
/// then down to 0.
pub fn learning_rate(settings: &Settings, step: usize, steps: usize, per_epoch: usize) -> f64 {
    let warmup = (settings.warmup * per_epoch as f64).min(steps as f64);
    let step = step as f64;
    if step < warmup {
        return settings.learning_rate * (step + 1.0) / warmup.max(1.0);
    }
    let done = (step - warmup) / (steps as f64 - warmup).max(1.0);
    settings.learning_rate
        * match settings.schedule {
            Schedule::Linear => 1.0 - done,
            Schedule::Cosine => (1.0 + (PI * done).cos()) / 2.0,
        }
}

/// λ at each step of a run of `steps`, `per_epoch` an epoch: `highest · r(t)`, r the ramp. It is 0 for every kind but
/// auto.
///
/// λ multiplies Σ P(M), summed over the rows and columns of every matrix. Then the speed at which a row chooses between
/// its entries does not depend on n; with a mean, wide layers would take longer.
#[derive(Debug, Clone, Copy)]
pub struct PenaltySchedule {
    highest: f64,
    ramp: Ramp,
    steps: usize,
}

impl PenaltySchedule {
    /// Where λ is not given, it is such that Σ_t η_t λ_t/(1 − μ) is the push, η the matrices' learning rate and μ the
    /// momentum: a push is enough for short runs and long ones alike.
    pub fn new(settings: &Settings, per_epoch: usize) -> Self {
        let steps = per_epoch * settings.epochs;
        let schedule = PenaltySchedule { highest: 1.0, ramp: settings.penalty_ramp, steps };
        let pushed = |step| {
            learning_rate(settings, step, steps, per_epoch) * settings.shuffle_learning_rate * schedule.weight(step)
                / (1.0 - settings.momentum)
        };
        let highest = match (settings.shuffle, settings.penalty_weight) {
            (ShuffleKind::Auto, Some(weight)) => weight,
            (ShuffleKind::Auto, None) => match (0..steps).map(pushed).sum::<f64>() {
                // Matrices that do not move need no push.
                0.0 => 0.0,
                pushed => settings.penalty_push / pushed,
            },
            _ => 0.0,
        };
        PenaltySchedule { highest, ..schedule }
    }

    /// λ at a step.
    pub fn weight(&self, step: usize) -> f64 {
        let done = step as f64 / self.steps as f64;
        self.highest
            * match self.ramp {
                Ramp::Constant => 1.0,
                Ramp::Linear => done,
                Ramp::Quadratic => done * done,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_over_the_warm_up_and_falls_to_nothing() {
        for schedule in [Schedule::Linear, Schedule::Cosine] {
            let settings = Settings { learning_rate: 2.0, warmup: 0.5, schedule, ..Settings::default() };
            let rates: Vec<f64> = (0..100).map(|step| learning_rate(&settings, step, 100, 20)).collect();
            assert!((rates[0] - 0.2).abs() < 1e-12 && (rates[10] - 2.0).abs() < 1e-12, "{rates:?}");
            assert!(rates[..10].is_sorted() && rates[10..].is_sorted_by(|a, b| a > b));
            assert!((rates[55] - 1.0).abs() < 1e-12, "both are at half height half way");
            assert!(rates[99] > 0.0 && rates[99] < 0.03);
        }
    }

    #[test]
    fn the_penalty_is_autos_alone_and_grows_as_it_is_told() {
        let weights = |shuffle, penalty_ramp| {
            let settings =
                Settings { shuffle, penalty_ramp, penalty_weight: Some(4.0), epochs: 1, ..Settings::default() };
            let schedule = PenaltySchedule::new(&settings, 10);
            [0, 5, 10].map(|step| schedule.weight(step))
        };
        assert_eq!(weights(ShuffleKind::Relaxed, Ramp::Constant), [0.0; 3]);
        assert_eq!(weights(ShuffleKind::Auto, Ramp::Constant), [4.0; 3]);
        assert_eq!(weights(ShuffleKind::Auto, Ramp::Linear), [0.0, 2.0, 4.0]);
        assert_eq!(weights(ShuffleKind::Auto, Ramp::Quadratic), [0.0, 1.0, 4.0]);
    }

    #[test]
    fn matrices_that_do_not_move_are_not_pushed() {
        for settings in [
            Settings { shuffle_learning_rate: 0.0, ..Settings::default() },
            Settings { learning_rate: 0.0, ..Settings::default() },
        ] {
            let schedule = PenaltySchedule::new(&settings, 10);
            assert!([0, 1, 49].iter().all(|&step| schedule.weight(step) == 0.0), "{schedule:?}");
        }
    }

    #[test]
    fn the_push_is_the_same_for_short_runs_and_long_ones() {
        for epochs in [1, 30] {
            let settings = Settings { penalty_push: 2.5, shuffle_learning_rate: 0.3, epochs, ..Settings::default() };
            let (schedule, steps) = (PenaltySchedule::new(&settings, 20), 20 * epochs);
            let rates = (0..steps).map(|step| 0.3 * learning_rate(&settings, step, steps, 20) * schedule.weight(step));
            assert!((rates.sum::<f64>() / (1.0 - settings.momentum) - 2.5).abs() < 1e-9);
        }
    }
}
