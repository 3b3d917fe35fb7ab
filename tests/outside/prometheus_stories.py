"""The metrics as a real Prometheus scrapes them: classic histograms by default, native ones where it asks for them."""

import contextlib
import http.client
import json
import shutil
import socket
import urllib.parse

from otlp_stories import ask, eventually, recorder, server
from processes import started, tell

CALLS = 40
CONFIG = """global:
  scrape_interval: 1s
scrape_configs:
  - job_name: darklaunch
    static_configs:
      - targets: ["{console}"]
"""
NAME = 'http_client_request_duration_seconds{part}{{role="primary",outcome="ok"}}'


def run(binary, folder):
    """Tells every story; whether each held."""
    if not shutil.which("prometheus"):
        print("FAIL prometheus: the server is not installed; scripts/test installs it")
        return [False]
    folder = folder / "prometheus"
    folder.mkdir()
    title = "a real server takes native histograms where it asks for them, and classic ones otherwise"
    return [tell(f"prometheus: {title}", scrapes, binary, folder)]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def prometheus(name, console, folder, *more):
    config, port = folder / f"{name}.yml", free_port()
    config.write_text(CONFIG.format(console=console))
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / name}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", *more]
    with started(name, command, r"(Server is ready to receive web requests)", folder):
        yield port


def query(port, expression):
    """The only row's value; none while there is no row."""
    told = json.loads(ask(f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(expression)}"))
    rows = told["data"]["result"]
    return float(rows[0]["value"][1]) if len(rows) == 1 else None


def answer_of(console, accept):
    connection = http.client.HTTPConnection(console, timeout=10)
    connection.request("GET", "/metrics", headers={"Accept": accept})
    answer = connection.getresponse()
    return answer.headers["content-type"], answer.read()


def scrapes(binary, folder):
    with server() as collector, server() as upstream, recorder(binary, folder, collector.address, upstream.address) as (
        traffic,
        console,
    ):
        for n in range(CALLS):
            ask(f"http://{traffic}/customers/{n}")
        native = ["--enable-feature=native-histograms"]
        with prometheus("classic", console, folder) as classic, prometheus("native", console, folder, *native) as sparse:
            count = NAME.format(part="_count")
            eventually("the classic count", lambda: query(classic, count) == CALLS)
            eventually("the native count", lambda: query(sparse, f"histogram_count({NAME.format(part='')})") == CALLS)
            # With native ones the server keeps no classic series, unless told to.
            assert query(sparse, count) is None and query(classic, NAME.format(part="")) is None
            shown = query(sparse, f"histogram_sum({NAME.format(part='')})")
            summed = query(classic, NAME.format(part="_sum"))
            assert abs(shown - summed) < 1e-9, (shown, summed)
            # Nothing lasts longer than all calls together; the classic bucket of 5 ms could not say more than its bound.
            half = query(sparse, f"histogram_quantile(0.5, {NAME.format(part='')})")
            least, most = summed / CALLS / 100, summed * 1.1
            assert least < half < most, (least, half, most)
            eventually("our own delay", lambda: query(sparse, "histogram_count(darklaunch_added_delay_seconds)") == CALLS)
        kind, _ = answer_of(console, "text/plain")
        assert kind.startswith("application/openmetrics-text"), kind
