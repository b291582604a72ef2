//! The permutation outside of the ReLU layer: a convex quadratic.

use super::{Inputs, Layer, Readout, mean_products, relu, require_matrix};
use crate::assignment::{self, AssignmentSolver};
use crate::columns::multiply;
use crate::error::Result;
use crate::exact::sum_error;
use crate::objective::{Objective, Rounding, VertexGradient};
use crate::permutation::Permutation;
use crate::stop::Stop;
use nalgebra::{DMatrix, DVector};

/// f(X) = E‖(X − T)σ(Wx)‖² = tr((X − T)K(X − T)ᵀ), K\[i, j\] = E σ(w_i·x)σ(w_j·x); with a scalar readout v,
/// f(X) = E(vᵀ(X − T)σ(Wx))² = vᵀ(X − T)K(X − T)ᵀv. W is n × d, T n × n (any matrix), v of length n.
///
/// Convex and quadratic. With K ≻ 0 and a vector output the teacher T is the only minimizer over D_n: the relaxation is
/// exact where T is a permutation, and no permutation where T is none. A scalar readout makes f vanish on a whole face
/// of directions, X'v = T'v, so that the relaxation says little ([§6](crate::mathematics#6-two-layer-networks)).
///
/// On permutations the vector output's f is linear, so that its best permutation is *one* assignment. The scalar one is
/// a quadratic assignment problem of rank one.
///
/// Cost: ∇f O(n³), at a permutation O(n²); a swap's change O(1) (vector) or O(n) (scalar).
///
/// ```
/// use birkhoff::objective::two_layer::{Inputs, PermutationOutside, Readout};
/// use birkhoff::recovery::{Settings, recover};
/// use birkhoff::Permutation;
/// use nalgebra::dmatrix;
/// let w = dmatrix![1.0, 0.3; -0.2, 1.0; 0.7, -0.9];
/// let teacher = Permutation::new(vec![2, 0, 1])?;
/// let f = PermutationOutside::new(&w, &teacher.to_matrix(), Readout::Vector, &Inputs::Standard)?;
/// let answer = recover(&f, &Settings::default())?;
/// assert_eq!(answer.permutation, teacher);
/// assert!(answer.optimality.is_proved());
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PermutationOutside {
    /// K.
    kernel: DMatrix<f64>,
    readout: Readout,
    /// M with f(X) = tr(V X K Xᵀ) − 2⟨M, X⟩ + c, V = I or vvᵀ.
    target: DMatrix<f64>,
    /// c.
    constant: f64,
    /// κ.
    scale: f64,
    magnitude: Magnitude,
    /// Σ of the absolute values of all that f adds up, on D_n; and the same of the entries that a swap changes.
    magnitudes: (f64, f64),
    pub(super) stop: Stop,
}

/// What decides the rounding: K and M are sums themselves.
#[derive(Debug, Clone)]
pub(super) struct Magnitude {
    /// Terms of an entry of K or M, and steps of its kernel.
    pub terms: usize,
    /// A bound of the root mean square of each output; of the one output, with a scalar readout.
    pub outputs: Vec<f64>,
}

impl PermutationOutside {
    /// The loss against the teacher T. `w` is W, n × d.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when the sizes of W, T, v and the inputs do not fit,
    /// [`Error::Entry`](crate::Error::Entry) when an entry is not finite, [`Error::Argument`](crate::Error::Argument)
    /// when a covariance is not positive semidefinite. O(n²d + n³), or O(n²N) on N samples.
    pub fn new(w: &DMatrix<f64>, teacher: &DMatrix<f64>, readout: Readout, inputs: &Inputs) -> Result<Self> {
        let layer = Layer::new(w, inputs)?;
        layer.check(teacher, &readout)?;
        let kernel = layer.products(&layer.units, &layer.units);
        let reached = teacher * &kernel;
        let target = readout.weighted(&reached);
        let constant = target.dot(teacher);
        let unit = kernel.diagonal().max().sqrt();
        let outputs = teacher.row_iter().map(|row| unit * row.iter().map(|t| t.abs()).sum::<f64>()).collect();
        let magnitude = Magnitude { terms: layer.units.nrows() + w.nrows(), outputs }.observed(&readout);
        Ok(Self::of_parts(kernel, readout, target, constant, magnitude))
    }

    /// The mean squared error (1/N)·Σ‖Xσ(Wx_s) − y_s‖² on data: `samples` N × d, a row an input; `outputs` N × n, or N
    /// × 1 with a scalar readout, where the error is (vᵀXσ(Wx_s) − y_s)².
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when the sizes do not fit or there is no sample,
    /// [`Error::Entry`](crate::Error::Entry) when an entry is not finite. O(n²N).
    pub fn fit(w: &DMatrix<f64>, readout: Readout, samples: &DMatrix<f64>, outputs: &DMatrix<f64>) -> Result<Self> {
        let layer = Layer::new(w, &Inputs::Samples(samples.clone()))?;
        layer.check_readout(&readout)?;
        require_matrix("outputs", outputs, samples.nrows(), readout.width(w.nrows()))?;
        let hidden = layer.units.map(relu);
        let kernel = mean_products(&hidden, &hidden);
        let correlation = mean_products(outputs, &hidden);
        let target = match &readout {
            Readout::Vector => correlation,
            Readout::Scalar(v) => v * correlation,
        };
        let constant = outputs.norm_squared() / samples.nrows() as f64;
        let roots =
            outputs.column_iter().map(|column| (column.norm_squared() / samples.nrows() as f64).sqrt()).collect();
        let magnitude = Magnitude { terms: samples.nrows() + w.ncols(), outputs: roots };
        Ok(Self::of_parts(kernel, readout, target, constant, magnitude))
    }

    pub(super) fn of_parts(
        kernel: DMatrix<f64>,
        readout: Readout,
        target: DMatrix<f64>,
        constant: f64,
        magnitude: Magnitude,
    ) -> Self {
        let scale = scale(&kernel, &readout);
        let magnitudes = magnitude.of_values(&kernel, &readout);
        PermutationOutside { kernel, readout, target, constant, scale, magnitude, magnitudes, stop: Stop::never() }
    }

    /// This objective, whose long computations end at `stop`.
    pub(super) fn stopping_at(&self, stop: &Stop) -> Self {
        PermutationOutside { stop: stop.clone(), ..self.clone() }
    }

    /// The relative error of every sum, that of the kernel's arctangents included.
    fn relative_error(&self) -> f64 {
        sum_error(3 * self.size() + self.magnitude.terms + 64)
    }

    /// K, n × n: the second moments of the hidden units.
    pub fn kernel(&self) -> &DMatrix<f64> {
        &self.kernel
    }

    /// (u, Ku), u = Pᵀv, for a scalar readout.
    fn moved_readout(&self, v: &DVector<f64>, p: &Permutation) -> (DVector<f64>, DVector<f64>) {
        let mut u = DVector::zeros(v.len());
        p.image().iter().zip(v.iter()).for_each(|(&j, &v)| u[j] = v);
        let product = &self.kernel * &u;
        (u, product)
    }

    /// The change of −2⟨M, P⟩.
    fn linear_change(&self, p: &Permutation, i: usize, k: usize) -> f64 {
        let (m, pi, pk) = (&self.target, p.apply(i), p.apply(k));
        2.0 * (m[(i, pi)] + m[(k, pk)] - m[(i, pk)] - m[(k, pi)])
    }

    /// The change of uᵀKu when columns p(i) and p(k) exchange their readouts: u moves by δ(e_p(i) − e_p(k)), δ = v_k −
    /// v_i.
    fn quadratic_change(&self, product: [f64; 2], delta: f64, pi: usize, pk: usize) -> f64 {
        let k = &self.kernel;
        2.0 * delta * (product[0] - product[1]) + delta * delta * (k[(pi, pi)] - 2.0 * k[(pi, pk)] + k[(pk, pk)])
    }
}

impl Magnitude {
    /// The one output vᵀy of a scalar readout, where there is one.
    pub fn observed(self, readout: &Readout) -> Self {
        let Readout::Scalar(v) = readout else { return self };
        let sum = v.iter().zip(&self.outputs).map(|(v, output)| v.abs() * output).sum();
        Magnitude { outputs: vec![sum], ..self }
    }

    /// Σ of the absolute values of all that f adds up, on D_n; and the same of the entries that a swap changes.
    fn of_values(&self, kernel: &DMatrix<f64>, readout: &Readout) -> (f64, f64) {
        let unit = kernel.diagonal().max().max(0.0).sqrt();
        let outputs = &self.outputs;
        let (sum, largest) = (outputs.iter().sum::<f64>(), outputs.iter().copied().fold(0.0, f64::max));
        let squares = outputs.iter().map(|output| output * output).sum::<f64>();
        match readout {
            Readout::Vector => (kernel.nrows() as f64 * unit * unit + 2.0 * sum * unit + squares, largest * unit),
            Readout::Scalar(v) => {
                let reach = v.lp_norm(1) * unit;
                (reach * reach + 2.0 * reach * sum + squares, 4.0 * v.amax() * unit * (reach + sum))
            }
        }
    }
}

/// κ = 2‖HVH‖_F‖HKH‖_F/n with H = I − J/n, which D_n cannot see past; as for a QAP. 1 where that vanishes.
fn scale(kernel: &DMatrix<f64>, readout: &Readout) -> f64 {
    let n = kernel.nrows() as f64;
    let means: DVector<f64> = kernel.column_mean();
    let mean = means.mean();
    let centered = DMatrix::from_fn(kernel.nrows(), kernel.ncols(), |i, j| kernel[(i, j)] - means[i] - means[j] + mean);
    let spread = match readout {
        Readout::Vector => (n - 1.0).max(0.0).sqrt(),
        Readout::Scalar(v) => v.add_scalar(-v.mean()).norm_squared(),
    };
    let scale = 2.0 * spread * centered.norm() / n;
    // What is left of equal numbers is rounding.
    let uncentered = readout.norm(kernel.nrows()) * kernel.norm() / n;
    if scale > 1e-13 * uncentered { scale } else { 1.0 }
}

impl Objective for PermutationOutside {
    fn size(&self) -> usize {
        self.kernel.nrows()
    }

    fn value(&self, x: &DMatrix<f64>) -> f64 {
        let quadratic = match &self.readout {
            Readout::Vector => {
                let mut product = DMatrix::zeros(x.nrows(), x.ncols());
                multiply(&self.stop, &mut product, 1.0, x, &self.kernel, 0.0);
                if self.stop.is_reached() {
                    return f64::NAN;
                }
                product.dot(x)
            }
            Readout::Scalar(v) => {
                let u = x.tr_mul(v);
                (&self.kernel * &u).dot(&u)
            }
        };
        quadratic - 2.0 * self.target.dot(x) + self.constant
    }

    /// 2(V X K − M).
    fn gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) {
        gradient.copy_from(&self.target);
        match &self.readout {
            Readout::Vector => multiply(&self.stop, gradient, 2.0, x, &self.kernel, -2.0),
            Readout::Scalar(v) => {
                let product = &self.kernel * x.tr_mul(v);
                gradient.ger(2.0, v, &product, -2.0);
            }
        }
    }

    fn value_at(&self, p: &Permutation) -> f64 {
        let linear = p.inner_product(&self.target);
        let quadratic = match &self.readout {
            Readout::Vector => self.kernel.trace(),
            Readout::Scalar(v) => {
                let (u, product) = self.moved_readout(v, p);
                u.dot(&product)
            }
        };
        quadratic - 2.0 * linear + self.constant
    }

    fn swap_change(&self, p: &Permutation, i: usize, k: usize) -> f64 {
        let linear = self.linear_change(p, i, k);
        let Readout::Scalar(v) = &self.readout else { return linear };
        let (pi, pk) = (p.apply(i), p.apply(k));
        let product = [pi, pk].map(|j| p.image().iter().zip(v.iter()).map(|(&l, v)| self.kernel[(l, j)] * v).sum());
        linear + self.quadratic_change(product, v[k] - v[i], pi, pk)
    }

    fn swap_changes(&self, p: &Permutation) -> Option<Box<dyn Fn(usize, usize) -> f64 + '_>> {
        let Readout::Scalar(v) = &self.readout else { return None };
        let (p, (_, product)) = (p.clone(), self.moved_readout(v, p));
        Some(Box::new(move |i, k| {
            let (pi, pk) = (p.apply(i), p.apply(k));
            self.linear_change(&p, i, k) + self.quadratic_change([product[pi], product[pk]], v[k] - v[i], pi, pk)
        }))
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn is_convex(&self) -> bool {
        true
    }

    fn rounding(&self) -> Option<Rounding> {
        let (n, (magnitude, _)) = (self.size(), self.magnitudes);
        Some(Rounding {
            exact_up_to: -1.0,
            absolute: 2.0 * self.relative_error() * magnitude,
            relative: 0.0,
            linearization: 8.0 * sum_error(n * n + self.magnitude.terms + 64) * magnitude,
        })
    }

    fn swap_rounding(&self, _p: &Permutation, _i: usize, _k: usize) -> Option<f64> {
        Some(8.0 * self.relative_error() * self.magnitudes.1)
    }

    /// A vector output's f is linear in P: p is the best permutation if it is the best assignment by a margin that
    /// rounding does not reach.
    fn proves(&self, p: &Permutation) -> bool {
        if self.size() > assignment::LARGEST_MARGIN || self.readout != Readout::Vector {
            return false;
        }
        let costs = &self.target * -2.0;
        let lost = 4.0 * self.relative_error() * self.magnitudes.0;
        assignment::solve(&costs).is_ok_and(|best| best.permutation == *p && assignment::margin(&costs, &best) > lost)
    }

    /// A mean square is never negative; and a vector output's f is linear in P, so that one assignment is its minimum.
    fn trivial_bound(&self) -> f64 {
        let Readout::Vector = self.readout else { return 0.0 };
        let costs = &self.target * -2.0;
        let mut best = AssignmentSolver::new();
        // Duals of a solution that was cut short bound it as well.
        if best.solve_until(&costs, 0.0, &self.stop).is_err() {
            return 0.0;
        }
        let least = assignment::lower_bound(&costs, best.column_duals()) + self.kernel.trace() + self.constant;
        (least - 2.0 * self.relative_error() * self.magnitudes.0).max(0.0)
    }

    fn until(&self, stop: &Stop) -> Option<Box<dyn Objective + '_>> {
        Some(Box::new(self.stopping_at(stop)))
    }

    fn vertex_gradient(&self) -> Option<Box<dyn VertexGradient + '_>> {
        Some(Box::new(OutsideVertexGradient(self)))
    }
}

struct OutsideVertexGradient<'a>(&'a PermutationOutside);

impl VertexGradient for OutsideVertexGradient<'_> {
    /// ∇f(Q) = 2(VQK − M), QK being rows of K moved.
    fn blend(&mut self, q: &Permutation, t: f64, gradient: &mut DMatrix<f64>) {
        let PermutationOutside { kernel, readout, target, .. } = self.0;
        gradient.zip_apply(target, |g, m| *g = (1.0 - t) * *g - 2.0 * t * m);
        match readout {
            Readout::Vector => {
                for (j, mut column) in gradient.column_iter_mut().enumerate() {
                    let of = kernel.column(j);
                    column.iter_mut().zip(q.image()).for_each(|(g, &i)| *g += 2.0 * t * of[i]);
                }
            }
            Readout::Scalar(v) => {
                let (_, product) = self.0.moved_readout(v, q);
                gradient.ger(2.0 * t, v, &product, 1.0);
            }
        }
    }
}
