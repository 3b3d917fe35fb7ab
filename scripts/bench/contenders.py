"""The proxies that are compared, each started anew for each cell, and the stand-in providers behind them."""

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time

import prepare

CONF = os.path.join(prepare.HERE, "conf")
READY_S = 20
# Which program each contender needs; darklaunch and direct need none from elsewhere.
NEEDS = {
    "direct": None,
    "nginx": "nginx",
    "nginx_mirror": "nginx",
    "envoy": "envoy",
    "envoy_mirror": "envoy",
    "haproxy": "haproxy",
    "mitmproxy": "mitmproxy",
    "darklaunch_off": None,
    "darklaunch_rec": None,
    "darklaunch_all": None,
}
LABELS = {
    "direct": "direct",
    "nginx": "nginx plain",
    "nginx_mirror": "nginx mirror",
    "envoy": "Envoy plain",
    "envoy_mirror": "Envoy mirror",
    "haproxy": "HAProxy plain",
    "mitmproxy": "mitmproxy recording",
    "darklaunch_off": "darklaunch, mirroring off",
    "darklaunch_rec": "darklaunch, recording",
    "darklaunch_all": "darklaunch, recording, nothing shed",
}
MIRROR_POLICY = ", request_mirror_policies: [{ cluster: shadow }]"
# Far above what the load can fill: whatever is shed is then shed for lack of speed.
NO_LIMITS = 'mirror.queue = 200000\nmirror.in_flight = 256\nmirror.memory = "2GiB"'


def free_port():
    """A port that nobody has, below the range from which the kernel gives outgoing connections theirs."""
    for _ in range(1000):
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def get(port, path, timeout_s=5):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def end(process):
    """Ends a process and its group, and waits for it."""
    for kind, patience_s in ((signal.SIGTERM, 15), (signal.SIGKILL, 10)):
        if process.poll() is None:
            try:
                os.killpg(process.pid, kind)
                process.wait(patience_s)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Upstream:
    """A stand-in provider."""

    def __init__(self):
        self.port, self.control = free_port(), free_port()
        command = [prepare.TOOL, "upstream", "--listen", f"127.0.0.1:{self.port}", "--control", f"127.0.0.1:{self.control}"]
        self.process = subprocess.Popen(command, start_new_session=True)
        deadline = time.monotonic() + READY_S
        while True:
            try:
                self.counts()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError("a stand-in provider did not start") from None
                time.sleep(0.05)

    def counts(self):
        return json.loads(get(self.control, "/counts")[1])

    def mode(self, name):
        status, body = get(self.control, f"/mode/{name}")
        if status != 200:
            raise RuntimeError(f"a stand-in provider cannot go to {name}: {body.decode()}")
        return json.loads(body)


class Contender:
    """One proxy under measurement, running from `with` to its end."""

    def __init__(self, name, found, primary, shadow, work, store_folder=None):
        self.name, self.found, self.primary, self.shadow = name, found, primary, shadow
        self.traffic = primary.port if name == "direct" else free_port()
        self.console = free_port()
        self.folder = os.path.join(work, f"{name}-{self.traffic}")
        self.store_folder = store_folder or self.folder
        self.process = None
        self.log = None

    def __enter__(self):
        if self.name == "direct":
            return self
        os.makedirs(self.folder)
        self.log = open(os.path.join(self.folder, "log"), "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            self._command(), cwd=self.folder, stdout=self.log, stderr=self.log, start_new_session=True
        )
        try:
            self._wait_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            end(self.process)
            self.log.close()
            shutil.rmtree(self.folder, ignore_errors=True)
        return False

    def is_darklaunch(self):
        return self.name.startswith("darklaunch")

    def _command(self):
        of = self.found
        match self.name:
            case "nginx":
                return [of["nginx"], "-c", self._conf("nginx.conf")]
            case "nginx_mirror":
                return [of["nginx"], "-c", self._conf("nginx-mirror.conf")]
            case "envoy" | "envoy_mirror":
                conf = self._conf("envoy.yaml", MIRROR=MIRROR_POLICY if self.name == "envoy_mirror" else "")
                return [of["envoy"], "-c", conf, "--concurrency", "2", "--disable-hot-restart", "-l", "error"]
            case "haproxy":
                return [of["haproxy"], "-f", self._conf("haproxy.cfg")]
            case "mitmproxy":
                mode = f"reverse:http://127.0.0.1:{self.primary.port}"
                flows = os.path.join(self.folder, "flows")
                return [of["mitmproxy"], "--mode", mode, "--listen-host", "127.0.0.1", "-p", str(self.traffic), "-q", "-w", flows]
            case _:
                enabled = "false" if self.name == "darklaunch_off" else "true"
                limits = NO_LIMITS if self.name == "darklaunch_all" else ""
                conf = self._conf("darklaunch.toml", ENABLED=enabled, LIMITS=limits)
                return [of["darklaunch"], "run", "--config", conf]

    def _conf(self, template, **more):
        with open(os.path.join(CONF, template), encoding="utf-8") as file:
            text = file.read()
        values = {
            "FOLDER": self.folder,
            "STORE": os.path.join(self.store_folder, "darklaunch.db"),
            "TRAFFIC": self.traffic,
            "CONSOLE": self.console,
            "PRIMARY": self.primary.port,
            "SHADOW": self.shadow.port,
            **more,
        }
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        path = os.path.join(self.folder, template)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def _wait_ready(self):
        deadline = time.monotonic() + READY_S
        while True:
            try:
                if get(self.traffic, "/answers/1024/customers/0")[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.log.seek(0)
                raise RuntimeError(f"{self.name} did not start: {self.log.read()[-2000:]}")
            time.sleep(0.05)
