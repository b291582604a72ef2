#!/usr/bin/env python3
"""The peers and us, in turn, on the same files, in one run.

    python3 benches/peers.py [--smoke] [--cases faq,lap] [--repeats 5] [--threads 1|all|both]

It makes the peers' virtual environments under .venv-peers/ (pinned versions: benches/peers/requirements-*.txt), builds
examples/peers.rs with optimization, and for every instance lets the contestants take turns: each solves once, then each a
second time, and so on. Every contestant is a process of its own that loads its data first; a time is that of the solve
alone. All is done with one thread for each process, then with as many as the machine has cores. Answers are judged
by one function (benches/peers/score.py), from the files. Ratios are medians over ours.

Standard output gets the tables; runs/peers/ (--output) gets peers.csv (a row a solve), table.md and manifest.json.
What one contestant cannot do is a row that says so.
"""

import argparse
import datetime
import os
import platform
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))

import environments  # noqa: E402
import race as races  # noqa: E402
import report  # noqa: E402
from cases import CASES, Setting  # noqa: E402

ROOT = environments.ROOT


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, one round, one number of threads a case: does all work?")
    parser.add_argument("--cases", default=",".join(CASES), help="some of %(default)s")
    parser.add_argument("--instances", default="", help="only instances whose name contains one of these (a,b,c)")
    parser.add_argument("--repeats", type=int, help="rounds (5; 1 for --smoke); some cases have fewer of their own")
    parser.add_argument("--threads", choices=["1", "all", "both"], default="both", help="%(default)s; see --smoke")
    parser.add_argument("--time-limit", type=float, default=600, help="seconds for one solve (%(default)s)")
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data", help="%(default)s")
    parser.add_argument("--output", type=Path, help="folder for results: runs/peers, or target/peers-smoke")
    chosen = parser.parse_args()
    chosen.cases = chosen.cases.split(",")
    unknown = [name for name in chosen.cases if name not in CASES]
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    chosen.repeats = chosen.repeats or (1 if chosen.smoke else 5)
    chosen.output = chosen.output or ROOT / ("target/peers-smoke" if chosen.smoke else "runs/peers")
    return chosen


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the workers are ended, too
    chosen = arguments()
    began = datetime.datetime.now(datetime.timezone.utc)
    facts = {
        "command": shlex.join(["python3", *sys.argv]),
        "began": began.isoformat(timespec="seconds"),
        "commit": commit(),
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg(),
        "repeats": chosen.repeats,
        "rustc": output_of("rustc", "--version"),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "packages": {},
    }
    commands = prepare(facts)
    chosen.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="birkhoff-peers-") as scratch, open(Path(scratch) / "log", "w+") as log:
        setting = Setting(chosen.data.resolve(), Path(scratch), commands, chosen.smoke, log)
        rows, tables = measure(chosen, setting, facts["cores"])
        log.seek(0)
        print(log.read()[-4000:], file=sys.stderr)
    facts["seconds"] = round((datetime.datetime.now(datetime.timezone.utc) - began).total_seconds())
    facts["load_after"] = os.getloadavg()
    fits = list(report.growth_lines(rows))
    growth = ["### growth: exponents of one step's time in n", "", *fits, ""] if fits else []
    report.write_text(chosen.output / "table.md", "\n".join([heading(facts), *tables, *growth]))
    report.write_manifest(chosen.output, facts)
    print("\n".join([*growth, f"{chosen.output}: peers.csv, table.md, manifest.json ({facts['seconds']} s)"]))


def prepare(facts):
    """How to start each environment's worker; an environment that cannot be made is left out, and said so."""
    commands = {"ours": [str(environments.build_ours())]}
    for name in environments.NAMES:
        try:
            python = environments.prepare_environment(name)
            facts["packages"][name] = environments.versions(python)
            commands[name] = [str(python), str(environments.HERE / "worker.py")]
        except (subprocess.CalledProcessError, OSError) as failure:
            facts["packages"][name] = f"not installed: {failure}"
            print(f"environment {name}: {failure}", file=sys.stderr)
    return commands


def measure(chosen, setting, cores):
    """All races: the rows, and a table for each."""
    rows, tables = [], []
    wanted = [part for part in chosen.instances.split(",") if part]
    with report.row_writer(chosen.output / "peers.csv") as write:
        for case in chosen.cases:
            for race in CASES[case](setting):
                if wanted and not any(part in race.instance for part in wanted):
                    continue
                settings = thread_counts(chosen.threads, race.only_threads, cores)
                for threads in settings[-1:] if chosen.smoke else settings:
                    repeats = min(race.repeats or chosen.repeats, chosen.repeats)
                    mine = []
                    turns = races.run(race, setting.commands, threads, repeats, chosen.time_limit, setting.log)
                    for row in turns:
                        write(row)
                        mine.append(row)
                    rows += mine
                    tables.append(report.race_table(mine, race.score.reference()))
                    print(tables[-1], flush=True)
    return rows, tables


def thread_counts(chosen, only, cores):
    """1, the number of cores, or both; a race that is run with one setting only is not run with another."""
    counts = {"1": [1], "all": [cores], "both": [1, cores]}[chosen]
    allowed = {"1": [1], "all": [cores], None: [1, cores]}[only]
    return [count for count in dict.fromkeys(counts) if count in allowed]


def heading(facts):
    """What table.md begins with: the run, and the versions of the peers."""
    packages = [package for frozen in facts["packages"].values() if isinstance(frozen, list) for package in frozen]
    names = ("scipy", "graspologic", "POT", "pygmtools", "lapjv", "lapx", "numpy")
    versions = ", ".join(dict.fromkeys(p for p in packages if p.split("==")[0] in names))
    load = " to ".join(f"{facts[key][0]:.1f}" for key in ("load_before", "load_after"))
    return (
        "# The peers and us\n\n"
        f"`{facts['command']}`, {facts['began']}, {facts['seconds']} s; commit {facts['commit']}, {facts['rustc']}, "
        f"Python {facts['python']}.\n{facts['cpu']}, {facts['cores']} cores, load {load}. {versions}.\n\n"
        "Medians over the rounds; CPU seconds are those of all threads. Where the load is above the number of cores,\n"
        "wall seconds say little.\n"
    )


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def commit():
    return output_of("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")


def cpu_model():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    main()
