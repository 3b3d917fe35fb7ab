"""What /proc tells: CPU, memory and descriptors of processes, and how much of the machine others used."""

import os
import platform
import time

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1


def describe():
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    memory_kib = int(open("/proc/meminfo", encoding="utf-8").readline().split()[1])
    return {
        "cores": CORES,
        "cpu": model,
        "memory_gib": round(memory_kib / 2**20, 1),
        "kernel": platform.release(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def _stat(pid):
    """Fields of /proc/PID/stat from the state on; None when it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None


def group(leader):
    """The processes of a process group."""
    pids = []
    for name in os.listdir("/proc"):
        fields = _stat(name) if name.isdigit() else None
        if fields and int(fields[2]) == leader:
            pids.append(int(name))
    return pids


def cpu_s(pids):
    """User and system seconds of these processes with all their threads and the children they have waited for."""
    total = 0
    for pid in pids:
        fields = _stat(pid)
        if fields:
            total += sum(int(field) for field in fields[11:15])
    return total / TICKS_PER_S


def rss_bytes(pids):
    """Resident now and at the peak."""
    now = peak = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                for line in file:
                    if line.startswith("VmRSS:"):
                        now += int(line.split()[1]) * 1024
                    elif line.startswith("VmHWM:"):
                        peak += int(line.split()[1]) * 1024
        except OSError:
            pass
    return now, peak


def descriptors(pids):
    total = 0
    for pid in pids:
        try:
            total += len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            pass
    return total


def busy_s():
    """Seconds that all cores together spent on processes of anyone, and that the hypervisor took. Interrupts belong to
    no process and are left out."""
    with open("/proc/stat", encoding="utf-8") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
    user, nice, system, steal = fields[0], fields[1], fields[2], fields[7]
    return (user + nice + system + steal) / TICKS_PER_S
