//! When a long computation gives up: a deadline, Ctrl-C, or any other condition.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A condition that ends long computations early. Clones share it.
///
/// Once it was seen to hold it counts as reached for good, whatever becomes of what it asks: so whoever finds it not
/// reached *after* a computation knows that the computation was not cut short. Asking costs about as much as reading
/// the clock, and nothing for [`Stop::never`]; computations ask often enough to end within about a tenth of a second.
///
/// ```
/// use birkhoff::Stop;
/// use birkhoff::assignment::AssignmentSolver;
/// use nalgebra::dmatrix;
/// let mut solver = AssignmentSolver::new();
/// let cost = dmatrix![4.0, 1.0, 3.0; 2.0, 0.0, 5.0; 3.0, 2.0, 2.0];
/// assert!(solver.solve_until(&cost, 0.0, &Stop::never())?);
/// // At once: a permutation all the same, with duals that say how far it may be from the best one.
/// let at_once = Stop::when(|| true);
/// solver.solve_until(&(cost * 2.0), 0.0, &at_once)?;
/// assert!(at_once.is_reached() && solver.columns().len() == 3);
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Stop(Option<Arc<Condition>>);

struct Condition {
    holds: Box<dyn Fn() -> bool + Send + Sync>,
    held: AtomicBool,
}

/// A loop whose rounds are shorter than a reading of the clock asks only every so many rounds.
const ROUNDS: u32 = 64;

impl Stop {
    /// It is never reached.
    pub const fn never() -> Self {
        Stop(None)
    }

    /// It is reached as soon as `condition` holds when somebody asks, from any thread.
    pub fn when(condition: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Stop(Some(Arc::new(Condition { holds: Box::new(condition), held: AtomicBool::new(false) })))
    }

    /// Whether it is reached.
    #[inline]
    pub fn is_reached(&self) -> bool {
        self.0.as_ref().is_some_and(|condition| condition.is_reached())
    }

    /// Reached so much later than this one: by then what was cut short has to be finished.
    pub fn later_by(&self, grace: Duration) -> Self {
        if self.0.is_none() {
            return Stop::never();
        }
        let (first, began) = (self.clone(), OnceLock::new());
        Stop::when(move || first.is_reached() && began.get_or_init(Instant::now).elapsed() >= grace)
    }

    /// For loops of short rounds: asks in the first round and then every 64th.
    pub(crate) fn asked_rarely(&self) -> Rarely<'_> {
        Rarely { stop: self, rounds: 0 }
    }
}

impl Condition {
    fn is_reached(&self) -> bool {
        // Relaxed: nothing else is read on the strength of it.
        if self.held.load(Ordering::Relaxed) {
            return true;
        }
        let holds = (self.holds)();
        if holds {
            self.held.store(true, Ordering::Relaxed);
        }
        holds
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match &self.0 {
            None => "Stop::never()",
            Some(condition) if condition.held.load(Ordering::Relaxed) => "Stop(reached)",
            Some(_) => "Stop(not seen to be reached)",
        })
    }
}

/// See [`Stop::asked_rarely`].
pub(crate) struct Rarely<'a> {
    stop: &'a Stop,
    rounds: u32,
}

impl Rarely<'_> {
    #[inline]
    pub fn is_reached(&mut self) -> bool {
        let asks = self.rounds.is_multiple_of(ROUNDS);
        self.rounds = self.rounds.wrapping_add(1);
        asks && self.stop.is_reached()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_reached_once_stays_reached_for_all_clones() {
        let flag = Arc::new(AtomicBool::new(false));
        let seen = flag.clone();
        let stop = Stop::when(move || seen.load(Ordering::SeqCst));
        let clone = stop.clone();
        assert!(!stop.is_reached() && !clone.is_reached());
        flag.store(true, Ordering::SeqCst);
        assert!(clone.is_reached());
        flag.store(false, Ordering::SeqCst);
        assert!(stop.is_reached() && clone.is_reached());
        assert!(!Stop::never().is_reached() && !Stop::default().is_reached());
    }

    #[test]
    fn a_grace_begins_when_the_stop_is_seen() {
        let stop = Stop::when(|| true);
        assert!(stop.later_by(Duration::ZERO).is_reached());
        let later = stop.later_by(Duration::from_secs(3600));
        assert!(stop.is_reached() && !later.is_reached() && !later.is_reached());
        assert!(!Stop::never().later_by(Duration::ZERO).is_reached());
    }

    #[test]
    fn a_stop_that_is_asked_rarely_is_asked_at_once_and_every_so_often() {
        let asks = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counted = asks.clone();
        let stop = Stop::when(move || counted.fetch_add(1, Ordering::SeqCst) >= 3);
        let mut rarely = stop.asked_rarely();
        let rounds = (0..).take_while(|_| !rarely.is_reached()).count();
        assert_eq!((rounds, asks.load(Ordering::SeqCst)), (3 * ROUNDS as usize, 4));
    }
}
