//! The exact penalty on tensors, for autograd, and the feasibility step; `birkhoff::penalty` is the same for matrices.

use tch::{Kind, Tensor, no_grad};

/// Below this a sum counts as this, so that an extinct row is not divided by zero.
const SMALLEST_SUM: f64 = 1e-12;

/// P(M) = Σ_i (‖M_i:‖₁ − ‖M_i:‖₂) + Σ_j (‖M_:j‖₁ − ‖M_:j‖₂), a scalar with its gradient
/// (docs/mathematics.md §2; Lyu, Zhang, Qi, Xin, KDD 2020). M is n × n; O(n²).
pub fn penalty(matrix: &Tensor) -> Tensor {
    let norms = |dimension: i64| matrix.norm_scalaropt_dim(2.0, [dimension], false).sum(Kind::Float);
    matrix.abs().sum(Kind::Float) * 2.0 - norms(0) - norms(1)
}

/// The step after each step of the optimizer: negative entries become 0, then columns and rows are scaled to sum 1, in turn,
/// `rounds` times. The rows are exact then, the columns nearly so; what is missing is the residual in epochs.csv.
///
/// With few rounds a matrix can come to rest where its pattern of zeros leaves no permutation, three rows on two columns: its
/// residual stays at ⅓, no theorem applies, and rounding it breaks the network (seen with 1 and 3 rounds, not with 10).
pub fn make_feasible(matrix: &mut Tensor, rounds: usize) {
    no_grad(|| {
        let _ = matrix.clamp_min_(0.0);
        for dimension in (0..rounds).flat_map(|_| [0, 1]) {
            let sums = matrix.sum_dim_intlist([dimension].as_slice(), true, Kind::Float).clamp_min(SMALLEST_SUM);
            let _ = matrix.g_div_(&sums);
        }
    });
}
