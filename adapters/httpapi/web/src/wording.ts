import type { Failure } from "./protocol";

const sentences: Record<Failure["code"], string> = {
  UNAUTHORIZED: "The server did not accept your sign-in.",
  TOKEN_EXPIRED: "Your sign-in has expired.",
  FORBIDDEN: "You do not have permission.",
  NOT_IN_CONVERSATION: "You are no longer in this conversation.",
  INVALID_PAYLOAD: "The server could not read that.",
  PAYLOAD_TOO_LARGE: "That message is too long.",
  RATE_LIMITED: "That was too fast.",
  LIMIT_EXCEEDED: "A limit of the server is reached.",
  DRAINING: "The server is about to restart.",
  UNAVAILABLE: "The server cannot do that at the moment.",
  INTERNAL: "Something went wrong on the server.",
  TIMEOUT: "The server did not answer in time.",
  OFFLINE: "The connection was lost.",
};

/** A failure in plain words. An unknown code falls back to the server's own message. */
export function inWords(failure: Failure): string {
  const sentence = sentences[failure.code] ?? failure.message;
  if (failure.retryAfterMs === undefined) return sentence;
  const seconds = Math.max(1, Math.ceil(failure.retryAfterMs / 1000));
  return `${sentence} Try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`;
}

/** "alice", "alice and bob", "alice, bob and 3 others": never longer than three parts. */
export function nameList(names: readonly string[]): string {
  const [first = "", second] = names;
  if (second === undefined) return first;
  if (names.length === 2) return `${first} and ${second}`;
  const others = names.length - 2;
  return `${first}, ${second} and ${others} ${others === 1 ? "other" : "others"}`;
}

/** What to show while others type; empty when nobody does. */
export function typingLine(names: readonly string[]): string {
  if (names.length === 0) return "";
  return `${nameList(names)} ${names.length === 1 ? "is" : "are"} typing…`;
}

/** Says why the conversation is shown from its newest messages again. */
export function reloadLine(reason: string | undefined): string {
  if (reason === "epoch") return "The server has begun this conversation anew. Shown is what it has now.";
  return "You were away for too long to catch up. Shown are the newest messages.";
}

/** Says what a backend changed about the conversation. */
export function updateLine(changes: Record<string, unknown> | undefined): string {
  const what = Object.keys(changes ?? {});
  return what.length === 0 ? "The conversation was updated" : `The conversation was updated: ${nameList(what)}`;
}

/** Says who has got a message of one's own. */
export function deliveryWords({ expected, pending }: { expected: number; pending: readonly string[] }): string {
  if (expected === 0) return "Sent; nobody else was here";
  if (pending.length === 0) return expected === 1 ? "Delivered" : `Delivered to all ${expected}`;
  return `Delivered to ${expected - pending.length} of ${expected}; not confirmed by ${nameList(pending)}`;
}

/** Asks whether to go although messages are not sent. */
export function unsentWords(count: number): string {
  return `${count === 1 ? "A message is" : `${count} messages are`} not sent yet and will be lost. Leave all the same?`;
}
