// Delivery confirmation: recipients acknowledge by a Socket.IO ack or by message_ack, and the sender is told how many
// users have. The server runs with a short window for recovery, so that it gives up who does not come back.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Client, gathering, someone } from "./client.mjs";
import { Proxy } from "./proxy.mjs";
import { assertEvent, assertRefused } from "./shape.mjs";
import { allAtOnceOverEachTransport } from "./transports.mjs";

const tries = 3;
/** How long all tries take, in ms. */
const patience = 14_000;

/** From now on the client acknowledges every message that asks for it. */
function acknowledge(client) {
  client.socket.on("message", (...args) => {
    const ack = args.at(-1);
    if (typeof ack === "function") ack();
  });
}

const delivered = (sender, ack, conversationId, expected, pending) => ({
  conversationId, messageId: ack.messageId, seq: ack.seq, expected, delivered: expected - pending.length, pending,
  status: pending.length === 0 ? "complete" : "partial",
});

/** How long after its message the report was made, by the server's clock, in ms. */
const took = (ack, report) => Date.parse(report.timestamp) - Date.parse(ack.timestamp);

/** Resets the client's connections until it has noticed. */
async function cut(proxy, client) {
  proxy.down();
  await client.next("disconnect");
}

allAtOnceOverEachTransport((transport) => {
  test("a message that everyone acknowledges is complete, once, and told to all of the sender's tabs", async (t) => {
    const { conversation, clients } = await gathering(t, transport, "alice", "bob", "carol");
    const [alice, bob, carol] = clients;
    const tab = await Client.connect(t, transport, alice.user); // in no conversation
    [bob, carol].forEach(acknowledge);
    const ack = await alice.say(conversation, "hello", { confirm: true });
    assert.equal(ack.ok, true);
    for (const client of [alice, tab]) {
      assertEvent(await client.next("message_delivered"), delivered(alice, ack, conversation, 2, []));
    }
    for (const client of clients) {
      assertEvent(await client.next("message"), {
        type: "message", conversationId: conversation, userId: alice.user, content: "hello", messageId: ack.messageId, seq: 1,
      });
    }
    for (const client of [...clients, tab]) assert.deepEqual(await client.unasked(), []);
  });

  test("who never acknowledges gets it twice more, the others do not, and is pending in the end", async (t) => {
    const { conversation, clients: [alice, bob, carol] } = await gathering(t, transport, "alice", "bob", "carol");
    acknowledge(bob);
    const messageId = randomUUID();
    const ack = await alice.say(conversation, "hello", { messageId, confirm: true });
    const [first, ...others] = await carol.nextOnes("message", tries);
    assert.equal(first.messageId, messageId);
    for (const other of others) assert.deepEqual(other, first);
    const report = await alice.next("message_delivered");
    assertEvent(report, delivered(alice, ack, conversation, 2, [carol.user]));
    assert.ok(took(ack, report) >= patience - 1, `it was given up after ${took(ack, report)} ms`);
    assert.equal((await bob.next("message")).messageId, messageId);
    assert.equal((await alice.next("message")).messageId, messageId);
    for (const client of [alice, bob, carol]) assert.deepEqual(await client.unasked(), []);
    // Too late: it is over.
    assert.equal((await carol.ask("message_ack", { conversationId: conversation, seq: ack.seq })).ok, true);
    assert.deepEqual(await alice.unasked(), []);
  });

  test("who acknowledges at the second try completes it", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const ack = await alice.say(conversation, "hello", { confirm: true });
    await bob.next("message");
    acknowledge(bob);
    assertEvent(await alice.next("message_delivered"), delivered(alice, ack, conversation, 1, []));
    assert.equal((await bob.next("message")).messageId, ack.messageId);
  });

  test("a cumulative ack counts for all messages up to its seq", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const acks = [];
    for (let i = 0; i < 3; i++) acks.push(await alice.say(conversation, `message ${i}`, { confirm: true }));
    await bob.nextOnes("message", 3);
    assert.deepEqual(await bob.ask("message_ack", { conversationId: conversation, seq: 2 }), { ok: true });
    for (const ack of acks.slice(0, 2)) {
      assertEvent(await alice.next("message_delivered"), delivered(alice, ack, conversation, 1, []));
    }
    await alice.nextOnes("message", 3);
    assert.deepEqual(await alice.unasked(), [], "the third is not yet acknowledged");
    assert.deepEqual(await bob.ask("message_ack", { conversationId: conversation, seq: 3 }), { ok: true });
    assertEvent(await alice.next("message_delivered"), delivered(alice, acks[2], conversation, 1, []));
  });

  test("a user counts once, by whichever tab acknowledges first", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const tabs = [bob];
    for (let i = 0; i < 2; i++) {
      tabs.push(await Client.connect(t, transport, bob.user));
      await tabs.at(-1).join(conversation);
    }
    tabs.slice(1).forEach(acknowledge); // the first never does
    const ack = await alice.say(conversation, "hello", { confirm: true });
    assertEvent(await alice.next("message_delivered"), delivered(alice, ack, conversation, 1, []));
    for (const tab of tabs) {
      assert.equal((await tab.next("message")).messageId, ack.messageId);
      // Where the acks take their time, it has been sent again.
      assert.deepEqual((await tab.unasked()).filter((event) => event !== "message"), []);
    }
    assert.equal((await alice.next("message")).messageId, ack.messageId);
    assert.deepEqual(await alice.unasked(), [], "the second ack changed nothing");
  });

  test("nobody is waited for if there is nobody but the sender, who need not acknowledge", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const tab = await Client.connect(t, transport, alice.user);
    await tab.join(conversation);
    const ack = await alice.say(conversation, "hello", { confirm: true, echo: false });
    for (const client of [alice, tab]) {
      assertEvent(await client.next("message_delivered"), delivered(alice, ack, conversation, 0, []));
    }
    assert.equal((await tab.next("message")).messageId, ack.messageId);
    for (const client of [alice, tab]) assert.deepEqual(await client.unasked(), []);
  });

  test("expected is fixed when the message is accepted: who joins later is not waited for", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const ack = await alice.say(conversation, "hello", { confirm: true });
    const late = await Client.connect(t, transport, someone("late"));
    await late.join(conversation);
    assert.equal((await late.ask("message_ack", { conversationId: conversation, seq: ack.seq })).ok, true);
    await bob.ask("message_ack", { conversationId: conversation, seq: ack.seq });
    assertEvent(await alice.next("message_delivered"), delivered(alice, ack, conversation, 1, []));
    assert.deepEqual((await late.unasked()).filter((event) => event === "message"), []);
  });

  for (const [how, go] of [
    ["leaves the conversation", (client, conversation) => client.ask("leave_conversation", conversation)],
    ["says goodbye", (client) => client.close()],
  ]) {
    test(`who ${how} is pending at once`, async (t) => {
      const { conversation, clients: [alice, bob, carol] } = await gathering(t, transport, "alice", "bob", "carol");
      acknowledge(bob);
      const ack = await alice.say(conversation, "hello", { confirm: true });
      await bob.next("message");
      await bob.unasked(); // the server has bob's ack before this answer
      await go(carol, conversation);
      const report = await alice.next("message_delivered");
      assertEvent(report, delivered(alice, ack, conversation, 2, [carol.user]));
      assert.ok(took(ack, report) < patience, `it was reported after ${took(ack, report)} ms`);
    });
  }

  test("who drops with it unacknowledged and recovers gets it again, and completes it", async (t) => {
    const proxy = await Proxy.start(t);
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const bob = await Client.connect(t, transport, someone("bob"), { url: proxy.url });
    await bob.join(conversation);
    const unacknowledged = await alice.say(conversation, "heard, and not acknowledged", { confirm: true });
    const first = await bob.next("message");
    await cut(proxy, bob);
    const missed = await alice.say(conversation, "missed", { confirm: true });
    assert.deepEqual(alice.allHeard("message_delivered"), []);
    acknowledge(bob);
    proxy.up();
    await bob.connected();
    assert.equal(bob.socket.recovered, true);
    const reports = await alice.nextOnes("message_delivered", 2);
    reports.sort((one, other) => one.seq - other.seq);
    assertEvent(reports[0], delivered(alice, unacknowledged, conversation, 1, []));
    assertEvent(reports[1], delivered(alice, missed, conversation, 1, []));
    assert.deepEqual(await bob.next("message"), first, "the same message, under the same id");
  });

  test("who drops, and joins again without recovery, completes it by a cumulative ack", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    bob.socket.io.reconnection(false);
    bob.socket.io.engine.close();
    await bob.next("disconnect");
    const ack = await alice.say(conversation, "missed", { confirm: true });
    const again = await Client.connect(t, transport, bob.user);
    const { messages, epoch } = await again.join({ conversationId: conversation, after: { epoch: ack.epoch, seq: ack.seq - 1 } });
    assert.deepEqual([messages.map(({ messageId }) => messageId), epoch], [[ack.messageId], ack.epoch]);
    await again.ask("message_ack", { conversationId: conversation, seq: ack.seq });
    assertEvent(await alice.next("message_delivered"), delivered(alice, ack, conversation, 1, []));
  });

  test("who drops and does not come back is given up", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const ack = await alice.say(conversation, "hello", { confirm: true });
    bob.socket.io.reconnection(false);
    bob.socket.io.engine.close();
    await alice.next("user_left"); // in the grace time, which is no end of the window
    assert.deepEqual(alice.allHeard("message_delivered"), []);
    const report = await alice.next("message_delivered");
    assertEvent(report, delivered(alice, ack, conversation, 1, [bob.user]));
    assert.ok(took(ack, report) >= patience - 1, `it was given up after ${took(ack, report)} ms`);
  });

  test("a repeat of the message, also one that races, gets the first answer and no report of its own", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const tab = await Client.connect(t, transport, alice.user);
    await tab.join(conversation);
    acknowledge(bob);
    const messageId = randomUUID();
    const acks = await Promise.all(
      Array.from({ length: 10 }, (_, i) => [alice, tab][i % 2].say(conversation, "once", { messageId, confirm: true })),
    );
    assert.equal(acks.filter(({ duplicate }) => !duplicate).length, 1);
    for (const client of [alice, tab]) {
      assertEvent(await client.next("message_delivered"), delivered(alice, acks[0], conversation, 1, []));
    }
    const late = await alice.say(conversation, "once", { messageId, confirm: true });
    assert.deepEqual([late.ok, late.duplicate, late.seq], [true, true, acks[0].seq]);
    for (const client of [alice, tab, bob]) {
      assert.equal((await client.next("message")).messageId, messageId);
      assert.deepEqual(await client.unasked(), []);
    }
  });

  test("a message that asks for no confirmation asks for no ack and is not reported", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const asked = [];
    bob.socket.on("message", (...args) => asked.push(typeof args.at(-1) === "function"));
    for (const more of [{}, { confirm: false }, { confirm: true }]) await alice.say(conversation, "hello", more);
    await bob.nextOnes("message", 3);
    assert.deepEqual(asked, [false, false, true]);
    await alice.nextOnes("message", 3);
    await bob.ask("message_ack", { conversationId: conversation, seq: 3 });
    assert.equal((await alice.next("message_delivered")).seq, 3);
    assert.deepEqual(await alice.unasked(), []);
  });

  test("an ack of who is not in the conversation, or that says nothing, is refused and counts for nobody", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const stranger = await Client.connect(t, transport, someone("stranger"));
    const ack = await alice.say(conversation, "hello", { confirm: true });
    assertRefused(await stranger.ask("message_ack", { conversationId: conversation, seq: ack.seq }), "NOT_IN_CONVERSATION");
    for (const payload of [{}, { conversationId: conversation }, { conversationId: conversation, seq: -1 }, { conversationId: conversation, seq: "1" }, null]) {
      assertRefused(await bob.ask("message_ack", payload), "INVALID_PAYLOAD");
    }
    assert.deepEqual(await bob.ask("message_ack", { conversationId: conversation, seq: 0 }), { ok: true });
    await alice.next("message");
    assert.deepEqual(await alice.unasked(), []);
    await bob.ask("leave_conversation", conversation);
    assertEvent(await alice.next("message_delivered"), delivered(alice, ack, conversation, 1, [bob.user]));
  });
});
