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

/** What has come of a message that was to be confirmed. Counted are users, not their sessions. */
export interface Delivered {
  conversationId: string;
  messageId: string;
  seq: number;
  expected: number;
  delivered: number;
  /** The users who have not confirmed it. */
  pending: string[];
  status: "complete" | "partial";
  timestamp: string;
}

/** A part of a message that is being written. The complete one follows as a `message`, unless it is aborted. */
export interface Chunk {
  conversationId: string;
  messageId: string;
  /** Counts from 0 without a gap. */
  index: number;
  delta: string;
  aborted?: boolean;
}

/** A place in a conversation. Seqs are comparable only inside one epoch. */
export interface Position {
  epoch: string;
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
  /** Whether `messages` is everything after the place that was asked for. */
  recovered: boolean;
  /** Why not, when something was asked for. */
  reason?: string;
  messages: WireMessage[];
}

export interface HistoryPage {
  epoch: string;
  /** By seq. */
  messages: WireMessage[];
  /** Whether the log holds further ones in the direction that was asked for. */
  more: boolean;
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
  /** The last of `rest` is the acknowledgment, if the server asks for one. */
  message(message: WireMessage, ...rest: unknown[]): void;
  message_chunk(chunk: Chunk): void;
  message_delivered(report: Delivered): void;
  user_joined(line: WireLine): void;
  user_left(line: WireLine): void;
  typing(sign: { conversationId: string; userId: string; isTyping: boolean }): void;
  conversation_updated(line: Omit<WireLine, "userId"> & { changes?: Record<string, unknown> }): void;
  token_expiring(notice: { expiresAt: string }): void;
  error(failure: Failure & { event: string }): void;
}

export interface ClientEvents {
  join_conversation(
    request: { conversationId: string; after?: Position },
    reply: Reply<Joined>,
  ): void;
  leave_conversation(request: { conversationId: string }, reply: Reply<{ conversationId: string }>): void;
  message(
    request: { conversationId: string; content: string; messageId: string; confirm: true },
    reply: Reply<Accepted>,
  ): void;
  history(request: { conversationId: string; before: number; limit: number }, reply: Reply<HistoryPage>): void;
  presence(request: { conversationId: string }, reply: Reply<{ members: Member[] }>): void;
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
