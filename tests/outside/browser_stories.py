"""The console in a real Chromium, against the demo; the pictures stay in the target folder."""

import pathlib
import subprocess

from processes import started

BROWSER_SECONDS_MAX = 240


def run(binary, folder):
    """True for each story that held."""
    root = pathlib.Path(__file__).resolve().parents[2]
    node, pictures = root / "target" / "outside" / "node", root / "target" / "outside" / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    folder = folder / "browser"
    folder.mkdir()
    demo = folder / "demo"
    command = [binary, "demo", "--calls", "1500", "--out", demo, "--stay"]
    with started("demo", command, r"calls go through (http://\S+) and the console is (http://\S+)", folder) as (_, traffic, console):
        script = pathlib.Path(__file__).with_name("browser.mjs")
        parts = ["node", script, node, console, traffic, pathlib.Path(binary).resolve(), demo, pictures]
        told = subprocess.run(parts, capture_output=True, text=True, timeout=BROWSER_SECONDS_MAX, check=False)
    print(told.stdout, end="")
    if told.returncode != 0:
        print(f"FAIL browser: {told.stderr}")
        return [False]
    return [line.startswith("PASS ") for line in told.stdout.splitlines() if line[:5] in ("PASS ", "FAIL ")]
