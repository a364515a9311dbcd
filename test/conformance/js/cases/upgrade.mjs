// Traffic while the connection moves from polling to WebSocket; for the other transports, traffic from the first moment.

import assert from "node:assert/strict";
import { Client, somewhere } from "../client.mjs";
import { untilSettled } from "../traffic.mjs";

export const cases = {
  async "upgrade: nothing is lost or reordered, both ways"(t, kind) {
    const client = Client.open(t, kind);
    const { id } = await client.welcome();
    const sent = await untilSettled(client, (i) => client.emit("count", i));
    assert.deepEqual(await client.ask("counted"), sent);
    assert.deepEqual(await client.nextOnes("count", sent.length), sent);
    assert.equal(client.socket.id, id);
    assert.deepEqual(client.unasked, []);
  },

  async "upgrade: binary data stays with its event"(t, kind) {
    const client = Client.open(t, kind);
    await client.welcome();
    const sent = await untilSettled(client, (i) => client.emit("echo", { i, bytes: Buffer.from(`${i}`) }, Buffer.from([1])));
    assert.deepEqual(await client.nextOnes("echo", sent.length), sent.map((i) => ({ i, bytes: Buffer.from(`${i}`) })));
  },

  async "upgrade: answers come behind what was sent before, both ways"(t, kind) {
    const client = Client.open(t, kind);
    await client.welcome();
    const log = [];
    client.socket.on("count", (i) => log.push(`count ${i}`));
    const sent = await untilSettled(client, (i) => {
      client.emit("count", i);
      client.socket.emit("echo-ack", i, (answer) => log.push(`answer ${answer}`));
    });
    await client.ask("who");
    assert.deepEqual(log, sent.flatMap((i) => [`count ${i}`, `answer ${i}`]));
  },

  async "upgrade: what others send meanwhile arrives once and in order, in every namespace"(t, kind) {
    const namespace = somewhere();
    const others = [];
    for (const at of [namespace, "/static"]) others.push(await Client.connect(t, kind, { namespace: at }));
    const client = Client.open(t, kind, { namespace });
    const side = client.beside("/static");
    await client.welcome();
    await side.welcome();
    const told = [];
    const sent = await untilSettled(client, (i) => {
      told.push(others[0].ask("tell-others", i), others[1].ask("tell", side.socket.id, i));
    });
    await Promise.all(told);
    for (const one of [client, side]) {
      assert.deepEqual(await one.nextOnes("told", sent.length), sent);
      assert.deepEqual(one.unasked, []);
    }
  },
};
