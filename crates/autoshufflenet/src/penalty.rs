//! The exact penalty on tensors, for autograd, and the feasibility step; `birkhoff::penalty` is the same for matrices.

use nalgebra::{DMatrix, DVector};
use tch::{Device, Kind, Tensor, no_grad};

/// A row or column of a smaller sum is extinct, and not scaled.
const SMALLEST_SUM: f32 = 1e-12;

/// P(M) = Σ_i (‖M_i:‖₁ − ‖M_i:‖₂) + Σ_j (‖M_:j‖₁ − ‖M_:j‖₂), a scalar with its gradient
/// ([§2](birkhoff::mathematics#2-the-penalty); Lyu, Zhang, Qi, Xin, KDD 2020). M is n × n; O(n²).
pub fn penalty(matrix: &Tensor) -> Tensor {
    let norms = |dimension: i64| matrix.norm_scalaropt_dim(2.0, [dimension], false).sum(Kind::Float);
    matrix.abs().sum(Kind::Float) * 2.0 - norms(0) - norms(1)
}

/// The step after each step of the optimizer: negative entries become 0, then columns and rows are scaled to sum 1, in
/// turn, `rounds` times. The rows are exact then, the columns nearly so; what is missing is the residual in epochs.csv.
/// M is n × n; O(n²) for each round.
///
/// With few rounds a matrix can come to rest where its pattern of zeros leaves no permutation, three rows on two
/// columns: its residual stays at ⅓, no theorem applies, and rounding it breaks the network (seen with 1 and 3 rounds,
/// not with 10).
///
/// The scaled matrix is diag(r)·M·diag(c), so that a round is two products with vectors and M is written once. One
/// thread does it, on any device: tensor operations this small cost more to start than to do.
pub fn make_feasible(matrix: &mut Tensor, rounds: usize) {
    let n = matrix.size()[0] as usize;
    // nalgebra keeps columns: what is written here by rows is the transpose there.
    let mut transposed = DMatrix::<f32>::zeros(n, n);
    matrix.to_device(Device::Cpu).copy_data(transposed.as_mut_slice(), n * n);
    // Not `max`, which would hide NaN: the loss has to show it.
    transposed.iter_mut().filter(|entry| **entry < 0.0).for_each(|entry| *entry = 0.0);
    let [mut row_factors, mut column_factors] = [DVector::from_element(n, 1.0), DVector::from_element(n, 1.0)];
    for _ in 0..rounds {
        transposed.mul_to(&row_factors, &mut column_factors);
        column_factors.apply(|sum| *sum = factor(*sum));
        transposed.tr_mul_to(&column_factors, &mut row_factors);
        row_factors.apply(|sum| *sum = factor(*sum));
    }
    for (mut row, scale) in transposed.column_iter_mut().zip(&row_factors) {
        row.component_mul_assign(&column_factors);
        row *= *scale;
    }
    let feasible = Tensor::from_slice(transposed.as_slice()).view_as(matrix);
    no_grad(|| matrix.copy_(&feasible));
}

/// What scales entries of this sum to sum 1.
fn factor(sum: f32) -> f32 {
    if sum > SMALLEST_SUM { sum.recip() } else { 1.0 }
}
