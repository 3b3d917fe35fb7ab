"""Whether darklaunch's own counts agree with each other and with what the shadow counted by itself."""

import json
import subprocess
import time

SETTLE_S = 40


def status(binary, console):
    """The only integration's part of `darklaunch status --output json`."""
    command = [binary, "status", "--output", "json", "--console", f"http://127.0.0.1:{console}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"darklaunch status: {done.stderr.strip()}")
    return json.loads(done.stdout)["integrations"][0]


def counts(one):
    ledger = one["ledger"]
    return {
        "arrived": ledger["arrived"],
        "pending": ledger["pending"],
        "mirrored": sum(ledger["mirrored"].values()),
        "outcomes": {name: count for name, count in ledger["mirrored"].items() if count},
        "not_mirrored": {name: count for name, count in ledger["not_mirrored"].items() if count},
        "adds_up": ledger["adds_up"],
        "recorded": one["recorded"],
        "not_recorded": {name: count for name, count in one["not_recorded"].items() if count},
    }


def settled(binary, console):
    """The counts once nothing is on its way any more, and how long that took in seconds."""
    began = time.monotonic()
    while True:
        now = counts(status(binary, console))
        stored = now["recorded"] + sum(now["not_recorded"].values())
        took = time.monotonic() - began
        if (now["pending"] == 0 and stored >= now["mirrored"]) or took > SETTLE_S:
            return now, took
        time.sleep(0.05)


def violations(now, shadow_received, calls_least, may_lose_rows):
    """What is wrong, a line each. `calls_least` is how many calls certainly arrived."""
    found = []
    not_mirrored = sum(now["not_mirrored"].values())
    if not now["adds_up"] or now["arrived"] != now["mirrored"] + not_mirrored + now["pending"]:
        found.append(f"the ledger does not add up: {now}")
    if now["pending"]:
        found.append(f"{now['pending']} calls are pending {SETTLE_S} s after the load")
    if now["arrived"] < calls_least:
        found.append(f"{calls_least} calls were answered, but only {now['arrived']} arrived")
    # A call that ended without an answer may or may not have reached the shadow.
    unsure = sum(now["outcomes"].get(name, 0) for name in ("network_error", "timeout", "aborted", "unknown"))
    if not now["mirrored"] - unsure <= shadow_received <= now["mirrored"]:
        found.append(f"{now['mirrored']} mirrored ({unsure} of them without an answer), but the shadow counted {shadow_received}")
    lost = sum(now["not_recorded"].values())
    if now["recorded"] + lost != now["mirrored"]:
        found.append(f"{now['mirrored']} taken, but {now['recorded']} recorded and {lost} counted as lost")
    if lost and not may_lose_rows:
        found.append(f"{lost} captures not recorded: {now['not_recorded']}")
    return found
