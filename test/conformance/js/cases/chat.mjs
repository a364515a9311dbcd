// The contract of the chat, for clients that speak Engine.IO v3. They have no auth payload: their token comes in a
// header or in the query.

import assert from "node:assert/strict";
import { tokenFor } from "../../../e2e/js-legacy/token.mjs";
import { Proxy } from "../../../e2e/js/proxy.mjs";
import { Member, pair, someConversation } from "../member.mjs";
import { texts, untilSettled } from "../traffic.mjs";
import { cut } from "./reconnect.mjs";

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const badToken = () => tokenFor("mallory", { key: "x".repeat(32) });

export const cases = {
  async "chat: after a cut the client comes back, and what it said meanwhile arrives once"(t, kind) {
    const proxy = await Proxy.start(t);
    const { conversation, alice, bob } = await pair(t, kind, { server: proxy.url });
    for (let i = 0; i < 2; i++) {
      await cut(proxy, bob, alice);
      const joined = bob.join(conversation);
      const said = bob.say(conversation, `after cut ${i}`);
      proxy.up();
      await bob.connected();
      assert.equal((await joined).conversationId, conversation);
      assert.equal((await said).ok, true);
      for (const member of [alice, bob]) assert.equal((await member.next("message")).content, `after cut ${i}`);
    }
    await alice.sync();
    assert.ok(!alice.unasked.includes("message"));
  },

  async "chat: a token in the header or in the query opens it"(t, kind) {
    const query = { token: tokenFor("alice") };
    for (const options of [{}, { extraHeaders: {}, query }]) {
      const member = await Member.connect(t, kind, options);
      assert.ok(member.socket.id);
      assert.equal(member.engine.transport.name, kind.settlesOn);
      assert.equal((await member.join(someConversation())).members.length, 1);
    }
  },

  async "chat: of the subprotocols that the client offers one is agreed"(t, kind) {
    const member = await Member.connect(t, kind, { protocols: ["first", "second"] });
    assert.equal(member.engine.transport.name, kind.settlesOn);
  },

  async "chat: without a token, or with a bad one in the query, the client hears why"(t, kind) {
    for (const query of [{}, { token: badToken() }]) {
      const member = Member.open(t, kind, { extraHeaders: {}, query });
      const refusal = await member.next("error");
      assert.equal(refusal.code, "UNAUTHORIZED");
      assert.equal(typeof refusal.message, "string");
      assert.equal(member.socket.connected, false);
    }
  },

  async "chat: a bad token in the header is refused before anything is opened"(t, kind) {
    const member = Member.open(t, kind, { extraHeaders: { Authorization: `Bearer ${badToken()}` } });
    for (let i = 0; i < 3; i++) await member.next("connect_error");
    assert.ok(!member.unasked.includes("connect"));
  },

  async "chat: another namespace is refused, and the connection goes on"(t, kind) {
    const { conversation, alice } = await pair(t, kind);
    const nowhere = alice.beside("/nowhere", undefined, ["error"]);
    assert.deepEqual(await nowhere.next("error"), { message: "Invalid namespace" });
    assert.equal((await alice.say(conversation, "still here")).ok, true);
  },

  async "chat: who joins and leaves is told to the others"(t, kind) {
    const { conversation, alice, bob } = await pair(t, kind);
    const { members } = await bob.ask("presence", { conversationId: conversation });
    assert.deepEqual(members, [alice.user, bob.user].sort().map((userId) => ({ userId })));
    for (const [leave, event] of [
      [() => bob.ask("leave_conversation", { conversationId: conversation }), "user_left"],
      [() => bob.join({ conversationId: conversation }), "user_joined"],
      [() => bob.socket.disconnect(), "user_left"],
    ]) {
      await leave();
      const { timestamp: at, ...rest } = await alice.next(event);
      assert.match(at, timestamp);
      assert.deepEqual(rest, { type: "system", conversationId: conversation, userId: bob.user });
    }
    await alice.sync();
    assert.deepEqual(alice.unasked, []);
  },

  async "chat: text of every script passes, both ways, by event and by ack"(t, kind) {
    const { conversation, alice, bob } = await pair(t, kind);
    let seq = 0;
    for (const content of texts.filter((text) => text !== "")) {
      for (const from of [alice, bob]) {
        const metadata = { again: [content] };
        const answer = await from.say(conversation, content, { metadata, messageId: `id-${++seq}` });
        assert.deepEqual([answer.ok, answer.seq, answer.messageId, answer.duplicate], [true, seq, `id-${seq}`, false]);
        for (const to of [alice, bob]) {
          assert.deepEqual(await to.next("message"), {
            type: "message", conversationId: conversation, userId: from.user, content, timestamp: answer.timestamp,
            messageId: answer.messageId, seq, metadata,
          });
        }
      }
    }
  },

  async "chat: many messages at once arrive in order, and so do their answers"(t, kind) {
    const { conversation, alice, bob } = await pair(t, kind);
    const contents = Array.from({ length: 100 }, (_, i) => `😀é日 ${i}`);
    const answers = await Promise.all(contents.map((content) => alice.say(conversation, content)));
    assert.deepEqual(answers.map(({ seq }) => seq), contents.map((_, i) => i + 1));
    for (const to of [alice, bob]) {
      assert.deepEqual((await to.nextOnes("message", contents.length)).map(({ content }) => content), contents);
    }
  },

  async "chat: nothing is lost or reordered while the connection upgrades, both ways"(t, kind) {
    const conversation = someConversation();
    const writer = await Member.connect(t, kind);
    await writer.join(conversation);
    const newcomer = Member.open(t, kind);
    await newcomer.next("connect");
    await newcomer.join(conversation);
    const both = [writer, newcomer];
    const sent = await untilSettled(newcomer, (i) => {
      for (const member of both) member.emit("message", { conversationId: conversation, content: `${i}` });
    });
    const heard = [];
    for (const member of both) heard.push(await member.nextOnes("message", 2 * sent.length));
    assert.deepEqual(heard[1], heard[0]);
    for (const { user } of both) {
      assert.deepEqual(heard[0].filter(({ userId }) => userId === user).map(({ content }) => Number(content)), sent);
    }
  },

  async "chat: a message of 64 KiB passes, and one that is longer is refused"(t, kind) {
    const { conversation, alice, bob } = await pair(t, kind);
    const content = "x".repeat(65_536); // the reference server counts other characters of 1.7 over polling twice
    assert.equal((await alice.say(conversation, content)).ok, true);
    assert.ok((await bob.next("message")).content === content);
    const { ok, error } = await alice.say(conversation, `${content}x`);
    assert.deepEqual([ok, error.code], [false, "PAYLOAD_TOO_LARGE"]);
  },

  async "chat: a packet over the limit costs the connection, and the client comes back"(t, kind) {
    const member = await Member.connect(t, kind);
    member.emit("message", { conversationId: "c", content: "x".repeat(1_100_000) });
    assert.match(await member.next("disconnect"), /^transport (close|error)$/);
    await member.connected();
  },

  async "chat: a packet that makes no sense costs the connection, and the client comes back"(t, kind) {
    const member = await Member.connect(t, kind);
    for (const packet of ["2[", "9", "2{}"]) {
      member.engine.write(packet);
      assert.equal(await member.next("disconnect"), "transport close", packet);
      await member.connected();
    }
  },

  async "chat: a failure is the answer, or an error event if none was asked for"(t, kind) {
    const member = await Member.connect(t, kind);
    const conversationId = someConversation();
    for (const [event, payload, code] of [
      ["message", { conversationId, content: "hi" }, "NOT_IN_CONVERSATION"],
      ["leave_conversation", { conversationId }, "NOT_IN_CONVERSATION"],
      ["message", { conversationId: "not an id 😀", content: "hi" }, "INVALID_PAYLOAD"],
      ["join_conversation", null, "INVALID_PAYLOAD"],
      ["no_such_event", {}, "INVALID_PAYLOAD"],
    ]) {
      const { ok, error } = await member.ask(event, payload);
      assert.deepEqual([ok, error.code], [false, code], event);
      member.emit(event, payload);
      const failure = await member.next("error");
      assert.deepEqual([failure.event, failure.code], [event, code]);
      assert.equal(typeof failure.message, "string");
    }
  },

  async "chat: the client leaves for good, or closes its transport and comes back"(t, kind) {
    const { alice, bob } = await pair(t, kind);
    const { id } = bob.socket;
    bob.engine.close();
    assert.equal(await bob.next("disconnect"), "forced close");
    await bob.connected();
    assert.notEqual(bob.socket.id, id);
    assert.equal((await alice.next("user_left")).userId, bob.user);
    bob.socket.disconnect();
    assert.equal(await bob.next("disconnect"), "io client disconnect");
  },
};
