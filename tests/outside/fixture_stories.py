"""Fixtures of real traffic, loaded by the real tools: every recorded request is asked again and must come out as recorded."""

import concurrent.futures
import contextlib
import http.client
import http.server
import json
import math
import random
import socket
import statistics
import struct
import subprocess
import threading
import time

import fixture_schemas as schemas
import fixture_tools as tools
from mirror_stories import settled
from processes import ANY_PORT, place, started, tell

# The provider's latencies at /slow: a lognormal shape, drawn at even quantiles.
SLOW_CALLS, SLOW_MEDIAN_SECONDS, SLOW_SIGMA, THREADS = 160, 0.08, 0.35, 8
# How far a tool's delays may be from the recorded ones, as shares.
OFF_AT_P50, OFF_AT_P95 = 0.15, 0.25
# Each try waits as long as the recorded calls took; others are for machines that do something else as well.
DELAY_TRIES_MAX = 6
FORMATS = ("wiremock", "har", "vcrpy", "httpmock", "hoverfly", "mockserver", "mountebank", "plain", "openapi")
# Of what is recorded so much must be convertible in every format.
CONVERTIBLE = 0.99

CONFIG = """[listen]
traffic = "{any_port}"
console = "{any_port}"

[store]
path = "darklaunch.db"
"""
INTEGRATION = """
[integrations.{name}]
match.host = "{name}.test"
primary.url = "http://{provider}"
shadow.url = "http://{provider}"
shadow.headers = {{ authorization = "Bearer sk_test_fixtures" }}
mirror.enabled = true
mirror.sample = "100%"
mirror.allow = {allow}
mirror.rate = "5000/s"
mirror.in_flight = 256
breaker.failures_share = "100%"
{more}
"""
# Types whose bodies are kept though no rule reads what they show.
KEEPS = 'redaction.keep_binary = ["image/png", "image/jpeg", "application/octet-stream"]'
# Of the provider of faults: silence is told from an answer after this.
SHADOW_TIMEOUT_SECONDS = 0.5
JSON, FORM = {"Content-Type": "application/json"}, {"Content-Type": "application/x-www-form-urlencoded"}

BIN_CALLS = [
    *[("GET", f"/status/{code}", {}, None) for code in (200, 204, 304, 400, 404, 418, 500)],
    ("GET", "/get?a=1&a=2&b=%2F+x&c=", {}, None),
    ("GET", "/gzip", {"Accept-Encoding": "gzip"}, None),
    ("GET", "/json", {}, None),
    ("GET", "/html", {}, None),
    ("GET", "/xml", {}, None),
    ("GET", "/encoding/utf8", {}, None),
    ("GET", "/robots.txt", {}, None),
    ("GET", "/response-headers?X-Many=1&X-Many=2&X-Many=3", {}, None),
    ("GET", "/cookies/set?first=1&second=2", {}, None),
    ("GET", "/redirect/1", {}, None),
    ("GET", "/anything/a%20b//c%2Fd?x=%25", {}, None),
    ("HEAD", "/get", {}, None),
    ("GET", "/image/png", {}, None),
    # Its text says by whom it was edited: it is dropped, and named.
    ("GET", "/image/jpeg", {}, None),
    ("GET", "/bytes/3000?seed=2", {}, None),
    ("POST", "/post", JSON, b'{"amount": 10, "tags": ["a", "b"], "n": 12345678901234567890}'),
    ("POST", "/post", FORM, b"amount=10&note=two+words&a=1&a=2"),
    ("PUT", "/put", {"Content-Type": "text/plain"}, b"a plain text (with) [signs] {{and}} <%= braces %>"),
    ("DELETE", "/delete", {}, None),
    # Last: the recorder gives a provider that says so a rest.
    ("GET", "/status/503", {}, None),
    ("GET", "/status/429", {}, None),
]
BIN_ALLOWED = ["POST /post", "PUT /put", "DELETE /delete"]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
BYTES = random.Random(7).randbytes(5_000)
NASTY = {
    "/latin": ("text/plain; charset=iso-8859-1", b"caf\xe9 cr\xe8me"),
    "/templates": ("text/plain; charset=utf-8", b"a {{name}} b <%= 1+1 %> c ${x} d #{y} %> <% e"),
    "/yaml": ("text/plain; charset=utf-8", "key: value\n- 'it''s'\n\t\u00e4 \u2028 \U0001f600 \"q\" \\ end\r\n".encode()),
    "/large": ("application/json", json.dumps({"list": ["0123456789abcdef"] * 52_000}).encode()),
    "/numbers": ("application/json", b'{"n":9007199254740993,"big":123456789012345678901234567890,"x":1e3,"y":10.00}'),
    "/regex/v1.0/a+b": ("application/json", b'{"path":"the one with a point"}'),
    "/regex/v1X0/aab": ("application/json", b'{"path":"its look-alike"}'),
    "/query?a=1&a=2&b=&c=%2F+x&d=%C3%A4&=none": ("application/json", b'{"query":"all of it"}'),
    "/empty": ("text/plain", b""),
    "/trailers": ("text/plain", b"a body before trailers"),
    "/binary": ("application/octet-stream", BYTES),
    "/pixel.png": ("image/png", PNG),
    # A picture whose text reaches a person: it is dropped, and named.
    "/signed.png": ("image/png", PNG[:33] + b"\0\0\0\x1dtEXtAuthor\0ada@mail-of-ada.com\0\0\0\0\0" + PNG[33:]),
}
NASTY_CALLS = [
    *[("GET", target, {}, None) for target in NASTY],
    ("HEAD", "/large", {}, None),
    ("GET", "/none", {}, None),
    ("GET", "/same", {}, None),
    ("GET", "/reset", {}, None),
    ("POST", "/json", JSON, b'{"a":[1,{"b":null}],"c":"x"}'),
    ("POST", "/latin-text", {"Content-Type": "text/plain; charset=iso-8859-1"}, b"caf\xe9"),
    ("POST", "/multipart", {"Content-Type": "multipart/form-data; boundary=x1"},
     b'--x1\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x1--\r\n'),
    ("POST", "/upload", {"Content-Type": "application/octet-stream"}, BYTES[:1_000]),
    # What one request of an endpoint has and the other has not.
    ("GET", "/optional/1?q=a&expand=x", {}, None),
    ("GET", "/optional/2?q=b", {}, None),
    ("POST", "/maybe", JSON, b'{"a":1,"note":"x"}'),
    ("POST", "/maybe", JSON, b'{"a":1,"list":[1,{"b":2}]}'),
    ("POST", "/maybe-form", FORM, b"a=1&note=x"),
    ("POST", "/maybe-form", FORM, b"a=1&other=2"),
    *[("GET", "/state", {}, None)] * 3,
]
# Requests that nobody recorded, and that differ from recorded ones in nothing that all of them had.
OWN_CALLS = [
    ("GET", "/optional/1?q=own", {}, None),
    ("GET", "/optional/2?q=own&expand=y", {}, None),
    ("POST", "/maybe", JSON, b'{"a":1}'),
    ("POST", "/maybe", JSON, b'{"a":1,"note":"own","list":[]}'),
    ("POST", "/maybe-form", FORM, b"a=1"),
    ("POST", "/maybe-form", FORM, b"a=1&note=own"),
]
NASTY_ALLOWED = ["POST /maybe", "POST /maybe-form", "POST /json", "POST /latin-text", "POST /multipart", "POST /upload"]
# What comes instead of an answer, and what a client sees of it.
FAULT_CALLS = [("GET", target, {}, None) for target in ("/reset", "/hard", "/cut", "/silent", "/fine")]
# Every fourth call of an endpoint fails.
FLAKY_CALLS, FLAKY_SHARE = 16, 0.25


class Nasty(http.server.BaseHTTPRequestHandler):
    """A provider whose answers tools have been seen to mangle."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    calls = {"slow": 0, "state": 0, "flaky": 0}
    lock = threading.Lock()

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.split("?")[0]
        if path == "/slow":
            time.sleep(self.slow())
        if path == "/silent":
            time.sleep(3 * SHADOW_TIMEOUT_SECONDS)
        if path in ("/reset", "/hard", "/cut", "/silent") or path == "/flaky" and self.pair("flaky") % 4 == 3:
            self.fail(path)
            return
        if path == "/trailers":
            self.chunked()
            return
        status = {"/none": 204, "/same": 304}.get(path, 200)
        kind, body = NASTY.get(self.path, ("application/json", b"{}"))
        if path == "/state":
            body = json.dumps({"status": ["pending", "working", "done"][min(self.pair("state"), 2)]}).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Many", "1")
        self.send_header("X-Many", "2")
        self.send_header("X-Request-Id", "0b6f7a52-5f39")
        if path == "/empty":
            # Bytes that are no UTF-8.
            self.send_header("X-Odd", "caf\xe9")
        if status == 200:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status == 200:
            self.wfile.write(body)

    do_HEAD = do_POST = do_GET

    def chunked(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Trailer", "X-Sum")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        body = NASTY["/trailers"][1]
        self.wfile.write(b"%x\r\n%s\r\n0\r\nX-Sum: 7\r\n\r\n" % (len(body), body))

    def slow(self):
        with self.lock:
            self.calls["slow"] += 1
            # Both the application's calls and the mirror's: each pair takes the next quantile.
            at = (self.calls["slow"] * 0.6180339887498949) % 1
        return SLOW_MEDIAN_SECONDS * math.exp(SLOW_SIGMA * statistics.NormalDist().inv_cdf(min(max(at, 0.002), 0.998)))

    def pair(self, name):
        """The application and the mirror ask in turn: how many of both asked before."""
        with self.lock:
            self.calls[name] += 1
            return (self.calls[name] - 1) // 2

    def fail(self, path):
        self.close_connection = True
        if path == "/hard":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nhalf")
        self.connection.close()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def call(front, name, method, target, headers, body):
    """One call; its status, nothing if it ended without an answer."""
    connection = http.client.HTTPConnection(*place(front), timeout=30)
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", f"{name}.test")
    for header, value in headers.items():
        connection.putheader(header, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    status = None
    with contextlib.suppress(ConnectionError, http.client.HTTPException):
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    connection.close()
    return status


def stripe_calls(front):
    """A customer's life: made, read, changed, read again; and what does not exist."""
    answers = []

    def asked(method, target, body=None):
        connection = http.client.HTTPConnection(*place(front), timeout=30)
        headers = {"Host": "stripe.test", "Authorization": "Bearer sk_test_primary"}
        connection.request(method, target, body=body, headers={**headers, **(FORM if body else {})})
        answer = connection.getresponse()
        answers.append(answer.status)
        text = answer.read()
        connection.close()
        return json.loads(text)

    for name in ("Ada", "Grace"):
        made = asked("POST", "/v1/customers", f"name={name}&email={name.lower()}%40mail.example&description=first".encode())
        asked("GET", f"/v1/customers/{made['id']}")
        asked("POST", f"/v1/customers/{made['id']}", b"description=changed")
        asked("GET", f"/v1/customers/{made['id']}")
    asked("GET", "/v1/customers/cus_nobody")
    asked("GET", "/v1/customers?limit=2")
    asked("POST", "/v1/products", b"name=Sample&type=service")
    return len(answers)


@contextlib.contextmanager
def recorded(binary, folder, httpbin, localstripe):
    """Records real traffic of three providers and yields the configuration; the recorder is gone by then."""
    folder.mkdir()
    config = folder / "darklaunch.toml"
    allowed = {
        "bin": BIN_ALLOWED,
        "stripe": ["POST /v1/customers", "POST /v1/customers/{id}", "POST /v1/products"],
        "nasty": NASTY_ALLOWED,
        "faults": [],
    }
    with contextlib.ExitStack() as stack:
        _, bin_at = stack.enter_context(httpbin("fixtures-bin", folder))
        _, stripe_at = stack.enter_context(localstripe("fixtures-stripe", folder))
        nasty_at = stack.enter_context(serving(Nasty))
        providers = {"bin": bin_at, "stripe": stripe_at, "nasty": nasty_at, "faults": nasty_at}
        text = CONFIG.format(any_port=ANY_PORT)
        for name, provider in providers.items():
            more = {"bin": KEEPS, "nasty": KEEPS, "faults": f'shadow.total_timeout = "{SHADOW_TIMEOUT_SECONDS * 1e3:.0f}ms"'}
            allow = json.dumps(allowed[name])
            text += INTEGRATION.format(name=name, provider=provider, allow=allow, more=more.get(name, ""))
        config.write_text(text)
        pattern = r"traffic on http://(\S+)\n.*console on http://(\S+)\n"
        _, front, console = stack.enter_context(started("fixtures-recorder", [binary, "run", "--config", config], pattern, folder))
        for one in BIN_CALLS:
            call(front, "bin", *one)
            at_rest(console)
        for one in NASTY_CALLS:
            call(front, "nasty", *one)
            at_rest(console)
        for one in FAULT_CALLS + [("GET", "/flaky", {}, None)] * FLAKY_CALLS:
            call(front, "faults", *one)
            at_rest(console)
        stripe_calls(front)
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda _: call(front, "nasty", "GET", "/slow", {}, None), range(SLOW_CALLS)))
        at_rest(console)
    yield config


def at_rest(console):
    def look():
        connection = http.client.HTTPConnection(*place(console), timeout=10)
        connection.request("GET", "/api/v1/status")
        all_ = json.loads(connection.getresponse().read())["integrations"]
        connection.close()
        done = [one["ledger"]["pending"] == 0 and one["recorded"] == sum(one["ledger"]["mirrored"].values()) for one in all_]
        return all_, all(done)

    return settled(look)


def export(binary, config, folder, integration, form, delay="none"):
    """Exports with the check of the product itself; the folder and its manifest."""
    out = folder / f"{integration}-{form}-{delay}"
    command = [binary, "export", integration, "--format", form, "--out", out, "--config", config, "--check"]
    command += ["--delay", delay, "--per-endpoint", "50", "--output", "json"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{integration} {form}: {done.stderr}"
    return out, json.loads(done.stdout)


def convertible(manifests):
    """Each format has all that was recorded, or names what it has not."""
    for (integration, form), manifest in manifests.items():
        for one in manifest["skipped"]:
            print(f"     {integration} {form}: {one['captures']} of {one['endpoint']} left out: {one['reason']}")
        # Other answers to the same request and earlier ones are no loss; only what cannot be expressed is.
        lost = sum(one["captures"] for one in manifest["skipped"] if "another fixture" not in one["reason"])
        looked = manifest["captures_looked_at"]
        reasons = {one["endpoint"]: one["reason"] for one in manifest["skipped"]}
        signed = {"bin": "GET /image/jpeg", "nasty": "GET /signed.png"}.get(integration)
        assert not signed or reasons.get(signed, "").endswith("binary_finding"), reasons
        assert not any("unknown_type" in reason for reason in reasons.values()), reasons
        # The nasty provider is made of exceptions.
        assert integration == "nasty" or lost <= max(1, looked * (1 - CONVERTIBLE)), (integration, form, manifest["skipped"])


def replayed(tool, exported, all_, folder):
    """The tool serves an export; every exchange that is in it is asked again."""
    (out, manifest) = exported
    held = {one["id"] for one in manifest["fixtures"] if not one["fallback"]}
    folder.mkdir()
    wrong = []
    with tool(out, folder) as (front, proxied):
        asked = [one for key, one in all_.items() if key in held]
        if proxied:
            is_failure = "failures" in tool.__name__
            asked = [one for one in asked if ("header" in one["ask"]) == is_failure and tools.is_text(one)]
        for one in asked:
            if why := tools.compare(one, tools.ask(front, one, proxied)):
                wrong.append(f"{one['name']} {one['recorded']['target'][:80]}: {why}")
    assert asked, "nothing to ask for"
    assert not wrong, f"{len(wrong)} of {len(asked)}:\n" + "\n".join(wrong)
    print(f"     {len(asked)} exchanges asked again")


def cassette(exported, all_, with_client):
    (out, manifest) = exported
    held = {one["id"]: one["file"] for one in manifest["fixtures"] if not one["fallback"]}
    base = "http://{}.test".format(manifest["integration"])
    for name in sorted(set(held.values())):
        asked = [one for key, one in all_.items() if held.get(key) == name]
        wrong = [f"{title}: {why}" for title, why in tools.vcrpy(out, name, asked, with_client(base)) if why]
        assert not wrong, f"{len(wrong)} of {len(asked)} in {name}:\n" + "\n".join(wrong)
        print(f"     {len(asked)} exchanges of {name} asked again")


def valid_archives(out):
    for archive in sorted(out.glob("*.har")):
        assert not (said := tools.har_validator(archive)), f"{archive.name}: {said[:2000]}"


class Bare(http.server.BaseHTTPRequestHandler):
    """A server that does nothing but wait: as long as the recorded calls took, each of their quantiles as often."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    quantiles, calls, lock = [], 0, threading.Lock()

    def do_GET(self):
        if self.path == "/slow":
            with self.lock:
                Bare.calls += 1
                at = 1_000 * (Bare.calls * 0.6180339887498949 % 1)
            below, above = next(pair for pair in zip(self.quantiles, self.quantiles[1:]) if pair[1][0] >= at)
            share = (at - below[0]) / (above[0] - below[0])
            time.sleep((below[1] + share * (above[1] - below[1])) / 1e6)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def delays(tool, exported, folder):
    """Drawn delays are the recorded ones at the median and the 95th percentile. Work of others on the machine makes a wait
    longer, never shorter; by how much, a server tells that does nothing but wait so long, asked in turn with the tool."""
    (out, manifest) = exported
    folder.mkdir()
    endpoint = manifest["latency"]["GET /slow"]
    assert "median_us" in endpoint["lognormal"], endpoint
    Bare.quantiles = endpoint["quantiles_per_mille_us"]

    def timed(front, target):
        began = time.monotonic()
        call(front, "nasty", "GET", target, {}, None)
        return time.monotonic() - began

    def served(taken):
        """The delays, without what a call costs that waits for nothing."""
        cost = statistics.median(taken[1::2])
        return sorted(max(0, one - cost) for one in taken[::2])

    def once(fronts, pool):
        asked = [(front, target) for _ in range(2 * SLOW_CALLS) for target in ("/slow", "/nothing") for front in fronts]
        taken = [one.result() for one in [pool.submit(timed, *one) for one in asked]]
        given, wanted = served(taken[::2]), served(taken[1::2])
        offs = []
        for share in (0.5, 0.95):
            got, due = (of[int(share * len(of))] for of in (given, wanted))
            recorded = dict(Bare.quantiles)[int(1_000 * share)] / 1e6
            low, high = min(recorded, due), max(recorded, due)
            offs.append(max(0, (low - got) / low, (got - high) / high))
            figures = f"recorded {recorded * 1e3:.1f} ms, from a bare server {due * 1e3:.1f} ms, served {got * 1e3:.1f} ms"
            print(f"     p{share * 100:.0f}: {figures}, off {offs[-1]:.1%}")
        return offs[0] <= OFF_AT_P50 and offs[1] <= OFF_AT_P95

    with contextlib.ExitStack() as stack:
        front, _ = stack.enter_context(tool(out, folder))
        bare = stack.enter_context(serving(Bare))
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(THREADS))
        timed(front, "/slow")
        assert any(once((front, bare), pool) for _ in range(DELAY_TRIES_MAX)), "the delays are not the recorded ones"


def trailers(tool, exported, all_, folder):
    """What followed the body follows it again, for a client that says it takes it."""
    (out, _) = exported
    folder.mkdir()
    one = next(one for one in all_.values() if one["recorded"]["target"] == "/trailers")
    recorded = {name.lower(): value for name, value in one["answer"]["trailers"]}
    assert recorded == {"x-sum": "7"}, recorded
    with tool(out, folder) as (front, _):
        assert (got := tools.trailers(front, one)) == recorded, f"wanted {recorded}, got {got}"


def own(tool, exported, folder):
    """What some of the recorded requests lacked, a test may send or leave out."""
    (out, _) = exported
    folder.mkdir()
    with tool(out, folder) as (front, _):
        wrong = [f"{one[:2]} {one[3]}: {status}" for one in OWN_CALLS if (status := call(front, "nasty", *one)) != 200]
        # MockServer looks for a provider to ask instead.
        lacking = call(front, "nasty", "POST", "/maybe", JSON, b'{"note":"x"}')
        assert lacking != 200, "what all of them had is asked for"
    assert not wrong, "\n".join(wrong)


def trailers_named(manifests):
    """Where they are not served, the manifest says so."""
    for form in FORMATS:
        told = [one for one in manifests[form]["warnings"] if one.startswith("GET /trailers") and "x-sum" in one.lower()]
        assert bool(told) == (form not in ("plain", "mockserver")), f"{form}: {told}"


# What a client may see of a reset and of silence, and whether each comes after the recorded time only.
ENDS = {
    "wiremock": (({"reset"}, True), ({"empty"}, True)),
    "mockserver": (({"empty"}, True), ({"empty"}, True)),
    # It closes the connection; whether that is a reset, the system decides.
    "mountebank": (({"reset", "empty"}, False), ({"reset", "empty"}, False)),
    "darklaunch stub": (({"reset"}, True), ({"empty"}, True)),
}


def faults(tool, exported, all_, folder):
    """Each recorded fault is met again: the connection ends without an answer, when it ended for us; who waits less sees a
    timeout of its own."""
    (out, _) = exported
    folder.mkdir()
    kinds = {one["recorded"]["target"]: one["answer"].get("fault") for one in all_.values() if "header" not in one["ask"]}
    assert kinds["/silent"] == "silence" and {kinds[path] for path in ("/reset", "/hard", "/cut")} == {"reset"}, kinds
    resets_silences = ENDS[tool.__name__]
    with tool(out, folder) as (front, _):
        for one in all_.values():
            target, answer = one["recorded"]["target"], one["answer"]
            if "header" in one["ask"]:
                continue
            if "fault" not in answer:
                assert tools.end(front, one) == ("answer", answer["status"]), target
                continue
            kinds, waits = resets_silences[answer["fault"] == "silence"]
            began = time.monotonic()
            kind, _ = tools.end(front, one)
            assert kind in kinds, f"{target}: {kind}, none of {kinds}"
            took, recorded_us = time.monotonic() - began, one["wait"]["us"]
            assert not waits or took >= 0.95 * recorded_us / 1e6, f"{target}: {took:.3f} s, recorded {recorded_us} us"
            if waits and answer["fault"] == "silence":
                assert (seen := tools.end(front, one, recorded_us / 3e6)) == ("timeout", None), f"{target}: {seen}"
            print(f"     {target}: {kind} after {took * 1e3:.0f} ms, recorded {recorded_us / 1e3:.0f} ms")


def flaky(binary, exported, all_, folder):
    """Asked without a header, a stand-in with `--faults real` fails as often as the provider did."""
    (out, _) = exported
    folder.mkdir()
    fine = next(one for one in all_.values() if one["recorded"]["target"] == "/flaky" and "status" in one["answer"])
    with tools.stub(binary, "--faults", "real", "--latency", "none")(out, folder) as (front, _):
        ends = [tools.end(front, one=fine)[0] for _ in range(200)]
    share = ends.count("reset") / len(ends)
    assert set(ends) == {"answer", "reset"} and abs(share - FLAKY_SHARE) <= 0.02, f"{share:.3f} of the calls fail"


def run(binary, folder, httpbin, localstripe):
    """Records, exports in every format, and tells every story; which held."""
    try:
        return tell_all(binary, folder, httpbin, localstripe)
    except (AssertionError, OSError, RuntimeError) as error:
        print(f"FAIL fixtures: {error}")
        return [False]


def tell_all(binary, folder, httpbin, localstripe):
    held = []

    def story(name, told, *parts):
        held.append(tell(f"fixtures: {name}", told, *parts))

    with recorded(binary, folder / "fixtures", httpbin, localstripe) as config, tools.mockserver(folder) as mockserver:
        root = folder / "fixtures"
        integrations = ("bin", "stripe", "nasty")
        made = {(name, form): export(binary, config, root, name, form) for name in integrations for form in FORMATS}
        story("what is left out is named", convertible, {key: manifest for key, (_, manifest) in made.items()})
        for name in integrations:
            all_ = tools.exchanges(made[name, "plain"][0])
            fronts = [
                ("wiremock", tools.wiremock), ("mockserver", mockserver), ("mountebank", tools.mountebank),
                ("httpmock", tools.httpmock), ("har", tools.mitmproxy("fixtures.har")),
            ]
            if (made[name, "har"][0] / "failures.har").exists():
                fronts.append(("har", tools.mitmproxy("failures.har")))
            for number, (form, tool) in enumerate(fronts):
                story(f"{name} in {tool.__name__}", replayed, tool, made[name, form], all_, root / f"{name}-tool-{number}")
            for form in FORMATS:
                stub = tools.stub(binary)
                where = root / f"{name}-stub-{form}"
                if form != "openapi":
                    story(f"{name} as {form} in {stub.__name__}", replayed, stub, made[name, form], all_, where)
            story(f"{name} in vcrpy with requests", cassette, made[name, "vcrpy"], all_, tools.with_requests)
            story(f"{name} in vcrpy with httpx", cassette, made[name, "vcrpy"], all_, tools.with_httpx)
            story(f"{name} is a valid HAR", valid_archives, made[name, "har"][0])
            story(f"{name} is a Hoverfly simulation", schemas.hoverfly, made[name, "hoverfly"][0])
            story(f"{name} is OpenAPI 3.1, and its examples are of its schemas", schemas.openapi, made[name, "openapi"][0])
        drawn = [("wiremock", tools.wiremock), ("mockserver", mockserver), ("mountebank", tools.mountebank)]
        for number, (form, tool) in enumerate([*drawn, ("plain", tools.stub(binary))]):
            exported = export(binary, config, root, "nasty", form, "distribution")
            story(f"delays of {tool.__name__}", delays, tool, exported, root / f"delays-{number}")
        all_ = tools.exchanges(made["nasty", "plain"][0])
        matching = [("wiremock", tools.wiremock), ("mockserver", mockserver), ("mountebank", tools.mountebank)]
        matching += [("httpmock", tools.httpmock), *((form, tools.stub(binary)) for form in FORMATS if form not in ("har", "vcrpy"))]
        for number, (form, tool) in enumerate(matching):
            story(f"own requests to {tool.__name__} from {form}", own, tool, made["nasty", form], root / f"own-{number}")
        after = [("plain", tools.stub(binary)), ("har", tools.stub(binary)), ("mockserver", tools.stub(binary))]
        for number, (form, tool) in enumerate([*after, ("mockserver", mockserver)]):
            where = root / f"trailers-{number}"
            story(f"trailers of {tool.__name__} from {form}", trailers, tool, made["nasty", form], all_, where)
        story("trailers that are lost are named", trailers_named, {form: made["nasty", form][1] for form in FORMATS})
        failing = export(binary, config, root, "faults", "plain", "recorded")
        all_ = tools.exchanges(failing[0])
        for number, (form, tool) in enumerate([*drawn, ("plain", tools.stub(binary))]):
            exported = export(binary, config, root, "faults", form, "recorded")
            story(f"faults of {tool.__name__}", faults, tool, exported, all_, root / f"faults-{number}")
        story("faults in their share", flaky, binary, failing, all_, root / "flaky")
        simulation = export(binary, config, root, "nasty", "hoverfly", "distribution")[0]
        story("drawn delays are a Hoverfly simulation", schemas.hoverfly, simulation)
    return held
