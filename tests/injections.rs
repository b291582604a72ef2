//! Graphs of very unequal size: what is done on injections against what padding would do, and against enumeration.

use birkhoff::certificate::{DISTANCE_FACTOR, INJECTION_RADIUS, Theorem, certify_injection};
use birkhoff::instance::rng;
use birkhoff::local_search::injections::{Cooling, anneal, descend};
use birkhoff::objective::{Embedding, EmbeddingSearch, GraphMatching, Injective, Objective, QuadraticAssignment};
use birkhoff::penalty::SlackNorms;
use birkhoff::polytope::Injections;
use birkhoff::recovery::{AttemptKind, Effort, Method, Settings, recover};
use birkhoff::solver::{InjectiveFrankWolfe, Iterate, Limits, Stage, minimize_injective};
use birkhoff::{Graph, Injection, Permutation, Stop};
use nalgebra::{DMatrix, dmatrix};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

fn normal(rows: usize, columns: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    DMatrix::from_fn(rows, columns, |_, _| StandardNormal.sample(rng))
}

/// About `share` of the entries, drawn by `weight`; every other graph is undirected, every third has loops.
fn graph(n: usize, kind: usize, share: f64, weight: fn(f64) -> f64, rng: &mut impl Rng) -> Graph {
    let mut w = normal(n, n, rng).map(weight);
    w.iter_mut().for_each(|v| *v *= f64::from(u8::from(rng.random::<f64>() < share)));
    if kind.is_multiple_of(2) {
        w = w.lower_triangle() + w.lower_triangle().transpose();
    }
    if !kind.is_multiple_of(3) {
        w.fill_diagonal(0.0);
    }
    Graph::from_matrix(&w).unwrap()
}

/// All injections of m into n.
fn injections(m: usize, n: usize) -> Vec<Injection> {
    fn extend(image: &mut Vec<usize>, m: usize, n: usize, found: &mut Vec<Injection>) {
        if image.len() == m {
            return found.push(Injection::new(image.clone(), n).unwrap());
        }
        for j in (0..n).filter(|j| !image.contains(j)).collect::<Vec<_>>() {
            image.push(j);
            extend(image, m, n, found);
            image.pop();
        }
    }
    let mut found = vec![];
    extend(&mut vec![], m, n, &mut found);
    found
}

fn matrix(p: &Injection) -> DMatrix<f64> {
    let mut x = DMatrix::zeros(p.places(), p.vertices());
    p.image().iter().enumerate().for_each(|(i, &j)| x[(j, i)] = 1.0);
    x
}

/// X of size N × m as the n_A × n_B matrix of the padded problem, its slack shared out evenly to the padded vertices.
fn padded(form: &dyn Injective, x: &DMatrix<f64>) -> DMatrix<f64> {
    let (n, m) = x.shape();
    let mut square = DMatrix::zeros(n, n);
    square.view_mut((0, 0), (n, m)).copy_from(x);
    for j in 0..n {
        let slack = (1.0 - x.row(j).sum()) / (n - m) as f64;
        (m..n).for_each(|k| square[(j, k)] = slack);
    }
    if form.places_are_rows() { square } else { square.transpose() }
}

/// The N × m part of an n_A × n_B matrix of the padded problem.
fn unpadded(form: &dyn Injective, square: &DMatrix<f64>) -> DMatrix<f64> {
    let turned = if form.places_are_rows() { square.clone() } else { square.transpose() };
    turned.view((0, 0), form.shape()).into_owned()
}

const SMALL: &[(usize, usize)] = &[(1, 3), (2, 5), (3, 7), (4, 10)];

/// Problems of every kind, with m and N in turn from a list: weighted and not, directed and not, with loops, two
/// layers, a linear term, the smaller graph first and second, sparse and dense products.
fn problems(sizes: &[(usize, usize)]) -> Vec<(usize, Box<dyn Objective>)> {
    let mut all: Vec<(usize, Box<dyn Objective>)> = vec![];
    for kind in 0..48 {
        let rng = &mut rng(3, kind as u64);
        let (m, n) = sizes[kind % sizes.len()];
        let share = if kind / 4 % 2 == 0 { 0.25 } else { 0.9 };
        let weight: fn(f64) -> f64 = if kind % 5 == 0 { |_| 1.0 } else { |v| v };
        let mut draw = |size| graph(size, kind / 2, share, weight, rng);
        let (mut a, mut b) = (vec![draw(m), draw(m)], vec![draw(n), draw(n)]);
        if kind % 3 == 0 {
            std::mem::swap(&mut a, &mut b);
        }
        let linear = normal(a[0].vertex_count(), b[0].vertex_count(), rng);
        let (second_a, second_b) = (a.pop().unwrap(), b.pop().unwrap());
        let (a, b) = (a.pop().unwrap(), b.pop().unwrap());
        let mut f = GraphMatching::new(a.clone(), b.clone()).unwrap();
        let mut qap = QuadraticAssignment::new(a, b).unwrap();
        if kind % 4 >= 2 {
            f = f.with_layer(second_a.clone(), second_b.clone()).unwrap();
            qap = qap.with_layer(second_a, second_b).unwrap();
        }
        if kind % 7 >= 4 {
            (f, qap) = (f.with_linear(&linear).unwrap(), qap.with_linear(&linear).unwrap());
        }
        all.push((kind, Box::new(f)));
        all.push((kind, Box::new(qap)));
    }
    all
}

#[test]
fn values_gradients_and_moves_are_those_of_the_padded_problem() {
    for (kind, f) in problems(SMALL) {
        let form = f.injective_form().expect("much smaller");
        let indefinite = f.indefinite_form().unwrap_or(&*f);
        let ((n, m), rng) = (form.shape(), &mut rng(4, kind as u64));
        let face = Injections::new(m, n, &[]).unwrap();
        let x = face.random_point(rng);
        // Sums of some hundred products of normal numbers.
        let close = |v: f64, expected: f64| {
            assert!((v - expected).abs() < 1e-11 * (1.0 + expected.abs()), "{kind}: {v}, {expected}");
        };
        let mut gradient = DMatrix::zeros(n, m);
        let value = form.value_and_gradient(&x, &mut gradient);
        close(value, indefinite.value(&padded(&*form, &x)));
        let mut expected = DMatrix::zeros(n, n);
        indefinite.gradient(&padded(&*form, &x), &mut expected);
        close((&gradient - unpadded(&*form, &expected)).amax(), 0.0);

        let p = Injection::random(m, n, rng);
        let extended = form.permutation(&p);
        assert_eq!(unpadded(&*form, &extended.to_matrix()), matrix(&p), "{kind}");
        close(form.value_at(&p), f.value_at(&extended));
        let mut at_p = DMatrix::zeros(n, m);
        form.value_and_gradient(&matrix(&p), &mut at_p);
        let mut blended = gradient.clone();
        form.blend(&p, 0.3, &mut blended);
        close((blended - (&gradient * 0.7 + at_p * 0.3)).amax(), 0.0);

        let mut costs = vec![];
        for i in 0..m {
            form.costs(&p, i, &mut costs);
            for j in 0..n {
                let mut moved = p.clone();
                moved.place(i, j);
                let change = form.value_at(&moved) - form.value_at(&p);
                close(form.change(&p, i, j), change);
                if p.holder(j).is_none() {
                    close(costs[j] - costs[p.apply(i)], change);
                }
            }
        }
    }
}

#[test]
fn only_much_smaller_sides_whose_padding_is_alike_have_a_form() {
    let edge = |n| Graph::undirected(n, [(0, 1, 1.0)]).unwrap();
    let has_form = |f: &GraphMatching| f.injective_form().is_some();
    assert!(has_form(&GraphMatching::new(edge(5), edge(10)).unwrap()));
    assert!(!has_form(&GraphMatching::new(edge(6), edge(10)).unwrap()));
    assert!(!has_form(&GraphMatching::new(Graph::undirected(0, []).unwrap(), edge(10)).unwrap()));
    // A later layer may have vertices that the first lacks.
    let f = GraphMatching::new(edge(2), edge(10)).unwrap().with_layer(edge(5), edge(9)).unwrap();
    assert_eq!(f.injective_form().unwrap().shape(), (10, 5));
    // A cost of a padded vertex.
    let mut cost = DMatrix::zeros(10, 10);
    cost[(5, 0)] = 1.0;
    assert!(!has_form(&GraphMatching::new(edge(5), edge(10)).unwrap().with_linear(&cost).unwrap()));
}

#[test]
fn a_linear_minimum_over_a_face_is_that_of_all_its_injections() {
    for trial in 0..60 {
        let rng = &mut rng(5, trial);
        let (m, n) = [(1, 1), (2, 4), (3, 6), (4, 7), (3, 3)][trial as usize % 5];
        let anchors = if trial % 3 == 0 { vec![(m - 1, n / 2)] } else { vec![] };
        let (face, never) = (Injections::new(m, n, &anchors).unwrap(), Stop::never());
        let cost = normal(n, m, rng);
        let sum = |p: &Injection| p.image().iter().enumerate().map(|(i, &j)| cost[(j, i)]).sum::<f64>();
        let keeps = |p: &Injection| anchors.iter().all(|&(i, j)| p.apply(i) == j);
        let all: Vec<f64> = injections(m, n).iter().filter(|p| keeps(p)).map(sum).collect();
        let (least, most) = all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
        let (lowest, highest) = (face.minimize(&cost, &never).unwrap().unwrap(), face.round(&cost, &never).unwrap());
        assert!(keeps(&lowest) && keeps(&highest));
        // The sum of the same numbers.
        assert_eq!((sum(&lowest), sum(&highest)), (least, most), "trial {trial}");
        for x in [face.barycenter(), face.random_point(rng)] {
            assert!(x.min() >= 0.0 && x.column_iter().all(|column| (column.sum() - 1.0).abs() < 1e-12));
            assert!(x.row_iter().all(|row| row.sum() <= 1.0 + 1e-12));
            assert!(anchors.iter().all(|&(i, j)| x[(j, i)] == 1.0));
        }
    }
    assert!(Injections::new(3, 2, &[]).is_err());
    let message = |anchors: &[(usize, usize)]| Injections::new(2, 3, anchors).unwrap_err().to_string();
    assert!(message(&[(2, 0)]).contains("(2, 0)"));
    assert!(message(&[(0, 1), (1, 1)]).contains("(1, 1)"));
    assert!(Injections::new(2, 3, &[]).unwrap().minimize(&DMatrix::zeros(2, 3), &Stop::never()).is_err());
}

/// d(X), by enumeration.
fn distance(x: &DMatrix<f64>, all: &[Injection]) -> f64 {
    all.iter().map(|p| (x - matrix(p)).abs().sum()).fold(f64::INFINITY, f64::min)
}

#[test]
fn t6_bounds_the_distance_to_the_injections_and_certifies_the_rounding() {
    let (mut certified, mut refused) = (0, 0);
    for trial in 0..400 {
        let rng = &mut rng(6, trial);
        let (m, n) = [(1, 2), (1, 4), (2, 3), (2, 5), (3, 6), (3, 3)][trial as usize % 6];
        let (face, all) = (Injections::new(m, n, &[]).unwrap(), injections(m, n));
        let nearness = rng.random::<f64>().powi(2);
        let x = matrix(&Injection::random(m, n, rng)) * (1.0 - nearness) + face.random_point(rng) * nearness;
        let (norms, d) = (SlackNorms::of(&x), distance(&x, &all));
        let (deficit, penalty) = (norms.column_deficit(), norms.penalty());
        assert!(2.0 * deficit <= d + 1e-12 && d <= 2.0 * DISTANCE_FACTOR * deficit + 1e-12, "trial {trial}");
        assert!(penalty <= 1.5 * d + 1e-12, "trial {trial}");
        let (certificate, injection) = certify_injection(&x).unwrap();
        assert!(certificate.distance_at_least <= d + 1e-12 && d <= certificate.distance_at_most.unwrap() + 1e-12);
        match injection {
            Some(p) => {
                certified += 1;
                assert_eq!(certificate.theorem, Some(Theorem::T6));
                let product = |q: &Injection| q.image().iter().enumerate().map(|(i, &j)| x[(j, i)]).sum::<f64>();
                assert!(all.iter().all(|q| *q == p || product(q) < product(&p)), "trial {trial}");
            }
            None => refused += 1,
        }
    }
    assert!(certified >= 50 && refused >= 50, "{certified} certified, {refused} not");
}

#[test]
fn the_constants_of_t6_are_sharp() {
    // One vertex between two free places.
    let shared = SlackNorms::of(&dmatrix![0.5; 0.5; 0.0]);
    assert!((shared.penalty() - INJECTION_RADIUS).abs() < 1e-15);
    assert!(certify_injection(&dmatrix![0.5; 0.5; 0.0]).unwrap().1.is_none());
    // Two vertices between two places.
    let swapped = dmatrix![0.5, 0.5; 0.5, 0.5; 0.0, 0.0];
    assert!((2.0 * DISTANCE_FACTOR * SlackNorms::of(&swapped).column_deficit() - 2.0).abs() < 1e-14);
    assert_eq!(distance(&swapped, &injections(2, 3)), 2.0);
    // Near a vertex 2C is the distance and P three halves of it.
    let t = 1e-6;
    let near = SlackNorms::of(&dmatrix![1.0 - t; t; 0.0]);
    assert!((near.column_deficit() / t - 1.0).abs() < 1e-5 && (near.penalty() / t - 3.0).abs() < 1e-5);
    assert!(certify_injection(&DMatrix::zeros(2, 3)).unwrap_err().to_string().contains("2 x 3"));
    assert!(certify_injection(&dmatrix![0.6; 0.6]).unwrap().0.distance_at_most.is_none());
}

#[test]
fn p_is_concave_on_the_polytope_and_0_at_injections_only() {
    for trial in 0..100 {
        let rng = &mut rng(7, trial);
        let face = Injections::new(3, 3 + trial as usize % 4, &[]).unwrap();
        let (x, y) = (face.random_point(rng), face.random_point(rng));
        let p = |x: &DMatrix<f64>| SlackNorms::of(x).penalty();
        assert!(p(&((&x + &y) * 0.5)) >= 0.5 * (p(&x) + p(&y)) - 1e-12);
        assert!(p(&x) > 0.1);
        assert!(p(&matrix(&Injection::random(3, face.shape().0, rng))).abs() < 1e-15);
    }
}
/// f at p, the padded problem's.
fn value(f: &dyn Objective, form: &dyn Injective, p: &Injection) -> f64 {
    f.value_at(&form.permutation(p))
}

#[test]
fn an_embedding_keeps_as_many_arcs_as_enumeration_does() {
    let (mut complete, mut with_losses, mut refuted) = (0, 0, 0);
    for trial in 0..400 {
        let rng = &mut rng(8, trial);
        let kind = trial as usize / 2;
        let (m, n) = [(2, 5), (3, 7), (4, 8)][trial as usize % 3];
        let mut unweighted = |size, share| {
            let weighted = graph(size, kind, share, |_| 1.0, rng).to_matrix();
            Graph::from_matrix(&weighted.map(|weight| f64::from(u8::from(weight != 0.0)))).unwrap()
        };
        let (small, large) = (unweighted(m, 0.5), unweighted(n, 0.4));
        let second = (unweighted(m, 0.2), unweighted(n, 0.5));
        let anchors = if trial % 5 == 0 { vec![(0, rng.random_range(0..n))] } else { vec![] };
        let mut layers = vec![(small, large)];
        if trial % 4 == 0 {
            layers.push(second);
        }
        if layers.iter().any(|(_, large)| large.arc_count() == 0) {
            continue;
        }
        // Half of the time the smaller graph is B.
        let turned = trial % 2 == 1;
        let mut pairs =
            layers.iter().cloned().map(|(small, large)| if turned { (large, small) } else { (small, large) });
        let (a, b) = pairs.next().unwrap();
        let f = GraphMatching::new(a, b).unwrap();
        let f = pairs.fold(f, |f, (a, b)| f.with_layer(a, b).unwrap());
        let keeps_all = |p: &Injection| {
            let mut arcs = layers.iter().flat_map(|(small, large)| small.arcs().map(move |arc| (large, arc)));
            arcs.all(|(large, (i, k, _))| large.weight(p.apply(i), p.apply(k)) != 0.0)
        };
        let form = f.injective_form().unwrap();
        let all = injections(m, n).into_iter().filter(|p| anchors.iter().all(|&(i, j)| p.apply(i) == j));
        let values: Vec<f64> = all.clone().map(|p| value(&f, &*form, &p)).collect();
        let (least, exists) =
            (values.iter().copied().fold(f64::INFINITY, f64::min), all.clone().any(|p| keeps_all(&p)));
        match form.embed(&EmbeddingSearch { anchors: &anchors, work: 1 << 30, rng_seed: 1, stop: &Stop::never() }) {
            Embedding::Best(p) => {
                *(if exists { &mut complete } else { &mut with_losses }) += 1;
                assert_eq!((value(&f, &*form, &p), keeps_all(&p)), (least, exists), "trial {trial}");
                assert!(anchors.iter().all(|&(i, j)| p.apply(i) == j), "trial {trial}");
            }
            Embedding::Worse { than } => {
                refuted += 1;
                assert!(!exists && than < least, "trial {trial}: {than}, {least}");
                // Only where arcs are not worth the same.
                assert!(layers.len() > 1 || kind.is_multiple_of(3), "trial {trial}");
            }
            other => panic!("trial {trial}: there was time enough, {other:?}"),
        }
    }
    let seen = (complete, with_losses, refuted);
    assert!(complete >= 50 && with_losses >= 50 && refuted >= 5, "{seen:?}");
}

#[test]
fn an_embedding_that_may_do_little_says_so() {
    let ring = Graph::undirected(60, (0..60).map(|i| (i, (i + 1) % 60, 1.0))).unwrap();
    let triangle = |n| Graph::undirected(n, [(0, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0)]).unwrap();
    let embed = |f: &GraphMatching, work, stop: &Stop| {
        f.injective_form().unwrap().embed(&EmbeddingSearch { anchors: &[], work, rng_seed: 1, stop })
    };
    let few = GraphMatching::new(triangle(3), ring.clone()).unwrap();
    assert!(matches!(embed(&few, 0, &Stop::never()), Embedding::Unknown(_)));
    assert!(matches!(embed(&few, 1 << 20, &Stop::when(|| true)), Embedding::Unknown(_)));
    // Two of the triangle's edges, by f: ‖A‖² + ‖B‖² − 2·(twice two edges).
    let Embedding::Best(path) = embed(&few, 1 << 20, &Stop::never()) else { panic!("a ring has paths") };
    assert_eq!(value(&few, &*few.injective_form().unwrap(), &path), 6.0 + 120.0 - 8.0);
    // Nine vertices are too many to give up arcs one by one.
    let many = GraphMatching::new(triangle(9), ring.clone()).unwrap();
    let Embedding::Worse { than } = embed(&many, 1 << 20, &Stop::never()) else { panic!("a ring has no triangle") };
    assert_eq!(than, 6.0 + 120.0 - 12.0);
    // Arcs are not all that counts.
    let known = GraphMatching::new(triangle(3), ring).unwrap().with_linear(&DMatrix::from_element(3, 60, 1.0)).unwrap();
    assert_eq!(embed(&known, 1 << 20, &Stop::never()), Embedding::Unknown(vec![]));
}

#[test]
fn frank_wolfe_keeps_its_books_and_ends_at_an_injection() {
    for (kind, f) in problems(SMALL) {
        let form = f.injective_form().unwrap();
        let ((n, m), rng) = (form.shape(), &mut rng(9, kind as u64));
        let face = Injections::new(m, n, &[(0, n - 1)]).unwrap();
        let cost = normal(n, m, rng);
        let weights = [-0.5, -0.1, 0.0, 0.3, 4.0].map(|weight| weight * form.scale());
        let stages = weights.map(|weight| Stage { weight, max_steps: 40, gap_tolerance: 0.0 });
        for (count, tilt) in [(1, None), (3, Some(0.1)), (5, None), (5, Some(0.1))] {
            let solver = InjectiveFrankWolfe::new(stages[..count].to_vec(), &face);
            let solver = tilt.into_iter().fold(solver, |solver, weight| solver.tilted(weight, &cost));
            let start = Iterate::at(face.random_point(rng));
            let last = minimize_injective(&*form, solver, start, &Limits::default()).unwrap();
            let x = &last.x;
            assert!(x.min() >= 0.0 && x.column_iter().all(|column| (column.sum() - 1.0).abs() < 1e-12));
            assert!(x.row_iter().all(|row| row.sum() <= 1.0 + 1e-12) && (x[(n - 1, 0)] - 1.0).abs() < 1e-12);
            let mut gradient = DMatrix::zeros(n, m);
            let value = form.value_and_gradient(x, &mut gradient);
            // 200 steps of sums of a hundred numbers.
            let close = |v: f64, expected: f64| {
                assert!((v - expected).abs() < 1e-10 * (1.0 + expected.abs()), "{kind}: {v}, {expected}");
            };
            close(last.value, value);
            close((&last.gradient - gradient).amax(), 0.0);
            if count == 5 {
                // λ is beyond every slope of f here, so that only vertices are stationary.
                assert!(certify_injection(x).unwrap().1.is_some(), "{kind}: P = {}", last.penalty);
            }
        }
    }
}

#[test]
fn moves_end_where_none_lowers_f_and_keep_the_anchors() {
    for (kind, f) in problems(SMALL) {
        let form = f.injective_form().unwrap();
        let ((n, m), rng) = (form.shape(), &mut rng(10, kind as u64));
        let anchors = if kind % 3 == 0 { vec![(0, n / 2)] } else { vec![] };
        let face = Injections::new(m, n, &anchors).unwrap();
        let start = face.round(&face.random_point(rng), &Stop::never()).unwrap();
        let mut p = start.clone();
        assert_eq!(descend(&*form, &face, &mut p, &|| true), 0);
        assert_eq!(p, start);
        descend(&*form, &face, &mut p, &|| false);
        assert!(anchors.iter().all(|&(i, j)| p.apply(i) == j));
        for &i in face.free_vertices() {
            for &j in face.free_places() {
                assert!(form.change(&p, i, j) >= -1e-12 * form.scale(), "{kind}: {i} to {j}");
            }
        }
        let (before, cooling) = (form.value_at(&p), Cooling { first: 1.0, last: 0.1, sweeps: 20 });
        let improvements = anneal(&*form, &face, &mut p, cooling, rng, &|| false);
        let after = form.value_at(&p);
        assert!(if improvements > 0 { after < before } else { after == before }, "{kind}: {before}, {after}");
        assert!(anchors.iter().all(|&(i, j)| p.apply(i) == j));
    }
}

/// Every kind of problem, by every way: no value below the least, no false proof, by default the optimum where all
/// injections are looked at (4 in 10), and nearly always where they are not (3 in 40).
#[test]
fn recovery_is_right_about_what_enumeration_knows() {
    let (mut enumerated, mut optimal, mut all) = (0, 0, 0);
    // A third of the kinds, among which are all traits.
    for (kind, f) in problems(&[(3, 40), (4, 10)]).into_iter().filter(|(kind, _)| kind % 11 < 3) {
        let form = f.injective_form().unwrap();
        let (n, m) = form.shape();
        let values: Vec<_> =
            injections(m, n).into_iter().map(|p| (value(&*f, &*form, &p), form.permutation(&p))).collect();
        let thorough = Settings::default().with_effort(Effort::Thorough);
        let ways = [
            Settings::default(),
            thorough.with_starts(4).with_descents(kind % 4 < 2),
            Settings::default().with_anchors(vec![(kind % m, (kind / 3) % m)]),
            Settings::default().with_descents(false),
            Settings::default().with_start(DMatrix::from_element(n, n, 1.0 / n as f64)).with_effort(Effort::Quick),
            Settings::of(Method::Faq).with_restarts(3),
        ];
        for (way, settings) in ways.into_iter().enumerate() {
            let context = format!("kind {kind}, way {way}");
            let keeps = |p: &Permutation| settings.anchors.iter().all(|&(i, j)| p.apply(i) == j);
            let kept = values.iter().filter(|(_, p)| keeps(p));
            let least = kept.map(|&(value, _)| value).fold(f64::INFINITY, f64::min);
            let answer = recover(&*f, &settings).unwrap();
            let rounding = 1e-12 * (1.0 + least.abs());
            assert_eq!(answer.optimality.value, f.value_at(&answer.permutation), "{context}");
            assert!(answer.optimality.value >= least - rounding, "{context}: {:?}, {least}", answer.optimality);
            assert!(answer.optimality.lower_bound <= least + rounding, "{context}: {:?}, {least}", answer.optimality);
            assert!(keeps(&answer.permutation), "{context}");
            let is_optimal = answer.optimality.value <= least + rounding;
            assert!(is_optimal || !answer.optimality.is_proved(), "{context}");
            if n == 40 {
                assert_eq!(answer.x.shape(), if form.places_are_rows() { (n, m) } else { (m, n) }, "{context}");
                if way == 0 {
                    (optimal, all) = (optimal + usize::from(is_optimal), all + 1);
                }
            } else if way == 0 {
                assert!(answer.optimality.is_proved(), "{context}");
                enumerated += usize::from(answer.attempts.iter().any(|run| run.kind == AttemptKind::Enumeration));
            }
        }
    }
    assert!(8 * optimal >= 7 * all && enumerated >= 1, "{optimal} of {all}, enumeration alone found {enumerated}");
}
