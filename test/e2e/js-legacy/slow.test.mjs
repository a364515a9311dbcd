// An old client that does not read: nobody else may notice.

import assert from "node:assert/strict";
import { test } from "node:test";
import { patience } from "../js/wait.mjs";
import { Client, modern, someone, somewhere, withEachOldClient } from "./client.mjs";

/** Makes the client stop taking anything from the network, while its connection stays up. */
function stick({ socket }) {
  const { transport } = socket.io.engine;
  if (transport.name === "websocket") {
    transport.ws._socket.pause();
    return;
  }
  transport.doPoll = () => {}; // the waiting poll is its last
}

withEachOldClient((kind) => {
  test("a stuck client delays nobody, and is let go", { timeout: 4 * patience }, async (t) => {
    const conversation = somewhere();
    const [writer, reader] = await Promise.all([
      Client.connect(t, modern, someone("writer")),
      Client.connect(t, kind, someone("reader")),
    ]);
    const stuck = await Client.connect(t, kind, someone("stuck"), { reconnection: false });
    for (const client of [stuck, writer, reader]) await client.join(conversation);
    stick(stuck);

    const content = "x".repeat(50_000);
    const waits = [];
    for (let i = 0; i < 200; i++) {
      const before = performance.now();
      const ack = await writer.say(conversation, content, { echo: false });
      assert.equal(ack.ok, true);
      const { seq } = await reader.next("message");
      assert.equal(seq, ack.seq);
      waits.push(performance.now() - before);
    }
    // On a machine that is busy; a server that waits for the stuck client waits for ten seconds.
    assert.ok(Math.max(...waits) < 5_000, `someone waited for ${Math.max(...waits)} ms`);
    const left = await writer.next("user_left", 12_000); // sooner than by its heartbeat
    assert.equal(left.userId, stuck.user);
  });
});
