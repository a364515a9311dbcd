// Runs one suite against the server at PARLEY_URL, which is the fixture or the chat, and writes one line of JSON for
// each case and kind of client as it ends: {"place", "case", "client", "transport", "ms", "error"?}.
//
//	node run.mjs fixture|chat [how the names of the cases begin]

import { kindsOf } from "./client.mjs";
import { patience, within } from "../../e2e/js/wait.mjs";

/** How many cases run at a time. */
const width = 8;

const suites = {
  fixture: {
    kinds: kindsOf("4.8.4", "4.0.2", "3.1.3"),
    files: ["connect", "event", "binary", "ack", "size", "disconnect", "reconnect", "recover", "upgrade"],
    // Cases that wait, which run beside the others.
    waiting: ["heartbeat"],
  },
  chat: { kinds: kindsOf("2.5.0", "1.7.4"), files: ["chat"], waiting: [] },
};

const [suite, beginning = ""] = process.argv.slice(2);
const { kinds, files, waiting } = suites[suite];
let places = 0;

/** What is to be run of the files: each case with each kind of client. */
async function runsOf(names) {
  const runs = [];
  for (const name of names) {
    const { cases } = await import(`./cases/${name}.mjs`);
    for (const [name, run] of Object.entries(cases)) {
      if (!name.startsWith(beginning)) continue;
      for (const kind of kinds) runs.push({ place: places++, name, run, kind });
    }
  }
  return runs;
}

async function perform({ place, name, run, kind }) {
  const endings = [];
  const t = { after: (end) => endings.unshift(end) };
  const result = { place, case: name, client: kind.version, transport: kind.transport };
  const began = Date.now();
  try {
    await within(run(t, kind), "the case did not end", 3 * patience);
  } catch (err) {
    result.error = String(err.stack ?? err);
  }
  result.ms = Date.now() - began;
  for (const end of endings) await end();
  console.log(JSON.stringify(result));
}

/** Performs one after the other, as others do with the same. */
async function work(runs) {
  for (let next = runs.shift(); next; next = runs.shift()) await perform(next);
}

// A case that failed may have left promises that fail later.
process.on("unhandledRejection", () => {});
const runs = await runsOf(files);
const besides = await runsOf(waiting);
await Promise.all([...besides.map(perform), ...Array.from({ length: width }, () => work(runs))]);
process.exit(0);
