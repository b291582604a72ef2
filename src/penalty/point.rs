//! A point of a polytope, and how it moves.

use super::{Norms, SlackNorms, Squares, slack};
use crate::columns::map_blocks;
use nalgebra::DMatrix;
use serde::{Serialize, Serializer};
use std::ops::{Deref, Range};

/// A matrix X with the norms that a penalty asks of it: those of its rows and columns, with or without slack.
///
/// It is read like the matrix that it is. Nothing but its methods moves X, and they take the norms along, so that these
/// are always X's.
#[derive(Debug, Clone, Default)]
pub struct Point {
    x: DMatrix<f64>,
    norms: Known,
}

/// The norms that are known; they are X's.
#[derive(Debug, Clone, Default)]
enum Known {
    #[default]
    Nothing,
    Norms(Norms),
    SlackNorms(SlackNorms),
}

impl Point {
    /// X.
    pub fn into_matrix(self) -> DMatrix<f64> {
        self.x
    }

    /// X with its norms: O(entries) where they are not known.
    pub(crate) fn with_norms(&mut self) -> (&DMatrix<f64>, &Norms) {
        if !matches!(self.norms, Known::Norms(_)) {
            self.norms = Known::Norms(Norms::of(&self.x));
        }
        let Known::Norms(norms) = &self.norms else { unreachable!("set above") };
        (&self.x, norms)
    }

    /// X with its norms with slack: O(entries) where they are not known.
    pub(crate) fn with_slack_norms(&mut self) -> (&DMatrix<f64>, &SlackNorms) {
        if !matches!(self.norms, Known::SlackNorms(_)) {
            self.norms = Known::SlackNorms(SlackNorms::of(&self.x));
        }
        let Known::SlackNorms(norms) = &self.norms else { unreachable!("set above") };
        (&self.x, norms)
    }

    /// X ← (1 − t)X + tQ, the 1 of column j of Q in row `rows[j]`. One pass, the norms included: they are to the bit
    /// those of the new X.
    pub(crate) fn move_to_vertex(&mut self, rows: &[usize], t: f64) {
        let (height, x) = (self.x.nrows(), &mut self.x);
        let step = |columns: Range<usize>, entries: &mut [f64]| {
            entries.iter_mut().for_each(|entry| *entry *= 1.0 - t);
            columns.zip(entries.chunks_exact_mut(height)).for_each(|(j, column)| column[rows[j]] += t);
        };
        match &mut self.norms {
            Known::Nothing => drop(map_blocks(x, step)),
            Known::Norms(norms) => {
                let squares = map_blocks(x, |columns, entries| {
                    step(columns, entries);
                    Squares::of(entries, height)
                });
                *norms = Norms::sum_up(height, squares);
            }
            Known::SlackNorms(norms) => {
                let sums = map_blocks(x, |columns, entries| {
                    step(columns, entries);
                    slack::Sums::of(entries, height)
                });
                *norms = SlackNorms::sum_up(height, sums);
            }
        }
    }

    /// X ← (1 − t)X + tY.
    pub(crate) fn move_to(&mut self, y: &DMatrix<f64>, t: f64) {
        self.norms = Known::Nothing;
        self.x.zip_apply(y, |x, y| *x = (1.0 - t) * *x + t * y);
    }
}

impl From<DMatrix<f64>> for Point {
    fn from(x: DMatrix<f64>) -> Self {
        Point { x, norms: Known::Nothing }
    }
}

impl Deref for Point {
    type Target = DMatrix<f64>;

    fn deref(&self) -> &DMatrix<f64> {
        &self.x
    }
}

/// Of X.
impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.x == other.x
    }
}

/// As the matrix: norms are computed anew.
impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.x.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_are_those_of_the_point_wherever_it_moves() {
        for (height, width, rows) in [(3, 3, vec![2, 0, 1]), (70, 70, (0..70).rev().collect()), (5, 2, vec![4, 1])] {
            let entry = |i: usize, j: usize| ((i * 7 + j * 5) % 11) as f64 / (6 * height) as f64;
            let (x, y) = (DMatrix::from_fn(height, width, entry), DMatrix::from_fn(height, width, |i, j| entry(j, i)));
            for keeps_slack in [false, true] {
                let mut point = Point::from(x.clone());
                let mut expected = x.clone();
                for (step, t) in [0.25, 0.5, 0.0].into_iter().enumerate() {
                    if keeps_slack {
                        assert_eq!(*point.with_slack_norms().1, SlackNorms::of(&expected));
                    } else {
                        assert_eq!(*point.with_norms().1, Norms::of(&expected));
                    }
                    if step == 1 {
                        point.move_to(&y, t);
                        expected = &expected * (1.0 - t) + &y * t;
                    } else {
                        point.move_to_vertex(&rows, t);
                        expected *= 1.0 - t;
                        rows.iter().enumerate().for_each(|(j, &i)| expected[(i, j)] += t);
                    }
                    assert_eq!(*point, expected);
                }
                assert_eq!(*point.with_norms().1, Norms::of(&expected));
            }
        }
    }
}
