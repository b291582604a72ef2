//! The algorithm: reduction of the duals, then shortest augmenting paths, on shortlists that stay exact.

use super::shortlist::{Entry, NONE, Shortlists, block_minimum};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A dense cost matrix as lines of contiguous entries: `line(l)[k]` = c_lk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Costs<'a> {
    entries: &'a [f64],
    places: usize,
}

impl<'a> Costs<'a> {
    pub fn new(entries: &'a [f64], places: usize) -> Self {
        Costs { entries, places }
    }

    #[inline]
    pub fn line(&self, line: usize) -> &'a [f64] {
        &self.entries[line * self.places..][..self.places]
    }
}

/// Gives every line l its own place, `lines ≤ places`, at minimal total cost, and prices v_k of the places that prove it.
///
/// Invariant between the phases, up to rounding: an assigned line holds a place of smallest c_lk − v_k, its u_l.
/// v only ever falls; what v a place has that never was assigned, it keeps.
#[derive(Debug, Clone, Default)]
pub(super) struct Engine {
    /// v_k.
    pub v: Vec<f64>,
    /// The line that holds the place, or [`NONE`].
    pub line_of: Vec<u32>,
    /// The place that the line holds, or [`NONE`].
    pub place_of: Vec<u32>,
    /// c_lk at the place that the line holds.
    pub held_cost: Vec<f64>,
    /// The lines still to be assigned.
    pub free: Vec<u32>,
    shortlists: Shortlists,
    waiting: Vec<u32>,
    // Of the search for one shortest augmenting path: tentative distance, last line and its cost, for each place.
    distance: Vec<f64>,
    previous: Vec<u32>,
    previous_cost: Vec<f64>,
    /// d − u_l of each line reached.
    base: Vec<f64>,
    touched: Vec<u32>,
    closed: Vec<u32>,
    ready: Vec<u32>,
    queue: BinaryHeap<Reverse<(u64, u32)>>,
    best: f64,
    best_place: u32,
}

/// Marks a queue entry as "the entries of this line outside of its shortlist".
const REST: u32 = 1 << 31;

impl Engine {
    /// Fits the buffers; no line is assigned. The prices are kept when the number of places agrees, else 0.
    pub fn resize(&mut self, lines: usize, places: usize) {
        self.v.resize(places, 0.0);
        self.line_of.clear();
        self.line_of.resize(places, NONE);
        self.place_of.clear();
        self.place_of.resize(lines, NONE);
        self.held_cost.resize(lines, 0.0);
        self.distance.clear();
        self.distance.resize(places, f64::INFINITY);
        self.previous.resize(places, NONE);
        self.previous_cost.resize(places, 0.0);
        self.base.resize(lines, 0.0);
    }

    /// No line is assigned any more.
    pub fn release_all(&mut self) {
        self.line_of.fill(NONE);
        self.place_of.fill(NONE);
    }

    /// Forgets the shortlists, which belong to one matrix.
    pub fn start(&mut self) {
        self.shortlists.clear(self.place_of.len());
    }

    /// v_k = min_l c_lk (0 where that is infinite).
    pub fn reduce_places(&mut self, costs: Costs) {
        self.v.fill(f64::INFINITY);
        for line in 0..self.place_of.len() {
            for (v, &c) in self.v.iter_mut().zip(costs.line(line)) {
                *v = if c < *v { c } else { *v };
            }
        }
        for v in &mut self.v {
            if *v == f64::INFINITY {
                *v = 0.0;
            }
        }
    }

    /// Keeps the pairs that attain u_l = min_k (c_lk − v_k) up to rounding, and dissolves the others.
    pub fn keep_tight(&mut self, costs: Costs) {
        for line in 0..self.place_of.len() {
            let place = self.place_of[line];
            if place == NONE {
                continue;
            }
            let row = costs.line(line);
            let (cost, v) = (row[place as usize], self.v[place as usize]);
            // Without this slack pairs that are equal but for rounding would be assigned again and again.
            let slack = 4.0 * f64::EPSILON * (cost.abs() + v.abs());
            if cost < f64::INFINITY && cost - v <= block_minimum(row, &self.v) + slack {
                self.held_cost[line] = cost;
            } else {
                self.place_of[line] = NONE;
                self.line_of[place as usize] = NONE;
            }
        }
    }

    /// Lists the lines that hold no place.
    pub fn gather_free(&mut self) {
        self.free.clear();
        for (line, &place) in self.place_of.iter().enumerate() {
            if place == NONE {
                self.free.push(line as u32);
            }
        }
    }

    fn assign(&mut self, line: u32, place: u32, cost: f64) {
        self.line_of[place as usize] = line;
        self.place_of[line as usize] = place;
        self.held_cost[line as usize] = cost;
    }

    /// The smallest and second smallest reduced cost of the line, and the entry of the smallest.
    fn two_smallest(&mut self, line: usize, costs: Costs) -> Option<(Entry, f64, f64)> {
        for fresh in [false, true] {
            let mut smallest = f64::INFINITY;
            let mut second = f64::INFINITY;
            let mut entry = None;
            for candidate in self.shortlists.of(line) {
                let value = candidate.cost - self.v[candidate.place as usize];
                if value < smallest {
                    second = smallest;
                    smallest = value;
                    entry = Some(*candidate);
                } else if value < second {
                    second = value;
                }
            }
            if fresh || second <= self.shortlists.rest(line) {
                let second = second.min(self.shortlists.rest(line));
                return entry.map(|entry| (entry, smallest, second));
            }
            self.shortlists.refresh(line, costs.line(line), &self.v);
        }
        None
    }

    /// Jonker and Volgenant's augmenting row reduction: each free line takes its best place, whose price falls until the
    /// line is indifferent to its second best; the line that held the place looks for another.
    pub fn reduce(&mut self, costs: Costs, passes: usize) {
        let lines = self.place_of.len();
        for _ in 0..passes {
            std::mem::swap(&mut self.free, &mut self.waiting);
            self.free.clear();
            // Bounds a price war that rounding would not let end.
            let mut budget = 4 * lines + 16;
            for next in 0..self.waiting.len() {
                let mut line = self.waiting[next];
                loop {
                    budget = budget.saturating_sub(1);
                    let Some((entry, smallest, second)) = self.two_smallest(line as usize, costs) else {
                        self.free.push(line);
                        break;
                    };
                    let mut entry = entry;
                    let mut holder = self.line_of[entry.place as usize];
                    let indifferent = smallest >= second;
                    if holder != NONE && indifferent {
                        let (v, line_of) = (&self.v, &self.line_of);
                        let other =
                            self.shortlists.of(line as usize).iter().find(|e| {
                                line_of[e.place as usize] == NONE && e.cost - v[e.place as usize] <= smallest
                            });
                        if let Some(&other) = other {
                            entry = other;
                            holder = NONE;
                        }
                    }
                    if holder != NONE && (indifferent || second == f64::INFINITY || budget == 0) {
                        self.free.push(line);
                        break;
                    }
                    if !indifferent && second < f64::INFINITY {
                        self.v[entry.place as usize] -= second - smallest;
                    }
                    self.assign(line, entry.place, entry.cost);
                    if holder == NONE {
                        break;
                    }
                    self.place_of[holder as usize] = NONE;
                    line = holder;
                }
            }
        }
    }

    /// Assigns the free lines along shortest augmenting paths. Returns whether all could be assigned.
    pub fn augment_all(&mut self, costs: Costs) -> bool {
        let mut complete = true;
        for next in 0..self.free.len() {
            complete &= self.augment(costs, self.free[next]);
        }
        complete
    }

    /// Dijkstra's search from a free line to the nearest free place, and the augmentation along the path.
    fn augment(&mut self, costs: Costs, root: u32) -> bool {
        self.best = f64::INFINITY;
        self.best_place = NONE;
        let Some((_, smallest, _)) = self.two_smallest(root as usize, costs) else { return false };
        self.reach(root, 0.0, smallest);
        let mut distance = 0.0;
        while self.best > distance {
            let place = if let Some(place) = self.ready.pop() {
                place
            } else if let Some(Reverse((bits, item))) = self.queue.pop() {
                let key = f64::from_bits(bits);
                if key >= self.best {
                    break;
                }
                distance = key;
                if item & REST != 0 {
                    self.reach_rest(costs, item & !REST, distance);
                    continue;
                }
                if key > self.distance[item as usize] {
                    continue;
                }
                item
            } else {
                break;
            };
            let line = self.line_of[place as usize];
            self.closed.push(place);
            if self.shortlists.of(line as usize).is_empty() {
                self.shortlists.refresh(line as usize, costs.line(line as usize), &self.v);
            }
            self.reach(line, distance, self.held_cost[line as usize] - self.v[place as usize]);
        }

        let found = self.best_place != NONE;
        if found {
            for &place in &self.closed {
                let place = place as usize;
                let fall = self.best - self.distance[place];
                if fall > 0.0 {
                    self.v[place] -= fall;
                }
            }
            let mut place = self.best_place;
            loop {
                let line = self.previous[place as usize];
                let left = self.place_of[line as usize];
                self.assign(line, place, self.previous_cost[place as usize]);
                if line == root {
                    break;
                }
                place = left;
            }
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

    /// The search arrives at a line with dual u: looks from there at the places of its shortlist.
    #[inline]
    fn reach(&mut self, line: u32, distance: f64, u: f64) {
        let base = distance - u;
        self.base[line as usize] = base;
        for index in 0..self.shortlists.of(line as usize).len() {
            let entry = self.shortlists.of(line as usize)[index];
            self.relax(line, entry, base, distance);
        }
        self.await_rest(line, base, distance);
    }

    /// Queues the entries outside of the shortlist by their bound.
    #[inline]
    fn await_rest(&mut self, line: u32, base: f64, distance: f64) {
        let bound = at_least(base + self.shortlists.rest(line as usize), distance);
        if bound < self.best {
            self.queue.push(Reverse((bound.to_bits(), line | REST)));
        }
    }

    #[inline]
    fn relax(&mut self, line: u32, entry: Entry, base: f64, distance: f64) {
        let place = entry.place as usize;
        let reached = at_least(base + (entry.cost - self.v[place]), distance);
        if reached < self.distance[place] && reached < self.best {
            if self.distance[place] == f64::INFINITY {
                self.touched.push(entry.place);
            }
            self.distance[place] = reached;
            self.previous[place] = line;
            self.previous_cost[place] = entry.cost;
            if self.line_of[place] == NONE {
                self.best = reached;
                self.best_place = entry.place;
            } else if reached <= distance {
                self.ready.push(entry.place);
            } else {
                self.queue.push(Reverse((reached.to_bits(), entry.place)));
            }
        }
    }

    /// The search needs entries outside of the shortlist: a new shortlist, or else the whole line.
    fn reach_rest(&mut self, costs: Costs, line: u32, distance: f64) {
        let base = self.base[line as usize];
        let row = costs.line(line as usize);
        if self.best == f64::INFINITY {
            let before = self.shortlists.rest(line as usize);
            self.shortlists.refresh(line as usize, row, &self.v);
            if self.shortlists.rest(line as usize) > before {
                for index in 0..self.shortlists.of(line as usize).len() {
                    let entry = self.shortlists.of(line as usize)[index];
                    self.relax(line, entry, base, distance);
                }
                self.await_rest(line, base, distance);
                return;
            }
        }
        const CHUNK: usize = 16;
        for (chunk, costs) in row.chunks(CHUNK).enumerate() {
            let v = &self.v[chunk * CHUNK..][..costs.len()];
            if base + block_minimum(costs, v) < self.best {
                for (k, &cost) in costs.iter().enumerate() {
                    if cost < f64::INFINITY {
                        self.relax(line, Entry { cost, place: (chunk * CHUNK + k) as u32 }, base, distance);
                    }
                }
            }
        }
    }
}

/// The larger of the two: rounding may make a reduced cost negative, and the queue must stay monotone. Never −0.
#[inline]
fn at_least(value: f64, distance: f64) -> f64 {
    if value > distance { value } else { distance }
}
