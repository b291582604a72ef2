"""What a run leaves: a row for each solve (CSV), a table of medians and ratios (Markdown), a manifest (JSON)."""

import csv
import hashlib
import json
import math
import os
import statistics
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

COLUMNS = {
    "case": "name of the case",
    "instance": "name of the instance",
    "n": "vertices, or rows of the matrix",
    "contestant": "who solved it, and how",
    "threads": "threads that a process may use",
    "repeat": "number of the round, from 1; 0 where the process did not start",
    "status": "ok, or why there is no answer",
    "cpu_s": "CPU seconds of all threads, of one solve (of one step in the case growth)",
    "wall_s": "wall-clock seconds of the same",
    "steps": "Frank-Wolfe steps made",
    "lap_calls": "assignments solved",
    "value": "|AX - XB|^2, or the QAP's or the assignment's cost; computed by score.py",
    "edge_correctness": "fraction of A's edges kept",
    "node_correctness": "fraction of vertices matched with their true partner",
    "peak_mib": "largest resident set of the process until then, MiB, data included",
    "note": "what the solver tells",
}


@contextmanager
def atomically(path):
    """A file to write that gets its name when all is written, and stays under a temporary one otherwise."""
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "w", newline="") as file:
        yield file
    os.replace(temporary, path)


@contextmanager
def row_writer(path):
    """A function that writes a row; what is written stays in the temporary file if the run is cut short."""
    with atomically(path) as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()

        def write(row):
            writer.writerow(row)
            file.flush()

        yield write


def median(rows, column):
    values = [row[column] for row in rows if row["status"] == "ok" and row.get(column) is not None]
    return statistics.median(values) if values else None


def shown(value, form="{:.3g}"):
    """A number for people: three digits, no exponent where it can be helped."""
    if value is None:
        return ""
    if form == "{:.3g}" and abs(value) >= 1000:
        return f"{value:.0f}"
    return form.format(value)


def race_lines(rows, reference):
    """The table of one race: the contestants in their order; ratios are to the first."""
    yield "| | CPU s | wall s | CPU / ours | wall / ours | steps | value | edges | nodes | solves |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    names = list(dict.fromkeys(row["contestant"] for row in rows))
    ours = {}
    for name in names:
        mine = [row for row in rows if row["contestant"] == name]
        medians = {column: median(mine, column) for column in ("cpu_s", "wall_s", "steps", "value")}
        medians |= {column: median(mine, column) for column in ("edge_correctness", "node_correctness")}
        ours = ours or medians
        ratios = [ratio(medians[column], ours[column]) for column in ("cpu_s", "wall_s")]
        solved = sum(row["status"] == "ok" for row in mine)
        trouble = [row["status"] for row in mine if row["status"] != "ok"]
        cells = [shown(medians["cpu_s"]), shown(medians["wall_s"]), *(shown(r, "{:.2f}") for r in ratios)]
        cells += [shown(medians["steps"], "{:.0f}"), shown(medians["value"], "{:.10g}")]
        cells += [shown(medians[column], "{:.3f}") for column in ("edge_correctness", "node_correctness")]
        yield f"| {name} | " + " | ".join(cells) + f" | {', '.join([str(solved), *trouble])} |"
    if reference:
        cells = [shown(reference["value"], "{:.10g}")]
        cells += [shown(reference.get(column), "{:.3f}") for column in ("edge_correctness", "node_correctness")]
        yield "| *truth, or best known* | | | | | | " + " | ".join(cells) + " | |"


def ratio(theirs, ours):
    return theirs / ours if theirs is not None and ours else None


def race_table(rows, reference):
    """Heading and table of one race."""
    first = rows[0]
    heading = f"### {first['case']}: {first['instance']} (n = {first['n']}), {threads_shown(first['threads'])}"
    return "\n".join([heading, "", *race_lines(rows, reference), *notes(rows), ""])


def threads_shown(threads):
    return "1 thread" if threads == 1 else f"{threads} threads"


def notes(rows):
    """The notes of the first round, and the largest peak memory of each contestant."""
    for name, mine in groupby(sorted(rows, key=lambda row: row["contestant"]), key=lambda row: row["contestant"]):
        mine = list(mine)
        peaks = [row["peak_mib"] for row in mine if row.get("peak_mib")]
        told = next((row["note"] for row in mine if row.get("note")), None)
        parts = ([told] if told else []) + ([f"peak {max(peaks):.0f} MiB"] if peaks else [])
        if parts:
            yield f"\n{name}: {'; '.join(parts)}."


def growth_lines(rows):
    """For each kind and number of threads the exponent e of time = c n^e, fitted by least squares in log-log scale."""
    rows = [row for row in rows if row["case"] == "growth" and row["status"] == "ok"]
    kind = lambda row: (row["contestant"], row["threads"])
    for (contestant, threads), group in groupby(sorted(rows, key=kind), key=kind):
        group = list(group)
        sizes = sorted({row["n"] for row in group})
        if len(sizes) < 2:
            continue
        for column in ("cpu_s", "wall_s"):
            times = [median([row for row in group if row["n"] == n], column) for n in sizes]
            points = ", ".join(f"{n}: {shown(time)}" for n, time in zip(sizes, times))
            yield f"- {contestant}, {threads_shown(threads)}, {column}: exponent {exponent(sizes, times):.2f} ({points})"


def exponent(sizes, times):
    x, y = [math.log(n) for n in sizes], [math.log(time) for time in times]
    return statistics.linear_regression(x, y).slope


def write_text(path, text):
    with atomically(Path(path)) as file:
        file.write(text)


def write_manifest(folder, facts):
    """The facts of the run, the meaning of the columns, and the sha256 of the files beside it."""
    sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("peers.csv", "table.md")}
    text = json.dumps(facts | {"columns": COLUMNS, "sha256": sums}, indent=2, ensure_ascii=False)
    write_text(folder / "manifest.json", text + "\n")
