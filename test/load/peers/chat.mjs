// The part of Parley's wire contract that load needs, on socket.io: the same code for every runtime.
//
// It is what a careful Node developer would run: the handshake request released after use, the
// verification key prepared once, one broadcast per message through the in-memory adapter (which encodes
// the frame once for all recipients). Connection state recovery is off unless it is what is measured: it
// keeps every event of the last minutes. With it, who loses the connection has a grace time before
// `user_left`. Left out is what load does not touch: history, confirmed delivery, idempotency.
//
// Nothing here comes from a package, so that each server brings its own pinned ones.

import { createSecretKey, randomUUID } from "node:crypto";

const MAX_CONTENT = 65_536;
const PRESENCE_GRACE = 10_000; // ms
const ID = /^[A-Za-z0-9._:@-]{1,128}$/;

/**
 * The environment of every reference server: PORT (3000; 0 takes a free one), HOST (127.0.0.1),
 * JWT_SECRET (required), ALLOWED_ORIGINS (comma-separated), PING_INTERVAL (25s; `s` or `ms`),
 * RECOVERY_WINDOW (0: connections are not recovered; else like PING_INTERVAL).
 */
export function settings(env) {
  const { PORT = "3000", HOST = "127.0.0.1", JWT_SECRET, ALLOWED_ORIGINS = "http://localhost:5173" } = env;
  const { PING_INTERVAL = "25s", RECOVERY_WINDOW = "0" } = env;
  if (!JWT_SECRET) throw new Error("JWT_SECRET is not set: give the HS256 secret that signs the clients' tokens");
  const duration = (name, text) => {
    const parts = /^(\d+)(ms|s)$/.exec(text);
    if (!parts) throw new Error(`${name} must be a whole number of s or ms, such as 25s`);
    return Number(parts[1]) * (parts[2] === "s" ? 1000 : 1);
  };
  const window = RECOVERY_WINDOW === "0" ? 0 : duration("RECOVERY_WINDOW", RECOVERY_WINDOW);
  return {
    port: Number(PORT),
    host: HOST,
    key: createSecretKey(Buffer.from(JWT_SECRET)),
    origins: new Set(ALLOWED_ORIGINS.split(",").map((origin) => origin.trim())),
    pingInterval: duration("PING_INTERVAL", PING_INTERVAL),
    pingTimeout: 60_000,
    // Options of socket.io. The token is checked again, as for any connection.
    recovery: window > 0 ? { connectionStateRecovery: { maxDisconnectionDuration: window, skipMiddlewares: false } } : {},
  };
}

/** Serves the chat on a socket.io server. `jwt` is the jsonwebtoken package, `key` what settings made. */
export function serve(io, jwt, key) {
  // The documented way to give the handshake request back to the collector.
  io.engine.on("connection", (raw) => {
    raw.request = null;
  });

  const recovers = Boolean(io.opts?.connectionStateRecovery);

  /** conversationId -> {epoch, seq, users: Map<userId, number of sockets>} */
  const conversations = new Map();

  const roomOf = (id) => `conversation:${id}`;
  const now = () => new Date().toISOString();
  const members = (conversation) => Array.from(conversation.users.keys(), (userId) => ({ userId }));
  const refusal = (code, message) => Object.assign(new Error(message), { code });

  function isAllowed(claim, id) {
    if (!Array.isArray(claim)) return false;
    const names = claim.filter((entry) => typeof entry === "string");
    return names.some((entry) => entry === id || (entry.endsWith("*") && id.startsWith(entry.slice(0, -1))));
  }

  io.use((socket, next) => {
    jwt.verify(socket.handshake.auth.token, key, { algorithms: ["HS256"] }, (err, claims) => {
      if (!err && claims.exp && claims.sub) {
        socket.data.userId = claims.sub;
        socket.data.allowed = claims.conversations;
        return next();
      }
      const expired = err?.name === "TokenExpiredError";
      const refused = new Error(expired ? "token has expired" : "token is missing or invalid");
      refused.data = { code: expired ? "TOKEN_EXPIRED" : "UNAUTHORIZED" };
      return next(refused);
    });
  });

  function conversationIdOf(payload) {
    const id = typeof payload === "string" ? payload : payload?.conversationId;
    if (typeof id !== "string" || !ID.test(id)) throw refusal("INVALID_PAYLOAD", "conversationId is missing or malformed");
    return id;
  }

  /** The id of the payload's conversation and its state, or a refusal if this socket is not in it. */
  function joined(socket, payload) {
    const id = conversationIdOf(payload);
    if (!socket.rooms.has(roomOf(id))) throw refusal("NOT_IN_CONVERSATION", "join the conversation first");
    return { id, conversation: conversations.get(id) };
  }

  function system(socket, event, conversationId) {
    const { userId } = socket.data;
    socket.to(roomOf(conversationId)).emit(event, { type: "system", conversationId, userId, timestamp: now() });
  }

  /** Counts the socket's user into a conversation, made if need be; reports whether it is the first socket. */
  function enter(socket, id) {
    let conversation = conversations.get(id);
    if (!conversation) conversations.set(id, (conversation = { epoch: randomUUID(), seq: 0, users: new Map() }));
    const { userId } = socket.data;
    const sockets = conversation.users.get(userId) ?? 0;
    conversation.users.set(userId, sockets + 1);
    return sockets === 0;
  }

  /** Counts the socket's user out of a conversation; its last socket says so to the others. */
  function leave(socket, id) {
    const conversation = conversations.get(id);
    const { userId } = socket.data;
    const left = conversation.users.get(userId) - 1;
    if (left > 0) {
      conversation.users.set(userId, left);
      return;
    }
    conversation.users.delete(userId);
    if (conversation.users.size === 0) conversations.delete(id);
    system(socket, "user_left", id);
  }

  const handlers = {
    join_conversation(socket, payload) {
      const id = conversationIdOf(payload);
      if (!isAllowed(socket.data.allowed, id)) throw refusal("FORBIDDEN", "this token does not open the conversation");
      if (!socket.rooms.has(roomOf(id))) {
        const isFirst = enter(socket, id);
        socket.join(roomOf(id));
        if (isFirst) system(socket, "user_joined", id);
      }
      const conversation = conversations.get(id);
      const { epoch, seq } = conversation;
      return { conversationId: id, epoch, seq, members: members(conversation), recovered: false, messages: [] };
    },

    leave_conversation(socket, payload) {
      const { id } = joined(socket, payload);
      leave(socket, id);
      socket.leave(roomOf(id));
      return { conversationId: id };
    },

    message(socket, payload) {
      const { id, conversation } = joined(socket, payload);
      const { content, metadata, echo = true, messageId = randomUUID() } = payload;
      if (typeof content !== "string" || content === "") throw refusal("INVALID_PAYLOAD", "content must be a non-empty string");
      if (Buffer.byteLength(content) > MAX_CONTENT) throw refusal("PAYLOAD_TOO_LARGE", "content is too long");
      if (typeof messageId !== "string" || !ID.test(messageId)) throw refusal("INVALID_PAYLOAD", "messageId is malformed");
      const seq = ++conversation.seq;
      const timestamp = now();
      const message = { type: "message", conversationId: id, userId: socket.data.userId, content, timestamp, messageId, seq };
      if (metadata !== undefined) message.metadata = metadata;
      (echo ? io.to(roomOf(id)) : socket.to(roomOf(id))).emit("message", message);
      return { messageId, seq, epoch: conversation.epoch, timestamp, duplicate: false };
    },

    typing(socket, payload) {
      const { id } = joined(socket, payload);
      if (typeof payload.isTyping !== "boolean") throw refusal("INVALID_PAYLOAD", "isTyping must be a boolean");
      const typing = { conversationId: id, userId: socket.data.userId, isTyping: payload.isTyping, timestamp: now() };
      socket.to(roomOf(id)).volatile.emit("typing", typing);
      return {};
    },

    presence(socket, payload) {
      return { members: members(joined(socket, payload).conversation) };
    },
  };

  /** Answers by the ack, and a failure without one by an `error` event to this client. */
  function answer(socket, event, payload, ack) {
    try {
      const result = handlers[event](socket, payload);
      if (typeof ack === "function") ack({ ok: true, ...result });
    } catch (err) {
      const error = { code: err.code ?? "INTERNAL", message: err.code ? err.message : "internal error" };
      if (!err.code) console.error(err);
      if (typeof ack === "function") ack({ ok: false, error });
      else socket.emit("error", { event, ...error });
    }
  }

  const joinedBy = (socket) => [...socket.rooms].filter((room) => room !== socket.id).map((room) => room.slice(roomOf("").length));

  io.on("connection", (socket) => {
    // Silent: its grace time has not passed, or if it has, nobody knows whether it was away.
    if (socket.recovered) for (const id of joinedBy(socket)) enter(socket, id);
    for (const event of Object.keys(handlers)) {
      socket.on(event, (payload, ack) => answer(socket, event, payload, ack));
    }
    socket.on("disconnecting", (reason) => {
      const ids = joinedBy(socket);
      const leaveAll = () => ids.forEach((id) => leave(socket, id));
      if (recovers && !reason.endsWith("namespace disconnect")) setTimeout(leaveAll, PRESENCE_GRACE).unref();
      else leaveAll();
    });
  });
}
