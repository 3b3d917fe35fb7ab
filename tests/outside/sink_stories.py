"""A sink behind the real nginx, Envoy and HAProxy, with the configurations that scripts/sink shows; only ports differ."""

import contextlib
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import sys
import threading
import time
import urllib.request

from mirror_stories import mirrored, settled
from processes import ANY_PORT, place, started, tell

SHOWN = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "sink"
# The ports of the files shown.
FRONT, PRIMARY, DARKLAUNCH = 8000, 8001, 8080
NAME = "api.internal"
TIMEOUT_SECONDS = 30
# Calls on one connection while the shadow answers nobody, and how long they may take in all.
STALLED_CALLS, STALLED_SECONDS_MAX = 200, 5
# How long a front that mirrors to the stalled shadow itself is asked, and what it may answer in that time.
DIRECT_SECONDS, DIRECT_CALLS_MAX = 3, 20

CONFIG = """[listen]
traffic = "{any_port}"
console = "{any_port}"

[store]
path = "darklaunch.db"

[integrations.sink]
{match}
shadow.url = "http://{shadow}"
mirror.enabled = true
mirror.allow = ["POST /orders", "PUT /orders/{{id}}", "PATCH /orders/{{id}}", "DELETE /orders/{{id}}"]
mirror.rate = "5000/s"
mirror.in_flight = 16
"""


class StandIn:
    """An upstream that answers with what it got, and remembers it; while stalled it takes calls and answers none."""

    def __init__(self):
        self.seen = []
        self.going = threading.Event()
        self.going.set()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        # Connections that others reset are part of the stories.
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.going.set()
        self.server.shutdown()
        self.server.server_close()

    def requests(self):
        return sorted(self.seen)


def handler(stand_in):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        # A buffered writer, so that an answer is one packet.
        wbufsize = -1

        def answer(self):
            asked = (self.command, self.path, hashlib.sha256(self.body()).hexdigest())
            stand_in.seen.append(asked)
            stand_in.going.wait()
            body = json.dumps(asked).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def body(self):
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while length := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, *_):
            pass

    return Handler


def free_port():
    """A port for a server that cannot be told to choose one itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def shown(name, ports, folder):
    """The file as shown, with these ports in place of its own."""
    text = (SHOWN / name).read_text()
    for port in (FRONT, PRIMARY, DARKLAUNCH):
        assert len(re.findall(rf"\b{port}\b", text)) >= 2, f"{name} does not name the port {port}"
    path = folder / name
    path.write_text(re.sub(r"\b(8000|8001|8080)\b", lambda found: str(ports[int(found[0])]), text))
    return path


def nginx(ports, folder, name):
    config = shown("nginx.conf", ports, folder)
    rest = f"daemon off; pid {folder}/nginx.pid; error_log stderr notice;"
    if os.geteuid() == 0:
        rest += " user root;"
    else:
        paths = "".join(
            f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config.write_text(config.read_text().replace("http {", f"http {{ {paths}", 1))
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    return started(name, [binary, "-p", folder, "-c", config, "-g", rest], "(start worker process )", folder)


def envoy(ports, folder, name):
    config = shown("envoy.yaml", ports, folder)
    binary = pathlib.Path(sys.executable).with_name("envoy")
    command = [binary, "-c", config, "--disable-hot-restart", "--concurrency", "1"]
    return started(name, command, "(starting main dispatch loop)", folder)


def haproxy(ports, folder, name):
    config = shown("haproxy-lua.cfg", ports, folder)
    shutil.copy(SHOWN / "mirror.lua", folder)
    command = [shutil.which("haproxy") or "/usr/sbin/haproxy", "-W", "-db", "-C", folder, "-f", config]
    return started(name, command, "(Loading success)", folder)


def recorder(binary, match, shadow, folder):
    config = folder / "darklaunch.toml"
    config.write_text(CONFIG.format(any_port=ANY_PORT, match=match, shadow=shadow))
    pattern = r"traffic on http://(\S+)\n.*console on http://(\S+)\n"
    return started("recorder", [binary, "run", "--config", config], pattern, folder)


class World:
    """Application → front → primary, with the sink as the front's mirror and a shadow behind it."""

    def __init__(self, front, primary, shadow, console):
        self.front, self.primary, self.shadow, self.console = front, primary, shadow, console

    def status(self):
        with urllib.request.urlopen(f"http://{self.console}/api/v1/status", timeout=10) as answer:
            (one,) = json.load(answer)["integrations"]
        return one

    def at_rest(self, calls):
        """The status once all of these calls have arrived and what was mirrored is recorded."""

        def look():
            one = self.status()
            ledger = one["ledger"]
            final = ledger["arrived"] >= calls and ledger["pending"] == 0 and one["recorded"] == mirrored(one)
            return one, final

        return settled(look)


@contextlib.contextmanager
def world(front, binary, folder, match='match.path_prefix = "/"', sink=True):
    """Everything started; without `sink` the front mirrors to the shadow itself."""
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        primary, shadow = (stack.enter_context(StandIn()) for _ in range(2))
        console, behind = None, shadow.port
        if sink:
            _, traffic, console = stack.enter_context(recorder(binary, match, shadow.address, folder))
            behind = place(traffic)[1]
        ports = {FRONT: free_port(), PRIMARY: primary.port, DARKLAUNCH: behind}
        stack.enter_context(front(ports, folder, front.__name__))
        yield World(("127.0.0.1", ports[FRONT]), primary, shadow, console)
        # A stalled shadow must not hold the recorder's end.
        shadow.going.set()


def pieces():
    for number in range(40):
        yield f"piece {number} ".encode() * 100


def calls():
    for number in range(20):
        yield "GET", f"/orders/{number}?a=1&a=2&b=%2F+x&n={number}", None
        yield "HEAD", f"/orders/{number}?head={number}", None
        yield "POST", "/orders", f'{{"number":{number}}}'.encode()
        yield "PUT", f"/orders/{number}?put", os.urandom(1 << 10)
        yield "DELETE", f"/orders/{number}", None
    yield "POST", "/orders", b""
    yield "POST", "/orders", os.urandom(300 << 10)
    yield "POST", "/orders", os.urandom(900 << 10)
    yield "PATCH", "/orders/chunked", pieces
    yield "GET", "/a%20b/c%2Fd?x=%25&y=%C3%A4", None


def calls_for_haproxy():
    """Without what its client for Lua cannot send, and what its buffer has no room for."""
    for method, target, body in calls():
        if method != "PATCH" and (callable(body) or len(body or b"") <= 100 << 10):
            yield method, target, body


def ask(connection, method, target, body=None):
    sent = body() if callable(body) else body
    connection.request(method, target, body=sent, headers={"Host": NAME}, encode_chunked=callable(body))
    answer = connection.getresponse()
    return answer.status, answer.read()


def connected(front, timeout=TIMEOUT_SECONDS):
    connection = http.client.HTTPConnection(*front, timeout=timeout)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def every_request_arrives_once(here, calls=calls):
    """The primary answers each; the shadow gets the same requests, each once; the ledger is the shadow's own count."""
    with contextlib.closing(connected(here.front)) as connection:
        asked = []
        for method, target, body in calls():
            whole = b"".join(body()) if callable(body) else body or b""
            asked.append((method, target, hashlib.sha256(whole).hexdigest()))
            status, answer = ask(connection, method, target, body)
            expected = b"" if method == "HEAD" else json.dumps(asked[-1]).encode()
            assert (status, answer) == (200, expected), (method, target, status, answer)
    one = here.at_rest(len(asked))
    ledger = one["ledger"]
    assert here.primary.requests() == sorted(asked), "the primary saw something else"
    assert here.shadow.requests() == sorted(asked), set(here.shadow.requests()) ^ set(asked)
    assert ledger["arrived"] == len(asked) and ledger["adds_up"], one
    assert mirrored(one) == one["recorded"] == len(here.shadow.seen), one
    assert not one["not_recorded"] and sum(ledger["not_mirrored"].values()) == 0, one


def answered_within(front, seconds, calls_max):
    """How many calls, one after the other on one connection, are answered in this time."""
    until = time.monotonic() + seconds
    answered = 0
    with contextlib.closing(connected(front, seconds)) as connection:
        while answered < calls_max and (left := until - time.monotonic()) > 0:
            connection.sock.settimeout(left)
            try:
                status, _ = ask(connection, "GET", f"/orders/{answered}")
            except TimeoutError:
                break
            assert status == 200, status
            answered += 1
    return answered


def every_request_it_can_send_arrives_once(here):
    every_request_arrives_once(here, calls_for_haproxy)


def a_stalled_shadow_holds_nobody(here):
    here.shadow.going.clear()
    answered = answered_within(here.front, STALLED_SECONDS_MAX, STALLED_CALLS)
    assert answered == STALLED_CALLS, f"{answered} of {STALLED_CALLS} answered in {STALLED_SECONDS_MAX} s"
    arrived = settled(lambda: (here.status()["ledger"], here.status()["ledger"]["arrived"] == STALLED_CALLS))
    assert arrived["adds_up"] and arrived["pending"] > 0, arrived
    here.shadow.going.set()
    assert mirrored(here.at_rest(STALLED_CALLS)) == len(here.shadow.seen) == STALLED_CALLS


def without_a_sink_it_does(here):
    """What the sink is good for: the same front, mirroring to the stalled shadow itself, nearly stops."""
    here.shadow.going.clear()
    answered = answered_within(here.front, DIRECT_SECONDS, STALLED_CALLS)
    assert answered < DIRECT_CALLS_MAX, f"{answered} calls answered in {DIRECT_SECONDS} s: nothing to show here"


def routed_by_host(here):
    """nginx passes the Host on; Envoy's copy has `name-shadow`: an integration of `name` takes both."""
    with contextlib.closing(connected(here.front)) as connection:
        for number in range(10):
            assert ask(connection, "GET", f"/orders/{number}")[0] == 200
    assert mirrored(here.at_rest(10)) == len(here.shadow.seen) == 10


def stories():
    """Title, story, front and what the world is to be like."""
    by_name = {"match": f'match.host = "{NAME}"'}
    for front in (nginx, envoy):
        yield "every request arrives once", every_request_arrives_once, front, {}
        yield "a stalled shadow holds nobody", a_stalled_shadow_holds_nobody, front, {}
    # `scripts/test` installs it; these stories alone, by hand, do without.
    if os.environ.get("CI") or shutil.which("haproxy") or os.path.exists("/usr/sbin/haproxy"):
        yield "every request it can send arrives once", every_request_it_can_send_arrives_once, haproxy, {}
        yield "a stalled shadow holds nobody", a_stalled_shadow_holds_nobody, haproxy, {}
    else:
        print("SKIP sink behind haproxy: it is not installed (apt-get install haproxy)")
    yield "without a sink a stalled shadow does", without_a_sink_it_does, nginx, {"sink": False}
    yield "routed by host", routed_by_host, nginx, by_name
    yield "routed by host, for all of the suffix -shadow", routed_by_host, envoy, by_name


def run(binary, folder):
    """Tells every story in a world of its own; which held."""
    held = []
    for number, (title, story, front, like) in enumerate(stories()):

        def told(story=story, front=front, like=like, place=folder / f"sink-{number}"):
            with world(front, binary, place, **like) as here:
                story(here)

        held.append(tell(f"sink behind {front.__name__}: {title}", told))
    return held
