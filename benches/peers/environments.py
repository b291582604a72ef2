"""The peers' virtual environments and our release binary: made once, found again later."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
ENVIRONMENTS = ROOT / ".venv-peers"
NAMES = ("modern", "graspologic")


def prepare_environment(name):
    """The python of environment `name`, installed from its requirements file where that changed; raises if pip fails."""
    folder = ENVIRONMENTS / name
    requirements = HERE / f"requirements-{name}.txt"
    installed = folder / "installed.txt"
    python = folder / "bin" / "python"
    if not (installed.exists() and installed.read_text() == requirements.read_text()):
        print(f"installing {requirements.name} into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        installed.write_text(requirements.read_text())
    return python


def versions(python):
    """What `pip freeze` says of an environment."""
    frozen = subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True)
    return frozen.stdout.split()


def build_ours():
    """Builds `examples/peers.rs` with optimization and returns the program's path."""
    command = ["cargo", "build", "--release", "--example", "peers", "--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "peers":
            return Path(message["executable"])
    raise RuntimeError("cargo built no executable called peers")
