"""Export to a collector over a real socket, decoded with OpenTelemetry's own message definitions."""

import base64
import contextlib
import http.server
import json
import re
import subprocess
import threading
import time
import urllib.request

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from processes import ANY_PORT, started, tell

PLANTED = "anna.planted@example.org"
CONFIG = """[listen]
traffic = "{any}"
console = "{any}"

[otlp]
endpoint = "http://{collector}"
headers = {{ x-tenant = "payments" }}
interval = "300ms"

[integrations.payments]
match.path_prefix = "/"
primary.url = "http://{upstream}"
shadow.url = "http://{upstream}/new"
mirror.enabled = true
mirror.endpoints = ["GET /customers/{{id}}"]
"""


class Server(http.server.BaseHTTPRequestHandler):
    """Collector and provider in one: keeps what is posted, answers what is asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.answer(self.server.status)

    def do_GET(self):
        self.answer(500 if self.path.startswith("/new") and "fail" in self.path else 200)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def server(status=200):
    own = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    own.got, own.status, own.address = [], status, f"127.0.0.1:{own.server_port}"
    threading.Thread(target=own.serve_forever, daemon=True).start()
    try:
        yield own
    finally:
        own.shutdown()


def run(binary, folder):
    """Tells every story; whether each held."""
    folder = folder / "otlp"
    folder.mkdir()
    stories = [
        ("metrics and traces decode, agree with the scrape, and carry nothing of a request", decodes),
        ("a collector that refuses costs nothing but counts", refuses),
    ]
    return [tell(f"otlp: {title}", story, binary, folder) for title, story in stories]


@contextlib.contextmanager
def recorder(binary, folder, collector, upstream):
    text = CONFIG.format(any=ANY_PORT, collector=collector, upstream=upstream)
    (folder / "darklaunch.toml").write_text(text)
    pattern = r"traffic on http://(\S+)\n.*console on http://(\S+)\n"
    with started("recorder", [binary, "run", "--config", folder / "darklaunch.toml"], pattern, folder) as (_, traffic, console, *_):
        yield traffic, console


def ask(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def eventually(what, look):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


def bytes_as_protobuf_has_them(value):
    """OTLP/JSON writes ids in hex, where Protobuf's JSON has base64."""
    if isinstance(value, dict):
        ids = {"traceId", "spanId", "parentSpanId"}
        return {
            key: base64.b64encode(bytes.fromhex(one)).decode() if key in ids else bytes_as_protobuf_has_them(one)
            for key, one in value.items()
        }
    return [bytes_as_protobuf_has_them(one) for one in value] if isinstance(value, list) else value


def as_older_text(scrape):
    """What promtool reads is the format before OpenMetrics, in which a counter's family carries `_total` too."""
    kinds = dict(re.findall(r"# TYPE (\S+) (\S+)", scrape))
    ends = {"counter": "_total", "info": "_info"}
    lines = []
    for line in scrape.splitlines():
        head = re.match(r"# (HELP|TYPE) (\S+) (.*)", line)
        if head:
            what, name, rest = head.groups()
            lines.append(f"# {what} {name}{ends.get(kinds[name], '')} {'gauge' if rest == 'info' else rest}")
        elif not line.startswith("#"):
            lines.append(line)
    return "\n".join(lines) + "\n"


def attributes(of):
    return {one.key: one.value.string_value or one.value.int_value for one in of.attributes}


def spans_of(collector):
    found = []
    for path, headers, body in list(collector.got):
        assert headers["x-tenant"] == "payments" and headers["content-type"] == "application/json", headers
        assert PLANTED not in body.decode() and "planted" not in body.decode()
        if path == "/v1/traces":
            message = ExportTraceServiceRequest()
            json_format.ParseDict(bytes_as_protobuf_has_them(json.loads(body)), message)
            found += [span for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans]
    return found


def decodes(binary, folder):
    with server() as collector, server() as upstream, recorder(binary, folder, collector.address, upstream.address) as (
        traffic,
        console,
    ):
        for n in range(20):
            kind = "fail" if n % 4 == 0 else "good"
            ask(f"http://{traffic}/customers/{kind}-{PLANTED}?mail={PLANTED}&n={n}")
        spans = eventually("traces", lambda: len(spans_of(collector)) >= 60 and spans_of(collector))
        assert len(spans) == 60, len(spans)
        roots = {span.trace_id: span for span in spans if not span.parent_span_id}
        calls = [span for span in spans if span.parent_span_id]
        assert len(roots) == 20 and len(calls) == 40
        for span in calls:
            about = attributes(span)
            assert span.parent_span_id == roots[span.trace_id].span_id and len(span.span_id) == 8
            assert about["url.template"] == "/customers/{id}" and about["http.request.method"] == "GET", about
            assert f"{about['server.address']}:{about['server.port']}" == upstream.address, about
            failed = about["darklaunch.outcome"] == "server_5xx"
            assert span.status.code == (2 if failed else 0) and span.kind == 3, span
            assert about["http.response.status_code"] == (500 if failed else 200), about
            assert span.end_time_unix_nano > span.start_time_unix_nano
        failed = [span for span in calls if span.status.code == 2]
        assert len(failed) == 5 and all(attributes(span)["darklaunch.role"] == "shadow" for span in failed)

        line = 'http_client_request_duration_seconds_count{integration="payments",role="shadow",outcome="server_5xx"'

        def scraped():
            scrape = ask(f"http://{console}/metrics")
            return scrape if any(one.startswith(line) and one.endswith(" 5") for one in scrape.splitlines()) else None

        scrape = eventually(line, scraped)

        lint = subprocess.run(["promtool", "check", "metrics"], input=as_older_text(scrape), capture_output=True, text=True, check=False)
        assert lint.returncode == 0 and not lint.stderr, lint.stdout + lint.stderr

        def metrics():
            body = [body for path, _, body in list(collector.got) if path == "/v1/metrics"][-1]
            message = ExportMetricsServiceRequest()
            json_format.ParseDict(bytes_as_protobuf_has_them(json.loads(body)), message)
            (resource,) = message.resource_metrics
            assert attributes(resource.resource)["service.name"] == "darklaunch"
            return {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}

        def full():
            found = metrics()
            points = found["http.client.request.duration"].histogram.data_points
            counted = {(attributes(one)["role"], attributes(one)["outcome"]): one for one in points}
            return counted.get(("shadow", "server_5xx")) and counted[("shadow", "server_5xx")].count == 5 and found

        found = eventually("metrics", full)
        for point in found["http.client.request.duration"].histogram.data_points:
            about = attributes(point)
            # What the conventions call required, and `error.type` where the call failed.
            assert f"{about['server.address']}:{about['server.port']}" == upstream.address, about
            assert about["http.request.method"] == "GET" and ("error.type" in about) == (about["outcome"] != "ok"), about
        for metric in found.values():
            assert metric.WhichOneof("data") in {"sum", "gauge", "histogram"}, metric
            for point in metric.histogram.data_points:
                assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
                assert sum(point.bucket_counts) == point.count
        (requests,) = found["darklaunch.requests"].sum.data_points
        assert requests.as_int == 20 and found["darklaunch.requests"].sum.is_monotonic


def refuses(binary, folder):
    folder = folder / "refuses"
    folder.mkdir()
    with server(400) as collector, server() as upstream, recorder(
        binary, folder, collector.address, upstream.address
    ) as (traffic, console):
        for n in range(5):
            ask(f"http://{traffic}/customers/{n}")
        line = 'darklaunch_deliveries_total{receiver="otlp_traces",result="refused"} 5'
        eventually(line, lambda: line in ask(f"http://{console}/metrics"))
