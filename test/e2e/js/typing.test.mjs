// Typing signs: to the others only, few of them, and gone by themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, gathering } from "./client.mjs";
import { assertEvent } from "./shape.mjs";
import { allAtOnceOverEachTransport } from "./transports.mjs";

const expiry = 6_000; // ms
/** The least time between two signs of one user, in ms. */
const least = 250;

const apart = (one, other) => Date.parse(other.timestamp) - Date.parse(one.timestamp);

allAtOnceOverEachTransport((transport) => {
  test("a sign that is not repeated goes stale, by the server's word and once", async (t) => {
    const { conversation, clients: [alice, bob, carol] } = await gathering(t, transport, "alice", "bob", "carol");
    alice.tell("typing", { conversationId: conversation, isTyping: true });
    for (const client of [bob, carol]) {
      const [began, ended] = await client.nextOnes("typing", 2);
      assertEvent(began, { conversationId: conversation, userId: alice.user, isTyping: true });
      assertEvent(ended, { conversationId: conversation, userId: alice.user, isTyping: false });
      assert.ok(apart(began, ended) >= expiry - 1, `it lasted ${apart(began, ended)} ms`);
      assert.deepEqual(await client.unasked(), []);
    }
    assert.deepEqual(await alice.unasked(), [], "nobody is told of their own typing");
  });

  test("a flood of signs is told in few, the last of which is how it ended", async (t) => {
    const n = 200;
    for (const last of [true, false]) {
      const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
      for (let i = 1; i <= n; i++) alice.tell("typing", { conversationId: conversation, isTyping: (i % 2 === 0) === last });
      assert.equal((await alice.ask("typing", { conversationId: conversation, isTyping: last })).ok, true);
      await bob.unasked();
      const heard = bob.allHeard("typing");
      // What was said last is told once it may be, and nothing else then; what ends a sign by itself comes seconds later.
      while (heard.at(-1)?.isTyping !== last) heard.push(await bob.next("typing"));
      await new Promise((resolve) => setTimeout(resolve, 2 * least));
      await bob.unasked();
      heard.push(...bob.allHeard("typing"));
      assert.ok(heard.length > 0 && heard.length < n / 4, `${heard.length} of ${n} were told`);
      for (let i = 1; i < heard.length; i++) assert.ok(apart(heard[i - 1], heard[i]) >= least - 1, JSON.stringify(heard));
      assert.equal(heard.at(-1).isTyping, last, JSON.stringify(heard));
    }
  });

  test("who goes on typing is told again, and stays so", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const began = Date.now();
    let said = 0;
    while (Date.now() - began < expiry + 2_000) {
      await alice.ask("typing", { conversationId: conversation, isTyping: true });
      said++;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await bob.unasked();
    const heard = bob.allHeard("typing");
    assert.ok(heard.length >= 2 && heard.length <= said, `told ${heard.length} times of ${said}`);
    assert.ok(heard.every(({ isTyping }) => isTyping), JSON.stringify(heard));
    // Nothing of it is left to be told but its end.
    assert.equal((await alice.ask("typing", { conversationId: conversation, isTyping: false })).ok, true);
    let end;
    do end = await bob.next("typing"); while (end.isTyping);
    assert.deepEqual(await bob.unasked(), []);
  });

  test("a message ends the typing of who sends it, before it is heard", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const tab = await Client.connect(t, transport, alice.user);
    await tab.join(conversation);
    const order = [];
    bob.socket.onAny((event, { isTyping }) => order.push(isTyping === undefined ? event : isTyping));
    alice.tell("typing", { conversationId: conversation, isTyping: true });
    await alice.say(conversation, "hello", { echo: false });
    for (const client of [bob, tab]) assert.equal((await client.next("message")).content, "hello");
    assert.deepEqual(order, [true, false, "message"]);
    assert.deepEqual(tab.allHeard("typing").map(({ isTyping }) => isTyping), [true, false], "the other tab sees it like the others");
    assert.deepEqual(await alice.unasked(), []);
  });

  test("who leaves while typing has left, and nothing more is told of it", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    alice.tell("typing", { conversationId: conversation, isTyping: true });
    await alice.ask("leave_conversation", conversation);
    assert.equal((await bob.next("typing")).isTyping, true);
    await bob.next("user_left");
    await new Promise((resolve) => setTimeout(resolve, expiry + least));
    assert.deepEqual(await bob.unasked(), []);
  });

  test("two who type at once are told apart", async (t) => {
    const { conversation, clients: [alice, bob, carol] } = await gathering(t, transport, "alice", "bob", "carol");
    for (const client of [alice, bob]) await client.ask("typing", { conversationId: conversation, isTyping: true });
    const heard = await carol.nextOnes("typing", 2);
    assert.deepEqual(heard.map(({ userId }) => userId), [alice.user, bob.user]);
    assert.equal((await alice.next("typing")).userId, bob.user);
    assert.equal((await bob.next("typing")).userId, alice.user);
  });
});
