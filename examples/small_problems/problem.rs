//! Random problems of at most eight vertices, of every kind that files can bring.

use birkhoff::objective::{GraphMatching, Objective, QuadraticAssignment};
use birkhoff::{Graph, Permutation, Result};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Cauchy, Distribution, StandardNormal};

/// What is to be minimized over the permutations of the larger side.
#[derive(Clone)]
pub struct Problem {
    pub form: Form,
    /// A_ℓ and B_ℓ.
    pub layers: Vec<(DMatrix<f64>, DMatrix<f64>)>,
    /// C.
    pub linear: Option<DMatrix<f64>>,
    pub anchors: Vec<(usize, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Σ_ℓ ‖A_ℓX − XB_ℓ‖² + ⟨C, X⟩.
    Matching,
    /// Σ_ℓ tr(A_ℓᵀXB_ℓXᵀ) + ⟨C, X⟩.
    Assignment,
}

/// Where weights come from.
#[derive(Debug, Clone, Copy)]
enum Weights {
    Ones,
    /// −3 to 9.
    Whole,
    /// Up to 2²⁶: their squares are whole numbers that doubles hold, the sums of these not always.
    LargeWhole,
    Uniform,
    Normal,
    Cauchy,
    /// ±10^−6 to ±10^6.
    Wide,
    /// Half numbers, and now and then one of up to 10¹².
    Heavy,
    /// Tenths: sums that are equal on paper differ in their last bit.
    Tenths,
    /// Small whole numbers, off by 10^−9 to 10^−15.
    Nearly,
    /// 1e60 and 1e-60 side by side.
    Extreme,
}

const WEIGHTS: [Weights; 11] = [
    Weights::Ones,
    Weights::Whole,
    Weights::LargeWhole,
    Weights::Uniform,
    Weights::Normal,
    Weights::Cauchy,
    Weights::Wide,
    Weights::Heavy,
    Weights::Tenths,
    Weights::Nearly,
    Weights::Extreme,
];

fn chance(probability: f64, rng: &mut impl Rng) -> bool {
    rng.random::<f64>() < probability
}

fn sign(rng: &mut impl Rng) -> f64 {
    if chance(0.5, rng) { 1.0 } else { -1.0 }
}

impl Weights {
    fn any(rng: &mut impl Rng) -> Self {
        WEIGHTS[rng.random_range(0..WEIGHTS.len())]
    }

    fn draw(self, rng: &mut impl Rng) -> f64 {
        match self {
            Weights::Ones => 1.0,
            Weights::Whole => f64::from(rng.random_range(-3..10)),
            Weights::LargeWhole => f64::from(rng.random_range(0..1 << 26)),
            Weights::Uniform => rng.random(),
            Weights::Normal => StandardNormal.sample(rng),
            // Cut where squares of norms would leave the accepted range.
            Weights::Cauchy => Cauchy::<f64>::new(0.0, 1.0).expect("scale 1").sample(rng).clamp(-1e15, 1e15),
            Weights::Wide => sign(rng) * 10f64.powf(rng.random_range(-6.0..6.0)),
            Weights::Heavy if chance(0.1, rng) => 10f64.powi(rng.random_range(3..13)),
            Weights::Heavy => 0.5 * f64::from(rng.random_range(1..5)),
            Weights::Tenths => f64::from(rng.random_range(1..10)) * 0.1,
            Weights::Nearly => {
                let small = rng.random_range(-1.0..1.0) * 10f64.powi(-rng.random_range(9..16));
                f64::from(rng.random_range(0..3)) + small
            }
            Weights::Extreme => rng.random_range(0.5..2.0) * if chance(0.5, rng) { 1e60 } else { 1e-60 },
        }
    }
}

/// How B comes from A.
#[derive(Debug, Clone, Copy)]
enum Relation {
    Independent,
    Isomorphic,
    /// Isomorphic but for some weights.
    Noisy,
    /// Isomorphic but for a relative error of 10^−12.
    Rounded,
}

/// How a graph's weights are drawn.
#[derive(Debug, Clone, Copy)]
struct Style {
    weights: Weights,
    density: f64,
    is_directed: bool,
    has_loops: bool,
    /// By what all are multiplied.
    unit: f64,
}

impl Style {
    fn any(rng: &mut impl Rng) -> Self {
        let weights = Weights::any(rng);
        let may_be_scaled = !matches!(weights, Weights::Extreme) && chance(0.1, rng);
        Style {
            weights,
            density: [0.2, 0.5, 0.8, 1.0][rng.random_range(0..4)],
            is_directed: chance(0.4, rng),
            has_loops: chance(0.3, rng),
            unit: if may_be_scaled { 10f64.powi(rng.random_range(-45..46)) } else { 1.0 },
        }
    }

    fn entry(self, rng: &mut impl Rng) -> f64 {
        if chance(self.density, rng) { self.weights.draw(rng) * self.unit } else { 0.0 }
    }

    fn matrix(self, n: usize, rng: &mut impl Rng) -> DMatrix<f64> {
        let mut matrix = DMatrix::zeros(n, n);
        for i in 0..n {
            for j in 0..n {
                matrix[(i, j)] = match (i == j, i > j && !self.is_directed) {
                    (true, _) if !self.has_loops => 0.0,
                    (_, true) => matrix[(j, i)],
                    _ => self.entry(rng),
                };
            }
        }
        matrix
    }

    /// A graph on n vertices that resembles A as `relation` says: on as many vertices as both have.
    fn related(self, relation: Relation, a: &DMatrix<f64>, n: usize, rng: &mut impl Rng) -> DMatrix<f64> {
        if matches!(relation, Relation::Independent) {
            return self.matrix(n, rng);
        }
        let m = n.max(a.nrows());
        let truth = Permutation::random(m, rng).to_matrix();
        let b = truth.tr_mul(&a.clone().resize(m, m, 0.0)) * truth;
        let mut b = b.view((0, 0), (n, n)).clone_owned();
        for i in 0..n {
            for j in 0..n {
                let changed = match relation {
                    _ if b[(i, j)] == 0.0 => continue,
                    _ if i > j && !self.is_directed => b[(j, i)],
                    Relation::Noisy if chance(0.2, rng) => self.entry(rng),
                    Relation::Rounded => b[(i, j)] * (1.0 + 1e-12 * rng.random_range(-1.0..1.0)),
                    _ => continue,
                };
                b[(i, j)] = changed;
            }
        }
        b
    }
}

/// Each matrix row by row, every digit.
impl std::fmt::Debug for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        writeln!(f, "{:?}, anchors {:?}", self.form, self.anchors)?;
        let layers = self.layers.iter().flat_map(|(a, b)| [("A", a), ("B", b)]);
        for (name, matrix) in layers.chain(self.linear.iter().map(|c| ("C", c))) {
            writeln!(f, "{name} =")?;
            for row in matrix.row_iter() {
                writeln!(f, "{:?}", row.iter().collect::<Vec<_>>())?;
            }
        }
        Ok(())
    }
}

impl Problem {
    /// A problem of size at most `largest`, 1 to 8; the larger ones are the more frequent.
    pub fn draw(largest: usize, rng: &mut impl Rng) -> Self {
        let n = largest - [0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7][rng.random_range(0..13)].min(largest - 1);
        let (mut n_a, mut n_b) = (n, n);
        if chance(0.3, rng) {
            let smaller = rng.random_range(1..=n);
            if chance(0.5, rng) { n_a = smaller } else { n_b = smaller }
        }
        let relations = [Relation::Independent, Relation::Isomorphic, Relation::Noisy, Relation::Rounded];
        let layer_count = if chance(0.8, rng) { 1 } else { rng.random_range(2..4) };
        let layers: Vec<_> = (0..layer_count)
            .map(|_| {
                let (style, relation) = (Style::any(rng), relations[rng.random_range(0..4)]);
                let a = style.matrix(n_a, rng);
                let b = style.related(relation, &a, n_b, rng);
                (a, b)
            })
            .collect();
        let form = if chance(0.6, rng) { Form::Matching } else { Form::Assignment };
        let anchor_count = if chance(0.75, rng) { 0 } else { rng.random_range(1..=n) };
        let (rows, columns) = (Permutation::random(n, rng), Permutation::random(n, rng));
        let anchors = (0..anchor_count).map(|k| (rows.apply(k), columns.apply(k))).collect();
        let mut problem = Problem { form, layers, linear: None, anchors };
        if chance(0.35, rng) {
            problem.linear = Some(problem.similarity(n_a, n_b, rng));
        }
        problem
    }

    /// A linear term in units of the graphs' products, or a millionth, or a million of these.
    fn similarity(&self, n_a: usize, n_b: usize, rng: &mut impl Rng) -> DMatrix<f64> {
        let weights = Weights::any(rng);
        let product = |(a, b): &(DMatrix<f64>, DMatrix<f64>)| a.amax() * b.amax();
        let largest = self.layers.iter().map(product).fold(0.0, f64::max);
        let unit = match rng.random_range(0..4) {
            _ if matches!(weights, Weights::Extreme) => 1.0,
            0 => 1.0,
            1 => 2f64.powi(largest.max(1e-300).log2().round() as i32),
            2 => 1e-6 * largest,
            _ => 1e6 * largest,
        };
        DMatrix::from_fn(n_a, n_b, |_, _| if chance(0.9, rng) { weights.draw(rng) * unit } else { 0.0 })
    }

    /// n, the larger side.
    pub fn size(&self) -> usize {
        let (a, b) = &self.layers[0];
        a.nrows().max(b.nrows())
    }

    /// The graphs of each layer.
    pub fn graphs(&self) -> Result<Vec<(Graph, Graph)>> {
        self.layers.iter().map(|(a, b)| Ok((Graph::from_matrix(a)?, Graph::from_matrix(b)?))).collect()
    }

    /// The anchors between vertices that both graphs of the first layer have; the others are padding.
    pub fn anchors_of_graphs(&self) -> Vec<(usize, usize)> {
        let (a, b) = &self.layers[0];
        self.anchors.iter().copied().filter(|&(i, j)| i < a.nrows() && j < b.nrows()).collect()
    }

    /// The library's objective.
    ///
    /// # Errors
    /// What the library refuses.
    pub fn objective(&self) -> Result<Box<dyn Objective>> {
        let mut graphs = self.graphs()?.into_iter();
        let (a, b) = graphs.next().expect("a problem has a layer");
        match self.form {
            Form::Matching => {
                let mut f = GraphMatching::new(a, b)?;
                for (a, b) in graphs {
                    f = f.with_layer(a, b)?;
                }
                Ok(Box::new(if let Some(c) = &self.linear { f.with_linear(c)? } else { f }))
            }
            Form::Assignment => {
                let mut f = QuadraticAssignment::new(a, b)?;
                for (a, b) in graphs {
                    f = f.with_layer(a, b)?;
                }
                Ok(Box::new(if let Some(c) = &self.linear { f.with_linear(c)? } else { f }))
            }
        }
    }
}
