//! How alike two vertices are by the structure around them: two graphs to an n_A × n_B cost.
//!
//! No cost here finds the permutation by itself; many match almost nobody. But a small linear term of one of them,
//! fading along the penalized path, breaks the ties that the convex relaxation is blind to
//! ([§4](crate::mathematics#4-solvers)).
//!
//! | cost | tells | for | time | source |
//! | --- | --- | --- | --- | --- |
//! | [`walk_profiles`] | short cycles near a vertex | regular graphs, and all others | O(n·arcs reached in 4 steps + n_A·n_B·42) | this project |
//! | [`degree_profiles`] | degrees and common neighbours | dense graphs | O(n·arcs reached in 4 steps + n_A·n_B·72) | after Ding, Ma, Wu, Xu (2021) |
//! | [`subtree_ratios`] | whole neighbourhoods, as trees | sparse random graphs, mean degree up to about 6 | see there | Ganassali, Massoulié, Lelarge (2021) |
//!
//! All take isolated vertices, graphs of unequal size and known correspondences; renumbering the vertices of A or B
//! renumbers the rows or columns of the cost and changes nothing else, up to rounding.

mod arcs;
mod classes;
mod confidence;
mod matchings;
mod messages;
mod profiles;
mod ratio;
mod subtree;
mod tree_model;
mod walks;

pub(crate) use confidence::trusted_pairs;

use crate::anchors;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::stop::Stop;
use nalgebra::DMatrix;

/// Which structure a start of a recovery is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// [`walk_profiles`] and [`degree_profiles`], each divided by its standard deviation.
    Walks,
    /// [`subtree_ratios`] with what it assumes by default.
    Subtrees,
}

/// Subtree ratios are for graphs with a mean degree up to this …
const SPARSE: f64 = 6.0;

/// … whose degrees vary like those of random graphs: ⟨d(d − 1)⟩/⟨d⟩² is 1 for Poisson degrees; at most this …
const EVEN: f64 = 1.5;

/// … and that have few triangles: at most this share of the paths of length 2 are closed, above what chance closes.
const TREELIKE: f64 = 0.05;

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 2] = [Kind::Walks, Kind::Subtrees];

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Walks => "walks",
            Kind::Subtrees => "subtree",
        }
    }

    /// The cost of this kind, n_A × n_B.
    ///
    /// # Errors
    /// As [`walk_profiles`] and [`subtree_ratios`].
    ///
    /// # Panics
    /// Never.
    pub fn cost(self, a: &Graph, b: &Graph, anchors: &[(usize, usize)]) -> Result<DMatrix<f64>> {
        Ok(self.cost_until(a, b, anchors, &Stop::never())?.expect("it was not stopped"))
    }

    /// [`cost`](Self::cost), or `None` where `stop` is reached before it is known.
    ///
    /// # Errors
    /// As [`cost`](Self::cost), at once.
    pub fn cost_until(
        self,
        a: &Graph,
        b: &Graph,
        anchors: &[(usize, usize)],
        stop: &Stop,
    ) -> Result<Option<DMatrix<f64>>> {
        self.check(a, b, anchors)?;
        Ok(match self {
            Kind::Walks => profiles::walk_cost(a, b, anchors, stop)
                .zip(profiles::degree_cost(a, b, stop))
                .map(|(walks, degrees)| standardized(walks) + standardized(degrees)),
            Kind::Subtrees => {
                let Subtrees { kept, rounds } = Subtrees::default();
                subtree::subtree_cost(a, b, kept, rounds, anchors, stop)
            }
        })
    }

    /// Whether there is a cost of this kind: its errors, without its time.
    pub(crate) fn check(self, a: &Graph, b: &Graph, anchors: &[(usize, usize)]) -> Result<()> {
        check_anchors(a, b, anchors)?;
        match self {
            Kind::Walks => Ok(()),
            Kind::Subtrees => [("A", a), ("B", b)].into_iter().try_for_each(|(name, graph)| check_tree(name, graph)),
        }
    }

    /// The kind that does better than the relaxation alone on graphs like these, where that is known: subtrees if both
    /// are sparse random graphs, walks if one is regular, to which the relaxation is blind. O(arcs·degree).
    pub fn suited(a: &Graph, b: &Graph) -> Option<Kind> {
        if [a, b].into_iter().all(is_sparse_and_random) {
            return Some(Kind::Subtrees);
        }
        [a, b].into_iter().any(is_regular).then_some(Kind::Walks)
    }
}

/// C divided by its standard deviation, if it has one.
fn standardized(cost: DMatrix<f64>) -> DMatrix<f64> {
    let deviation = cost.variance().sqrt();
    if deviation > 0.0 { cost / deviation } else { cost }
}

fn is_regular(graph: &Graph) -> bool {
    let mut strengths = (0..graph.vertex_count()).map(|i| graph.neighbours(i).1.iter().sum::<f64>());
    let first = strengths.next();
    graph.arc_count() > 0 && strengths.all(|strength| Some(strength) == first)
}

fn is_sparse_and_random(graph: &Graph) -> bool {
    let n = graph.vertex_count() as f64;
    let mean = graph.arc_count() as f64 / n.max(1.0);
    let same = graph.arcs().next().is_some_and(|(_, _, first)| graph.arcs().all(|(i, k, w)| w == first && i != k));
    if !(graph.is_symmetric() && same && mean <= SPARSE) {
        return false;
    }
    let degree = |i| graph.neighbours(i).0.len() as f64;
    let paths: f64 = (0..graph.vertex_count()).map(|i| degree(i) * (degree(i) - 1.0)).sum();
    let closed = || graph.arcs().map(|(i, k, _)| common_neighbours(graph, i, k) as f64).sum::<f64>();
    let is_even = paths > 0.0 && paths / n <= EVEN * mean * mean;
    is_even && !is_regular(graph) && closed() <= (TREELIKE + mean / n) * paths
}

/// O(d·log d') with d ≤ d' the degrees.
fn common_neighbours(graph: &Graph, i: usize, k: usize) -> usize {
    let (of_i, of_k) = (graph.neighbours(i).0, graph.neighbours(k).0);
    let (fewer, more) = if of_i.len() <= of_k.len() { (of_i, of_k) } else { (of_k, of_i) };
    fewer.iter().filter(|l| more.binary_search(l).is_ok()).count()
}

/// Walk profiles: C\[i, j\] is the mean squared difference of what short walks see from i and from j.
///
/// For each vertex: its loop, its strength (Σ of the weights; directed: out and in) and the closed non-backtracking
/// walks of each length 3 to 7 (a walk weighs the product of its arcs), each v as sign(v)·log(1 + |v|); the mean of
/// each over the neighbours, over their neighbours, … up to 4 hops (directed: in both directions); its standard
/// deviation over the neighbours. Each number is standardized over the vertices of both graphs. Weights are divided by
/// their root mean square. Anchors add how often walks of 1 to 4 steps meet them, in a random sketch of 16 numbers.
///
/// Assumes nothing about the graphs. Time O(Σ_v arcs within 4 steps of v), at most O(n·arcs), and O(n_A·n_B·42) for the
/// cost.
///
/// # Errors
/// [`Error::Argument`] when an anchor is out of range or a vertex is anchored twice.
///
/// ```
/// use birkhoff::Graph;
/// use birkhoff::structure::walk_profiles;
/// // A triangle and a square, both on a path of two: the ends of regular surroundings differ by their cycles.
/// let a = Graph::undirected(3, [(0, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0)])?;
/// let edges = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 6), (6, 3)];
/// let b = Graph::undirected(7, edges.map(|(i, k)| (i, k, 1.0)))?;
/// let cost = walk_profiles(&a, &b, &[])?;
/// assert_eq!(cost.shape(), (3, 7));
/// assert!(cost[(0, 1)] < 1e-12 && cost[(0, 4)] > 1.0);
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Panics
/// Never.
pub fn walk_profiles(a: &Graph, b: &Graph, anchors: &[(usize, usize)]) -> Result<DMatrix<f64>> {
    check_anchors(a, b, anchors)?;
    Ok(profiles::walk_cost(a, b, anchors, &Stop::never()).expect("it was not stopped"))
}

/// Degree profiles: C\[i, j\] compares, for the neighbours k of i and of j, the distributions of the strength of k and
/// of the weight of the walks of length 2 and 3 to k.
///
/// Each distribution is described by 24 quantiles (zeros for a vertex without neighbours), compared by their mean
/// absolute difference: the Wasserstein distance of Ding, Ma, Wu and Xu (Probab. Theory Relat. Fields 179, 2021), who
/// compare degrees. Directed: along and against the arcs. Each of the distances is divided by its mean. Anchors tell it
/// nothing.
///
/// # Errors
/// None.
///
/// # Panics
/// Never.
pub fn degree_profiles(a: &Graph, b: &Graph) -> Result<DMatrix<f64>> {
    Ok(profiles::degree_cost(a, b, &Stop::never()).expect("it was not stopped"))
}

/// What [`subtree_ratios`] assumes. The defaults are meant to be left alone.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Subtrees {
    /// s, the share of the sparser graph's edges that the other has too; between 0 and 1, both excluded.
    pub kept: f64,
    /// Rounds: the depth of the trees; at most 1000.
    pub rounds: usize,
}

/// Deeper trees than any graph has branches for.
const MOST_ROUNDS: usize = 1000;

impl Default for Subtrees {
    /// s = 0.7, 8 rounds.
    fn default() -> Self {
        Subtrees { kept: 0.7, rounds: 8 }
    }
}

impl Subtrees {
    /// With another s.
    pub fn with_kept(mut self, kept: f64) -> Self {
        self.kept = kept;
        self
    }

    /// With another number of rounds.
    pub fn with_rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }
}

/// Subtree likelihood ratios: C\[i, j\] = −log of how much likelier the surroundings of i and j are as two noisy copies
/// of one random tree than as two independent trees.
///
/// On pairs of directed edges, from L = 1,
///
/// L_{i→k, j→l} ← Σ_m ψ(m)·Σ over matchings of size m between N(i)∖k and N(j)∖l of Π L,
///
/// after `rounds` rounds once over all neighbours; ψ(m) = e^c·(c/(μ_A·μ_B))^m·(1 − c/μ_A)^(d−m)·(1 − c/μ_B)^(d'−m) for
/// d and d' children, mean degrees μ and c = s·min(μ_A, μ_B) common edges a vertex. This is MPAlign (Ganassali,
/// Massoulié, Lelarge, arXiv 2107.07623; Piccioli, Semerjian, Sicuro, Zdeborová, J. Stat. Mech. 2022), here also for
/// unequal densities and with anchors, which multiply the ratio of their pair by n and exclude all others. C is clipped
/// below at its 1 % quantile.
///
/// Assumes graphs that look like trees near a vertex, with Poisson degrees: sparse random graphs. Short cycles are
/// counted as if their vertices were many. Of more than 9 neighbours the 9 likeliest are used. Weights that are all
/// equal are ignored, and so are loops.
///
/// Time a round: about the sum over pairs of vertices, of degrees d and d', of d²·d'·2^min(d, d'); equal shallow trees
/// share their work. Memory: at most 2²⁸ messages between pairs of directed edges, in two generations of 2 bytes, 1.07
/// GB (n = 500, degree 4: 16 MB); 34 MB for shallow trees; 12 bytes a pair of vertices for places, and two n_A × n_B
/// matrices. Where the messages would be more, only the likeliest pairs after the first rounds have them, and the
/// others keep their early ratio, which blurs the cost somewhat.
///
/// # Errors
/// [`Error::Argument`] when a graph is directed or has different weights, `kept` or `rounds` are out of range, or as
/// [`walk_profiles`].
///
/// # Panics
/// Never.
pub fn subtree_ratios(a: &Graph, b: &Graph, subtrees: Subtrees, anchors: &[(usize, usize)]) -> Result<DMatrix<f64>> {
    let Subtrees { kept, rounds } = subtrees;
    if !(kept > 0.0 && kept < 1.0) {
        return Err(Error::argument("kept", format!("is {kept}, but must be between 0 and 1, both excluded")));
    }
    if rounds > MOST_ROUNDS {
        return Err(Error::argument("rounds", format!("are {rounds}, but at most {MOST_ROUNDS}")));
    }
    Kind::Subtrees.check(a, b, anchors)?;
    Ok(subtree::subtree_cost(a, b, kept, rounds, anchors, &Stop::never()).expect("it was not stopped"))
}

fn check_tree(name: &str, graph: &Graph) -> Result<()> {
    let refuse = |what: &str| {
        let cause = format!("{name} {what}, but subtree ratios need undirected graphs without weights");
        Err(Error::argument("graphs", cause))
    };
    if !graph.is_symmetric() {
        return refuse("is directed");
    }
    let mut weights = graph.arcs().filter(|&(i, k, _)| i != k).map(|(_, _, weight)| weight);
    let first = weights.next();
    if weights.any(|weight| Some(weight) != first) {
        return refuse("has edges of different weights");
    }
    Ok(())
}

fn check_anchors(a: &Graph, b: &Graph, anchors: &[(usize, usize)]) -> Result<()> {
    anchors::free(anchors, [("A", a.vertex_count()), ("B", b.vertex_count())]).map(drop)
}
