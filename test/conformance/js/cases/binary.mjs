// Binary data, which travels beside its event.

import assert from "node:assert/strict";
import { Client, somewhere } from "../client.mjs";

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

export const cases = {
  async "binary: every byte passes, and no bytes too"(t, kind) {
    const client = await Client.connect(t, kind);
    client.emit("echo", everyByte, Buffer.alloc(0), Buffer.from("text 😀"));
    assert.deepEqual(await client.nextArgs("echo"), [everyByte, Buffer.alloc(0), Buffer.from("text 😀")]);
  },

  async "binary: nested in several places, among other values, in every form"(t, kind) {
    const client = await Client.connect(t, kind);
    const bytes = (...list) => Buffer.from(list);
    client.emit("echo", "before", { a: [bytes(1), { b: new Uint8Array([2, 3]) }], text: "é😀" }, [[new Uint8Array([4]).buffer]], null, 5, bytes(6));
    assert.deepEqual(await client.nextArgs("echo"), [
      "before", { a: [bytes(1), { b: bytes(2, 3) }], text: "é😀" }, [[bytes(4)]], null, 5, bytes(6),
    ]);
  },

  async "binary: the same bytes may be in an event twice"(t, kind) {
    const client = await Client.connect(t, kind);
    client.emit("echo", everyByte, { again: everyByte });
    assert.deepEqual(await client.nextArgs("echo"), [everyByte, { again: everyByte }]);
  },

  async "binary: in acks, both ways"(t, kind) {
    const client = await Client.connect(t, kind);
    const data = { deep: [everyByte, "and text"] };
    assert.deepEqual(await client.askArgs("echo-ack", data, Buffer.from([7])), [data, Buffer.from([7])]);
    client.socket.on("question", (value, ack) => ack(value, Buffer.from([8]), [value]));
    assert.deepEqual(await client.ask("ask", client.socket.id, 10_000, everyByte), {
      late: false, answers: [everyByte, Buffer.from([8]), [everyByte]],
    });
  },

  async "binary: ten attachments pass, eleven cost the connection"(t, kind) {
    const client = await Client.connect(t, kind);
    const many = (n) => Array.from({ length: n }, (_, i) => Buffer.from([i]));
    client.emit("echo", ...many(10));
    assert.deepEqual(await client.nextArgs("echo"), many(10));
    const { id } = client.socket;
    client.emit("echo", ...many(11));
    assert.equal(await client.next("disconnect"), "transport close");
    assert.notEqual((await client.welcome()).id, id);
    assert.equal(await client.ask("fate", id), "forced close");
  },

  async "binary: in order among text, both ways, while others send too"(t, kind) {
    const namespace = somewhere();
    const client = await Client.connect(t, kind, { namespace });
    const other = await Client.connect(t, kind, { namespace });
    const sent = Array.from({ length: 100 }, (_, i) => (i % 2 ? { bytes: Buffer.from([i]), i } : { text: "é".repeat(i), i }));
    const told = [];
    for (const value of sent) {
      client.emit("echo", value);
      if (value.i % 10 === 0) told.push(other.ask("tell-others", value, Buffer.from([value.i])));
    }
    assert.deepEqual(await client.nextOnes("echo", sent.length), sent);
    await Promise.all(told);
    assert.deepEqual(await client.nextOnes("told", told.length), sent.filter(({ i }) => i % 10 === 0));
  },
};
