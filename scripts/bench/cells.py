"""One cell: one contender under one load, with everything that is measured of it."""

import json
import os
import subprocess
import time

import contenders
import ledger
import machine
import prepare

# A cell is disturbed when others took this share of all cores.
FOREIGN_MAX = 0.05
POLL_S = 0.25


class Load:
    """What to send. `rate` 0 sends as fast as the connections go."""

    def __init__(self, post=None, answer=1024, rate=0, connections=32, seconds=3.0, warmup=0.5):
        self.post, self.answer, self.rate = post, answer, rate
        self.connections, self.seconds, self.warmup = connections, seconds, warmup

    def command(self, port, prefix):
        command = [*prefix, prepare.TOOL, "load", "--server", f"127.0.0.1:{port}", "--rate", str(self.rate)]
        command += ["--connections", str(self.connections), "--seconds", str(self.seconds), "--warmup", str(self.warmup)]
        command += ["--answer", str(self.answer)]
        return command + (["--post", str(self.post)] if self.post else [])


class Bench:
    """What all cells share."""

    def __init__(self, found, work, retries):
        self.found, self.work, self.retries = found, work, retries
        self.primary, self.shadow = contenders.Upstream(), contenders.Upstream()
        self.prefix = prepare.real_time()
        self.violations = []
        # Contenders of which a cell could not be measured, with the last reason.
        self.broken = {}

    def close(self):
        contenders.end(self.primary.process)
        contenders.end(self.shadow.process)

    def cell(self, name, load, **more):
        """Measures a cell; again when it was disturbed, and keeps the attempt that was disturbed least. `None` when the
        contender could not be measured: said, counted and no reason to lose the other cells."""
        best = None
        for _ in range(1 + self.retries):
            try:
                found = Cell(self, name, load, **more).run()
            except RuntimeError as error:
                self._broken(name, str(error))
                return best
            if best is None or found["foreign_share"] < best["foreign_share"]:
                best = found
            if best["foreign_share"] <= FOREIGN_MAX:
                break
        return best

    def _broken(self, name, why):
        prepare.say(f"NOT MEASURED: {why}")
        if name.startswith("darklaunch"):
            self.violations.append(why)
        else:
            self.broken[name] = why


class Cell:
    """`timeline`: (seconds after the load's start, what to do). `beside`: a process to run during the load."""

    def __init__(self, bench, name, load, mode="ok", timeline=(), beside=None, store_folder=None, before=None, lossy=False):
        self.bench, self.name, self.load, self.mode = bench, name, load, mode
        self.timeline, self.beside, self.before, self.lossy = list(timeline), beside, before, lossy
        self.contender = contenders.Contender(name, bench.found, bench.primary, bench.shadow, bench.work, store_folder)
        self.marks = {}

    def run(self):
        shadow = self.bench.shadow
        shadow.mode("ok")
        received_before = shadow.counts()["received_total"]
        with self.contender as contender:
            leader = contender.process.pid if contender.process else None
            pids = machine.group(leader) if leader else []
            idle_rss, _ = machine.rss_bytes(pids)
            idle_descriptors = machine.descriptors(pids)
            shadow.mode(self.mode)
            if self.before:
                self.before(contender)
            busy, own, cpu = machine.busy_s(), self._own_s(pids), machine.cpu_s(pids)
            began = time.monotonic()
            load, peak_descriptors = self._load(contender, pids)
            took = time.monotonic() - began
            foreign = (machine.busy_s() - busy) - (self._own_s(pids) - own)
            if contender.process and contender.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended under load")
            result = {
                "contender": self.name,
                "load": load,
                "foreign_share": round(max(foreign, 0) / took / machine.CORES, 3),
                "marks": self.marks,
            }
            if contender.is_darklaunch():
                result |= self._ledger(contender, load, received_before)
            else:
                time.sleep(0.3)
                result["shadow_received"] = shadow.counts()["received_total"] - received_before
            # After the rest: what was put off counts as well.
            spent = machine.cpu_s(pids) - cpu
            _, peak_rss = machine.rss_bytes(pids)
            result["cpu_s_per_10k"] = round(spent * 1e4 / max(load["answered"], 1), 3) if pids else None
            result["rss_idle_mib"] = round(idle_rss / 2**20, 1)
            result["rss_peak_mib"] = round(peak_rss / 2**20, 1)
            result["descriptors_idle"], result["descriptors_peak"] = idle_descriptors, peak_descriptors
        shadow.mode("ok")
        return result

    def _own_s(self, pids):
        stand_ins = [self.bench.primary.process.pid, self.bench.shadow.process.pid]
        # Waited-for children of this process are the generators.
        return machine.cpu_s([*pids, *stand_ins, os.getpid()])

    def _load(self, contender, pids):
        prefix = self.bench.prefix if self.load.rate else []
        beside = subprocess.Popen(self.beside(contender), stdout=subprocess.DEVNULL) if self.beside else None
        generator = subprocess.Popen(self.load.command(contender.traffic, prefix), stdout=subprocess.PIPE, text=True)
        began, peak, steps = time.monotonic(), 0, list(self.timeline)
        while generator.poll() is None:
            now = time.monotonic() - began
            while steps and steps[0][0] <= now:
                steps.pop(0)[1](self)
            peak = max(peak, machine.descriptors(pids))
            wait = min(POLL_S, steps[0][0] - now) if steps else POLL_S
            try:
                generator.wait(max(wait, 0.001))
            except subprocess.TimeoutExpired:
                pass
        text = generator.stdout.read()
        if beside:
            beside.wait()
        if generator.returncode != 0:
            raise RuntimeError(f"the generator failed on {self.name}")
        return json.loads(text), peak

    def mark(self, name):
        """Keeps what the shadow has counted at this moment."""
        self.marks[name] = {"at_s": time.monotonic(), "received": self.bench.shadow.counts()["received_total"]}

    def _ledger(self, contender, load, received_before):
        shadow = self.bench.shadow
        if self.mode == "refuse":
            pass  # refused calls end by themselves
        elif self.mode in ("slow", "stall", "drip"):
            shadow.mode("ok")  # lets go of what waits, so that the books can be closed
        now, drained_s = ledger.settled(self.bench.found["darklaunch"], contender.console)
        received = shadow.counts()["received_total"] - received_before
        for text in ledger.violations(now, received, load["answered"], self.lossy):
            where = f"{self.name}, shadow {self.mode}, {self.load.rate or 'saturation'}"
            prepare.say(f"LEDGER VIOLATION ({where}): {text}")
            self.bench.violations.append(f"{where}: {text}")
        return {"ledger": now, "drained_s": round(drained_s, 2), "shadow_received": received}
