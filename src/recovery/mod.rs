//! The deep module: path, solve, round, polish and certify in one call.

mod attempt;
mod doubt;
mod enumeration;
mod given;
mod methods;
mod pairs;
mod path;
mod probes;
mod race;
mod run;
mod scout;
mod settings;
mod soft;
mod start;
mod unequal;

pub use attempt::{Attempt, AttemptKind};
pub use doubt::DOUBTFUL;
pub use scout::GraphSizes;
pub use settings::{Effort, Engine, Method, RestartFrom, Settings};
pub use soft::Soft;
pub use start::Start;

use crate::certificate::{Certificate, Optimality, certify, certify_partial, linear_bound_until};
use crate::error::{Error, Result};
use crate::held_out::HeldOut;
use crate::objective::Objective;
use crate::permutation::Permutation;
use crate::polytope::Face;
use crate::solver::{Iterate, Limits};
use argmin::core::{State, TerminationReason};
use methods::Beginning;
use race::Race;
use run::{Search, check_start, half_way, is_limit};
use scout::Scouted;
use start::Asked;
use std::time::{Duration, Instant};

/// A permutation, and everything that can be said of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Recovery {
    /// The answer: vertex i of A goes to vertex p(i) of B.
    pub permutation: Permutation,
    /// Its value, and the proved gap to the best one.
    pub optimality: Optimality,
    /// How near the winning run's X was to a permutation before rounding.
    pub certificate: Certificate,
    /// The winning run's X before rounding.
    pub x: Soft,
    /// What became of the edges that the sparse search did not see, where it won and there were some.
    pub held_out: Option<HeldOut>,
    /// Iterations of all runs.
    pub iterations: u64,
    /// Assignments solved by all runs, the final roundings not counted.
    pub lap_calls: u64,
    /// Swaps that polishing made in the winning run, annealing included.
    pub swaps: usize,
    /// The runs that were made, in order.
    pub attempts: Vec<Attempt>,
    /// The one of them that won.
    pub winner: usize,
    /// How the winning run ended; a limit's reason if one cut short any run.
    pub termination: TerminationReason,
    /// Wall-clock time.
    pub elapsed: Duration,
}

/// Recovers the permutation that minimizes `objective`, as `settings` say.
///
/// Runs the method on D_n (on the face of the anchors), rounds by the maximum assignment, polishes by swaps, and
/// certifies. The penalized path, descents included, is followed by a look at every permutation where at most 8 rows
/// are free: then the answer is proved optimal. Without restarts, the path on a convex objective goes on as [`Effort`]
/// says. With restarts, all runs share the relaxation, go in parallel, and the smallest value wins, the earlier run on
/// ties: the answer does not depend on the number of threads. On an objective that is not convex (a QAP) the penalized
/// path starts at negative weights, where −P convexifies.
///
/// An iteration costs one assignment and one product of the objective; a first path takes some hundreds of them, and
/// [`Effort`] says how many paths. Six n × n matrices for a run, and one for a start's cost; where further runs are
/// made, three more and so many for each that is made at the same time.
///
/// # Errors
/// [`Argument`](crate::Error::Argument) and [`Shape`](crate::Error::Shape) for settings that make no sense;
/// [`Breakdown`](crate::Error::Breakdown) when values stop being finite.
///
/// ```
/// use birkhoff::objective::GraphMatching;
/// use birkhoff::recovery::{Settings, recover};
/// use birkhoff::{Graph, Permutation};
/// // A triangle with a tail of two, and the same graph with its vertices renamed.
/// let a = Graph::undirected(5, [(0, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0), (2, 3, 1.0), (3, 4, 1.0)])?;
/// let b = Graph::undirected(5, [(4, 1, 1.0), (1, 0, 1.0), (0, 4, 1.0), (0, 2, 1.0), (2, 3, 1.0)])?;
/// let recovery = recover(&GraphMatching::new(a, b)?, &Settings::default())?;
/// assert_eq!(recovery.permutation.image()[2..], [0, 2, 3]);
/// assert!(recovery.optimality.is_proved());
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[doc(alias = "graph matching")]
#[doc(alias = "quadratic assignment")]
pub fn recover(objective: &dyn Objective, settings: &Settings) -> Result<Recovery> {
    recover_within(objective, settings, &Limits::default())
}

/// [`recover`] under limits of the caller's: an interrupt flag, a deadline, a watcher that sees every iterate of the
/// first run.
///
/// # Errors
/// As [`recover`].
pub fn recover_within(objective: &dyn Objective, settings: &Settings, limits: &Limits) -> Result<Recovery> {
    recover_from(objective, &[Start::relaxed()], settings, limits)
}

/// [`recover_within`] from other starts than the relaxed minimizer, the likeliest first; for the penalized path on a
/// convex objective, the other methods know no starts. Nor does the sparse search, where that is enough
/// ([`Engine::Auto`]): [`Engine::Dense`] has them used for certain.
///
/// # Errors
/// As [`recover`]; [`Argument`](crate::Error::Argument) without a start, [`Shape`](crate::Error::Shape) when a start's
/// cost is too large.
///
/// ```
/// use birkhoff::instance::{noisy_regular, rng};
/// use birkhoff::objective::GraphMatching;
/// use birkhoff::recovery::{Settings, Start, recover_from};
/// use birkhoff::structure::Kind;
/// // The relaxation is blind to regular graphs; their short cycles are not.
/// let pair = noisy_regular(60, 4, 0.0, &mut rng(1, 0))?;
/// let start = Start::tilted("walks", Kind::Walks.cost(&pair.a, &pair.b, &[])?)?;
/// let objective = GraphMatching::new(pair.a, pair.b)?;
/// let answer = recover_from(&objective, &[start], &Settings::default(), &Default::default())?;
/// assert_eq!(answer.permutation, pair.truth);
/// # Ok::<(), birkhoff::Error>(())
/// ```
pub fn recover_from(
    objective: &dyn Objective,
    starts: &[Start],
    settings: &Settings,
    limits: &Limits,
) -> Result<Recovery> {
    let began = Instant::now();
    settings.validate()?;
    let Some(first) = starts.first() else { return Err(Error::argument("starts", "there is none")) };
    let face = Face::new(objective.size(), &settings.anchors)?;
    check_start(settings, face.size())?;
    let mut limits = limits.clone();
    if let Some(seconds) = settings.time_limit {
        let deadline = began + Duration::from_secs_f64(seconds);
        limits.deadline = Some(limits.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
    }
    limits.stop = limits.to_stop();
    let grace = limits.stop.later_by(GRACE);
    let stopped = objective.until(&limits.stop);
    let unstopped = objective;
    let objective = stopped.as_deref().unwrap_or(objective);

    let graced = unstopped.until(&grace);
    let graced = graced.as_deref().unwrap_or(unstopped);

    let search = Search::new(objective, settings, &face, (&limits.stop, &grace));
    let sparse = search.sparse_form()?;
    search.given_partners()?;
    let form = if search.enumerates() || settings.engine == Engine::Sparse || !settings.start_match.is_empty() {
        None
    } else {
        unequal::form(objective, settings).filter(|form| sparse.is_none() || unequal::is_small(&**form))
    };
    if sparse.is_none() || form.as_deref().is_some_and(unequal::needs_no_padding) {
        let refuse = |name, what| {
            let cause = format!("{what} the sparse search, which these graphs and settings are not for");
            Err(Error::argument(name, cause))
        };
        if settings.hold_out.is_some_and(|share| share > 0.0) {
            return refuse("hold_out", "hides edges from");
        }
        if limits.keeper.is_some() {
            return refuse("checkpoint", "keeps");
        }
    }
    if let Some(form) = form
        && let Some(recovery) =
            unequal::recover((objective, graced), (&*form, settings), starts, (&limits, &grace), began)?
    {
        return Ok(recovery);
    }
    let scouted = sparse.map(|form| search.scout(form, &limits)).transpose()?;
    let scouted = match scouted {
        Some(scouted) if search.suffices(&scouted) => return scouted.recovery(graced, &limits, began),
        other => other,
    };
    let is_relaxed = settings.method.needs_relaxation() && objective.is_convex();
    // Whether runs after the first begin where that does.
    let begins_again = settings.restarts > 0 || is_relaxed && search.goes_on(starts.len());
    // What a structural cost is made from needs as much room as a path: it goes before there is one.
    let cost = if is_relaxed && settings.method == Method::Penalized {
        let asked = if begins_again { Asked::Again } else { Asked::Once };
        race::tilt(&search, first, asked, &half_way(&limits))?
    } else {
        None
    };
    let mut from = Iterate::at(settings.start.clone().unwrap_or_else(|| face.barycenter()));
    let linear_bound = |bounded: &Iterate| match bounded.lower_bound.is_finite() && !limits.stop.is_reached() {
        true => linear_bound_until(objective, &face, &bounded.x, bounded.last_assignment.as_ref(), &limits.stop),
        false => Ok(f64::NEG_INFINITY),
    };
    let mut bound = f64::NEG_INFINITY;
    if is_relaxed {
        // A path needs some time of its own.
        let within = if settings.method == Method::Relaxation { limits.clone() } else { half_way(&limits) };
        from = search.relax(objective, from.x.into_matrix(), &within)?;
        bound = linear_bound(&from)?;
    }
    let unwatched = Limits { watcher: None, ..limits.clone() };
    let of_relaxation = from.counts();
    let beginning = match (settings.restarts > 0, begins_again) {
        (false, true) => from.clone(),
        // Only X is asked for again.
        (true, _) => from.hand_over(),
        (false, false) => std::mem::replace(&mut from, Iterate::new()),
    };
    let beginning = match is_relaxed {
        false => Beginning::Point(beginning.x.into_matrix()),
        true => Beginning::Relaxed(beginning),
    };
    let mut race = Race::begin(&search, (first, cost), beginning, (&limits, &unwatched))?;
    if scouted.is_none()
        && let Some(given) = search.given()?
    {
        race.enter(given);
    }
    let of_scout = scouted.map(|Scouted { run, attempt, x, held_out, .. }| {
        race.enter((run, attempt));
        (x, held_out)
    });
    if !is_relaxed {
        bound = linear_bound(&race.best.last)?;
    }
    let mut enumerated = None;
    if search.enumerates() {
        enumerated = race.enumerate()?;
    } else if settings.restarts > 0 {
        race.restart(&from.x, is_relaxed)?;
    } else if begins_again {
        race.go_on(starts, &from, bound)?;
    }

    // Where the relaxation is the method, it is the first run and counted there.
    let is_before = is_relaxed && settings.method != Method::Relaxation;
    let (mut iterations, mut lap_calls) = if is_before { of_relaxation } else { (0, 0) };
    iterations += race.beside.0;
    lap_calls += race.beside.1;
    for attempt in &race.attempts {
        iterations += attempt.iterations;
        lap_calls += attempt.lap_calls;
    }
    let Race { attempts, best, winner, cut_short, .. } = race;
    let ended = best.last.termination().filter(|reason| !is_limit(reason)).cloned();
    let is_sparse = attempts[winner].kind == AttemptKind::Sparse;
    let (certificate, x, held_out) = match of_scout.filter(|_| is_sparse) {
        Some((x, held_out)) => (certify_partial(&x)?, Soft::Sparse(x), held_out),
        None => (certify(&best.last.x)?, Soft::Dense(best.last.x.into_matrix()), None),
    };
    let limit = limits.reached().filter(|_| cut_short);
    Ok(Recovery {
        optimality: enumerated.unwrap_or_else(|| Optimality::of(graced, &best.permutation, best.value, bound)),
        certificate,
        permutation: best.permutation,
        iterations,
        lap_calls,
        swaps: best.swaps,
        attempts,
        winner,
        termination: limit.or(ended).unwrap_or(TerminationReason::SolverConverged),
        x,
        held_out,
        elapsed: began.elapsed(),
    })
}

/// How much longer than its limits a search may take to round what it has, and to bound it.
const GRACE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Standing;
    use crate::graph::Graph;
    use crate::objective::GraphMatching;
    use crate::penalty::WeightSchedule;
    use nalgebra::DMatrix;

    fn hexagon_and_triangles() -> GraphMatching {
        let ring = |i: usize| (i, (i + 1) % 6, 1.0);
        let triangles = |i: usize| (i, if i % 3 == 2 { i - 2 } else { i + 1 }, 1.0);
        let graph = |edge: &dyn Fn(usize) -> (usize, usize, f64)| Graph::undirected(6, (0..6).map(edge)).unwrap();
        GraphMatching::new(graph(&ring), graph(&triangles)).unwrap()
    }

    #[test]
    fn a_hexagon_is_no_pair_of_triangles_and_only_enumeration_proves_it() {
        let f = hexagon_and_triangles();
        let Optimality { value, lower_bound, gap, standing } =
            recover(&f, &Settings { descents: false, ..Settings::default() }).unwrap().optimality;
        assert_eq!((value, lower_bound, gap, standing), (8.0, 0.0, 8.0, Standing::Open));
        let optimality = recover(&f, &Settings::default()).unwrap().optimality;
        assert_eq!(optimality, Optimality::proved(8.0));
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let f = hexagon_and_triangles();
        let message = |settings: Settings| recover(&f, &settings).unwrap_err().to_string();
        let schedule = WeightSchedule { first: 2.0, last: 1.0, stages: 3 };
        assert!(message(Settings { schedule, ..Settings::default() }).contains("first <= last"));
        assert!(message(Settings { time_limit: Some(-1.0), ..Settings::default() }).contains("time_limit"));
        assert!(message(Settings { steps_per_weight: 0, ..Settings::default() }).contains("steps_per_weight"));
        assert!(message(Settings { vertex_tolerance: -0.1, ..Settings::default() }).contains("vertex_tolerance"));
        assert!(message(Settings { relaxation_gap: f64::NAN, ..Settings::default() }).contains("relaxation_gap"));
        assert!(message(Settings { anchors: vec![(0, 9)], ..Settings::default() }).contains("(0, 9)"));
        assert!(message(Settings { start: Some(DMatrix::zeros(6, 6)), ..Settings::default() }).contains("residual"));
        let start = Some(crate::polytope::barycenter(6));
        assert!(message(Settings { start, anchors: vec![(0, 1)], ..Settings::default() }).contains("anchor (0, 1)"));
        assert!(message(Settings { start: Some(DMatrix::zeros(2, 2)), ..Settings::default() }).contains("6 x 6"));
    }
}
