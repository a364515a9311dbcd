// Messages and typing signs: what is sent, what is heard, and what the sender is told.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Client, gathering, someone } from "./client.mjs";
import { assertEvent, timestampOf } from "./shape.mjs";
import { overEachTransport } from "./transports.mjs";

overEachTransport((transport) => {
  test("a message reaches everyone, the sender too, and the ack says which it is", async (t) => {
    const { conversation, clients } = await gathering(t, transport, "alice", "bob", "carol");
    const [alice] = clients;
    const { epoch } = await alice.join(conversation);
    const ack = await alice.say(conversation, "hello");
    assert.match(ack.messageId, /^[\w.:@-]{1,128}$/);
    assert.deepEqual(ack, { ok: true, messageId: ack.messageId, seq: 1, epoch, timestamp: timestampOf(ack), duplicate: false });
    for (const client of clients) {
      assert.deepEqual(await client.next("message"), {
        type: "message", conversationId: conversation, userId: alice.user, content: "hello",
        timestamp: ack.timestamp, messageId: ack.messageId, seq: 1,
      });
      assert.deepEqual(await client.unasked(), []);
    }
  });

  test("a message keeps the id and the metadata that the sender gave it", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const messageId = `client:${randomUUID()}`;
    const metadata = { model: "coach-2", tokens: 12, nested: { list: [1, null, true, "x"], "ключ": "значение" }, empty: {} };
    assert.equal((await alice.say(conversation, "with more", { messageId, metadata })).messageId, messageId);
    const message = await bob.next("message");
    assertEvent(message, {
      type: "message", conversationId: conversation, userId: alice.user, content: "with more", messageId, seq: 1, metadata,
    });
  });

  test("a sender who wants no echo does not hear the message, but their other tab does", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const tab = await Client.connect(t, transport, alice.user);
    await tab.join(conversation);
    assert.equal((await alice.say(conversation, "no echo", { echo: false })).ok, true);
    for (const client of [bob, tab]) assert.equal((await client.next("message")).content, "no echo");
    assert.deepEqual(await alice.unasked(), []);
    await alice.say(conversation, "echo", { echo: true });
    assert.equal((await alice.next("message")).content, "echo");
  });

  test("who wrote it and when is the server's word, whatever the sender claims", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const claims = { userId: bob.user, timestamp: "1999-12-31T23:59:59.999Z", seq: 77, type: "system", epoch: "mine", duplicate: true };
    const ack = await alice.say(conversation, "it was bob", claims);
    assert.equal(ack.duplicate, false);
    assertEvent(await bob.next("message"), {
      type: "message", conversationId: conversation, userId: alice.user, content: "it was bob", messageId: ack.messageId, seq: 1,
    });
  });

  for (const [what, content] of [
    ["emoji and other writing systems", "👩‍👩‍👧‍👦 жираф キリン 🏳️‍🌈 \u0000 \u2028 \ud7ff 𝄞 \"quoted\" \\ </script>"],
    ["65,536 bytes of letters", "x".repeat(65_536)],
    ["65,536 bytes of emoji", "😀".repeat(16_384)],
    ["65,536 bytes that JSON must escape", "\n".repeat(65_536)],
    ["what looks like packets", "42[\"message\",{}]\u001e1\u001e41\u001e2probe"],
  ]) {
    test(`content may be ${what}`, async (t) => {
      const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
      assert.equal((await alice.say(conversation, content)).ok, true);
      for (const client of [alice, bob]) assert.ok((await client.next("message")).content === content, "the content is as it was");
    });
  }

  test("two people who talk at once are heard in the same order by everyone", async (t) => {
    const n = 100;
    const { conversation, clients } = await gathering(t, transport, "alice", "bob", "carol");
    const [alice, bob] = clients;
    const numbers = Array.from({ length: n }, (_, i) => String(i));
    const acks = await Promise.all([alice, bob].map((client) => Promise.all(numbers.map((i) => client.say(conversation, i)))));
    const heard = await Promise.all(clients.map((client) => client.nextOnes("message", 2 * n)));
    for (const messages of heard) {
      assert.deepEqual(messages, heard[0], "everyone hears the same");
      assert.deepEqual(messages.map(({ seq }) => seq), Array.from({ length: 2 * n }, (_, i) => i + 1), "without a gap");
    }
    for (const [i, sender] of [alice, bob].entries()) {
      const own = heard[0].filter(({ userId }) => userId === sender.user);
      assert.deepEqual(own.map(({ content }) => content), numbers, "each sender's messages keep their order");
      assert.deepEqual(own.map(({ seq }) => seq), acks[i].map(({ seq }) => seq), "the acks name the same places");
      assert.deepEqual(own.map(({ timestamp }) => timestamp), acks[i].map(({ timestamp }) => timestamp));
    }
    const times = heard[0].map(({ timestamp }) => timestamp);
    assert.deepEqual(times, times.toSorted(), "times rise with the places");
  });

  test("conversations do not disturb each other", async (t) => {
    const one = await gathering(t, transport, "alice", "bob");
    const two = await gathering(t, transport, "carol", "dave");
    await one.clients[0].say(one.conversation, "in one");
    await two.clients[0].say(two.conversation, "in two");
    for (const { conversation, clients, content } of [{ ...one, content: "in one" }, { ...two, content: "in two" }]) {
      for (const client of clients) {
        const message = await client.next("message");
        assert.deepEqual([message.conversationId, message.content, message.seq], [conversation, content, 1]);
        assert.deepEqual(await client.unasked(), []);
      }
    }
  });

  test("the others see someone typing, and stopping", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const tab = await Client.connect(t, transport, alice.user);
    await tab.join(conversation);
    for (const isTyping of [true, false]) {
      assert.deepEqual(await alice.ask("typing", { conversationId: conversation, isTyping }), { ok: true });
      for (const client of [bob, tab]) {
        assertEvent(await client.next("typing"), { conversationId: conversation, userId: alice.user, isTyping });
      }
    }
    assert.deepEqual(await alice.unasked(), []);
  });
});
