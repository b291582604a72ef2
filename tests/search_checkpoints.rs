//! A search without matrices that is cut short, and goes on from what was kept of it.

use birkhoff::assignment::NONE;
use birkhoff::checkpoint::{Keeper, Part, Task};
use birkhoff::instance::{noisy_erdos_renyi, rng};
use birkhoff::io::CheckpointFile;
use birkhoff::objective::GraphMatching;
use birkhoff::penalty::Penalty;
use birkhoff::recovery::{AttemptKind, Settings, recover_within};
use birkhoff::solver::Limits;
use birkhoff::sparse::{Answer, Layers, Options, search};
use birkhoff::{Affinity, Error, Graph, Result, SparseMatrix, Stop};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// Keeps parts in memory, and ends the search once it has so many.
struct Memory {
    task: Mutex<Option<Task>>,
    parts: Mutex<Vec<Part>>,
    most: usize,
    is_full: Arc<AtomicBool>,
}

impl Memory {
    fn of(parts: &[Part], most: usize) -> Arc<Self> {
        let is_full = Arc::new(AtomicBool::new(most == 0));
        Arc::new(Memory { task: Mutex::new(None), parts: Mutex::new(parts.to_vec()), most, is_full })
    }

    fn parts(&self) -> Vec<Part> {
        self.parts.lock().unwrap().clone()
    }
}

impl Keeper for Memory {
    fn begin(&self, task: Task) -> Result<Vec<Part>> {
        *self.task.lock().unwrap() = Some(task);
        Ok(self.parts())
    }

    fn keep(&self, part: &Part) {
        let mut parts = self.parts.lock().unwrap();
        assert!(parts.len() < self.most, "what was cut short is not kept");
        parts.push(part.clone());
        self.is_full.store(parts.len() == self.most, Ordering::SeqCst);
    }

    fn end(&self) {}

    fn refuse(&self, cause: String) -> Error {
        Error::file("memory", cause)
    }
}

/// A pair with an anchor and hidden edges whose search has parts of all kinds: a noisy one, where reheating and
/// repeating bring something, but not too much.
static PROBLEM: LazyLock<(Layers, Options, Vec<Part>)> = LazyLock::new(|| {
    let options = Options::default().with_hold_out(0.05);
    let drawn = |number| {
        let pair = noisy_erdos_renyi(N, 4.0, 0.2, &mut rng(12, number)).unwrap();
        let layers = Layers::new(vec![(pair.a, pair.b)], &[(3, pair.truth.apply(3))]).unwrap();
        let all = Memory::of(&[], usize::MAX);
        made(&layers, &options, &all).unwrap();
        (layers, options.clone(), all.parts())
    };
    let is_rich = |(_, _, parts): &(Layers, Options, Vec<Part>)| {
        let firsts = parts.iter().filter(|part| part.first.is_some()).count();
        firsts >= 4 && (5..10).contains(&(parts.len() - firsts))
    };
    (0..20).map(drawn).find(is_rich).expect("some search has many parts")
});

const N: usize = 160;

fn made(layers: &Layers, options: &Options, keeper: &Arc<Memory>) -> Result<Answer> {
    let limits = Limits::default().with_interrupt(keeper.is_full.clone()).with_keeper(keeper.clone());
    search(layers, options, &limits)
}

fn assert_same(found: &Answer, whole: &Answer, when: &str) {
    let of = |answer: &Answer| (answer.value.to_bits(), answer.recall.to_bits(), answer.steps, answer.held_out);
    assert_eq!(of(found), of(whole), "{when}");
    assert!(found.partners == whole.partners && found.x == whole.x, "{when}");
}

#[test]
fn a_search_that_ends_after_any_part_goes_on_to_the_answer_of_one_in_one_go() {
    let (layers, options, parts) = &*PROBLEM;
    let whole = search(layers, options, &Limits::default()).unwrap();
    for most in 0..parts.len() {
        let cut = Memory::of(&[], most);
        let answer = made(layers, options, &cut).unwrap();
        assert_eq!(answer.partners.iter().flatten().count(), N, "cut after {most}");
        assert!(cut.parts() == parts[..most], "cut after {most}");
        // On other threads.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1 + most % 3).build().unwrap();
        let rest = Memory::of(&cut.parts(), usize::MAX);
        assert_same(&pool.install(|| made(layers, options, &rest)).unwrap(), &whole, &format!("after {most}"));
        assert!(rest.parts() == *parts, "after {most}");
    }
}

#[test]
fn a_search_that_is_cut_short_again_and_again_gets_on_and_one_that_is_done_needs_no_time() {
    let (layers, options, all) = &*PROBLEM;
    let whole = search(layers, options, &Limits::default()).unwrap();
    let (mut parts, mut runs) = (vec![], 0);
    loop {
        let keeper = Memory::of(&parts, parts.len() + 2);
        let answer = made(layers, options, &keeper).unwrap();
        runs += 1;
        if keeper.parts().len() < parts.len() + 2 {
            assert_same(&answer, &whole, "in the end");
            break;
        }
        parts = keeper.parts();
    }
    assert!(runs > 4, "{runs}");
    let keeper = Memory::of(all, usize::MAX);
    let limits = Limits::default().with_stop(Stop::when(|| true)).with_keeper(keeper);
    assert_same(&search(layers, options, &limits).unwrap(), &whole, "stopped at once");
}

#[test]
fn whatever_decides_the_answer_is_in_the_task() {
    let (layers, options, _) = &*PROBLEM;
    let task = |layers: &Layers, options: Options| {
        let keeper = Memory::of(&[], 0);
        made(layers, &options, &keeper).unwrap();
        keeper.task.lock().unwrap().take().unwrap()
    };
    let known = task(layers, options.clone());
    assert_eq!(task(layers, options.clone()), known);
    for other in [
        options.clone().with_hold_out(0.04),
        options.clone().with_repeats(false),
        options.clone().with_rng_seed(1),
        options.clone().with_penalty(Penalty::Frobenius),
        options.clone().with_start_match(vec![Some(0)]),
    ] {
        assert_ne!(task(layers, other.clone()), known, "{other:?}");
    }
    let graph = |weight: f64| Graph::undirected(4, [(0, 1, 1.0), (1, 2, weight)]).unwrap();
    let pairs = |pairs: &[(f64, f64)], anchors: &[(usize, usize)]| {
        let layers = pairs.iter().map(|&(a, b)| (graph(a), graph(b))).collect();
        task(&Layers::new(layers, anchors).unwrap(), options.clone())
    };
    let tasks = [
        pairs(&[(1.0, 1.0)], &[]),
        pairs(&[(1.0, 2.0)], &[]),
        pairs(&[(2.0, 1.0)], &[]),
        pairs(&[(1.0, 1.0)], &[(0, 1)]),
        pairs(&[(1.0, 1.0), (1.0, 1.0)], &[]),
        pairs(&[(1.0, 1.0), (1.0, 2.0)], &[]),
    ];
    let overlap = Layers::with_affinity(Affinity::Minimum, vec![(graph(1.0), graph(1.0))], &[]).unwrap();
    let similar = |s: f64| {
        let s = SparseMatrix::from_entries((4, 4), [(0, 1, s)]).unwrap();
        let layers = Layers::new(vec![(graph(1.0), graph(1.0))], &[]).unwrap().with_similarity(&s).unwrap();
        task(&layers, options.clone())
    };
    let tasks = [&tasks[..], &[task(&overlap, options.clone()), similar(1.0), similar(2.0)]].concat();
    for (k, one) in tasks.iter().enumerate() {
        assert!(tasks[..k].iter().all(|other| other != one), "{k}");
    }
}

#[test]
fn parts_that_somebody_else_wrote_are_refused_by_their_number() {
    let (layers, options, parts) = &*PROBLEM;
    let anchor = parts[0].partners[3];
    let further = parts.iter().position(|part| part.first.is_none()).unwrap();
    let refused = |number: usize, change: &dyn Fn(&mut Part), cause: &str| {
        let mut changed = parts.clone();
        change(&mut changed[number]);
        let message = made(layers, options, &Memory::of(&changed, usize::MAX)).unwrap_err().to_string();
        assert_eq!(message, format!("memory: part {}: {cause}", number + 1));
    };
    refused(0, &|part| part.partners.truncate(159), "has 159 partners for 160 vertices");
    refused(0, &|part| part.partners[7] = 160, "vertex 7 of A has a partner that is no vertex of B");
    refused(1, &|part| part.partners[7] = NONE, "leaves vertices of both graphs without a partner");
    let twice = format!("two vertices of A have the partner {anchor}");
    refused(0, &|part| part.partners[7] = anchor, &twice);
    refused(0, &|part| part.partners.swap(3, 7), "vertex 3 of A has another partner than its anchor");
    refused(0, &|part| part.partners[3] = NONE, "vertex 3 of A has a partner that is no vertex of B");
    refused(2, &|part| part.steps = u64::MAX, &format!("{} steps and a gain of {} cannot be", u64::MAX, parts[2].gain));
    refused(0, &|part| part.first = None, "is of a further path, but a first one is due");
    refused(further, &|part| part.first = parts[0].first.clone(), "is of a first path, but a further one is due");
    refused(0, &|part| part.first.as_mut().unwrap().recall = 1.5, "a recall of 1.5 cannot be");
    let narrow = SparseMatrix::from_rows((N, 159), || (), |(), _, _| {});
    refused(0, &|part| part.first.as_mut().unwrap().x = narrow.clone(), "X is of shape (160, 159)");
    let more = [&parts[..], &parts[..1]].concat();
    let message = made(layers, options, &Memory::of(&more, usize::MAX)).unwrap_err().to_string();
    assert_eq!(message, "memory: has 1 parts more than the search");
}

#[test]
fn a_file_keeps_a_recovery_and_searches_with_matrices_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("search.checkpoint");
    let pair = noisy_erdos_renyi(400, 6.0, 0.1, &mut rng(13, 0)).unwrap();
    let f = GraphMatching::new(pair.a, pair.b).unwrap();
    let kept = |settings: &Settings| {
        let file = Arc::new(CheckpointFile::open(&path, "1").unwrap());
        let recovery = recover_within(&f, settings, &Limits::default().with_keeper(file.clone()));
        file.result().unwrap();
        recovery.map(|recovery| (recovery, file.part_counts()))
    };
    let settings = Settings::default();
    let whole = recover_within(&f, &settings, &Limits::default()).unwrap();
    assert_eq!(whole.attempts[0].kind, AttemptKind::Sparse);
    let (first, (before, all)) = kept(&settings).unwrap();
    assert!(before == 0 && all > 0);
    let (second, counts) = kept(&settings).unwrap();
    assert_eq!(counts, (all, all));
    for recovery in [first, second] {
        assert_eq!(recovery.permutation, whole.permutation);
        assert_eq!(format!("{:?}", recovery.certificate), format!("{:?}", whole.certificate));
        assert_eq!((recovery.iterations, recovery.lap_calls), (whole.iterations, whole.lap_calls));
    }
    let message = kept(&settings.clone().with_rng_seed(7)).unwrap_err().to_string();
    assert!(message.ends_with("is of another search: its rng_seed is '0', and not 7"), "{message}");
    let dense = settings.with_engine(birkhoff::recovery::Engine::Dense);
    let message = kept(&dense).unwrap_err().to_string();
    assert_eq!(message, "checkpoint: keeps the sparse search, which these graphs and settings are not for");
}
