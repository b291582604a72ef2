//! Solvers over the Birkhoff polytope. Each is an [`argmin::core::Solver`] over [`Iterate`]; the loop, its time
//! limit, observers and checkpoints are argmin's.
//!
//! # Choosing a method
//!
//! | method | minimizes | finds the hidden permutation | fails |
//! | --- | --- | --- | --- |
//! | relaxation | convex f over D_n, then rounds | little noise, asymmetric ("friendly") graphs; and it *proves* a lower bound | noise: the minimizer is far from every vertex; regular graphs: blind |
//! | penalized path | f + λP, λ growing from 0 | up to much more noise: the best single run here | where the relaxed minimizer knows nothing of the answer: regular graphs, noise beyond the threshold |
//! | FAQ | the indefinite form, from J/n | isomorphic or almost isomorphic graphs | moderate noise; depends on its start. From the relaxed minimizer it is much stronger |
//! | projected gradient | f + λP by the training step of AutoShuffleNet | as the penalized path, slower | step size and scaling must fit; first order |
//! | stochastic gradient | f + λP on minibatches, as in training | where one scaling a step suffices | noise of the batches; first order |
//! | Sinkhorn | f of a Sinkhorn-scaled e^Y by L-BFGS | little noise | never reaches a vertex; a baseline |
//!
//! In doubt: the penalized path, which starts from the relaxation and so has its lower bound as well.

mod frank_wolfe;
mod injective_frank_wolfe;
mod iterate;
mod projected_gradient;
mod sinkhorn_lbfgs;
mod stage;
mod stochastic_gradient;
mod tilt;

pub use frank_wolfe::FrankWolfe;
pub use injective_frank_wolfe::InjectiveFrankWolfe;
pub use iterate::Iterate;
pub use projected_gradient::{ProjectedGradient, Projection};
pub use sinkhorn_lbfgs::SinkhornLbfgs;
pub use stage::Stage;
pub use stochastic_gradient::StochasticGradient;
pub(crate) use tilt::Tilt;

use crate::checkpoint::Keeper;
use crate::error::{Error, Result};
use crate::objective::{Injective, Objective};
use crate::polytope::Face;
use crate::stop::Stop;
use argmin::core::observers::{Observe, ObserverMode};
use argmin::core::{Executor, KV, Problem, Solver, State, TerminationReason, TerminationStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Called with every iterate.
pub type Watcher = Arc<dyn Fn(&Iterate) + Send + Sync>;

/// Where a search without matrices is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// What it is doing.
    pub stage: &'static str,
    /// f of the matching that it is at, as a share of what f can be at most: without weights, the share of the edges of
    /// the graph that has fewer.
    pub kept: f64,
}

impl Progress {
    /// In this stage, with this share kept.
    pub const fn new(stage: &'static str, kept: f64) -> Self {
        Progress { stage, kept }
    }
}

/// Called with where a search without matrices is: as a stage begins, and at each step of a path.
pub type Reporter = Arc<dyn Fn(&Progress) + Send + Sync>;

/// What can end a run before its method does, and who watches it.
///
/// A limit ends the step under way, too, within about a tenth of a second; X is then where it was before that step.
/// Products of an objective end with it if the objective was told so by [`Objective::until`], as
/// [`recover_within`](crate::recovery::recover_within) does.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Limits {
    /// The run ends at this instant.
    pub deadline: Option<Instant>,
    /// The run ends when this becomes true. argmin's own Ctrl-C handler serves one run a
    /// process only; a program with many runs sets this flag from its handler.
    pub interrupt: Option<Arc<AtomicBool>>,
    /// The run ends, as interrupted, when this is reached: any other condition.
    pub stop: Stop,
    /// Sees every iterate.
    pub watcher: Option<Watcher>,
    /// Is told where a [search without matrices](crate::sparse) is.
    pub reporter: Option<Reporter>,
    /// Keeps the parts of a search without matrices, and gives it those that it has kept before.
    pub keeper: Option<Arc<dyn Keeper>>,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Limits { deadline, interrupt, watcher, stop, reporter, keeper } = self;
        let interrupt = interrupt.as_ref().map(|flag| flag.load(Ordering::Relaxed));
        let watched = watcher.is_some() || reporter.is_some();
        f.debug_struct("Limits")
            .field("deadline", deadline)
            .field("interrupted", &interrupt)
            .field("stopped", &stop.is_reached())
            .field("watched", &watched)
            .field("kept", &keeper.is_some())
            .finish()
    }
}

impl Limits {
    /// Ends the run at this instant.
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Ends the run when this becomes true.
    pub fn with_interrupt(mut self, interrupt: Arc<AtomicBool>) -> Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// Ends the run when this is reached.
    pub fn with_stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Shows every iterate to `watcher`.
    pub fn with_watcher(mut self, watcher: impl Fn(&Iterate) + Send + Sync + 'static) -> Self {
        self.watcher = Some(Arc::new(watcher));
        self
    }

    /// Tells `reporter` where a search without matrices is.
    pub fn with_reporter(mut self, reporter: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.reporter = Some(Arc::new(reporter));
        self
    }

    /// Has `keeper` keep the parts of a search without matrices, which goes on from those that it has.
    pub fn with_keeper(mut self, keeper: Arc<dyn Keeper>) -> Self {
        self.keeper = Some(keeper);
        self
    }

    pub(crate) fn report(&self, stage: &'static str, kept: impl FnOnce() -> f64) {
        if let Some(reporter) = &self.reporter {
            reporter(&Progress::new(stage, kept()));
        }
    }

    /// Why a run should end now, if it should.
    pub fn reached(&self) -> Option<TerminationReason> {
        // Asked first: if it was the deadline that it saw, the deadline has passed below.
        let stopped = self.stop.is_reached();
        if self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Some(TerminationReason::Interrupt);
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Some(TerminationReason::Timeout);
        }
        stopped.then_some(TerminationReason::Interrupt)
    }

    /// Reached as soon as one of them is, and from then on.
    pub fn to_stop(&self) -> Stop {
        if self.deadline.is_none() && self.interrupt.is_none() {
            return self.stop.clone();
        }
        let limits = Limits { watcher: None, reporter: None, keeper: None, ..self.clone() };
        Stop::when(move || limits.reached().is_some())
    }
}

/// Runs `solver` on `objective` from `start` in argmin's executor, until the method or a limit ends it.
///
/// # Errors
/// What the solver reports: [`Error::Shape`] when sizes differ, [`Error::Breakdown`] when values stop being finite.
pub fn minimize<'a, S>(objective: &'a dyn Objective, solver: S, start: Iterate, limits: &Limits) -> Result<Iterate>
where
    S: Solver<&'a dyn Objective, Iterate>,
{
    run(objective, solver, start, limits)
}

/// [`minimize`] of an objective on injections.
///
/// # Errors
/// As [`minimize`].
pub fn minimize_injective<'a, S>(
    objective: &'a dyn Injective,
    solver: S,
    start: Iterate,
    limits: &Limits,
) -> Result<Iterate>
where
    S: Solver<&'a dyn Injective, Iterate>,
{
    run(objective, solver, start, limits)
}

fn run<O, S: Solver<O, Iterate>>(objective: O, solver: S, mut start: Iterate, limits: &Limits) -> Result<Iterate> {
    let limits = Limits { stop: limits.to_stop(), ..limits.clone() };
    start.stop = limits.stop.clone();
    let watch = |executor: Executor<_, _, _>| match &limits.watcher {
        Some(watcher) => executor.add_observer(Watch(watcher.clone()), ObserverMode::Always),
        None => executor,
    };
    execute(objective, solver, start, &limits, watch).map(|(_, state)| state)
}

/// Runs a solver from a state in argmin's executor, as `prepare` changes it, until the method or a limit ends it: the
/// solver and its last state.
pub(crate) fn execute<O, I: State, S: Solver<O, I>>(
    problem: O,
    solver: S,
    state: I,
    limits: &Limits,
    prepare: impl FnOnce(Executor<O, Limited<S>, I>) -> Executor<O, Limited<S>, I>,
) -> Result<(S, I)> {
    let limited = Limited { solver, limits: limits.clone() };
    let executor = Executor::new(problem, limited).configure(|_| state).ctrlc(false).timer(false);
    match prepare(executor).run() {
        Ok(result) => Ok((result.solver.solver, result.state)),
        Err(error) => Err(error.downcast::<Error>().unwrap_or_else(|other| Error::Breakdown(other.to_string()))),
    }
}

/// The state a solver of the face's problem begins with: the barycenter, where no start was given.
fn prepared(solver: &str, objective: &dyn Objective, face: &Face, mut state: Iterate) -> Result<Iterate> {
    let n = face.size();
    if state.x.is_empty() {
        state.x = face.barycenter().into();
    }
    if objective.size() != n || state.x.shape() != (n, n) {
        let found = format!("objective {}, start {:?}", objective.size(), state.x.shape());
        return Err(Error::shape(solver, format!("size {n}"), found));
    }
    Ok(state)
}

/// What a solver relies on in every step, and a checkpoint from elsewhere may not have.
fn check_state(solver: &str, objective: &dyn Objective, n: usize, stages: &[Stage], state: &Iterate) -> Result<()> {
    if objective.size() != n || state.x.shape() != (n, n) || state.gradient.shape() != (n, n) {
        let (x, gradient) = (state.x.shape(), state.gradient.shape());
        let found = format!("objective {}, X {x:?}, gradient {gradient:?}", objective.size());
        return Err(Error::shape(solver, format!("size {n}"), found));
    }
    if state.stage >= stages.len() {
        return Err(Error::shape(solver, format!("one of {} stages", stages.len()), format!("stage {}", state.stage)));
    }
    Ok(())
}

/// A solver that also ends when its limits are reached.
pub(crate) struct Limited<S> {
    solver: S,
    limits: Limits,
}

impl<O, I: State, S: Solver<O, I>> Solver<O, I> for Limited<S> {
    fn name(&self) -> &str {
        self.solver.name()
    }

    fn init(&mut self, problem: &mut Problem<O>, state: I) -> ArgminResult<I> {
        self.solver.init(problem, state)
    }

    fn next_iter(&mut self, problem: &mut Problem<O>, state: I) -> ArgminResult<I> {
        self.solver.next_iter(problem, state)
    }

    fn terminate(&mut self, state: &I) -> TerminationStatus {
        self.limits.reached().map_or_else(|| self.solver.terminate(state), TerminationStatus::Terminated)
    }
}

/// What argmin's solvers return.
type ArgminResult<I = Iterate> = std::result::Result<(I, Option<KV>), argmin::core::Error>;

struct Watch(Watcher);

impl Observe<Iterate> for Watch {
    fn observe_iter(&mut self, state: &Iterate, _kv: &KV) -> std::result::Result<(), argmin::core::Error> {
        (self.0)(state);
        Ok(())
    }
}
