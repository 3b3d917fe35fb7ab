"""The alert rules, judged by Prometheus' own promtool: what they say, and when they fire."""

import json
import shutil
import subprocess

from processes import tell

CONFIG = """[listen]
traffic = "127.0.0.1:0"

[integrations.payments]
match.path_prefix = "/"
shadow.url = "http://127.0.0.1:9"
review.owner = "team payments"
provider.support = "support@new.example"
provider.status_page = "status.new.example"
"""

# Each minute: failing calls and all calls, as the counters rise.
TEST = """rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'darklaunch_mirrored_total{integration="payments",outcome="server_5xx"}'
        values: "%(bad)s"
      - series: 'darklaunch_mirrored_total{integration="payments",outcome="ok"}'
        values: "0+90x60"
    alert_rule_test:
      - eval_time: 40m
        alertname: DarklaunchProviderFails
        exp_alerts: [%(expected)s]
"""

FIRES = """{exp_labels: {severity: page, integration: payments}, exp_annotations: {
  summary: "payments: more than 5.0 %% of the calls to the new provider fail since 10 minutes",
  remedy: "look at the provider's status page, then call its support; your users are not affected",
  owner: "team payments", support: "support@new.example", status_page: "status.new.example"}}"""


def run(binary, folder):
    """Tells every story; whether each held."""
    folder = folder / "alerts"
    folder.mkdir()
    (folder / "darklaunch.toml").write_text(CONFIG)
    rules = subprocess.run([binary, "alerts"], cwd=folder, capture_output=True, check=True).stdout
    (folder / "rules.yml").write_bytes(rules)
    stories = [
        ("promtool accepts the rules", rules_are_accepted),
        ("failures alert when they last, and not before", failures_alert),
        ("the dashboard is JSON with the provider's contacts", dashboard_is_json),
    ]
    return [tell(f"alerts: {title}", story, binary, folder) for title, story in stories]


def promtool(folder, *arguments):
    assert shutil.which("promtool"), "promtool is missing; scripts/test installs it"
    done = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules_are_accepted(_, folder):
    assert "9 rules found" in promtool(folder, "check", "rules", "rules.yml")


def failures_alert(_, folder):
    cases = {"0+10x60": FIRES.replace("%%", "%"), "0+1x60": "", "0+0x20 10 20 30 40 40x40": ""}
    for bad, expected in cases.items():
        (folder / "test.yml").write_text(TEST % {"bad": bad, "expected": expected})
        promtool(folder, "test", "rules", "test.yml")


def dashboard_is_json(binary, folder):
    line = [binary, "alerts", "--dashboard", "payments"]
    board = json.loads(subprocess.run(line, cwd=folder, capture_output=True, check=True).stdout)
    assert "status.new.example" in board["panels"][0]["options"]["content"]
    assert all(panel.get("targets") for panel in board["panels"][1:])
    unknown = subprocess.run([*line[:-1], "payment"], cwd=folder, capture_output=True, check=False)
    assert unknown.returncode == 2 and b"configured are: payments" in unknown.stderr, unknown
