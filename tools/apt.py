"""Installs Debian's packages, where that is possible."""

import os
import shutil
import subprocess
from collections.abc import Sequence


def install(packages: Sequence[str], seconds: float) -> str:
    """Install packages with apt; what went wrong, or "" when nothing did.

    Each of its two steps may take so many seconds.
    """
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "only root can install it here, and only with apt"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        try:
            done = subprocess.run(
                ["apt-get", "-qq", *step],
                capture_output=True,
                text=True,
                timeout=seconds,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"apt-get {step[0]} did not end within {seconds} s"
        if done.returncode:
            return f"apt-get {step[0]} failed: {done.stderr.strip()[-500:]}"
    return ""
