// The contract of the chat, for an old client in one room with one of today.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, modern, pair, someone, somewhere, withEachOldClient } from "./client.mjs";

/** Texts that are counted differently in bytes, UTF-16 code units and characters. */
const texts = [
  "plain",
  "café, naïve, 5 £",
  "Zażółć gęślą jaźń",
  "日本語のテキスト",
  "😀",
  "👩‍👩‍👧‍👦 and 🏳️‍🌈 and 🇵🇱, then café",
  '"quoted" \\ back\\slash \\u0041 \n\t\u2028\u2029\u007f\u0000',
  "1:2:3:😀4:5",
  "العربية, עברית, ไทย",
  `${"🙂".repeat(4000)} the end`,
];

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

withEachOldClient((kind) => {
  test("text of every script passes in both directions, in one order for all", async (t) => {
    const { conversation, old, young } = await pair(t, kind);
    for (const [i, text] of texts.entries()) {
      const metadata = { mood: text };
      for (const [n, from] of [old, young].entries()) {
        const ack = await from.say(conversation, text, { metadata });
        assert.equal(ack.ok, true, JSON.stringify(ack.error));
        for (const to of [old, young]) {
          const message = await to.next("message");
          assert.deepEqual(message, {
            type: "message",
            conversationId: conversation,
            userId: from.user,
            content: text,
            timestamp: ack.timestamp,
            messageId: ack.messageId,
            seq: 2 * i + n + 1,
            metadata,
          });
        }
      }
    }
    assert.deepEqual(await old.unasked(), []);
  });

  test("many emoji at once arrive in order", async (t) => {
    const { conversation, old, young } = await pair(t, kind);
    const contents = Array.from({ length: 100 }, (_, i) => `😀é日 ${i}`);
    for (const from of [old, young]) {
      for (const content of contents) from.tell("message", { conversationId: conversation, content });
      for (const to of [old, young]) {
        assert.deepEqual((await to.nextOnes("message", contents.length)).map(({ content }) => content), contents);
      }
    }
  });

  test("joining tells who is there, from where the log goes on, and what was missed", async (t) => {
    const { conversation, old, young } = await pair(t, kind);
    const first = await young.say(conversation, "first 😀");
    await old.next("message");
    assert.deepEqual(await old.ask("leave_conversation", { conversationId: conversation }), { ok: true, conversationId: conversation });
    assert.equal((await young.next("user_left")).userId, old.user);
    await young.say(conversation, "missed 😀");
    const joined = await old.join({ conversationId: conversation, after: { epoch: first.epoch, seq: first.seq } });
    assert.equal(joined.epoch, first.epoch);
    assert.equal(joined.seq, 2);
    assert.equal(joined.recovered, true);
    assert.deepEqual(joined.members.map(({ userId }) => userId), [old.user, young.user].sort());
    assert.deepEqual(joined.messages.map(({ seq, content }) => [seq, content]), [[2, "missed 😀"]]);
    assert.equal((await young.next("user_joined")).userId, old.user);
  });

  test("typing and presence are told to the others", async (t) => {
    const { conversation, old, young } = await pair(t, kind);
    for (const [from, to] of [[old, young], [young, old]]) {
      assert.deepEqual(await from.ask("typing", { conversationId: conversation, isTyping: true }), { ok: true });
      const { timestamp: at, ...rest } = await to.next("typing");
      assert.match(at, timestamp);
      assert.deepEqual(rest, { conversationId: conversation, userId: from.user, isTyping: true });
      assert.deepEqual(await from.unasked(), []);
    }
    const { members } = await old.ask("presence", { conversationId: conversation });
    assert.deepEqual(members.map(({ userId }) => userId), [old.user, young.user].sort());
    young.close();
    const { timestamp: at, ...rest } = await old.next("user_left");
    assert.match(at, timestamp);
    assert.deepEqual(rest, { type: "system", conversationId: conversation, userId: young.user });
  });

  test("a repeat is answered like the first and sent to nobody, and the sender may be left out", async (t) => {
    const { conversation, old, young } = await pair(t, kind);
    const { duplicate, ...first } = await old.say(conversation, "once", { messageId: "id-1", echo: false });
    assert.equal(duplicate, false);
    assert.deepEqual(await old.say(conversation, "twice", { messageId: "id-1", echo: false }), { ...first, duplicate: true });
    assert.equal((await young.next("message")).content, "once");
    assert.deepEqual(await young.unasked(), []);
    assert.deepEqual(await old.unasked(), []);
  });

  test("two tabs are one user", async (t) => {
    const { conversation, old, young } = await pair(t, kind);
    const tab = await Client.connect(t, modern, old.user);
    await tab.join(conversation);
    tab.close();
    assert.deepEqual(await young.unasked(), []);
  });

  test("a failure is the ack, or an error event if none was asked for", async (t) => {
    const client = await Client.connect(t, kind, someone("alice"));
    const conversation = somewhere();
    for (const [event, payload, code] of [
      ["message", { conversationId: conversation, content: "hi" }, "NOT_IN_CONVERSATION"],
      ["message", { conversationId: "not an id 😀", content: "hi" }, "INVALID_PAYLOAD"],
      ["message", { conversationId: conversation, content: 7 }, "INVALID_PAYLOAD"],
      ["presence", null, "INVALID_PAYLOAD"],
      ["no_such_event", {}, "INVALID_PAYLOAD"],
      ["a,b]", {}, "INVALID_PAYLOAD"],
    ]) {
      const answer = await client.ask(event, payload);
      assert.equal(answer.ok, false);
      assert.equal(answer.error.code, code);
      client.tell(event, payload);
      const failure = await client.next("error");
      assert.equal(failure.event, event);
      assert.equal(failure.code, code);
      assert.equal(failure.message, answer.error.message);
    }
    const answer = await client.ask("join_conversation");
    assert.equal(answer.error.code, "INVALID_PAYLOAD");
  });

  test("binary data is refused and costs nothing else", async (t) => {
    const { conversation, old } = await pair(t, kind);
    const answer = await old.ask("message", { conversationId: conversation, content: Buffer.from([1, 2, 3]) });
    assert.equal(answer.error.code, "INVALID_PAYLOAD");
    assert.equal((await old.say(conversation, "still here")).ok, true);
  });

  test("a packet that is too large costs the connection, and the client comes back", async (t) => {
    const client = await Client.connect(t, kind, someone("alice"));
    client.tell("message", { conversationId: "c", content: "x".repeat(1_100_000) });
    assert.match(await client.next("disconnect"), /^transport (close|error)$/);
    await client.connected();
  });
});
