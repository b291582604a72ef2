"""A race: several contestants on the same files, each in a process of its own, taking turns."""

import json
import os
import queue
import subprocess
import threading
from dataclasses import dataclass

THREAD_VARIABLES = ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")


@dataclass
class Contestant:
    """A name for the table, the environment ("ours", "modern", "graspologic"), and the worker's job."""

    name: str
    environment: str
    job: dict
    repeats: int = None  # None: as many as the race has


@dataclass
class Race:
    """One instance and who solves it. `score` judges permutations."""

    case: str
    instance: str
    n: int
    contestants: list
    score: object
    repeats: int = None  # None: as many as the command line says
    only_threads: str = None  # "1" or "all": the race is run with this setting only


class Failure(Exception):
    """A worker that did not answer as it should; the message is the row's status."""


class Worker:
    """The process of a contestant."""

    def __init__(self, contestant, commands, threads, time_limit, log):
        if contestant.environment not in commands:
            raise Failure("not installed")
        command = commands[contestant.environment] + [json.dumps(contestant.job)]
        environment = os.environ | {f"{name}_NUM_THREADS": str(threads) for name in THREAD_VARIABLES}
        self.time_limit = time_limit
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        self.answers = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put(None)

    def answer(self):
        try:
            line = self.answers.get(timeout=self.time_limit)
        except queue.Empty:
            self.close()
            raise Failure(f"over {self.time_limit} s") from None
        if line is None:
            raise Failure(f"failed with exit code {self.process.wait()}")
        return json.loads(line)

    def solve(self):
        """One turn."""
        try:
            self.process.stdin.write("solve\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failure(f"failed with exit code {self.process.wait()}") from None
        return self.answer()

    def close(self):
        self.process.kill()
        self.process.wait()


def run_worker(contestant, commands, log):
    """A job that answers once, such as writing an instance."""
    worker = Worker(contestant, commands, 1, 600, log)
    try:
        return worker.answer()
    finally:
        worker.close()


def run(race, commands, threads, repeats, time_limit, log):
    """Yields a row for each turn: in every round, each contestant that is still able solves once.

    A contestant that cannot start, fails or takes too long gets one row that says so, and the race goes on.
    """
    workers = {}
    facts = {"case": race.case, "instance": race.instance, "n": race.n, "threads": threads}

    def lost(contestant, repeat, failure):
        worker = workers.pop(contestant.name, None)
        if worker:
            worker.close()
        return facts | {"contestant": contestant.name, "repeat": repeat, "status": str(failure)}

    try:
        for contestant in race.contestants:
            try:
                workers[contestant.name] = Worker(contestant, commands, threads, time_limit, log)
                workers[contestant.name].answer()
            except Failure as failure:
                yield lost(contestant, 0, failure)
        for repeat in range(1, repeats + 1):
            for contestant in race.contestants:
                if contestant.name not in workers or repeat > (contestant.repeats or repeats):
                    continue
                try:
                    answer = workers[contestant.name].solve()
                    yield facts | {"contestant": contestant.name, "repeat": repeat} | row(answer, race.score)
                except (Failure, ValueError) as failure:
                    yield lost(contestant, repeat, failure)
    finally:
        for worker in workers.values():
            worker.close()


def row(answer, score):
    """What an answer tells, judged by `score`; times are those of one solve."""
    solves = answer.pop("solves", 1)
    times = {key: answer.pop(key) / solves for key in ("cpu_s", "wall_s")}
    return {"status": "ok"} | times | score(answer.pop("permutation")) | answer
