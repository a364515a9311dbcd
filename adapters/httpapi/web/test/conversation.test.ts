import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Conversation } from "../src/conversation";
import type { Failure } from "../src/protocol";
import { ScriptedSocket, turn } from "./scripted-socket";
import { Transcript } from "./transcript";

const timestamp = "2026-01-05T09:30:00.000Z";

class Page extends Transcript {
  readonly joined = vi.fn();
  readonly refused = vi.fn<(failure: Failure, again: boolean) => void>();
  readonly members = vi.fn<(users: string[]) => void>();
  readonly typing = vi.fn<(users: string[]) => void>();
}

describe("a conversation", () => {
  let socket: ScriptedSocket;
  let page: Page;
  let conversation: Conversation;

  beforeEach(() => {
    vi.useFakeTimers();
    socket = new ScriptedSocket();
    page = new Page();
    conversation = new Conversation(socket.asSocket, "alice", "lobby", page);
  });

  afterEach(() => {
    conversation.close();
    vi.useRealTimers();
  });

  async function admit(over: Record<string, unknown> = {}): Promise<void> {
    const members = [{ userId: "bob" }, { userId: "alice" }];
    const joined = { ok: true, conversationId: "lobby", epoch: "e", seq: 0, members, recovered: false, messages: [] };
    socket.last("join_conversation").answer({ ...joined, ...over });
    await turn();
  }

  async function accept(seq: number, over: Record<string, unknown> = {}): Promise<void> {
    socket.last("message").answer({ ok: true, seq, epoch: "e", timestamp, duplicate: false, ...over });
    await turn();
  }

  it("shows who is there, the person first", async () => {
    await admit();
    expect(page.joined).toHaveBeenCalledOnce();
    expect(page.members).toHaveBeenLastCalledWith(["alice", "bob"]);
    socket.tell("user_joined", { conversationId: "lobby", userId: "al", timestamp });
    expect(page.members).toHaveBeenLastCalledWith(["alice", "al", "bob"]);
    socket.tell("user_left", { conversationId: "lobby", userId: "bob", timestamp });
    expect(page.members).toHaveBeenLastCalledWith(["alice", "al"]);
    expect(page.texts).toEqual(["(You joined)", "(al joined)", "(bob left)"]);
  });

  it("ignores what belongs to another conversation", async () => {
    await admit();
    socket.tell("user_joined", { conversationId: "other", userId: "eve", timestamp });
    socket.tell("message", { conversationId: "other", userId: "eve", content: "x", messageId: "m", seq: 1, timestamp });
    expect(page.texts).toEqual(["(You joined)"]);
  });

  it("sends a failed message again with the same id", async () => {
    await admit();
    conversation.send("hello");
    socket.last("message").fail(new Error("operation has timed out"));
    await turn();
    expect(page.messages[0]).toMatchObject({ state: "failed", failure: { code: "TIMEOUT" } });

    conversation.retry(page.messages[0]?.key ?? "");
    expect(page.states).toEqual(["sending"]);
    const [first, second] = socket.sent("message");
    expect(second?.body["messageId"]).toBe(first?.body["messageId"]);
    await accept(1, { duplicate: true });
    expect(page.states).toEqual(["sent"]);
    expect(page.texts).toEqual(["(You joined)", "hello"]);
  });

  it("sends what a lost connection interrupted, after it has joined again", async () => {
    await admit();
    conversation.send("under way");
    const before = socket.last("message").body["messageId"];
    socket.drop();
    await turn();
    conversation.send("written meanwhile");
    expect(page.states).toEqual(["waiting", "waiting"]);

    socket.restore("connection-2");
    expect(socket.sent("message")).toHaveLength(1);
    await admit({ seq: 1 });
    const [, again, meanwhile] = socket.sent("message");
    expect(again?.body).toMatchObject({ content: "under way", messageId: before });
    expect(meanwhile?.body).toMatchObject({ content: "written meanwhile" });

    again?.answer({ ok: true, seq: 1, epoch: "e", timestamp, duplicate: true });
    meanwhile?.answer({ ok: true, seq: 2, epoch: "e", timestamp, duplicate: false });
    await turn();
    // The message with seq 1 is the person's own: nothing was missed.
    expect(page.texts).toEqual([
      "(You joined)",
      "(Connection lost)",
      "(You are back)",
      "under way",
      "written meanwhile",
    ]);
  });

  it("does not fail a message by the answer to a try that the connection outlived", async () => {
    await admit();
    conversation.send("hello");
    const stale = socket.last("message");
    socket.connected = false;
    socket.tell("disconnect", "ping timeout");
    socket.restore("connection-2");
    await admit();
    stale.answer({ ok: false, error: { code: "NOT_IN_CONVERSATION", message: "" } });
    await turn();
    expect(page.states).toEqual(["sending"]);
    await accept(1);
    expect(page.states).toEqual(["sent"]);
  });

  it("says how many messages were missed while it was away", async () => {
    await admit({ seq: 4 });
    socket.tell("message", { conversationId: "lobby", userId: "bob", content: "5", messageId: "5", seq: 5, timestamp });
    socket.drop();
    socket.restore("connection-2");
    await admit({ seq: 8 });
    expect(page.texts.at(-1)).toBe("(3 messages were sent while you were away and are not shown.)");
  });

  it("says nothing was missed when the server gave all of it again", async () => {
    await admit({ seq: 4 });
    socket.tell("message", { conversationId: "lobby", userId: "bob", content: "5", messageId: "5", seq: 5, timestamp });
    socket.drop();
    socket.restore("connection-2");
    const missed = { conversationId: "lobby", userId: "bob", content: "6", messageId: "6", seq: 6, timestamp };
    await admit({ seq: 6, messages: [missed] });
    expect(page.texts).toEqual(["(You joined)", "5", "(Connection lost)", "6", "(You are back)"]);
  });

  it("tries again to join when the refusal passes by itself, and gives up in the end", async () => {
    for (let refusals = 1; refusals <= 6; refusals++) {
      expect(socket.sent("join_conversation")).toHaveLength(refusals);
      socket.last("join_conversation").answer({ ok: false, error: { code: "UNAVAILABLE", message: "" } });
      await turn();
      await vi.advanceTimersByTimeAsync(20_000);
    }
    expect(page.refused).toHaveBeenCalledExactlyOnceWith({ code: "UNAVAILABLE", message: "" }, false);
  });

  it("waits as long as the server asks before it tries to join again", async () => {
    const error = { code: "RATE_LIMITED", message: "", retryAfterMs: 9_000 };
    socket.last("join_conversation").answer({ ok: false, error });
    await turn();
    await vi.advanceTimersByTimeAsync(8_999);
    expect(socket.sent("join_conversation")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(socket.sent("join_conversation")).toHaveLength(2);
  });

  it("joins again when the server says that the person is not in", async () => {
    await admit();
    conversation.send("hello");
    socket.last("message").answer({ ok: false, error: { code: "NOT_IN_CONVERSATION", message: "" } });
    await turn();
    expect(socket.sent("join_conversation")).toHaveLength(2);
    expect(page.states).toEqual(["failed"]);
  });

  it("takes a hundred waiting messages and no more", async () => {
    for (let i = 0; i < 100; i++) expect(conversation.send(`message ${i}`)).toBe(true);
    expect(conversation.send("one too many")).toBe(false);
    expect(page.texts).toHaveLength(100);
  });

  it("shows others typing until they stop, write, leave, or fall silent", async () => {
    await admit();
    const sign = (userId: string, isTyping: boolean) =>
      socket.tell("typing", { conversationId: "lobby", userId, isTyping, timestamp });
    for (const user of ["bob", "carol", "dave", "eve"]) sign(user, true);
    expect(page.typing).toHaveBeenLastCalledWith(["bob", "carol", "dave", "eve"]);
    sign("bob", false);
    socket.tell("message", { conversationId: "lobby", userId: "carol", content: "c", messageId: "c", seq: 1, timestamp });
    socket.tell("user_left", { conversationId: "lobby", userId: "dave", timestamp });
    expect(page.typing).toHaveBeenLastCalledWith(["eve"]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(page.typing).toHaveBeenLastCalledWith([]);
  });

  it("tells sparingly that the person types, and once when it is over", async () => {
    await admit();
    for (const text of ["h", "he", "hel"]) conversation.drafted(text);
    expect(socket.signs).toEqual([{ conversationId: "lobby", isTyping: true }]);
    await vi.advanceTimersByTimeAsync(3_000);
    conversation.drafted("hell");
    expect(socket.signs).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(socket.signs.at(-1)).toEqual({ conversationId: "lobby", isTyping: false });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(socket.signs).toHaveLength(3);
  });

  it("leaves nothing behind when it is left", async () => {
    await admit();
    conversation.drafted("half a thou");
    const left = conversation.leave();
    expect(socket.listening).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(socket.last("leave_conversation").body).toEqual({ conversationId: "lobby" });
    socket.last("leave_conversation").answer({ ok: true, conversationId: "lobby" });
    await left;
  });
});
