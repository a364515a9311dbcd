// Payloads near the limit of a million bytes, and over it.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Client } from "../client.mjs";

export const cases = {
  async "size: 900,000 bytes of text pass, both ways"(t, kind) {
    const client = await Client.connect(t, kind);
    const text = "é😀x".repeat(128_000) + "y".repeat(4_000);
    client.emit("echo", text);
    assert.ok((await client.next("echo")) === text);
  },

  async "size: 700,000 bytes of binary data pass, both ways"(t, kind) {
    const client = await Client.connect(t, kind);
    const bytes = randomBytes(700_000); // base64 makes four bytes of three
    client.emit("echo", { bytes });
    assert.ok((await client.next("echo")).bytes.equals(bytes));
  },

  async "size: several large events in a row pass, each below the limit"(t, kind) {
    const client = await Client.connect(t, kind);
    for (let i = 0; i < 4; i++) assert.equal((await client.askArgs("echo-ack", `${i}`.repeat(300_000)))[0].length, 300_000);
  },

  async "size: over the limit the client loses its connection, and comes back"(t, kind) {
    const client = await Client.connect(t, kind);
    const { id } = client.socket;
    client.emit("echo", "x".repeat(1_100_000));
    const reason = kind.settlesOn === "polling" ? "transport error" : "transport close";
    assert.equal(await client.next("disconnect"), reason);
    assert.notEqual((await client.welcome()).id, id);
    assert.deepEqual(await client.askArgs("echo-ack", "still here"), ["still here"]);
  },
};
