//! The search for one shortest augmenting path.

use super::holdings::{Costs, Entry, Holdings, NONE};
use super::kernel;
use super::shortlist::Shortlists;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Marks a queue entry as "the entries of this line outside of its shortlist".
const REST: u32 = 1 << 31;

/// Fixes the threshold for a look beyond the shortlist: on random data it lets 67 entries pass.
const WIDER: u32 = 28;

/// Dijkstra's search on reduced costs c_lk − v_k − u_l ≥ 0, from a free line to the nearest free place.
///
/// What it looks at are the shortlists. The bound on the rest of a line stands in the queue like an entry; when its
/// turn comes before a free place is found, the line is looked through further. So the path is the shortest of the
/// dense problem.
#[derive(Debug, Clone, Default)]
pub(super) struct Search {
    /// Tentative distance of each place.
    distance: Vec<f64>,
    /// The line from which a place is reached, and the cost there.
    previous: Vec<u32>,
    previous_cost: Vec<f64>,
    /// distance − u_l of each line reached.
    base: Vec<f64>,
    touched: Vec<u32>,
    closed: Vec<u32>,
    /// Places at exactly the present distance: they need no queue.
    ready: Vec<u32>,
    /// Distance (bits of a non-negative f64 sort like the number) and place, or line and [`REST`].
    queue: BinaryHeap<Reverse<(u64, u32)>>,
    found: Vec<(f64, Entry)>,
    /// The nearest free place seen, and its distance.
    best: f64,
    best_place: u32,
}

impl Search {
    pub fn resize(&mut self, lines: usize, places: usize) {
        self.distance.clear();
        self.distance.resize(places, f64::INFINITY);
        self.previous.resize(places, NONE);
        self.previous_cost.resize(places, 0.0);
        self.base.resize(lines, 0.0);
    }

    /// Assigns the free line `root`, whose smallest reduced cost is `smallest`. Returns false when there is no path.
    pub fn augment(
        &mut self,
        holdings: &mut Holdings,
        shortlists: &mut Shortlists,
        costs: Costs,
        root: u32,
        smallest: f64,
    ) -> bool {
        self.best = f64::INFINITY;
        self.best_place = NONE;
        self.reach(holdings, shortlists, root, 0.0, smallest);
        let mut distance = 0.0;
        while self.best > distance {
            let place = if let Some(place) = self.ready.pop() {
                place
            } else {
                let Some(Reverse((bits, item))) = self.queue.pop() else { break };
                let key = f64::from_bits(bits);
                if key >= self.best {
                    break;
                }
                distance = key;
                if item & REST != 0 {
                    self.reach_rest(holdings, shortlists, costs, item & !REST, distance);
                    continue;
                }
                if key > self.distance[item as usize] {
                    continue;
                }
                item
            };
            self.closed.push(place);
            let line = holdings.line_of[place as usize];
            if shortlists.of(line as usize).is_empty() {
                shortlists.refresh(line as usize, costs.line(line as usize), &holdings.v);
            }
            let u = holdings.cost[line as usize] - holdings.v[place as usize];
            self.reach(holdings, shortlists, line, distance, u);
        }

        let found = self.best_place != NONE;
        if found {
            self.follow(holdings, root);
        }
        for &place in &self.touched {
            self.distance[place as usize] = f64::INFINITY;
        }
        self.touched.clear();
        self.closed.clear();
        self.ready.clear();
        self.queue.clear();
        found
    }

    /// Lowers the prices of the places that are nearer than the end of the path, then moves each line of the path one
    /// place on.
    fn follow(&self, holdings: &mut Holdings, root: u32) {
        for &place in &self.closed {
            let fall = self.best - self.distance[place as usize];
            if fall > 0.0 {
                holdings.v[place as usize] -= fall;
            }
        }
        let mut place = self.best_place;
        loop {
            let line = self.previous[place as usize];
            let left = holdings.place_of[line as usize];
            holdings.assign(line, place, self.previous_cost[place as usize]);
            if line == root {
                break;
            }
            place = left;
        }
    }

    /// The search arrives at a line with dual u: looks from there at the places of its shortlist.
    #[inline]
    fn reach(&mut self, holdings: &Holdings, shortlists: &Shortlists, line: u32, distance: f64, u: f64) {
        let base = distance - u;
        self.base[line as usize] = base;
        for &entry in shortlists.of(line as usize) {
            self.relax(holdings, line, entry, base, distance);
        }
        self.await_rest(line, shortlists.rest(line as usize), base, distance);
    }

    #[inline]
    fn relax(&mut self, holdings: &Holdings, line: u32, entry: Entry, base: f64, distance: f64) {
        let place = entry.place as usize;
        let reached = at_least(base + (entry.cost - holdings.v[place]), distance);
        if reached < self.distance[place] && reached < self.best {
            if self.distance[place] == f64::INFINITY {
                self.touched.push(entry.place);
            }
            self.distance[place] = reached;
            self.previous[place] = line;
            self.previous_cost[place] = entry.cost;
            if holdings.line_of[place] == NONE {
                self.best = reached;
                self.best_place = entry.place;
            } else if reached <= distance {
                self.ready.push(entry.place);
            } else {
                self.queue.push(Reverse((reached.to_bits(), entry.place)));
            }
        }
    }

    /// Queues the entries of the line that were not looked at, by the bound on them.
    #[inline]
    fn await_rest(&mut self, line: u32, rest: f64, base: f64, distance: f64) {
        let bound = at_least(base + rest, distance);
        if bound < self.best {
            self.queue.push(Reverse((bound.to_bits(), line | REST)));
        }
    }

    /// The search needs entries outside of the shortlist: makes a new one if it is stale, else looks further down the
    /// line.
    fn reach_rest(&mut self, holdings: &Holdings, shortlists: &mut Shortlists, costs: Costs, line: u32, distance: f64) {
        let base = self.base[line as usize];
        let row = costs.line(line as usize);
        if shortlists.is_stale(line as usize, &holdings.v) {
            let before = shortlists.rest(line as usize);
            shortlists.refresh(line as usize, row, &holdings.v);
            if shortlists.rest(line as usize) > before {
                for &entry in shortlists.of(line as usize) {
                    self.relax(holdings, line, entry, base, distance);
                }
                self.await_rest(line, shortlists.rest(line as usize), base, distance);
                return;
            }
        }
        // All that could beat the best path known, or else some more entries than there were.
        let mut threshold = self.best - base;
        if threshold == f64::INFINITY {
            threshold = kernel::smallest_and_threshold(row, &holdings.v, WIDER).1;
            if base + threshold <= distance || threshold == f64::INFINITY {
                threshold = f64::MAX;
            }
        }
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let rest = kernel::collect(row, &holdings.v, threshold, 0, &mut found);
        for &(_, entry) in &found {
            self.relax(holdings, line, entry, base, distance);
        }
        self.found = found;
        self.await_rest(line, rest, base, distance);
    }
}

/// The larger of the two: rounding may make a reduced cost negative, and the queue must stay monotone. Never −0.
#[inline]
fn at_least(value: f64, distance: f64) -> f64 {
    if value > distance { value } else { distance }
}
