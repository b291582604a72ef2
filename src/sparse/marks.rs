//! A row of a graph that is looked up many times.

use crate::assignment::NONE;
use crate::graph::Graph;

/// Room for the weights of a row, by column; all 0 between rows.
#[derive(Default)]
pub(super) struct Marks(Vec<f64>);

/// A row is marked unless it is so many times as long as what is looked up: then bisection takes less.
const LONG: usize = 8;

impl Marks {
    pub fn new(columns: usize) -> Self {
        Marks(vec![0.0; columns])
    }

    /// Row j of `graph`, or none for [`NONE`], to be looked up about so many times.
    pub fn row<'a>(&'a mut self, graph: &'a Graph, j: u32, lookups: usize) -> MarkedRow<'a> {
        let (columns, weights) = if j == NONE { (&[][..], &[][..]) } else { graph.neighbours(j as usize) };
        let is_marked = columns.len() <= LONG * lookups;
        if is_marked {
            columns.iter().zip(weights).for_each(|(&l, &weight)| self.0[l] = weight);
        }
        MarkedRow { marks: &mut self.0, columns, weights, is_marked }
    }
}

pub(super) struct MarkedRow<'a> {
    marks: &'a mut [f64],
    columns: &'a [usize],
    weights: &'a [f64],
    is_marked: bool,
}

impl MarkedRow<'_> {
    /// The weight in column l: 0 where there is none, and for [`NONE`].
    #[inline]
    pub fn weight(&self, l: u32) -> f64 {
        match l {
            NONE => 0.0,
            _ if self.is_marked => self.marks[l as usize],
            _ => self.columns.binary_search(&(l as usize)).map_or(0.0, |place| self.weights[place]),
        }
    }
}

impl Drop for MarkedRow<'_> {
    fn drop(&mut self) {
        if self.is_marked {
            self.columns.iter().for_each(|&l| self.marks[l] = 0.0);
        }
    }
}
