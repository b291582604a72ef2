"""The cases: what is solved, by whom, with which settings. Each is a function from the setting to its races."""

from dataclasses import dataclass
from pathlib import Path
from race import Contestant, Race, run_worker
from score import CostScore, PairScore, QapScore

# The relaxation of the honest baseline ends after so many steps or at a gap of 1e-3 |A||B|/n. It needs its 1000 steps;
# SciPy's take minutes (19 in 20 of them in linear_sum_assignment), so that they are made once, and 100 in five rounds.
CONVERGED = {"relaxation_steps": 1000, "relaxation_gap": 1e-3}
SHORT = {"relaxation_steps": 100, "relaxation_gap": 1e-3}


@dataclass
class Setting:
    """Where data is, where instances are written, how to start our program, and whether sizes shall be tiny."""

    data: Path
    scratch: Path
    commands: dict
    smoke: bool
    log: object

    def pair(self, name):
        """A pair of the shared data."""
        return self.data / "pairs" / name

    def generate(self, job):
        run_worker(Contestant("generate", "ours", job), self.commands, self.log)

    def random_pair(self, folder_name, rng_seed, **model):
        """A pair written by our library, from a fixed seed."""
        folder = self.scratch / folder_name
        if not folder.exists():
            folder.mkdir(parents=True)
            self.generate({"kind": "generate-pair", "pair": str(folder), "model": model, "rng_seed": rng_seed})
        return folder

    def correlated(self, n, p, rho):
        return self.random_pair(f"er-{n}-p{p}-rho{rho}", 1, name="correlated", n=n, p=p, rho=rho)

    def sparse_copy(self, n):
        """A random graph of mean degree 8, and a copy that lost 5 % of its edges."""
        return self.random_pair(f"sparse-{n}", 2, name="copy", n=n, degree=8.0, removed=0.05)


def ours(folder, name="birkhoff", **settings):
    return Contestant(name, "ours", {"kind": "match", "pair": str(folder), "settings": settings})


def peer(name, method, environment="modern", **job):
    return Contestant(name, environment, {"method": method} | job)


def race_on(case, folder, contestants, **options):
    score = PairScore(folder)
    return Race(case, folder.name, score.pair.n, contestants, score, **options)


def faq(setting):
    """FAQ from the barycenter, tolerances off, the same number of steps for all."""
    instances = [(lambda: setting.sparse_copy(100), 30)]
    if not setting.smoke:
        instances = [
            (lambda: setting.correlated(1000, 0.5, 0.9), 30),
            (lambda: setting.pair("arenas-10"), 30),
            (lambda: setting.sparse_copy(3000), 10),
        ]
    for instance, steps in instances:
        folder = instance()
        pair = {"pair": str(folder), "steps": steps}
        same = {"method": "faq", "relaxation_steps": steps, "relaxation_gap": 0.0}
        contestants = [
            ours(folder, "birkhoff faq", polish=False, **same),
            ours(folder, "birkhoff faq, swap descent", **same),
            peer("scipy faq", "scipy-faq", **pair),
            peer("graspologic, dense matrices", "graspologic-faq", "graspologic", **pair),
            peer("graspologic, sparse matrices", "graspologic-faq", "graspologic", sparse=True, **pair),
        ]
        contestants[3].repeats = 1  # the slowest by far
        if folder.name.startswith("er-"):
            contestants.pop(4)
        if folder.name == "sparse-3000":
            contestants.pop(3)  # over five minutes
        yield race_on("faq", folder, contestants)


REAL_PAIRS = ["netscience-10", "celegans-10", "yeast-25", "netscience-20", "highschool-80", "arenas-10"]


def real_pairs(setting):
    return [setting.sparse_copy(100)] if setting.smoke else map(setting.pair, REAL_PAIRS)


def answer(setting):
    """To the answer: our default method at its default effort and as a single path, a short relaxation then FAQ, and plain FAQ as it comes.

    Ours polish by swaps, and our FAQ may make as many steps as the relaxation; SciPy's FAQ has its defaults (30, 0.03).
    """
    for folder in real_pairs(setting):
        contestants = [
            ours(folder, "birkhoff penalized"),
            ours(folder, "birkhoff penalized, quick", effort="quick"),
            ours(folder, "birkhoff relaxation (100 steps), faq", method="relaxation-faq", **SHORT),
            peer("scipy relaxation (100 steps), faq", "scipy-relaxation-faq", pair=str(folder), **SHORT),
            peer("scipy faq", "scipy-faq", pair=str(folder)),
        ]
        yield race_on("answer", folder, contestants)


def converged(setting):
    """The same with the relaxation's 1000 steps, once and with one thread."""
    for folder in real_pairs(setting):
        contestants = [
            ours(folder, "birkhoff penalized"),
            ours(folder, "birkhoff relaxation (1000 steps), faq", method="relaxation-faq", **CONVERGED),
            peer("scipy relaxation (1000 steps), faq", "scipy-relaxation-faq", pair=str(folder), **CONVERGED),
        ]
        yield race_on("converged", folder, contestants, repeats=1, only_threads="1")


SLOW_METHODS = ["projected-gradient", "projected-gradient-exact", "sinkhorn"]


def pairs(setting):
    """Every method of ours and the peers' on every real pair, once and with one thread; slow ones up to 500 vertices.

    No polish but that of our default method.
    """
    folders = [setting.sparse_copy(100)] if setting.smoke else sorted((setting.data / "pairs").iterdir())
    for folder in folders:
        race = race_on("pairs", folder, [], repeats=1, only_threads="1")
        methods = ["relaxation", "faq", "relaxation-faq"] + (SLOW_METHODS if race.n <= 500 else [])
        race.contestants += [ours(folder, "birkhoff penalized"), ours(folder, "birkhoff penalized, quick", effort="quick")]
        race.contestants += [ours(folder, f"birkhoff {method}", method=method, polish=False) for method in methods]
        race.contestants += [
            peer("scipy relaxation (100 steps), faq", "scipy-relaxation-faq", pair=str(folder), **SHORT),
            peer("scipy faq", "scipy-faq", pair=str(folder)),
            peer("graspologic faq, sparse matrices", "graspologic-faq", "graspologic", pair=str(folder), sparse=True),
        ]
        yield race


def dense(setting):
    """Correlated Erdős-Rényi graphs where FAQ finds nothing: our default method against SciPy's FAQ as it comes."""
    folder = setting.correlated(100 if setting.smoke else 1000, 0.5, 0.8)
    contestants = [ours(folder, "birkhoff penalized"), peer("scipy faq", "scipy-faq", pair=str(folder))]
    yield race_on("dense", folder, contestants)


ASSIGNMENT_PEERS = {
    "scipy": "scipy-lap",
    "lapx lapjv": "lapx-lapjv",
    "lapx lapjvs (float32, its default)": "lapx-lapjvs",
    "lapx lapjvs (float64)": "lapx-lapjvs-float64",
    "lapjv": "lapjv-lapjv",
}


def assignment_contestants(n, files, rounds):
    job = {"n": n, "files": [str(file) for file in files], "rounds": rounds}
    cold = Contestant("birkhoff cold", "ours", {"kind": "assignment", "warm": False} | job)
    return [cold] + [peer(name, method, **job) for name, method in ASSIGNMENT_PEERS.items()]


def lap(setting):
    """Linear assignment, cold: uniform costs and integers from 1 to 100. Seconds are those of one solve."""
    for integers_to, kind in [(None, "uniform"), (100, "integers")]:
        for n, rounds in [(50, 20)] if setting.smoke else [(100, 200), (1000, 5), (4000, 1)]:
            file = setting.scratch / f"{kind}-{n}.f64"
            job = {"kind": "generate-costs", "file": str(file), "n": n, "integers_to": integers_to, "rng_seed": 3}
            setting.generate(job)
            contestants = assignment_contestants(n, [file], rounds)
            yield Race("lap", file.stem, n, contestants, CostScore(file, n))


def path(setting):
    """Linear assignment along a path: successive gradients of the relaxation; we go on from the last duals."""
    pairs = [setting.pair("netscience-10")]
    if not setting.smoke:
        pairs += [setting.pair("arenas-10"), setting.correlated(1000, 0.5, 0.8)]
    for pair in pairs:
        count = 4 if setting.smoke else 11
        files = [setting.scratch / f"path-{pair.name}-{k}.f64" for k in range(count)]
        names = [str(file) for file in files]
        setting.generate({"kind": "generate-path", "pair": str(pair), "skip": 40, "files": names})
        n = PairScore(pair).pair.n
        warm = {"kind": "assignment", "warm": True, "n": n, "files": names, "rounds": 1}
        # The first problem is what the warm solver comes from: nobody's time has it.
        contestants = [Contestant("birkhoff warm", "ours", warm)] + assignment_contestants(n, files[1:], 1)
        yield Race("path", f"path-{pair.name}", n, contestants, CostScore(files[-1], n))


def growth(setting):
    """The time of one step of the relaxation as n doubles: the mean of 20, after 5 that are not counted."""
    dense_sizes = [50, 100] if setting.smoke else [250, 500, 1000, 2000]
    sparse_sizes = [100, 200] if setting.smoke else [500, 1000, 2000, 4000, 8000]
    folders = [("dense", setting.correlated(n, 0.5, 0.9)) for n in dense_sizes]
    folders += [("sparse", setting.sparse_copy(n)) for n in sparse_sizes]
    settings = {"method": "relaxation", "relaxation_steps": 25, "relaxation_gap": 0.0, "polish": False}
    for kind, folder in folders:
        job = {"kind": "steps", "pair": str(folder), "settings": settings, "skip": 5}
        race = race_on("growth", folder, [Contestant(f"birkhoff, one step, {kind}", "ours", job)], repeats=3)
        yield race


def large(setting):
    """A noisy copy of a sparse graph of 5000 vertices, end to end, once, with all cores; peak memory is in the row."""
    folder = setting.sparse_copy(200 if setting.smoke else 5000)
    yield race_on("large", folder, [ours(folder, "birkhoff penalized")], repeats=1, only_threads="all")


def small(setting):
    """The methods for small graphs, once: n^2 x n^2 affinities (RRWM) and optimal transport (Gromov-Wasserstein)."""

    def everyone(problem, our_job):
        contestants = [Contestant("birkhoff penalized", "ours", our_job)]
        contestants.append(peer("pygmtools rrwm", "pygmtools-rrwm", **problem))
        contestants.append(peer("POT gromov-wasserstein", "pot-gw", **problem))
        return contestants + [peer("scipy faq", "scipy-faq", **problem)]

    for rho in [0.9] if setting.smoke else [0.9, 0.8, 0.7]:
        folder = setting.correlated(40 if setting.smoke else 100, 0.5, rho)
        contestants = everyone({"pair": str(folder)}, ours(folder).job)
        yield race_on("small", folder, contestants, repeats=1, only_threads="1")
    best_known = {"chr12c": 11156, "nug30": 6124, "kra30a": 88900, "tai30a": 1818146, "tai35a": 2422002}
    for name in ["chr12c"] if setting.smoke else best_known:
        file = setting.data / "qaplib" / f"{name}.dat"
        score = QapScore(file, best_known[name])
        contestants = everyone({"file": str(file)}, {"kind": "qap", "file": str(file), "settings": {}})
        yield Race("small", name, score.n, contestants, score, repeats=1, only_threads="1")


CASES = {function.__name__: function for function in (faq, answer, converged, pairs, dense, lap, path, growth, large, small)}
