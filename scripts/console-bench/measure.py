"""Measures a console on the database in a folder: how fast its pages come, what readers cost the users, how fast a stop is.

Usage: measure.py FOLDER SECONDS STOPS   (run by scripts/console-bench/run)

The readers run on the machine of the recorder, where those of real browsers do not: they wait for idle cores, and a
control in the same run has them fetch as many bytes as often from another small server.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

TOOL = "target/bench/tool/release/dl-bench"
RECORDER = os.environ.get("DARKLAUNCH_BINARY", "target/release/darklaunch")
PAGES = ["/", "/integrations/payments", "/recordings", "/findings", "/history"]
ASKED = 50
READERS = 20
RATE = 500
ROUNDS = 5
STOP_RATE = 2_000
HANGING = 200

CONFIG = """[listen]
traffic = "127.0.0.1:0"
console = "127.0.0.1:0"
console_anyone_may = "start"

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
shadow.total_timeout = "60s"
shadow.read_timeout = "60s"
mirror.enabled = true
mirror.in_flight = 400
mirror.queue = 400
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
def upstream(*more, before=()):
    port, control = free_port(), free_port()
    where = ["--listen", f"127.0.0.1:{port}", "--control", f"127.0.0.1:{control}"]
    with process([*before, TOOL, "upstream", *where, *more]):
        yield port, control


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


def ask(port, path, method="GET", body=None, more=None):
    """Milliseconds, bytes (heads included) and body of one answer over a connection of its own."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"} if body else {}
    headers |= more or {}
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    read = answer.read()
    took = (time.perf_counter() - began) * 1_000
    connection.close()
    assert answer.status < 400, (path, answer.status, read[:300])
    return took, len(read) + len(str(answer.headers)), read


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def first_pages(folder, primary, shadow):
    print("page                      first   median      p99    bytes   (ms; the first one as soon as the recorder is up)")
    for path in PAGES:
        with recorder(folder, primary, shadow) as (_, console):
            taken = [ask(console, path) for _ in range(1 + ASKED)]
        whole = "" if b'data-being-read' not in taken[0][2] else "  the first one without the review"
        first, rest = taken[0][0], [took for took, *_ in taken[1:]]
        size = max(size for _, size, _ in taken)
        figures = (first, percentile(rest, 0.5), percentile(rest, 0.99))
        print(f"{path:<24}" + "".join(f"{one:>8.1f} " for one in figures) + f"{size:>8}{whole}")


def sizes(folder, primary, shadow):
    """What a browser is sent, heads included, once the review is read."""
    print("\nbytes over the wire, packed as a browser asks for it, and unpacked")
    with recorder(folder, primary, shadow) as (_, console):
        recording = None
        for path in [*PAGES, "/recordings/{}", "/style.css", "/app.js", "/api/v1/status"]:
            if "{}" in path:
                recording = re.search(rb"/recordings/([0-9a-f-]{36})", ask(console, "/recordings")[2])
                if recording is None:
                    continue
                path = path.format(recording[1].decode())
            while b"data-being-read" in ask(console, path)[2]:
                time.sleep(0.2)
            (_, packed, _), (_, whole, _) = ask(console, path, more={"Accept-Encoding": "gzip"}), ask(console, path)
            shown = "/recordings/…" if recording and path.startswith("/recordings/") else path
            print(f"{shown:<24}{packed:>9}{whole:>9}")


def load(traffic, seconds):
    command = [TOOL, "load", "--server", f"127.0.0.1:{traffic}", "--rate", str(RATE), "--seconds", str(seconds)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def read_for_ever(port, paths):
    """Twenty people who reload twice a second, on idle cores only."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

    def read(n):
        time.sleep(0.5 * n / READERS)
        while True:
            ask(port, paths[n % len(paths)])
            time.sleep(0.5)

    threads = [threading.Thread(target=read, args=[n]) for n in range(READERS)]
    for one in threads:
        one.start()


@contextlib.contextmanager
def readers(port, paths):
    with process([sys.executable, __file__, "--read", str(port), *paths]):
        time.sleep(1)
        yield


def users(folder, primary, shadow, seconds):
    print(f"\nusers' latency at {RATE} calls/s, in turns: nobody reads, {READERS} read the console twice a second, and they "
          "read as much from another server")
    found = {"none": [], "console": [], "control": []}
    with recorder(folder, primary, shadow) as (traffic, console), upstream(before=["chrt", "-i", "0"]) as (other, _):
        paths = PAGES[:2]
        same = [f"/answers/{ask(console, path)[1]}/page" for path in paths]
        for _ in range(ROUNDS):
            found["none"].append(load(traffic, seconds))
            with readers(console, paths):
                found["console"].append(load(traffic, seconds))
            with readers(other, same):
                found["control"].append(load(traffic, seconds))
    for name in ("p50_us", "p99_us"):
        none, beside, control = (percentile([one[name] for one in of], 0.5) for of in found.values())
        print(f"{name}: nobody {none}, console {beside}, control {control}; console/control {beside / control:.2f}, "
              f"console/nobody {beside / none:.2f} (medians of {ROUNDS})")
    print("every p99_us:", {kind: [one["p99_us"] for one in of] for kind, of in found.items()})
    print(f"failed calls: {sum(one['failed'] for of in found.values() for one in of)}")


def stops(folder, clicks):
    """From the click to the last byte that left for the new provider, and to the last of the hanging calls cut off."""
    bytes_ms, cuts_ms = [], []
    with (upstream() as (primary, _), upstream("--hang", "/hang") as (shadow, control),
          recorder(folder, primary, shadow) as (traffic, console)):
        command = [TOOL, "load", "--server", f"127.0.0.1:{traffic}", "--rate", str(STOP_RATE), "--seconds", "3600"]
        def told():
            while True:
                # The control port gives up on whom a busy machine keeps from asking for 20 ms.
                with contextlib.suppress(AssertionError, OSError):
                    return json.loads(ask(control, "/counts")[2])

        with process(command, stdout=subprocess.DEVNULL):
            for _ in range(clicks):
                # Whatever state an earlier run left.
                ask(console, "/api/v1/integrations/payments/start", "POST", json.dumps({"reason": "next click"}))
                # What is shed for want of room is sent again.
                while (missing := HANGING - (now := told())["hanging"]) > 0:
                    for n in range(missing):
                        ask(traffic, f"/hang/{n}")
                    time.sleep(0.2)
                while told()["answered"] == now["answered"]:
                    time.sleep(0.01)
                click = time.time() * 1e6
                ask(console, "/integrations/payments/stop", "POST")
                while told()["hanging"] > 0:
                    time.sleep(0.01)
                time.sleep(0.2)
                now = told()
                bytes_ms.append(max(0.0, (now["last_byte_unix_us"] - click) / 1e3))
                cuts_ms.append((now["last_close_unix_us"] - click) / 1e3)
    print(f"\na click with {HANGING} hanging calls and {STOP_RATE} calls/s beside them, {clicks} times (ms)")
    for what, found in (("last byte to the new provider", bytes_ms), ("last hanging call cut off", cuts_ms)):
        print(f"{what:<32} median {percentile(found, 0.5):.1f}, p99 {percentile(found, 0.99):.1f}, worst {max(found):.1f}")


def main():
    if sys.argv[1] == "--read":
        return read_for_ever(int(sys.argv[2]), sys.argv[3:])
    folder, seconds, clicks = pathlib.Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    if seconds > 0:
        with upstream() as (primary, _), upstream() as (shadow, _):
            first_pages(folder, primary, shadow)
            sizes(folder, primary, shadow)
            users(folder, primary, shadow, seconds)
    elif clicks == 0:
        # Nobody is called.
        sizes(folder, 9, 9)
    if clicks > 0:
        stops(folder, clicks)


main()
