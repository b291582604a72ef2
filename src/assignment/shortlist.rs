//! Shortlists: for each line of the cost matrix the few entries of smallest reduced cost, and a bound on the rest.

/// How many entries a shortlist holds at most.
pub(super) const CAPACITY: usize = 16;

/// Entries are grouped by so many at most; the minimum of each group is found first, vectorized.
const BLOCK: usize = 16;

/// No place, or no line.
pub(super) const NONE: u32 = u32::MAX;

/// One entry c_lk of the shortlist of a line l.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub cost: f64,
    pub place: u32,
}

/// For each line l a set S_l of at most [`CAPACITY`] places, and `rest[l]` ≤ c_lk − v_k for every k outside S_l.
///
/// The bound is taken at the v of the refresh, and holds ever after, since v only falls (and rounding is monotone).
#[derive(Debug, Clone, Default)]
pub(super) struct Shortlists {
    entries: Vec<Entry>,
    lengths: Vec<u32>,
    rest: Vec<f64>,
    minima: Vec<f64>,
    found: Vec<(f64, Entry)>,
}

impl Shortlists {
    /// Empty shortlists, whose bound −∞ asks for a refresh at the first use.
    pub fn clear(&mut self, lines: usize) {
        self.entries.resize(lines * CAPACITY, Entry { cost: 0.0, place: NONE });
        self.lengths.clear();
        self.lengths.resize(lines, 0);
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

    /// Makes S_l the places of smallest c_lk − v_k; `costs` is the line c_l. O(places).
    pub fn refresh(&mut self, line: usize, costs: &[f64], v: &[f64]) {
        self.minima.clear();
        self.minima.extend(costs.chunks(BLOCK).zip(v.chunks(BLOCK)).map(|(c, v)| block_minimum(c, v)));

        // At least CAPACITY entries are ≤ the CAPACITY-th smallest minimum; on random data not many more.
        let mut threshold = if self.minima.len() > CAPACITY { smallest(&self.minima) } else { f64::INFINITY };
        let mut above = f64::INFINITY;
        self.found.clear();
        let blocks = self.minima.len();
        // Each line starts elsewhere: else equal costs would give every line the same shortlist.
        let start = line.wrapping_mul(0x9E37_79B9) % blocks;
        for block in (start..blocks).chain(0..start) {
            if self.minima[block] > threshold {
                above = above.min(self.minima[block]);
                continue;
            }
            let first = block * BLOCK;
            let last = (first + BLOCK).min(costs.len());
            for k in first..last {
                let cost = costs[k];
                let value = cost - v[k];
                if value > threshold || value == f64::INFINITY {
                    above = above.min(value);
                } else {
                    self.found.push((value, Entry { cost, place: k as u32 }));
                }
            }
            if self.found.len() >= 4 * CAPACITY {
                let (_, cut, _) = self.found.select_nth_unstable_by(CAPACITY, |a, b| a.0.total_cmp(&b.0));
                above = above.min(cut.0);
                self.found.truncate(CAPACITY);
                threshold = threshold.min(above.next_down());
            }
        }
        if self.found.len() > CAPACITY {
            let (_, cut, _) = self.found.select_nth_unstable_by(CAPACITY, |a, b| a.0.total_cmp(&b.0));
            above = above.min(cut.0);
            self.found.truncate(CAPACITY);
        }
        for (slot, (_, entry)) in self.entries[line * CAPACITY..].iter_mut().zip(&self.found) {
            *slot = *entry;
        }
        self.lengths[line] = self.found.len() as u32;
        self.rest[line] = above;
    }
}

/// min_k (c_k − v_k), in a form that vectorizes.
#[inline]
pub(super) fn block_minimum(costs: &[f64], v: &[f64]) -> f64 {
    let mut minima = [f64::INFINITY; 8];
    let (costs, costs_tail) = costs.as_chunks::<8>();
    let (v, v_tail) = v.as_chunks::<8>();
    for (c, v) in costs.iter().zip(v) {
        for lane in 0..8 {
            let value = c[lane] - v[lane];
            minima[lane] = if value < minima[lane] { value } else { minima[lane] };
        }
    }
    let mut minimum = f64::INFINITY;
    for (&c, &v) in costs_tail.iter().zip(v_tail) {
        minimum = minimum.min(c - v);
    }
    minima.iter().fold(minimum, |a, &b| if b < a { b } else { a })
}

/// The CAPACITY-th smallest of the values, or the largest when there are fewer.
fn smallest(values: &[f64]) -> f64 {
    let mut kept = [f64::INFINITY; CAPACITY];
    let mut length = 0;
    for &value in values {
        if length < CAPACITY || value < kept[CAPACITY - 1] {
            let mut slot = if length < CAPACITY { length } else { CAPACITY - 1 };
            length = (length + 1).min(CAPACITY);
            while slot > 0 && kept[slot - 1] > value {
                kept[slot] = kept[slot - 1];
                slot -= 1;
            }
            kept[slot] = value;
        }
    }
    kept[length.max(1) - 1]
}
