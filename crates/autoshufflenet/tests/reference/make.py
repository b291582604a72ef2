#!/usr/bin/env python3
"""Writes torchvision.csv: logits of torchvision's ShuffleNet v2 for weights and images that are a formula.

Made with torch 2.11.0 and torchvision 0.26.0 (pip install torch==2.11.0 torchvision==0.26.0):
    python crates/autoshufflenet/tests/reference/make.py
The test `torchvision.rs` fills our networks with the same formula. Double precision, so that the order of sums does not matter.
"""
import csv
import math
import pathlib

import torch
import torchvision
from torchvision.models import shufflenet_v2_x0_5, shufflenet_v2_x1_0, shufflenet_v2_x1_5, shufflenet_v2_x2_0


def hashed(name):
    """The bytes of a name, as a polynomial modulo 2^31 - 1."""
    value = 0
    for byte in name.encode():
        value = (value * 131 + byte) % (2**31 - 1)
    return value


def noise(name, count):
    """Numbers in [-1, 1): a linear congruence of (name, index)."""
    index = torch.arange(count, dtype=torch.int64)
    mixed = (index * 1103515245 + hashed(name) * 12345) % (2**31)
    mixed = (mixed * 69069 + 1) % (2**31)
    return mixed.double() / 2**30 - 1


def fill(name, tensor):
    values = noise(name, tensor.numel()).reshape(tensor.shape)
    if name.endswith("running_var"):
        return 1 + 0.5 * values
    if tensor.dim() == 1 and name.endswith("weight"):
        return 1 + 0.3 * values
    if tensor.dim() == 1:
        return 0.2 * values
    return values * math.sqrt(9 / (tensor.numel() / tensor.shape[0]))


def main():
    rows = []
    makers = {"0.5": shufflenet_v2_x0_5, "1": shufflenet_v2_x1_0, "1.5": shufflenet_v2_x1_5, "2": shufflenet_v2_x2_0}
    for width, maker in makers.items():
        model = maker(num_classes=5).double().eval()
        state = {name: tensor if tensor.dim() == 0 else fill(name, tensor) for name, tensor in model.state_dict().items()}
        model.load_state_dict(state)
        images = 3 * noise("images", 2 * 3 * 64 * 64).reshape(2, 3, 64, 64)
        images[1] += torch.linspace(-3, 3, 64).double()
        with torch.no_grad():
            logits = model(images)
        shapes = hashed(";".join(f"{name} {list(tensor.shape)}" for name, tensor in sorted(state.items())))
        for image in range(2):
            rows.append([width, shapes, image, *(f"{logit:.9f}" for logit in logits[image].tolist())])
    path = pathlib.Path(__file__).with_name("torchvision.csv")
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["width", "shapes", "image", *(f"logit_{index}" for index in range(5))])
        writer.writerows(rows)
    print(torch.__version__, torchvision.__version__, path.read_text(), sep="\n")


if __name__ == "__main__":
    main()
