//! Neuron matching: which hidden unit of one network is which of another, given only their weights.
//!
//! Hidden units come in no order, so two trained networks can be compared, averaged or merged only once their units are
//! aligned. What counts of a unit is what it contributes to the output; between two units that is known in closed form
//! ([§6](crate::mathematics#6-two-layer-networks)), and the best alignment is *one* linear assignment, proved optimal
//! where no other comes as near as rounding.

use crate::assignment;
use crate::error::{Error, Result};
use crate::exact::sum_error;
use crate::objective::two_layer::{Inputs, Layer, require_matrix};
use crate::permutation::Permutation;
use nalgebra::{DMatrix, DVector};

/// A two-layer ReLU network x ↦ U·max(Wx + b, 0).
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    weights: DMatrix<f64>,
    bias: Option<DVector<f64>>,
    readout: Option<DMatrix<f64>>,
}

impl Network {
    /// `weights` W, n × d, a row a unit; `bias` b, n; `readout` U, m × n, a column a unit (as PyTorch's `Linear.weight`
    /// has them). Without a readout the units' outputs are compared themselves.
    ///
    /// # Errors
    /// [`Error::Shape`] when the sizes do not fit, [`Error::Entry`] when an entry is not finite.
    pub fn new(weights: DMatrix<f64>, bias: Option<DVector<f64>>, readout: Option<DMatrix<f64>>) -> Result<Self> {
        let (n, d) = weights.shape();
        if n * d == 0 {
            return Err(Error::shape("weights", "n x d with n, d >= 1", format!("{n} x {d}")));
        }
        require_matrix("weights", &weights, n, d)?;
        if let Some(bias) = &bias {
            require_matrix("bias", &DMatrix::from_column_slice(bias.len(), 1, bias.as_slice()), n, 1)?;
        }
        if let Some(readout) = &readout {
            require_matrix("readout", readout, readout.nrows().max(1), n)?;
        }
        Ok(Network { weights, bias, readout })
    }

    /// n, the number of hidden units.
    pub fn units(&self) -> usize {
        self.weights.nrows()
    }

    /// d, the number of inputs.
    pub fn inputs(&self) -> usize {
        self.weights.ncols()
    }

    /// W, n × d.
    pub fn weights(&self) -> &DMatrix<f64> {
        &self.weights
    }

    /// b.
    pub fn bias(&self) -> Option<&DVector<f64>> {
        self.bias.as_ref()
    }

    /// U, m × n.
    pub fn readout(&self) -> Option<&DMatrix<f64>> {
        self.readout.as_ref()
    }

    /// The same function with its units in another order: unit i is unit p(i) of this network.
    ///
    /// # Panics
    /// When p is not of size n.
    pub fn reordered(&self, p: &Permutation) -> Self {
        assert_eq!(p.len(), self.units(), "a permutation of another size");
        Network {
            weights: self.weights.select_rows(p.image()),
            bias: self.bias.as_ref().map(|bias| bias.select_rows(p.image())),
            readout: self.readout.as_ref().map(|readout| readout.select_columns(p.image())),
        }
    }

    /// U·max(Wx + b, 0) for the rows x of `samples` (N × d): N × m.
    ///
    /// # Errors
    /// [`Error::Shape`] when the samples are not of width d.
    pub fn outputs(&self, samples: &DMatrix<f64>) -> Result<DMatrix<f64>> {
        require_matrix("samples", samples, samples.nrows(), self.inputs())?;
        let mut hidden = samples * self.weights.transpose();
        for (j, mut column) in hidden.column_iter_mut().enumerate() {
            let bias = self.bias.as_ref().map_or(0.0, |bias| bias[j]);
            column.apply(|v| *v = (*v + bias).max(0.0));
        }
        Ok(match &self.readout {
            Some(readout) => hidden * readout.transpose(),
            None => hidden,
        })
    }

    /// W with b as its last column, where there is a bias in either network.
    fn augmented(&self, with_bias: bool) -> DMatrix<f64> {
        if !with_bias {
            return self.weights.clone();
        }
        let mut augmented = self.weights.clone().insert_column(self.inputs(), 0.0);
        if let Some(bias) = &self.bias {
            augmented.set_column(self.inputs(), bias);
        }
        augmented
    }
}

/// What [`align`] found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Alignment {
    /// Unit i of A is unit p(i) of B.
    pub permutation: Permutation,
    /// Σ_i E‖c_i − c'_p(i)‖², c and c' the contributions of A's and B's units: the smallest over all permutations, up
    /// to rounding.
    pub value: f64,
    /// The value of leaving B's units as they are.
    pub unaligned_value: f64,
    /// The value of the mean permutation: what an alignment that knows nothing is worth.
    pub random_value: f64,
    /// Whether every other permutation is proved to be worse, rounding included; otherwise another may be as good to
    /// within rounding.
    pub is_proved: bool,
    /// E⟨c_i, c'_p(i)⟩/√(E‖c_i‖²·E‖c'_p(i)‖²) for each unit of A: 1 for equal directions; 0 where one of the two is
    /// never active.
    pub similarities: Vec<f64>,
}

impl Alignment {
    /// value/random_value: 0 when the networks are the same up to order and scaling, near 1 when they have nothing in
    /// common.
    pub fn unexplained(&self) -> f64 {
        if self.random_value > 0.0 { self.value / self.random_value } else { 0.0 }
    }
}

/// Aligns the hidden units of B to those of A: minimizes Σ_i E‖u_iσ(w_i·x) − u'_p(i)σ(w'_p(i)·x)‖² over permutations p.
///
/// The contribution uσ(w·x) does not change when w is multiplied by s > 0 and u by 1/s, so that the scaling symmetry of
/// ReLU networks does not mislead the matching, as it does one that compares weights. Inputs: in closed form for N(0,
/// I) or N(0, Σ), where a bias counts as the weight of one more independent standard normal input (an approximation);
/// exactly, biases included, for given samples. Also the answer to
/// [`PermutationInside`](crate::objective::two_layer::PermutationInside) with a vector output between unrelated
/// weights. O(n²(d + m) + n³).
///
/// # Errors
/// [`Error::Shape`] when the two networks or the inputs do not fit together, [`Error::Entry`], [`Error::Argument`] as
/// [`PermutationOutside::new`](crate::objective::two_layer::PermutationOutside::new).
///
/// ```
/// use birkhoff::neurons::{Network, align};
/// use birkhoff::objective::two_layer::Inputs;
/// use nalgebra::dmatrix;
/// let a = Network::new(dmatrix![1.0, 0.0; 0.0, 1.0], None, Some(dmatrix![2.0, -1.0]))?;
/// // The units exchanged, and one of them rescaled.
/// let b = Network::new(dmatrix![0.0, 1.0; 4.0, 0.0], None, Some(dmatrix![-1.0, 0.5]))?;
/// let alignment = align(&a, &b, &Inputs::Standard)?;
/// assert_eq!(alignment.permutation.image(), &[1, 0]);
/// assert!(alignment.value < 1e-12);
/// # Ok::<(), birkhoff::Error>(())
/// ```
pub fn align(a: &Network, b: &Network, inputs: &Inputs) -> Result<Alignment> {
    require_matrix("weights of B", &b.weights, a.units(), a.inputs())?;
    if let (Some(of_a), Some(of_b)) = (&a.readout, &b.readout) {
        require_matrix("readout of B", of_b, of_a.nrows(), of_a.ncols())?;
    } else if a.readout.is_some() != b.readout.is_some() {
        return Err(Error::argument("readout", "is given for one of the networks only"));
    }
    let n = a.units();
    let with_bias = a.bias.is_some() || b.bias.is_some();
    let inputs = if with_bias { with_constant(inputs)? } else { inputs.clone() };
    let (of_a, of_b) = (Layer::new(&a.augmented(with_bias), &inputs)?, Layer::new(&b.augmented(with_bias), &inputs)?);
    let products = |left: (&Network, &Layer), right: (&Network, &Layer)| {
        let hidden = left.1.products(&left.1.units, &right.1.units);
        match (&left.0.readout, &right.0.readout) {
            (Some(u), Some(v)) => hidden.component_mul(&u.tr_mul(v)),
            _ => hidden,
        }
    };
    let cross = products((a, &of_a), (b, &of_b));
    let squares = |network: &Network, layer: &Layer| products((network, layer), (network, layer)).diagonal();
    let (squares_a, squares_b) = (squares(a, &of_a), squares(b, &of_b));
    let total = squares_a.sum() + squares_b.sum();

    let costs = -&cross;
    let best = assignment::solve(&costs)?;
    // Entries are sums of as many terms as a unit has inputs and outputs, by the kernel's arctangents.
    let units = |squares: &DVector<f64>| squares.max().max(0.0).sqrt();
    let terms = of_a.units.nrows() + a.readout.as_ref().map_or(0, |readout| readout.nrows()) + n + 64;
    let rounding = n as f64 * 2.0 * sum_error(terms) * units(&squares_a) * units(&squares_b);
    let is_proved = n <= assignment::LARGEST_MARGIN && assignment::margin(&costs, &best) > 2.0 * rounding;
    let permutation = best.permutation;
    let value = |p: &Permutation| (total - 2.0 * p.inner_product(&cross)).max(0.0);
    let similarity = |(i, &j): (usize, &usize)| {
        let scale = (squares_a[i] * squares_b[j]).sqrt();
        if scale > 0.0 { cross[(i, j)] / scale } else { 0.0 }
    };
    Ok(Alignment {
        value: value(&permutation),
        unaligned_value: value(&Permutation::identity(n)),
        random_value: (total - 2.0 * cross.sum() / n as f64).max(0.0),
        is_proved,
        similarities: permutation.image().iter().enumerate().map(similarity).collect(),
        permutation,
    })
}

/// The inputs with one more: constant 1 for samples, independent and standard normal otherwise.
fn with_constant(inputs: &Inputs) -> Result<Inputs> {
    Ok(match inputs {
        Inputs::Standard => Inputs::Standard,
        Inputs::Normal(covariance) => {
            let d = covariance.nrows();
            require_matrix("covariance", covariance, d, d)?;
            let mut larger = covariance.clone().resize(d + 1, d + 1, 0.0);
            larger[(d, d)] = 1.0;
            Inputs::Normal(larger)
        }
        Inputs::Samples(samples) => Inputs::Samples(samples.clone().insert_column(samples.ncols(), 1.0)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;
    use rand_distr::{Distribution, StandardNormal};

    fn normal(rows: usize, columns: usize, rng: &mut impl rand::Rng) -> DMatrix<f64> {
        DMatrix::from_fn(rows, columns, |_, _| StandardNormal.sample(rng))
    }

    fn network(n: usize, rng: &mut impl rand::Rng) -> Network {
        let bias = DVector::from_column_slice(normal(n, 1, rng).as_slice());
        Network::new(normal(n, 6, rng), Some(bias), Some(normal(3, n, rng))).unwrap()
    }

    #[test]
    fn a_shuffled_and_rescaled_copy_is_put_back_and_computes_the_same() {
        let rng = &mut rng(8, 0);
        let a = network(20, rng);
        let hidden = Permutation::random(20, rng);
        let mut b = a.reordered(&hidden);
        for i in 0..20 {
            let scale = (i as f64 * 0.3).exp();
            b.weights.row_mut(i).scale_mut(scale);
            b.bias.as_mut().unwrap()[i] *= scale;
            b.readout.as_mut().unwrap().column_mut(i).scale_mut(1.0 / scale);
        }
        let samples = normal(50, 6, rng);
        for inputs in
            [Inputs::Standard, Inputs::Normal(DMatrix::identity(6, 6) * 2.0), Inputs::Samples(samples.clone())]
        {
            let alignment = align(&a, &b, &inputs).unwrap();
            // Unit i of A is unit hidden⁻¹(i) of B.
            assert_eq!(alignment.permutation, hidden.inverse());
            assert!(alignment.unexplained() < 1e-12 && alignment.unaligned_value > 0.1 * alignment.random_value);
            assert!(alignment.similarities.iter().all(|&similarity| similarity > 1.0 - 1e-12 || similarity == 0.0));
            let difference =
                b.reordered(&alignment.permutation).outputs(&samples).unwrap() - a.outputs(&samples).unwrap();
            // Scales up to e⁶ times sums of 20 terms.
            assert!(difference.amax() < 1e-11);
        }
    }

    #[test]
    fn unrelated_networks_are_not_explained() {
        let rng = &mut rng(8, 1);
        let alignment = align(&network(30, rng), &network(30, rng), &Inputs::Standard).unwrap();
        assert!(alignment.unexplained() > 0.3 && alignment.value <= alignment.unaligned_value);
    }

    #[test]
    fn on_samples_the_value_is_the_mean_it_says() {
        let rng = &mut rng(8, 2);
        let (a, b, samples) = (network(5, rng), network(5, rng), normal(40, 6, rng));
        let alignment = align(&a, &b, &Inputs::Samples(samples.clone())).unwrap();
        let aligned = b.reordered(&alignment.permutation);
        let single = |network: &Network, i: usize| {
            let one =
                DMatrix::from_fn(3, 5, |k, j| if j == i { network.readout.as_ref().unwrap()[(k, j)] } else { 0.0 });
            Network { readout: Some(one), ..network.clone() }.outputs(&samples).unwrap()
        };
        let mean = (0..5).map(|i| (single(&a, i) - single(&aligned, i)).norm_squared()).sum::<f64>() / 40.0;
        assert!((alignment.value - mean).abs() < 1e-12 * mean.max(1.0), "{} {mean}", alignment.value);
    }

    #[test]
    fn networks_that_do_not_fit_are_refused_with_their_shapes() {
        let message = |result: Result<Network>| result.unwrap_err().to_string();
        let w = || DMatrix::from_element(3, 2, 1.0);
        assert!(message(Network::new(w(), Some(DVector::zeros(2)), None)).contains("bias: expected 3 x 1, got 2 x 1"));
        assert!(
            message(Network::new(w(), None, Some(DMatrix::zeros(1, 4)))).contains("readout: expected 1 x 3, got 1 x 4")
        );
        assert!(message(Network::new(w() * f64::NAN, None, None)).contains("weights: entry (0, 0) is NaN"));
        let plain = |n, d| Network::new(DMatrix::from_element(n, d, 1.0), None, None).unwrap();
        let message = |a, b| align(&a, &b, &Inputs::Standard).unwrap_err().to_string();
        assert!(message(plain(3, 2), plain(4, 2)).contains("weights of B: expected 3 x 2, got 4 x 2"));
        let samples = Inputs::Samples(DMatrix::zeros(5, 3));
        assert!(
            align(&plain(3, 2), &plain(3, 2), &samples).unwrap_err().to_string().contains("expected 5 x 2, got 5 x 3")
        );
    }
}
