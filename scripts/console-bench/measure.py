"""Measures a console on the database in a folder: how fast its pages come, and what readers cost the users.

Usage: measure.py FOLDER SECONDS   (run by scripts/console-bench/run)
       measure.py --stops          (reads `cut off after ..` lines of the stop's story)
"""

import contextlib
import http.client
import json
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

TOOL = "target/bench/tool/release/dl-bench"
RECORDER = "target/release/darklaunch"
PAGES = ["/", "/integrations/payments", "/recordings", "/findings", "/history"]
ASKED = 50
READERS = 20
RATE = 500
ROUNDS = 3

CONFIG = """[listen]
traffic = "127.0.0.1:0"
console = "127.0.0.1:0"

[store]
path = "darklaunch.db"
max_age = "3650d"
max_size = "100GiB"

[log]
level = "error"

[integrations.payments]
match.path_prefix = "/"
primary.url = "http://127.0.0.1:{primary}"
shadow.url = "http://127.0.0.1:{shadow}"
mirror.enabled = true
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def process(command, **more):
    running = subprocess.Popen(command, **more)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(30)


@contextlib.contextmanager
def upstream():
    port, control = free_port(), free_port()
    with process([TOOL, "upstream", "--listen", f"127.0.0.1:{port}", "--control", f"127.0.0.1:{control}"]):
        yield port


@contextlib.contextmanager
def recorder(folder, primary, shadow):
    (folder / "darklaunch.toml").write_text(CONFIG.format(primary=primary, shadow=shadow))
    binary = pathlib.Path(RECORDER).resolve()
    with process([binary, "run"], cwd=folder, stderr=subprocess.PIPE, text=True) as running:
        found = {}
        for line in running.stderr:
            match = re.match(r"(traffic|console) on http://127.0.0.1:(\d+)", line)
            if match:
                found[match[1]] = int(match[2])
            if len(found) == 2:
                break
        threading.Thread(target=running.stderr.read, daemon=True).start()
        yield found["traffic"], found["console"]


def page(console, path):
    """Milliseconds and bytes of one page over a connection of its own, heads included."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", console, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    took = (time.perf_counter() - began) * 1_000
    connection.close()
    assert answer.status == 200, (path, answer.status)
    return took, len(body) + len(str(answer.headers))


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def first_pages(folder, primary, shadow):
    print("page                      first   median      p99    bytes   (ms; the first one after the start)")
    for path in PAGES:
        with recorder(folder, primary, shadow) as (_, console):
            taken = [page(console, path) for _ in range(1 + ASKED)]
        first, rest = taken[0][0], [took for took, _ in taken[1:]]
        size = max(size for _, size in taken)
        figures = (first, percentile(rest, 0.5), percentile(rest, 0.99))
        print(f"{path:<24}" + "".join(f"{one:>8.1f} " for one in figures) + f"{size:>8}")


def load(traffic, seconds):
    command = [TOOL, "load", "--server", f"127.0.0.1:{traffic}", "--rate", str(RATE), "--seconds", str(seconds)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


@contextlib.contextmanager
def readers(console):
    """Twenty people who reload as fast as the page comes, every one twice a second at most."""
    stop = threading.Event()

    def read(n):
        while not stop.is_set():
            page(console, PAGES[n % 2])
            stop.wait(0.5)

    threads = [threading.Thread(target=read, args=[n], daemon=True) for n in range(READERS)]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        stop.set()
        for one in threads:
            one.join(30)


def users(folder, primary, shadow, seconds):
    print(f"\nusers' latency at {RATE} calls/s, {READERS} readers that refresh against none, in turns")
    quiet, watched = [], []
    with recorder(folder, primary, shadow) as (traffic, console):
        for _ in range(ROUNDS):
            quiet.append(load(traffic, seconds))
            with readers(console):
                watched.append(load(traffic, seconds))
    for name in ("p50_us", "p99_us"):
        without, beside = (percentile([one[name] for one in all_], 0.5) for all_ in (quiet, watched))
        print(f"{name}: without {without}, with readers {beside}, ratio {beside / without:.2f} (medians of {ROUNDS})")
    failed = sum(one["failed"] for one in quiet + watched)
    print(f"failed calls: {failed}")


def stops():
    unit = {"ms": 1.0, "s": 1_000.0, "µs": 0.001}
    found = [float(one) * unit[kind] for one, kind in re.findall(r"cut off after ([\d.]+)(ms|µs|s)", sys.stdin.read())]
    assert found, "no stop was measured"
    median, p99 = percentile(found, 0.5), percentile(found, 0.99)
    print(f"\nfrom the click to the last of 200 hanging calls cut off, 2 000 calls/s beside: {len(found)} clicks, "
          f"median {median:.0f} ms, p99 {p99:.0f} ms, worst {max(found):.0f} ms")


def main():
    if sys.argv[1:] == ["--stops"]:
        return stops()
    folder, seconds = pathlib.Path(sys.argv[1]), float(sys.argv[2])
    with upstream() as primary, upstream() as shadow:
        first_pages(folder, primary, shadow)
        users(folder, primary, shadow, seconds)


main()
