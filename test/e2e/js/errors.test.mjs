// What the server does with events that it cannot accept: it says why, by the ack if one was asked for and by an
// `error` event if not, and goes on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, gathering, someone, somewhere } from "./client.mjs";
import { assertRefused } from "./shape.mjs";
import { overEachTransport } from "./transports.mjs";

/** Payloads that no event takes. */
const shapeless = [
  ["no payload", []],
  ["null", [null]],
  ["a number", [7]],
  ["a boolean", [true]],
  ["an array", [["a", "b"]]],
  ["binary data", [Buffer.from("hi")]],
  ["an empty object", [{}]],
  ["an empty string", [""]],
];

/** Ids that are not the contract's. */
const malformedIds = [
  ["empty", ""],
  ["longer than 128 characters", "a".repeat(129)],
  ["with a space", "a b"],
  ["with a slash", "a/b"],
  ["with a letter that is not ASCII", "é"],
  ["with a line break", "a\n"],
  ["with a NUL", "a\u0000"],
  ["a number", 7],
  ["a boolean", false],
  ["null", null],
  ["binary data", Buffer.from("a")],
  ["an array", ["a"]],
  ["an object", { id: "a" }],
  ["a huge string", "a".repeat(100_000)],
];

/** Every payload that must be refused: the event, what is wrong, the arguments made for a conversation that one is in, and the code. */
const refused = [
  ...["join_conversation", "leave_conversation", "message", "typing", "presence"].flatMap((event) => [
    ...shapeless.map(([what, args]) => [event, what, () => args, "INVALID_PAYLOAD"]),
    ...malformedIds.map(([what, id]) => [
      event, `a conversationId ${what}`, () => [{ conversationId: id, content: "hi", isTyping: true }], "INVALID_PAYLOAD",
    ]),
  ]),
  ...["join_conversation", "leave_conversation"].flatMap((event) =>
    malformedIds.filter(([, id]) => typeof id === "string").map(([what, id]) => [event, `an id ${what}, alone`, () => [id], "INVALID_PAYLOAD"])),
  ...[
    ["an after that is a number", 3],
    ["an after that is a string", "3"],
    ["an after with a negative seq", { epoch: "e", seq: -1 }],
    ["an after with a fraction for seq", { epoch: "e", seq: 1.5 }],
    ["an after with a seq that no number holds", { epoch: "e", seq: 1e300 }],
    ["an after with a string for seq", { epoch: "e", seq: "1" }],
    ["an after with a number for epoch", { epoch: 1, seq: 1 }],
  ].map(([what, after]) => ["join_conversation", what, (conversationId) => [{ conversationId, after }], "INVALID_PAYLOAD"]),
  ...[
    ["no content", {}, "INVALID_PAYLOAD"],
    ["empty content", { content: "" }, "INVALID_PAYLOAD"],
    ["null for content", { content: null }, "INVALID_PAYLOAD"],
    ["a number for content", { content: 5 }, "INVALID_PAYLOAD"],
    ["an object for content", { content: { text: "hi" } }, "INVALID_PAYLOAD"],
    ["an array for content", { content: ["hi"] }, "INVALID_PAYLOAD"],
    ["binary data for content", { content: Buffer.from("hi") }, "INVALID_PAYLOAD"],
    ["one byte too much content", { content: "x".repeat(65_537) }, "PAYLOAD_TOO_LARGE"],
    ["too much content, in few characters", { content: "😀".repeat(16_385) }, "PAYLOAD_TOO_LARGE"],
    ["far too much content", { content: "x".repeat(900_000) }, "PAYLOAD_TOO_LARGE"],
    ...malformedIds.filter(([, id]) => id !== "" && id !== null).map(([what, messageId]) => [`a messageId ${what}`, { content: "hi", messageId }, "INVALID_PAYLOAD"]),
    ["a string for metadata", { content: "hi", metadata: "x" }, "INVALID_PAYLOAD"],
    ["an array for metadata", { content: "hi", metadata: [] }, "INVALID_PAYLOAD"],
    ["a number for metadata", { content: "hi", metadata: 1 }, "INVALID_PAYLOAD"],
    ["binary data for metadata", { content: "hi", metadata: Buffer.from("hi") }, "INVALID_PAYLOAD"],
    ["binary data in the metadata", { content: "hi", metadata: { file: Buffer.from("hi") } }, "INVALID_PAYLOAD"],
    ["too much metadata", { content: "hi", metadata: { x: "x".repeat(20_000) } }, "PAYLOAD_TOO_LARGE"],
    ["a string for echo", { content: "hi", echo: "false" }, "INVALID_PAYLOAD"],
  ].map(([what, more, code]) => ["message", what, (conversationId) => [{ conversationId, ...more }], code]),
  ...[
    ["no isTyping", {}],
    ["null for isTyping", { isTyping: null }],
    ["a string for isTyping", { isTyping: "true" }],
    ["a number for isTyping", { isTyping: 1 }],
  ].map(([what, more]) => ["typing", what, (conversationId) => [{ conversationId, ...more }], "INVALID_PAYLOAD"]),
  ...["unknown", "", "error", "message_", "Message", "__proto__", "constructor", "hasOwnProperty", "toString", "💬", "x".repeat(1_000)].map((event) =>
    [event, "a name that no one handles", (conversationId) => [{ conversationId, content: "hi" }], "INVALID_PAYLOAD"]),
  ...["leave_conversation", "message", "typing", "presence"].map((event) =>
    [event, "a conversation that one is not in", () => [{ conversationId: somewhere(), content: "hi", isTyping: true }], "NOT_IN_CONVERSATION"]),
];

overEachTransport((transport) => {
  test("refusals are told by the ack, and nobody else notices", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    for (const [event, what, args, code] of refused) {
      await t.test(`${event.slice(0, 20)} with ${what}`, async () => {
        assertRefused(await alice.ask(event, ...args(conversation)), code);
      });
    }
    assert.deepEqual(await alice.unasked(), [], "what the ack told is not told again");
    assert.deepEqual(await bob.unasked(), []);
    await bob.say(conversation, "undisturbed");
    for (const client of [alice, bob]) assert.equal((await client.next("message")).content, "undisturbed");
  });

  test("without an ack, refusals are told by an error event", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    for (const [event, what, args, code] of refused) {
      await t.test(`${event.slice(0, 20)} with ${what}`, async () => {
        alice.tell(event, ...args(conversation));
        const error = await alice.next("error");
        assert.equal(typeof error.message, "string");
        assert.notEqual(error.message, "");
        assert.deepEqual(error, { event: event.slice(0, 128), code, message: error.message });
      });
    }
    assert.deepEqual(await alice.unasked(), []);
    assert.deepEqual(await bob.unasked(), []);
    await bob.say(conversation, "undisturbed");
    for (const client of [alice, bob]) assert.equal((await client.next("message")).content, "undisturbed");
  });

  test("arguments beyond those that an event takes are ignored", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const answer = await alice.ask("message", { conversationId: conversation, content: "hi" }, "more", { and: "more" });
    assert.equal(answer.ok, true);
  });

  test("a packet over the limit ends only the connection that sent it, and the client comes back", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    alice.tell("message", { conversationId: conversation, content: "x".repeat(1_000_001) });
    assert.match(await alice.next("disconnect"), /^transport (close|error)$/);
    await alice.connected();
    await alice.join(conversation);
    await alice.say(conversation, "smaller");
    for (const client of [alice, bob]) assert.equal((await client.next("message")).content, "smaller");
    assert.deepEqual(await bob.unasked(), []);
  });

  test("a client that is refused over and over is still served", async (t) => {
    const alice = await Client.connect(t, transport, someone("alice"));
    const answers = await Promise.all(Array.from({ length: 200 }, () => alice.ask("message", { conversationId: somewhere() })));
    for (const answer of answers) assert.equal(answer.ok, false);
    assert.equal((await alice.join(somewhere())).ok, true);
  });
});
