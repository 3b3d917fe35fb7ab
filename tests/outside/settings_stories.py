"""Settings to paste, given to the clients they are for: each calls a server that never answers, and one whose answer drips
for longer than the timeout, and does what the review says of its timeout."""

import asyncio
import concurrent.futures
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
import zlib

import grpc
import httpx
import numpy
import requests
import yaml

from latency_stories import OK, SHADOW, START_S, TOTAL, encoded, recorded
from processes import tell

NAME = "quick"
PARTS = pathlib.Path(__file__).with_name("settings")
ROOT = pathlib.Path(__file__).resolve().parents[2]
JARS = ["httpclient5", "httpcore5", "httpcore5-h2", "slf4j-api", "okhttp", "okio"]
DRIPS, PAUSE_S = 40, 0.05
# Neither a machine with other work nor a start is a broken promise.
LATE_MS = 4_000


def run(binary, folder):
    """Tells every story; whether each held."""
    place = folder / "settings"
    place.mkdir()
    with slow_server() as server:
        pasted = Pasted(place, binary, server)
        stories = [
            ("Envoy accepts its route and its cluster", envoy_accepts),
            ("gRPC's deadline and attempts are those of the service config", grpc_keeps),
            ("requests ends each wait, and not the whole", requests_ends),
            ("httpx ends each wait, and with the limit the whole", httpx_ends),
            ("Java's clients end what is said of them", java_ends),
            ("axios ends what is said of it", axios_ends),
            ("Go's client ends the whole", go_ends),
            ("reqwest ends an attempt, and tower all of them", tower_ends),
        ]
        return [tell(f"settings: {title}", story, pasted) for title, story in stories]


class Slow(http.server.BaseHTTPRequestHandler):
    """`/never` does not answer; `/drips` sends a byte every now and then, for longer than any timeout here."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/never":
            self.server.asked += 1
            # Until whoever asked is gone.
            with contextlib.suppress(OSError):
                self.rfile.read(1)
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", str(DRIPS))
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(DRIPS):
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(PAUSE_S)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def slow_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    server.asked = 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()


class Pasted:
    """The settings of a provider that answers in some tens of milliseconds: their timeouts are short enough to wait for."""

    def __init__(self, folder, binary, server):
        address = f"http://127.0.0.1:{server.server_port}"
        # How often it was asked for what it never answers.
        self.asked = lambda: server.asked
        self.folder, self.never, self.drips = folder, f"{address}/never", f"{address}/drips"
        store = recorded(folder, binary)
        self.record(store)
        config = folder / "quick.toml"
        config.write_text(f"""[listen]
traffic = "127.0.0.1:0"
[store]
path = "{store}"
[integrations.{NAME}]
match.path_prefix = "/"
shadow.url = "http://127.0.0.1:9"
review.budget = "1s"
""")
        line = [binary, "review", NAME, "--config", config, "--output", "json"]
        review = json.loads(subprocess.run(line, capture_output=True, check=False).stdout)
        self.texts = {one["client"]: one["text"] for one in review["settings_to_paste"]}
        self.attempt_ms = review["endpoints"][0]["timeout"]["timeout_us"] / 1_000
        self.budget_ms = 1_000
        assert self.attempt_ms * 2 < DRIPS * PAUSE_S * 1_000, "the answer drips for longer than the timeout"

    def record(self, store):
        """Two days of calls; a few fail, so that a second attempt is worth it."""
        dice = numpy.random.default_rng(3)
        with sqlite3.connect(store) as db:
            for outcome, calls in [(OK, 100), (5, 3)]:
                series = db.execute(
                    "INSERT INTO series (integration, endpoint, role, outcome, phase) VALUES (?, 'GET /', ?, ?, ?)",
                    (NAME, SHADOW, outcome, TOTAL),
                ).lastrowid
                for number in range(288):
                    values = [int(us) for us in 40_000 * numpy.exp(0.4 * dice.standard_normal(calls))]
                    blob = encoded(values)
                    row = (series, START_S + number * 600, len(values), sum(values), min(values), max(values))
                    db.execute(
                        "INSERT INTO hist (series, t0, run, n, sum_us, min_us, max_us, crc32, blob, dur_s)"
                        " VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, 600)",
                        (*row, zlib.crc32(blob), blob),
                    )


def took(call):
    """Whether it was answered, and milliseconds."""
    start = time.monotonic()
    try:
        call()
        answered = True
    except Exception as error:  # each client has its own
        answered = False
        assert "ime" in f"{type(error).__name__} {error}", f"ended, but not by a timeout: {error!r}"
    return answered, (time.monotonic() - start) * 1_000


def ends_at(told, limit_ms, name):
    answered, ms = told
    assert not answered and limit_ms * 0.9 <= ms <= limit_ms + LATE_MS, f"{name}: {told}, expected to end at {limit_ms}"


def drips_through(told, name):
    assert told[0], f"{name}: an answer that drips was cut after {told[1]} ms"


def envoy_accepts(pasted):
    parts = yaml.safe_load(pasted.texts["Envoy route"])
    route = parts.pop("route")
    cluster = {
        "name": NAME,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": NAME,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address(9)}}]}],
        },
        **parts,
    }
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": route}]}]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    connections = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    listener = {"address": socket_address(0), "filter_chains": [{"filters": [connections]}]}
    config = pasted.folder / "envoy.json"
    envoy = [pathlib.Path(sys.executable).with_name("envoy"), "--mode", "validate", "-l", "error", "-c", config]
    for broken in (False, True):
        if broken:
            # What is accepted must be able to fail.
            route["per_try_timeout"] = "soon"
        resources = {"static_resources": {"listeners": [listener], "clusters": [cluster]}}
        config.write_text(json.dumps(resources))
        judged = subprocess.run(envoy, capture_output=True, text=True, check=False)
        assert (judged.returncode == 0) is not broken, judged.stdout + judged.stderr


def socket_address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def grpc_keeps(pasted):
    config = json.loads(pasted.texts["gRPC service config"])
    (method,) = config["methodConfig"]
    attempts = method["retryPolicy"]["maxAttempts"]
    calls = {"Hang": 0, "Fail": 0}

    class Handler(grpc.GenericRpcHandler):
        def service(self, about):
            name = about.method.rsplit("/", 1)[1]

            def answer(_request, context):
                calls[name] += 1
                if name == "Fail":
                    context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
                gone = threading.Event()
                context.add_callback(gone.set)
                gone.wait(30)
                return b""

            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    service, statuses = method["name"][0]["service"], {}
    for name in calls:
        if name == "Fail":
            method["timeout"] = "20s"
        options = [("grpc.service_config", json.dumps(config))]
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            start = time.monotonic()
            try:
                channel.unary_unary(f"/{service}/{name}")(b"", timeout=30)
            except grpc.RpcError as error:
                statuses[name] = error.code()
        if name == "Hang":
            # The core counts a config's deadline from a coarse clock, up to a second early: only its end is held.
            assert time.monotonic() - start <= (pasted.budget_ms + LATE_MS) / 1_000, name
    server.stop(None)
    assert statuses == {"Hang": grpc.StatusCode.DEADLINE_EXCEEDED, "Fail": grpc.StatusCode.UNAVAILABLE}, statuses
    assert calls["Fail"] == attempts > 1, (calls, attempts)


def requests_ends(pasted):
    names = {"requests": requests}
    exec(compile(pasted.texts["Python requests"], "requests", "exec"), names)  # our own text
    session, timeout = names["session"], names["timeout"]
    ends_at(took(lambda: session.get(pasted.never, timeout=timeout)), pasted.attempt_ms, "requests")
    drips_through(took(lambda: session.get(pasted.drips, timeout=timeout)), "requests")


def httpx_ends(pasted):
    names = {"httpx": httpx}
    exec(compile(pasted.texts["Python httpx"], "httpx", "exec"), names)  # our own text
    client, limit = names["client"], names["limit"]

    async def all_of_it():
        async def timed(address, whole):
            start = time.monotonic()
            try:
                async with asyncio.timeout(limit if whole else None):
                    await client.get(address)
                return True, (time.monotonic() - start) * 1_000
            except (httpx.TimeoutException, TimeoutError):
                return False, (time.monotonic() - start) * 1_000

        async with client:
            ends_at(await timed(pasted.never, False), pasted.attempt_ms, "httpx")
            drips_through(await timed(pasted.drips, False), "httpx")
            ends_at(await timed(pasted.drips, True), pasted.attempt_ms, "httpx with its limit")

    asyncio.run(all_of_it())


def lines_of(command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=120, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    told = {}
    for line in done.stdout.splitlines():
        client, address, ms, outcome = line.split("\t")
        told[client, address.rsplit("/", 1)[1]] = outcome == "answered", int(ms)
    return told


def java_ends(pasted):
    source = (PARTS / "Settings.java").read_text()
    for mark, client in [("JAVA", "Java HttpClient"), ("OKHTTP", "OkHttp"), ("APACHE", "Apache HttpClient 5")]:
        source = source.replace(f"@{mark}@", textwrap.indent(pasted.texts[client], " " * 8).strip())
    (pasted.folder / "Settings.java").write_text(source)
    jars = ":".join(f"/usr/share/java/{jar}.jar" for jar in JARS)
    assert shutil.which("javac"), "scripts/test installs a JDK"
    built = ["javac", "-nowarn", "-d", pasted.folder, "-cp", jars, pasted.folder / "Settings.java"]
    subprocess.run(built, check=True, capture_output=True)
    # The first call loads classes: it is asked twice, and the second counts.
    told = lines_of(["java", "-cp", f"{pasted.folder}:{jars}", "Settings", pasted.never, pasted.never, pasted.drips])
    for client in ("Java HttpClient", "OkHttp", "Apache HttpClient 5"):
        ends_at(told[client, "never"], pasted.attempt_ms, client)
    ends_at(told["OkHttp", "drips"], pasted.attempt_ms, "OkHttp")
    drips_through(told["Apache HttpClient 5", "drips"], "Apache HttpClient 5")
    drips_through(told["Java HttpClient", "drips"], "Java HttpClient")


def go_ends(pasted):
    text = (PARTS / "Settings.go").read_text().replace("@GO@", textwrap.indent(pasted.texts["Go net/http"], "\t").strip())
    source, binary = pasted.folder / "settings.go", pasted.folder / "settings-go"
    source.write_text(text)
    assert shutil.which("go"), "scripts/test installs Go"
    caches = {"GOCACHE": str(ROOT / "target" / "outside" / "go"), "GOPATH": str(pasted.folder / "go"), "GOFLAGS": "-mod=mod"}
    built = ["go", "build", "-o", binary, source]
    subprocess.run(built, check=True, capture_output=True, env=os.environ | caches, cwd=pasted.folder)
    told = lines_of([binary, pasted.never, pasted.drips])
    for address in ("never", "drips"):
        ends_at(told["Go net/http", address], pasted.attempt_ms, f"Go, {address}")


def tower_ends(pasted):
    text = pasted.texts["reqwest + tower"]
    attempt, budget = f".timeout(Duration::from_millis({pasted.attempt_ms:.0f}))", f"from_millis({pasted.budget_ms})"
    assert attempt in text and budget in text and "left: 1" in text, text
    settings, patient = pasted.folder / "settings.rs", pasted.folder / "patient.rs"
    settings.write_text(f"{{\n{text}service\n}}\n")
    patient.write_text(f"{{\n{text.replace(attempt, '.timeout(Duration::from_secs(60))')}service\n}}\n")
    package = ROOT / "tests" / "outside" / "tower" / "Cargo.toml"
    place = ROOT / "target" / "outside" / "tower"
    line = ["cargo", "run", "--quiet", "--locked", "--offline", "--manifest-path", package, "--target-dir", place, "--"]
    given = {"SETTINGS": str(settings), "PATIENT": str(patient)}
    before = pasted.asked()
    told = lines_of([*line, pasted.never, pasted.drips], env=os.environ | given)
    name, waits_ms = "reqwest + tower", 100
    # One that never answers is asked twice; one that drips has answered with its head, and its body is cut.
    ends_at(told[name, "never"], 2 * pasted.attempt_ms + waits_ms, name)
    ends_at(told[name, "drips"], pasted.attempt_ms, f"{name}, drips")
    # What no attempt's timeout ends is ended by tower's, until the head has arrived.
    ends_at(told["patient", "never"], pasted.budget_ms, "tower's whole")
    drips_through(told["patient", "drips"], "tower's whole")
    assert pasted.asked() - before == 3, "two attempts, and one that was cut by the whole"


def axios_ends(pasted):
    settings = pasted.folder / "axios.js"
    settings.write_text(pasted.texts["axios"])
    modules = ROOT / "target" / "outside" / "node" / "node_modules"
    told = lines_of(["node", PARTS / "axios.cjs", modules, settings, pasted.never, pasted.drips])
    ends_at(told["axios", "never"], pasted.attempt_ms, "axios")
    drips_through(told["axios", "drips"], "axios")
    for address in ("never", "drips"):
        ends_at(told["axios with its signal", address], pasted.attempt_ms, f"axios with its signal, {address}")
