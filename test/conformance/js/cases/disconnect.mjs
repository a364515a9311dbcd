// How connections end, and what each side calls it.

import assert from "node:assert/strict";
import { within } from "../../../e2e/js/wait.mjs";
import { Client } from "../client.mjs";

/** Asks, on a connection of its own, why the socket of that id went. */
async function fateOf(t, kind, id) {
  const other = await Client.connect(t, kind);
  return other.ask("fate", id);
}

export const cases = {
  async "disconnect: by the client"(t, kind) {
    const client = await Client.connect(t, kind);
    const { id } = client.socket;
    client.socket.disconnect();
    assert.equal(await client.next("disconnect"), "io client disconnect");
    assert.equal(client.socket.connected, false);
    assert.equal(await fateOf(t, kind, id), "client namespace disconnect");
  },

  async "disconnect: by the client closing its transport"(t, kind) {
    const client = await Client.connect(t, kind);
    const { id } = client.socket;
    client.engine.close();
    assert.equal(await client.next("disconnect"), "forced close");
    assert.notEqual((await client.welcome()).id, id, "it comes back by itself");
    assert.equal(await client.ask("fate", id), "transport close");
  },

  async "disconnect: by the server, from the namespace"(t, kind) {
    const client = await Client.connect(t, kind);
    const { id } = client.socket;
    client.emit("kick");
    await client.next("farewell");
    assert.equal(await client.next("disconnect"), "io server disconnect");
    assert.equal(await fateOf(t, kind, id), "server namespace disconnect");
    assert.deepEqual(client.unasked, [], "it does not come back by itself");
    client.socket.connect();
    assert.notEqual((await client.welcome()).id, id);
  },

  async "disconnect: by the server, from one of several namespaces"(t, kind) {
    const main = await Client.connect(t, kind);
    const side = main.beside("/static");
    const { id } = await side.welcome();
    const engine = main.engine.id;
    side.emit("kick");
    await side.next("farewell");
    assert.equal(await side.next("disconnect"), "io server disconnect");
    assert.equal(await main.ask("fate", id), "server namespace disconnect");
    assert.equal((await main.ask("who")).namespace, "/");
    side.socket.connect();
    assert.notEqual((await side.welcome()).id, id);
    assert.equal(main.engine.id, engine, "the connection goes on");
    assert.deepEqual(main.unasked, []);
  },

  async "disconnect: by the server, with the connection"(t, kind) {
    const client = await Client.connect(t, kind);
    const { id } = client.socket;
    const closed = new Promise((resolve) => client.engine.once("close", resolve));
    client.emit("kick-and-close");
    await client.next("farewell");
    assert.equal(await client.next("disconnect"), "io server disconnect");
    await within(closed, "the connection was not closed");
    assert.equal(await fateOf(t, kind, id), "server namespace disconnect");
    assert.deepEqual(client.unasked, [], "it does not come back by itself");
  },

  async "disconnect: by the server, the connection alone"(t, kind) {
    const main = await Client.connect(t, kind);
    const side = main.beside("/static");
    await side.welcome();
    const ids = [main, side].map(({ socket }) => socket.id);
    main.emit("close");
    for (const client of [main, side]) assert.equal(await client.next("disconnect"), "transport close");
    for (const client of [main, side]) assert.ok(!ids.includes((await client.welcome()).id), "it comes back by itself");
    for (const id of ids) assert.equal(await main.ask("fate", id), "forced close");
  },

  async "disconnect: a packet that makes no sense costs the connection, in every namespace"(t, kind) {
    for (const packet of ["2[", "2{}", "9", '2["connect"]', "0", '2/nowhere,["x"]', '51-["x"]']) {
      const main = await Client.connect(t, kind);
      const side = main.beside("/static");
      await side.welcome();
      const ids = [main, side].map(({ socket }) => socket.id);
      main.engine.write(packet);
      if (packet.startsWith("5")) main.engine.write("text where an attachment is due");
      for (const client of [main, side]) assert.equal(await client.next("disconnect"), "transport close", packet);
      for (const client of [main, side]) await client.welcome();
      for (const id of ids) assert.equal(await main.ask("fate", id), "forced close", packet);
    }
  },

  async "disconnect: not for an ack that answers nothing, or an event that nobody knows"(t, kind) {
    const client = await Client.connect(t, kind);
    for (const packet of ["3", "3[]", "30", "3999[1]", '3999[{"x":null}]', '2/,["x"]', '2[ "x" , 1 ]', "2[1]", '2["__proto__"]']) {
      client.engine.write(packet);
    }
    await client.sync();
    assert.deepEqual(client.unasked, []);
  },
};
