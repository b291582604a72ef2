//! Recovery where one side is much smaller: over injections, without its padding.

mod runs;

use super::attempt::{Attempt, AttemptKind};
use super::enumeration::is_better;
use super::settings::{Effort, Method, Settings};
use super::{Recovery, Soft, Start};
use crate::certificate::{Certificate, Optimality, Standing, certify_injection};
use crate::error::Result;
use crate::objective::{Embedding, Injective, Objective, is_much_smaller};
use crate::solver::Limits;
use crate::stop::Stop;
use argmin::core::TerminationReason;
use rayon::prelude::*;
use runs::{Run, Search};
use std::time::{Duration, Instant};

/// The form on injections of an objective, where there is one and the settings ask for nothing that only padding has.
pub(super) fn form<'a>(objective: &'a dyn Objective, settings: &Settings) -> Option<Box<dyn Injective + 'a>> {
    let form =
        if settings.method.needs_no_padding(settings.penalty) { objective.injective_form()? } else { return None };
    let (places, vertices) = form.shape();
    let is_unpadded = |&(i, j): &(usize, usize)| i < vertices && j < places;
    settings.anchors.iter().all(|&pair| is_unpadded(&form.oriented(pair))).then_some(form)
}

/// Entries of X above which large sparse graphs are searched without it.
const MOST_ENTRIES: usize = 25_000_000;

/// Whether graphs of so many vertices are matched over injections, with an X that is not too large, even where the
/// sparse search would do.
pub(super) fn has_small_injections((n_a, n_b): (usize, usize)) -> bool {
    let (vertices, places) = (n_a.min(n_b), n_a.max(n_b));
    is_much_smaller(vertices, places) && vertices.saturating_mul(places) <= MOST_ENTRIES
}

/// Whether a search for an embedding is not too large where the sparse search would do.
pub(super) fn is_small(form: &dyn Injective) -> bool {
    let (places, vertices) = form.shape();
    vertices.saturating_mul(places) <= MOST_ENTRIES
}

/// Whether a path without padding follows where no embedding is found.
pub(super) fn needs_no_padding(form: &dyn Injective) -> bool {
    let (places, vertices) = form.shape();
    is_much_smaller(vertices, places)
}

/// Further runs that are made side by side. Fixed, so that the answer does not depend on the number of threads.
const SIDE_BY_SIDE: usize = 4;

/// Rounds of further runs: with [`Effort::Thorough`], where no limit ends them; and with [`Effort::Default`], where X
/// is small: as many as there are X in so many numbers, at most the first of these.
const ROUNDS: u32 = 25;
const FEW_ROUNDS: (usize, usize) = (8, 60_000);

/// [`recover_from`](super::recover_from) on injections; `graced` is the objective that gives up somewhat later than the
/// limits. `None` where that leads nowhere, and a search with padding finds more.
///
/// First a search for an embedding finds the answer, and proves it, where the smaller graph is a subgraph of the
/// larger. The penalized path runs on the indefinite form, from the barycenter: the convex one says next to nothing
/// where X can spread over many places.
pub(super) fn recover(
    (objective, graced): (&dyn Objective, &dyn Objective),
    (form, settings): (&dyn Injective, &Settings),
    starts: &[Start],
    (limits, grace): (&Limits, &Stop),
    began: Instant,
) -> Result<Option<Recovery>> {
    let unwatched = Limits { watcher: None, ..limits.clone() };
    let search = &Search::new(form, settings, (&unwatched, grace))?;
    let mut race = Race { search, attempts: vec![], best: None, winner: 0, standing: None, bound: f64::NEG_INFINITY };
    let looks_ahead = settings.method == Method::Penalized && settings.descents;
    let enumerates = looks_ahead && settings.restarts == 0 && search.enumerates();
    if looks_ahead {
        race.embed(objective, 0)?;
    }
    if race.standing.is_some() {
        if let (Some(watcher), Some(best)) = (&limits.watcher, &race.best) {
            watcher(&best.last);
        }
    } else if search.is_much_smaller() || enumerates {
        let run = timed(|| search.first(&starts[0], limits))?;
        race.add(AttemptKind::Start(starts[0].name.clone()), run);
        match enumerates {
            true => race.enumerate(objective)?,
            false => race.go_on(objective, &starts[1..])?,
        }
    } else {
        return Ok(None);
    }

    let Race { attempts, best, winner, standing, bound, .. } = race;
    let Run { last, p, moves, .. } = best.expect("the first run is always made");
    let permutation = form.permutation(&p);
    let value = objective.value_at(&permutation);
    let (certificate, injection) = certify_injection(&last.x)?;
    let sum = |of: fn(&Attempt) -> u64| attempts.iter().map(of).sum();
    Ok(Some(Recovery {
        optimality: match standing {
            Some(standing) => Optimality { standing, ..Optimality::proved(value) },
            None => Optimality::of(graced, &permutation, value, bound),
        },
        certificate: Certificate { permutation: injection.map(|p| form.permutation(&p)), ..certificate },
        permutation,
        x: Soft::Dense(if form.places_are_rows() { last.x.into_matrix() } else { last.x.transpose() }),
        held_out: None,
        iterations: sum(|attempt| attempt.iterations),
        lap_calls: sum(|attempt| attempt.lap_calls),
        swaps: moves,
        attempts,
        winner,
        termination: limits.reached().filter(|_| standing.is_none()).unwrap_or(TerminationReason::SolverConverged),
        elapsed: began.elapsed(),
    }))
}

/// The runs so far. The best is kept whole, of the others what reports say.
struct Race<'a> {
    search: &'a Search<'a>,
    attempts: Vec<Attempt>,
    best: Option<Run>,
    winner: usize,
    /// That of the best, where it is known to have the least value.
    standing: Option<Standing>,
    /// A lower bound.
    bound: f64,
}

impl Race<'_> {
    /// Searches for an embedding, the `number`-th time: the best answer, a bound, or the beginning of an answer.
    fn embed(&mut self, objective: &dyn Objective, number: u32) -> Result<()> {
        let began = Instant::now();
        let run = match self.search.embedding(number) {
            Embedding::Best(p) => {
                self.standing = Some(Standing::Proved);
                self.search.at(p)
            }
            Embedding::Unknown(pairs) if self.search.is_worth_completing(&pairs) => self.search.completed(&pairs)?,
            Embedding::Unknown(_) => return Ok(()),
            Embedding::Worse { than } => {
                self.bound = self.bound.max(next_value(objective, than));
                return Ok(());
            }
        };
        self.add(AttemptKind::Embedding, (run, began.elapsed()));
        Ok(())
    }

    /// All injections, of which the best is a run of its own where the runs before missed it.
    fn enumerate(&mut self, objective: &dyn Objective) -> Result<()> {
        let (search, began) = (self.search, Instant::now());
        let Some((p, optimality)) = search.enumerate(objective)? else { return Ok(()) };
        self.standing = Some(optimality.standing);
        if self.best.as_ref().is_some_and(|best| {
            let found = search.form.permutation(&best.p);
            !is_better(objective, (&p, optimality.value), (&found, objective.value_at(&found)))
        }) {
            return Ok(());
        }
        self.add(AttemptKind::Enumeration, (search.at(search.form.injection(&p)), began.elapsed()));
        Ok(())
    }

    /// The other starts and the restarts; without restarts further rounds of them, as [`Effort`] says, with
    /// thoroughness each after a longer search for an embedding.
    fn go_on(&mut self, objective: &dyn Objective, others: &[Start]) -> Result<()> {
        let Settings { effort, restarts, method, .. } = *self.search.settings;
        if restarts > 0 {
            return self.restart(restarts);
        }
        if effort == Effort::Quick || method != Method::Penalized {
            return Ok(());
        }
        for start in &others[..others.len().min(self.room())] {
            let run = timed(|| self.search.first(start, self.search.limits))?;
            self.add(AttemptKind::Start(start.name.clone()), run);
        }
        let is_thorough = effort == Effort::Thorough;
        let rounds = match is_thorough {
            true if self.search.limits.deadline.is_some() => u32::MAX,
            true => ROUNDS,
            false => self.search.few_rounds(FEW_ROUNDS),
        };
        for round in 1..=rounds {
            if self.room() == 0 || self.search.stops() || self.is_settled(objective) {
                break;
            }
            if is_thorough && self.search.settings.descents {
                self.embed(objective, round)?;
            }
            if self.standing.is_none() {
                self.restart(SIDE_BY_SIDE.min(self.room()))?;
            }
        }
        Ok(())
    }

    /// So many restarts more.
    fn restart(&mut self, count: usize) -> Result<()> {
        let (search, first) = (self.search, self.attempts.len());
        let restart = |number: usize| match search.stops() {
            true => Ok(None),
            false => timed(|| search.restart(number as u64)).map(Some),
        };
        let runs: Vec<Result<Option<_>>> = (first..first + count).into_par_iter().map(restart).collect();
        for run in runs {
            if let Some(run) = run? {
                self.add(AttemptKind::Restart, run);
            }
        }
        Ok(())
    }

    /// How many runs more may be made.
    fn room(&self) -> usize {
        self.search.settings.starts.map_or(usize::MAX, |most| most.saturating_sub(self.attempts.len()))
    }

    fn is_settled(&self, objective: &dyn Objective) -> bool {
        self.standing.is_some()
            || self.best.as_ref().is_some_and(|best| {
                let permutation = self.search.form.permutation(&best.p);
                Optimality::of(objective, &permutation, best.value, self.bound).is_settled()
            })
    }

    /// Enters a run with the time it took. One that is known to be the best wins.
    fn add(&mut self, kind: AttemptKind, (run, elapsed): (Run, Duration)) {
        let (iterations, lap_calls) = (run.last.iterations(), run.last.lap_calls);
        let attempt = Attempt { kind, value: run.value, iterations, lap_calls, elapsed };
        if self.standing.is_some() || self.best.as_ref().is_none_or(|best| run.value < best.value) {
            (self.best, self.winner) = (Some(run), self.attempts.len());
        }
        self.attempts.push(attempt);
    }
}

fn timed(run: impl FnOnce() -> Result<Run>) -> Result<(Run, Duration)> {
    let began = Instant::now();
    Ok((run()?, began.elapsed()))
}

/// A bound between `than`, which every value exceeds, and the next value on f's lattice, if f is exact and has one.
fn next_value(objective: &dyn Objective, than: f64) -> f64 {
    let is_exact = objective.rounding().is_some_and(|rounding| rounding.exact_up_to == f64::INFINITY);
    match objective.lattice() {
        Some((_, step)) if is_exact => than + 0.5 * step,
        _ => f64::NEG_INFINITY,
    }
}
