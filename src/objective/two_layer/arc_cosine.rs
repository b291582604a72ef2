//! The arc-cosine kernel of order 1 and the distance of two ReLU units, safe at parallel, opposite and zero vectors.
//!
//! For x ~ N(0, I), σ = max(·, 0) and θ the angle between a and b (Cho and Saul, NIPS 2009):
//!
//! - k(a, b) = E σ(a·x)σ(b·x) = ‖a‖‖b‖·s(π − θ)/2π, s(φ) = sin φ − φ cos φ,
//! - E (σ(a·x) − σ(b·x))² = ½‖a − b‖² − ‖a‖‖b‖·s(θ)/π.
//!
//! The second form has no difference of large numbers: it is accurate relative to ‖a − b‖²
//! ([§6](crate::mathematics#6-two-layer-networks)).

use super::column_of;
use crate::stop::Stop;
use nalgebra::DMatrix;
use std::f64::consts::PI;

/// k(a, b) = E σ(a·x)σ(b·x), x ~ N(0, I): ‖a‖‖b‖/2π·(sin θ + (π − θ)cos θ); ‖a‖²/2 for b = a, 0 where one is 0. O(d).
///
/// The relative error is some units of rounding, for nearly opposite vectors too, where k falls to 0 like (π − θ)³.
///
/// # Panics
/// When the lengths differ.
///
/// ```
/// use birkhoff::objective::two_layer::arc_cosine;
/// assert_eq!(arc_cosine::kernel(&[3.0, 4.0], &[3.0, 4.0]), 12.5);
/// assert_eq!(arc_cosine::kernel(&[1.0, 0.0], &[-1.0, 0.0]), 0.0);
/// assert!((arc_cosine::kernel(&[1.0, 0.0], &[0.0, 1.0]) - 0.5 / std::f64::consts::PI).abs() < 1e-16);
/// ```
pub fn kernel(a: &[f64], b: &[f64]) -> f64 {
    Pair::of(a, b).kernel()
}

/// k(a_i, b_j) for the columns a_i of A and b_j of B, as many as by `stop`: one matrix product, and an arccosine a
/// pair.
pub(super) fn kernels(a: &DMatrix<f64>, b: &DMatrix<f64>, stop: &Stop) -> DMatrix<f64> {
    let (norms_a, norms_b) = (norms(a), norms(b));
    let mut kernels = a.tr_mul(b);
    each_pair(a, b, &norms_a, &norms_b, &mut kernels, stop, |_, _, pair| pair.kernel());
    kernels
}

/// [`kernels`], and Σ_j C\[i, j\]·∇_a k(a_i, b_j) as column i of a matrix like A.
pub(super) fn kernels_and_gradient(
    a: &DMatrix<f64>,
    b: &DMatrix<f64>,
    weights: &DMatrix<f64>,
    stop: &Stop,
) -> (DMatrix<f64>, DMatrix<f64>) {
    let (norms_a, norms_b) = (norms(a), norms(b));
    let mut kernels = a.tr_mul(b);
    let mut along_b = DMatrix::zeros(a.ncols(), b.ncols());
    let mut along_a = vec![0.0; a.ncols()];
    each_pair(a, b, &norms_a, &norms_b, &mut kernels, stop, |i, j, pair| {
        let (of_a, of_b) = pair.gradient();
        let weight = weights[(i, j)] / (2.0 * PI);
        along_a[i] += weight * of_a;
        along_b[(i, j)] = weight * of_b;
        pair.kernel()
    });
    let mut gradient = b * along_b.transpose();
    for ((mut column, a), along) in gradient.column_iter_mut().zip(a.column_iter()).zip(along_a) {
        column.axpy(along, &a, 1.0);
    }
    (kernels, gradient)
}

/// Replaces the products a_i·b_j by what `of` says of each pair, until `stop`.
fn each_pair(
    a: &DMatrix<f64>,
    b: &DMatrix<f64>,
    norms_a: &[f64],
    norms_b: &[f64],
    products: &mut DMatrix<f64>,
    stop: &Stop,
    mut of: impl FnMut(usize, usize, Pair) -> f64,
) {
    for (j, &norm_b) in norms_b.iter().enumerate().take_while(|_| !stop.is_reached()) {
        for (i, &norm_a) in norms_a.iter().enumerate() {
            let cosine = products[(i, j)] / (norm_a * norm_b);
            let pair = if cosine.abs() < ACCURATE {
                let angle = cosine.acos();
                Pair { norm_a, norm_b, angle, to_opposite: PI - angle }
            } else {
                Pair::of(column_of(a, i), column_of(b, j))
            };
            products[(i, j)] = of(i, j, pair);
        }
    }
}

/// Below this cosine its arccosine loses less than a digit. (NaN, from a zero vector, is not below it.)
const ACCURATE: f64 = 0.95;

fn norms(matrix: &DMatrix<f64>) -> Vec<f64> {
    (0..matrix.ncols()).map(|j| norm(column_of(matrix, j))).collect()
}

/// `target += weight·∇_a k(a, b)`, ∇_a k = (‖b‖/‖a‖·sin θ·a + (π − θ)·b)/2π. O(d).
///
/// k is not differentiable at a = 0; there it is b/4, the mean over all directions, which is what central differences
/// give.
///
/// # Panics
/// When the lengths differ.
pub fn add_gradient(weight: f64, a: &[f64], b: &[f64], target: &mut [f64]) {
    let (along_a, along_b) = Pair::of(a, b).gradient();
    let weight = weight / (2.0 * PI);
    for ((target, a), b) in target.iter_mut().zip(a).zip(b) {
        *target += weight * (along_a * a + along_b * b);
    }
}

/// E (σ(a·x) − σ(b·x))² = k(a, a) − 2k(a, b) + k(b, b), between ¼‖a − b‖² and ½‖a − b‖². O(d).
///
/// # Panics
/// When the lengths differ.
pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let pair = Pair::of(a, b);
    let difference: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    0.5 * difference - pair.product() * chord(pair.angle) / PI
}

/// s(φ) = sin φ − φ cos φ on \[0, π\], φ³/3 near 0: by its series where the difference would lose digits.
fn chord(angle: f64) -> f64 {
    if angle > 0.3 {
        return angle.sin() - angle * angle.cos();
    }
    // Σ_k (−1)^(k+1) 2k φ^(2k+1)/(2k+1)!: at 0.3 the first term left out is 1e-17 of the sum.
    let square = angle * angle;
    let series = 1.0 / 3.0
        + square
            * (-1.0 / 30.0
                + square
                    * (1.0 / 840.0
                        + square * (-1.0 / 45_360.0 + square * (1.0 / 3_991_680.0 - square / 518_918_400.0))));
    angle * square * series
}

/// Two vectors: their norms, the angle θ between them, and π − θ.
struct Pair {
    norm_a: f64,
    norm_b: f64,
    angle: f64,
    to_opposite: f64,
}

impl Pair {
    /// θ = 2 atan2(‖â − b̂‖, ‖â + b̂‖) of the unit vectors (Kahan): arccos of their product loses half of all digits
    /// near 0 and π.
    fn of(a: &[f64], b: &[f64]) -> Self {
        assert_eq!(a.len(), b.len(), "vectors of different lengths");
        let (norm_a, norm_b) = (norm(a), norm(b));
        if norm_a == 0.0 || norm_b == 0.0 {
            return Pair { norm_a, norm_b, angle: 0.5 * PI, to_opposite: 0.5 * PI };
        }
        let (mut difference, mut sum) = (0.0, 0.0);
        for (a, b) in a.iter().zip(b) {
            let (a, b) = (a / norm_a, b / norm_b);
            difference += (a - b) * (a - b);
            sum += (a + b) * (a + b);
        }
        let (difference, sum) = (difference.sqrt(), sum.sqrt());
        Pair { norm_a, norm_b, angle: 2.0 * difference.atan2(sum), to_opposite: 2.0 * sum.atan2(difference) }
    }

    fn kernel(&self) -> f64 {
        self.product() * chord(self.to_opposite) / (2.0 * PI)
    }

    /// (α, β) with 2π∇_a k = αa + βb.
    fn gradient(&self) -> (f64, f64) {
        if self.norm_a == 0.0 {
            return (0.0, 0.5 * PI);
        }
        (self.norm_b / self.norm_a * self.angle.sin(), self.to_opposite)
    }

    fn product(&self) -> f64 {
        self.norm_a * self.norm_b
    }
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// a of length 1 and b of length 2 at the angle θ.
    fn at(angle: f64) -> ([f64; 3], [f64; 3]) {
        ([1.0, 0.0, 0.0], [2.0 * angle.cos(), 2.0 * angle.sin(), 0.0])
    }

    #[test]
    fn the_series_meets_the_formula_where_both_are_accurate() {
        for angle in [0.2, 0.25, 0.2999, 0.3] {
            // The formula loses 1e-16/s(0.2) = 4e-14.
            assert!((chord(angle) / (angle.sin() - angle * angle.cos()) - 1.0).abs() < 1e-13, "{angle}");
        }
    }

    #[test]
    fn nearly_opposite_units_keep_their_digits() {
        for gap in [1e-2, 1e-4, 1e-6] {
            let (a, b) = at(PI - gap);
            // s(φ) = φ³/3 (1 − φ²/10 + …); PI − gap itself is rounded by 4e-16, which is 3·4e-16/gap of the cube.
            let expected = 2.0 * gap.powi(3) / 3.0 * (1.0 - gap * gap / 10.0) / (2.0 * PI);
            assert!((kernel(&a, &b) / expected - 1.0).abs() < 1e-9 + gap.powi(4), "{gap}");
        }
    }

    #[test]
    fn nearly_parallel_units_keep_their_distance() {
        for step in [1e-3, 1e-6, 1e-9] {
            // Along the vector the distance is ½ε² exactly; across it differs from that by order ε³.
            let (along, across) = ([1.0 + step, 0.0], [1.0, step]);
            assert!((squared_distance(&[1.0, 0.0], &along) / (0.5 * step * step) - 1.0).abs() < 1e-6);
            assert!((squared_distance(&[1.0, 0.0], &across) / (0.5 * step * step) - 1.0).abs() < step);
        }
        assert_eq!(squared_distance(&[0.3, 0.7], &[0.3, 0.7]), 0.0);
    }

    #[test]
    fn the_distance_is_the_kernels_and_lies_in_its_bracket() {
        for k in 0..=32 {
            let (a, b) = at(PI * f64::from(k) / 32.0);
            let distance = squared_distance(&a, &b);
            let kernels = kernel(&a, &a) - 2.0 * kernel(&a, &b) + kernel(&b, &b);
            assert!((distance - kernels).abs() < 1e-15 * 10.0, "{k}: {distance}, {kernels}");
            let square: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum();
            assert!(0.25 * square - 1e-15 <= distance && distance <= 0.5 * square + 1e-15, "{k}");
        }
    }

    #[test]
    fn all_pairs_at_once_are_the_single_ones() {
        // Columns at all angles, parallel, opposite, nearly so, and zero.
        let angles: [f64; 7] = [0.0, 1e-9, 0.1, 1.5, 3.0, PI - 1e-9, PI];
        let a = DMatrix::from_fn(2, 8, |k, j| match angles.get(j) {
            Some(angle) => (1.0 + j as f64) * if k == 0 { angle.cos() } else { angle.sin() },
            None => 0.0,
        });
        let b = DMatrix::from_fn(2, 3, |k, j| [[0.5, 0.0], [-0.3, 0.4], [0.0, 0.0]][j][k]);
        let weights = DMatrix::from_fn(8, 3, |i, j| (1.0 + i as f64) * (0.5 - j as f64));
        let (both, gradient) = kernels_and_gradient(&a, &b, &weights, &Stop::never());
        assert_eq!(both, kernels(&a, &b, &Stop::never()));
        for i in 0..8 {
            let mut expected = [0.0; 2];
            for j in 0..3 {
                let single = kernel(column_of(&a, i), column_of(&b, j));
                assert!((both[(i, j)] - single).abs() <= 1e-14 * single, "{i}, {j}");
                add_gradient(weights[(i, j)], column_of(&a, i), column_of(&b, j), &mut expected);
            }
            // Sums of three numbers up to 20, in another order.
            assert!((0..2).all(|k| (gradient[(k, i)] - expected[k]).abs() < 1e-13), "{i}");
        }
    }

    #[test]
    fn zero_vectors_have_the_gradient_of_central_differences() {
        let (zero, b) = ([0.0; 3], [0.3, -0.7, 0.2]);
        assert_eq!((kernel(&zero, &b), kernel(&zero, &zero)), (0.0, 0.0));
        let mut gradient = [0.0; 3];
        add_gradient(1.0, &zero, &b, &mut gradient);
        for (k, &g) in gradient.iter().enumerate() {
            let mut step = zero;
            step[k] = 1e-3;
            let there = kernel(&step, &b);
            step[k] = -1e-3;
            // k is linear on rays: its central difference at 0 is exact.
            assert!(((there - kernel(&step, &b)) / 2e-3 - g).abs() < 1e-15, "{k}");
        }
        let mut gradient = [0.0; 3];
        add_gradient(1.0, &b, &zero, &mut gradient);
        assert_eq!(gradient, zero);
    }
}
