//! The solver with a memory: assignment problems that change little from one to the next.

use super::engine::Engine;
use super::holdings::{Costs, NONE};
use super::kernel::magnitude;
use super::monge::MongeOrder;
use super::{Assignment, LARGE, TOO_LARGE, inspect, scale_for};
use crate::error::{Error, Result};
use crate::permutation::Permutation;
use crate::stop::Stop;
use nalgebra::DMatrix;

/// Prices so many times as large as the largest cost are no start: duals need 4 times at most (see the
/// [module](super)).
const FAR: f64 = 8.0;

/// Solves a sequence of square assignment problems, each started from the answer to the last.
///
/// With the row duals u of the last problem and v_j = min_i (c\[i, j\] − u_i), (u, v) is feasible for *any* new matrix
/// c; the columns whose last entry attains the minimum keep their row, the others are assigned along shortest
/// augmenting paths. The answer is optimal whatever the start; only the time, and the choice between several optimal
/// permutations, depend on it.
///
/// One pass over the matrix, plus O(n²) in the worst case (usually much less) for each column that has to be assigned
/// anew. O(n) memory, about 500 bytes a column, kept from one problem to the next; only costs above 2⁹⁰⁰ are copied,
/// and scaled.
///
/// Source: Jonker & Volgenant 1987, on shortlists (see the [module](super)).
///
/// ```
/// use birkhoff::assignment::AssignmentSolver;
/// use nalgebra::dmatrix;
/// let mut solver = AssignmentSolver::new();
/// solver.solve(&dmatrix![4.0, 1.0, 3.0; 2.0, 0.0, 5.0; 3.0, 2.0, 2.0])?;
/// assert_eq!((solver.columns(), solver.value()), (&[1, 0, 2][..], 5.0));
/// solver.solve(&dmatrix![4.0, 1.0, 3.0; 2.0, 0.5, 5.0; 3.0, 2.0, 2.5])?;
/// assert_eq!(solver.value(), 5.5);
/// assert!(solver.augmented() < 3);
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[doc(alias = "hungarian")]
#[doc(alias = "jonker")]
#[doc(alias = "volgenant")]
#[doc(alias = "lapjv")]
#[doc(alias = "lap")]
#[derive(Debug, Clone, Default)]
pub struct AssignmentSolver {
    // A line is a column of the matrix, which nalgebra stores contiguously; a place is a row.
    engine: Engine,
    /// Whether the engine holds the answer to the last problem.
    warm: bool,
    columns: Vec<usize>,
    column_duals: Vec<f64>,
    value: f64,
    augmented: usize,
    scaled: Vec<f64>,
}

impl AssignmentSolver {
    /// A solver that has solved nothing yet.
    pub fn new() -> Self {
        AssignmentSolver::default()
    }

    /// Minimizes Σ_i c\[i, p(i)\] over the permutations p, starting from the last answer when the size is the same.
    ///
    /// Same requirements as [`solve`](super::solve).
    ///
    /// # Errors
    /// As [`solve`](super::solve); the solver then forgets all.
    pub fn solve(&mut self, cost: &DMatrix<f64>) -> Result<()> {
        self.solve_within(cost, 0.0)
    }

    /// As [`solve`](Self::solve), to a value at most `tolerance` above the least; a cold start is exact all the same.
    ///
    /// The duals are feasible, and prove it: Σ u + Σ v ≥ value − tolerance. Where many rows compete for the same
    /// columns this takes a fraction of the time, as a price then falls by at least tolerance/n whenever a column
    /// changes hands (Bertsekas 1988).
    ///
    /// # Errors
    /// As [`solve`](super::solve), and [`Error::Argument`] unless 0 ≤ tolerance < ∞.
    pub fn solve_within(&mut self, cost: &DMatrix<f64>, tolerance: f64) -> Result<()> {
        self.solve_until(cost, tolerance, &Stop::never()).map(drop)
    }

    /// As [`solve_within`](Self::solve_within), unless `stop` comes first. Returns whether it did not: whether the
    /// answer is the one that was asked for.
    ///
    /// Otherwise the columns that had no row by then get what was left, each in turn the cheapest. That is a
    /// permutation all the same (of infinite value where it met a forbidden entry), the duals are feasible, and value −
    /// Σ u − Σ v bounds what it lacks. Takes at most a few passes over the matrix once `stop` is reached.
    ///
    /// # Errors
    /// As [`solve_within`](Self::solve_within).
    pub fn solve_until(&mut self, cost: &DMatrix<f64>, tolerance: f64, stop: &Stop) -> Result<bool> {
        if !(0.0..f64::INFINITY).contains(&tolerance) {
            return Err(Error::argument("tolerance", format!("{tolerance}; it must be finite and not negative")));
        }
        let (n, columns) = cost.shape();
        if n != columns {
            self.reset();
            return Err(Error::shape("cost", "a square matrix", format!("{n} x {columns}")));
        }
        if n != self.columns.len() {
            self.engine.resize(n, n);
            self.warm = false;
            self.columns.clear();
            self.columns.resize(n, 0);
            self.column_duals.resize(n, 0.0);
        }
        if !self.warm
            && let Some(order) = MongeOrder::of(cost)
        {
            let (row_duals, columns) = order.assignment();
            // Forbidden pairs beside the diagonal leave no prices.
            if row_duals.iter().all(|dual| dual.is_finite()) {
                self.start_from(&row_duals, &columns);
            }
        }
        self.engine.stop = stop.clone();
        let solved = self.solve_square(cost, tolerance / n.max(1) as f64);
        self.engine.stop = Stop::never();
        self.warm = solved.is_ok();
        if !self.warm {
            self.reset();
        }
        solved
    }

    /// Whether it was solved, not stopped.
    fn solve_square(&mut self, cost: &DMatrix<f64>, mut slack: f64) -> Result<bool> {
        let n = cost.nrows();
        let costs = Costs::new(cost.as_slice(), n);
        // One pass over the matrix, as memory is what it waits for: prepares the start, and sees whether entries need a
        // look.
        let mut largest_sum = if self.warm { self.engine.measure(costs) } else { self.engine.reduce_columns(costs) };
        let mut largest = 0.0_f64;
        let needs_a_look = largest_sum > LARGE;
        if needs_a_look {
            largest_sum = 0.0;
            for column in 0..n {
                let line = costs.line(column);
                let sum = magnitude(line);
                if sum <= LARGE {
                    largest_sum = largest_sum.max(sum);
                } else {
                    largest = largest.max(inspect(line, |row| (row, column))?);
                }
            }
        }

        let scale = scale_for(largest);
        // Nothing is further from the least value than this, a line.
        slack = slack.min(2.0 * largest_sum.max(n as f64 * largest));
        let starts_warm = self.warm && scale == 1.0 && self.prices_suit(cost, needs_a_look);
        let complete = if starts_warm {
            let (moved, complete) = self.engine.solve_warm(costs, slack);
            self.augmented = moved;
            complete
        } else if scale != 1.0 {
            slack = 0.0;
            self.solve_scaled(cost, scale)
        } else {
            slack = 0.0;
            if self.warm {
                self.engine.reduce_columns(costs);
            }
            self.augmented = n;
            self.engine.solve_cold(costs)
        };
        let first_free = self.engine.holdings.line_of.iter().position(|&line| line == NONE);
        match first_free {
            Some(row) if !complete => return Err(Error::Infeasible { row }),
            Some(_) => self.finish_early(cost),
            None => self.finish(cost, slack),
        }
        let duals = self.engine.holdings.v.iter().chain(&self.column_duals);
        if first_free.is_none() && duals.chain([&self.value]).any(|number| !number.is_finite()) {
            return Err(Error::argument("cost", TOO_LARGE));
        }
        Ok(first_free.is_none())
    }

    /// Whether the last prices are small enough for the new costs: far larger ones would swallow the costs in rounding.
    /// Mostly the first costs tell.
    fn prices_suit(&self, cost: &DMatrix<f64>, may_forbid: bool) -> bool {
        let largest = self.engine.holdings.v.iter().fold(0.0_f64, |largest, v| largest.max(v.abs()));
        // With forbidden pairs, duals may have to add up costs along a path through all lines.
        let needed = largest / if may_forbid { FAR * cost.nrows() as f64 } else { FAR };
        largest == 0.0 || cost.iter().any(|c| c.abs() >= needed && c.is_finite())
    }

    /// A cold start on a copy of the costs, times a power of two.
    fn solve_scaled(&mut self, cost: &DMatrix<f64>, scale: f64) -> bool {
        let n = cost.nrows();
        self.scaled.clear();
        self.scaled.extend(cost.iter().map(|c| c * scale));
        let costs = Costs::new(&self.scaled, n);
        self.engine.reduce_columns(costs);
        self.augmented = n;
        let complete = self.engine.solve_cold(costs);
        // Centered first: prices far from 0 would overflow.
        self.engine.center_prices();
        self.engine.holdings.v.iter_mut().for_each(|v| *v /= scale);
        complete
    }

    /// Writes the answer in terms of rows and columns.
    fn finish(&mut self, cost: &DMatrix<f64>, slack: f64) {
        self.engine.center_prices();
        self.value = 0.0;
        for (row, &line) in self.engine.holdings.line_of.iter().enumerate() {
            let column = line as usize;
            let entry = cost[(row, column)];
            self.value += entry;
            self.columns[row] = column;
            self.column_duals[column] = entry - self.engine.holdings.v[row] - slack;
        }
    }

    /// The same where lines were left free.
    fn finish_early(&mut self, cost: &DMatrix<f64>) {
        let costs = Costs::new(cost.as_slice(), cost.nrows());
        self.engine.assign_the_rest(costs);
        self.finish(cost, 0.0);
        for (column, dual) in self.column_duals.iter_mut().enumerate() {
            *dual = self.engine.line_dual(column, costs);
        }
    }

    /// p(0), …, p(n−1) of the last problem: the column of each row.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Σ_i c\[i, p(i)\] of the last problem.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// u of the last problem: u_i + v_j ≤ c\[i, j\], with equality where j = p(i) (up to tolerance/n, if there was
    /// one).
    pub fn row_duals(&self) -> &[f64] {
        &self.engine.holdings.v
    }

    /// v of the last problem, see [`row_duals`](Self::row_duals).
    pub fn column_duals(&self) -> &[f64] {
        &self.column_duals
    }

    /// How many columns of the last problem could not simply keep their row; n for a cold start.
    pub fn augmented(&self) -> usize {
        self.augmented
    }

    /// The answer to the last problem as a value of its own. O(n).
    ///
    /// # Panics
    /// Never.
    pub fn assignment(&self) -> Assignment {
        Assignment {
            permutation: Permutation::new(self.columns.clone()).expect("the engine assigns each column once"),
            value: self.value,
            row_duals: self.engine.holdings.v.clone(),
            column_duals: self.column_duals.clone(),
        }
    }

    /// Forgets the last problem: the next one starts cold.
    pub fn reset(&mut self) {
        self.warm = false;
        self.columns.clear();
        self.column_duals.clear();
        self.engine.holdings.v.clear();
        self.value = 0.0;
        self.augmented = 0;
    }

    /// Makes the next problem start as if its predecessor had had this answer.
    ///
    /// A solver that is given [`row_duals`](Self::row_duals) and [`columns`](Self::columns) of another one gives the
    /// same answers as that one from there on, bit for bit: this is what a checkpoint has to keep. Any finite duals and
    /// any permutation are a valid start. O(n).
    ///
    /// # Errors
    /// [`Error::Shape`] when the lengths differ, [`Error::Entry`] when a dual is not finite.
    pub fn warm_start(&mut self, row_duals: &[f64], permutation: &Permutation) -> Result<()> {
        let n = permutation.len();
        if row_duals.len() != n {
            return Err(Error::shape("row duals", format!("{n} of them"), format!("{}", row_duals.len())));
        }
        if let Some(row) = row_duals.iter().position(|u| !u.is_finite()) {
            let (what, value) = ("row duals".to_string(), row_duals[row]);
            return Err(Error::Entry { what, row, column: 0, value, required: "finite" });
        }
        self.engine.resize(n, n);
        self.columns.resize(n, 0);
        self.column_duals.resize(n, 0.0);
        self.value = 0.0;
        self.augmented = 0;
        self.start_from(row_duals, permutation.image());
        Ok(())
    }

    fn start_from(&mut self, row_duals: &[f64], columns: &[usize]) {
        self.engine.holdings.v.copy_from_slice(row_duals);
        for (row, &column) in columns.iter().enumerate() {
            self.engine.holdings.line_of[row] = column as u32;
            self.engine.holdings.place_of[column] = row as u32;
        }
        self.warm = true;
    }
}
