// What makes a client whole again after it may have missed something: sending the same message again, and joining with
// the place of the last message seen.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Client, gathering, someone } from "./client.mjs";
import { overEachTransport } from "./transports.mjs";

overEachTransport((transport) => {
  test("a message sent again under its id is answered like the first time and heard once", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const messageId = randomUUID();
    const first = await alice.say(conversation, "once", { messageId });
    assert.equal(first.duplicate, false);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await alice.say(conversation, "once", { messageId }), { ...first, duplicate: true });
    }
    assert.deepEqual(await alice.say(conversation, "other words", { messageId }), { ...first, duplicate: true });
    for (const client of [alice, bob]) {
      assert.equal((await client.next("message")).content, "once");
      assert.deepEqual(await client.unasked(), []);
    }
  });

  test("repeats that race, from two connections of one user, are accepted once", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const tab = await Client.connect(t, transport, alice.user);
    await tab.join(conversation);
    const messageId = randomUUID();
    const acks = await Promise.all(
      Array.from({ length: 20 }, (_, i) => [alice, tab][i % 2].say(conversation, "once", { messageId })),
    );
    assert.equal(acks.filter(({ duplicate }) => !duplicate).length, 1);
    assert.deepEqual(new Set(acks.map(({ seq }) => seq)), new Set([1]));
    for (const client of [alice, tab, bob]) {
      assert.equal((await client.next("message")).content, "once");
      assert.deepEqual(await client.unasked(), []);
    }
  });

  test("a message id belongs to its user and its conversation", async (t) => {
    const one = await gathering(t, transport, "alice", "bob");
    const [alice, bob] = one.clients;
    const messageId = "the-same-for-all";
    assert.equal((await alice.say(one.conversation, "alice's", { messageId })).duplicate, false);
    assert.equal((await bob.say(one.conversation, "bob's", { messageId })).duplicate, false);
    const two = await gathering(t, transport, "carol");
    await alice.join(two.conversation);
    assert.equal((await alice.say(two.conversation, "elsewhere", { messageId })).duplicate, false);
  });

  test("a join with the last place seen brings every message since, in order, before any live one", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const { epoch } = await alice.join(conversation);
    const sent = [];
    for (let i = 1; i <= 10; i++) sent.push(await bob.say(conversation, `message ${i}`, { metadata: { i } }));
    const heard = await alice.nextOnes("message", sent.length);

    const late = await Client.connect(t, transport, someone("late"));
    const joined = await late.join({ conversationId: conversation, after: { epoch, seq: 4 } });
    assert.deepEqual(joined, {
      ok: true, conversationId: conversation, epoch, seq: 10, members: joined.members, recovered: true, messages: heard.slice(4),
    });
    await bob.say(conversation, "live");
    assert.equal((await late.next("message")).seq, 11);
    assert.deepEqual(await late.unasked(), [], "what the ack brought did not come as events too");
  });

  test("a join while messages are on their way misses none and repeats none", async (t) => {
    const { conversation, clients: [bob] } = await gathering(t, transport, "bob");
    const { epoch } = await bob.join(conversation);
    const late = await Client.connect(t, transport, someone("late"));
    const saying = Array.from({ length: 100 }, (_, i) => bob.say(conversation, String(i)));
    await saying[20];
    const joined = await late.join({ conversationId: conversation, after: { epoch, seq: 0 } });
    await Promise.all(saying);
    const live = await late.nextOnes("message", saying.length - joined.messages.length);
    const contents = [...joined.messages, ...live].map(({ content }) => content);
    assert.deepEqual(contents, Array.from({ length: saying.length }, (_, i) => String(i)));
    assert.equal(joined.seq, joined.messages.length);
    assert.deepEqual(await late.unasked(), []);
  });

  test("a client that has seen everything is told so", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const { epoch, seq } = await alice.say(conversation, "seen");
    const joined = await alice.join({ conversationId: conversation, after: { epoch, seq } });
    assert.deepEqual([joined.recovered, joined.messages, joined.seq], [true, [], seq]);
  });

  for (const [what, after] of [
    ["another life of the conversation", () => ({ epoch: "another", seq: 1 })],
    ["the conversation's future", (epoch) => ({ epoch, seq: 99 })],
  ]) {
    test(`a place in ${what} cannot be recovered from, and nothing is replayed`, async (t) => {
      const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
      const { epoch } = await alice.say(conversation, "one");
      await alice.say(conversation, "two");
      const joined = await alice.join({ conversationId: conversation, after: after(epoch) });
      assert.deepEqual(joined, {
        ok: true, conversationId: conversation, epoch, seq: 2, members: [{ userId: alice.user }],
        recovered: false, reason: "epoch", messages: [],
      });
    });
  }

  test("a place that lies too far back cannot be recovered from, and nothing is replayed", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const { epoch, seq } = await alice.say(conversation, "long ago");
    // More than a conversation's log keeps, of messages that are as long as they may be.
    const later = 160;
    for (let said = 0; said < later; said += 10) {
      await Promise.all(Array.from({ length: 10 }, () => alice.say(conversation, "x".repeat(65_536), { echo: false })));
    }
    const joined = await alice.join({ conversationId: conversation, after: { epoch, seq } });
    assert.deepEqual([joined.recovered, joined.reason, joined.messages], [false, "trimmed", []]);
    assert.equal(joined.seq, 1 + later);
  });
});
