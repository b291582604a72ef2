//! The penalized path, stage after stage, and the descents that reach its end from the middle.

use super::run::{Run, Search, half_way, is_limit};
use super::start::{Tilted, add};
use crate::error::Result;
use crate::solver::{Iterate, Limits, Stage, has_hardened};
use nalgebra::DMatrix;

/// The share of a tilt that is left in the last stage of a whole path: it falls geometrically.
const FADED: f64 = 1e-3;

/// The answer is settled after so many descents in a row that did not improve it, if it is near the bound, or if they
/// all ended at its value: what is lost never ends at the same value twice.
const PATIENCE: usize = 3;

/// Steps of a descent: what is near arrives in five, what is not found in so many is lost in fluctuations.
pub(super) const DESCENT_STEPS: usize = 30;

/// A linear term w⟨C, X⟩ that fades along a path ([§4](crate::mathematics#4-solvers)).
#[derive(Clone, Copy)]
pub(super) struct Tilt<'a> {
    /// C.
    pub cost: &'a DMatrix<f64>,
    /// w at the first stage.
    pub weight: f64,
    /// By what w is multiplied from stage to stage.
    pub fade: f64,
}

impl<'a> Tilt<'a> {
    /// w⟨C, X⟩, of which little is left after `stages` stages.
    pub fn fading(cost: &'a DMatrix<f64>, weight: f64, stages: usize) -> Self {
        Tilt { cost, weight, fade: FADED.powf(1.0 / (stages.max(2) - 1) as f64) }
    }
}

/// What is asked of a path.
pub(super) struct Path<'a> {
    pub stages: Vec<Stage>,
    pub tilt: Option<Tilt<'a>>,
    /// Whether it may end where its answer is settled.
    pub may_settle: bool,
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
        let unwatched = Limits { watcher: None, ..limits.clone() };
        let mut best: Option<Run> = None;
        let (mut iterations, mut lap_calls) = (0, 0);
        let (mut in_vain, mut agreeing, mut settled) = (0, 0, false);
        let first = if self.descends() { half_way(limits) } else { limits.clone() };
        let last = self.walk(path.stages, path.tilt, start, (&first, limits), |stage, last| {
            let is_cut = last.termination().is_some_and(is_limit);
            if !self.descends() || stage.weight == 0.0 && !is_cut || self.stop.is_reached() {
                return Ok(false);
            }
            let run = self.descend(last, &unwatched)?;
            iterations += run.last.iterations();
            lap_calls += run.last.lap_calls;
            let value = best.as_ref().map_or(f64::INFINITY, |best| best.value);
            agreeing = if run.value == value { agreeing + 1 } else { 0 };
            in_vain = if run.value < value { 0 } else { in_vain + 1 };
            if run.value < value {
                best = Some(run);
            }
            settled = path.may_settle && in_vain >= PATIENCE && (agreeing >= PATIENCE || self.is_settled(value));
            Ok(settled)
        })?;
        iterations += last.iterations();
        lap_calls += last.lap_calls;
        // Where the time is over, what a descent found is better than what can still be made of the path.
        let is_over = settled || best.is_some() && self.stop.is_reached();
        let end = if is_over { None } else { Some(self.finish(last)?) };
        let mut run = match (end, best) {
            (Some(end), Some(best)) if best.value < end.value => best,
            (Some(end), _) => end,
            (None, best) => best.expect("a descent was made"),
        };
        run.agreed = settled && agreeing >= PATIENCE;
        self.anneal(&mut run)?;
        Ok(Run { last: run.last.counting(iterations, lap_calls), ..run })
    }

    /// Frank–Wolfe on f + λP (+ w⟨C, X⟩), one stage after another, until X is hard, a limit comes, or `watch` says so
    /// after a stage. The first stage may have earlier limits than the others.
    pub fn walk(
        &self,
        stages: Vec<Stage>,
        tilt: Option<Tilt>,
        start: Iterate,
        (first, others): (&Limits, &Limits),
        mut watch: impl FnMut(Stage, &Iterate) -> Result<bool>,
    ) -> Result<Iterate> {
        let (mut tilted, mut last) = (0.0, start);
        for (number, stage) in stages.into_iter().enumerate() {
            if self.stop.is_reached() {
                break;
            }
            let limits = if number == 0 { first } else { others };
            let counts = last.counts();
            let mut next = last.resumed();
            let mut next = match tilt {
                None => self.frank_wolfe(self.objective, vec![stage], next, limits)?,
                Some(Tilt { cost, weight, fade }) => {
                    let mut change = weight * fade.powi(number as i32) - tilted;
                    tilted += change;
                    if next.gradient.shape() != next.x.shape() {
                        // None is kept, as at the start or where a step was cut short.
                        next.gradient = DMatrix::zeros(next.x.nrows(), next.x.ncols());
                        next.value = self.objective.value_and_gradient(&next.x, &mut next.gradient);
                        change = tilted;
                    }
                    // What is kept of f + w⟨C, X⟩ moves with w.
                    add(change, cost, &mut next.gradient);
                    next.value += change * cost.dot(&next.x);
                    let objective = Tilted { objective: self.objective, cost, weight: tilted };
                    self.frank_wolfe(&objective, vec![stage], next, limits)?
                }
            };
            next.add_counts(counts);
            last = next;
            let hard = stage.weight > 0.0 && has_hardened(self.objective, self.face, &last);
            if hard || watch(stage, &last)? {
                break;
            }
        }
        if tilt.is_some() {
            // A bound on f + w⟨C, X⟩ bounds nothing else.
            last.lower_bound = f64::NEG_INFINITY;
        }
        Ok(last)
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
        let last = self.frank_wolfe(indefinite, vec![stage], Iterate::at(from.x.clone()), limits)?;
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
