//! Two-layer ReLU networks with an unknown permutation, in closed form: the loss of a student against a teacher.
//!
//! W is n × d (a row a hidden unit), x ~ N(0, I) or N(0, Σ) or given samples, σ = max(·, 0), T the teacher's n × n
//! matrix: a permutation, or any other. Two places for X ∈ D_n, and two readouts
//! ([§6](crate::mathematics#6-two-layer-networks)):
//!
//! | | vector output | scalar readout v |
//! | --- | --- | --- |
//! | [`PermutationOutside`] | E‖Xσ(Wx) − Tσ(Wx)‖² | E(vᵀXσ(Wx) − vᵀTσ(Wx))² |
//! | [`PermutationInside`] | E‖σ(XWx) − σ(TWx)‖² | E(vᵀσ(XWx) − vᵀσ(TWx))² |
//!
//! On permutations both places agree, because Pσ(Wx) = σ(PWx). The vector outputs are then linear in P: one assignment
//! finds, and proves, the best permutation. Expectations over Gaussian inputs are those of the [arc-cosine
//! kernel](arc_cosine); over samples they are means. To align the units of two given networks, see
//! [`neurons`](crate::neurons).

pub mod arc_cosine;
mod inside;
mod outside;

pub use inside::PermutationInside;
pub use outside::PermutationOutside;

use crate::error::{Error, Result, require_finite};
use crate::stop::Stop;
use nalgebra::{DMatrix, DVector};

/// The law of the inputs x ∈ ℝᵈ.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Inputs {
    /// x ~ N(0, I).
    Standard,
    /// x ~ N(0, Σ), Σ d × d, symmetric and positive definite: x = Lz, Σ = LLᵀ, so that W becomes WL.
    Normal(DMatrix<f64>),
    /// The uniform law on the rows of this N × d matrix: expectations are means over the user's data.
    Samples(DMatrix<f64>),
}

/// What is observed of the n hidden units.
#[derive(Debug, Clone, PartialEq)]
pub enum Readout {
    /// All of them.
    Vector,
    /// Their sum with these n weights.
    Scalar(DVector<f64>),
}

impl Readout {
    /// VM, V = I or vvᵀ.
    fn weighted(&self, matrix: &DMatrix<f64>) -> DMatrix<f64> {
        match self {
            Readout::Vector => matrix.clone(),
            Readout::Scalar(v) => v * (v.transpose() * matrix),
        }
    }

    /// Outputs of a network of n hidden units.
    fn width(&self, n: usize) -> usize {
        match self {
            Readout::Vector => n,
            Readout::Scalar(_) => 1,
        }
    }

    /// ‖V‖_F.
    fn norm(&self, n: usize) -> f64 {
        match self {
            Readout::Vector => (n as f64).sqrt(),
            Readout::Scalar(v) => v.norm_squared(),
        }
    }
}

/// Hidden units over a law of inputs, and the products of their outputs.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    /// A column a unit: (WL)ᵀ, d × n, for Gaussian inputs; the units' inputs W x_s, N × n, for samples.
    pub units: DMatrix<f64>,
    pub are_samples: bool,
}

impl Layer {
    /// # Errors
    /// [`Error::Shape`], [`Error::Entry`], and [`Error::Argument`] when Σ has no Cholesky factor.
    pub fn new(w: &DMatrix<f64>, inputs: &Inputs) -> Result<Self> {
        if w.is_empty() {
            return Err(Error::shape("weights W", "n x d with n, d >= 1", format!("{} x {}", w.nrows(), w.ncols())));
        }
        let d = w.ncols();
        require_matrix("weights W", w, w.nrows(), d)?;
        let units = match inputs {
            Inputs::Standard => w.transpose(),
            Inputs::Normal(covariance) => {
                require_matrix("covariance", covariance, d, d)?;
                let asymmetry = (covariance - covariance.transpose()).amax();
                let factor = covariance.clone().cholesky().filter(|_| asymmetry <= 1e-12 * covariance.amax());
                let Some(factor) = factor else {
                    return Err(Error::argument("covariance", "is not symmetric and positive definite"));
                };
                factor.l().tr_mul(&w.transpose())
            }
            Inputs::Samples(samples) => {
                if samples.nrows() == 0 {
                    return Err(Error::shape(
                        "samples",
                        format!("N x {d} with N >= 1"),
                        format!("0 x {}", samples.ncols()),
                    ));
                }
                require_matrix("samples", samples, samples.nrows(), d)?;
                samples * w.transpose()
            }
        };
        Ok(Layer { units, are_samples: matches!(inputs, Inputs::Samples(_)) })
    }

    /// n.
    pub fn size(&self) -> usize {
        self.units.ncols()
    }

    /// E σ(a_i)σ(b_j) for units a_i (rows of the result) and b_j (columns), both columns of matrices like `units`.
    pub fn products(&self, a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
        if self.are_samples {
            return mean_products(&a.map(relu), &b.map(relu));
        }
        arc_cosine::kernels(a, b, &Stop::never())
    }

    fn check(&self, teacher: &DMatrix<f64>, readout: &Readout) -> Result<()> {
        require_matrix("teacher T", teacher, self.size(), self.size())?;
        self.check_readout(readout)
    }

    fn check_readout(&self, readout: &Readout) -> Result<()> {
        match readout {
            Readout::Vector => Ok(()),
            Readout::Scalar(v) => {
                require_matrix("readout v", &DMatrix::from_column_slice(v.len(), 1, v.as_slice()), self.size(), 1)
            }
        }
    }
}

fn relu(value: f64) -> f64 {
    value.max(0.0)
}

/// AᵀB/N for N × a and N × b matrices.
fn mean_products(a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
    a.tr_mul(b) / a.nrows() as f64
}

/// Column j, which lies in one piece.
fn column_of(matrix: &DMatrix<f64>, j: usize) -> &[f64] {
    let rows = matrix.nrows();
    &matrix.as_slice()[j * rows..(j + 1) * rows]
}

/// An error unless `matrix` has this shape and finite entries.
pub(crate) fn require_matrix(what: &str, matrix: &DMatrix<f64>, rows: usize, columns: usize) -> Result<()> {
    if matrix.shape() != (rows, columns) {
        let found = format!("{} x {}", matrix.nrows(), matrix.ncols());
        return Err(Error::shape(what, format!("{rows} x {columns}"), found));
    }
    require_finite(what, matrix)
}
