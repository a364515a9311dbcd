// Connecting: handshake, credentials, namespaces.

import assert from "node:assert/strict";
import { within } from "../../../e2e/js/wait.mjs";
import { Client, somewhere } from "../client.mjs";

const idPattern = /^[\w-]{20}$/;

export const cases = {
  async "connect: it settles on its transport and is told its id"(t, kind) {
    const client = Client.open(t, kind);
    const { id, recovered } = await client.welcome();
    assert.equal(client.socket.id, id);
    assert.match(id, idPattern);
    assert.notEqual(client.engine.id, id, "the engine's id is a secret");
    assert.equal(recovered, false);
    await client.settled();
    const who = await client.ask("who");
    assert.equal(who.transport, kind.settlesOn);
    assert.equal(client.engine.transport.name, kind.settlesOn);
    assert.deepEqual(client.unasked, []);
  },

  async "connect: the handshake tells what the server can and wants"(t, kind) {
    const client = Client.open(t, kind);
    const { sid, ...rest } = await within(new Promise((resolve) => client.engine.once("handshake", resolve)), "no handshake");
    assert.match(sid, /^[\w-]{20,}$/);
    const upgrades = kind.transport === "websocket" ? [] : ["websocket"];
    assert.deepEqual(rest, { upgrades, pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 });
    await client.welcome();
  },

  async "connect: auth reaches the server, given as an object or by a function"(t, kind) {
    const auth = { token: "abc 😀", nested: { list: [1, null, "x"] } };
    for (const given of [auth, (use) => setImmediate(use, auth)]) {
      const client = await Client.connect(t, kind, { auth: given });
      assert.deepEqual((await client.ask("who")).auth, auth);
    }
    const client = await Client.connect(t, kind);
    assert.deepEqual((await client.ask("who")).auth, {});
  },

  async "connect: query and headers reach the server"(t, kind) {
    const client = await Client.connect(t, kind, { query: { colour: "blue & green" }, extraHeaders: { "X-Mood": "fine" } });
    const { colour, mood } = await client.ask("who");
    assert.deepEqual({ colour, mood }, { colour: "blue & green", mood: "fine" });
  },

  async "connect: of the subprotocols that the client offers one is agreed"(t, kind) {
    const client = await Client.connect(t, kind, { protocols: ["first", "second"] });
    assert.equal(client.engine.transport.name, kind.settlesOn);
    if (kind.settlesOn === "websocket") assert.equal(client.engine.transport.ws.protocol, "first");
  },

  async "connect: a refusal is connect_error with message and data, and the client may try again"(t, kind) {
    const client = Client.open(t, kind, { namespace: "/guarded", auth: { token: "wrong" } });
    const refusal = await client.next("connect_error");
    assert.ok(refusal instanceof Error);
    assert.equal(refusal.message, "not authorized");
    assert.deepEqual(refusal.data, { code: "E_AUTH", hint: ["try", { again: true }] });
    assert.equal(client.socket.connected, false);
    client.socket.auth = { token: "let me in" };
    client.socket.connect();
    await client.welcome();
    assert.deepEqual((await client.ask("who")).auth, { token: "let me in" });
    assert.deepEqual(client.unasked, []);
  },

  async "connect: a refusal in one namespace leaves the others alone"(t, kind) {
    const client = await Client.connect(t, kind);
    const engine = client.engine.id;
    const guarded = client.beside("/guarded");
    assert.equal((await guarded.next("connect_error")).message, "not authorized");
    guarded.socket.auth = { token: "let me in" };
    guarded.socket.connect();
    await guarded.welcome();
    assert.equal((await client.ask("who")).namespace, "/");
    assert.equal(client.engine.id, engine);
  },

  async "connect: an unknown namespace is refused, and the connection goes on"(t, kind) {
    const client = await Client.connect(t, kind);
    for (const name of ["/nowhere", "/dynamic-", "/static/"]) {
      const nowhere = client.beside(name);
      const refusal = await nowhere.next("connect_error");
      assert.ok(refusal instanceof Error);
      assert.equal(refusal.message, "Invalid namespace");
      assert.equal(refusal.data, undefined);
    }
    assert.equal((await client.ask("who")).namespace, "/");
  },

  async "connect: namespaces by name and by pattern"(t, kind) {
    for (const namespace of ["/static", somewhere(), somewhere()]) {
      const client = await Client.connect(t, kind, { namespace });
      const { id, namespace: name } = await client.ask("who");
      assert.equal(name, namespace);
      assert.equal(id, client.socket.id);
    }
  },

  async "connect: several namespaces share a connection and nothing else"(t, kind) {
    const main = await Client.connect(t, kind);
    const rest = ["/static", somewhere()].map((name) => main.beside(name, { auth: { name } }));
    for (const client of rest) await client.welcome();
    const all = [main, ...rest];
    assert.equal(new Set(all.map(({ socket }) => socket.id)).size, all.length);
    assert.equal(new Set(all.map(({ engine }) => engine)).size, 1);
    for (let i = 0; i < 20; i++) {
      for (const client of all) client.emit("echo", client.socket.nsp, i, Buffer.from([i]));
    }
    for (const client of all) {
      for (let i = 0; i < 20; i++) {
        assert.deepEqual(await client.nextArgs("echo"), [client.socket.nsp, i, Buffer.from([i])]);
      }
    }
    for (const client of rest) assert.equal((await client.ask("who")).auth.name, client.socket.nsp);
    for (const client of all) assert.deepEqual(client.unasked, []);
  },

  async "connect: leaving one namespace leaves the others alone, and one can come back"(t, kind) {
    const main = await Client.connect(t, kind);
    const side = main.beside("/static");
    const { id } = await side.welcome();
    const engine = main.engine.id;
    side.socket.disconnect();
    assert.equal(await side.next("disconnect"), "io client disconnect");
    assert.equal((await main.ask("who")).namespace, "/");
    side.socket.connect();
    assert.notEqual((await side.welcome()).id, id);
    assert.equal(await main.ask("fate", id), "client namespace disconnect");
    assert.equal(main.engine.id, engine);
  },

  async "connect: what was emitted before arrives after, in order"(t, kind) {
    const client = Client.open(t, kind);
    for (let i = 0; i < 10; i++) client.emit("count", i);
    const counted = client.ask("counted");
    await client.welcome();
    assert.deepEqual(await counted, Array.from({ length: 10 }, (_, i) => i));
    assert.deepEqual(await client.nextOnes("count", 10), Array.from({ length: 10 }, (_, i) => i));
  },

  async "connect: clients may come and go in quick succession"(t, kind) {
    for (let i = 0; i < 10; i++) {
      const client = Client.open(t, kind);
      if (i % 2) await client.next("connect");
      client.socket.disconnect();
    }
    const client = await Client.connect(t, kind);
    assert.deepEqual(await client.askArgs("echo-ack", "still here"), ["still here"]);
  },
};
