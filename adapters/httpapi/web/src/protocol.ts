import type { Socket } from "socket.io-client";

/** Why the server said no. */
export type ServerCode =
  | "UNAUTHORIZED"
  | "TOKEN_EXPIRED"
  | "FORBIDDEN"
  | "NOT_IN_CONVERSATION"
  | "INVALID_PAYLOAD"
  | "PAYLOAD_TOO_LARGE"
  | "RATE_LIMITED"
  | "LIMIT_EXCEEDED"
  | "DRAINING"
  | "UNAVAILABLE"
  | "INTERNAL";

/** A failure as the server tells it, or as the page saw it: no answer in time, or no connection. */
export interface Failure {
  code: ServerCode | "TIMEOUT" | "OFFLINE";
  message: string;
  /** Milliseconds. */
  retryAfterMs?: number;
}

export type Answer<T> = ({ ok: true } & T) | { ok: false; error: Failure };

export interface Member {
  userId: string;
}

/** A message as the server sends it. The timestamp is ISO 8601, UTC. */
export interface WireMessage {
  conversationId: string;
  userId: string;
  content: string;
  timestamp: string;
  messageId: string;
  seq: number;
}

/** A line of the server's own: someone joined, someone left, something was updated. */
export interface WireLine {
  conversationId: string;
  userId: string;
  timestamp: string;
}

export interface Joined {
  conversationId: string;
  epoch: string;
  /** The conversation's newest message at the time of joining; 0 when it has none. */
  seq: number;
  members: Member[];
  recovered: boolean;
  messages: WireMessage[];
}

export interface Accepted {
  messageId: string;
  seq: number;
  epoch: string;
  timestamp: string;
  duplicate: boolean;
}

type Reply<T> = (answer: Answer<T>) => void;
type Nothing = Record<never, never>;

export interface ServerEvents {
  message(message: WireMessage): void;
  user_joined(line: WireLine): void;
  user_left(line: WireLine): void;
  typing(sign: { conversationId: string; userId: string; isTyping: boolean }): void;
  conversation_updated(line: Omit<WireLine, "userId">): void;
  token_expiring(notice: { expiresAt: string }): void;
  error(failure: Failure & { event: string }): void;
}

export interface ClientEvents {
  join_conversation(
    request: { conversationId: string; after?: { epoch: string; seq: number } },
    reply: Reply<Joined>,
  ): void;
  leave_conversation(request: { conversationId: string }, reply: Reply<{ conversationId: string }>): void;
  message(request: { conversationId: string; content: string; messageId: string }, reply: Reply<Accepted>): void;
  typing(sign: { conversationId: string; isTyping: boolean }): void;
  refresh_token(request: { token: string }, reply: Reply<Nothing>): void;
}

export type ChatSocket = Socket<ServerEvents, ClientEvents>;

/** Milliseconds an answer may take before it is given up. */
export const answerTimeout = 8_000;

/** An answer in every case: a pause without one, or a lost connection, is a failure like the server's. */
export async function settle<T>(socket: ChatSocket, pending: Promise<Answer<T>>): Promise<Answer<T>> {
  try {
    return await pending;
  } catch (cause) {
    return { ok: false, error: { code: socket.connected ? "TIMEOUT" : "OFFLINE", message: String(cause) } };
  }
}
