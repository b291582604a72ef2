"""What the peers do. Each method takes its job, loads the data, and returns a function that solves, to be timed."""

import numpy as np
from files import read_costs, read_pair, read_qaplib

# SciPy's FAQ wants a positive tolerance; it then ends early only where a step changes nothing at all.
NO_TOLERANCE = 1e-300


def adjacency(n, edges):
    matrix = np.zeros((n, n))
    for i, j in edges:
        matrix[i, j] = matrix[j, i] = 1.0
    return matrix


def load_problem(job):
    """(A, B, maximize): a pair of graphs to match, or a QAPLIB problem to minimize."""
    if "pair" in job:
        pair = read_pair(job["pair"])
        return adjacency(pair.n, pair.edges_a), adjacency(pair.n, pair.edges_b), True
    _, a, b = read_qaplib(job["file"])
    return np.array(a), np.array(b), False


def scipy_faq(job):
    """scipy.optimize.quadratic_assignment(method="faq") from the barycenter."""
    from scipy.optimize import quadratic_assignment

    a, b, maximize = load_problem(job)
    options = {"maximize": maximize, "P0": "barycenter"} | faq_options(job)

    def solve():
        result = quadratic_assignment(a, b, method="faq", options=options)
        return {"permutation": result.col_ind, "steps": result.nit}

    return solve


def faq_options(job):
    """SciPy's defaults, or so many steps."""
    return {"maxiter": job["steps"], "tol": NO_TOLERANCE} if "steps" in job else {}


def scipy_relaxation_faq(job):
    """The convex relaxation, then SciPy's FAQ from its solution."""
    from relaxation import relax
    from scipy.optimize import quadratic_assignment

    a, b, _ = load_problem(job)

    def solve():
        x, steps, gap = relax(a, b, job["relaxation_steps"], job["relaxation_gap"])
        result = quadratic_assignment(a, b, method="faq", options={"maximize": True, "P0": x} | faq_options(job))
        note = f"relaxation {steps} steps, gap {gap:.3g}; FAQ {result.nit} steps"
        return {"permutation": result.col_ind, "steps": steps + result.nit, "note": note}

    return solve


def graspologic_faq(job):
    """graspologic.match.graph_match from the barycenter, on dense matrices or (`sparse`) on csr_arrays."""
    from graspologic.match import graph_match
    from scipy.sparse import csr_array

    a, b, maximize = load_problem(job)
    if job.get("sparse"):
        a, b = csr_array(a), csr_array(b)
    options = {"max_iter": job["steps"], "tol": 0.0} if "steps" in job else {}

    def solve():
        result = graph_match(a, b, maximize=maximize, rng=0, **options)
        permutation = np.empty(len(result.indices_B), dtype=int)
        permutation[result.indices_A] = result.indices_B
        return {"permutation": permutation, "steps": result.misc[0].get("n_iter")}

    return solve


def pot_gromov_wasserstein(job):
    """ot.gromov.gromov_wasserstein with square loss, rounded by the best assignment; -B where A and B are to repel."""
    from ot.gromov import gromov_wasserstein
    from scipy.optimize import linear_sum_assignment

    a, b, maximize = load_problem(job)
    b = b if maximize else -b

    def solve():
        plan = gromov_wasserstein(a, b, loss_fun="square_loss")
        return {"permutation": linear_sum_assignment(plan, maximize=True)[1]}

    return solve


def pygmtools_rrwm(job):
    """pygmtools.rrwm on the n^2 x n^2 affinity (made before the clock starts), rounded by pygmtools.hungarian."""
    import pygmtools

    pygmtools.set_backend("numpy")
    a, b, maximize = load_problem(job)
    n = len(a)
    # Row a*n + i is the pair (i, a): its first graph's vertex runs fastest.
    affinity = np.kron(b, a)
    if not maximize:
        np.subtract(affinity.max(), affinity, out=affinity)

    def solve():
        soft = pygmtools.rrwm(affinity, n, n)
        return {"permutation": pygmtools.hungarian(soft).argmax(axis=1)}

    return solve


def assignment(solve_one):
    """A method that solves the matrices in `files` one after the other, `rounds` times."""

    def method(job):
        n = job["n"]
        costs = [np.array(read_costs(file, n)).reshape(n, n) for file in job["files"]]
        solver = solve_one()

        def solve():
            for _ in range(job["rounds"]):
                for cost in costs:
                    columns = solver(cost)
            return {"permutation": columns, "solves": job["rounds"] * len(costs)}

        return solve

    return method


def scipy_assignment():
    from scipy.optimize import linear_sum_assignment

    return lambda cost: linear_sum_assignment(cost)[1]


def lapx_lapjv():
    import lap

    return lambda cost: lap.lapjv(cost, return_cost=False)[0]


def lapx_lapjvs():
    """As it comes: the search in float32, so that the answer need not be the best in float64."""
    import lap

    return lambda cost: lap.lapjvs(cost, return_cost=False, jvx_like=False)[0]


def lapx_lapjvs_float64():
    import lap

    return lambda cost: lap.lapjvs(cost, return_cost=False, jvx_like=False, prefer_float32=False)[0]


def lapjv_lapjv():
    from lapjv import lapjv

    return lambda cost: lapjv(cost)[0]


METHODS = {
    "scipy-faq": scipy_faq,
    "scipy-relaxation-faq": scipy_relaxation_faq,
    "graspologic-faq": graspologic_faq,
    "pot-gw": pot_gromov_wasserstein,
    "pygmtools-rrwm": pygmtools_rrwm,
    "scipy-lap": assignment(scipy_assignment),
    "lapx-lapjv": assignment(lapx_lapjv),
    "lapx-lapjvs": assignment(lapx_lapjvs),
    "lapx-lapjvs-float64": assignment(lapx_lapjvs_float64),
    "lapjv-lapjv": assignment(lapjv_lapjv),
}
