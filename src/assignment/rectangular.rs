//! Rectangular matrices: the fewer side is assigned completely.

use super::engine::Engine;
use super::holdings::{Costs, NONE};
use super::kernel::magnitude;
use super::{LARGE, TOO_LARGE, inspect, scale_for};
use crate::error::{Error, Result};
use crate::stop::Stop;
use nalgebra::DMatrix;

/// An optimal assignment of the smaller side of an m × n matrix, and the duals that prove it.
///
/// u_i + v_j ≤ c\[i, j\] for all i, j, with equality where row i has column j. On the larger side every dual is ≤ 0,
/// and 0 where it stays unassigned; on the smaller side (on both, when m = n) the sign is free. Hence Σ u + Σ v = value
/// ≤ the cost of any assignment (each up to rounding).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RectangularAssignment {
    /// The column of each row; `None` only where m > n.
    pub columns: Vec<Option<usize>>,
    /// The sum of the assigned entries.
    pub value: f64,
    /// u, one for each row.
    pub row_duals: Vec<f64>,
    /// v, one for each column.
    pub column_duals: Vec<f64>,
}

/// min(m, n) entries of an m × n matrix, no two in one row or column, of minimal sum.
///
/// Minimize Σ c\[i, j\] x_ij over x_ij ∈ {0, 1}, with sums 1 on the smaller side and ≤ 1 on the larger. Entries are
/// finite, or `f64::INFINITY` to forbid a pair. With s = min(m, n), O(s²·max(m, n)) time in the worst case, a few
/// passes over the matrix on usual ones; a transposed copy when m < n, else O(m + n) memory.
///
/// Source: as [`solve`](super::solve); only that duals on the larger side start at 0 instead of the column reduction
/// (Crouse, *On implementing 2D rectangular assignment algorithms*, IEEE Trans. Aerospace and Electronic Systems 52,
/// 2016).
///
/// # Errors
/// [`Error::Entry`] for NaN and −∞, [`Error::Infeasible`] when every assignment meets a forbidden entry: the row it
/// names cannot be assigned when m ≤ n; when m > n no row is to blame, and it is the first that was left without a
/// column. [`Error::Argument`] when the least sum, or a dual, is beyond 1.8e308.
///
/// # Panics
/// Never.
///
/// ```
/// use birkhoff::assignment;
/// use nalgebra::dmatrix;
/// let best = assignment::solve_rectangular(&dmatrix![4.0, 1.0; 2.0, 0.0; 3.0, 3.0])?;
/// assert_eq!(best.columns, [Some(1), Some(0), None]);
/// assert_eq!(best.value, 3.0);
/// # Ok::<(), birkhoff::Error>(())
/// ```
pub fn solve_rectangular(cost: &DMatrix<f64>) -> Result<RectangularAssignment> {
    solve_rectangular_until(cost, &Stop::never()).map(|best| best.expect("it was not stopped"))
}

/// [`solve_rectangular`], or `None` where `stop` came first.
///
/// # Errors
/// As [`solve_rectangular`].
pub fn solve_rectangular_until(cost: &DMatrix<f64>, stop: &Stop) -> Result<Option<RectangularAssignment>> {
    let (m, n) = cost.shape();
    let transposed;
    let (lines, places, entries) = if m < n {
        transposed = cost.transpose();
        (m, n, transposed.as_slice())
    } else {
        (n, m, cost.as_slice())
    };
    let entry_at = |line, place| if m < n { (line, place) } else { (place, line) };

    let mut largest: f64 = 0.0;
    for line in 0..lines {
        let costs = &entries[line * places..][..places];
        let magnitude = magnitude(costs);
        if magnitude.is_nan() || magnitude > LARGE {
            largest = largest.max(inspect(costs, |place| entry_at(line, place))?);
        }
    }
    let scale = scale_for(largest);
    let scaled: Vec<f64>;
    let costs = if scale == 1.0 {
        Costs::new(entries, places)
    } else {
        scaled = entries.iter().map(|c| c * scale).collect();
        Costs::new(&scaled, places)
    };

    let mut engine = Engine::default();
    engine.resize(lines, places);
    engine.stop = stop.clone();
    if lines == places {
        engine.reduce_columns(costs);
    }
    let complete = engine.solve_cold(costs);
    let holdings = &engine.holdings;
    if holdings.place_of.contains(&NONE) && stop.is_reached() {
        return Ok(None);
    }
    if !complete {
        let unassigned = if m < n { &holdings.place_of } else { &holdings.line_of };
        let row = unassigned.iter().position(|&other| other == NONE).unwrap_or(0);
        return Err(Error::Infeasible { row });
    }

    let mut columns = vec![None; m];
    let mut value = 0.0;
    let place_duals: Vec<f64> = holdings.v.iter().map(|v| v / scale).collect();
    let mut line_duals = vec![0.0; lines];
    for (line, &place) in holdings.place_of.iter().enumerate() {
        let (row, column) = entry_at(line, place as usize);
        columns[row] = Some(column);
        value += cost[(row, column)];
        line_duals[line] = cost[(row, column)] - place_duals[place as usize];
    }
    if place_duals.iter().chain(&line_duals).chain([&value]).any(|number| !number.is_finite()) {
        return Err(Error::argument("cost", TOO_LARGE));
    }
    let (row_duals, column_duals) = if m < n { (line_duals, place_duals) } else { (place_duals, line_duals) };
    Ok(Some(RectangularAssignment { columns, value, row_duals, column_duals }))
}
