// Settings to paste, as axios understands them: `axios.cjs NODE_MODULES SETTINGS ADDRESS..`. A line for each address says what
// came of a call, without and with the signal.

const https = require("node:https");
const path = require("node:path");
const fs = require("node:fs");
const [modules, settings, ...addresses] = process.argv.slice(2);
const axios = require(path.join(modules, "axios"));

const pasted = new Function("axios", "https", `${fs.readFileSync(settings, "utf8")}\nreturn { client, limit };`);

async function tell(name, address, call) {
  const start = process.hrtime.bigint();
  let outcome = "answered";
  try {
    await call();
  } catch (error) {
    outcome = `ended ${error.code}`;
  }
  console.log([name, address, (process.hrtime.bigint() - start) / 1000000n, outcome].join("\t"));
}

(async () => {
  const { client, limit } = pasted(axios, https);
  for (const address of addresses) {
    await tell("axios", address, () => client.get(address));
    await tell("axios with its signal", address, () => client.get(address, limit()));
  }
  process.exit(0);
})();
