"""The admin API held against its own description by schemathesis, with an admin's token, on a running recorder."""

import pathlib
import re
import subprocess

from processes import started

SECONDS_MAX = 120
EXAMPLES = 40


def run(binary, folder):
    """True if schemathesis finds nothing."""
    root = pathlib.Path(__file__).resolve().parents[2]
    tool = root / "target" / "outside" / "schemathesis" / "bin" / "schemathesis"
    folder = folder / "api"
    folder.mkdir()
    command = [binary, "demo", "--calls", "50", "--out", folder / "demo", "--stay"]
    with started("demo", command, r"the console is (http://\S+)", folder) as (_, console):
        make = [binary, "token", "create", "--role", "admin", "--name", "schemathesis"]
        make += ["--config", folder / "demo" / "darklaunch.toml"]
        token = subprocess.run(make, capture_output=True, text=True, timeout=SECONDS_MAX, check=True).stdout.strip()
        parts = [tool, "run", f"{console}/api/v1/openapi.json", "--seed", "1", "--max-examples", str(EXAMPLES)]
        parts += ["--header", f"Authorization: Bearer {token}"]
        parts += ["--no-color", "--generation-database", "none"]
        told = subprocess.run(parts, capture_output=True, text=True, timeout=SECONDS_MAX, cwd=folder, check=False)
    held = told.returncode == 0 and re.search(r"\d+ generated", told.stdout) is not None
    print("PASS the API is as it describes itself" if held else f"FAIL the API: {told.stdout}{told.stderr}")
    return [held]
