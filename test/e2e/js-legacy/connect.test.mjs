// Connections of old clients: signing in, upgrading, closing and coming back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Proxy } from "../js/proxy.mjs";
import { patience, within } from "../js/wait.mjs";
import { Client, modern, pair, someone, somewhere, withEachOldClient } from "./client.mjs";
import { tokenFor } from "./token.mjs";

/** How long a lost connection keeps its user present, in ms: PRESENCE_GRACE of the server. */
const grace = 3_000;

const withToken = (token) => ({ extraHeaders: { Authorization: `Bearer ${token}` } });

/** Cuts the network until the client notices: one that polls may be between two connections. */
async function cutOff(proxy, client) {
  proxy.down();
  try {
    assert.match(await client.next("disconnect"), /^transport (close|error)$/);
  } finally {
    proxy.up();
  }
}

/** A client that is to be refused, and what it hears. */
function refused(t, kind, options) {
  return new Client(t, kind, "mallory", { extraHeaders: {}, ...options });
}

withEachOldClient((kind) => {
  test("a client connects and settles on its transport, with an id that cannot be guessed", async (t) => {
    const alice = await Client.connect(t, kind, someone("alice"));
    const bob = await Client.connect(t, kind, someone("bob"));
    assert.match(alice.socket.id, /^[\w-]{24}$/);
    assert.notEqual(alice.socket.id, bob.socket.id);
    assert.equal(alice.socket.io.engine.transport.name, kind.settlesOn);
  });

  test("the handshake tells the times of the server", async (t) => {
    const client = new Client(t, kind, someone("alice"));
    const handshake = await within(new Promise((resolve) => client.socket.io.engine.once("handshake", resolve)), "no handshake");
    const { sid, ...rest } = handshake;
    assert.match(sid, /^[\w-]{24}$/);
    assert.deepEqual(rest, { upgrades: kind.name === "websocket" ? [] : ["websocket"], pingInterval: 5000, pingTimeout: 10_000 });
    await client.connected();
  });

  test("a token in the query is as good", async (t) => {
    const user = someone("alice");
    const client = new Client(t, kind, user, { extraHeaders: {}, query: { token: tokenFor(user) } });
    await client.connected();
    const { members } = await client.join(somewhere());
    assert.deepEqual(members, [{ userId: user }]);
  });

  for (const [fault, query, code] of [
    ["brings no token", {}, "UNAUTHORIZED"],
    ["brings an expired token", () => ({ token: tokenFor("mallory", { lifetime: -3600 }) }), "TOKEN_EXPIRED"],
    ["brings a forged token", () => ({ token: tokenFor("mallory", { key: "x".repeat(32) }) }), "UNAUTHORIZED"],
  ]) {
    test(`a client that ${fault} hears why and does not try again`, async (t) => {
      const client = refused(t, kind, { query: typeof query === "function" ? query() : query });
      const refusal = await client.next("error");
      assert.equal(refusal.code, code);
      assert.ok(refusal.message);
      assert.equal(await client.next("disconnect"), "io server disconnect");
      assert.equal(client.socket.connected, false);
      assert.equal(client.socket.io.skipReconnect, true);
    });
  }

  test("a bad token in the header is refused before anything is opened, and the client may try again", async (t) => {
    const client = refused(t, kind, { ...withToken(tokenFor("mallory", { key: "x".repeat(32) })), reconnectionAttempts: 2 });
    await client.next("connect_error");
    await client.next("connect_error");
    await client.next("connect_error");
  });

  test("another namespace is refused, and the connection goes on", async (t) => {
    const client = await Client.connect(t, kind, someone("alice"));
    const other = client.socket.io.socket("/nowhere");
    const refusal = await within(new Promise((resolve) => other.once("error", resolve)), "no error");
    assert.deepEqual(refusal, { message: "Invalid namespace" });
    other.close();
    assert.equal((await client.join(somewhere())).ok, true);
  });

  test("a client that has nothing to say stays connected by its heartbeat", async (t) => {
    const client = await Client.connect(t, kind, someone("quiet"), { url: process.env.IMPATIENT_URL, reconnection: false });
    const { id } = client.socket;
    for (let pongs = 0; pongs < 12; pongs++) { // each after 300 ms; without a ping the server waits for 3.3 s
      await within(new Promise((resolve) => client.socket.io.engine.once("pong", resolve)), "no pong");
    }
    assert.equal(client.socket.id, id);
    assert.equal((await client.join(somewhere())).ok, true);
  });

  test("what is sent on the way to the settled transport arrives once and in order, both ways", async (t) => {
    const conversation = somewhere();
    const writer = await Client.connect(t, modern, someone("writer"));
    await writer.join(conversation);
    const newcomer = new Client(t, kind, someone("newcomer"));
    await newcomer.next("connect");
    await newcomer.join(conversation);
    const clients = [writer, newcomer];
    const heard = clients.map((client) => {
      const messages = [];
      client.socket.on("message", (message) => messages.push(message));
      return messages;
    });
    const { engine } = newcomer.socket.io;
    const settled = () => engine.transport.name === kind.settlesOn;
    let sent = 0;
    for (let after = 0; after < 100; sent++) {
      for (const client of clients) client.tell("message", { conversationId: conversation, content: String(sent) });
      await new Promise(setImmediate);
      if (settled()) after++;
    }
    for (const client of clients) await client.say(conversation, "last");
    for (const client of clients) await client.ask("presence", { conversationId: conversation });
    for (const sender of clients) {
      const contents = heard[1].filter(({ userId }) => userId === sender.user).map(({ content }) => content);
      assert.deepEqual(contents, [...Array.from({ length: sent }, (_, i) => String(i)), "last"]);
    }
    assert.deepEqual(heard[1], heard[0]);
  });

  test("a client that disconnects has left at once", async (t) => {
    const { old, young } = await pair(t, kind);
    const before = Date.now();
    old.close();
    assert.equal((await young.next("user_left")).userId, old.user);
    assert.ok(Date.now() - before < grace, "it was taken for a lost connection");
  });

  test("a client whose connection is lost stays present for the grace time", async (t) => {
    const proxy = await Proxy.start(t);
    const conversation = somewhere();
    const young = await Client.connect(t, modern, someone("young"));
    await young.join(conversation);
    const old = await Client.connect(t, kind, someone("old"), { url: proxy.url, reconnection: false });
    await old.join(conversation);
    await young.next("user_joined");
    const before = Date.now();
    await cutOff(proxy, old);
    assert.equal((await young.next("user_left")).userId, old.user);
    assert.ok(Date.now() - before > grace - 10, "it was taken for a goodbye");
  });

  test("a client whose network is cut comes back by itself, and what it said meanwhile arrives", async (t) => {
    const proxy = await Proxy.start(t);
    const conversation = somewhere();
    const young = await Client.connect(t, modern, someone("young"));
    await young.join(conversation);
    const old = await Client.connect(t, kind, someone("old"), { url: proxy.url });
    await old.join(conversation);
    await young.next("user_joined");
    for (let i = 0; i < 3; i++) {
      await cutOff(proxy, old);
      const rejoined = old.join(conversation);
      const said = old.say(conversation, `after cut ${i}`);
      await old.connected();
      await rejoined;
      assert.equal((await said).ok, true);
      assert.equal((await young.next("message")).content, `after cut ${i}`);
      assert.equal((await old.next("message")).content, `after cut ${i}`);
    }
  });

  test("a client that closed its transport comes back by itself, as another session", async (t) => {
    const client = await Client.connect(t, kind, someone("alice"));
    const before = client.socket.id;
    client.socket.io.engine.close();
    assert.equal(await client.next("disconnect"), "forced close");
    await client.connected();
    assert.notEqual(client.socket.id, before);
  });

  test("clients may come and go in quick succession", async (t) => {
    const user = someone("restless");
    for (let i = 0; i < 20; i++) {
      const client = new Client(t, kind, user);
      if (i % 2) await client.next("connect");
      client.close();
    }
    await Client.connect(t, kind, user);
  });

  test("fifty clients connect at once", { timeout: 3 * patience }, async (t) => {
    const clients = await Promise.all(Array.from({ length: 50 }, () => Client.connect(t, kind, someone("crowd"))));
    assert.equal(new Set(clients.map(({ socket }) => socket.id)).size, 50);
  });
});
