// The console in a real browser: a mouse, a keyboard, no script, two widths, two colour schemes.
// Usage: node browser.mjs NODE_FOLDER CONSOLE_URL TRAFFIC_URL BINARY DEMO_FOLDER PICTURES_FOLDER
// Says `PASS title` or `FAIL title` for each story.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

const [nodeFolder, base, traffic, binary, demo, pictures] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(nodeFolder), "/"));
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const PAYMENTS = `${base}/integrations/payments`;
const PAGES = {
  "/": "overview", "/integrations/payments": "payments", "/recordings": "recordings", "/findings": "findings",
  "/history": "history", "/login": "login", "/integrations/nobody": "lost", "/recordings?until=1000000000": "none",
  "/recordings/00000000-0000-0000-0000-000000000000": "no-recording",
};
const [LOOKS, WIDTHS] = [["light", "dark"], [400, 1400]];

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
const foreign = [], broken = [];

const cli = (...args) => execFileSync(binary, args, { cwd: demo, encoding: "utf8" }).trim();

// One session for the stories that are about something else; a stranger begins without it.
const stranger = { storageState: undefined };
let session, me;

const open = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, storageState: session, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on("request", request => new URL(request.url()).origin === base || foreign.push(request.url()));
  page.on("pageerror", error => broken.push(error.message));
  page.on("console", said => said.type() === "error" && !/favicon/.test(said.location().url) && broken.push(said.text()));
  return page;
};

const holds = (fact, words) => {
  if (!fact) throw new Error(words);
};

// Not wider than the screen, no violation found by axe; what it looked like stays for people.
const judge = async (page, name) => {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  holds(over <= 0, `${name} is ${over} px too wide`);
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const said = violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`);
  holds(said.length === 0, `${name}: ${said.join("; ")}`);
};

const state = async () => (await (await fetch(`${base}/api/v1/integrations/payments`)).json());

const until = async (words, fact, patience_ms = 10_000) => {
  const end = Date.now() + patience_ms;
  while (Date.now() < end) {
    if (await fact()) return;
    await new Promise(done => setTimeout(done, 50));
  }
  throw new Error(`${words} did not happen`);
};

const story = async (title, run) => {
  try {
    await run();
    console.log(`PASS ${title}`);
  } catch (error) {
    console.log(`FAIL ${title}\n${error.stack}`);
  }
};

const start = async (page, reason) => {
  await page.fill("input[name=reason]", reason);
  await page.getByRole("button", { name: "Start mirroring" }).click();
  await page.waitForURL(PAYMENTS);
};

await story("a link logs a browser in once, after a click", async () => {
  const page = await open();
  const link = cli("token", "login-link", "--role", "operator");
  await page.goto(link);
  me = await page.locator("main strong").textContent();
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(`${base}/`);
  const [cookie] = await page.context().cookies();
  holds(cookie.httpOnly && cookie.sameSite === "Strict", JSON.stringify(cookie));
  session = await page.context().storageState();
  await page.goto(link);
  await page.getByText("used already").waitFor();
  await page.context().close();
});

for (const javaScriptEnabled of [true, false]) {
  await story(`a role is what its token says until logging out, ${javaScriptEnabled ? "with" : "without"} scripts`, async () => {
    const page = await open({ ...stranger, javaScriptEnabled, bypassCSP: true });
    const [vera, olga] = [["viewer", "vera"], ["operator", "olga"]].map(([role, name]) =>
      [name + javaScriptEnabled, cli("token", "create", "--role", role, "--name", name + javaScriptEnabled)]);
    await page.goto(PAYMENTS);
    holds(await page.getByRole("button", { name: "Stop mirroring now" }).isVisible(), "a stop needs no log-in here");
    holds((await page.locator("input[name=reason]").count()) === 0, "a stranger is offered a start");
    await page.locator("main").getByRole("link", { name: "Log in" }).click();
    const enter = async token => {
      await page.getByLabel("Token").fill(token);
      await page.getByRole("button", { name: "Log in" }).click();
    };
    if (javaScriptEnabled) await judge(page, "login-light-1400");
    await enter("darklaunch_guess");
    await page.getByText("This token is not known").waitFor();
    await enter(vera[1]);
    await page.getByText(`You are ${vera[0]}, a viewer`).or(page.getByRole("heading", { name: "Integrations" })).waitFor();
    await page.goto(PAYMENTS);
    await page.getByText(`You are ${vera[0]}, a viewer`).waitFor();
    await page.getByRole("link", { name: "Account" }).click();
    if (javaScriptEnabled) await judge(page, "account-light-1400");
    await page.getByRole("button", { name: "Log out" }).click();
    await enter(olga[1]);
    await page.goto(PAYMENTS);
    await page.getByRole("button", { name: "Stop mirroring now" }).click();
    await page.getByText("Mirroring is stopped.").waitFor();
    holds((await state()).changed_by === olga[0], JSON.stringify(await state()));
    await start(page, "back on");
    holds((await state()).changed_by === olga[0], JSON.stringify(await state()));
    await page.context().close();
  });
}

for (const colorScheme of LOOKS) {
  for (const width of WIDTHS) {
    await story(`pages fit and have no accessibility violation: ${colorScheme}, ${width} px`, async () => {
      // axe is put into the page for the test only; what the page itself loads is under the page's own policy.
      const page = await open({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
      for (const [address, name] of Object.entries(PAGES)) {
        await page.goto(base + address);
        await judge(page, `${name}-${colorScheme}-${width}`);
      }
      await page.goto(`${base}/recordings`);
      await page.locator("tbody a").first().click();
      await page.getByText("What was redacted").waitFor();
      for (const closed of await page.locator("summary").all()) await closed.click();
      await judge(page, `recording-${colorScheme}-${width}`);
      await page.context().close();
    });
  }
}

await story("the mouse stops with one click", async () => {
  const page = await open();
  await page.goto(PAYMENTS);
  const box = await page.getByRole("button", { name: "Stop mirroring now" }).boundingBox();
  holds(box.height >= 48, `the stop is ${box.height} px high`);
  await page.getByRole("button", { name: "Stop mirroring now" }).click();
  await page.getByText("Mirroring is stopped.").waitFor();
  holds((await state()).state === "off", "it is still on");
  await page.context().close();
});

await story("a stopped integration and a refused change look as good as all else", async () => {
  for (const colorScheme of LOOKS) {
    for (const width of WIDTHS) {
      const page = await open({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
      await page.goto(PAYMENTS);
      await judge(page, `stopped-${colorScheme}-${width}`);
      await page.evaluate(() => document.querySelector("input[name=reason]").removeAttribute("required"));
      await page.getByRole("button", { name: "Start mirroring" }).click();
      await page.getByText("Not changed").waitFor();
      await judge(page, `refused-${colorScheme}-${width}`);
      await page.context().close();
    }
  }
});

await story("times are in the reader's own zone, those of the charts too", async () => {
  const page = await open({ timezoneId: "Asia/Kathmandu", locale: "en-GB" });
  await page.goto(PAYMENTS);
  const shown = await page.evaluate(() => {
    const zone = { timeZone: "Asia/Kathmandu" };
    const here = (at, form) => new Date(at).toLocaleString("en-GB", { ...zone, ...form });
    const hour = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    const short = { day: "numeric", month: "short", ...hour, second: "2-digit" };
    const long = { dateStyle: "medium", timeStyle: "medium" };
    const times = [...document.querySelectorAll("time")].map(one => [one.textContent, here(one.dateTime, one.className ? short : long)]);
    const marks = [...document.querySelectorAll("text[data-at]")].map(one => [one.textContent, here(one.dataset.at * 1000, hour)]);
    return { times, marks };
  });
  holds(shown.times.length > 10 && shown.marks.length > 2, JSON.stringify(shown));
  for (const [is, should] of [...shown.times, ...shown.marks]) holds(is === should, `${is} instead of ${should}`);
  await page.context().close();
});

await story("the slider counts as `latency --what-if` does", async () => {
  await until("everything recorded", async () => {
    const { ledger, recorded } = await state();
    return recorded === Object.values(ledger.mirrored).reduce((sum, one) => sum + one, 0);
  });
  const page = await open();
  let found;
  await until("the same count", async () => {
    await page.goto(PAYMENTS);
    found = await page.evaluate(() => {
      const input = document.querySelector("#what-if");
      input.value = Math.log(20_000);
      input.dispatchEvent(new Event("input"));
      const side = [...document.querySelectorAll(".what-if .side")].find(one => one.textContent.includes("NewPay"));
      return { cut: Number(side.dataset.cut), text: side.textContent };
    });
    const said = execFileSync(binary, ["latency", "payments", "--what-if", "20ms", "--output", "json"], { cwd: demo });
    const shadow = JSON.parse(said).sections.filter(section => section.role === "shadow");
    found.told = shadow.reduce((sum, section) => sum + section.what_if[0].cut_calls_most, 0);
    return found.cut === found.told && found.cut > 0;
    // A reading is shown for ten seconds.
  }, 40_000).catch(error => {
    throw new Error(`${error.message}: ${JSON.stringify(found)}`);
  });
  await page.context().close();
});

await story("a start needs a reason, and tells who and why afterwards", async () => {
  const page = await open();
  await page.goto(PAYMENTS);
  await page.getByRole("button", { name: "Start mirroring" }).click();
  holds((await state()).state === "off", "it started without a reason");
  await start(page, "the second week");
  const now = await state();
  holds(now.state === "on" && now.reason === "the second week" && now.changed_by === me, JSON.stringify(now));
  await page.getByText("“the second week”").first().waitFor();
  await page.context().close();
});

await story("the keyboard alone stops and starts", async () => {
  const page = await open();
  await page.goto(PAYMENTS);
  const reach = async wanted => {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(wanted => document.activeElement.matches(wanted), wanted)) return;
    }
    throw new Error(`${wanted} was not reached by Tab`);
  };
  await reach("button.stop");
  await page.keyboard.press("Enter");
  await page.getByText("Mirroring is stopped.").waitFor();
  await reach("input[name=reason]");
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Stop mirroring now" }).waitFor();
  holds((await state()).reason === "by keyboard", "another reason");
  await page.context().close();
});

await story("what was recorded or written is text to the browser too", async () => {
  const evil = `<script>globalThis.hacked=1</script><img src=x onerror="globalThis.hacked=1">`;
  const send = () => fetch(`${traffic}/${encodeURIComponent(evil)}?q=${encodeURIComponent(evil)}`, { headers: { "x-evil": evil, "user-agent": evil } });
  const page = await open();
  let hacked = false;
  page.on("dialog", () => { hacked = true; });
  // Nobody else asks for what is not there. One answer in forty of the demo's new provider is another one than that.
  await until("the recording", async () => {
    await (await send()).arrayBuffer();
    await page.goto(`${base}/recordings?integration=payments&outcome=client_4xx`);
    return (await page.locator("tbody a").count()) > 0;
  });
  await page.locator("tbody a").first().click();
  await page.getByText("What was redacted").waitFor();
  for (const closed of await page.locator("summary").all()) await closed.click();
  const recording = page.url();
  // Redaction masks all of it; a reason is kept as it was written.
  await until("the reason in the history", async () => {
    await page.goto(PAYMENTS);
    await page.getByText("Change the share of calls").click();
    await page.fill("input[name=reason]", evil);
    // Leaving the page before the answer would take back what is being sent.
    const answered = page.waitForResponse(told => told.request().method() === "POST", { timeout: 2_000 }).catch(() => null);
    await page.getByRole("button", { name: "Change the share" }).click();
    await answered;
    await page.goto(`${base}/history`);
    return (await page.getByText(evil).count()) > 0;
  }, 30_000);
  for (const address of [recording, ...Object.keys(PAGES).map(path => base + path)]) {
    await page.goto(address);
    hacked ||= await page.evaluate(() => globalThis.hacked !== undefined || document.querySelectorAll("img").length > 0);
    holds(!hacked, address);
  }
  await page.context().close();
});

await story("two people at once see each other, and the stop wins", async () => {
  const [one, other] = [await open(), await open()];
  await one.goto(PAYMENTS);
  await other.goto(PAYMENTS);
  await other.getByText("Change the share of calls").click();
  await other.fill("input[name=reason]", "did not see the stop");
  await one.getByRole("button", { name: "Stop mirroring now" }).click();
  await one.getByText("Mirroring is stopped.").waitFor();
  await other.getByRole("button", { name: "Change the share" }).click();
  await other.getByText("Not changed: revision").waitFor();
  holds((await state()).state === "off", "the stop lost");
  await one.context().close();
  await other.context().close();
});

await story("without scripts everything but the slider works", async () => {
  const page = await open({ javaScriptEnabled: false });
  await page.goto(PAYMENTS);
  holds(!(await page.locator(".what-if").isVisible()), "a dead slider is shown");
  await start(page, "no script here");
  await page.getByRole("button", { name: "Stop mirroring now" }).click();
  await page.getByText("Mirroring is stopped.").waitFor();
  await page.goto(`${base}/recordings?sort=slowest&integration=payments`);
  await page.locator("tbody a").first().click();
  await page.getByText("What was redacted").waitFor();
  await page.goto(PAYMENTS);
  await start(page, "go on for the live tail");
  await page.context().close();
});

await story("a list renews itself until it is paused", async () => {
  const page = await open();
  await page.goto(`${base}/recordings`);
  const newest = () => page.locator("tbody a").first().getAttribute("href");
  const first = await newest();
  await until("a newer recording", async () => (await newest()) !== first);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused; there is something new.").waitFor();
  const held = await newest();
  await page.getByText("Paused; there is something new.").waitFor();
  holds((await newest()) === held, "it went on while paused");
  await page.getByRole("button", { name: "Go on" }).click();
  await until("a newer recording after the pause", async () => (await newest()) !== held);
  await page.context().close();
});

await story("a cell of the heat map leads to its calls", async () => {
  const page = await open();
  await page.goto(PAYMENTS);
  await page.locator("svg.heat a").first().click();
  await page.waitForURL(/\/recordings\?integration=payments&outcome=ok&from=/);
  await page.locator("tbody a").first().click();
  await page.getByText("What was redacted").waitFor();
  await page.context().close();
});

await story("the page follows a change made elsewhere, without a reload", async () => {
  const page = await open();
  const authorization = `Bearer ${cli("token", "create", "--role", "operator", "--name", "ben")}`;
  const tell = (what, body) =>
    fetch(`${base}/api/v1/integrations/payments/${what}`, { method: "POST", headers: { authorization, "content-type": "application/json" }, body: JSON.stringify(body) });
  await tell("start", { who: "ben", reason: "from elsewhere" });
  await page.goto(PAYMENTS);
  await page.evaluate(() => { globalThis.sameDocument = true; });
  await tell("stop", { who: "ben" });
  await page.getByText("Mirroring is stopped.").waitFor();
  holds((await page.getByRole("button", { name: "Stop mirroring now" }).count()) === 0, "the stop is still there");
  await tell("start", { who: "ben", reason: "again" });
  await page.getByRole("button", { name: "Stop mirroring now" }).waitFor();
  holds(await page.evaluate(() => globalThis.sameDocument), "it was reloaded");
  await page.context().close();
});

await story("the slider moves the heat map's line, and the rules are signed off by name", async () => {
  const page = await open();
  await page.goto(PAYMENTS);
  const line = () => page.evaluate(() => document.querySelector("svg.heat .limit").getAttribute("y1"));
  const before = await line();
  await page.locator("#what-if").focus();
  for (let presses = 0; presses < 30; presses += 1) await page.keyboard.press("PageDown");
  holds((await line()) !== before, `the line stayed at ${before}`);
  await page.getByRole("button", { name: "Sign off the rules" }).click();
  await page.getByText("When the rules change, this is void.").waitFor();
  await page.emulateMedia({ media: "print" });
  await page.screenshot({ path: `${pictures}/payments-print.png`, fullPage: true });
  await page.context().close();
});

await story("a recording is downloaded as a fixture", async () => {
  const page = await open();
  await page.goto(`${base}/recordings`);
  await page.locator(".stack a").first().click();
  await page.locator("select[name=format]").selectOption("har");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download as fixture" }).click()]);
  holds(/^darklaunch-har-.*\.tar$/.test(download.suggestedFilename()), download.suggestedFilename());
  await page.context().close();
});

await story("nothing leaves the origin, and no page reports an error", async () => {
  holds(foreign.length === 0, foreign.join(", "));
  // A refused start is an answer with 409 or 422, a refused log-in one with 401, which the browser reports by itself.
  const real = broken.filter(words => !/40[149]|422/.test(words));
  holds(real.length === 0, real.join("\n"));
});

await browser.close();
