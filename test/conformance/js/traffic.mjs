import { patience } from "../../e2e/js/wait.mjs";

/** Texts that are counted differently in bytes, UTF-16 code units and characters, or that a careless codec breaks. */
export const texts = [
  "",
  "plain",
  "café, Zażółć gęślą jaźń, 日本語, العربية, עברית, ไทย",
  "😀 👩‍👩‍👧‍👦 🏳️‍🌈",
  '"quoted" \\ back\\slash \\u0041 \n\t\r\b\f\u0000\u007f\u2028\u2029 <&>',
  "\u001e and b4AQID and 4\u001e2[] and 1:2:3:😀4:5",
  `${"🙂".repeat(4000)} the end`,
];

/** How many times something is done once the connection has settled. */
const after = 50;

/**
 * Does something once per turn of the event loop, from now until some time after the client is on the transport that it
 * stays on, with the number of the turn. Returns the numbers.
 */
export async function untilSettled(client, act) {
  const deadline = Date.now() + patience;
  let done = 0;
  for (let left = after; left > 0; done++) {
    if (!client.socket.connected) throw new Error("the connection was lost under way");
    if (Date.now() > deadline) throw new Error("the connection did not settle");
    act(done);
    await new Promise(setImmediate);
    if (client.engine.transport.name === client.kind.settlesOn) left--;
  }
  return Array.from({ length: done }, (_, i) => i);
}
