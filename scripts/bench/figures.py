"""Medians over repeats, and medians of ratios within a repeat."""

from statistics import median


class Figures:
    """Looks results up by scenario, case and contender."""

    def __init__(self, results):
        self.results = results

    def cells(self, scenario, case, contender):
        return [r for r in self.results if (r["scenario"], r["case"], r["contender"]) == (scenario, case, contender)]

    def cases(self, scenario):
        return list(dict.fromkeys(r["case"] for r in self.results if r["scenario"] == scenario))

    def contenders(self, scenario):
        return list(dict.fromkeys(r["contender"] for r in self.results if r["scenario"] == scenario))

    def value(self, scenario, case, contender, name):
        """The median of a figure; None when it was not measured."""
        found = [v for v in (pick(r, name) for r in self.cells(scenario, case, contender)) if v is not None]
        return median(found) if found else None

    def ratio(self, scenario, case, contender, base, name):
        """The median over the repeats of contender / base in the same repeat."""
        bases = {r["repeat"]: pick(r, name) for r in self.cells(scenario, case, base)}
        found = []
        for result in self.cells(scenario, case, contender):
            under, over = bases.get(result["repeat"]), pick(result, name)
            if under and over is not None:
                found.append(over / under)
        return median(found) if found else None

    def total(self, scenario, case, contender, name):
        return sum(pick(r, name) or 0 for r in self.cells(scenario, case, contender))

    def worst_foreign(self, scenario, case, contender):
        return max((r["foreign_share"] for r in self.cells(scenario, case, contender)), default=0)


def pick(result, name):
    if name == "bad":
        return result["load"]["failed"] + result["load"]["unfinished"]
    if name == "rss_above_idle_mib":
        return result["rss_peak_mib"] - result["rss_idle_mib"]
    if name == "shed_share":
        ledger = result.get("ledger")
        return sum(ledger["not_mirrored"].values()) / max(ledger["arrived"], 1) if ledger else None
    return result[name] if name in result else result["load"].get(name)
