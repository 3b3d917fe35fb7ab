"""The result as Markdown."""

from contenders import LABELS
from figures import Figures
from targets import rows

# A cell in which others took more of the cores than this is marked.
FOREIGN_MARKED = 0.10

COLUMNS = {
    "saturation": ["calls_per_s", "p50_us", "p99_us", "cpu_s_per_10k", "rss_peak_mib", "shed_share", "bad"],
    "everything": ["calls_per_s", "p50_us", "p99_us", "cpu_s_per_10k", "rss_peak_mib", "shed_share", "bad"],
    "fixed": ["p50_us", "p99_us", "p999_us", "cpu_s_per_10k", "rss_peak_mib", "descriptors_peak", "late_sends", "bad"],
    "faults": ["p50_us", "p99_us", "p999_us", "cpu_s_per_10k", "rss_peak_mib", "descriptors_peak", "late_sends", "bad"],
    "stall": ["p50_us", "p99_us", "p999_us", "rss_above_idle_mib", "descriptors_peak", "late_sends", "bad"],
    "recovery": ["p50_us", "p99_us", "onset_p99_us", "recovery_p99_us", "copies_again", "bad"],
    "disk": ["p50_us", "p99_us", "p999_us", "cpu_s_per_10k", "late_sends", "bad"],
    "console": ["p50_us", "p99_us", "p999_us", "cpu_s_per_10k", "late_sends", "bad"],
}
TITLES = {
    "saturation": "Saturation, 32 connections",
    "everything": "Everything mirrored, redacted and recorded: the highest rate without a shed call, beside peers at saturation",
    "fixed": "Fixed rate, POST 1 KiB",
    "faults": "Faults of the shadow, POST 1 KiB, 1 000 calls/s",
    "stall": "A long stall of the shadow, 1 000 calls/s",
    "recovery": "Recovery of the shadow, 1 000 calls/s",
    "disk": "A full disk, 1 000 calls/s",
    "console": "Twenty browsers on the console, 1 000 calls/s",
}
HEADS = {
    "calls_per_s": "calls/s", "p50_us": "p50 µs", "p99_us": "p99 µs", "p999_us": "p99.9 µs",
    "cpu_s_per_10k": "CPU s / 10 k", "rss_peak_mib": "peak MiB", "rss_above_idle_mib": "MiB above idle",
    "descriptors_peak": "descriptors", "late_sends": "late", "bad": "failed", "shed_share": "shed",
    "onset_p99_us": "p99 µs in the stall", "recovery_p99_us": "p99 µs after", "copies_again": "copies again",
}
SHARES = ("shed_share", "copies_again")
# Where a ratio to a base says more than the figure: scenario → (figure, base).
RATIOS = {
    "saturation": ("calls_per_s", "nginx"),
    "fixed": ("p99_us", "nginx"),
    "faults": ("p99_us", "darklaunch_off"),
    "disk": ("p99_us", "darklaunch_off"),
    "console": ("p99_us", "darklaunch_off"),
}


def markdown(facts, results, violations):
    figures = Figures(results)
    parts = ["# darklaunch benchmark", "", header(facts), "", targets(figures, facts["partial"]), ""]
    for scenario in COLUMNS:
        if figures.cases(scenario):
            parts += [table(figures, scenario), ""]
    parts += [ledger(results, violations), ""]
    return "\n".join(parts)


def header(facts):
    of = facts["machine"]
    lines = [
        f"{of['date']}, {of['cores']} cores ({of['cpu']}), {of['memory_gib']} GiB, kernel {of['kernel']}, loopback; "
        f"`{facts['command']}`, {facts['repeats']} repeats of {facts['seconds']} s, interleaved.",
        "Figures are medians over the repeats, ratios are medians of the ratios within a repeat. "
        f"Generator at real-time priority: {'yes' if facts['real_time'] else 'NO, tails are noisier'}. "
        f"`*`: others took more than {FOREIGN_MARKED:.0%} of the cores during a cell. Failed: bad answer or none by the end.",
        "darklaunch's breaker is off, so that faults reach the mirror. It has no mirroring without recording, "
        "so there is no such row. mitmproxy does not reach 1 000 calls/s and is left out at fixed rates.",
    ]
    lines += [f"**Skipped: {name}**: {why}." for name, why in facts["skipped"].items()]
    return "\n\n".join(lines)


def targets(figures, partial):
    """With `partial` the targets of what was not asked for are left out."""
    lines = ["## Targets", "", "| | measured | target | |", "|---|---|---|---|"]
    for row in rows(figures):
        if partial and row["value"] is None:
            continue
        value = "not measured" if row["value"] is None else f"{row['value']:.2f} {row['unit']}".strip()
        sense = "≤" if row["sense"] == "<=" else "≥"
        verdict = {None: "–", True: "met", False: "**not met**"}[row["met"]]
        lines.append(f"| {row['what']} | {value} | {sense} {row['target']:g} {row['unit']}".rstrip() + f" | {verdict} |")
    return "\n".join(lines)


def table(figures, scenario):
    columns = COLUMNS[scenario]
    figure, base = RATIOS.get(scenario, (None, None))
    heads = [HEADS[name] for name in columns]
    if figure:
        heads.append(f"{HEADS[figure].removesuffix(' µs')} / {LABELS[base]}")
    lines = [f"## {TITLES[scenario]}", "", "| | | " + " | ".join(heads) + " |", "|---" * (len(heads) + 2) + "|"]
    for case in figures.cases(scenario):
        for contender in figures.contenders(scenario):
            if not figures.cells(scenario, case, contender):
                continue
            cells = [shown(name, figures.value(scenario, case, contender, name)) for name in columns]
            if figure:
                ratio = figures.ratio(scenario, case, contender, base, figure)
                cells.append("–" if ratio is None else f"{ratio:.2f}")
            mark = "*" if figures.worst_foreign(scenario, case, contender) > FOREIGN_MARKED else ""
            lines.append(f"| {case} | {LABELS[contender]}{mark} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shown(name, value):
    if value is None:
        return "–"
    if name in SHARES:
        return f"{value:.1%}"
    if name == "cpu_s_per_10k":
        return f"{value:.2f}"
    return f"{value:,.0f}".replace(",", " ")


def ledger(results, violations):
    checked = [r for r in results if "ledger" in r]
    arrived = sum(r["ledger"]["arrived"] for r in checked)
    lines = ["## Ledger", "", f"{len(checked)} runs of darklaunch, {arrived} calls: each in exactly one state, what was "
             "mirrored counted by the shadow as well, what was taken recorded or counted as lost."]
    if violations:
        lines = ["## Ledger", "", f"**{len(violations)} VIOLATIONS**", ""] + [f"- {text}" for text in violations]
    return "\n".join(lines)
