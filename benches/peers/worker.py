"""A peer's process: `python worker.py JOB` loads the data, then solves once for every line on standard input.

It answers in JSON, a line each: first {"ready": true}, then for every solve its CPU and wall seconds (neither imports
nor files are in them), the permutation, and what else the method tells.
"""

import json
import os
import resource
import sys
import time
import warnings

from methods import METHODS


def measured(solve):
    cpu, wall = time.process_time(), time.perf_counter()
    result = solve()
    result["cpu_s"] = time.process_time() - cpu
    result["wall_s"] = time.perf_counter() - wall
    result["permutation"] = [int(j) for j in result["permutation"]]
    result["steps"] = None if result.get("steps") is None else int(result["steps"])
    result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return result


def main():
    # What a library prints goes to standard error: standard output is for answers only.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    job = json.loads(sys.argv[1])
    solve = METHODS[job["method"]](job)
    print(json.dumps({"ready": True}), file=answers)
    for _ in sys.stdin:
        print(json.dumps(measured(solve)), file=answers)


if __name__ == "__main__":
    main()
