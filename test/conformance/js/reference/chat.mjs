// The part of Parley's chat that the suite of old clients needs, on the reference server, which takes them by allowEIO3.

import { createHmac, randomUUID } from "node:crypto";
import { Server } from "socket.io";

const idPattern = /^[A-Za-z0-9._:@-]{1,128}$/;
const roomOf = (id) => `conversation:${id}`;
const failure = (code, message) => Object.assign(new Error(message), { code });

export function serveChat(http, secret) {
  const userOf = verifier(secret);
  const io = new Server(http, {
    serveClient: false,
    allowEIO3: true,
    pingInterval: 5000,
    pingTimeout: 10_000,
    // A bad token in the header is refused before anything is opened.
    allowRequest({ headers }, done) {
      const bearer = bearerOf(headers);
      done(null, bearer === undefined || userOf(bearer) !== undefined);
    },
  });
  io.use((socket, next) => {
    const { auth, query, headers } = socket.handshake;
    socket.data.user = userOf(auth.token ?? bearerOf(headers) ?? query.token);
    if (socket.data.user) return next();
    const data = { code: "UNAUTHORIZED", message: "token is missing or invalid" };
    next(Object.assign(new Error(data.message), { data }));
  });
  /** The last seq of each conversation. */
  const seqs = new Map();
  io.on("connection", (socket) => {
    for (const [event, handle] of Object.entries(handlers)) {
      socket.on(event, (payload, ack) => answer(io, seqs, socket, event, handle, payload, ack));
    }
    socket.onAny((event, payload, ack) => {
      if (handlers[event]) return;
      answer(io, seqs, socket, event, () => { throw failure("INVALID_PAYLOAD", "unknown event"); }, payload, ack);
    });
    socket.on("disconnecting", () => {
      for (const room of socket.rooms) if (room !== socket.id) tellOthers(socket, room, "user_left");
    });
  });
}

const bearerOf = ({ authorization }) => authorization?.replace(/^Bearer /, "");

/** Returns what gives the user of a token signed by HS256 with the secret, or undefined if the token is not good. */
function verifier(secret) {
  return (token) => {
    const [header, claims, signature] = String(token).split(".");
    if (createHmac("sha256", secret).update(`${header}.${claims}`).digest("base64url") !== signature) return undefined;
    const { sub, exp } = JSON.parse(Buffer.from(claims, "base64url"));
    return exp * 1000 > Date.now() ? sub : undefined;
  };
}

function tellOthers(socket, room, event) {
  const system = { type: "system", conversationId: room.slice(roomOf("").length), userId: socket.data.user };
  socket.to(room).emit(event, { ...system, timestamp: new Date().toISOString() });
}

/** The room of the payload's conversation, which the socket must be in. */
function joined(socket, payload) {
  const id = idOf(payload);
  if (!socket.rooms.has(roomOf(id))) throw failure("NOT_IN_CONVERSATION", "join the conversation first");
  return id;
}

function idOf(payload) {
  const id = typeof payload === "string" ? payload : payload?.conversationId;
  if (typeof id !== "string" || !idPattern.test(id)) throw failure("INVALID_PAYLOAD", "conversationId is missing or malformed");
  return id;
}

function members(io, id) {
  const sockets = [...(io.of("/").adapter.rooms.get(roomOf(id)) ?? [])].map((sid) => io.of("/").sockets.get(sid));
  return [...new Set(sockets.map(({ data }) => data.user))].sort().map((userId) => ({ userId }));
}

const handlers = {
  join_conversation(io, _, socket, payload) {
    const id = idOf(payload);
    if (!socket.rooms.has(roomOf(id))) {
      socket.join(roomOf(id));
      tellOthers(socket, roomOf(id), "user_joined");
    }
    return { conversationId: id, members: members(io, id) };
  },
  leave_conversation(_io, _seqs, socket, payload) {
    const id = joined(socket, payload);
    tellOthers(socket, roomOf(id), "user_left");
    socket.leave(roomOf(id));
    return { conversationId: id };
  },
  message(io, seqs, socket, payload) {
    const id = joined(socket, payload);
    const { content, metadata, messageId = randomUUID() } = payload;
    if (typeof content !== "string" || content === "") throw failure("INVALID_PAYLOAD", "content must be a non-empty string");
    if (Buffer.byteLength(content) > 65_536) throw failure("PAYLOAD_TOO_LARGE", "content is too long");
    const seq = (seqs.get(id) ?? 0) + 1;
    seqs.set(id, seq);
    const timestamp = new Date().toISOString();
    const message = { type: "message", conversationId: id, userId: socket.data.user, content, timestamp, messageId, seq };
    io.to(roomOf(id)).emit("message", metadata === undefined ? message : { ...message, metadata });
    return { messageId, seq, timestamp, duplicate: false };
  },
  presence: (io, _, socket, payload) => ({ members: members(io, joined(socket, payload)) }),
};

/** Answers by the ack, and a failure without one by an `error` event. */
function answer(io, seqs, socket, event, handle, payload, ack) {
  try {
    const result = handle(io, seqs, socket, payload);
    if (typeof ack === "function") ack({ ok: true, ...result });
  } catch (err) {
    if (!err.code) throw err;
    const error = { code: err.code, message: err.message };
    if (typeof ack === "function") ack({ ok: false, error });
    else socket.emit("error", { event, ...error });
  }
}
