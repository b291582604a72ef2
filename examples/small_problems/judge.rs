//! What a recovery claims of a small problem, against the truth.

use crate::enumeration::{Enumeration, for_each_permutation};
use crate::exact::Exact;
use crate::problem::{Form, Problem};
use birkhoff::Permutation;
use birkhoff::certificate::Certificate;
use birkhoff::instance::rng;
use birkhoff::penalty::Penalty;
use birkhoff::polytope::{Face, random_point};
use birkhoff::recovery::{Effort, Method, Recovery, RestartFrom, Settings, Start, recover_from};
use birkhoff::solver::Limits;
use birkhoff::structure::Kind;
use cpu_time::ProcessTime;
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// No run may take more of the processor.
const LONGEST: Duration = Duration::from_secs(2);

/// A run is interrupted after so long on the clock, where others may have the processor …
const PATIENCE: Duration = Duration::from_secs(30);

/// … and the program ends if that does not help.
const HANGS: Duration = Duration::from_secs(60);

/// The bounds on a distance between matrices of 64 entries near 1 lose less than this.
const ROUNDING: f64 = 1e-12;

/// What can be wrong with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    Panic,
    /// An error on a problem that makes sense.
    Refusal,
    /// Longer than [`LONGEST`].
    Slow,
    /// "Proved optimal", and a permutation is better.
    FalseProof,
    /// A better permutation exists.
    MissedOptimum,
    /// A better permutation exists, by less than what doubles can tell.
    MissedByRounding,
    /// The optimum, and no proof of it.
    Unproved,
    /// The value is not that of the permutation, or the gap not value − bound.
    WrongValue,
    /// The lower bound is above the optimum.
    BoundAboveOptimum,
    /// The lower bound is below one that needs no solving.
    BoundBelowTrivial,
    /// T1, T2 or T3 does not hold.
    FalseCertificate,
    /// An anchor was not kept.
    LostAnchor,
    /// Three threads answer otherwise than one.
    ThreadsDiffer,
}

impl Fault {
    pub const ALL: [Fault; 13] = [
        Fault::Panic,
        Fault::Refusal,
        Fault::Slow,
        Fault::FalseProof,
        Fault::MissedOptimum,
        Fault::MissedByRounding,
        Fault::Unproved,
        Fault::WrongValue,
        Fault::BoundAboveOptimum,
        Fault::BoundBelowTrivial,
        Fault::FalseCertificate,
        Fault::LostAnchor,
        Fault::ThreadsDiffer,
    ];

    /// Whether only the default promises that this does not happen.
    pub fn is_of_the_default(self) -> bool {
        matches!(self, Fault::MissedOptimum | Fault::MissedByRounding | Fault::Unproved)
    }
}

/// How a problem is solved.
#[derive(Debug, Clone)]
pub struct Task {
    pub settings: Settings,
    pub starts: Vec<Hint>,
}

/// What a start is made of.
#[derive(Debug, Clone)]
pub enum Hint {
    None,
    Structure(Kind),
    Cost(DMatrix<f64>),
}

impl Task {
    /// As a user who says nothing has it.
    pub fn default_for(problem: &Problem) -> Self {
        let settings = Settings::default().with_anchors(problem.anchors.clone());
        Task { settings, starts: vec![Hint::None] }
    }

    /// Any method, effort, penalty and start.
    pub fn draw(problem: &Problem, rng: &mut impl Rng) -> Self {
        let mut settings = Task::default_for(problem).settings;
        settings.method = pick(&Method::ALL, rng);
        settings.effort = pick(&Effort::ALL, rng);
        settings.penalty = pick(&[Penalty::L1MinusL2, Penalty::Frobenius, Penalty::Entropy], rng);
        settings.restart_from = pick(&[RestartFrom::LikelyPairs, RestartFrom::RandomPoints], rng);
        settings.restarts = pick(&[0, 0, 0, 1, 3], rng);
        settings.descents = rng.random();
        settings.polish = rng.random();
        settings.rng_seed = rng.random();
        if pick(&[true, false, false], rng) {
            let face = Face::new(problem.size(), &problem.anchors).expect("anchors differ");
            let point = random_point(face.free_rows().len(), rng);
            settings.start = Some(face.embed(&point));
        }
        let n = problem.size();
        let cost = DMatrix::from_fn(n, n, |_, _| rng.random());
        let mut starts =
            vec![Hint::None, Hint::Structure(Kind::Walks), Hint::Structure(Kind::Subtrees), Hint::Cost(cost)];
        starts.retain(|_| rng.random());
        if starts.is_empty() {
            starts.push(Hint::None);
        }
        let first = rng.random_range(0..starts.len());
        starts.rotate_left(first);
        Task { settings, starts }
    }

    fn run(&self, problem: &Problem, limits: &Limits) -> birkhoff::Result<Recovery> {
        let (a, b) = &problem.graphs()?[0];
        let start = |hint: &Hint| match hint {
            Hint::None => Start::relaxed(),
            // Subtree ratios are for undirected graphs of equal weights; others are refused.
            Hint::Structure(kind) => {
                Start::structural(*kind, a, b, &problem.anchors_of_graphs()).unwrap_or(Start::relaxed())
            }
            Hint::Cost(cost) => Start::tilted("cost", cost.clone()).expect("finite numbers"),
        };
        let starts: Vec<Start> = self.starts.iter().map(start).collect();
        recover_from(&*problem.objective()?, &starts, &self.settings, limits)
    }
}

/// Problem `number` of size at most 8, and how it is solved besides the default.
pub fn numbered(number: u64) -> (Problem, Task) {
    let rng = &mut rng(17, number);
    let problem = Problem::draw(8, rng);
    let task = Task::draw(&problem, rng);
    (problem, task)
}

fn pick<T: Copy>(all: &[T], rng: &mut impl Rng) -> T {
    all[rng.random_range(0..all.len())]
}

/// The faults of a run, with what was seen.
pub struct Verdict {
    pub faults: Vec<(Fault, String)>,
    pub is_proved: bool,
    /// Of the processor.
    pub elapsed: Duration,
}

/// Solves `problem` as `task` says, on one thread, and compares with the truth; on three threads as well if
/// `threads_too`.
pub fn judge(problem: &Problem, truth: &Enumeration, task: &Task, threads_too: bool) -> Verdict {
    let run = timed(problem, task, 1);
    let mut faults = Vec::new();
    if run.elapsed > LONGEST {
        faults.push((Fault::Slow, format!("{:?}", run.elapsed)));
    }
    let mut is_proved = false;
    match &run.outcome {
        Err(message) => faults.push((Fault::Panic, message.clone())),
        Ok(Err(error)) => faults.push((Fault::Refusal, error.to_string())),
        Ok(Ok(recovery)) => {
            is_proved = recovery.optimality.is_proved();
            faults.extend(wrong_claims(problem, truth, recovery));
            faults.extend(wrong_certificate(&recovery.x.to_dense(), &recovery.certificate));
            if threads_too && let Some(difference) = difference(recovery, &timed(problem, task, 3).outcome) {
                faults.push((Fault::ThreadsDiffer, difference));
            }
        }
    }
    Verdict { faults, is_proved, elapsed: run.elapsed }
}

/// What a run gave, or the words of its panic.
type Outcome = Result<birkhoff::Result<Recovery>, String>;

struct Run {
    outcome: Outcome,
    elapsed: Duration,
}

/// One run, interrupted when it takes too long.
fn timed(problem: &Problem, task: &Task, threads: usize) -> Run {
    let interrupt = Arc::new(AtomicBool::new(false));
    let limits = Limits::default().with_interrupt(interrupt.clone());
    let began = ProcessTime::now();
    let solve = || pool(threads).install(|| task.run(problem, &limits));
    let (ended, has_ended) = channel::<()>();
    let outcome = std::thread::scope(|scope| {
        scope.spawn(move || {
            if has_ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                interrupt.store(true, Ordering::Relaxed);
                if has_ended.recv_timeout(HANGS) == Err(RecvTimeoutError::Timeout) {
                    eprintln!("a run does not end\n{problem:?}\n{task:?}");
                    std::process::abort();
                }
            }
        });
        let outcome = catch_unwind(AssertUnwindSafe(solve));
        drop(ended);
        outcome
    });
    let outcome = outcome.map_err(|panic| message(&*panic));
    Run { outcome, elapsed: began.elapsed() }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without words").to_string()
}

fn pool(threads: usize) -> &'static rayon::ThreadPool {
    static POOLS: OnceLock<[rayon::ThreadPool; 2]> = OnceLock::new();
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    &POOLS.get_or_init(|| [pool(1), pool(3)])[usize::from(threads > 1)]
}

/// Everything said of the permutation and the optimum that is not so.
pub fn wrong_claims(problem: &Problem, truth: &Enumeration, recovery: &Recovery) -> Vec<(Fault, String)> {
    let (p, optimality) = (&recovery.permutation, &recovery.optimality);
    let mut found = Vec::new();
    let mut say = |fault| found.push((fault, format!("p {:?}, {optimality:?}", p.image())));
    if p.len() != problem.size() || problem.anchors.iter().any(|&(i, j)| p.apply(i) != j) {
        say(Fault::LostAnchor);
        return found;
    }
    let (value, rounding) = (truth.value(p.image()), truth.rounding(p.image()));
    let slack = Exact::of(rounding);
    if value > truth.optimum {
        if optimality.is_proved() {
            say(Fault::FalseProof);
        }
        let by_rounding = value <= truth.optimum.plus(&slack);
        say(if by_rounding { Fault::MissedByRounding } else { Fault::MissedOptimum });
    } else if !optimality.is_proved() {
        say(Fault::Unproved);
    }
    let is_near = |number: f64| {
        let number = Exact::of(number);
        number <= value.plus(&slack) && value <= number.plus(&slack)
    };
    let gap = optimality.value - optimality.lower_bound;
    if !optimality.value.is_finite() || !is_near(optimality.value) || gap < 0.0 || optimality.gap != gap {
        say(Fault::WrongValue);
    }
    if optimality.lower_bound.is_nan() || optimality.lower_bound == f64::INFINITY {
        say(Fault::BoundAboveOptimum);
    } else if optimality.lower_bound.is_finite() {
        let bound = Exact::of(optimality.lower_bound);
        // What meets the value is off by as much as the value is.
        let highest = if optimality.is_proved() { truth.optimum.plus(&slack) } else { truth.optimum.clone() };
        if bound > highest {
            say(Fault::BoundAboveOptimum);
        }
    }
    // A sum of squares is not negative.
    if problem.form == Form::Matching && problem.linear.is_none() && optimality.lower_bound < 0.0 {
        say(Fault::BoundBelowTrivial);
    }
    found
}

/// T1 to T3, and T6 where X has only the rows and columns that are not padded, by trying all permutations.
pub fn wrong_certificate(x: &DMatrix<f64>, certificate: &Certificate) -> Option<(Fault, String)> {
    let n = x.nrows().max(x.ncols());
    let norm = x.lp_norm(1);
    fn inside(p: &[usize], (rows, columns): (usize, usize)) -> impl Iterator<Item = (usize, usize)> + '_ {
        p.iter().take(rows).copied().enumerate().filter(move |&(_, j)| j < columns)
    }
    let distance =
        |p: &[usize]| norm + inside(p, x.shape()).map(|pair| (x[pair] - 1.0).abs() - x[pair].abs()).sum::<f64>();
    let kept = |p: &[usize]| inside(p, x.shape()).map(|pair| x[pair]).sum::<f64>();
    let are_alike = |p: &[usize], q: &[usize]| inside(p, x.shape()).eq(inside(q, x.shape()));
    let claimed = certificate.permutation.as_ref().map(Permutation::image);
    let claimed_kept = claimed.map(kept);
    let (mut nearest, mut is_best) = (f64::INFINITY, true);
    for_each_permutation(n, &[], &mut |p| {
        nearest = nearest.min(distance(p));
        is_best &=
            claimed_kept.is_none_or(|most| kept(p) < most + ROUNDING || claimed.is_some_and(|q| are_alike(p, q)));
    });
    let holds = certificate.distance_at_least <= nearest + ROUNDING
        && certificate.distance_at_most.is_none_or(|most| nearest <= most + ROUNDING)
        && certificate.is_certified() == claimed.is_some()
        && is_best;
    (!holds).then(|| (Fault::FalseCertificate, format!("distance {nearest}, {certificate:?}")))
}

/// What two runs of one task disagree on.
fn difference(one: &Recovery, other: &Outcome) -> Option<String> {
    let Ok(Ok(other)) = other else { return Some("one of them failed".to_string()) };
    let numbers = |r: &Recovery| [r.optimality.value, r.optimality.lower_bound].map(f64::to_bits);
    let same = one.permutation == other.permutation
        && numbers(one) == numbers(other)
        && one.x == other.x
        && (one.iterations, one.lap_calls, one.winner) == (other.iterations, other.lap_calls, other.winner);
    (!same).then(|| format!("{:?} and {:?}", one.optimality, other.optimality))
}
