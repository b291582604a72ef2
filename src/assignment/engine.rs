//! The algorithm: prices first, cheaply, by augmenting row reduction and auction; then shortest augmenting paths.

use super::holdings::{Costs, Entry, Holdings, NONE};
use super::kernel;
use super::search::Search;
use super::shortlist::{Shortlists, Slot};
use crate::columns::is_parallel;
use crate::stop::Stop;
use rayon::prelude::*;

/// Gives every line l a place of its own, `lines ≤ places`, at minimal total cost.
///
/// At the end every line holds a place of smallest c_lk − v_k, up to rounding: that is u_l, and the proof.
#[derive(Debug, Clone, Default)]
pub(super) struct Engine {
    pub holdings: Holdings,
    shortlists: Shortlists,
    search: Search,
    /// The lines still to be assigned.
    free: Vec<u32>,
    waiting: Vec<u32>,
    /// c_lk − v_k − min over k, at the place k the line held before.
    excess: Vec<f64>,
    widths: Vec<f64>,
    /// What ends the work on this problem early.
    pub stop: Stop,
}

// How the auction is dosed. Measured on uniform and integer costs and on the gradients of graph matching, n = 500 to
// 4000; within a factor of two of most of these values the times hardly change.

/// A cold start goes through an auction when the row reduction leaves more than this share of the lines free.
const HARD: f64 = 0.2;
/// The first ε of a cold auction, in median widths of the shortlists, and the number of its phases.
const COLD: (f64, usize) = (2.5, 5);
/// A warm start goes through an auction when more than this share of the lines has lost its place.
const MOVED: f64 = 0.5;
/// The first ε of a warm auction, in medians of what the lost places exceed the best ones by, and the number of its
/// phases.
const WARM: (f64, usize) = (0.03, 2);
/// ε shrinks by this factor from phase to phase.
const SHRINK: f64 = 0.2;
/// A phase of the auction makes at most so many bids for each line, then leaves the rest to the search.
const BIDS: usize = 16;
/// Lines that a thread takes at a time.
const SHARE: usize = 32;

impl Engine {
    /// Fits the buffers to a new size; nothing is assigned and all prices are 0.
    pub fn resize(&mut self, lines: usize, places: usize) {
        let h = &mut self.holdings;
        for (values, length) in [(&mut h.v, places), (&mut h.cost, lines), (&mut self.excess, lines)] {
            values.clear();
            values.resize(length, 0.0);
        }
        for (indices, length) in [(&mut h.line_of, places), (&mut h.place_of, lines)] {
            indices.clear();
            indices.resize(length, NONE);
        }
        self.shortlists.clear(lines);
        self.search.resize(lines, places);
    }

    /// Before a cold start: Jonker and Volgenant's column reduction, v_k ← min over l of c_lk. Returns what
    /// [`measure`](Self::measure) does.
    pub fn reduce_columns(&mut self, costs: Costs) -> f64 {
        self.holdings.v.fill(f64::INFINITY);
        let reduced = |line| {
            kernel::lower(&mut self.holdings.v, costs.line(line));
            finite_magnitude(costs.line(line))
        };
        (0..self.holdings.place_of.len()).map(reduced).fold(0.0, f64::max)
    }

    /// Before a warm start, for each line: by how much the place it holds misses its smallest c_lk − v_k. Returns the
    /// largest Σ_k |c_lk|, ∞ if a cost is not finite. The lines are shared out to the threads where they are many and
    /// long.
    pub fn measure(&mut self, costs: Costs) -> f64 {
        let Holdings { v, place_of, cost, .. } = &mut self.holdings;
        let v = &v[..];
        if is_parallel(v.len()) {
            let lines = self.shortlists.slots().zip(cost).zip(&mut self.excess).zip(place_of).enumerate();
            let measured = |found: &mut Vec<_>, (line, (((slot, cost), excess), place)): (usize, MeasuredLine)| {
                (*cost, *excess) = measured(line, costs.line(line), v, *place as usize, slot, found);
                finite_magnitude(costs.line(line))
            };
            return lines.with_min_len(SHARE).map_init(Vec::new, measured).reduce(|| 0.0, f64::max);
        }
        let mut largest = 0.0_f64;
        for line in 0..place_of.len() {
            let (slot, found) = self.shortlists.slot(line);
            (cost[line], self.excess[line]) = measured(line, costs.line(line), v, place_of[line] as usize, slot, found);
            largest = largest.max(finite_magnitude(costs.line(line)));
        }
        largest
    }

    /// Assigns all lines from nothing but the prices. Returns whether that was possible; once the stop is reached,
    /// lines may be left free.
    pub fn solve_cold(&mut self, costs: Costs) -> bool {
        let lines = self.holdings.place_of.len();
        for v in &mut self.holdings.v {
            // A place that every line forbids: any price will do.
            if *v == f64::INFINITY {
                *v = 0.0;
            }
        }
        self.shortlists.clear(lines);
        self.holdings.line_of.fill(NONE);
        self.holdings.place_of.fill(NONE);
        self.gather_free();
        self.reduce(costs);
        // The auction leaves places free whose price has fallen, which only a square problem allows.
        if self.free.len() as f64 > HARD * lines as f64 && lines == self.holdings.v.len() {
            let epsilon = COLD.0 * self.median_width(costs);
            self.auction_phases(costs, epsilon, COLD.1, 0.0);
        }
        self.augment(costs)
    }

    /// Assigns all lines, starting from the places they hold, once each has been [measured](Self::measure). In the end
    /// each holds a place within `slack` of its smallest reduced cost. Returns how many lost theirs (it only counts
    /// what the new costs took away), and whether a complete assignment was possible, as above.
    pub fn solve_warm(&mut self, costs: Costs, slack: f64) -> (usize, bool) {
        let lines = self.holdings.place_of.len();
        self.widths.clear();
        self.widths.extend(self.excess.iter().filter(|&&excess| excess > slack));
        let moved = self.widths.len();
        let auction = moved as f64 > MOVED * lines as f64;
        let mut epsilon = if auction { slack.max(WARM.0 * median(&mut self.widths)) } else { slack };
        if epsilon == f64::INFINITY {
            epsilon = slack;
        }
        for line in 0..lines {
            if self.excess[line] > epsilon {
                self.holdings.release(line);
            }
        }
        self.gather_free();
        if auction {
            self.auction_phases(costs, epsilon, WARM.1, slack);
        } else {
            self.reduce(costs);
            self.reduce(costs);
        }
        (moved, self.augment(costs))
    }

    /// Gives the lines that are left free, each in turn, the place of smallest reduced cost among those that are left.
    /// O(free lines·places).
    pub fn assign_the_rest(&mut self, costs: Costs) {
        let Holdings { v, line_of, .. } = &self.holdings;
        let mut left: Vec<u32> = (0..v.len() as u32).filter(|&place| line_of[place as usize] == NONE).collect();
        self.gather_free();
        for &line in &self.free {
            let costs = costs.line(line as usize);
            let reduced = |place: u32| costs[place as usize] - self.holdings.v[place as usize];
            let nearest = (0..left.len()).min_by(|&k, &l| reduced(left[k]).total_cmp(&reduced(left[l])));
            let Some(nearest) = nearest else { return };
            let place = left.swap_remove(nearest);
            self.holdings.assign(line, place, costs[place as usize]);
        }
    }

    /// u_l = min_k (c_lk − v_k) of a line: with the prices it proves a bound, whatever is assigned. O(places).
    pub fn line_dual(&self, line: usize, costs: Costs) -> f64 {
        kernel::smallest_and_threshold(costs.line(line), &self.holdings.v, 1).0
    }

    /// Keeps prices from drifting down for ever in a long sequence of problems: (u + t, v − t) proves what (u, v)
    /// proves.
    pub fn center_prices(&mut self) {
        let v = &mut self.holdings.v;
        let top = v.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let bottom = v.iter().fold(f64::INFINITY, |a, &b| a.min(b));
        if top < 0.0 && -top > top - bottom {
            v.iter_mut().for_each(|v| *v -= top);
        }
    }

    fn gather_free(&mut self) {
        self.free.clear();
        let place_of = &self.holdings.place_of;
        self.free.extend((0..place_of.len() as u32).filter(|&line| place_of[line as usize] == NONE));
    }

    /// The smallest and second smallest reduced cost of the line, and the entry of the smallest.
    fn two_smallest(&mut self, line: usize, costs: Costs) -> Option<(Entry, f64, f64)> {
        let (found, second) = two_smallest(self.shortlists.of(line), &self.holdings.v);
        if found.is_some() && second <= self.shortlists.rest(line) {
            return found.map(|(entry, smallest)| (entry, smallest, second));
        }
        self.shortlists.refresh(line, costs.line(line), &self.holdings.v);
        let (found, second) = two_smallest(self.shortlists.of(line), &self.holdings.v);
        found.map(|(entry, smallest)| (entry, smallest, second.min(self.shortlists.rest(line))))
    }

    /// Jonker and Volgenant's augmenting row reduction: each free line takes its best place, whose price falls until
    /// the line is indifferent to its second best; the line that held the place looks for another.
    fn reduce(&mut self, costs: Costs) {
        std::mem::swap(&mut self.free, &mut self.waiting);
        self.free.clear();
        // Bounds a price war, which without an ε may take for ever.
        let mut budget = 4 * self.holdings.place_of.len() + 16;
        let stop = self.stop.clone();
        let mut stop = stop.asked_rarely();
        for next in 0..self.waiting.len() {
            let mut line = self.waiting[next];
            loop {
                if stop.is_reached() {
                    self.free.push(line);
                    self.free.extend(&self.waiting[next + 1..]);
                    return;
                }
                budget = budget.saturating_sub(1);
                let Some((mut entry, smallest, second)) = self.two_smallest(line as usize, costs) else {
                    self.free.push(line);
                    break;
                };
                let h = &mut self.holdings;
                let mut holder = h.line_of[entry.place as usize];
                let indifferent = smallest >= second;
                if holder != NONE && indifferent {
                    let equal =
                        |e: &&Entry| h.line_of[e.place as usize] == NONE && e.cost - h.v[e.place as usize] <= smallest;
                    if let Some(&other) = self.shortlists.of(line as usize).iter().find(equal) {
                        (entry, holder) = (other, NONE);
                    }
                }
                if holder != NONE && (indifferent || second == f64::INFINITY || budget == 0) {
                    self.free.push(line);
                    break;
                }
                if !indifferent && second < f64::INFINITY {
                    h.v[entry.place as usize] -= second - smallest;
                }
                h.assign(line, entry.place, entry.cost);
                if holder == NONE {
                    break;
                }
                h.place_of[holder as usize] = NONE;
                line = holder;
            }
        }
    }

    /// Auctions of falling ε, down to `slack` or until it takes a search to be exact again.
    fn auction_phases(&mut self, costs: Costs, mut epsilon: f64, phases: usize, slack: f64) {
        for phase in 1..=phases {
            self.auction(costs, epsilon);
            if epsilon <= slack {
                break;
            }
            epsilon = slack.max(SHRINK * epsilon);
            self.keep_within(costs, if phase < phases { epsilon } else { slack });
            if self.stop.is_reached() {
                return;
            }
        }
        self.reduce(costs);
        self.reduce(costs);
    }

    /// Bertsekas' auction: a free line takes its best place and pays ε more than it must; who held the place bids
    /// again.
    fn auction(&mut self, costs: Costs, epsilon: f64) {
        std::mem::swap(&mut self.free, &mut self.waiting);
        self.free.clear();
        let mut budget = BIDS * self.holdings.place_of.len();
        let stop = self.stop.clone();
        let mut stop = stop.asked_rarely();
        while let Some(line) = self.waiting.pop() {
            if stop.is_reached() {
                budget = 0;
            }
            let offer = if budget > 0 { self.two_smallest(line as usize, costs) } else { None };
            budget = budget.saturating_sub(1);
            let Some((entry, smallest, second)) = offer else {
                self.free.push(line);
                continue;
            };
            let h = &mut self.holdings;
            let holder = h.line_of[entry.place as usize];
            if second < f64::INFINITY {
                h.v[entry.place as usize] -= second - smallest + epsilon;
            } else if holder != NONE {
                self.free.push(line);
                continue;
            }
            h.assign(line, entry.place, entry.cost);
            if holder != NONE {
                h.place_of[holder as usize] = NONE;
                self.waiting.push(holder);
            }
        }
    }

    /// Releases the lines whose place is dearer than their best by more than ε.
    fn keep_within(&mut self, costs: Costs, epsilon: f64) {
        for line in 0..self.holdings.place_of.len() {
            let place = self.holdings.place_of[line];
            if place != NONE {
                let best = self.two_smallest(line, costs);
                let held = self.holdings.cost[line] - self.holdings.v[place as usize];
                if !best.is_some_and(|(_, smallest, _)| held <= smallest + epsilon) {
                    self.holdings.release(line);
                }
            }
        }
        self.gather_free();
    }

    /// The median over the lines of how far apart the ends of a shortlist are, where they are apart.
    fn median_width(&mut self, costs: Costs) -> f64 {
        self.widths.clear();
        for line in 0..self.holdings.place_of.len() {
            if let Some((_, smallest, _)) = self.two_smallest(line, costs) {
                let width = self.shortlists.rest(line) - smallest;
                if width > 0.0 && width < f64::INFINITY {
                    self.widths.push(width);
                }
            }
        }
        median(&mut self.widths)
    }

    /// Assigns the free lines along shortest augmenting paths. Returns whether all could be assigned, as far as it
    /// came.
    fn augment(&mut self, costs: Costs) -> bool {
        let mut complete = true;
        for next in 0..self.free.len() {
            if self.stop.is_reached() {
                break;
            }
            let line = self.free[next];
            let Some((_, smallest, _)) = self.two_smallest(line as usize, costs) else {
                complete = false;
                continue;
            };
            // A line without a path stays without one; the others are assigned still, so that the error names a row
            // rightly.
            complete &= self.search.augment(&mut self.holdings, &mut self.shortlists, costs, line, smallest);
        }
        complete
    }
}

/// What [`Engine::measure`] holds of a line: its shortlist, the cost and the excess to write, the place.
type MeasuredLine<'a> = (((Slot<'a>, &'a mut f64), &'a mut f64), &'a mut u32);

/// The cost c_l at the place that line l holds, and by how much it misses the smallest c_lk − v_k; makes the shortlist
/// ready.
fn measured(
    line: usize,
    costs: &[f64],
    v: &[f64],
    place: usize,
    mut slot: Slot,
    found: &mut Vec<(f64, Entry)>,
) -> (f64, f64) {
    let (cost, price) = (costs[place], v[place]);
    let excess = cost - price - slot.renew(costs, v);
    // Without this slack pairs that are equal but for rounding would be assigned again and again.
    let rounding = 4.0 * f64::EPSILON * (cost.abs() + price.abs());
    if cost == f64::INFINITY || excess.is_nan() {
        (cost, f64::INFINITY)
    } else if excess <= rounding {
        (cost, 0.0)
    } else {
        // It will look for another place: better now, while its costs are at hand.
        slot.refresh(line, costs, v, found);
        (cost, excess)
    }
}

/// Σ |c_k|, ∞ if it is not finite.
fn finite_magnitude(costs: &[f64]) -> f64 {
    let sum = kernel::magnitude(costs);
    if sum.is_nan() { f64::INFINITY } else { sum }
}

/// The entry of smallest reduced cost with that cost, and the second smallest.
#[inline]
fn two_smallest(list: &[Entry], v: &[f64]) -> (Option<(Entry, f64)>, f64) {
    let (mut smallest, mut second) = (f64::INFINITY, f64::INFINITY);
    let mut index = 0;
    // Without branches: which entry is the best is anyone's guess.
    for (k, entry) in list.iter().enumerate() {
        let value = entry.cost - v[entry.place as usize];
        let worse = if value > smallest { value } else { smallest };
        second = if worse < second { worse } else { second };
        index = if value < smallest { k } else { index };
        smallest = if value < smallest { value } else { smallest };
    }
    (list.get(index).map(|&entry| (entry, smallest)), second)
}

/// The median, 0 for none.
fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
