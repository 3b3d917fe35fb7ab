"""The tools that load our exports, each started on loopback, and one recorded request asked of each in the same way."""

import contextlib
import http.client
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import urllib.parse

from processes import place, started

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = ROOT / "target" / "outside" / "node" / "node_modules"
HTTPMOCK = ROOT / "target" / "outside" / "httpmock" / "debug" / "httpmock-playback"
MITMDUMP = ROOT / "target" / "outside" / "mitmproxy" / "bin" / "mitmdump"
TIMEOUT_SECONDS = 30
ANSWERED_NOT = "(the connection ended)"


def exchanges(folder):
    """What a plain export holds, by id, sequences in the order of their states."""
    found = []
    for path in sorted((folder / "exchanges").glob("*.json")):
        one = json.loads(path.read_text(encoding="utf-8"))
        for part in (one["answer"], one["recorded"]):
            part["bytes"] = body(folder, part.get("body"))
        found.append(one)
    found.sort(key=lambda one: (one["rank"], one["name"]))
    # What leaves a state is asked for after what stays in it.
    found.sort(key=lambda one: (one["step"]["at"], one["step"]["next"] is not None) if one["step"] else (0, False))
    return {one["id"]: one for one in found}


def body(folder, value):
    if value is None:
        return b""
    return (folder / value["file"]).read_bytes() if isinstance(value, dict) else value.encode()


def asked(one):
    """Method, target, headers and body of the recorded request, and the header that asks for one of several answers."""
    recorded = one["recorded"]
    kept = {"content-type", "accept"}
    headers = {name: value for name, value in recorded["headers"] if name.lower() in kept}
    if "header" in one["ask"]:
        name, value = one["ask"]["header"]
        headers[name] = value
    return recorded["method"], recorded["target"], headers, recorded["bytes"] or None


def expected(one):
    answer = one["answer"]
    if "fault" in answer:
        return ANSWERED_NOT
    return answer["status"], by_name(answer["headers"]), b"" if bodiless(one) else answer["bytes"]


def is_text(one):
    """An archive has no field for other bodies of requests."""
    with contextlib.suppress(UnicodeDecodeError):
        return one["recorded"]["bytes"].decode() is not None
    return False


def bodiless(one):
    return one["recorded"]["method"] == "HEAD" or one["answer"].get("status") in (204, 304)


def by_name(lines):
    """All values of a name in their order; a tool may send them in one line (RFC 9110, section 5.3)."""
    names = {}
    for name, value in lines:
        names.setdefault(name.lower(), []).append(value.strip())
    return names


def ask(front, one, proxied=None):
    """One call; what came back, cut to the headers that were recorded."""
    method, target, headers, sent = asked(one)
    connection = http.client.HTTPConnection(*place(front), timeout=TIMEOUT_SECONDS)
    try:
        connection.putrequest(method, f"{proxied or ''}{target}", skip_host=bool(proxied), skip_accept_encoding=True)
        if proxied:
            connection.putheader("Host", urllib.parse.urlsplit(proxied).netloc)
        for name, value in headers.items():
            connection.putheader(name, value)
        if sent is not None or method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(sent or b"")))
        connection.endheaders(sent)
        answer = connection.getresponse()
        given = by_name(answer.getheaders())
        return answer.status, given, answer.read()
    except (ConnectionError, http.client.HTTPException):
        return ANSWERED_NOT
    finally:
        connection.close()


def trailers(front, one):
    """The field lines after a chunked body, for a client that says it takes them; http.client throws them away."""
    method, target, headers, _ = asked(one)
    lines = [f"{name}: {value}" for name, value in {**headers, "Host": "t", "TE": "trailers", "Connection": "TE, close"}.items()]
    with socket.create_connection(place(front), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall("\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode())
        with connection.makefile("rb") as stream:
            answer = stream.read()
    _, _, after = answer.rpartition(b"\r\n0\r\n")
    found = [line.partition(b":") for line in after.split(b"\r\n") if line]
    return {name.decode().lower(): value.strip().decode() for name, _, value in found}


def end(front, one, timeout_seconds=TIMEOUT_SECONDS):
    """How a call ends: an answer and its status, or `reset`, `empty` (closed without a word) or `timeout`."""
    connection = http.client.HTTPConnection(*place(front), timeout=timeout_seconds)
    try:
        connection.request(one["recorded"]["method"], one["recorded"]["target"])
        answer = connection.getresponse()
        answer.read()
        return "answer", answer.status
    except http.client.RemoteDisconnected:
        return "empty", None
    except ConnectionResetError:
        return "reset", None
    except TimeoutError:
        return "timeout", None
    finally:
        connection.close()


def compare(one, got):
    """What is wrong with an answer, in words; nothing if it is as recorded."""
    wanted = expected(one)
    if ANSWERED_NOT in (wanted, got):
        return "" if wanted == got else f"wanted {str(wanted)[:200]}, got {str(got)[:200]}"
    for part, of, with_ in zip(("status", "headers", "body"), wanted, got, strict=True):
        if part == "headers":
            with_ = {name: with_.get(name) for name in of}
            of, with_ = ({name: ", ".join(values or ["(absent)"]) for name, values in all_.items()} for all_ in (of, with_))
        if of != with_:
            return f"{part}: wanted {str(of)[:300]}, got {str(with_)[:300]}"
    return ""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def installed(package, pattern):
    """A file of a package from npm."""
    found = sorted((NODE / package).glob(pattern))
    if not found:
        raise RuntimeError(f"{package} is not installed: there is no {pattern} in {NODE / package}; scripts/test installs it")
    return found[-1]


@contextlib.contextmanager
def wiremock(folder, place_for):
    jar = installed("wiremock", "build/wiremock-standalone-*.jar")
    root = place_for / "wiremock"
    shutil.copytree(folder, root)
    port = free_port()
    command = ["java", "-jar", jar, "--port", port, "--bind-address", "127.0.0.1", "--root-dir", root]
    with started("wiremock", command, r"port:\s+\d+()", place_for, cwd=place_for):
        yield f"127.0.0.1:{port}", None


@contextlib.contextmanager
def mockserver(place_for):
    """It takes long to start, so it starts once: gives the tool that loads an export into it."""
    jar = installed("mockserver-node", "mockserver-netty-*.jar")
    port = free_port()
    properties = {"localBoundIP": "127.0.0.1", "logLevel": "INFO"}
    given = [f"-Dmockserver.{name}={value}" for name, value in properties.items()]
    command = ["java", "-XX:TieredStopAtLevel=1", *given, "-jar", jar, "-serverPort", port]

    def put(path, body=b""):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        connection.request("PUT", f"/mockserver/{path}", body=body)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        assert answer.status in (200, 201), f"MockServer says {answer.status} to {path}: {said[:2000]}"

    @contextlib.contextmanager
    def loaded(folder, _):
        put("reset")
        put("expectation", (folder / "expectations.json").read_bytes())
        yield f"127.0.0.1:{port}", None

    loaded.__name__ = "mockserver"
    with started("mockserver", command, r"started on port()", place_for, cwd=place_for):
        yield loaded


@contextlib.contextmanager
def mountebank(folder, place_for):
    """Without --noParse: the file is a template then, and must survive it."""
    port, admin = free_port(), free_port()
    imposters = place_for / "imposters.json"
    text = (folder / "imposters.json").read_text(encoding="utf-8")
    imposters.write_text(text.replace('"port": 4545', f'"port": {port}'), encoding="utf-8")
    command = ["node", installed("mountebank", "bin/mb"), "start", "--port", admin, "--host", "127.0.0.1", "--localOnly"]
    command += ["--nologfile", "--pidfile", place_for / "mb.pid", "--configfile", imposters]
    with started("mountebank", command, rf"\[http:{port}[^\n]*Open for business()", place_for, cwd=place_for):
        yield f"127.0.0.1:{port}", None


@contextlib.contextmanager
def httpmock(folder, place_for):
    command = [HTTPMOCK, folder / "httpmock.yaml"]
    with started("httpmock", command, r"mocks on http://(\S+)", place_for, stdin=subprocess.PIPE) as (_, front):
        yield front, None


def mitmproxy(archive):
    @contextlib.contextmanager
    def of(folder, place_for):
        command = [MITMDUMP, "--mode", "regular", "--listen-host", "127.0.0.1", "-p", "0"]
        command += ["--server-replay", folder / archive]
        options = {"server_replay_reuse": "false", "server_replay_extra": "404", "connection_strategy": "lazy"}
        for name, value in {**options, "confdir": place_for / "conf"}.items():
            command += ["--set", f"{name}={value}"]
        with started("mitmproxy", command, r"proxy listening at (\S+?)\.?\s", place_for) as (_, front):
            yield front, base_url(folder / archive)

    of.__name__ = f"mitmproxy, {archive}"
    return of


def base_url(archive):
    first = json.loads(archive.read_text(encoding="utf-8"))["log"]["entries"][0]["request"]["url"]
    return "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(first))


def stub(binary, *more):
    @contextlib.contextmanager
    def of(folder, place_for):
        command = [binary, "stub", folder, "--listen", "127.0.0.1:0", *more]
        with started("stub", command, r"fixtures on http://(\S+)", place_for) as (_, front):
            yield front, None

    of.__name__ = "darklaunch stub"
    return of


def vcrpy(folder, cassette, all_, client):
    """Replays in this process, with the companion's matchers; what is wrong with each answer."""
    import vcr  # only here, so that the other tools do without it

    sys.path.insert(0, str(folder))
    try:
        import darklaunch_vcr

        recorder = darklaunch_vcr.configured(vcr.VCR())
        with recorder.use_cassette(str(folder / cassette), record_mode="none") as tape:
            wrong = [(one["name"], compare(one, client(one))) for one in all_]
            if not tape.all_played:
                wrong.append((cassette, f"{tape.play_count} played of {len(tape)}"))
        return wrong
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("darklaunch_vcr", None)


def with_requests(base):
    import requests

    def client(one):
        method, target, headers, sent = asked(one)
        answer = requests.request(method, base + target, headers=headers, data=sent, allow_redirects=False, timeout=9)
        return answer.status_code, by_name(lines_of(answer.raw.headers)), answer.content

    return client


def lines_of(headers):
    return [(name, value) for name in headers for value in headers.getlist(name)]


def with_httpx(base):
    import httpx

    def client(one):
        method, target, headers, sent = asked(one)
        with httpx.Client(timeout=9) as session:
            answer = session.request(method, base + target, headers=headers, content=sent)
        lines = [(name.decode(), value.decode("latin-1")) for name, value in answer.headers.raw]
        return answer.status_code, by_name(lines), answer.content

    return client


def har_validator(archive):
    """What har-validator says of an archive; nothing if it is valid."""
    script = (
        "require(process.argv[1]).har(JSON.parse(require('fs').readFileSync(process.argv[2])))"
        ".then(() => {}, error => { console.log(JSON.stringify(error.errors)); process.exitCode = 1; })"
    )
    command = ["node", "-e", script, NODE / "har-validator", archive]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=60)
    return (done.stdout + done.stderr).strip() if done.returncode else ""


