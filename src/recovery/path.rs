//! The penalized path, and the descents that reach its end from the middle.

use super::run::{Run, Search, half_way};
use crate::error::Result;
use crate::solver::{Iterate, Limits, Stage, Tilt, minimize};

/// The answer is settled after so many descents in a row that did not improve it, if it is near the bound, or if they
/// all ended at its value: what is lost never ends at the same value twice.
const PATIENCE: usize = 3;

/// Steps of a descent: what is near arrives in five, what is not found in so many is lost in fluctuations.
pub(super) const DESCENT_STEPS: usize = 30;

/// What is asked of a path.
pub(super) struct Path<'a> {
    pub stages: Vec<Stage>,
    pub tilt: Option<Tilt<'a>>,
    /// Whether it may end where its answer is settled.
    pub may_settle: bool,
}

/// The descents from the stages of a path, so far.
#[derive(Default)]
struct Descents {
    best: Option<Run>,
    iterations: u64,
    lap_calls: u64,
    /// How many in a row brought nothing better, and how many ended at the best value.
    in_vain: usize,
    agreeing: usize,
}

impl Descents {
    fn add(&mut self, run: Run) {
        self.iterations += run.last.iterations();
        self.lap_calls += run.last.lap_calls;
        let value = self.value();
        self.agreeing = if run.value == value { self.agreeing + 1 } else { 0 };
        self.in_vain = if run.value < value { 0 } else { self.in_vain + 1 };
        if run.value < value {
            self.best = Some(run);
        }
    }

    /// The best one's.
    fn value(&self) -> f64 {
        self.best.as_ref().map_or(f64::INFINITY, |best| best.value)
    }

    fn agree(&self) -> bool {
        self.agreeing >= PATIENCE
    }
}

impl Search<'_> {
    /// Follows a path and finishes it: the best of its end and of the descents from its stages.
    ///
    /// A descent is Frank–Wolfe on the indefinite form (FAQ, Vogelstein et al., PLoS ONE 2015) from an iterate of the
    /// path. Long before X hardens it finds the permutation that the path goes to, or a better one: with growing weight
    /// the penalty freezes what the descent still decides by f alone. So the path ends early where the descents agree
    /// on an answer that is not doubtful.
    ///
    /// Where there is a deadline, the first descent begins half way to it at the latest, be the stage over or not.
    pub fn follow(&self, path: Path, start: Iterate, limits: &Limits) -> Result<Run> {
        let Path { stages, tilt, may_settle } = path;
        let unwatched = Limits { watcher: None, ..limits.clone() };
        let half = if self.descends() { half_way(limits) } else { limits.clone() }.to_stop();
        let (mut descents, mut settled) = (Descents::default(), false);
        let solver = self.frank_wolfe(stages).tilted(tilt).with_first_stage_until(half.clone());
        let solver = solver.at_stage_ends(|stage, last| {
            if !self.descends() || stage.weight == 0.0 && !half.is_reached() || self.stop.is_reached() {
                return Ok(false);
            }
            descents.add(self.descend(last, &unwatched)?);
            let may_settle = may_settle && descents.in_vain >= PATIENCE;
            settled = may_settle && (descents.agree() || self.is_settled(descents.value()));
            Ok(settled)
        });
        let last = minimize(self.objective, solver, start, limits)?;
        let iterations = descents.iterations + last.iterations();
        let lap_calls = descents.lap_calls + last.lap_calls;
        let agreed = settled && descents.agree();
        // Where the time is over, what a descent found is better than what can still be made of the path.
        let is_over = settled || descents.best.is_some() && self.stop.is_reached();
        let end = if is_over { None } else { Some(self.finish(last)?) };
        let mut run = match (end, descents.best) {
            (Some(end), Some(best)) if best.value < end.value => best,
            (Some(end), _) => end,
            (None, best) => best.expect("a descent was made"),
        };
        run.agreed = agreed;
        self.anneal(&mut run)?;
        Ok(Run { last: run.last.counting(iterations, lap_calls), ..run })
    }

    /// Whether paths have descents: on a convex f that has no other form, Frank–Wolfe only goes back to the relaxed
    /// minimizer.
    fn descends(&self) -> bool {
        self.settings.descents && (self.objective.indefinite_form().is_some() || !self.objective.is_convex())
    }

    /// Frank–Wolfe on the indefinite form from X, rounded and polished.
    fn descend(&self, from: &Iterate, limits: &Limits) -> Result<Run> {
        let indefinite = self.objective.indefinite_form().unwrap_or(self.objective);
        let stage = Stage { max_steps: DESCENT_STEPS, ..self.relaxation_stage(indefinite) };
        let start = Iterate::at(from.x.clone());
        let last = minimize(indefinite, self.frank_wolfe(vec![stage]), start, limits)?;
        self.finish(last)
    }
}

#[cfg(test)]
mod tests {
    use crate::instance::{correlated_erdos_renyi, rng};
    use crate::objective::{GraphMatching, Objective};
    use crate::recovery::{Effort, Settings, recover};

    #[test]
    fn descents_end_a_path_early_at_an_answer_that_is_no_worse() {
        for trial in 0..3 {
            let pair = correlated_erdos_renyi(60, 0.5, 0.9, &mut rng(5, trial)).unwrap();
            let f = GraphMatching::new(pair.a, pair.b).unwrap();
            let run = |descents| {
                let settings = Settings { descents, effort: Effort::Quick, ..Settings::default() };
                recover(&f, &settings).unwrap()
            };
            let (with, without) = (run(true), run(false));
            assert_eq!((with.optimality.value, &with.permutation), (f.value_at(&pair.truth), &pair.truth));
            assert_eq!(without.permutation, pair.truth);
            assert!(with.lap_calls < without.lap_calls, "{} and {}", with.lap_calls, without.lap_calls);
            // What is certified is the descent's own end.
            assert!(with.certificate.penalty < 1.0);
        }
    }
}
