//! The two graphs.

use crate::anchors;
use crate::assignment::NONE;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::sparse_form::Affinity;
use crate::sparse_matrix::SparseMatrix;

/// A pair of graphs, in layers on the same vertices, a similarity of these, and the pairs of vertices that are known.
///
/// What is maximized over matchings p is f(p) = Σ_ℓ Σ_ik α(A_ℓ\[i, k\], B_ℓ\[p(i), p(k)\]) + Σ_i S\[i, p(i)\] with an
/// [affinity](Affinity) α, for sparse X the form f(X) = Σ_ℓ Σ_ik Σ_jl α(A_ℓ\[i, k\], B_ℓ\[j, l\])·X_ij·X_kl + ⟨S, X⟩.
/// For products that is Σ_ℓ tr(A_ℓᵀXB_ℓXᵀ) + ⟨S, X⟩: where every vertex has a partner, ‖AX − XB‖² − 2⟨S, X⟩ is a
/// constant less 2f.
#[derive(Debug, Clone)]
pub struct Layers {
    pub(super) a: Vec<Graph>,
    pub(super) b: Vec<Graph>,
    pub(super) affinity: Affinity,
    /// S, whose columns ascend in each row; `None` for 0.
    pub(super) similarity: Option<SparseMatrix>,
    /// For each layer, and for each direction where it is not symmetric: A, and B turned round. Row i of A and row
    /// j' of the other say who votes for (i, j).
    pub(super) directions: Vec<Direction>,
    /// The anchor of each vertex of A, or [`NONE`].
    pub(super) anchors: Vec<u32>,
    /// Whether a vertex of B is nobody's anchor.
    pub(super) is_free: Vec<bool>,
    /// Σ of α(w, w) over the arcs at each vertex, halved where there are two directions: what a vertex that is matched
    /// with all its neighbours gets of votes.
    pub(super) weights: (Vec<f64>, Vec<f64>),
    /// A_ℓᵀ and B_ℓᵀ.
    pub(super) turned: Vec<(Graph, Graph)>,
    /// Σ of the squared weights of the arcs into each vertex of A, and from each of B: what is lost of a vertex's arcs
    /// in ‖AX − XB‖² where only it has no partner, besides what its own row loses.
    pub(super) slack_weights: (Vec<f64>, Vec<f64>),
    /// The mean affinity of an arc and its counterpart, if it has kept its weight: the unit of votes.
    pub(super) unit: f64,
    /// Where vertices of B have many arcs on the mean, one over the square root of each one's weight; else empty.
    pub(super) fits: Vec<f64>,
    /// What the arcs add to f is nowhere above.
    pub(super) most_common: f64,
    /// What similarities add to it is nowhere above.
    pub(super) most_similar: f64,
}

/// So many arcs of a vertex, on the mean, are many.
const MANY: usize = 64;

/// Two values are the same that differ by less than this share: weights are summed in another order.
pub(super) const SAME: f64 = 1e-9;

/// A matching is lost that keeps less than this share of the arcs of the graph that has fewer. Chosen by hand:
/// unrelated sparse graphs of degree 8 keep a fourth, lost random ones of degree 10 a third, noisy real ones of which
/// 30 % are removed .9.
const LOST: f64 = 0.5;

/// One direction of a layer.
#[derive(Debug, Clone)]
pub(super) struct Direction {
    pub a: Graph,
    pub b: Graph,
    /// B as it is: row j has those that votes for j come from in `b`'s rows.
    pub b_from: Graph,
    /// The share of this direction in a vote: 1, or ½ where there is another.
    pub share: f64,
}

impl Layers {
    /// The layers (A_ℓ, B_ℓ), the first of which is looked at for features, with anchors (vertex of A, vertex of B);
    /// arcs have the product of their weights in common.
    ///
    /// # Errors
    /// [`Error::Shape`] when layers differ in size, [`Error::Argument`] without a layer or with anchors that are out of
    /// range or contradict one another.
    pub fn new(layers: Vec<(Graph, Graph)>, anchors: &[(usize, usize)]) -> Result<Self> {
        Self::with_affinity(Affinity::Product, layers, anchors)
    }

    /// The same with another affinity.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Argument`] for weights below 0 where [their minimum](Affinity::Minimum) counts.
    pub fn with_affinity(affinity: Affinity, layers: Vec<(Graph, Graph)>, anchors: &[(usize, usize)]) -> Result<Self> {
        if affinity == Affinity::Minimum {
            layers.iter().try_for_each(|(a, b)| require_no_negative(a).and_then(|()| require_no_negative(b)))?;
        }
        let Some((first_a, first_b)) = layers.first() else { return Err(Error::argument("layers", "there is none")) };
        let (n_a, n_b) = (first_a.vertex_count(), first_b.vertex_count());
        let [_, is_free] = anchors::free(anchors, [("A", n_a), ("B", n_b)])?;
        let mut partners = vec![NONE; n_a];
        anchors.iter().for_each(|&(i, j)| partners[i] = j as u32);
        let turned: Vec<(Graph, Graph)> = layers.iter().map(|(a, b)| (a.transpose(), b.transpose())).collect();
        let mut directions = vec![];
        let mut weights = (vec![0.0; n_a], vec![0.0; n_b]);
        let (mut products, mut arcs) = (0.0, 0);
        for ((a, b), (a_turned, b_turned)) in layers.iter().zip(&turned) {
            if (a.vertex_count(), b.vertex_count()) != (n_a, n_b) {
                let found = format!("{} and {}", a.vertex_count(), b.vertex_count());
                return Err(Error::shape("a layer", format!("graphs of {n_a} and {n_b} vertices"), found));
            }
            let is_symmetric = a.is_symmetric() && b.is_symmetric();
            let share = if is_symmetric { 1.0 } else { 0.5 };
            directions.push(Direction { a: a.clone(), b: b_turned.clone(), b_from: b.clone(), share });
            if !is_symmetric {
                directions.push(Direction { a: a_turned.clone(), b: b.clone(), b_from: b_turned.clone(), share });
            }
            products += (total(affinity, a) * total(affinity, b)).sqrt();
            arcs += a.arc_count().max(b.arc_count());
        }
        let own = |weight: &f64| affinity.of(*weight, *weight);
        let squares = |graph: &Graph, i: usize| graph.neighbours(i).1.iter().map(own).sum::<f64>();
        for Direction { a, b, share, .. } in &directions {
            for (weights, graph) in [(&mut weights.0, a), (&mut weights.1, b)] {
                weights.iter_mut().enumerate().for_each(|(i, sum)| *sum += share * squares(graph, i));
            }
        }
        let slack_weights = (
            (0..n_a).map(|i| turned.iter().map(|(a, _)| squares(a, i)).sum()).collect(),
            (0..n_b).map(|j| layers.iter().map(|(_, b)| squares(b, j)).sum()).collect(),
        );
        let unit = if products > 0.0 { products / arcs as f64 } else { 1.0 };
        let has_many = arcs > MANY * n_b.max(1);
        let fits = if has_many {
            weights.1.iter().map(|weight: &f64| weight.max(unit).sqrt().recip()).collect()
        } else {
            vec![]
        };
        let most_common = layers.iter().map(|(a, b)| most(affinity, a, b)).sum();
        let (a, b) = layers.into_iter().unzip();
        Ok(Layers {
            a,
            b,
            affinity,
            similarity: None,
            directions,
            anchors: partners,
            is_free,
            weights,
            turned,
            slack_weights,
            unit,
            fits,
            most_common,
            most_similar: 0.0,
        })
    }

    /// The vertices of A and of B.
    pub fn shape(&self) -> (usize, usize) {
        (self.anchors.len(), self.is_free.len())
    }

    /// Whether vertices have many arcs on the mean.
    pub(super) fn has_many_arcs(&self) -> bool {
        !self.fits.is_empty()
    }

    /// Whether a layer has arcs without their opposite.
    pub(super) fn is_directed(&self) -> bool {
        self.directions.len() > self.a.len()
    }

    /// The anchors, as they were given to [`new`](Self::new).
    pub(super) fn anchored(&self) -> Vec<(usize, usize)> {
        let anchored = self.anchors.iter().enumerate().filter(|&(_, &j)| j != NONE);
        anchored.map(|(i, &j)| (i, j as usize)).collect()
    }

    /// A number that f is nowhere above: for products by Cauchy and Schwarz, or without weights the arcs of the smaller
    /// graph; for minima where the heaviest arc meets the heaviest. And the largest similarity of each vertex.
    pub(super) fn most(&self) -> f64 {
        self.most_common + self.most_similar
    }

    /// What the arcs add to f at a matching as a share of the most that they can.
    pub(super) fn share(&self, partners: &[u32]) -> f64 {
        if self.most_common > 0.0 { self.common(partners) / self.most_common } else { 1.0 }
    }

    /// Whether a value of f is the [`most`](Self::most) that there can be.
    pub(super) fn is_most(&self, value: f64) -> bool {
        value >= self.most() * (1.0 - SAME)
    }

    /// Whether a matching keeps so few arcs that no path from it leads anywhere, whatever these weigh.
    pub(super) fn is_lost(&self, partners: &[u32]) -> bool {
        let of_layer = |(a, b): (&Graph, &Graph)| {
            let is_kept = |&(i, k, _): &(usize, usize, f64)| {
                let (j, l) = (partners[i], partners[k]);
                j != NONE && l != NONE && b.weight(j as usize, l as usize) != 0.0
            };
            (a.arcs().filter(is_kept).count(), a.arc_count().min(b.arc_count()))
        };
        let counts = self.a.iter().zip(&self.b).map(of_layer);
        let (kept, arcs) = counts.fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1));
        (kept as f64) < LOST * arcs as f64
    }

    /// What a common edge adds to f: an edge comes twice in it, an arc of directed graphs once.
    pub(super) fn edge(&self) -> f64 {
        if self.is_directed() { self.unit } else { 2.0 * self.unit }
    }

    /// f at a matching: the partner of each vertex of A, or [`NONE`]. O(arcs·log d).
    pub fn value(&self, partners: &[u32]) -> f64 {
        let similarity = |(i, &j): (usize, &u32)| self.similarity_at(i, j);
        let similar = self.similarity.as_ref().map_or(0.0, |_| partners.iter().enumerate().map(similarity).sum());
        self.common(partners) + similar
    }

    /// What the arcs add to f.
    fn common(&self, partners: &[u32]) -> f64 {
        let of_layer = |(a, b): (&Graph, &Graph)| {
            let both = |&(i, k, _): &(usize, usize, f64)| partners[i] != NONE && partners[k] != NONE;
            let kept = a.arcs().filter(both);
            let common = |(i, k, weight): (usize, usize, f64)| {
                self.affinity.of(weight, b.weight(partners[i] as usize, partners[k] as usize))
            };
            kept.map(common).sum::<f64>()
        };
        self.a.iter().zip(&self.b).map(of_layer).sum()
    }
}

/// No matching has more of two graphs' weight in common.
fn most(affinity: Affinity, a: &Graph, b: &Graph) -> f64 {
    let is_plain = |graph: &Graph| graph.arcs().all(|(_, _, weight)| weight == 1.0);
    match affinity {
        Affinity::Product if is_plain(a) && is_plain(b) => a.arc_count().min(b.arc_count()) as f64,
        Affinity::Product => (a.squared_norm() * b.squared_norm()).sqrt(),
        Affinity::Minimum => {
            let (a, b) = (descending_weights(a), descending_weights(b));
            a.iter().zip(&b).map(|(&weight, &other)| weight.min(other)).sum()
        }
    }
}

/// Σ α(w, w) over the arcs.
fn total(affinity: Affinity, graph: &Graph) -> f64 {
    graph.arcs().map(|(_, _, weight)| affinity.of(weight, weight)).sum()
}

fn descending_weights(graph: &Graph) -> Vec<f64> {
    let mut weights: Vec<f64> = graph.arcs().map(|(_, _, weight)| weight).collect();
    weights.sort_unstable_by(|weight, other| other.total_cmp(weight));
    weights
}

fn require_no_negative(graph: &Graph) -> Result<()> {
    match graph.arcs().find(|&(_, _, weight)| weight < 0.0) {
        Some((i, k, weight)) => {
            Err(Error::argument("weights", format!("{weight} of the arc {i} -> {k} is below 0, which has no overlap")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_told_by_arcs_and_not_by_what_they_weigh() {
        // Weights that have nothing to do with one another: f is far below its most at the right matching.
        let ring = |heavy: usize| {
            let edges = (0..30).map(|i| (i, (i + 1) % 30, if i == heavy { 1e3 } else { 1.0 }));
            Graph::undirected(30, edges.collect::<Vec<_>>()).unwrap()
        };
        let layers = Layers::new(vec![(ring(0), ring(15))], &[]).unwrap();
        let right: Vec<u32> = (0..30).collect();
        assert!(layers.value(&right) < 0.01 * layers.most() && !layers.is_lost(&right));
        let wrong: Vec<u32> = (0..30).map(|i| 7 * i % 30).collect();
        assert!(layers.is_lost(&wrong));
    }
}
