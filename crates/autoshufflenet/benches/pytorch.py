#!/usr/bin/env python3
"""Training images/s of the manual ShuffleNet v2: autoshufflenet and PyTorch from Python, in turn, on the same threads.

    pip install torch==2.11.0 torchvision==0.26.0        # in an environment of its own
    cargo build --release -p autoshufflenet
    python crates/autoshufflenet/benches/pytorch.py --width 1 --threads 2 --rounds 5

Each round runs both, one after the other, each for some steps after one that does not count; the table has medians over the
rounds, and the median of the rounds' ratios. Both compute on 32 x 32 images with a stride-1 stem, batch 128, SGD with momentum and weight decay;
channels-last, which PyTorch is often faster in, is a contestant of its own. Processor seconds are less disturbed by other programs.
"""
import argparse
import csv
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]


def torch_worker(width, threads, steps, channels_last):
    """Prints median seconds and median processor seconds of a step."""
    import torch
    from torchvision.models import shufflenet_v2_x0_5, shufflenet_v2_x1_0

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = {0.5: shufflenet_v2_x0_5, 1.0: shufflenet_v2_x1_0}[width](num_classes=10)
    model.conv1[0].stride = (1, 1)
    model.maxpool = torch.nn.Identity()
    images, labels = torch.randn(128, 3, 32, 32), torch.randint(0, 10, (128,))
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, weight_decay=4e-5)
    times = []
    for _ in range(steps + 1):
        begun, processor = time.perf_counter(), time.process_time()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
        times.append((time.perf_counter() - begun, time.process_time() - processor))
    print(*(statistics.median(column) for column in zip(*times[1:])))


def ours(width, threads, steps, program):
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "bench.csv"
        command = [program, "bench", "--manual-only", "--width", str(width), "--threads", str(threads)]
        subprocess.run([*command, "--rounds", str(steps), "--output", table], check=True, stdout=subprocess.DEVNULL)
        row = next(csv.DictReader(open(table)))
        return 128 / float(row["images_per_second"]), float(row["cpu_seconds"])


def theirs(width, threads, steps, channels_last):
    command = [sys.executable, "-W", "ignore", __file__, "--worker", "--width", str(width), "--threads", str(threads)]
    command += ["--steps", str(steps)] + ["--channels-last"] * channels_last
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return tuple(float(number) for number in said.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=float, default=1.0, choices=[0.5, 1.0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--program", default=str(ROOT / "target/release/autoshufflenet"))
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--channels-last", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    width, threads, steps = options.width, options.threads, options.steps
    if options.worker:
        return torch_worker(width, threads, steps, options.channels_last)
    contestants = {
        "autoshufflenet": lambda: ours(width, threads, steps, options.program),
        "PyTorch": lambda: theirs(width, threads, steps, False),
        "PyTorch, channels last": lambda: theirs(width, threads, steps, True),
    }
    times = {name: [] for name in contestants}
    for _ in range(options.rounds):
        for name, run in contestants.items():
            times[name].append(run())
    print("network                 images/s  time / ours  processor time / ours")
    for name, rounds in times.items():
        rate = 128 / statistics.median(seconds for seconds, _ in rounds)
        ratios = [[theirs[k] / ours[k] for theirs, ours in zip(rounds, times["autoshufflenet"])] for k in (0, 1)]
        print(f"{name:22}  {rate:8.1f}  {statistics.median(ratios[0]):11.3f}  {statistics.median(ratios[1]):.3f}")


if __name__ == "__main__":
    main()
