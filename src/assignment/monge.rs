//! Costs of one kind that is hard for every search, and easy by sorting: Monge matrices.

use nalgebra::DMatrix;

/// How many pairs of rows are tried for one whose difference tells the columns apart.
const ATTEMPTS: usize = 8;

/// So many rows and columns are looked at first: enough to rule out nearly all costs of other kinds.
const SAMPLE: usize = 8;

/// What rounding may have done to the differences, relative to the largest entry met.
const ROUNDING: f64 = 1e-12;

/// Orders of the rows and the columns in which c is a Monge matrix: c\[i, j\] + c\[i+1, j+1\] ≤ c\[i, j+1\] + c\[i+1,
/// j\].
///
/// Then the diagonal is optimal (Hoffman 1963). Gradients at the barycenter are like that: a row term, a column term
/// and −a_i·b_j with the vertices' degrees a and b, so that to sort is to pair the degrees; the many ties among these
/// make the paths of any other start long.
pub(crate) struct MongeOrder<'a> {
    cost: &'a DMatrix<f64>,
    rows: Vec<usize>,
    columns: Vec<usize>,
    /// What the rows, and the columns, are sorted by.
    row_keys: Vec<f64>,
    column_keys: Vec<f64>,
    rounding: f64,
}

impl<'a> MongeOrder<'a> {
    /// The orders, if there are such. The inequality is tested along the diagonal and on O(n) further places, so they
    /// are very likely, but not proved, to be right. O(n log n).
    pub fn of(cost: &'a DMatrix<f64>) -> Option<Self> {
        let n = cost.nrows();
        if n < 2 || n > 4 * SAMPLE && !may_be_monge(cost) {
            return None;
        }
        let by_columns = |(first, last): (usize, usize)| -> Vec<f64> {
            (0..n).map(|i| cost[(i, first)] - cost[(i, last)]).collect()
        };
        let by_rows = |(first, last): (usize, usize)| -> Vec<f64> {
            (0..n).map(|j| cost[(first, j)] - cost[(last, j)]).collect()
        };
        // Differences of two lines that lie far apart tell the others apart best.
        let some_columns = (1..=ATTEMPTS).find_map(|k| ends(&by_rows((0, k * (n - 1) / ATTEMPTS))))?;
        let column_keys = by_rows(ends(&by_columns(some_columns))?);
        let row_keys = by_columns(ends(&column_keys)?);
        let (rows, columns) = (order(&row_keys), order(&column_keys));
        let largest = (0..n).fold(0.0_f64, |largest, k| largest.max(cost[(rows[k], columns[k])].abs()));
        // A forbidden pair on the diagonal leaves nothing to compare with, nor to start from.
        if largest == f64::INFINITY {
            return None;
        }
        let order = MongeOrder { cost, rows, columns, row_keys, column_keys, rounding: ROUNDING * largest };
        let elsewhere = |k: usize| (k.wrapping_mul(0x9E37_79B9) >> 7) % (n - 1);
        let holds = |k: usize| {
            let l = elsewhere(k);
            order.holds(k - 1, k, k - 1, k) && order.holds(k - 1, k, l, l + 1) && order.holds(0, k, l, l + 1)
        };
        (1..n).all(holds).then_some(order)
    }

    /// The entry in row number k and column number l of the orders.
    fn entry(&self, k: usize, l: usize) -> f64 {
        self.cost[(self.rows[k], self.columns[l])]
    }

    fn holds(&self, k: usize, next_k: usize, l: usize, next_l: usize) -> bool {
        let (straight, crossed) =
            (self.entry(k, l) + self.entry(next_k, next_l), self.entry(k, next_l) + self.entry(next_k, l));
        straight <= crossed + self.rounding
    }

    /// The diagonal as the column of each row, and row duals that prove it.
    pub fn assignment(&self) -> (Vec<f64>, Vec<usize>) {
        let n = self.rows.len();
        let (mut row_duals, mut columns) = (vec![0.0; n], vec![0; n]);
        let mut dual = 0.0;
        for k in 0..n {
            if k > 0 {
                // Between the two differences column k prefers row k, and column k − 1 row k − 1.
                let preferred = self.entry(k, k) - self.entry(k - 1, k);
                dual += 0.5 * (preferred + self.entry(k, k - 1) - self.entry(k - 1, k - 1));
            }
            row_duals[self.rows[k]] = dual;
            columns[self.rows[k]] = self.columns[k];
        }
        (row_duals, columns)
    }

    /// The mean of the diagonals of all orders that differ in how ties are broken: a minimizer of ⟨c, X⟩ over D_n that
    /// depends on no numbering. A point of low rank: constant on blocks of tied rows and columns. None if there are no
    /// ties. O(n²).
    pub fn center(&self) -> Option<DMatrix<f64>> {
        let n = self.rows.len();
        let (of_row, of_column) = (self.ties(&self.rows, &self.row_keys), self.ties(&self.columns, &self.column_keys));
        if of_row.iter().chain(&of_column).all(|range| range.len() == 1) {
            return None;
        }
        let mut center = DMatrix::zeros(n, n);
        for (l, columns) in of_column.iter().enumerate() {
            let mut column = center.column_mut(self.columns[l]);
            let mut k = columns.start;
            while k < columns.end {
                // Rows number k, … are tied, and the diagonal puts those before `end` on the columns of the same
                // numbers.
                let rows = &of_row[k];
                let (end, share) = (rows.end.min(columns.end), 1.0 / (rows.len() * columns.len()) as f64);
                let shares = (k..end).fold(0.0, |sum, _| sum + share);
                rows.clone().for_each(|k| column[self.rows[k]] = shares);
                k = end;
            }
        }
        Some(center)
    }

    /// For each number in the order the range of numbers with the same key.
    fn ties(&self, order: &[usize], keys: &[f64]) -> Vec<std::ops::Range<usize>> {
        let groups = order.chunk_by(|&i, &j| keys[j] - keys[i] <= self.rounding);
        let mut start = 0;
        let ranges = groups.flat_map(|group| {
            let range = start..start + group.len();
            start = range.end;
            std::iter::repeat_n(range, group.len())
        });
        ranges.collect()
    }
}

/// Whether some rows and columns of c can be sorted, or are too much alike to tell. O(1).
fn may_be_monge(cost: &DMatrix<f64>) -> bool {
    let stride = cost.nrows() / SAMPLE;
    let sample = DMatrix::from_fn(SAMPLE, SAMPLE, |i, j| cost[(i * stride, j * stride)]);
    let alike =
        (0..SAMPLE).all(|i| ends(&(0..SAMPLE).map(|j| sample[(0, j)] - sample[(i, j)]).collect::<Vec<_>>()).is_none());
    alike || MongeOrder::of(&sample).is_some()
}

/// Where the least and the greatest value stand, if all are finite and they differ.
fn ends(values: &[f64]) -> Option<(usize, usize)> {
    let least = (0..values.len()).min_by(|&i, &j| values[i].total_cmp(&values[j]))?;
    let greatest = (0..values.len()).max_by(|&i, &j| values[i].total_cmp(&values[j]))?;
    let differ = values[least] < values[greatest] && values.iter().all(|value| value.is_finite());
    differ.then_some((least, greatest))
}

fn order(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignment::AssignmentSolver;
    use crate::polytope::residual;

    /// −a_i·b_j with a row and a column term, many ties, in no order.
    fn degrees(n: usize) -> DMatrix<f64> {
        let degree = |i: usize, stride: usize| ((i * stride) % 7) as f64;
        DMatrix::from_fn(n, n, |i, j| {
            degree(i, 5) * degree(i, 3) + 0.5 * degree(j, 2) - degree(i, 5) * degree(j, 11) / 3.0
        })
    }

    #[test]
    fn a_product_of_degrees_is_solved_by_sorting() {
        for n in [10, 20, 50] {
            let cost = degrees(n);
            let order = MongeOrder::of(&cost).unwrap();
            let mut solver = AssignmentSolver::new();
            solver.solve(&cost).unwrap();
            assert_eq!(solver.augmented(), 0);
            let exact = crate::assignment::solve_rectangular(&cost).unwrap().value;
            assert!((solver.value() - exact).abs() < 1e-9, "{} {exact}", solver.value());
            let center = order.center().unwrap();
            assert!(residual(&center) < 1e-12);
            assert!((center.dot(&cost) - exact).abs() < 1e-9, "the center is optimal, too");
        }
    }

    #[test]
    fn the_center_follows_a_renumbering() {
        let n = 30;
        let cost = degrees(n);
        let (rows, columns): (Vec<_>, Vec<_>) = (0..n).map(|i| (i * 7 % n, i * 11 % n)).unzip();
        let moved = DMatrix::from_fn(n, n, |i, j| cost[(rows[i], columns[j])]);
        let (center, center_moved) =
            (MongeOrder::of(&cost).unwrap().center(), MongeOrder::of(&moved).unwrap().center());
        let (center, center_moved) = (center.unwrap(), center_moved.unwrap());
        let expected = DMatrix::from_fn(n, n, |i, j| center[(rows[i], columns[j])]);
        assert!((expected - center_moved).amax() < 1e-12);
    }

    #[test]
    fn other_costs_are_left_alone() {
        let scattered = DMatrix::from_fn(20, 20, |i, j| ((i * 7 + j * 13 + i * j * 5) % 17) as f64);
        assert!(MongeOrder::of(&scattered).is_none());
        assert!(MongeOrder::of(&DMatrix::zeros(5, 5)).is_none());
        assert!(MongeOrder::of(&DMatrix::zeros(0, 0)).is_none() && MongeOrder::of(&DMatrix::zeros(1, 1)).is_none());
        let forbidden = DMatrix::from_fn(4, 4, |i, j| if i == j { f64::INFINITY } else { (i * j) as f64 });
        assert!(MongeOrder::of(&forbidden).is_none());
    }
}
