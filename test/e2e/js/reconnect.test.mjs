// Connections that fail, and how clients come back. The server runs with a heartbeat every few hundred milliseconds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, gathering, someone, somewhere } from "./client.mjs";
import { Proxy } from "./proxy.mjs";
import { overEachTransport } from "./transports.mjs";
import { within } from "./wait.mjs";

/** Waits until the server has pinged the client n times. */
function pings(client, n) {
  const { engine } = client.socket.io;
  const enough = new Promise((resolve) => engine.on("ping", () => --n === 0 && resolve()));
  return within(enough, () => `${n} pings of the server are missing`);
}

overEachTransport((transport) => {
  test("an idle client stays connected over many heartbeats", async (t) => {
    const client = await Client.connect(t, transport, someone("alice"));
    await pings(client, 4);
    assert.deepEqual(await client.unasked(), []);
  });

  test("a client that closed its transport comes back by itself, as another session", async (t) => {
    const client = await Client.connect(t, transport, someone("alice"));
    const before = client.socket.id;
    client.socket.io.engine.close();
    assert.equal(await client.next("disconnect"), "forced close");
    await client.connected();
    assert.notEqual(client.socket.id, before);
    assert.deepEqual(await client.unasked(), []);
  });

  test("a client whose network goes down comes back by itself, and what it said meanwhile arrives", async (t) => {
    const proxy = await Proxy.start(t);
    const { conversation, clients: [bob] } = await gathering(t, transport, "bob");
    const alice = await Client.connect(t, transport, someone("alice"), { url: proxy.url });
    await alice.join(conversation);
    await bob.next("user_joined");
    for (let i = 0; i < 3; i++) {
      proxy.down();
      assert.match(await alice.next("disconnect"), /^transport (close|error)$/);
      const rejoined = alice.join(conversation);
      const said = alice.say(conversation, `after outage ${i}`);
      proxy.up();
      await alice.connected();
      await rejoined;
      assert.equal((await said).ok, true);
      for (const client of [alice, bob]) assert.equal((await client.next("message")).content, `after outage ${i}`);
    }
    assert.deepEqual(await bob.unasked(), [], "nobody was told that alice was away");
  });

  test("a network that swallows everything is noticed by the missing pings", async (t) => {
    const proxy = await Proxy.start(t);
    const { conversation, clients: [bob] } = await gathering(t, transport, "bob");
    const alice = await Client.connect(t, transport, someone("alice"), { url: proxy.url });
    await alice.join(conversation);
    await bob.next("user_joined");
    proxy.freeze();
    assert.equal(await alice.next("disconnect"), "ping timeout");
    proxy.up();
    await alice.connected();
    await alice.join(conversation);
    assert.equal((await alice.say(conversation, "here again")).ok, true);
    assert.equal((await bob.next("message")).content, "here again");
  });

  test("messages that were missed are read again at the join, by the place of the last one seen", async (t) => {
    const proxy = await Proxy.start(t);
    const { conversation, clients: [bob] } = await gathering(t, transport, "bob");
    const alice = await Client.connect(t, transport, someone("alice"), { url: proxy.url });
    const { epoch } = await alice.join(conversation);
    await bob.say(conversation, "seen");
    const { seq } = await alice.next("message");
    proxy.down();
    await alice.next("disconnect");
    for (const content of ["missed 1", "missed 2"]) await bob.say(conversation, content);
    proxy.up();
    await alice.connected();
    const joined = await alice.join({ conversationId: conversation, after: { epoch, seq } });
    assert.equal(joined.recovered, true);
    assert.deepEqual(joined.messages.map(({ content, seq }) => [content, seq]), [["missed 1", seq + 1], ["missed 2", seq + 2]]);
    await bob.say(conversation, "live");
    assert.equal((await alice.next("message")).content, "live");
    assert.deepEqual(await alice.unasked(), []);
  });

  test("one conversation's worth of clients that lose their connections at once all come back", async (t) => {
    const proxy = await Proxy.start(t);
    const conversation = somewhere();
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => Client.connect(t, transport, someone("member"), { url: proxy.url })),
    );
    await Promise.all(clients.map((client) => client.join(conversation)));
    proxy.down();
    await Promise.all(clients.map((client) => client.next("disconnect")));
    proxy.up();
    await Promise.all(clients.map((client) => client.connected()));
    await Promise.all(clients.map((client) => client.join(conversation)));
    await clients[0].say(conversation, "all here?");
    for (const client of clients) assert.equal((await client.next("message")).content, "all here?");
  });
});
