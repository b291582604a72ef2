//! Shortlists: for each line of the cost matrix the few entries of smallest reduced cost, and a bound on the rest.

use super::holdings::{Entry, NONE};
use super::kernel;
use rayon::prelude::*;

/// How many entries a shortlist holds at most.
pub(super) const CAPACITY: usize = 24;

/// Fixes the threshold for a shortlist: on random data it lets 15 entries pass.
const RANK: u32 = 12;

/// A guessed threshold that lets fewer entries pass is dropped, unless the line is short.
const ENOUGH: usize = 8;

/// So many entries are tested between two looks at how many were found.
const SEGMENT: usize = 1024;

/// For each line l a set S_l of at most [`CAPACITY`] places, and `rest[l]` ≤ c_lk − v_k for every k outside S_l.
///
/// The bound is taken at the v of the refresh, and holds ever after, since v only falls (and rounding is monotone).
#[derive(Debug, Clone, Default)]
pub(super) struct Shortlists {
    entries: Vec<Entry>,
    lengths: Vec<u32>,
    rest: Vec<f64>,
    /// From the smallest entry to the bound when the shortlist was made, or to where one would end that is not made
    /// yet.
    width: Vec<f64>,
    found: Vec<(f64, Entry)>,
}

impl Shortlists {
    /// Empty shortlists, whose bound −∞ asks for a refresh at the first use.
    pub fn clear(&mut self, lines: usize) {
        self.entries.resize(lines * CAPACITY, Entry { cost: 0.0, place: NONE });
        self.lengths.clear();
        self.lengths.resize(lines, 0);
        self.width.resize(lines, 0.0);
        self.rest.clear();
        self.rest.resize(lines, f64::NEG_INFINITY);
    }

    /// S_l.
    #[inline]
    pub fn of(&self, line: usize) -> &[Entry] {
        &self.entries[line * CAPACITY..][..self.lengths[line] as usize]
    }

    /// A lower bound of c_lk − v_k over the places k outside S_l; +∞ when all of them are forbidden.
    #[inline]
    pub fn rest(&self, line: usize) -> f64 {
        self.rest[line]
    }

    /// Whether most entries have become dearer than the bound on the rest.
    pub fn is_stale(&self, line: usize, v: &[f64]) -> bool {
        let list = self.of(line);
        let dear = list.iter().filter(|entry| entry.cost - v[entry.place as usize] > self.rest[line]).count();
        2 * dear > list.len()
    }

    /// Makes S_l the places of smallest c_lk − v_k; `costs` is the line c_l. O(places).
    pub fn refresh(&mut self, line: usize, costs: &[f64], v: &[f64]) {
        let (mut slot, found) = self.slot(line);
        slot.refresh(line, costs, v, found);
    }

    /// The shortlist of a line, and room for its refresh.
    pub fn slot(&mut self, line: usize) -> (Slot<'_>, &mut Vec<(f64, Entry)>) {
        let slot = Slot {
            entries: &mut self.entries[line * CAPACITY..][..CAPACITY],
            length: &mut self.lengths[line],
            rest: &mut self.rest[line],
            width: &mut self.width[line],
        };
        (slot, &mut self.found)
    }

    /// The shortlists apart from one another, in the order of the lines.
    pub fn slots(&mut self) -> impl IndexedParallelIterator<Item = Slot<'_>> {
        let lists = self.entries.par_chunks_mut(CAPACITY).zip(&mut self.lengths);
        let bounds = self.rest.par_iter_mut().zip(&mut self.width);
        lists.zip(bounds).map(|((entries, length), (rest, width))| Slot { entries, length, rest, width })
    }
}

/// The shortlist of one line.
pub(super) struct Slot<'a> {
    entries: &'a mut [Entry],
    length: &'a mut u32,
    rest: &'a mut f64,
    width: &'a mut f64,
}

impl Slot<'_> {
    /// Empties S_l for new costs, with what the next [`refresh`](Self::refresh) needs to know; returns min_k c_lk −
    /// v_k. One pass.
    pub fn renew(&mut self, costs: &[f64], v: &[f64]) -> f64 {
        let (smallest, threshold) = kernel::smallest_and_threshold(costs, v, RANK);
        *self.length = 0;
        *self.rest = smallest;
        *self.width = threshold - smallest;
        smallest
    }

    /// As [`Shortlists::refresh`]; `found` is room.
    pub fn refresh(&mut self, line: usize, costs: &[f64], v: &[f64], found: &mut Vec<(f64, Entry)>) {
        // As far beyond the old bound as the old list reached: mostly a good guess, and saves a pass.
        let guess = *self.rest + *self.width;
        if !(guess.is_finite() && self.try_refresh(line, costs, v, guess, ENOUGH, found)) {
            // Forbidden entries stay out of the list even when there are few others.
            let (_, threshold) = kernel::smallest_and_threshold(costs, v, RANK);
            self.try_refresh(line, costs, v, threshold.min(f64::MAX), 0, found);
        }
    }

    /// The entries below the threshold, if they are as many as required.
    fn try_refresh(
        &mut self,
        line: usize,
        costs: &[f64],
        v: &[f64],
        mut threshold: f64,
        required: usize,
        found: &mut Vec<(f64, Entry)>,
    ) -> bool {
        let mut above = f64::INFINITY;
        found.clear();
        // Each line starts elsewhere: else equal costs would give every line the same shortlist.
        let start = line.wrapping_mul(0x9E37_79B9) % costs.len();
        for part in [start..costs.len(), 0..start] {
            let mut first = part.start;
            while first < part.end {
                let last = part.end.min(first + SEGMENT);
                let others = kernel::collect(&costs[first..last], &v[first..last], threshold, first, found);
                above = above.min(others);
                if found.len() >= 4 * CAPACITY {
                    above = above.min(cut(found));
                    threshold = threshold.min(above.next_down());
                }
                first = last;
            }
        }
        if found.len() < required {
            return false;
        }
        let smallest = found.iter().fold(f64::INFINITY, |a, b| a.min(b.0));
        if found.len() > CAPACITY {
            above = above.min(cut(found));
        }
        *self.width = above - smallest;
        self.entries.iter_mut().zip(found.iter()).for_each(|(slot, (_, entry))| *slot = *entry);
        *self.length = found.len() as u32;
        *self.rest = above;
        true
    }
}

/// Leaves only the smallest of what was found; returns the least of the others.
fn cut(found: &mut Vec<(f64, Entry)>) -> f64 {
    let (_, least, _) = found.select_nth_unstable_by(CAPACITY, |a, b| a.0.total_cmp(&b.0));
    let least = least.0;
    found.truncate(CAPACITY);
    least
}
