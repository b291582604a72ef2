//! The permutation inside of the ReLU layer: not convex, not quadratic.

use super::outside::Magnitude;
use super::{Inputs, Layer, PermutationOutside, Readout, arc_cosine, column_of, relu};
use crate::columns::multiply;
use crate::error::Result;
use crate::objective::{Objective, Rounding};
use crate::permutation::Permutation;
use crate::stop::Stop;
use nalgebra::{DMatrix, DVector};

/// f(X) = E‖σ(XWx) − σ(TWx)‖², or E(vᵀσ(XWx) − vᵀσ(TWx))² with a scalar readout v. W is n × d, T n × n (any matrix).
///
/// With rows x_i of XW and t_i of TW: Σ_i E(σ(x_i·x) − σ(t_i·x))², or Σ_ij v_i v_j [k(x_i, x_j) − 2k(x_i, t_j) + k(t_i,
/// t_j)]. Neither convex nor quadratic. The vector output's loss lies between ¼‖(X − T)W‖²_F and ½‖(X − T)W‖²_F
/// ([§6](crate::mathematics#6-two-layer-networks)): where W has full row rank, T is its only zero. The scalar one has
/// many.
///
/// At permutations it equals [`PermutationOutside`]'s: [`value_at`](Objective::value_at) and swaps cost as there.
/// Cost of f and ∇f: O(n²d) (vector), O(n²d) with an arctangent a pair of units (scalar); on N samples O(n²N).
///
/// ```
/// use birkhoff::objective::two_layer::{Inputs, PermutationInside, Readout};
/// use birkhoff::objective::Objective;
/// use nalgebra::{DMatrix, dmatrix};
/// let identity = DMatrix::identity(2, 2);
/// let f = PermutationInside::new(&identity, &identity, Readout::Vector, &Inputs::Standard)?;
/// assert_eq!(f.value(&identity), 0.0);
/// assert!((f.value(&dmatrix![0.5, 0.5; 0.5, 0.5]) - 0.43169).abs() < 5e-6);
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PermutationInside {
    layer: Layer,
    readout: Readout,
    teacher: Teacher,
    at_permutations: PermutationOutside,
}

#[derive(Debug, Clone)]
enum Teacher {
    /// For Gaussian inputs: a column a unit, and the second moment of its output, E(vᵀσ(TWx))².
    Units { units: DMatrix<f64>, square: f64 },
    /// For samples: a row a sample.
    Outputs(DMatrix<f64>),
}

impl PermutationInside {
    /// The loss against the teacher T. `w` is W, n × d.
    ///
    /// # Errors
    /// As [`PermutationOutside::new`].
    pub fn new(w: &DMatrix<f64>, teacher: &DMatrix<f64>, readout: Readout, inputs: &Inputs) -> Result<Self> {
        let layer = Layer::new(w, inputs)?;
        layer.check(teacher, &readout)?;
        let units = &layer.units * teacher.transpose();
        if let Inputs::Samples(samples) = inputs {
            return Self::fit(w, readout.clone(), samples, &outputs(&units, &readout));
        }
        let (cross, own) = (layer.products(&units, &layer.units), layer.products(&units, &units));
        let square = match &readout {
            Readout::Vector => own.trace(),
            Readout::Scalar(v) => (&own * v).dot(v),
        };
        let kernel = layer.products(&layer.units, &layer.units);
        let roots = own.diagonal().iter().map(|square| square.sqrt()).collect();
        let magnitude = Magnitude { terms: units.nrows() + w.nrows(), outputs: roots }.observed(&readout);
        let target = readout.weighted(&cross);
        let at_permutations = PermutationOutside::of_parts(kernel, readout.clone(), target, square, magnitude);
        Ok(PermutationInside { layer, readout, teacher: Teacher::Units { units, square }, at_permutations })
    }

    /// The mean squared error (1/N)·Σ‖σ(XWx_s) − y_s‖² on data: `samples` N × d, a row an input; `outputs` N × n, or N
    /// × 1 with a scalar readout, where the error is (vᵀσ(XWx_s) − y_s)².
    ///
    /// # Errors
    /// As [`PermutationOutside::fit`].
    pub fn fit(w: &DMatrix<f64>, readout: Readout, samples: &DMatrix<f64>, outputs: &DMatrix<f64>) -> Result<Self> {
        let at_permutations = PermutationOutside::fit(w, readout.clone(), samples, outputs)?;
        let layer = Layer::new(w, &Inputs::Samples(samples.clone()))?;
        Ok(PermutationInside { layer, readout, teacher: Teacher::Outputs(outputs.clone()), at_permutations })
    }

    /// The inputs of the units of XW: a column a unit.
    fn units(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        let mut units = DMatrix::zeros(self.layer.units.nrows(), x.nrows());
        multiply(self.stop(), &mut units, 1.0, &self.layer.units, &x.transpose(), 0.0);
        units
    }

    fn stop(&self) -> &Stop {
        &self.at_permutations.stop
    }

    /// The value, if it was computed to its end.
    fn finished(&self, value: f64) -> f64 {
        if self.stop().is_reached() { f64::NAN } else { value }
    }
}

/// What a network with these units puts out on samples: N × n, or N × 1.
fn outputs(units: &DMatrix<f64>, readout: &Readout) -> DMatrix<f64> {
    let hidden = units.map(relu);
    match readout {
        Readout::Vector => hidden,
        Readout::Scalar(v) => {
            let sums = hidden * v;
            DMatrix::from_column_slice(sums.len(), 1, sums.as_slice())
        }
    }
}

/// Σ_i E(σ(x_i·x) − σ(t_i·x))².
fn vector_value(units: &DMatrix<f64>, teacher: &DMatrix<f64>) -> f64 {
    (0..units.ncols()).map(|i| arc_cosine::squared_distance(column_of(units, i), column_of(teacher, i))).sum()
}

/// Its gradient with respect to the units: x_i − 2∇_a k(x_i, t_i).
fn vector_gradient(units: &DMatrix<f64>, teacher: &DMatrix<f64>) -> DMatrix<f64> {
    let mut gradient = units.clone();
    for (i, target) in gradient.as_mut_slice().chunks_mut(units.nrows()).enumerate() {
        arc_cosine::add_gradient(-2.0, column_of(units, i), column_of(teacher, i), target);
    }
    gradient
}

/// Σ_ij v_i v_j [k(x_i, x_j) − 2k(x_i, t_j)], and its gradient with respect to the units.
fn scalar_value_and_gradient(
    units: &DMatrix<f64>,
    teacher: &DMatrix<f64>,
    v: &DVector<f64>,
    stop: &Stop,
) -> (f64, DMatrix<f64>) {
    let weights = v * v.transpose() * 2.0;
    let (own, own_gradient) = arc_cosine::kernels_and_gradient(units, units, &weights, stop);
    let (cross, cross_gradient) = arc_cosine::kernels_and_gradient(units, teacher, &weights, stop);
    (0.5 * weights.dot(&(own - cross * 2.0)), own_gradient - cross_gradient)
}

/// The mean squared norm of the rows.
fn mean_square(errors: &DMatrix<f64>) -> f64 {
    errors.norm_squared() / errors.nrows() as f64
}

/// σ', ½ at 0: the mean of both sides.
fn relu_slope(value: f64) -> f64 {
    match value {
        _ if value > 0.0 => 1.0,
        _ if value < 0.0 => 0.0,
        _ => 0.5,
    }
}

impl Objective for PermutationInside {
    fn size(&self) -> usize {
        self.layer.size()
    }

    fn value(&self, x: &DMatrix<f64>) -> f64 {
        let units = self.units(x);
        let value = match (&self.teacher, &self.readout) {
            (Teacher::Units { units: teacher, .. }, Readout::Vector) => vector_value(&units, teacher),
            (Teacher::Units { units: teacher, square }, Readout::Scalar(v)) => {
                let kernels = |other| arc_cosine::kernels(&units, other, self.stop());
                let (own, cross) = (kernels(&units), kernels(teacher));
                ((own - cross * 2.0) * v).dot(v) + square
            }
            (Teacher::Outputs(wanted), readout) => mean_square(&(outputs(&units, readout) - wanted)),
        };
        self.finished(value)
    }

    fn gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) {
        self.value_and_gradient(x, gradient);
    }

    /// ∇f = GᵀU, U the columns of units and G the gradient with respect to those of XW.
    fn value_and_gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) -> f64 {
        let units = self.units(x);
        let (value, by_units) = match (&self.teacher, &self.readout) {
            (Teacher::Units { units: teacher, .. }, Readout::Vector) => {
                (vector_value(&units, teacher), vector_gradient(&units, teacher))
            }
            (Teacher::Units { units: teacher, square }, Readout::Scalar(v)) => {
                let (value, gradient) = scalar_value_and_gradient(&units, teacher, v, self.stop());
                (value + square, gradient)
            }
            (Teacher::Outputs(wanted), readout) => {
                let error = outputs(&units, readout) - wanted;
                let by_outputs = &error * (2.0 / wanted.nrows() as f64);
                let by_hidden = match readout {
                    Readout::Vector => by_outputs,
                    Readout::Scalar(v) => by_outputs * v.transpose(),
                };
                (mean_square(&error), by_hidden.component_mul(&units.map(relu_slope)))
            }
        };
        by_units.tr_mul_to(&self.layer.units, gradient);
        self.finished(value)
    }

    fn until(&self, stop: &Stop) -> Option<Box<dyn Objective + '_>> {
        Some(Box::new(PermutationInside { at_permutations: self.at_permutations.stopping_at(stop), ..self.clone() }))
    }

    fn value_at(&self, p: &Permutation) -> f64 {
        self.at_permutations.value_at(p)
    }

    fn swap_change(&self, p: &Permutation, i: usize, k: usize) -> f64 {
        self.at_permutations.swap_change(p, i, k)
    }

    fn swap_changes(&self, p: &Permutation) -> Option<Box<dyn Fn(usize, usize) -> f64 + '_>> {
        self.at_permutations.swap_changes(p)
    }

    fn scale(&self) -> f64 {
        self.at_permutations.scale()
    }

    fn rounding(&self) -> Option<Rounding> {
        self.at_permutations.rounding()
    }

    fn swap_rounding(&self, p: &Permutation, i: usize, k: usize) -> Option<f64> {
        self.at_permutations.swap_rounding(p, i, k)
    }

    fn proves(&self, p: &Permutation) -> bool {
        self.at_permutations.proves(p)
    }

    fn trivial_bound(&self) -> f64 {
        self.at_permutations.trivial_bound()
    }
}
