//! The penalty on the polytope of injections, whose rows may have something left.

use crate::columns::{BLOCK, map_blocks};
use nalgebra::DMatrix;

/// Euclidean norms of the columns of an N × m matrix X with column sums 1 and row sums ≤ 1, and of its rows, each
/// extended by its slack s_j = 1 − Σ_i X_ji ≥ 0.
///
/// P(X) = Σ_i (1 − ‖X_:i‖₂) + Σ_j (1 − ‖(X_j:, s_j)‖₂) ≥ 0 is concave there, and 0 exactly at the injections:
/// [T6](crate::mathematics#t6-injections). With the slack put into equal columns m, …, N − 1 it would be P of the
/// padded matrix but for those columns, which are never hard.
#[derive(Debug, Clone, PartialEq)]
pub struct SlackNorms {
    /// ‖X_:i‖₂.
    pub columns: Vec<f64>,
    /// ‖(X_j:, s_j)‖₂.
    pub rows: Vec<f64>,
    /// s_j, at least 0.
    pub slack: Vec<f64>,
}

impl SlackNorms {
    /// The norms of `x`. O(entries).
    pub fn of(x: &DMatrix<f64>) -> Self {
        let rows = x.nrows();
        let blocks = x.as_slice().chunks(BLOCK * rows.max(1));
        Self::sum_up(rows, blocks.map(|entries| Sums::of(entries, rows)))
    }

    pub(super) fn sum_up(rows: usize, blocks: impl IntoIterator<Item = Sums>) -> Self {
        let mut norms = SlackNorms { columns: vec![], rows: vec![0.0; rows], slack: vec![1.0; rows] };
        for block in blocks {
            norms.rows.iter_mut().zip(block.squares).for_each(|(row, squares)| *row += squares);
            norms.slack.iter_mut().zip(block.sums).for_each(|(slack, sum)| *slack -= sum);
            norms.columns.extend(block.columns);
        }
        for (row, slack) in norms.rows.iter_mut().zip(&mut norms.slack) {
            *slack = slack.max(0.0);
            *row = (*row + *slack * *slack).sqrt();
        }
        norms.columns.iter_mut().for_each(|norm| *norm = norm.sqrt());
        norms
    }

    /// Σ_i (1 − ‖X_:i‖₂), the part of P that bounds the distance to the injections.
    pub fn column_deficit(&self) -> f64 {
        self.columns.iter().map(|norm| 1.0 - norm).sum()
    }

    /// P(X).
    pub fn penalty(&self) -> f64 {
        self.column_deficit() + self.rows.iter().map(|norm| 1.0 - norm).sum::<f64>()
    }

    /// `total` ← G + λ∇P(X) up to a constant in each column, which no injection can see; returns its inner product with
    /// X, and ⟨G, X⟩.
    ///
    /// ∂P/∂X_ji = −X_ji/‖X_:i‖ − (X_ji − s_j)/‖(X_j:, s_j)‖. These are the norms of X.
    pub(crate) fn total_gradient(
        &self,
        weight: f64,
        x: &DMatrix<f64>,
        gradient: &DMatrix<f64>,
        total: &mut DMatrix<f64>,
    ) -> (f64, f64) {
        let rows = x.nrows();
        let by_row: Vec<f64> = self.rows.iter().map(|norm| weight / norm).collect();
        let shift: Vec<f64> = by_row.iter().zip(&self.slack).map(|(inverse, slack)| inverse * slack).collect();
        let by_block = map_blocks(total, |columns, total| {
            let (mut of_total, mut of_gradient) = (0.0, 0.0);
            for (i, total) in columns.zip(total.chunks_exact_mut(rows)) {
                let by_column = weight / self.columns[i];
                let entries = i * rows..(i + 1) * rows;
                let (x, gradient) = (&x.as_slice()[entries.clone()], &gradient.as_slice()[entries]);
                let factors = by_row.iter().zip(&shift);
                let (mut column_total, mut column_gradient) = (0.0, 0.0);
                for (((total, x), gradient), (factor, shift)) in total.iter_mut().zip(x).zip(gradient).zip(factors) {
                    *total = gradient - x * (by_column + factor) + shift;
                    column_total += *total * x;
                    column_gradient += gradient * x;
                }
                of_total += column_total;
                of_gradient += column_gradient;
            }
            (of_total, of_gradient)
        });
        by_block.iter().fold((0.0, 0.0), |(total, gradient), block| (total + block.0, gradient + block.1))
    }

    /// P and its slope on the segment from X to the injection with this image, in O(N + m) a point: t ↦ (P, dP/dt) at
    /// (1 − t)X + tQ. These are the norms of X.
    pub(crate) fn along(&self, image: &[usize], x: &DMatrix<f64>) -> impl Fn(f64) -> (f64, f64) {
        // With a = ‖v‖² and b = ⟨v, q⟩, q a unit vector: ‖(1 − t)v + tq‖² = (1 − t)²a + 2t(1 − t)b + t².
        let columns = self.columns.iter().enumerate().map(|(i, norm)| (norm * norm, x[(image[i], i)]));
        let mut lines: Vec<(f64, f64)> = columns.collect();
        let rows = lines.len();
        lines.extend(self.rows.iter().zip(&self.slack).map(|(norm, &slack)| (norm * norm, slack)));
        image.iter().enumerate().for_each(|(i, &j)| lines[rows + j].1 = x[(j, i)]);
        move |t| {
            lines.iter().fold((0.0, 0.0), |(value, slope), &(a, b)| {
                let norm = ((1.0 - t) * ((1.0 - t) * a + 2.0 * t * b) + t * t).max(0.0).sqrt();
                let half = (t - 1.0) * a + (1.0 - 2.0 * t) * b + t;
                (value + 1.0 - norm, if norm > 0.0 { slope - half / norm } else { slope })
            })
        }
    }
}

/// Sums and squares in a block of columns.
pub(super) struct Sums {
    squares: Vec<f64>,
    sums: Vec<f64>,
    /// Squares of the columns.
    columns: Vec<f64>,
}

impl Sums {
    pub(super) fn of(entries: &[f64], rows: usize) -> Self {
        let mut sums = Sums { squares: vec![0.0; rows], sums: vec![0.0; rows], columns: vec![] };
        for column in entries.chunks_exact(rows.max(1)) {
            let mut of_column = 0.0;
            for ((squares, sum), x) in sums.squares.iter_mut().zip(&mut sums.sums).zip(column) {
                let square = x * x;
                *squares += square;
                *sum += x;
                of_column += square;
            }
            sums.columns.push(of_column);
        }
        sums
    }
}
