// The conversation's log, page by page: what a client shows that scrolls back, or fills a hole with.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, gathering, someone } from "./client.mjs";
import { assertRefused } from "./shape.mjs";
import { overEachTransport } from "./transports.mjs";

/** A conversation of two with n messages, each as everyone heard it. */
async function told(t, transport, n) {
  const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
  const { epoch } = await alice.join(conversation);
  const acks = Array.from({ length: n }, (_, i) => alice.say(conversation, `message ${i + 1}`, { metadata: { i } }));
  await Promise.all(acks);
  const messages = await bob.nextOnes("message", n);
  return { conversation, epoch, messages, alice, bob };
}

overEachTransport((transport) => {
  test("a page is told by before, after and limit, and whether there is more in its direction", async (t) => {
    const { conversation, epoch, messages, bob } = await told(t, transport, 60);
    const seqs = (from, to) => messages.slice(from - 1, to);
    for (const [what, asked, page, more] of [
      ["without bounds, the newest 50", {}, seqs(11, 60), true],
      ["the newest few", { limit: 3 }, seqs(58, 60), true],
      ["more than there are", { limit: 61 }, seqs(1, 60), false],
      ["exactly as many as there are", { limit: 60 }, seqs(1, 60), false],
      ["more than a page may have", { limit: 1_000_000 }, seqs(1, 60), false],
      ["those before a place", { before: 11, limit: 4 }, seqs(7, 10), true],
      ["those before a place, down to the first", { before: 5, limit: 4 }, seqs(1, 4), false],
      ["before the first", { before: 1 }, [], false],
      ["before one that is yet to come", { before: 1_000, limit: 2 }, seqs(59, 60), true],
      ["those after a place", { after: 10, limit: 4 }, seqs(11, 14), true],
      ["those after a place, up to the newest", { after: 56, limit: 4 }, seqs(57, 60), false],
      ["from the first on", { after: 0, limit: 1 }, seqs(1, 1), true],
      ["after the newest", { after: 60 }, [], false],
      ["after one that is yet to come", { after: 1_000 }, [], false],
      ["between two places", { after: 20, before: 24 }, seqs(21, 23), false],
      ["between a place and itself", { after: 20, before: 20 }, [], false],
    ]) {
      assert.deepEqual(
        await bob.ask("history", { conversationId: conversation, ...asked }),
        { ok: true, messages: page, epoch, more },
        what,
      );
    }
    assert.deepEqual(await bob.unasked(), [], "what was asked for came in the answers alone");
  });

  test("who scrolls back page by page gets every message once", async (t) => {
    const { conversation, messages, alice, bob } = await told(t, transport, 25);
    const read = [];
    for (let before, more = true; more; before = read[0].seq) {
      const page = await bob.ask("history", { conversationId: conversation, before, limit: 7 });
      read.unshift(...page.messages);
      more = page.more;
      await alice.say(conversation, "meanwhile"); // the end of the log may grow
    }
    assert.deepEqual(read, messages);
  });

  test("a page holds no more than about a megabyte, and goes on where it ended", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const n = 40;
    const content = "x".repeat(65_536);
    for (let i = 0; i < n; i++) await alice.say(conversation, content, { echo: false });
    const sizes = [];
    let last = 0;
    for (let more = true; more; ) {
      const page = await alice.ask("history", { conversationId: conversation, after: last, limit: n });
      assert.deepEqual(page.messages.map(({ seq }) => seq), Array.from(page.messages, (_, i) => last + 1 + i));
      sizes.push(page.messages.length);
      last += page.messages.length;
      more = page.more;
      assert.ok(page.messages.length * content.length <= 1 << 20, `${page.messages.length} messages in a page`);
    }
    assert.equal(last, n);
    assert.ok(sizes.length > 2, `the pages have ${sizes}`);
  });

  test("a conversation in which nothing was said has an empty log, in the epoch of its first message", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const empty = await alice.ask("history", { conversationId: conversation });
    assert.equal(typeof empty.epoch, "string");
    assert.notEqual(empty.epoch, "");
    assert.deepEqual(empty, { ok: true, messages: [], epoch: empty.epoch, more: false });
    assert.equal((await alice.say(conversation, "first")).epoch, empty.epoch);
  });

  test("who is not in the conversation reads nothing of it, whether it exists or not", async (t) => {
    const { conversation, alice, bob } = await told(t, transport, 1);
    const stranger = await Client.connect(t, transport, someone("stranger"));
    const answer = await stranger.ask("history", { conversationId: conversation });
    assertRefused(answer, "NOT_IN_CONVERSATION");
    assert.deepEqual(await stranger.ask("history", { conversationId: `${conversation}-not` }), answer);
    await bob.ask("leave_conversation", conversation);
    assertRefused(await bob.ask("history", { conversationId: conversation }), "NOT_IN_CONVERSATION");
    assert.equal((await alice.ask("history", { conversationId: conversation })).messages.length, 1);
  });

  test("a malformed question is refused", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    for (const payload of [
      {}, { conversationId: "no such id!" }, { conversationId: conversation, limit: 0 }, { conversationId: conversation, limit: -1 },
      { conversationId: conversation, limit: "10" }, { conversationId: conversation, before: -1 },
      { conversationId: conversation, before: 1.5 }, { conversationId: conversation, after: "1" }, [], 7, null,
    ]) {
      assertRefused(await alice.ask("history", payload), "INVALID_PAYLOAD");
    }
  });
});
