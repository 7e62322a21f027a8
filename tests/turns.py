"""Which slow tests run: of every ten one, drawn by the commit that is tested, so that all have their turn."""

import hashlib
import os
import subprocess
from pathlib import Path

SHARE = 10


def commit() -> str:
    """The commit that is tested; "" outside a repository, where always the same slow tests run."""
    try:
        asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True)
    except OSError:
        return ""
    return asked.stdout.strip()


def is_drawn(test: str, commit: str) -> bool:
    """Whether this slow test runs for this commit: the same answer on every machine and for every selection."""
    return int(hashlib.sha256(f"{commit} {test}".encode()).hexdigest(), 16) % SHARE == 0


def all_run() -> bool:
    return os.environ.get("CONVSIZE_ALL") == "1"


def said() -> str:
    if all_run():
        return "slow tests: all"
    return f"slow tests: one of {SHARE}, drawn by commit {commit()[:12] or '(none)'}; CONVSIZE_ALL=1 runs all"
