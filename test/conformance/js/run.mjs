// Runs one suite against the server at PARLEY_URL, which is the fixture or the chat, and writes one line of JSON for
// each case and kind of client as it ends: {"place", "case", "client", "transport", "ms", "error"?}.
//
//	node run.mjs fixture|chat [how the names of the cases begin]

import { kindsOf } from "./client.mjs";
import { patience, within } from "../../e2e/js/wait.mjs";

/** How many cases run at a time: they are waiting most of the time. */
const width = 16;

const suites = {
  // The slowest first, so that nothing has to wait for them in the end.
  fixture: {
    kinds: kindsOf("4.8.4", "4.0.2", "3.1.3"),
    files: ["recover", "reconnect", "connect", "event", "binary", "ack", "size", "disconnect", "upgrade"],
  },
  chat: { kinds: kindsOf("2.5.0", "1.7.4"), files: ["chat"] },
};

const [suite, beginning = ""] = process.argv.slice(2);
const { kinds, files } = suites[suite];

const runs = [];
let begun = 0;
for (const file of files) {
  const { cases } = await import(`./cases/${file}.mjs`);
  for (const [name, run] of Object.entries(cases)) {
    if (name.startsWith(beginning)) runs.push(...kinds.map((kind) => ({ name, run, kind })));
  }
}

async function work() {
  while (begun < runs.length) {
    const place = begun++;
    const { name, run, kind } = runs[place];
    const endings = [];
    const t = { after: (end) => endings.unshift(end) };
    const result = { place, case: name, client: kind.version, transport: kind.transport };
    const began = Date.now();
    try {
      await within(run(t, kind), "the case did not end", 2 * patience);
    } catch (err) {
      result.error = String(err.stack ?? err);
    }
    result.ms = Date.now() - began;
    for (const end of endings) await end();
    console.log(JSON.stringify(result));
  }
}

// A case that failed may have left promises that fail later.
process.on("unhandledRejection", () => {});
await Promise.all(Array.from({ length: width }, work));
process.exit(0);
