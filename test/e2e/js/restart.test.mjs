// The server stops while clients are connected, and comes back at the same address. CONTROL_URL takes POST /stop, which
// answers when the server has stopped, and POST /start.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, gathering, someone } from "./client.mjs";
import { overOneTransportAfterTheOther } from "./transports.mjs";
import { within } from "./wait.mjs";

const control = process.env.CONTROL_URL;
if (!control) throw new Error("CONTROL_URL is not set: run this suite by `go test ./test/e2e`");

async function order(verb) {
  const answer = await within(fetch(`${control}/${verb}`, { method: "POST" }), `no answer to ${verb}`);
  assert.equal(answer.status, 204, await answer.text());
}

overOneTransportAfterTheOther((transport) => {
  test("clients see their transport close, come back by themselves, and can talk again", async (t) => {
    const { conversation, clients } = await gathering(t, transport, "alice", "bob", "carol");
    const [alice] = clients;
    await alice.say(conversation, "before");
    for (const client of clients) await client.next("message");

    await order("stop");
    for (const client of clients) {
      assert.equal(await client.next("disconnect"), "transport close");
      assert.equal(client.socket.active, true, "the client will try again by itself");
      assert.deepEqual((await client.unasked()).filter((event) => event !== "connect_error"), [], "nobody was told that the others left");
    }
    const said = alice.say(conversation, "said while there was no server");
    await order("start");
    for (const client of clients) await client.connected();
    // What was buffered came before the join; a client that cares joins first.
    assert.equal((await said).error?.code, "NOT_IN_CONVERSATION");
    for (const client of clients) assert.equal((await client.join(conversation)).ok, true);
    await alice.say(conversation, "after");
    for (const client of clients) assert.equal((await client.next("message")).content, "after");
  });

  test("what is accepted while the server stops is heard by its sender, and by everyone without a hole", async (t) => {
    const { conversation, clients } = await gathering(t, transport, "alice", "bob");
    const [alice] = clients;
    const accepted = [];
    for (let i = 0; i < 500; i++) {
      const message = { conversationId: conversation, content: String(i) };
      alice.socket.emit("message", message, (ack) => ack.ok && accepted.push(String(i)));
    }
    await order("stop");
    for (const client of clients) {
      assert.equal(await client.next("disconnect"), "transport close");
      const heard = client.allHeard("message").map(({ content }) => content);
      assert.deepEqual(heard, Array.from(heard, (_, i) => String(i)), "in order, from the first on");
      if (client === alice) assert.ok(heard.length >= accepted.length, `accepted ${accepted.length}, heard ${heard.length}`);
    }
    await order("start");
    for (const client of clients) await client.connected();
  });

  test("a client that comes while the server is away gets in when it is back", async (t) => {
    await order("stop");
    const client = new Client(t, transport, someone("early"));
    await client.next("connect_error");
    await order("start");
    await client.connected();
  });
});
