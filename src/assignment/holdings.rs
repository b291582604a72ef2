//! Lines that hold places: the costs, and who holds what at which price.

/// No place, or no line: a row or a column without a partner.
pub const NONE: u32 = u32::MAX;

/// One entry c_lk of a line l.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub cost: f64,
    pub place: u32,
}

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

/// Who holds what at which price.
#[derive(Debug, Clone, Default)]
pub(super) struct Holdings {
    /// v_k of each place; it only falls.
    pub v: Vec<f64>,
    /// The line that holds the place, or [`NONE`].
    pub line_of: Vec<u32>,
    /// The place that the line holds, or [`NONE`].
    pub place_of: Vec<u32>,
    /// c_lk at the place k that the line l holds.
    pub cost: Vec<f64>,
}

impl Holdings {
    pub fn assign(&mut self, line: u32, place: u32, cost: f64) {
        self.line_of[place as usize] = line;
        self.place_of[line as usize] = place;
        self.cost[line as usize] = cost;
    }

    pub fn release(&mut self, line: usize) {
        let place = self.place_of[line];
        if place != NONE {
            self.line_of[place as usize] = NONE;
            self.place_of[line] = NONE;
        }
    }
}
