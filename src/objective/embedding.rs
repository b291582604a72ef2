//! Is the smaller graph a subgraph of the larger one? A search that keeps every arc.
//!
//! Vertices are placed one after another, the one with the fewest places left first. A place of v takes from every
//! neighbour of v the places that are not next to it (forward checking); a vertex without a place ends the branch. Two
//! things make it quick on large sparse graphs: a place needs neighbours with enough neighbours of their own to begin
//! with (Solnon, *AllDifferent-based filtering for subgraph isomorphism*, Artificial Intelligence 174, 2010), and
//! vertices at which branches have ended are placed earlier (Boussemart et al., *Boosting systematic search by
//! weighting constraints*, ECAI 2004), in one restart after another, each of which tries the places in a new order,
//! those of high degree likelier first (McCreesh, Prosser, Trimble, *The Glasgow subgraph solver*, ICGT 2020).

use crate::graph::Graph;
use crate::injection::Injection;
use crate::stop::Stop;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Vertices that the first restart places before it gives up, for each vertex.
const FIRST_STEPS: u64 = 10;

/// By what every restart is longer than the last.
const LONGER: f64 = 1.1;

/// What a search came to.
pub(super) enum Outcome {
    /// Every arc is kept.
    Found(Injection),
    /// The whole tree was searched.
    Impossible,
    /// The work was done before. The most vertices that could be placed, as (vertex, place).
    OutOfWork(Vec<(usize, usize)>),
}

/// Searches for an injection that keeps the anchors (vertex, place) and every arc, for about so much `work`: entries of
/// domains and lists of neighbours that are looked at; what is left of it stays there. Deterministic but for `stop`.
pub(super) fn search(
    constraints: &[Constraint],
    anchors: &[(usize, usize)],
    rng_seed: u64,
    work: &mut u64,
    stop: &Stop,
) -> Outcome {
    let mut rng = ChaCha8Rng::seed_from_u64(rng_seed);
    let mut tree = Tree::new(constraints, anchors, *work);
    let is_possible = tree.filter(stop) && tree.anchor(anchors);
    let mut steps = FIRST_STEPS * tree.domains.len() as u64;
    let outcome = loop {
        if !is_possible {
            break Outcome::Impossible;
        }
        match tree.search(&mut rng, steps, stop) {
            End::Complete => break Outcome::Found(tree.injection()),
            End::Exhausted => break Outcome::Impossible,
            End::CutShort if tree.work == 0 || stop.is_reached() => {
                break Outcome::OutOfWork(std::mem::take(&mut tree.deepest));
            }
            End::CutShort => steps = (steps as f64 * LONGER) as u64 + 1,
        }
    };
    *work = tree.work;
    outcome
}

/// Arcs i → k of the smaller graph must be arcs p(i) → p(k) of the larger.
#[derive(Clone, Copy)]
pub(super) struct Constraint<'a> {
    pub small: &'a Graph,
    pub large: &'a Graph,
}

enum End {
    Complete,
    /// The whole tree was searched.
    Exhausted,
    CutShort,
}

/// The places that are left to each vertex: the first `size` of `places`; whatever is taken out moves behind them, so
/// that undoing is to restore the size.
struct Domain {
    places: Vec<u32>,
    position: Vec<u32>,
    size: usize,
}

impl Domain {
    fn all(n: usize) -> Self {
        let places: Vec<u32> = (0..n as u32).collect();
        Domain { position: places.clone(), places, size: n }
    }

    fn contains(&self, j: usize) -> bool {
        (self.position[j] as usize) < self.size
    }

    /// Exchanges place j with the one at `position`.
    fn exchange(&mut self, j: usize, position: usize) {
        let (from, other) = (self.position[j] as usize, self.places[position]);
        self.places.swap(from, position);
        (self.position[j], self.position[other as usize]) = (position as u32, from as u32);
    }

    fn remove(&mut self, j: usize) {
        self.size -= 1;
        self.exchange(j, self.size);
    }

    /// Keeps what `list` has.
    fn intersect(&mut self, list: &[usize]) {
        let mut kept = 0;
        for &j in list {
            if self.contains(j) {
                self.exchange(j, kept);
                kept += 1;
            }
        }
        self.size = kept;
    }
}

/// A branching: the places that are still to be tried for a vertex, the next one last.
struct Branching {
    vertex: usize,
    places: Vec<u32>,
    /// The length of the trail before the vertex was placed.
    trail: usize,
}

/// The state of the search.
struct Tree<'a> {
    constraints: &'a [Constraint<'a>],
    /// Vertices without an arc are left to the end.
    active: Vec<usize>,
    domains: Vec<Domain>,
    placed: Vec<Option<usize>>,
    /// (vertex, size of its domain before), of every change since the root.
    trail: Vec<(usize, usize)>,
    /// How often a branch ended at each vertex; at first its degree.
    failures: Vec<f64>,
    /// The degree of each place.
    degrees: Vec<f64>,
    deepest: Vec<(usize, usize)>,
    /// What is left to be done.
    work: u64,
}

impl<'a> Tree<'a> {
    fn new(constraints: &'a [Constraint<'a>], anchors: &[(usize, usize)], work: u64) -> Self {
        let (small, large) = (constraints[0].small.vertex_count(), constraints[0].large.vertex_count());
        let degree = |graph: fn(&Constraint<'a>) -> &'a Graph, vertex: usize| {
            constraints.iter().map(|constraint| graph(constraint).neighbours(vertex).0.len()).sum::<usize>() as f64
        };
        let failures: Vec<f64> = (0..small).map(|i| degree(|constraint| constraint.small, i)).collect();
        let is_anchored = |i: usize| anchors.iter().any(|&(vertex, _)| vertex == i);
        Tree {
            constraints,
            active: (0..small).filter(|&i| failures[i] > 0.0 && !is_anchored(i)).collect(),
            domains: (0..small).map(|_| Domain::all(large)).collect(),
            placed: vec![None; small],
            trail: vec![],
            failures,
            degrees: (0..large).map(|j| degree(|constraint| constraint.large, j)).collect(),
            deepest: vec![],
            work,
        }
    }

    /// Leaves to each vertex the places whose neighbours have as many neighbours as its own, the best against the best.
    /// Whether every vertex has one; more may be left where there is no time to look.
    fn filter(&mut self, stop: &Stop) -> bool {
        let mut stop = stop.asked_rarely();
        for &Constraint { small, large } in self.constraints {
            let most = (0..small.vertex_count()).map(|i| small.neighbours(i).0.len()).max().unwrap_or(0);
            let own: Vec<_> = self.active.iter().map(|&i| neighbour_degrees(small, i, most)).collect();
            for j in 0..large.vertex_count() {
                if self.work == 0 || stop.is_reached() {
                    return true;
                }
                self.spend(large.neighbours(j).0.len() + own.len());
                let degrees = neighbour_degrees(large, j, most);
                for (&i, own) in self.active.iter().zip(&own) {
                    let suits = own.len() <= degrees.len()
                        && own.iter().zip(&degrees).all(|(own, degree)| own <= degree)
                        && (small.weight(i, i) == 0.0 || large.weight(j, j) != 0.0);
                    if !suits && self.domains[i].contains(j) {
                        self.domains[i].remove(j);
                    }
                }
            }
        }
        self.active.iter().all(|&i| self.domains[i].size > 0)
    }

    fn spend(&mut self, entries: usize) {
        self.work = self.work.saturating_sub(entries as u64);
    }

    /// Places the anchors for good. Whether that loses nothing.
    fn anchor(&mut self, anchors: &[(usize, usize)]) -> bool {
        let loses_loop = |i: usize, j: usize| {
            let has_loop = |graph: &Graph, vertex: usize| graph.weight(vertex, vertex) != 0.0;
            self.constraints.iter().any(|constraint| has_loop(constraint.small, i) && !has_loop(constraint.large, j))
        };
        if anchors.iter().any(|&(i, j)| loses_loop(i, j)) {
            return false;
        }
        let kept = anchors.iter().all(|&(i, j)| self.domains[i].contains(j) && self.place(i, j));
        self.trail.clear();
        kept
    }

    /// Puts vertex i at place j and takes from the others what that excludes. Whether each still has a place.
    fn place(&mut self, i: usize, j: usize) -> bool {
        self.placed[i] = Some(j);
        self.spend(self.active.len());
        for constraint in self.constraints {
            let next_to_j = constraint.large.neighbours(j).0;
            for &k in constraint.small.neighbours(i).0.iter().filter(|&&k| k != i) {
                self.spend(next_to_j.len());
                match self.placed[k] {
                    Some(l) if next_to_j.binary_search(&l).is_err() => return false,
                    Some(_) => {}
                    None => {
                        self.trail.push((k, self.domains[k].size));
                        self.domains[k].intersect(next_to_j);
                        if self.domains[k].size == 0 {
                            self.failures[k] += 1.0;
                            return false;
                        }
                    }
                }
            }
        }
        for &k in &self.active {
            if self.placed[k].is_none() && self.domains[k].contains(j) {
                self.trail.push((k, self.domains[k].size));
                self.domains[k].remove(j);
                if self.domains[k].size == 0 {
                    self.failures[k] += 1.0;
                    return false;
                }
            }
        }
        true
    }

    /// Takes vertex i from its place again.
    fn take_back(&mut self, i: usize, trail: usize) {
        for (k, size) in self.trail.drain(trail..).rev() {
            self.domains[k].size = size;
        }
        self.placed[i] = None;
    }

    /// The vertex with the fewest places, for how often branches ended there; its places in random order.
    fn branch(&mut self, rng: &mut impl Rng) -> Option<Branching> {
        let unplaced = self.active.iter().copied().filter(|&i| self.placed[i].is_none());
        let crowded = |&i: &usize| self.domains[i].size as f64 / self.failures[i];
        let vertex = unplaced.min_by(|a, b| crowded(a).total_cmp(&crowded(b)))?;
        self.spend(self.active.len() + self.domains[vertex].size);
        let domain = &self.domains[vertex];
        // An exponential waiting time of rate deg² for each place, the shortest last. The domain's own order depends on
        // the past.
        let mut places = domain.places[..domain.size].to_vec();
        places.sort_unstable();
        let waiting = |&j: &u32| (-(1.0 - rng.random::<f64>()).ln() / self.degrees[j as usize].max(1.0).powi(2), j);
        let mut waiting: Vec<(f64, u32)> = places.iter().map(waiting).collect();
        waiting.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        Some(Branching { vertex, places: waiting.into_iter().map(|(_, j)| j).collect(), trail: self.trail.len() })
    }

    /// Depth first, from the root on, until so many places have been tried.
    fn search(&mut self, rng: &mut impl Rng, steps: u64, stop: &Stop) -> End {
        let (mut branchings, mut stop, mut left): (Vec<Branching>, _, _) = (vec![], stop.asked_rarely(), steps);
        let end = loop {
            let Some(next) = self.branch(rng) else { return End::Complete };
            branchings.push(next);
            // To the next place that leaves every vertex one.
            let cut = loop {
                let Some(Branching { vertex, places, trail }) = branchings.last_mut() else {
                    break Some(End::Exhausted);
                };
                let (vertex, trail) = (*vertex, *trail);
                let Some(j) = places.pop() else {
                    branchings.pop();
                    if let Some(last) = branchings.last() {
                        self.take_back(last.vertex, last.trail);
                    }
                    continue;
                };
                if left == 0 || self.work == 0 || stop.is_reached() {
                    break Some(End::CutShort);
                }
                left -= 1;
                if self.place(vertex, j as usize) {
                    break None;
                }
                self.take_back(vertex, trail);
            };
            if branchings.len() > self.deepest.len() {
                let placed = |&i: &usize| self.placed[i].map(|j| (i, j));
                self.deepest = self.active.iter().filter_map(placed).collect();
            }
            if let Some(end) = cut {
                break end;
            }
        };
        branchings.iter().rev().for_each(|branching| self.take_back(branching.vertex, branching.trail));
        end
    }

    /// What was found, with the vertices that have no arc at the first places that are left.
    fn injection(&self) -> Injection {
        let mut is_free = vec![true; self.degrees.len()];
        self.placed.iter().flatten().for_each(|&j| is_free[j] = false);
        let mut free = (0..is_free.len()).filter(|&j| is_free[j]);
        let image = self.placed.iter().map(|place| place.unwrap_or_else(|| free.next().expect("m <= N"))).collect();
        Injection::new(image, is_free.len()).expect("each place once")
    }
}

/// The degrees of a vertex' neighbours, the `most` largest ones, in descending order.
fn neighbour_degrees(graph: &Graph, vertex: usize, most: usize) -> Vec<usize> {
    let mut degrees: Vec<_> = graph.neighbours(vertex).0.iter().map(|&k| graph.neighbours(k).0.len()).collect();
    if most < degrees.len() {
        degrees.select_nth_unstable_by(most, |a, b| b.cmp(a));
        degrees.truncate(most);
    }
    degrees.sort_unstable_by(|a, b| b.cmp(a));
    degrees
}
