// Connection state recovery: a client that lost its connection carries on with nothing missed or doubled.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, gathering, someone } from "./client.mjs";
import { Proxy } from "./proxy.mjs";
import { overEachTransport } from "./transports.mjs";
import { within } from "./wait.mjs";

const drops = 12;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Collects what matters of a client's life from now on. */
function follow(client) {
  const life = { seqs: [], recovered: [], ids: new Set([client.socket.id]) };
  client.socket.on("message", (message) => life.seqs.push(message.seq));
  client.socket.on("connect", () => {
    life.recovered.push(client.socket.recovered);
    life.ids.add(client.socket.id);
  });
  return life;
}

const once = (client, event) =>
  within(new Promise((resolve) => client.socket.once(event, resolve)), `the client heard no ${event}`);

/** Resets every connection until the client has noticed: between two polls it has none to lose. */
async function cut(proxy, client) {
  const noticed = once(client, "disconnect");
  proxy.down();
  await noticed;
  const back = once(client, "connect");
  proxy.up();
  await back;
}

overEachTransport((transport) => {
  test("every message arrives once and in order over many cut connections", async (t) => {
    const proxy = await Proxy.start(t);
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const bob = await Client.connect(t, transport, someone("bob"), { url: proxy.url });
    await bob.join(conversation);
    await alice.next("user_joined");
    const life = follow(bob);

    // The first drop comes before any event has been received.
    await cut(proxy, bob);

    let sent = 0;
    let over = false;
    const talk = (async () => {
      while (!over) {
        await alice.say(conversation, `message ${++sent}`);
        await pause(2);
      }
    })();
    for (let i = 0; i < drops; i++) {
      await pause(20 + Math.random() * 60);
      await cut(proxy, bob);
    }
    over = true;
    await talk;
    await within(
      (async () => {
        while (life.seqs.length < sent) await pause(10);
      })(),
      () => `${life.seqs.length} of ${sent} messages arrived`,
    );
    await pause(50);
    assert.deepEqual(life.seqs, Array.from({ length: sent }, (_, i) => i + 1));
    assert.deepEqual(life.recovered, Array(1 + drops).fill(true));
    assert.equal(life.ids.size, 1, "the socket keeps its id");
    assert.deepEqual(alice.allHeard("user_left"), [], "presence does not flap");
  });
});
