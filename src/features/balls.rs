//! Breadth-first balls round each vertex.

use crate::graph::Graph;
use crate::stop::Stop;
use rayon::prelude::*;

/// The largest radius.
const MOST_RADIUS: usize = 7;

/// Arcs that all balls of a graph may look at together.
const MOST_ARCS: f64 = 3e7;

/// Arcs that a ball may look at on average: in a larger one of a small graph, there is nearly everything.
const MOST_ARCS_EACH: f64 = 2000.0;

/// Vertices whose balls are made to estimate what all of them cost.
const SAMPLES: usize = 128;

/// What a ball says about its vertex, at each radius: three numbers.
pub const NUMBERS: usize = 3;

/// Vertices that one task takes.
const BLOCK: usize = 256;

/// Room for a search from one vertex after another.
struct Search {
    /// The number of the last search that saw a vertex, and where that was: 2·search + (1 if on the last sphere).
    seen: Vec<u32>,
    search: u32,
    sphere: Vec<u32>,
    next: Vec<u32>,
}

/// A sphere and the arcs that were looked at to find it.
struct Sphere {
    size: usize,
    /// Arcs, both ways, between vertices of the sphere before.
    inside_before: usize,
    /// Edges from the sphere before.
    edges: usize,
    arcs: usize,
}

impl Search {
    fn new(n: usize) -> Self {
        Search { seen: vec![u32::MAX; n], search: 0, sphere: vec![], next: vec![] }
    }

    fn begin(&mut self, vertex: usize) {
        if self.search as usize + 2 * MOST_RADIUS + 4 >= u32::MAX as usize {
            (self.search, _) = (0, self.seen.fill(u32::MAX));
        }
        self.search += MOST_RADIUS as u32 + 2;
        self.sphere.clear();
        self.sphere.push(vertex as u32);
        self.seen[vertex] = self.search;
    }

    /// The sphere round the last one. A vertex is marked with the search's number and its distance.
    fn advance(&mut self, graph: &Graph, radius: usize) -> Sphere {
        let (begin, here) = (self.search, self.search + radius as u32 - 1);
        let mut found = Sphere { size: 0, inside_before: 0, edges: 0, arcs: 0 };
        self.next.clear();
        for &u in &self.sphere {
            let (neighbours, _) = graph.neighbours(u as usize);
            found.arcs += neighbours.len();
            for &v in neighbours {
                let mark = self.seen[v];
                if mark == u32::MAX || mark < begin {
                    self.seen[v] = here + 1;
                    self.next.push(v as u32);
                    found.edges += 1;
                } else if mark == here {
                    found.inside_before += 1;
                } else if mark == here + 1 {
                    found.edges += 1;
                }
            }
        }
        found.size = self.next.len();
        std::mem::swap(&mut self.sphere, &mut self.next);
        found
    }
}

/// The largest radius ≤ 7 whose balls round all vertices look at about 3·10⁷ arcs at most, and at 2000 each; at
/// least 1.
pub fn affordable_radius(graph: &Graph) -> usize {
    let n = graph.vertex_count();
    let count = n.min(SAMPLES);
    let mut search = Search::new(n);
    // Of all samples together, which may look at their share of what all balls may.
    let most = MOST_ARCS_EACH.min(MOST_ARCS / n.max(1) as f64) * count as f64;
    let mut within = [0.0; MOST_RADIUS];
    let mut affordable = MOST_RADIUS;
    for sample in 0..count {
        search.begin(sample * n / count);
        let mut arcs = 0.0;
        for radius in 1..=affordable {
            arcs += search.advance(graph, radius).arcs as f64;
            within[radius - 1] += arcs;
            if within[radius - 1] > most && radius > 1 {
                affordable = radius - 1;
                break;
            }
        }
    }
    affordable
}

/// For each radius from 1 to `radius` three columns, log(1 + ·) of: the size of the sphere; the edges within the one
/// before; the edges between the two beyond one for each vertex. Unfinished once `stop` is reached.
pub fn ball_features(graph: &Graph, radius: usize, stop: &Stop) -> Vec<Vec<f32>> {
    let n = graph.vertex_count();
    let width = NUMBERS * radius;
    let mut rows = vec![0.0_f32; n * width];
    rows.par_chunks_mut(BLOCK * width).enumerate().for_each_init(
        || Search::new(n),
        |search, (block, rows)| {
            if stop.is_reached() {
                return;
            }
            for (offset, row) in rows.chunks_exact_mut(width).enumerate() {
                search.begin(block * BLOCK + offset);
                for (number, numbers) in row.chunks_exact_mut(NUMBERS).enumerate() {
                    let Sphere { size, inside_before, edges, .. } = search.advance(graph, number + 1);
                    let logs = [size, inside_before / 2, edges - size].map(|count| (count as f32).ln_1p());
                    numbers.copy_from_slice(&logs);
                }
            }
        },
    );
    (0..width).map(|k| rows.iter().skip(k).step_by(width).copied().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balls_in_a_grid_with_a_diagonal() {
        // 0-1-2 over 3-4-5, with the diagonal 0-4.
        let edges = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5), (0, 4)];
        let graph = Graph::undirected(6, edges.map(|(i, j)| (i, j, 1.0))).unwrap();
        let features = ball_features(&graph, 2, &Stop::never());
        let counts = |i: usize| features.iter().map(|column| column[i].exp_m1().round() as i32).collect::<Vec<_>>();
        // Round 0: sphere {1, 3, 4} by 3 edges; then {2, 5} by 1-2 and 4-5, within the sphere before 1-4 and 3-4.
        assert_eq!(counts(0), [3, 0, 0, 2, 2, 0]);
        // Round 2: sphere {1, 5}; then {0, 4} by 1-0, 1-4, 5-4, within the sphere before nothing.
        assert_eq!(counts(2), [2, 0, 0, 2, 0, 1]);
    }

    #[test]
    fn the_radius_shrinks_where_balls_are_large() {
        let ring = Graph::undirected(10_000, (0..10_000).map(|i| (i, (i + 1) % 10_000, 1.0))).unwrap();
        assert_eq!(affordable_radius(&ring), MOST_RADIUS);
        let star = Graph::undirected(10_000, (1..10_000).map(|i| (0, i, 1.0))).unwrap();
        assert_eq!(affordable_radius(&star), 1);
        assert_eq!(affordable_radius(&Graph::undirected(1, []).unwrap()), MOST_RADIUS);
    }
}
