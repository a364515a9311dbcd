// Acks in both directions, and those that do not come.

import assert from "node:assert/strict";
import { within } from "../../../e2e/js/wait.mjs";
import { Client, somewhere } from "../client.mjs";

export const cases = {
  async "ack: the server answers with any number of values"(t, kind) {
    const client = await Client.connect(t, kind);
    for (const args of [[], ["😀"], [1, { two: [3] }, null]]) {
      assert.deepEqual(await client.askArgs("echo-ack", ...args), args);
    }
  },

  async "ack: each answer finds its question, in whatever order they come"(t, kind) {
    const client = await Client.connect(t, kind);
    const order = [];
    const held = Array.from({ length: 5 }, (_, question) => client.ask("hold").then((answer) => order.push({ question, answer })));
    client.emit("release");
    await Promise.all(held);
    assert.deepEqual(order, [0, 1, 2, 3, 4].map((answer) => ({ question: 4 - answer, answer })));
  },

  async "ack: the client answers with any number of values"(t, kind) {
    const client = await Client.connect(t, kind);
    client.socket.on("question", (...args) => args.pop()(...args));
    for (const args of [[], ["😀"], [1, { two: [3] }, null]]) {
      assert.deepEqual(await client.ask("ask", client.socket.id, 10_000, ...args), { late: false, answers: args });
    }
  },

  async "ack: the server does not wait for ever, and an answer that comes late is ignored"(t, kind) {
    const client = await Client.connect(t, kind);
    const asked = client.ask("ask", client.socket.id, 50, "?");
    const [question, ack] = await client.nextArgs("question");
    assert.equal(question, "?");
    assert.deepEqual(await asked, { late: true, answers: [] });
    ack("too late");
    client.socket.on("question", (_, answer) => answer("in time"));
    assert.deepEqual(await client.ask("ask", client.socket.id, 10_000, "?"), { late: false, answers: ["in time"] });
    assert.equal(client.socket.connected, true);
  },

  async "ack: who asks one that leaves is told so"(t, kind) {
    const namespace = somewhere();
    const asker = await Client.connect(t, kind, { namespace });
    const asked = await Client.connect(t, kind, { namespace });
    const answer = asker.ask("ask", asked.socket.id, 300, "?");
    await asked.next("question");
    asked.socket.disconnect();
    assert.deepEqual(await answer, { late: true, answers: [] });
  },

  async "ack: the answers of everyone in a namespace are gathered"(t, kind) {
    const namespace = somewhere();
    const clients = [];
    for (let i = 0; i < 4; i++) {
      const client = await Client.connect(t, kind, { namespace });
      client.socket.on("question", (value, ack) => ack({ i, value, bytes: Buffer.from([i]) }));
      clients.push(client);
    }
    const { late, answers } = await clients[0].ask("ask-all", 10_000, "how many?");
    assert.equal(late, false);
    const want = clients.map((_, i) => ({ i, value: "how many?", bytes: Buffer.from([i]) }));
    assert.deepEqual(answers.sort((a, b) => a.i - b.i), want);
  },

  async "ack: of many, those that answer in time are heard"(t, kind) {
    const namespace = somewhere();
    const clients = [];
    for (let i = 0; i < 3; i++) {
      const client = await Client.connect(t, kind, { namespace });
      if (i !== 1) client.socket.on("question", (ack) => ack(i));
      clients.push(client);
    }
    const { late, answers } = await clients[0].ask("ask-all", 3000);
    assert.equal(late, true);
    assert.deepEqual(answers.sort(), [0, 2]);
  },

  async "ack: the client need not wait for ever either, if it is new enough"(t, kind) {
    const client = await Client.connect(t, kind);
    if (kind.can.timeOut) {
      const late = new Promise((resolve) => client.socket.timeout(30).emit("hold", resolve));
      assert.equal((await within(late, "no time-out")).message, "operation has timed out");
      const answer = new Promise((resolve) => client.socket.timeout(10_000).emit("echo-ack", "x", (...all) => resolve(all)));
      assert.deepEqual(await within(answer, "no answer"), [null, "x"]);
    } else {
      assert.equal(client.socket.timeout, undefined);
      client.emit("hold", () => assert.fail("an answer out of nothing"));
    }
    if (kind.can.emitWithAck) {
      assert.equal(await client.socket.emitWithAck("echo-ack", "x"), "x");
      await assert.rejects(client.socket.timeout(30).emitWithAck("hold"), /operation has timed out/);
    } else {
      assert.equal(client.socket.emitWithAck, undefined);
    }
    assert.deepEqual(await client.askArgs("echo-ack", "still here"), ["still here"]);
  },
};
