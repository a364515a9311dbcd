// Coming into conversations and leaving them, and who is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, gathering, someone, somewhere } from "./client.mjs";
import { assertEvent, assertRefused } from "./shape.mjs";
import { tokenFor } from "./token.mjs";
import { overEachTransport } from "./transports.mjs";

const members = (...clients) => clients.map(({ user }) => ({ userId: user })).sort((a, b) => (a.userId < b.userId ? -1 : 1));

overEachTransport((transport) => {
  for (const [form, payload] of [["the id alone", (id) => id], ["an object", (id) => ({ conversationId: id })]]) {
    test(`join_conversation and leave_conversation take ${form}`, async (t) => {
      const alice = await Client.connect(t, transport, someone("alice"));
      const conversationId = somewhere();
      const joined = await alice.ask("join_conversation", payload(conversationId));
      assert.equal(typeof joined.epoch, "string");
      assert.notEqual(joined.epoch, "");
      assert.deepEqual(joined, {
        ok: true, conversationId, epoch: joined.epoch, seq: 0, members: members(alice), recovered: false, messages: [],
      });
      assert.deepEqual(await alice.ask("leave_conversation", payload(conversationId)), { ok: true, conversationId });
      assert.deepEqual(await alice.unasked(), [], "nothing is told to the one who does it");
    });
  }

  test("the others are told who joined and who left", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const carol = await Client.connect(t, transport, someone("carol"));
    const joined = await carol.join(conversation);
    assert.deepEqual(joined.members, members(alice, bob, carol));
    const told = { type: "system", conversationId: conversation, userId: carol.user };
    for (const other of [alice, bob]) assertEvent(await other.next("user_joined"), told);
    await carol.ask("leave_conversation", conversation);
    for (const other of [alice, bob]) assertEvent(await other.next("user_left"), told);
    for (const client of [alice, bob, carol]) assert.deepEqual(await client.unasked(), []);
  });

  test("events work without asking for an ack", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const bob = await Client.connect(t, transport, someone("bob"));
    bob.tell("join_conversation", conversation);
    assert.equal((await alice.next("user_joined")).userId, bob.user);
    bob.tell("message", { conversationId: conversation, content: "hello" });
    assert.equal((await alice.next("message")).content, "hello");
    bob.tell("leave_conversation", { conversationId: conversation });
    assert.equal((await alice.next("user_left")).userId, bob.user);
    assert.deepEqual((await bob.unasked()).filter((event) => event !== "message"), []);
  });

  test("a conversation that one is not in, or not any more, is not heard", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const carol = await Client.connect(t, transport, someone("carol"));
    await bob.ask("leave_conversation", conversation);
    await alice.next("user_left");
    await alice.say(conversation, "just me");
    assert.equal((await alice.next("message")).content, "just me");
    assert.deepEqual(await bob.unasked(), []);
    assert.deepEqual(await carol.unasked(), []);
    assertRefused(await bob.say(conversation, "me too"), "NOT_IN_CONVERSATION");
  });

  test("joining twice changes nothing and tells no one", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    assert.deepEqual((await bob.join(conversation)).members, members(alice, bob));
    await alice.say(conversation, "once");
    assert.equal((await bob.next("message")).content, "once");
    assert.deepEqual(await bob.unasked(), [], "the message came once");
    await alice.next("message");
    assert.deepEqual(await alice.unasked(), []);
  });

  test("a second tab of a user is silent, and so are leaving by it and closing it", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const tabs = [];
    for (let i = 0; i < 2; i++) {
      const tab = await Client.connect(t, transport, bob.user);
      assert.deepEqual((await tab.join(conversation)).members, members(alice, bob), "the user is there once");
      tabs.push(tab);
    }
    await alice.say(conversation, "to all tabs");
    for (const client of [alice, bob, ...tabs]) assert.equal((await client.next("message")).content, "to all tabs");
    await bob.ask("leave_conversation", conversation);
    tabs[0].socket.disconnect();
    await tabs[1].say(conversation, "still here");
    assert.equal((await alice.next("message")).content, "still here");
    assert.deepEqual(await alice.unasked(), [], "no one joined and no one left");
    await tabs[1].ask("leave_conversation", conversation);
    assert.equal((await alice.next("user_left")).userId, bob.user, "the last tab is the user");
    assert.deepEqual(await alice.unasked(), []);
  });

  test("one socket may be in many conversations, and goodbye leaves them all", async (t) => {
    const alice = await Client.connect(t, transport, someone("alice"));
    const bob = await Client.connect(t, transport, someone("bob"));
    const conversations = Array.from({ length: 20 }, somewhere);
    for (const client of [alice, bob]) await Promise.all(conversations.map((conversation) => client.join(conversation)));
    await alice.nextOnes("user_joined", conversations.length);
    await bob.say(conversations[7], "in the eighth");
    assert.equal((await alice.next("message")).conversationId, conversations[7]);
    bob.socket.disconnect();
    const left = await alice.nextOnes("user_left", conversations.length);
    assert.deepEqual(left.map(({ conversationId }) => conversationId).sort(), conversations.toSorted());
  });

  test("presence lists the users who are there, each once", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const tab = await Client.connect(t, transport, alice.user);
    await tab.join(conversation);
    const expected = { ok: true, members: members(alice, bob) };
    assert.deepEqual(await bob.ask("presence", { conversationId: conversation }), expected);
    assert.deepEqual(await tab.ask("presence", { conversationId: conversation }), expected);
  });

  test("the claims of the token say which conversations are open: ids, and prefixes that end in a star", async (t) => {
    const mine = somewhere();
    const user = someone("alice");
    const client = await Client.connect(t, transport, user, { auth: { token: tokenFor(user, [mine, "team-7-*"]) } });
    for (const open of [mine, "team-7-", "team-7-lobby"]) assert.equal((await client.join(open)).ok, true);
    for (const shut of [somewhere(), `${mine}x`, mine.slice(0, -1), "team-7", "team-70", "*", "x-team-7-lobby"]) {
      const answer = await client.ask("join_conversation", shut);
      assertRefused(answer, shut === "*" ? "INVALID_PAYLOAD" : "FORBIDDEN");
    }
  });

  test("a token without conversations opens nothing", async (t) => {
    const user = someone("alice");
    const client = await Client.connect(t, transport, user, { auth: { token: tokenFor(user, []) } });
    assertRefused(await client.ask("join_conversation", somewhere()), "FORBIDDEN");
  });

  for (const conversations of ["everything", { any: true }, [1], ["a", null, 2]]) {
    test(`a token whose conversations are ${JSON.stringify(conversations)} is refused`, async (t) => {
      const user = someone("alice");
      const client = new Client(t, transport, user, { auth: { token: tokenFor(user, conversations) } });
      assert.deepEqual((await client.next("connect_error")).data, { code: "UNAUTHORIZED" });
    });
  }

  test("nothing tells an outsider whether a conversation exists", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const user = someone("mallory");
    const mallory = await Client.connect(t, transport, user, { auth: { token: tokenFor(user, ["elsewhere"]) } });
    for (const [event, more] of [
      ["join_conversation", {}], ["message", { content: "hi" }], ["typing", { isTyping: true }], ["presence", {}], ["leave_conversation", {}],
    ]) {
      const there = await mallory.ask(event, { conversationId: conversation, ...more });
      const nowhere = await mallory.ask(event, { conversationId: somewhere(), ...more });
      assert.equal(there.ok, false);
      assert.deepEqual(there, nowhere, event);
    }
    assert.deepEqual(await alice.unasked(), []);
  });
});
