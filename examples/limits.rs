//! How much longer than its limits a search takes, on every kind of problem: wall-clock milliseconds from the deadline,
//! or from an interrupt at that time, to the answer; beside them, what one pass over an n × n matrix takes on this
//! machine, and how many edges the answer keeps.
//!
//! cargo run --release --example limits -- 3000 [WORD in a case's name]...

use birkhoff::instance::{
    Instance, correlated_erdos_renyi, correlated_gaussian, noisy_erdos_renyi, noisy_regular, rng,
};
use birkhoff::objective::{GraphMatching, Objective, QuadraticAssignment};
use birkhoff::recovery::{Method, RestartFrom, Settings, Start, recover_from};
use birkhoff::score::EdgeScore;
use birkhoff::solver::Limits;
use birkhoff::structure::Kind;
use birkhoff::{Graph, Result};
use nalgebra::DMatrix;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Seconds after which a search is to end.
const LIMITS: [f64; 6] = [0.01, 0.2, 0.7, 1.5, 3.0, 6.0];

/// What the search that is under way is like.
struct Case {
    name: &'static str,
    pair: Pair,
    start: Option<Kind>,
    settings: Settings,
}

/// Two graphs; as a QAP or to be matched.
struct Pair {
    a: Graph,
    b: Graph,
    is_qap: bool,
}

fn matched(pair: Instance) -> Pair {
    Pair { a: pair.a, b: pair.b, is_qap: false }
}

/// The subgraph of the first vertices, and the whole.
fn part(n: usize, vertices: usize) -> Result<Pair> {
    let b = noisy_erdos_renyi(n, 8.0, 0.0, &mut rng(5, 0))?.a;
    let a = Graph::undirected(vertices, b.arcs().filter(|&(i, k, _)| i < k && k < vertices))?;
    Ok(Pair { a, b, is_qap: false })
}

fn directed(n: usize) -> Result<Pair> {
    let [a, b] = [1, 2].map(|trial| {
        let pair = correlated_gaussian(n, 0.0, &mut rng(6, trial))?;
        Graph::directed(n, pair.a.arcs().filter(|&(i, k, _)| i < k).chain(pair.b.arcs().filter(|&(i, k, _)| i > k)))
    });
    Ok(Pair { a: a?, b: b?, is_qap: false })
}

/// A case by name, made when it is its turn.
type Named = (&'static str, Box<dyn Fn() -> Result<Case>>);

/// Every kind of problem, method and start.
fn cases(n: usize) -> Vec<Named> {
    fn case(
        name: &'static str,
        start: Option<Kind>,
        settings: Settings,
        pair: impl Fn() -> Result<Pair> + 'static,
    ) -> (&'static str, Box<dyn Fn() -> Result<Case>>) {
        (name, Box::new(move || Ok(Case { name, pair: pair()?, start, settings: settings.clone() })))
    }
    let sparse = move || noisy_erdos_renyi(n, 8.0, 0.1, &mut rng(1, 0)).map(matched);
    let tree = move || noisy_erdos_renyi(n, 5.0, 0.2, &mut rng(2, 0)).map(matched);
    let regular = move || noisy_regular(n, 6, 0.05, &mut rng(3, 0)).map(matched);
    let dense = move || correlated_erdos_renyi(n, 0.5, 0.8, &mut rng(4, 0)).map(matched);
    let gaussian = move || correlated_gaussian(n, 0.8, &mut rng(4, 1)).map(matched);
    let qap = move || Ok(Pair { is_qap: true, ..gaussian()? });
    let small_qap = move || {
        correlated_gaussian(n.min(1000), 0.8, &mut rng(4, 1)).map(|pair| Pair { is_qap: true, ..matched(pair) })
    };
    let default = Settings::default;
    let restarts = |restart_from| Settings::default().with_restarts(4).with_restart_from(restart_from);
    vec![
        case("sparse", None, default(), sparse),
        case("sparse, subtree start", Some(Kind::Subtrees), default(), tree),
        case("regular, walks start", Some(Kind::Walks), default(), regular),
        case("dense", None, default(), dense),
        case("dense, walks start", Some(Kind::Walks), default(), dense),
        case("gaussian", None, default(), gaussian),
        case("directed", None, default(), move || directed(n)),
        case("5 in many", None, default(), move || part(n, 5)),
        case("200 in many", None, default(), move || part(n, 200)),
        case("qap", None, default(), qap),
        case("qap of 1000", None, default(), small_qap),
        case("sparse, restarts from pairs", None, restarts(RestartFrom::LikelyPairs), sparse),
        case("sparse, restarts from points", None, restarts(RestartFrom::RandomPoints), sparse),
        case("sparse, faq", None, Settings::of(Method::Faq), sparse),
        case("sparse, projected gradient", None, Settings::of(Method::ProjectedGradient), sparse),
        case("sparse, exact projected gradient", None, Settings::of(Method::ProjectedGradientExact), sparse),
        case("sparse, sinkhorn", None, Settings::of(Method::Sinkhorn), sparse),
    ]
}

/// Seconds from the limit to the answer, and the answer's edge correctness.
fn overshoot(case: &Case, objective: &dyn Objective, starts: &[Start], limit: f64, interrupt: bool) -> Result<String> {
    let flag = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let end = began + Duration::from_secs_f64(limit);
    let limits = if interrupt {
        let raised = flag.clone();
        std::thread::spawn(move || {
            std::thread::sleep(end - Instant::now());
            raised.store(true, Ordering::Relaxed);
        });
        Limits::default().with_interrupt(flag)
    } else {
        Limits::default().with_deadline(end)
    };
    let recovery = recover_from(objective, starts, &case.settings, &limits)?;
    let late = Instant::now().saturating_duration_since(end).as_secs_f64();
    let kept = EdgeScore::of(&case.pair.a, &case.pair.b, &recovery.permutation).correctness().unwrap_or(1.0);
    let early = if began.elapsed().as_secs_f64() < limit { " (ended by itself)" } else { "" };
    Ok(format!("{:7.0} ms {:.3}{early}", 1000.0 * late, kept))
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let n = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(3000);
    let words: Vec<String> = arguments.collect();
    let matrix = DMatrix::from_element(n, n, 1.0);
    let began = Instant::now();
    let copy = matrix.map(|v| v + 1.0);
    println!("one pass: {:.0} ms ({})", 1000.0 * began.elapsed().as_secs_f64(), copy.sum());
    for (name, make) in cases(n) {
        if !words.is_empty() && !words.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let case = make()?;
        let began = Instant::now();
        let (a, b) = (case.pair.a.clone(), case.pair.b.clone());
        let objective: Box<dyn Objective> = if case.pair.is_qap {
            Box::new(QuadraticAssignment::new(a, b)?)
        } else {
            Box::new(GraphMatching::new(a, b)?)
        };
        println!("{} (objective made in {:.0} ms)", case.name, 1000.0 * began.elapsed().as_secs_f64());
        for limit in LIMITS {
            let mut row = format!("  {limit:5} s");
            for interrupt in [false, true] {
                let start = match case.start {
                    Some(kind) => Start::structural(kind, &case.pair.a, &case.pair.b, &[])?,
                    None => Start::relaxed(),
                };
                row += &overshoot(&case, &*objective, &[start], limit, interrupt)?;
            }
            println!("{row}");
        }
    }
    Ok(())
}
