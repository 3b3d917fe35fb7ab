"""A provider that stands still for a minute, called through a cap that is too small and through one that is not. It takes
its minute, so it runs beside the other stories."""

import concurrent.futures
import contextlib
import http.server
import json
import subprocess
import threading
import time

import requests

from processes import started, tell

STALL_S = 60
GOOD_CALLS, STALLED_CALLS = 400, 110
# Other stories run at the same time.
LATE_S = 60


def begin(binary, folder):
    """Tells the story on a thread of its own; whether it held is known later."""
    beside = concurrent.futures.ThreadPoolExecutor(1)
    told = beside.submit(lambda: [tell("stall: a cap hides what a provider does, and that is said", story, binary, folder)])
    beside.shutdown(wait=False)
    return told


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers at once, or when the stall is over."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.server.stalls:
            self.server.over.wait(STALL_S * 2)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    stalls = False

    def handle_error(self, *_):
        """A recorder that ends closes its connections."""


@contextlib.contextmanager
def serving():
    server = Server(("127.0.0.1", 0), Provider)
    server.over = threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()


def integration(name, primary, shadow, more):
    return f"""[integrations.{name}]
match.path_prefix = "/{name}/"
primary.url = "http://127.0.0.1:{primary}"
shadow.url = "http://127.0.0.1:{shadow}"
shadow.read_timeout = "150s"
shadow.total_timeout = "150s"
mirror.enabled = true
mirror.sample = "100%"
review.owner = "team"
{more}
"""


def story(binary, folder):
    folder = folder / "stall"
    folder.mkdir()
    with serving() as today, serving() as new:
        config = folder / "darklaunch.toml"
        config.write_text(f"""[listen]
traffic = "127.0.0.1:0"
console = "127.0.0.1:0"
[store]
path = "stall.db"
""" + integration("narrow", today.server_port, new.server_port, "mirror.in_flight = 2\nmirror.queue = 2")
            + integration("wide", today.server_port, new.server_port, "mirror.in_flight = 256"))
        pattern = r"traffic on http://(\S+)\n.*console on http://(\S+)\n"
        with started("stall", [binary, "run"], pattern, folder, cwd=folder) as (_, traffic, _):
            truth_s = called(f"http://{traffic}", new)
            ask = Asked(binary, folder)
            ask.drill()
            wide = ask.review("wide", GOOD_CALLS + STALLED_CALLS)
            narrow = ask.review("narrow", GOOD_CALLS // 2)
            p99_s = {name: ask.p99_s(name) for name in ("wide", "narrow")}
    truth_s.sort()
    true_p99_s = truth_s[-(-len(truth_s) * 99 // 100) - 1]
    assert true_p99_s > STALL_S * 0.9, true_p99_s
    # Its own delay is that of a machine with other work.
    assert wide["recorder_honest"]["found"].startswith("0 calls left out"), wide["recorder_honest"]
    assert abs(p99_s["wide"] - true_p99_s) < 3, (p99_s, true_p99_s)
    # What the small cap let through shows nothing of it, and the review does not take it for the truth.
    assert p99_s["narrow"] * 20 < true_p99_s, (p99_s, true_p99_s)
    honest = narrow["recorder_honest"]
    assert honest["verdict"] == "cannot_say" and "mirror.in_flight" in honest["next"], honest
    assert any("whatever was left out" in line for line in honest["details"]), honest


def called(traffic, new):
    """Calls both integrations, before and while the provider stands still; how long each answer of it took, seconds."""
    session, began = requests.Session(), []

    def call(name, number):
        assert session.get(f"{traffic}/{name}/things/{number}", timeout=30).status_code == 200

    for number in range(GOOD_CALLS):
        call("wide", number)
        call("narrow", number)
        # The new provider has answered both before the next come: a cap of two is enough for it.
        time.sleep(0.01)
    new.stalls, end = True, time.monotonic() + STALL_S
    for number in range(STALLED_CALLS):
        began.append(time.monotonic())
        call("wide", number)
        call("narrow", number)
        time.sleep(max(0.0, began[0] + (number + 1) * STALL_S / STALLED_CALLS - time.monotonic()))
    time.sleep(max(0.0, end - time.monotonic()))
    new.stalls = False
    new.over.set()
    over = time.monotonic()
    return [0.0] * GOOD_CALLS + [over - at for at in began]


class Asked:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder

    def ask(self, *words):
        line = [str(self.binary), *words]
        return subprocess.run(line, cwd=self.folder, capture_output=True, text=True, check=False)

    def drill(self):
        """Stopped and started again once: the review asks for it."""
        for words in (["stop", "narrow"], ["enable", "narrow"]):
            told = self.ask(*words, "--reason", "drill")
            assert told.returncode == 0, told.stdout + told.stderr

    def review(self, name, calls):
        """The checks, once so many calls are in the file."""
        until = time.monotonic() + LATE_S
        while True:
            told = self.ask("review", name, "--output", "json")
            review = json.loads(told.stdout) if told.stdout else {"endpoints": []}
            if sum(one["calls"] for one in review["endpoints"]) >= calls:
                return {one["name"]: one for one in review["checks"]}
            assert time.monotonic() < until, told.stdout + told.stderr
            time.sleep(0.5)

    def p99_s(self, name):
        told = json.loads(self.ask("latency", name, "--output", "json").stdout)
        (shadow,) = [one for one in told["sections"] if one["role"] == "shadow"]
        (p99,) = [one for one in shadow["success"]["percentiles"] if one["name"] == "p99"]
        return p99["value_us"] / 1e6
