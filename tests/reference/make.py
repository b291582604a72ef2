"""Makes faq.csv, assignment.csv and relaxation.csv, which tests/reference.rs compares with.

    python3 -m venv env && env/bin/pip install -r requirements.txt && env/bin/python make.py

No data travel: matrices are made by the formula `entry`, here and in Rust, in whole numbers modulo a prime.
"""

import platform
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import linear_sum_assignment, minimize, quadratic_assignment

HERE = Path(__file__).parent
PRIME = 10007


def residue(k, i, j):
    """A whole number in 0..PRIME that looks random, the same in Python and in Rust."""
    x = (k * 7919 + i * 104729 + j * 1299709 + i * j * 15485863 + 12345) % PRIME
    x = x * x * x % PRIME
    return (x * 4391 + i * 31 + j * 17 + k) % PRIME


def matrix(kind, k, n):
    """kind: dense, binary or directed; k: number of the matrix."""
    w = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            a, b = (i, j) if kind == "directed" else (min(i, j), max(i, j))
            r = residue(k, a, b)
            w[i, j] = float(r % 3 == 0) if kind == "binary" else float(r % 100) - 20.0
    return w


def truth(k, n):
    """i -> the rank of residue(k, i, i): a permutation that is not the identity."""
    keys = [(residue(k, i, i), i) for i in range(n)]
    return np.argsort([i for _, i in sorted(keys)])


def noisy(kind, k, n, every):
    """matrix(kind, k) renumbered by the truth, with one pair in `every` replaced by that of another matrix."""
    w, other, p = matrix(kind, k, n), matrix(kind, k + 1, n), truth(k, n)
    for i in range(n):
        for j in range(n):
            a, b = (i, j) if kind == "directed" else (min(i, j), max(i, j))
            if residue(k + 2, a, b) % every == 0:
                w[i, j] = other[i, j]
    b = np.zeros((n, n))
    b[np.ix_(p, p)] = w
    return b


def header(what):
    versions = f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}"
    return f"# {what}\n# Made by tests/reference/make.py with {versions}: env/bin/python make.py\n"


def faq():
    lines = ["kind,k,n,every,maximize,iterations,value"]
    for kind in ("dense", "binary", "directed"):
        for n in (8, 15, 25):
            for every in (5, 20):
                for maximize in (True, False):
                    k = 10 * n + every
                    a, b = matrix(kind, k, n), noisy(kind, k, n, every)
                    options = {"maximize": maximize, "maxiter": 30, "tol": 1e-300, "P0": "barycenter", "shuffle_input": False}
                    result = quadratic_assignment(a, b, method="faq", options=options)
                    lines.append(f"{kind},{k},{n},{every},{int(maximize)},{result.nit},{result.fun!r}".replace("np.float64(", "").replace(")", ""))
    text = header("SciPy's FAQ, 30 iterations from the barycenter: tr(A^T P B P^T) at its answer.")
    (HERE / "faq.csv").write_text(text + "\n".join(lines) + "\n")


def assignment():
    lines = ["kind,k,rows,columns,value"]
    for kind in ("dense", "binary", "directed"):
        for rows, columns in ((1, 1), (5, 5), (40, 40), (7, 12), (30, 9)):
            k = rows + 100 * columns
            cost = matrix(kind, k, max(rows, columns))[:rows, :columns]
            chosen = linear_sum_assignment(cost)
            lines.append(f"{kind},{k},{rows},{columns},{float(cost[chosen].sum())!r}")
    text = header("scipy.optimize.linear_sum_assignment: the least sum of the upper left rows x columns of a matrix.")
    (HERE / "assignment.csv").write_text(text + "\n".join(lines) + "\n")


def relaxation():
    """min |AX - XB|^2 over doubly stochastic X, by SLSQP, with a proof: the Frank-Wolfe gap at its answer."""
    lines = ["kind,k,n,every,value,gap"]
    for kind in ("dense", "binary", "directed"):
        for n in (3, 4, 5, 6):
            k, every = 500 + n, 4
            scale = 0.01 if kind != "binary" else 1.0
            a, b = matrix(kind, k, n) * scale, noisy(kind, k, n, every) * scale

            def value(x):
                x = x.reshape(n, n)
                return ((a @ x - x @ b) ** 2).sum()

            def gradient(x):
                x = x.reshape(n, n)
                r = a @ x - x @ b
                return (2.0 * (a.T @ r - r @ b.T)).ravel()

            sums = np.array([np.kron(np.eye(n)[i], np.ones(n)) for i in range(n)])
            sums = np.vstack([sums, [np.kron(np.ones(n), np.eye(n)[j]) for j in range(n - 1)]])
            best = None
            starts = [np.full((n, n), 1.0 / n), 0.5 * np.eye(n) + 0.5 / n]
            for start in starts:
                found = minimize(
                    value, start.ravel(), jac=gradient, method="SLSQP", bounds=[(0.0, 1.0)] * (n * n),
                    constraints={"type": "eq", "fun": lambda x: sums @ x - 1.0, "jac": lambda x: sums},
                    options={"ftol": 1e-16, "maxiter": 2000},
                )
                g = gradient(found.x).reshape(n, n)
                gap = float((g * found.x.reshape(n, n)).sum() - g[linear_sum_assignment(g)].sum())
                if best is None or gap < best[1]:
                    best = (float(found.fun), gap)
            assert best[1] < 1e-6, (kind, n, best)
            lines.append(f"{kind},{k},{n},{every},{best[0]!r},{best[1]!r}")
    text = header("The convex relaxation by SLSQP: its value, and the Frank-Wolfe gap there, which bounds its error.")
    (HERE / "relaxation.csv").write_text(text + "\n".join(lines) + "\n")


if __name__ == "__main__":
    faq()
    assignment()
    relaxation()
