//! Which runs are made, in which order, until the answer is good enough.

use super::attempt::{Attempt, AttemptKind};
use super::doubt::Doubt;
use super::enumeration::{enumerate, is_better};
use super::methods::Beginning;
use super::pairs::LikelyPairs;
use super::probes::probe_ranks;
use super::run::{Run, Search, half_way};
use super::settings::{RestartFrom, Settings};
use super::start::{Asked, Start};
use crate::certificate::Optimality;
use crate::error::Result;
use crate::solver::{Iterate, Limits};
use nalgebra::DMatrix;
use rayon::prelude::*;
use std::borrow::Cow;
use std::time::Instant;

/// Probes that are made at a time. Fixed, so that what is found does not depend on the number of threads; chosen by
/// hand.
const PROBES: usize = 4;

/// The runs so far. The best is kept whole, of the others what reports say.
pub(super) struct Race<'a> {
    search: &'a Search<'a>,
    limits: &'a Limits,
    pub attempts: Vec<Attempt>,
    pub best: Run,
    pub winner: usize,
    /// Iterations and assignments that belong to no run.
    pub beside: (u64, u64),
    /// Whether a limit cut a run short, or kept one from being made.
    pub cut_short: bool,
}

/// A run with its kind and time; `None` where a limit came first.
type Timed = Result<Option<(Run, Attempt)>>;

fn timed(limits: &Limits, run: impl FnOnce() -> Result<(AttemptKind, Run)>) -> Timed {
    if limits.reached().is_some() {
        return Ok(None);
    }
    timed_always(run).map(Some)
}

fn timed_always(run: impl FnOnce() -> Result<(AttemptKind, Run)>) -> Result<(Run, Attempt)> {
    let began = Instant::now();
    let (kind, run) = run()?;
    let attempt = Attempt::of(&run, kind, began);
    Ok((run, attempt))
}

impl<'a> Race<'a> {
    /// The first run, from a start whose term is made; limits shorten it but never prevent it, and it alone is watched.
    pub fn begin(
        search: &'a Search,
        (start, cost): (&Start, Option<DMatrix<f64>>),
        beginning: Beginning,
        (limits, unwatched): (&Limits, &'a Limits),
    ) -> Result<Self> {
        let (best, attempt) = timed_always(|| from_start(search, (start, cost), beginning, limits))?;
        let cut_short = limits.reached().is_some();
        Ok(Race { search, limits: unwatched, attempts: vec![attempt], best, winner: 0, beside: (0, 0), cut_short })
    }

    /// All permutations, of which the best is a run of its own where the first run missed it; `None` where a limit came
    /// first.
    pub fn enumerate(&mut self) -> Result<Option<Optimality>> {
        let (objective, began) = (self.search.objective, Instant::now());
        let Some((permutation, optimality)) = enumerate(objective, self.search.face, self.search.stop)? else {
            self.cut_short = true;
            return Ok(None);
        };
        let found = Optimality { value: objective.value_at(&self.best.permutation), ..optimality };
        if !is_better(objective, (&permutation, optimality.value), (&self.best.permutation, found.value)) {
            return Ok(Some(Optimality { lower_bound: found.value, ..found }));
        }
        let last = Iterate::at(permutation.to_matrix());
        let run = Run { last, permutation, value: optimality.value, swaps: 0, agreed: true };
        self.attempts.push(Attempt::of(&run, AttemptKind::Enumeration, began));
        (self.best, self.winner) = (run, self.attempts.len() - 1);
        Ok(Some(optimality))
    }

    /// The restarts, in parallel, from X, which may be relaxed.
    pub fn restart(&mut self, x: &DMatrix<f64>, is_relaxed: bool) -> Result<()> {
        let (search, limits) = (self.search, self.limits);
        let mut likely = LikelyPairs::new();
        let Settings { restarts, restart_from, .. } = *search.settings;
        let pairs = if is_relaxed && restart_from == RestartFrom::LikelyPairs && restarts > 0 {
            likely.get(0..restarts, x, search.face, search.stop)
        } else {
            &[]
        };
        let run = |index| search.restart(index, pairs, (x, is_relaxed), limits);
        let restart = |index| timed(limits, || Ok((AttemptKind::Restart, run(index)?)));
        self.add((1..=restarts).into_par_iter().map(restart).collect()).map(drop)
    }

    /// Further starts, paths from what was learned, reheated paths and probes, as [`super::Effort`] says. `bound` is a
    /// lower bound of f.
    pub fn go_on(&mut self, starts: &[Start], relaxed: &Iterate, bound: f64) -> Result<()> {
        let (search, limits) = (self.search, self.limits);
        let others = &starts[1..starts.len().min(1 + self.room(relaxed, None))];
        let other = |start: &Start| {
            timed(limits, || {
                let cost = tilt(search, start, Asked::Again, limits)?;
                from_start(search, (start, cost), Beginning::Relaxed(relaxed.clone()), limits)
            })
        };
        self.add(others.par_iter().map(other).collect())?;
        let mut start = Cow::Borrowed(&starts[0]);
        let (mut likely, mut pairs) = (None, LikelyPairs::new());
        let (mut is_new, mut probes) = (true, 0);
        while !self.cut_short {
            let optimality = Optimality::of(search.objective, &self.best.permutation, self.best.value, bound);
            if optimality.is_settled() {
                return Ok(());
            }
            let doubt = Doubt::of(search, &self.attempts, bound);
            if is_new && let Some(is_better) = self.revisit(&mut start, relaxed, doubt.is_warm())? {
                is_new = is_better;
                continue;
            }
            let count = PROBES.min(self.room(relaxed, Some(search.probe_iterations(probes))));
            if doubt.is_over() || count == 0 {
                return Ok(());
            }
            let (x, tilt) = match &likely {
                Some(likely) => likely,
                None => likely.insert(self.likely(&start, relaxed)?),
            };
            let found = pairs.get(probe_ranks(probes..probes + count), x, search.face, search.stop);
            if found.is_empty() {
                return Ok(());
            }
            let probe = |(number, &pair): (usize, &(usize, usize))| {
                timed(limits, || {
                    let run = search.probe(probes + number, pair, x, tilt.as_ref(), limits)?;
                    Ok((AttemptKind::Probe { row: pair.0, column: pair.1 }, run))
                })
            };
            let count = found.len();
            is_new = self.add(found.par_iter().enumerate().map(probe).collect())?;
            probes += count;
        }
        Ok(())
    }

    /// Goes on from the best answer: from what `start` learns of it; if that brings nothing, by a reheated path if it
    /// is warm. Whether there is a better one now; `None` where neither was worth a try, as when all descents agreed.
    fn revisit(&mut self, start: &mut Cow<Start>, relaxed: &Iterate, is_warm: bool) -> Result<Option<bool>> {
        let (search, limits) = (self.search, self.limits);
        if self.best.agreed {
            return Ok(None);
        }
        let mut tried = None;
        if self.room(relaxed, None) > 0
            && let Some(learned) = start.learned(&self.best.permutation)
            && let Some(cost) = tilt(search, &learned, Asked::Again, limits)?
        {
            let kind = AttemptKind::Learned(start.name.clone());
            let again = || Ok((kind, search.tilted_run(&cost, relaxed.clone().resumed(), limits)?));
            if self.add(vec![timed(limits, again)])? {
                *start = Cow::Owned(learned);
                return Ok(Some(true));
            }
            tried = Some(false);
        }
        if is_warm && self.room(relaxed, None) > 0 {
            let (answer, tilt) = (&self.best.permutation, start.tilt(search.objective, Asked::Again, search.stop)?);
            let again = timed(limits, || Ok((AttemptKind::Reheat, search.reheat(answer, tilt.as_ref(), limits)?)));
            tried = Some(self.add(vec![again])?);
        }
        Ok(tried)
    }

    /// Where probes look for their pairs: the relaxed minimizer, with the start's term; and that term.
    fn likely(&mut self, start: &Start, relaxed: &Iterate) -> Result<(DMatrix<f64>, Option<DMatrix<f64>>)> {
        let Some(cost) = start.tilt(self.search.objective, Asked::Again, self.search.stop)? else {
            return Ok((relaxed.x.clone_owned(), None));
        };
        let tilted = self.search.tilted_relaxation(&cost, relaxed.clone().resumed(), self.limits)?;
        self.beside = (tilted.iterations(), tilted.lap_calls);
        Ok((tilted.x.into_matrix(), Some(cost)))
    }

    /// How many runs more may be made that take as many iterations as the first, or `each`.
    fn room(&self, relaxed: &Iterate, each: Option<u64>) -> usize {
        let Settings { starts, effort, .. } = self.search.settings;
        if let Some(most) = starts {
            return most.saturating_sub(self.attempts.len());
        }
        let first = relaxed.iterations() + self.attempts[0].iterations;
        let spent = relaxed.iterations() + iterations(&self.attempts);
        let budget = effort.budget(self.limits).saturating_mul(first);
        (budget.saturating_sub(spent) / each.unwrap_or(first).max(1)) as usize
    }

    /// Enters a run, the best of all if it is better than those before.
    pub fn enter(&mut self, (run, attempt): (Run, Attempt)) {
        if run.value < self.best.value {
            (self.best, self.winner) = (run, self.attempts.len());
        }
        self.attempts.push(attempt);
    }

    /// Enters runs; whether one of them is the best so far.
    fn add(&mut self, runs: Vec<Timed>) -> Result<bool> {
        let before = self.winner;
        for run in runs {
            match run? {
                Some(run) => self.enter(run),
                None => self.cut_short = true,
            }
        }
        self.cut_short |= self.limits.reached().is_some();
        Ok(self.winner != before)
    }
}

/// Iterations with matrices: those of the sparse search take next to nothing beside.
fn iterations(attempts: &[Attempt]) -> u64 {
    let dense = attempts.iter().filter(|attempt| attempt.kind != AttemptKind::Sparse);
    dense.map(|attempt| attempt.iterations).sum()
}

/// The method from a start with its term, or from the relaxed one where there was no time for that.
fn from_start(
    search: &Search,
    (start, cost): (&Start, Option<DMatrix<f64>>),
    beginning: Beginning,
    limits: &Limits,
) -> Result<(AttemptKind, Run)> {
    Ok(match (beginning, cost) {
        (Beginning::Relaxed(relaxed), Some(cost)) => {
            (AttemptKind::Start(start.name.clone()), search.tilted_run(&cost, relaxed.resumed(), limits)?)
        }
        (beginning, _) => (AttemptKind::Start(Start::relaxed().name), search.run(beginning, limits)?),
    })
}

/// The term of a start, if it is there half way to a deadline.
pub(super) fn tilt(search: &Search, start: &Start, asked: Asked, limits: &Limits) -> Result<Option<DMatrix<f64>>> {
    start.tilt(search.objective, asked, &half_way(limits).to_stop())
}
