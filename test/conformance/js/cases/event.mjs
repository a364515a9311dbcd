// Events: what passes, to whom, in which order.

import assert from "node:assert/strict";
import { Client, somewhere } from "../client.mjs";
import { texts } from "../traffic.mjs";

const values = [
  0, -1, 1.5, -0.000001, 1e21, 2 ** 53 - 1, true, false, null,
  [], {}, [[[]]], [1, [2, [3, { four: [5] }]]],
  { "": "empty key", "ключ": "key", __proto__x: 1, nested: { deep: { deeper: [null, { x: "y" }] } } },
  { _placeholder: true, num: 0 }, // looks like binary data, and is none
];

export const cases = {
  async "event: text of every script passes unchanged"(t, kind) {
    const client = await Client.connect(t, kind);
    for (const text of [...texts, "half a pair: \ud83d, and the other: \ude00"]) {
      client.emit("echo", text, { [text]: [text] });
      assert.deepEqual(await client.nextArgs("echo"), [text, { [text]: [text] }]);
    }
  },

  async "event: values of every kind pass unchanged, many or none"(t, kind) {
    const client = await Client.connect(t, kind);
    client.emit("echo", ...values);
    assert.deepEqual(await client.nextArgs("echo"), values);
    client.emit("echo");
    assert.deepEqual(await client.nextArgs("echo"), []);
    client.emit("echo", new Date(0), undefined, [undefined, Number.NaN], { left: undefined });
    assert.deepEqual(await client.nextArgs("echo"), ["1970-01-01T00:00:00.000Z", null, [null, null], {}]);
  },

  async "event: many at once arrive in order, both ways"(t, kind) {
    const client = await Client.connect(t, kind);
    const numbers = Array.from({ length: 500 }, (_, i) => i);
    for (const i of numbers) client.emit("count", i);
    assert.deepEqual(await client.nextOnes("count", numbers.length), numbers);
    assert.deepEqual(await client.ask("counted"), numbers);
  },

  async "event: catch-all listeners hear everything, on both sides"(t, kind) {
    const client = await Client.connect(t, kind);
    const heard = [];
    client.socket.onAny((event) => heard.push(`any ${event}`));
    client.socket.prependAny((event) => heard.push(`first ${event}`));
    client.emit("nobody listens", 1);
    client.emit(42);
    client.emit("echo", Buffer.from([1]));
    await client.next("echo");
    assert.deepEqual(heard, ["first echo", "any echo"]);
    assert.deepEqual(await client.ask("heard"), ["who", "nobody listens", "42", "echo", "heard"]);
  },

  async "event: middleware may refuse one, and the next passes"(t, kind) {
    const client = await Client.connect(t, kind);
    client.emit("forbidden", 1);
    client.emit("echo", 2);
    assert.equal(await client.next("refused"), "refused");
    assert.equal(await client.next("echo"), 2);
    assert.deepEqual(await client.ask("heard"), ["who", "forbidden", "echo", "heard"], "catch-all listeners come before it");
  },

  async "event: a broadcast reaches everyone else in the namespace and nobody outside"(t, kind) {
    const namespace = somewhere();
    const clients = [];
    for (let i = 0; i < 3; i++) clients.push(await Client.connect(t, kind, { namespace }));
    const outside = await Client.connect(t, kind, { namespace: somewhere() });
    const [sender, ...others] = clients;
    for (let i = 0; i < 20; i++) await sender.ask("tell-others", i, "text 😀", { binary: Buffer.from([i]) });
    for (const other of others) {
      for (let i = 0; i < 20; i++) {
        assert.deepEqual(await other.nextArgs("told"), [i, "text 😀", { binary: Buffer.from([i]) }]);
      }
    }
    for (const client of [...clients, outside]) {
      await client.ask("who"); // its answer comes behind everything else
      assert.deepEqual(client.unasked, []);
    }
  },

  async "event: a client's volatile events are dropped while it is away"(t, kind) {
    const client = Client.open(t, kind, { autoConnect: false });
    client.socket.volatile.emit("count", 1);
    client.emit("count", 2);
    client.socket.connect();
    await client.welcome();
    assert.deepEqual(await client.ask("counted"), [2]);
  },

  async "event: volatile events pass when the other side can take them, in order"(t, kind) {
    const namespace = somewhere();
    const sender = await Client.connect(t, kind, { namespace });
    const taker = await Client.connect(t, kind, { namespace });
    let arrived = 0;
    taker.socket.on("told", () => arrived++);
    let sent = 0;
    while (arrived < 5 && sent < 10_000) await sender.ask("tell-volatile", taker.socket.id, ++sent);
    await taker.ask("who");
    const numbers = await taker.nextOnes("told", arrived);
    assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
    assert.ok(numbers.length <= sent);
  },
};
