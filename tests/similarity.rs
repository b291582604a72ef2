//! Similarities of vertices beside the graphs: in few entries or in a matrix, with and without matrices.

use birkhoff::instance::{noisy_erdos_renyi, rng};
use birkhoff::objective::{GraphMatching, Objective, QuadraticAssignment};
use birkhoff::recovery::{Effort, Engine, Recovery, Settings, recover};
use birkhoff::{Graph, Permutation, SparseMatrix};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};

fn random(n: usize, whole: bool, rng: &mut impl Rng) -> Graph {
    let weight = |rng: &mut dyn Rng| if whole { f64::from(rng.random_range(1..5)) } else { rng.random_range(0.5..2.0) };
    let arcs: Vec<_> = (0..3 * n).map(|_| (rng.random_range(0..n), rng.random_range(0..n), weight(rng))).collect();
    Graph::directed(n, arcs).unwrap()
}

fn to_matrix(c: &SparseMatrix) -> DMatrix<f64> {
    let mut matrix = DMatrix::zeros(c.shape().0, c.shape().1);
    c.triples().for_each(|(i, j, c)| matrix[(i, j)] = c);
    matrix
}

/// The same objective twice.
fn require_same(sparse: &dyn Objective, dense: &dyn Objective, whole: bool, rng: &mut impl Rng) {
    let n = dense.size();
    let close = |one: f64, other: f64| one == other || (one - other).abs() < 1e-11 * (1.0 + one.abs());
    let (p, q) = (Permutation::random(n, rng), Permutation::random(n, rng));
    assert_eq!(sparse.value_at(&p), dense.value_at(&p));
    let (i, k) = (rng.random_range(0..n), rng.random_range(0..n));
    assert_eq!(sparse.swap_change(&p, i, k), dense.swap_change(&p, i, k));
    assert_eq!(sparse.swap_rounding(&p, i, k), dense.swap_rounding(&p, i, k));
    assert_eq!(sparse.compare_at(&p, &q), dense.compare_at(&p, &q));
    assert_eq!(sparse.lattice(), dense.lattice());
    assert!(!whole || sparse.lattice().is_some());
    assert_eq!((sparse.trivial_bound(), sparse.ideal_value()), (dense.trivial_bound(), dense.ideal_value()));
    assert_eq!((sparse.rounding(), sparse.scale()), (dense.rounding(), dense.scale()));
    assert!(sparse.trivial_bound() <= sparse.value_at(&p) && sparse.ideal_value() <= sparse.trivial_bound());
    let x = p.to_matrix() * 0.25 + q.to_matrix() * 0.75;
    let (mut at_sparse, mut at_dense) = (DMatrix::zeros(n, n), DMatrix::zeros(n, n));
    assert!(close(sparse.value(&x), dense.value(&x)));
    assert!(close(sparse.value_and_gradient(&x, &mut at_sparse), dense.value_and_gradient(&x, &mut at_dense)));
    assert!((&at_sparse - &at_dense).amax() < 1e-11);
    let blended = |f: &dyn Objective| {
        let mut gradient = at_dense.clone();
        f.vertex_gradient().unwrap().blend(&q, 0.3, &mut gradient);
        gradient
    };
    assert!((blended(sparse) - blended(dense)).amax() < 1e-11);
    let forms = (sparse.injective_form(), dense.injective_form());
    assert_eq!(forms.0.is_some(), forms.1.is_some());
    if let (Some(sparse), Some(dense)) = forms {
        let p = dense.injection(&p);
        assert_eq!((sparse.value_at(&p), sparse.scale()), (dense.value_at(&p), dense.scale()));
        let (mut of_sparse, mut of_dense) = (vec![], vec![]);
        for i in 0..p.vertices() {
            sparse.costs(&p, i, &mut of_sparse);
            dense.costs(&p, i, &mut of_dense);
            assert_eq!(of_sparse, of_dense);
        }
    }
}

#[test]
fn few_entries_are_the_matrix_that_they_are_of() {
    for trial in 0..60 {
        let rng = &mut rng(81, trial);
        let whole = trial % 2 == 0;
        let (n_a, n_b) = [(9, 9), (14, 6), (5, 13)][trial as usize % 3];
        let (a, b) = (random(n_a, whole, rng), random(n_b, whole, rng));
        // From next to nothing to nearly all, and the last ones in rows or columns that are padded.
        let entries = [3, 20, 60][trial as usize / 3 % 3];
        let n = n_a.max(n_b);
        let width = if trial % 5 == 0 { n } else { n_b };
        let mut entry = || {
            let value = if whole { f64::from(rng.random_range(-6..7)) } else { rng.random_range(-3.0..3.0) };
            (rng.random_range(0..n_a), rng.random_range(0..width), value)
        };
        let matrix = |entries: Vec<_>| SparseMatrix::from_entries((n_a, width), entries).unwrap();
        let (c, d) = (matrix((0..entries).map(|_| entry()).collect()), matrix((0..4).map(|_| entry()).collect()));
        let f = GraphMatching::new(a.clone(), b.clone()).unwrap();
        let dense = f.clone().with_linear(&to_matrix(&c)).unwrap();
        require_same(&f.clone().with_sparse_linear(&c).unwrap(), &dense, whole, rng);
        let dense = dense.with_linear(&to_matrix(&d)).unwrap();
        let twice = f.clone().with_sparse_linear(&c).unwrap();
        require_same(&twice.clone().with_sparse_linear(&d).unwrap(), &dense, whole, rng);
        require_same(&twice.with_linear(&to_matrix(&d)).unwrap(), &dense, whole, rng);
        let qap = QuadraticAssignment::new(a, b).unwrap();
        let dense = qap.clone().with_linear(&to_matrix(&c)).unwrap();
        require_same(&qap.with_sparse_linear(&c).unwrap(), &dense, whole, rng);

        // What is maximized without matrices is the same thing.
        let form = f.with_sparse_linear(&c).unwrap().sparse_form();
        assert_eq!(form.is_some(), c.triples().all(|(_, j, _)| j < n_b));
        let similarity = form.and_then(|form| form.similarity);
        assert!(similarity.is_none_or(|s| s.triples().eq(c.triples().map(|(i, j, c)| (i, j, -0.5 * c)))));
    }
}

#[test]
fn linear_terms_that_do_not_fit_or_are_not_finite_are_refused() {
    let f = GraphMatching::new(random(5, true, &mut rng(82, 0)), random(5, true, &mut rng(82, 1))).unwrap();
    let of = |n: usize, value: f64| SparseMatrix::from_entries((n, n), [(1, 2, value)]).unwrap();
    let message = f.clone().with_sparse_linear(&of(6, 1.0)).unwrap_err().to_string();
    assert_eq!(message, "linear term: expected at most 5 x 5, got 6 x 6");
    let large = of(5, 1e308);
    let message = f.clone().with_sparse_linear(&large.clone().scaled(10.0)).unwrap_err().to_string();
    assert_eq!(message, "linear term: entry (1, 2) is inf, but must be finite");
    let once = f.with_sparse_linear(&large).unwrap();
    assert!(once.clone().with_sparse_linear(&large).is_err() && once.with_linear(&to_matrix(&large)).is_err());
}

/// A random graph whose every vertex has two leaves, and a copy: which leaf is which nothing tells.
struct Twins {
    a: Graph,
    b: Graph,
    truth: Permutation,
    /// The other leaf.
    twins: Vec<(usize, usize)>,
}

impl Twins {
    fn of(n: usize, trial: u64) -> Self {
        let core = noisy_erdos_renyi(n, 6.0, 0.0, &mut rng(83, trial)).unwrap().a;
        let leaves = (0..n).flat_map(|i| [(i, n + 2 * i, 1.0), (i, n + 2 * i + 1, 1.0)]);
        let edges: Vec<_> = core.arcs().filter(|(i, k, _)| i < k).chain(leaves).collect();
        let truth = Permutation::random(3 * n, &mut rng(84, trial));
        let moved = edges.iter().map(|&(i, k, weight)| (truth.apply(i), truth.apply(k), weight));
        Twins {
            a: Graph::undirected(3 * n, edges.clone()).unwrap(),
            b: Graph::undirected(3 * n, moved.collect::<Vec<_>>()).unwrap(),
            truth,
            twins: (0..n).flat_map(|i| [(n + 2 * i, n + 2 * i + 1), (n + 2 * i + 1, n + 2 * i)]).collect(),
        }
    }

    fn size(&self) -> usize {
        self.truth.len()
    }

    /// ‖AX − XB‖² − w·(Σ over the pairs (vertex of A, the one whose counterpart it is alike)).
    fn objective(&self, w: f64, pairs: impl Iterator<Item = (usize, usize)>) -> GraphMatching {
        let n = self.size();
        let entries = pairs.map(|(i, k)| (i, self.truth.apply(k), -w));
        let c = SparseMatrix::from_entries((n, n), entries).unwrap();
        GraphMatching::new(self.a.clone(), self.b.clone()).unwrap().with_sparse_linear(&c).unwrap()
    }

    fn right(&self, recovery: &Recovery) -> usize {
        (0..self.size()).filter(|&i| recovery.permutation.apply(i) == self.truth.apply(i)).count()
    }
}

#[test]
fn similarities_alone_tell_twins_apart_whatever_they_weigh() {
    let pair = Twins::of(1000, 0);
    let settings = Settings::default().with_engine(Engine::Sparse).with_hold_out(0.0);
    let found = |f: &GraphMatching| {
        let recovery = recover(f, &settings).unwrap();
        assert_eq!(recovery.optimality.value, f.value_at(&recovery.permutation));
        assert!(recovery.optimality.value <= f.value_at(&pair.truth) + 1e-9);
        pair.right(&recovery)
    };
    let alike = || pair.twins.iter().map(|&(i, _)| (i, i));
    let unlike = || pair.twins.iter().copied();
    assert!(found(&pair.objective(0.0, alike())) < 2200);
    // An arc in common is worth 2, and the auction ends within a twentieth of that.
    for w in [8.0, 0.01] {
        let right = found(&pair.objective(w, alike()));
        assert!(right >= 2990, "{right} right by {w}");
        // What a leaf is not. Where a vertex has no neighbour but its leaves, nothing tells it from another such one.
        let right = found(&pair.objective(-w, unlike()));
        assert!(right >= 2970, "{right} right by -{w}");
    }
    // Every other one is told; the others follow from them.
    assert!(found(&pair.objective(1.0, alike().step_by(2))) >= 2990);
}

#[test]
fn similarities_go_with_anchors_layers_and_missing_vertices() {
    let pair = Twins::of(400, 1);
    let settings = Settings::default().with_engine(Engine::Sparse);
    // Anchored crosswise, two twins are what anchors say, and the rest as similarities do.
    let ((i, k), to) = (pair.twins[0], |i: usize| pair.truth.apply(i));
    let f = pair.objective(2.0, pair.twins.iter().map(|&(i, _)| (i, i)));
    let crossed = settings.clone().with_anchors(vec![(i, to(k)), (k, to(i))]);
    let answer = recover(&f, &crossed).unwrap();
    assert_eq!((answer.permutation.apply(i), answer.permutation.apply(k)), (to(k), to(i)));
    assert!(pair.right(&answer) >= 1190);

    // A without its last 60 leaves, then B without the counterparts: native sizes, and the larger side either way.
    let small = Graph::undirected(1140, pair.a.arcs().filter(|&(i, k, _)| i < k && k < 1140).collect::<Vec<_>>());
    let small = small.unwrap();
    let s = |turned: bool| {
        let entries = pair.twins.iter().filter(|&&(i, _)| i < 1140);
        let entries = entries.map(|&(i, _)| if turned { (to(i), i, -2.0) } else { (i, to(i), -2.0) });
        let shape = if turned { (1200, 1140) } else { (1140, 1200) };
        SparseMatrix::from_entries(shape, entries.collect::<Vec<_>>()).unwrap()
    };
    let f = GraphMatching::new(small.clone(), pair.b.clone()).unwrap().with_sparse_linear(&s(false)).unwrap();
    let p = recover(&f, &settings).unwrap().permutation;
    let right = (0..1140).filter(|&i| p.apply(i) == to(i)).count();
    let f = GraphMatching::new(pair.b.clone(), small).unwrap().with_sparse_linear(&s(true)).unwrap();
    let p = recover(&f, &settings).unwrap().permutation;
    let right_turned = (0..1140).filter(|&i| p.apply(to(i)) == i).count();
    assert!(right >= 1130 && right_turned >= 1130, "{right}, {right_turned}");
}

#[test]
fn every_engine_finds_what_similarities_say_and_reports_its_value() {
    let pair = Twins::of(80, 2);
    let f = pair.objective(2.0, pair.twins.iter().map(|&(i, _)| (i, i)));
    for engine in Engine::ALL {
        let settings = Settings::default().with_engine(engine).with_effort(Effort::Quick);
        let answer = recover(&f, &settings).unwrap();
        assert_eq!(answer.permutation, pair.truth, "{engine:?}");
        assert_eq!(answer.optimality.value, -320.0);
    }
    // A matrix with few entries is searched without matrices, too; one without zeros is not.
    let sparse = Settings::default().with_engine(Engine::Sparse);
    let matrix =
        |zero: f64| DMatrix::from_fn(240, 240, |i, j| if i >= 80 && pair.truth.apply(i) == j { -2.0 } else { zero });
    let with = |zero: f64| {
        let f = GraphMatching::new(pair.a.clone(), pair.b.clone()).unwrap();
        recover(&f.with_linear(&matrix(zero)).unwrap(), &sparse)
    };
    assert_eq!(with(0.0).unwrap().permutation, pair.truth);
    let message = with(0.5).unwrap_err().to_string();
    assert!(message.starts_with("engine: is sparse, which is for graph matching with at most 64"), "{message}");
}

#[test]
fn a_similarity_of_nothing_changes_nothing() {
    let pair = noisy_erdos_renyi(300, 6.0, 0.1, &mut rng(85, 0)).unwrap();
    let f = GraphMatching::new(pair.a, pair.b).unwrap();
    let zeros = SparseMatrix::from_entries((300, 300), [(0, 1, 1.0), (5, 7, 2.0)]).unwrap().scaled(-0.0);
    for engine in Engine::ALL {
        let settings = Settings::default().with_engine(engine).with_effort(Effort::Quick);
        let without = recover(&f, &settings).unwrap();
        for with in [f.clone().with_sparse_linear(&zeros), f.clone().with_linear(&DMatrix::zeros(300, 300))] {
            let with = recover(&with.unwrap(), &settings).unwrap();
            assert_eq!(with.permutation, without.permutation, "{engine:?}");
            assert_eq!((with.iterations, with.optimality.value), (without.iterations, without.optimality.value));
        }
    }
}

#[test]
fn similarities_match_what_has_no_edges() {
    let empty = Graph::undirected(600, []).unwrap();
    let truth = Permutation::random(600, &mut rng(86, 0));
    for unit in [1e-6, 1.0, 1e6] {
        let c = SparseMatrix::from_entries((600, 600), (0..600).map(|i| (i, truth.apply(i), -unit))).unwrap();
        let f = GraphMatching::new(empty.clone(), empty.clone()).unwrap().with_sparse_linear(&c).unwrap();
        let answer = recover(&f, &Settings::default().with_engine(Engine::Sparse)).unwrap();
        assert_eq!(answer.permutation, truth, "{unit}");
        // One is whole, and so are sums of it.
        assert!(answer.optimality.is_proved() || unit < 1.0);
    }
}
