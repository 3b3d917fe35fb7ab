"""Processes of the stories, each ended on the way out, and how a story is told."""

import contextlib
import re
import signal
import subprocess
import sys
import time
import traceback

# Each process binds a port that the system chooses, on loopback only, and says which.
ANY_PORT = "127.0.0.1:0"
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 15


def wait_for(pattern, log_path, process, name):
    """The groups of a line of the log: wait for the fact, with a limit."""
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until:
        if found := re.search(pattern, log_path.read_text(errors="replace"), re.DOTALL):
            return found.groups()
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with code {process.returncode} before it listened")
        time.sleep(0.05)
    raise RuntimeError(f"{name} did not listen within {START_SECONDS_MAX} s")


@contextlib.contextmanager
def started(name, command, pattern, folder, **more):
    """A process, ended on the way out: its log and the groups of `pattern` in it, which say where it listens."""
    log_path = folder / f"{name}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, **more)
    try:
        yield log_path, *wait_for(pattern, log_path, process, name)
    except RuntimeError:
        print(log_path.read_text(errors="replace"), file=sys.stderr)
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def place(address):
    host, _, port = address.rpartition(":")
    return host, int(port)


def tell(name, story, *parts):
    """Runs one story; True if it held."""
    try:
        story(*parts)
    except Exception:  # a story that breaks is a failed story, and the next one still runs
        print(f"FAIL {name}")
        traceback.print_exc(file=sys.stdout)
        return False
    print(f"PASS {name}")
    return True
