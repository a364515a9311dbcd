// What the load generator relies on, asked of a reference server by the official client.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";

const SECRET = "a secret for the reference server's own tests";
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Registers the tests of the server that `command server.mjs` starts in `cwd`; the rest are packages. */
export function contract({ command, cwd, io, jwt }) {
  const servers = [];
  let url;
  const sockets = [];

  async function start(environment) {
    const env = { ...process.env, JWT_SECRET: SECRET, PORT: "0", HOST: "127.0.0.1", ...environment };
    const server = spawn(command, ["server.mjs"], { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
    servers.push(server);
    const [line] = await once(server.stdout, "data");
    return `http://${/listening on (\S+)/.exec(line)[1]}`;
  }

  before(async () => {
    url = await start({});
  });

  after(async () => {
    for (const socket of sockets) socket.disconnect();
    for (const server of servers) {
      server.kill("SIGTERM");
      const [code] = await once(server, "exit");
      assert.equal(code, 0, "SIGTERM ends it cleanly");
    }
  });

  function token(sub, claims = {}) {
    return jwt.sign({ sub, conversations: ["open*"], exp: Math.floor(Date.now() / 1000) + 60, ...claims }, SECRET);
  }

  function client(auth, { server = url, ...options } = {}) {
    const socket = io(server, { auth: { token: auth }, transports: ["websocket"], forceNew: true, reconnection: false, ...options });
    sockets.push(socket);
    return socket;
  }

  async function joined(sub, room, options) {
    const socket = client(token(sub), options);
    const ack = await socket.timeout(5000).emitWithAck("join_conversation", room);
    assert.equal(ack.ok, true);
    return { socket, ack };
  }

  const next = (socket, event) => new Promise((resolve) => socket.once(event, resolve));

  test("a CONNECT without a good token is refused with a code", async () => {
    const code = async (auth) => (await next(client(auth), "connect_error")).data.code;
    assert.equal(await code(undefined), "UNAUTHORIZED");
    assert.equal(await code(jwt.sign({ sub: "u", exp: 9999999999 }, "another secret")), "UNAUTHORIZED");
    assert.equal(await code(jwt.sign({ sub: "u" }, SECRET)), "UNAUTHORIZED", "a token must expire");
    assert.equal(await code(token("u", { exp: 1 })), "TOKEN_EXPIRED");
  });

  test("an origin that is not allowed is refused", async () => {
    const error = await next(client(token("u"), { extraHeaders: { origin: "http://elsewhere.example" } }), "connect_error");
    assert.ok(error);
  });

  test("joining answers with the conversation, and the others hear of a user once", async () => {
    const { socket: a, ack: first } = await joined("a", "open-join");
    assert.deepEqual({ ...first, epoch: "" }, {
      ok: true, conversationId: "open-join", epoch: "", seq: 0, members: [{ userId: "a" }], recovered: false, messages: [],
    });
    const heard = [];
    a.on("user_joined", (event) => heard.push(event));
    const { ack } = await joined("b", { conversationId: "open-join" });
    assert.deepEqual(ack.members, [{ userId: "a" }, { userId: "b" }]);
    await joined("b", "open-join");
    await joined("c", "open-join");
    await a.timeout(5000).emitWithAck("presence", { conversationId: "open-join" });
    assert.deepEqual(heard.map((event) => event.userId), ["b", "c"]);
    assert.equal(heard[0].type, "system");
    assert.match(heard[0].timestamp, ISO);
  });

  test("a message reaches all members in order, the sender too unless it does not want it", async () => {
    const { socket: a } = await joined("a", "open-talk");
    const { socket: b } = await joined("b", "open-talk", { transports: ["polling"] });
    const got = { a: [], b: [] };
    a.on("message", (m) => got.a.push(m));
    b.on("message", (m) => got.b.push(m));
    const send = (payload) => a.timeout(5000).emitWithAck("message", { conversationId: "open-talk", ...payload });
    const ack = await send({ content: "one", userId: "forged", timestamp: "forged", metadata: { k: 1 } });
    assert.equal(ack.ok, true);
    assert.equal(ack.seq, 1);
    assert.equal(ack.duplicate, false);
    assert.match(ack.timestamp, ISO);
    await send({ content: "two", messageId: "mine" });
    const third = next(b, "message");
    await send({ content: "three", echo: false });
    await third;
    await b.timeout(5000).emitWithAck("presence", { conversationId: "open-talk" });
    assert.deepEqual(got.a.map((m) => [m.seq, m.content]), [[1, "one"], [2, "two"]]);
    assert.deepEqual(got.b.map((m) => [m.seq, m.content]), [[1, "one"], [2, "two"], [3, "three"]]);
    assert.deepEqual(got.b[0], {
      type: "message", conversationId: "open-talk", userId: "a", content: "one",
      timestamp: ack.timestamp, messageId: ack.messageId, seq: 1, metadata: { k: 1 },
    });
    assert.equal(got.b[1].messageId, "mine");
  });

  test("bad requests are refused by code, by ack and without one", async () => {
    const { socket: a } = await joined("a", "open-bad");
    const code = async (event, payload) => (await a.timeout(5000).emitWithAck(event, payload)).error.code;
    assert.equal(await code("join_conversation", "closed"), "FORBIDDEN");
    assert.equal(await code("join_conversation", "not an id"), "INVALID_PAYLOAD");
    assert.equal(await code("message", { conversationId: "open-other", content: "x" }), "NOT_IN_CONVERSATION");
    assert.equal(await code("message", { conversationId: "open-bad", content: "" }), "INVALID_PAYLOAD");
    assert.equal(await code("message", { conversationId: "open-bad", content: "x".repeat(65_537) }), "PAYLOAD_TOO_LARGE");
    assert.equal(await code("message", { conversationId: "open-bad", content: "x", messageId: "a b" }), "INVALID_PAYLOAD");
    assert.equal(await code("typing", { conversationId: "open-bad", isTyping: "yes" }), "INVALID_PAYLOAD");
    const refused = next(a, "error");
    a.emit("message", null);
    assert.deepEqual(Object.keys(await refused), ["event", "code", "message"]);
  });

  test("with RECOVERY_WINDOW a connection that is lost is recovered, and nobody hears that it was away", async () => {
    const server = await start({ RECOVERY_WINDOW: "60s" });
    const { socket: a } = await joined("a", "open-back", { server });
    const { socket: b } = await joined("b", "open-back", { server, reconnection: true, reconnectionDelay: 50 });
    const system = [];
    a.on("user_joined", (event) => system.push(event));
    a.on("user_left", (event) => system.push(event));
    const got = [];
    b.on("message", (m) => got.push(m.seq));
    const send = () => a.timeout(5000).emitWithAck("message", { conversationId: "open-back", content: "x" });
    const first = next(b, "message");
    await send();
    await first;
    const { id } = b;
    const lost = next(b, "disconnect");
    b.io.engine.transport.ws.terminate();
    await lost;
    await send();
    await next(b, "connect");
    assert.equal(b.recovered, true);
    assert.equal(b.id, id);
    await send();
    const { members } = await b.timeout(5000).emitWithAck("presence", { conversationId: "open-back" });
    assert.deepEqual(members, [{ userId: "a" }, { userId: "b" }]);
    assert.deepEqual(got, [1, 2, 3]);
    assert.deepEqual(system, []);
  });

  test("without it a connection has no secret to be recovered by", async () => {
    const { socket } = await joined("a", "open-gone");
    assert.equal(socket._pid, undefined);
  });

  test("typing and leaving reach the others; a user leaves with the last socket", async () => {
    const { socket: a } = await joined("a", "open-leave");
    const { socket: b1 } = await joined("b", "open-leave");
    const { socket: b2 } = await joined("b", "open-leave");
    const left = [];
    a.on("user_left", (event) => left.push(event.userId));
    const typing = next(a, "typing");
    assert.deepEqual(await b1.timeout(5000).emitWithAck("typing", { conversationId: "open-leave", isTyping: true }), { ok: true });
    assert.equal((await typing).userId, "b");
    assert.deepEqual(await b1.timeout(5000).emitWithAck("leave_conversation", "open-leave"), { ok: true, conversationId: "open-leave" });
    assert.deepEqual(left, []);
    const gone = next(a, "user_left");
    b2.disconnect();
    assert.equal((await gone).userId, "b");
    const { members } = await a.timeout(5000).emitWithAck("presence", { conversationId: "open-leave" });
    assert.deepEqual(members, [{ userId: "a" }]);
  });
}
