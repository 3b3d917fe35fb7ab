// The console's one script. Everything but the slider works without it.
const human = us => us < 1e3 ? `${us} µs` : us < 1e6 ? `${(us / 1e3).toPrecision(3)} ms` : `${(us / 1e6).toPrecision(3)} s`;
const percent = share => `${(share * 100).toPrecision(share > 0.1 ? 3 : 2)} %`;

const DAY = { day: "numeric", month: "short" };
const HOUR = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const SHORT = { ...DAY, ...HOUR, second: "2-digit" };

// Times in the reader's own zone; UTC stays as the hint.
const localTimes = root => {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = time.textContent;
    time.textContent = at.toLocaleString(undefined, time.className === "short" ? SHORT : { dateStyle: "medium", timeStyle: "medium" });
  }
  for (const mark of root.querySelectorAll("text[data-at]")) {
    const day = mark.hasAttribute("data-day");
    mark.textContent = new Date(mark.dataset.at * 1000).toLocaleString(undefined, day ? DAY : HOUR);
  }
};

// What a timeout would cut: calls in slots above it, and those we ended ourselves, which lasted longer than any timeout
// of the range; the same counts as `darklaunch latency --what-if` gives as cut_calls_most.
const whatIf = root => {
  const box = root.querySelector(".what-if");
  if (!box) return;
  const sides = JSON.parse(box.dataset.sides);
  const input = box.querySelector("input"), output = box.querySelector("output"), value = box.querySelector("#what-if-value");
  const heat = document.querySelector("svg.heat"), line = heat?.querySelector(".limit");
  const show = () => {
    const us = Math.round(Math.exp(Number(input.value)));
    value.textContent = human(us);
    input.setAttribute("aria-valuetext", human(us));
    output.replaceChildren(...sides.map(({ name, calls, ended_by_us, slots, vain }) => {
      const slot = slots.find(([edge]) => edge > us);
      const cut = (slot ? slot[1] : 0) + ended_by_us;
      const said = document.createElement("span");
      said.className = "side";
      said.dataset.cut = cut;
      said.dataset.us = us;
      said.textContent = cut
        ? `${percent(cut / calls)} of ${name}’s calls would be cut off: ${cut} of ${calls}, about 1 in ${Math.max(1, Math.round(calls / cut))}.`
        : `None of ${name}’s ${calls} calls would be cut off, so at most about ${percent(Math.min(1, 3 / calls))} in the long run.`;
      const spared = vain?.find(([edge]) => edge > us)?.[1];
      if (spared) {
        said.dataset.spared = spared;
        said.textContent += ` It would spare ${spared} ${spared === 1 ? "wait" : "waits"} of at least that long for calls that did not succeed anyway.`;
      }
      return said;
    }));
    if (line) {
      const { low, high, top, height } = heat.dataset;
      const at = (Math.log(us) - Math.log(low)) / (Math.log(high) - Math.log(low));
      const y = Number(top) + height * (1 - Math.min(1, Math.max(0, at)));
      line.setAttribute("y1", y);
      line.setAttribute("y2", y);
    }
  };
  box.hidden = false;
  input.addEventListener("input", show);
  show();
};

// The list renews itself when the recorder says that something changed, until it is paused.
const tail = () => {
  const live = document.querySelector("#live[data-live=on]"), button = document.querySelector("#pause");
  if (!live || !button) return;
  const state = document.querySelector("#tail-state");
  let paused = false, waiting = false, asking = false;
  const say = () => {
    button.textContent = paused ? "Go on" : "Pause";
    button.setAttribute("aria-pressed", String(paused));
    state.textContent = paused ? (waiting ? "Paused; there is something new." : "Paused.") : "New recordings appear by themselves.";
  };
  const renew = async () => {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      const next = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#live");
      if (next && !paused) {
        live.replaceChildren(...document.importNode(next, true).childNodes);
        localTimes(live);
      }
    } finally {
      asking = false;
    }
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    if (!paused && waiting) renew();
    waiting = false;
    say();
  });
  new EventSource("/api/v1/events").addEventListener("change", () => {
    if (!paused) return renew();
    waiting = true;
    say();
  });
  say();
};

// Counters and states renew themselves; a part in which somebody types or stands stays as it is.
const RENEW_EVERY_MS = 2000;
const renewParts = () => {
  // What answers a form stands at the form's address, which cannot be asked for.
  const here = document.querySelector("[data-here]")?.dataset.here ?? location.href;
  if (!document.querySelector("[data-renew]")) return;
  let asking = false, again = false;
  const renew = async () => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    again = false;
    try {
      const answer = await fetch(here, { headers: { accept: "text/html" } });
      const next = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of next ? document.querySelectorAll("[data-renew]") : []) {
        const fresh = next.getElementById(part.id);
        if (!fresh || part.contains(document.activeElement) || part.open || part.querySelector("details[open]")) continue;
        const copy = document.importNode(fresh, true);
        localTimes(copy);
        if (!copy.isEqualNode(part)) part.replaceWith(copy);
      }
    } catch {
      // The recorder is away; the stream tells when it is back.
    }
    setTimeout(() => {
      asking = false;
      if (again) renew();
    }, RENEW_EVERY_MS);
  };
  new EventSource("/api/v1/events").addEventListener("change", renew);
};

localTimes(document);
whatIf(document);
tail();
renewParts();
