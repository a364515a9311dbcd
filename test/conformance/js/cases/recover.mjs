// Connection state recovery. Clients before 4.6 know nothing of it: they come back as another socket, and what they
// missed stays missed.

import assert from "node:assert/strict";
import { Proxy } from "../../../e2e/js/proxy.mjs";
import { Client, somewhere } from "../client.mjs";
import { cut } from "./reconnect.mjs";

const path = "/recovering/";

/** A client behind a proxy, and another that is not, in a namespace of their own. */
async function two(t, kind, options) {
  const proxy = await Proxy.start(t);
  const namespace = somewhere();
  const other = await Client.connect(t, kind, { path, namespace });
  const client = await Client.connect(t, kind, { path, namespace, server: proxy.url, ...options });
  return { proxy, other, client, id: client.socket.id };
}

/** Waits for the client to be back and checks whether it is the same socket, as it must be if it can. */
async function back(client, id) {
  const { can } = client.kind;
  const welcome = await client.welcome();
  assert.equal(welcome.recovered, can.recover);
  assert.equal(client.socket.recovered, can.recover ? true : undefined);
  assert.equal(welcome.id === id, can.recover);
  assert.equal(client.socket.id, welcome.id);
}

/** The first arguments of all events "told" until the one that says "end". */
async function toldUntilEnd(client) {
  const all = [];
  for (let value = await client.next("told"); value !== "end"; value = await client.next("told")) all.push(value);
  return all;
}

export const cases = {
  async "recover: missed events of every kind arrive once and in order, before later ones"(t, kind) {
    const { proxy, other, client, id } = await two(t, kind);
    await other.ask("tell-others", "seen");
    assert.equal(await client.next("told"), "seen");
    await cut(proxy, client, other);
    await other.ask("fate", id);
    const missed = ["text 😀", { nested: [1, null] }, { bytes: Buffer.from([1, 2, 3]), more: [Buffer.from([4])] }, 4];
    for (const value of missed.slice(0, 2)) await other.ask("tell-others", value);
    for (const value of missed.slice(2)) await other.ask("tell", id, value);
    client.emit("echo", "said while away");
    proxy.up();
    await back(client, id);
    await other.ask("tell-others", "end");
    assert.deepEqual(await toldUntilEnd(client), kind.can.recover ? missed : []);
    assert.equal(await client.next("echo"), "said while away");
    await client.ask("who");
    assert.deepEqual(client.unasked.filter((event) => event !== "connect_error"), []);
  },

  async "recover: again and again, under traffic"(t, kind) {
    const { proxy, other, client, id } = await two(t, kind);
    const received = [];
    client.socket.on("told", (i) => received.push(i));
    let sent = 0;
    for (let i = 0; i < 3; i++) {
      const { id: last } = client.socket;
      // Some on their way to the client when it is cut off, some while it is away, some while it comes back.
      let on = true;
      const talk = (async () => {
        do await other.ask("tell-others", ++sent);
        while (on);
      })();
      await client.next("told");
      if (kind.settlesOn === "polling") {
        on = false; // so that there is a poll to cut
        await talk;
      }
      await cut(proxy, client, other);
      await other.ask("fate", last);
      await other.ask("tell-others", ++sent);
      proxy.up();
      await back(client, kind.can.recover ? id : last);
      await client.settled();
      on = false;
      await talk;
    }
    await other.ask("tell-others", "end");
    while (received.at(-1) !== "end") await client.next("told");
    received.pop();
    if (kind.can.recover) assert.deepEqual(received, Array.from({ length: sent }, (_, i) => i + 1));
    else assert.deepEqual(received, [...new Set(received)].sort((a, b) => a - b));
  },

  async "recover: in every namespace of the connection"(t, kind) {
    const { proxy, other, client: main, id } = await two(t, kind);
    const side = main.beside("/static");
    const { id: sideID } = await side.welcome();
    await cut(proxy, main, other);
    await side.next("disconnect");
    await other.ask("fate", id);
    proxy.up();
    await back(main, id);
    await back(side, sideID);
  },

  async "recover: not for one that left by itself"(t, kind) {
    const { other, client, id } = await two(t, kind);
    client.socket.disconnect();
    await client.next("disconnect");
    await other.ask("fate", id);
    client.socket.connect();
    const welcome = await client.welcome();
    assert.equal(welcome.recovered, false);
    assert.notEqual(welcome.id, id);
    assert.ok(!client.socket.recovered);
  },

  async "recover: not for one that the server put out"(t, kind) {
    const { client, id } = await two(t, kind);
    client.emit("kick");
    assert.equal(await client.next("disconnect"), "io server disconnect");
    client.socket.connect();
    const welcome = await client.welcome();
    assert.equal(welcome.recovered, false);
    assert.notEqual(welcome.id, id);
  },

  async "recover: volatile events that were missed stay missed"(t, kind) {
    const { proxy, other, client, id } = await two(t, kind);
    await cut(proxy, client, other);
    await other.ask("fate", id);
    await other.ask("tell-volatile", id, "volatile");
    await other.ask("tell-others", "kept");
    proxy.up();
    await back(client, id);
    await other.ask("tell-others", "end");
    assert.deepEqual(await toldUntilEnd(client), kind.can.recover ? ["kept"] : []);
  },
};
