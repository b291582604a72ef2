//! The stages of a path, and how a solver walks through them.

use super::Iterate;
use crate::error::Result;
use argmin::core::{State, TerminationReason, TerminationStatus};
use serde::{Deserialize, Serialize};

/// A stretch of the path on which the weight stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// λ, in the units of f; may be negative (−P is convex).
    pub weight: f64,
    /// At most this many steps.
    pub max_steps: usize,
    /// The stage ends when the Frank–Wolfe gap of f + λP is at most this, in the units of f.
    pub gap_tolerance: f64,
}

/// The first stage from number `from` on that has a step to make; the number of stages if there is none.
pub(super) fn next_stage(stages: &[Stage], from: usize) -> usize {
    (from..stages.len()).find(|&k| stages[k].max_steps > 0).unwrap_or(stages.len())
}

/// `state` after a step: at the next stage if its own is over, terminated if that was the last.
pub(super) fn proceed(stages: &[Stage], state: Iterate, converged: bool) -> Iterate {
    if converged || state.stage_steps >= stages[state.stage].max_steps {
        leave(stages, state, converged)
    } else {
        state
    }
}

/// `state` at the next stage, terminated if its own was the last.
pub(super) fn leave(stages: &[Stage], mut state: Iterate, converged: bool) -> Iterate {
    (state.stage, state.stage_steps) = (next_stage(stages, state.stage + 1), 0);
    if state.stage < stages.len() {
        return state;
    }
    state.terminate_with(if converged {
        TerminationReason::SolverConverged
    } else {
        TerminationReason::MaxItersReached
    })
}

/// Terminated where no stage is left, as with stages of no steps.
pub(super) fn status(stages: &[Stage], state: &Iterate) -> TerminationStatus {
    if state.stage < stages.len() {
        return TerminationStatus::NotTerminated;
    }
    TerminationStatus::Terminated(TerminationReason::MaxItersReached)
}

/// Who is asked at the end of each stage, given it and its last iterate, whether the path ends there. No part of what a
/// solver is: a checkpoint has none of it.
#[derive(Default)]
pub(super) struct StageEnd<'a>(Option<Box<Asked<'a>>>);

type Asked<'a> = dyn FnMut(&Stage, &Iterate) -> Result<bool> + 'a;

impl<'a> StageEnd<'a> {
    pub fn ask(asked: impl FnMut(&Stage, &Iterate) -> Result<bool> + 'a) -> Self {
        StageEnd(Some(Box::new(asked)))
    }

    pub fn ends_path(&mut self, stage: &Stage, last: &Iterate) -> Result<bool> {
        self.0.as_mut().map_or(Ok(false), |asked| asked(stage, last))
    }
}

impl std::fmt::Debug for StageEnd<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("StageEnd")
    }
}
