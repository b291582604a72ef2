"""The files that all read alike: pairs of graphs, QAPLIB problems, matrices of costs. Standard library only."""

from array import array
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Pair:
    """Two undirected unweighted graphs on 0..n, and the hidden partner in B of each vertex of A."""

    n: int
    edges_a: list
    edges_b: list
    truth: list


def lines_of(path):
    """The lines of a file without comments and empty ones, split at spaces and commas."""
    for line in Path(path).read_text().splitlines():
        fields = line.split("#")[0].replace(",", " ").split()
        if fields:
            yield fields


def read_edges(path):
    """(number of vertices, edges): `u v` a line, a vertex without edges alone; vertices are 0, 1, ..."""
    vertices, edges = set(), []
    for fields in lines_of(path):
        ends = [int(field) for field in fields]
        if len(ends) > 2:
            raise ValueError(f"{path}: weighted edges are not supported here")
        vertices.update(ends)
        if len(ends) == 2:
            edges.append((min(ends), max(ends)))
    if vertices != set(range(len(vertices))):
        raise ValueError(f"{path}: vertices are not 0..{len(vertices)}")
    return len(vertices), sorted(set(edges))


def read_pair(folder):
    """The graphs and the truth in `folder`."""
    folder = Path(folder)
    n, edges_a = read_edges(folder / "a.edges")
    n_b, edges_b = read_edges(folder / "b.edges")
    if n != n_b:
        raise ValueError(f"{folder}: {n} and {n_b} vertices")
    truth = [None] * n
    for u, v in lines_of(folder / "truth.txt"):
        if u.isdigit():
            truth[int(u)] = int(v)
    return Pair(n, edges_a, edges_b, truth)


def read_qaplib(path):
    """(n, A, B), the matrices as lists of rows."""
    numbers = [float(field) for field in Path(path).read_text().split()]
    n, entries = int(numbers[0]), numbers[1:]
    if len(entries) < 2 * n * n:
        raise ValueError(f"{path}: {len(entries)} entries, not 2 * {n} * {n}")
    rows = [entries[i * n : (i + 1) * n] for i in range(2 * n)]
    return n, rows[:n], rows[n:]


def read_costs(path, n):
    """n * n numbers, row by row."""
    costs = array("d")
    with open(path, "rb") as file:
        costs.fromfile(file, n * n)
    return costs
