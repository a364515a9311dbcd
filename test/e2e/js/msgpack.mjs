// The official client with socket.io-msgpack-parser, and beside it one with its own parser, against the library's example
// server at LIBRARY_URL: every test runs over each transport, with each parser. Run it by `go test ./test/e2e`.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { io } from "socket.io-client";
import msgpack from "socket.io-msgpack-parser";
import { overOneTransportAfterTheOther } from "./transports.mjs";
import { within } from "./wait.mjs";

const url = process.env.LIBRARY_URL;
if (!url) throw new Error("LIBRARY_URL is not set: run this suite by `go test ./test/e2e`");

const parsers = [
  { name: "msgpack", options: { parser: msgpack } },
  { name: "the usual parser", options: {} },
];

const once = (socket, event) => within(new Promise((resolve) => socket.once(event, (...args) => resolve(args))), `no "${event}"`);

/** Buffers and typed arrays as Buffers, wherever they are. */
function plain(value) {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return Buffer.from(value.buffer ?? value, value.byteOffset, value.byteLength);
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return value;
}

for (const parser of parsers) {
  describe(`with ${parser.name}`, () => {
    overOneTransportAfterTheOther((transport) => {
      const open = (t, namespace = "/", more = {}) => {
        const socket = io(url + namespace, { forceNew: true, reconnectionDelay: 20, ...transport.options, ...parser.options, ...more });
        t.after(() => socket.disconnect());
        return socket;
      };
      const connect = async (t, namespace, more) => {
        const socket = open(t, namespace, more);
        await once(socket, "connect");
        const { engine } = socket.io;
        if (engine.transport.name !== transport.settlesOn) {
          await within(new Promise((resolve) => engine.once("upgrade", resolve)), "not upgraded");
        }
        return socket;
      };

      test("the auth payload arrives, and a rule may refuse it", async (t) => {
        for (const namespace of ["/", "/custom", "/dynamic-7"]) {
          const socket = open(t, namespace, { auth: { token: "ä🎉", n: [1, { x: null }] } });
          assert.deepEqual(await once(socket, "auth"), [{ token: "ä🎉", n: [1, { x: null }] }]);
        }
        const [error] = await once(open(t, "/dynamic-7", { auth: { am: "unwelcome" } }), "connect_error");
        assert.equal(error.message, "Invalid namespace");
      });

      test("events and acks carry all values, binary data in its place", async (t) => {
        const socket = await connect(t, "/");
        const all = [0, -1, 127, 128, -33, 65536, 2 ** 40, 1.5, "", "x".repeat(300), "é🎉", null, true, [[]], {}, { a: { b: [Buffer.from([1, 2, 3]), Buffer.alloc(0)] } }, Buffer.from("end")];
        socket.emit("message", ...all);
        assert.deepEqual(plain(await once(socket, "message-back")), all);
        const back = await within(new Promise((resolve) => socket.emit("message-with-ack", ...all, (...args) => resolve(args))), "no ack");
        assert.deepEqual(plain(back), all);
      });

      test("the server's question is answered, with binary data", async (t) => {
        const socket = await connect(t, "/custom");
        socket.on("question", (what, data, ack) => {
          assert.equal(what, "what do you say?");
          assert.deepEqual(plain(data), Buffer.from([1, 2, 3]));
          ack({ mine: Buffer.from([4, 5]) });
        });
        socket.emit("ask-me");
        assert.deepEqual(plain(await once(socket, "you-said")), [{ mine: Buffer.from([4, 5]) }]);
      });

      test("100 events keep their order through an upgrade", async (t) => {
        const socket = open(t, "/");
        const back = [];
        const done = new Promise((resolve) => socket.on("message-back", (n) => back.push(n) === 100 && resolve()));
        for (let n = 0; n < 100; n++) socket.emit("message", n, Buffer.alloc(100));
        await within(done, () => `${back.length} of 100`);
        assert.deepEqual(back, [...Array(100).keys()]);
      });

      test("500,000 bytes go there and back", async (t) => {
        const socket = await connect(t, "/");
        const big = Buffer.alloc(500_000, 7);
        assert.deepEqual(plain(await within(socket.emitWithAck("message-with-ack", big), "no ack")), big);
      });

      test("rooms are shared by both parsers, and votes gathered from both", async (t) => {
        const room = `room-${Math.random()}`;
        const members = [];
        for (const other of [...parsers, ...parsers]) {
          const socket = await connect(t, "/", other.options);
          assert.equal(await socket.emitWithAck("join", room), true);
          members.push(socket);
        }
        const outsider = await connect(t, "/");
        outsider.on("said", () => assert.fail("not in the room"));
        const [speaker, ...others] = members;
        speaker.on("said", () => assert.fail("it was to be left out"));
        const heard = others.map((socket) => once(socket, "said"));
        speaker.emit("say", { room, what: { text: "hello" } });
        for (const [what] of await Promise.all(heard)) assert.deepEqual(what, { text: "hello" });
        members.forEach((socket, n) => socket.on("vote", (what, ack) => ack(`${what}${n}`)));
        assert.deepEqual((await speaker.emitWithAck("vote", { room, what: "v" })).sort(), ["v0", "v1", "v2", "v3"]);
        assert.equal(await others[0].emitWithAck("leave", room), true);
        assert.equal((await speaker.emitWithAck("vote", { room, what: "v" })).length, 3);
      });

      test("the server's ways to disconnect", async (t) => {
        for (const event of ["leave-me", "leave-me-alone"]) {
          const socket = await connect(t, "/");
          const engine = socket.io.engine;
          socket.emit(event);
          assert.equal((await once(socket, "disconnect"))[0], "io server disconnect");
          assert.equal(socket.active, false, "it does not come back by itself");
          if (event === "leave-me-alone" && engine.readyState !== "closed") await once(engine, "close");
        }
        const socket = await connect(t, "/");
        socket.emit("drop-me");
        assert.equal((await once(socket, "disconnect"))[0], "transport close");
        await once(socket, "connect");
        socket.disconnect();
      });

      test("disconnect(true) takes the other namespaces along, disconnect does not", async (t) => {
        const main = await connect(t, "/");
        const custom = main.io.socket("/custom"); // which connects it
        t.after(() => custom.disconnect());
        await once(custom, "connect");
        custom.emit("leave-me");
        assert.equal((await once(custom, "disconnect"))[0], "io server disconnect");
        assert.equal(await within(main.emitWithAck("message-with-ack", 1), "no ack"), 1);
        custom.connect();
        await once(custom, "connect");
        const both = [once(main, "disconnect"), once(custom, "disconnect")];
        custom.emit("leave-me-alone");
        for (const [reason] of await Promise.all(both)) assert.equal(reason, "io server disconnect");
      });

      test("a packet that is none closes the connection, and no other", async (t) => {
        const beside = await connect(t, "/");
        const socket = await connect(t, "/", { reconnection: false });
        socket.io.engine.write(parser.name === "msgpack" ? Buffer.from([0xc1]) : "2{}");
        assert.equal((await once(socket, "disconnect"))[0], "transport close");
        assert.equal(await within(beside.emitWithAck("message-with-ack", 1), "no ack"), 1);
      });
    });
  });
}
