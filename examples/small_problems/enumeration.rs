//! The least value by trying all permutations: doubles say which may have it, exact arithmetic decides.

use crate::exact::{Exact, Table};
use crate::problem::{Form, Problem};
use nalgebra::DMatrix;

/// All values of a problem. A value is a constant and a sum of entries of one table, picked by the permutation.
pub struct Enumeration {
    n: usize,
    layer_count: usize,
    /// The products of A's and B's entries, a layer after the other, and behind them C's entries.
    terms: Vec<f64>,
    exact: Table,
    /// ‖A‖² + ‖B‖² of all layers, where they count, and the sum of their doubles.
    constant: Exact,
    size_of_constant: f64,
    /// The least value, the constant included.
    pub optimum: Exact,
}

impl Enumeration {
    pub fn of(problem: &Problem) -> Self {
        let n = problem.size();
        let factor = if problem.form == Form::Matching { -2.0 } else { 1.0 };
        let (mut terms, mut exact) = (Vec::new(), Vec::new());
        let (mut squares, mut size_of_constant) = (Vec::new(), 0.0);
        for (a, b) in &problem.layers {
            let (a, b) = (a.clone().resize(n, n, 0.0), b.clone().resize(n, n, 0.0));
            let [exact_a, exact_b] = [&a, &b].map(exact_entries);
            for (i, j, p_i, p_j) in places(n) {
                terms.push(factor * a[(i, j)] * b[(p_i, p_j)]);
                let product = exact_a[i + n * j].times(&exact_b[p_i + n * p_j]);
                exact.push(product.times(&Exact::of(factor)));
            }
            if problem.form == Form::Matching {
                squares.extend(exact_a.iter().chain(&exact_b).map(|entry| entry.times(entry)));
                size_of_constant += a.norm_squared() + b.norm_squared();
            }
        }
        let linear = problem.linear.clone().map_or(DMatrix::zeros(n, n), |c| c.resize(n, n, 0.0));
        terms.extend(linear.transpose().iter());
        exact.extend(linear.transpose().iter().map(|&c| Exact::of(c)));
        let constant = Table::of(&squares).sum(0..squares.len());

        let layer_count = problem.layers.len();
        let optimum = constant.clone();
        let exact = Table::of(&exact);
        let mut all = Enumeration { n, layer_count, terms, exact, constant, size_of_constant, optimum };
        all.optimum = all.least(&problem.anchors);
        all
    }

    /// The least value of the permutations that keep the anchors.
    fn least(&self, anchors: &[(usize, usize)]) -> Exact {
        let mut below = f64::INFINITY;
        let mut candidates: Vec<(f64, Vec<usize>)> = Vec::new();
        for_each_permutation(self.n, anchors, &mut |p| {
            let (sum, rounding) = self.sum(p);
            below = below.min(sum + rounding);
            if sum - rounding <= below {
                candidates.push((sum - rounding, p.to_vec()));
            }
        });
        candidates.retain(|(at_least, _)| *at_least <= below);
        candidates.iter().map(|(_, p)| self.value(p)).min().expect("there is a permutation")
    }

    /// Where the terms of p stand in the table.
    fn places<'a>(&'a self, p: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
        let (n, quadratic) = (self.n, self.n.pow(4));
        let pairs = move |layer: usize| {
            (0..n).flat_map(move |i| (0..n).map(move |j| layer * quadratic + ((i * n + j) * n + p[i]) * n + p[j]))
        };
        let linear = (0..n).map(move |i| self.layer_count * quadratic + i * n + p[i]);
        (0..self.layer_count).flat_map(pairs).chain(linear)
    }

    /// The value without its constant, and more than it can be off.
    fn sum(&self, p: &[usize]) -> (f64, f64) {
        let (mut sum, mut size, mut count) = (0.0, 0.0, 0);
        for place in self.places(p) {
            let term = self.terms[place];
            sum += term;
            size += term.abs();
            count += 1;
        }
        (sum, rounding(count, size))
    }

    /// The value of p.
    pub fn value(&self, p: &[usize]) -> Exact {
        self.constant.plus(&self.exact.sum(self.places(p)))
    }

    /// More than a value of p in doubles can be off, in whatever order its terms are summed.
    pub fn rounding(&self, p: &[usize]) -> f64 {
        let size: f64 = self.places(p).map(|place| self.terms[place].abs()).sum();
        let count = self.layer_count * 3 * self.n.pow(2) + self.n;
        rounding(count, size + self.size_of_constant)
    }
}

/// Twice the a-priori bound for a sum of `count` products, in any order (Higham, Accuracy and Stability of Numerical
/// Algorithms, §4.2); products below the normal numbers lose half a unit of the smallest one.
fn rounding(count: usize, size: f64) -> f64 {
    2.0 * (count + 2) as f64 * (f64::EPSILON * size + f64::from_bits(1))
}

fn exact_entries(matrix: &DMatrix<f64>) -> Vec<Exact> {
    matrix.iter().map(|&entry| Exact::of(entry)).collect()
}

/// (i, j, p(i), p(j)) in the order of the table.
fn places(n: usize) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..n.pow(4)).map(move |place| (place / n.pow(3), place / n.pow(2) % n, place / n % n, place % n))
}

/// Every permutation of 0..n that keeps the anchors.
pub fn for_each_permutation(n: usize, anchors: &[(usize, usize)], visit: &mut dyn FnMut(&[usize])) {
    let mut image = vec![usize::MAX; n];
    let mut is_free = vec![true; n];
    for &(i, j) in anchors {
        image[i] = j;
        is_free[j] = false;
    }
    let rows: Vec<usize> = (0..n).filter(|&i| image[i] == usize::MAX).collect();
    complete(&rows, &mut image, &mut is_free, visit);
}

fn complete(rows: &[usize], image: &mut [usize], is_free: &mut [bool], visit: &mut dyn FnMut(&[usize])) {
    let Some((&row, rest)) = rows.split_first() else { return visit(image) };
    for column in 0..is_free.len() {
        if std::mem::replace(&mut is_free[column], false) {
            image[row] = column;
            complete(rest, image, is_free, visit);
            is_free[column] = true;
        }
    }
}
