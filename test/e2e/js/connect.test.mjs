// Connections: opening, upgrading and closing. Nothing here is about chat, except that messages are what is sent to see
// that a connection carries something.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, gathering, someone, somewhere } from "./client.mjs";
import { overEachTransport, websocket } from "./transports.mjs";
import { patience, within } from "./wait.mjs";

/** The messages that come to the client from now on. */
function listen(client) {
  const messages = [];
  client.socket.on("message", (message) => messages.push(message));
  return messages;
}

overEachTransport((transport) => {
  test("a client connects, and its id is its own and not the connection's secret", async (t) => {
    const alice = await Client.connect(t, transport, someone("alice"));
    const bob = await Client.connect(t, transport, someone("bob"));
    assert.match(alice.socket.id, /^[\w-]{20,}$/);
    assert.notEqual(alice.socket.id, bob.socket.id);
    assert.notEqual(alice.socket.id, alice.socket.io.engine.id);
    assert.equal(alice.socket.io.engine.transport.name, transport.settlesOn);
  });

  test("the handshake tells the times and limits of the server", async (t) => {
    const client = new Client(t, transport, someone("alice"));
    const handshake = await within(new Promise((resolve) => client.socket.io.engine.once("handshake", resolve)), "no handshake");
    const { sid, ...rest } = handshake;
    assert.match(sid, /^[\w-]{20,}$/);
    const upgrades = transport.name === "websocket" ? [] : ["websocket"];
    assert.deepEqual(rest, { upgrades, pingInterval: 25_000, pingTimeout: 60_000, maxPayload: 1_000_000 });
    await client.connected();
  });

  test("what is sent on the way to the settled transport arrives once and in order, both ways", async (t) => {
    const conversation = somewhere();
    const writer = await Client.connect(t, websocket, someone("writer"));
    await writer.join(conversation);
    const newcomer = new Client(t, transport, someone("newcomer"));
    await newcomer.next("connect");
    await newcomer.join(conversation);
    const heard = [writer, newcomer].map((client) => listen(client));

    // One message of each per turn of the event loop, until well after the upgrade.
    let sent = 0;
    let settledAt = Infinity;
    const settled = newcomer.settled().then(() => (settledAt = sent));
    for (; sent < settledAt + 100; sent++) {
      for (const client of [writer, newcomer]) client.tell("message", { conversationId: conversation, content: String(sent) });
      await new Promise(setImmediate);
    }
    await settled;
    for (const client of [writer, newcomer]) await client.say(conversation, "last");
    for (const client of [writer, newcomer]) await client.ask("presence", { conversationId: conversation });

    for (const sender of [writer, newcomer]) {
      const contents = heard[1].filter(({ userId }) => userId === sender.user).map(({ content }) => content);
      assert.deepEqual(contents, [...Array.from({ length: sent }, (_, i) => String(i)), "last"]);
    }
    assert.deepEqual(heard[1], heard[0]);
    assert.equal(newcomer.socket.io.engine.transport.name, transport.settlesOn);
  });

  test("a client that disconnects is gone at once and stays away", async (t) => {
    const { clients } = await gathering(t, transport, "alice", "bob");
    const [alice, bob] = clients;
    alice.socket.disconnect();
    assert.equal(await alice.next("disconnect"), "io client disconnect");
    assert.equal((await bob.next("user_left")).userId, alice.user);
    assert.equal(alice.socket.active, false);
    assert.deepEqual(await bob.unasked(), []);
  });

  test("an unknown namespace is refused, and the connection that it shares goes on", async (t) => {
    const client = await Client.connect(t, transport, someone("alice"));
    const other = client.socket.io.socket("/nowhere", { auth: client.socket.auth });
    const refusal = await within(new Promise((resolve) => other.once("connect_error", resolve)), "no connect_error");
    assert.equal(refusal.message, "Invalid namespace");
    assert.equal((await client.join(somewhere())).ok, true);
    assert.equal(client.socket.connected, true);
  });

  test("two hundred clients connect at once", { timeout: 3 * patience }, async (t) => {
    const clients = await Promise.all(Array.from({ length: 200 }, () => Client.connect(t, transport, someone("one-of-many"))));
    assert.equal(new Set(clients.map(({ socket }) => socket.id)).size, 200);
  });
});
