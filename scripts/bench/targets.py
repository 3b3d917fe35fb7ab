"""The targets: ratios within one run, and limits."""

# The defaults of darklaunch's configuration that the limits follow.
MEMORY_BUDGET_MIB = 64
IN_FLIGHT_MAX = 64
CONNECTIONS = 32


def rows(figures):
    """(what, value or None, limit, the limit's sense `<=` or `>=`, unit), in the order of the table."""
    found = []

    def add(what, value, sense, limit, unit=""):
        found.append({"what": what, "value": value, "sense": sense, "target": limit, "unit": unit,
                      "met": None if value is None else (value <= limit if sense == "<=" else value >= limit)})

    for case in ("1000/s", "2000/s"):
        for name, limit in (("p50_us", 1.05), ("p99_us", 1.10)):
            value = figures.ratio("fixed", case, "darklaunch_rec", "nginx", name)
            add(f"{name[:-3]} at {case}, recording / nginx plain", value, "<=", limit)
    faults(figures, add)
    for case in ("1000/s", "2000/s"):
        for base, label, limit in (("nginx_mirror", "nginx mirror", 1.0), ("envoy_mirror", "Envoy mirror", 0.75)):
            value = figures.ratio("fixed", case, "darklaunch_rec", base, "cpu_s_per_10k")
            add(f"CPU per 10 000 calls at {case}, recording / {label}", value, "<=", limit)
    for case in ("GET 1 KiB", "POST 1 KiB", "POST 64 KiB"):
        for us, ours, base, label, limit in (
            ("darklaunch_off", "off", "nginx", "nginx plain", 1.0),
            ("darklaunch_off", "off", "envoy", "Envoy plain", 1.5),
            ("darklaunch_rec", "recording", "nginx_mirror", "nginx mirror", 3.0),
            ("darklaunch_rec", "recording", "envoy_mirror", "Envoy mirror", 2.0),
            ("darklaunch_rec", "recording", "mitmproxy", "mitmproxy recording", 30.0),
        ):
            value = figures.ratio("saturation", case, us, base, "calls_per_s")
            add(f"throughput, {case}, {ours} / {label}", value, ">=", limit)
    for base, label, limit in (
        ("nginx_mirror", "nginx mirror", 2.0),
        ("envoy_mirror", "Envoy mirror", 1.2),
        ("mitmproxy", "mitmproxy recording", 20.0),
    ):
        value = figures.ratio("everything", "POST 1 KiB", "darklaunch_all", base, "calls_per_s")
        add(f"throughput, POST 1 KiB, nothing shed / {label}", value, ">=", limit)
    endurance(figures, add)
    return found


def faults(figures, add):
    kinds = [("faults", case) for case in figures.cases("faults") if case != "ok"]
    kinds += [(name, case) for name in ("disk", "console") for case in figures.cases(name)]
    for scenario, case in kinds:
        for name, limit in (("p50_us", 1.05), ("p99_us", 2.0 if case == "drip" else 1.10)):
            value = figures.ratio(scenario, case, "darklaunch_rec", "darklaunch_off", name)
            add(f"{name[:-3]}, {case}, recording / off", value, "<=", limit)
    if kinds:
        bad = sum(figures.total(scenario, case, "darklaunch_rec", "bad") for scenario, case in kinds)
        add("failed or unfinished calls under all faults", bad, "<=", 0)


def endurance(figures, add):
    for case in figures.cases("stall"):
        value = figures.value("stall", case, "darklaunch_rec", "rss_above_idle_mib")
        add(f"memory above idle, {case} of stall", value, "<=", MEMORY_BUDGET_MIB + 32, "MiB")
        ours = figures.value("stall", case, "darklaunch_rec", "descriptors_peak")
        off = figures.value("stall", case, "darklaunch_off", "descriptors_peak")
        if ours is not None and off is not None:
            add(f"descriptors above mirroring off, {case} of stall", ours - off, "<=", IN_FLIGHT_MAX + CONNECTIONS)
    for case in figures.cases("recovery"):
        value = figures.value("recovery", case, "darklaunch_rec", "recovery_p99_us")
        add(f"worst half-second p99 after {case}", value and value / 1000, "<=", 5.0, "ms")
        value = figures.value("recovery", case, "darklaunch_rec", "copies_again")
        add(f"share of copies 1 s after {case}", value, ">=", 0.99)
