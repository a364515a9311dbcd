// A server that is about to stop lets its clients go one after the other. Those who are still there are told that
// nothing new is accepted, and find everything as it was when the server is back. CONTROL_URL: see restart.test.mjs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gathering } from "./client.mjs";
import { overOneTransportAfterTheOther } from "./transports.mjs";
import { within } from "./wait.mjs";

const control = process.env.CONTROL_URL;
if (!control) throw new Error("CONTROL_URL is not set: run this suite by `go test ./test/e2e`");

async function order(verb) {
  const answer = await within(fetch(`${control}/${verb}`, { method: "POST" }), `no answer to ${verb}`);
  assert.equal(answer.status, 204, await answer.text());
}

/** The first answer of anyone that is a refusal, and who it was. */
async function firstRefusal(clients, conversation) {
  const refusals = clients.map(async (client) => {
    while (client.socket.connected) {
      const answer = await client.socket.timeout(5_000).emitWithAck("message", { conversationId: conversation, content: "hello" });
      if (!answer.ok) return { client, answer };
    }
    throw new Error(`${client.user} was let go without a refusal`);
  });
  return within(Promise.any(refusals), "nobody was refused");
}

overOneTransportAfterTheOther((transport) => {
  test("who is still there is refused new messages, may read, and comes back by itself", async (t) => {
    const { conversation, clients } = await gathering(t, transport, "alice", "bob", "carol", "dave", "erin");
    const stopped = order("stop");
    const { client, answer } = await firstRefusal(clients, conversation);
    const { message } = answer.error;
    assert.equal(typeof message, "string");
    assert.deepEqual(answer, { ok: false, error: { code: "DRAINING", message, retryAfterMs: 1_000 } });
    // Its turn to go may come before the answers to what it asks now.
    const asked = ["presence", "history"].map((event) => client.socket.emitWithAck(event, { conversationId: conversation }));
    const gone = new Promise((resolve) => client.socket.once("disconnect", () => resolve([])));
    for (const read of await Promise.race([Promise.all(asked.map((one) => one.catch(() => ({ ok: true })))), gone])) {
      assert.equal(read.ok, true, JSON.stringify(read));
    }
    for (const one of clients) assert.equal(await one.next("disconnect"), "transport close");
    await stopped;
    for (const one of clients) {
      const heard = one.allHeard("message").map(({ seq }) => seq);
      assert.deepEqual(heard, Array.from(heard, (_, i) => i + 1), "what was accepted, in order and without a hole");
      assert.deepEqual((await one.unasked()).filter((event) => event !== "connect_error"), [], "nobody was told that the others left");
    }
    await order("start");
    for (const one of clients) await one.connected();
    for (const one of clients) await one.join(conversation);
    assert.equal((await client.say(conversation, "again")).ok, true);
  });
});
