#!/usr/bin/env python3
"""Two connectomes aligned by acdc-search (Lee, Matsliah and Saul 2026) and by us, from the same start, in one run.

    graph_matching generate connectome --output-dir pair
    python3 benches/connectome.py pair [--iterations 5] [--time-limit SECONDS] [--output runs/connectome]

FOLDER has a.csv, b.csv (From,To,Weight), start.csv and truth.csv (two columns of names). Each contestant is a process
of its own with one thread; seconds are CPU seconds and memory is the most that was resident, reading and starting
included. Answers are judged by one function, from the files. Standard output gets the table; runs/connectome/ gets it
too, with a manifest.
"""

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))

import environments  # noqa: E402

ROOT = environments.ROOT
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")

ACDC = """
import csv, sys
import numpy as np, scipy.sparse as sp
from acdc import acdc_match, matrix_to_perm
folder, iterations, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def table(name):
    with open(f"{folder}/{name}", newline="") as file:
        rows = list(csv.reader(file))
    return rows[1:]
arcs = {side: table(f"{side}.csv") for side in "ab"}
start = table("start.csv")
names = {"a": [i for i, _ in start], "b": sorted({j for _, j in start})}
places = {side: {name: place for place, name in enumerate(names[side])} for side in "ab"}
def graph(side):
    at = places[side]
    ends = np.array([[at[i], at[k]] for i, k, _ in arcs[side]])
    return sp.csr_matrix((np.array([float(row[2]) for row in arcs[side]]), ends.T), shape=(len(at), len(at)))
a, b = graph("a"), graph("b")
arcs.clear()
p0 = np.array([places["b"][j] for _, j in start])
p = matrix_to_perm(acdc_match(a, b, P0=p0, max_iter=iterations))
with open(out, "w") as file:
    file.write("a,b\\n" + "".join(f"{names['a'][i]},{names['b'][j]}\\n" for i, j in enumerate(p)))
"""


def rows(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))[1:]


class Judge:
    """Σ min(w, w') over the arcs of A and those that a matching takes them to."""

    def __init__(self, folder):
        self.a = [(i, k, float(weight)) for i, k, weight in rows(folder / "a.csv")]
        self.b = {(j, l): float(weight) for j, l, weight in rows(folder / "b.csv")}
        self.truth = dict(rows(folder / "truth.csv"))

    def __call__(self, path):
        match = dict(rows(path))
        if len(set(match.values())) != len(match):
            raise ValueError(f"{path} matches a vertex twice")
        overlap = sum(min(weight, self.b.get((match[i], match[k]), 0.0)) for i, k, weight in self.a)
        right = sum(match[i] == j for i, j in self.truth.items())
        return overlap, right / len(self.truth)


def measured(command):
    """CPU seconds and the most resident MB of a command."""
    child = subprocess.Popen(command, env={**os.environ, **ONE_THREAD}, stdout=sys.stderr)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError(f"{command[0]} ended with status {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--iterations", type=int, default=5, help="of acdc-search (%(default)s, its default)")
    parser.add_argument("--time-limit", type=float, help="seconds for us")
    parser.add_argument("--output", type=Path, default=ROOT / "runs/connectome", help="%(default)s")
    parser.add_argument("--contestants", default="birkhoff,acdc-search", help="%(default)s")
    chosen = parser.parse_args()
    python = environments.prepare_environment("acdc")
    subprocess.run(["cargo", "build", "--release", "--bin", "graph_matching"], cwd=ROOT, check=True)
    ours = ROOT / "target/release/graph_matching"
    lines = ["| | overlap | vertices right | CPU s | MB |", "| --- | --- | --- | --- | --- |"]
    with tempfile.TemporaryDirectory() as folder:
        answers = {name: Path(folder) / f"{name}.csv" for name in chosen.contestants.split(",")}
        graphs = [str(chosen.folder / "a.csv"), str(chosen.folder / "b.csv")]
        limit = ["--time-limit", str(chosen.time_limit)] if chosen.time_limit else []
        goal = ["--directed", "--objective", "overlap", "--start-match", str(chosen.folder / "start.csv")]
        commands = {
            "birkhoff": [str(ours), "match", *graphs, *goal, *limit, "--threads", "1", "--output"],
            "acdc-search": [str(python), "-c", ACDC, str(chosen.folder), str(chosen.iterations)],
        }
        used = {name: measured([*commands[name], str(answer)]) for name, answer in answers.items()}
        # Not before: a child's memory is never less than what this process had when it was made.
        judge = Judge(chosen.folder)
        for name in ("start", "truth"):
            overlap, right = judge(chosen.folder / f"{name}.csv")
            lines.append(f"| {name} | {overlap:.0f} | {right:.3f} | | |")
        for name, (seconds, memory) in used.items():
            overlap, right = judge(answers[name])
            lines.append(f"| {name} | {overlap:.0f} | {right:.3f} | {seconds:.0f} | {memory:.0f} |")
    chosen.output.mkdir(parents=True, exist_ok=True)
    table = "\n".join(lines) + "\n"
    (chosen.output / "table.md").write_text(table)
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    manifest = {
        "command": sys.argv[1:],
        "cpu": cpu,
        "python": platform.python_version(),
        "peers": environments.versions(python),
    }
    (chosen.output / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(table, end="")


if __name__ == "__main__":
    main()
