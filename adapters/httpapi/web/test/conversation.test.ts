import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Conversation } from "../src/conversation";
import type { Failure } from "../src/protocol";
import type { Past } from "../src/scrollback";
import { ScriptedSocket, turn } from "./scripted-socket";
import { Transcript } from "./transcript";

const timestamp = "2026-01-05T09:30:00.000Z";

class Page extends Transcript {
  readonly joined = vi.fn();
  readonly refused = vi.fn<(failure: Failure, again: boolean) => void>();
  readonly members = vi.fn<(users: string[]) => void>();
  readonly typing = vi.fn<(users: string[]) => void>();
  readonly past = vi.fn<(past: Past) => void>();
  readonly arrived = vi.fn();
  readonly announced: string[] = [];

  announce(words: string): void {
    this.announced.push(words);
  }
}

const say = (seq: number, userId = "bob") => ({
  conversationId: "lobby",
  userId,
  content: String(seq),
  messageId: String(seq),
  seq,
  timestamp,
});
const run = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => say(from + i));

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
    await admit({ seq: 1, recovered: true, messages: [{ ...say(1, "alice"), content: "under way", messageId: before }] });
    const [, again, meanwhile] = socket.sent("message");
    expect(again?.body).toMatchObject({ content: "under way", messageId: before });
    expect(meanwhile?.body).toMatchObject({ content: "written meanwhile" });

    again?.answer({ ok: true, seq: 1, epoch: "e", timestamp, duplicate: true });
    meanwhile?.answer({ ok: true, seq: 2, epoch: "e", timestamp, duplicate: false });
    await turn();
    expect(page.texts).toEqual([
      "(You joined)",
      "(Connection lost)",
      "under way",
      "(You are back)",
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
    await admit({ recovered: true });
    stale.answer({ ok: false, error: { code: "NOT_IN_CONVERSATION", message: "" } });
    await turn();
    expect(page.states).toEqual(["sending"]);
    await accept(1);
    expect(page.states).toEqual(["sent"]);
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

  describe("that is long", () => {
    async function answerHistory(messages: unknown[], more: boolean, epoch = "e"): Promise<void> {
      socket.last("history").answer({ ok: true, epoch, messages, more });
      await turn();
    }

    it("shows its newest page at first, and older ones when the person comes to the oldest", async () => {
      await admit({ seq: 120 });
      expect(socket.last("history").body).toEqual({ conversationId: "lobby", before: 121, limit: 50 });
      socket.tell("message", say(121));
      await answerHistory(run(71, 120), true);
      expect(page.past).toHaveBeenLastCalledWith("more");
      conversation.loadOlder();
      conversation.loadOlder();
      expect(socket.sent("history")).toHaveLength(2);
      expect(socket.last("history").body).toMatchObject({ before: 71 });
      await answerHistory(run(1, 70), false);
      expect(page.texts.filter((text) => text !== "(You joined)")).toEqual(run(1, 121).map(({ content }) => content));
      expect(page.past).toHaveBeenLastCalledWith("beginning");
      conversation.loadOlder();
      expect(socket.sent("history")).toHaveLength(2);
    });

    it("asks for nothing when it has no messages", async () => {
      await admit({ seq: 0 });
      expect(socket.sent("history")).toHaveLength(0);
      expect(page.past).toHaveBeenLastCalledWith("beginning");
    });

    it("does not call it the beginning when the server has dropped what was before", async () => {
      await admit({ seq: 120 });
      await answerHistory(run(90, 120), false);
      expect(page.past).toHaveBeenLastCalledWith("trimmed");
    });

    it("asks again for a page that did not come", async () => {
      await admit({ seq: 2 });
      socket.last("history").answer({ ok: false, error: { code: "UNAVAILABLE", message: "" } });
      await turn();
      expect(page.past).toHaveBeenLastCalledWith("failed");
      conversation.loadOlder();
      await answerHistory(run(1, 2), false);
      expect(page.texts).toEqual(["1", "2", "(You joined)"]);
    });

    it("goes on reading after a lost connection from where it was", async () => {
      await admit({ seq: 120 });
      await answerHistory(run(71, 120), true);
      conversation.loadOlder();
      socket.drop();
      await turn();
      expect(page.past).toHaveBeenLastCalledWith("more");
      conversation.loadOlder();
      expect(socket.sent("history")).toHaveLength(2);
      socket.restore("connection-2");
      await admit({ seq: 120, recovered: true });
      conversation.loadOlder();
      expect(socket.last("history").body).toMatchObject({ before: 71 });
      expect(socket.sent("history")).toHaveLength(3);
    });
  });

  describe("whose connection was lost", () => {
    beforeEach(async () => {
      await admit({ seq: 0 });
      for (const message of run(1, 5)) socket.tell("message", message);
      socket.drop();
    });

    it("asks for what came after the last message, and shows it where it belongs", async () => {
      socket.restore("connection-2");
      expect(socket.last("join_conversation").body).toMatchObject({ after: { epoch: "e", seq: 5 } });
      await admit({ seq: 7, recovered: true, messages: run(6, 7) });
      expect(page.texts.slice(-5)).toEqual(["5", "(Connection lost)", "6", "7", "(You are back)"]);
    });

    it("does not join again when the session was recovered, and shows what it missed", async () => {
      socket.restore("connection-1", true);
      expect(socket.sent("join_conversation")).toHaveLength(1);
      for (const message of run(6, 7)) socket.tell("message", message, "an offset");
      socket.last("presence").answer({ ok: true, members: [{ userId: "carol" }, { userId: "alice" }] });
      await turn();
      expect(page.texts.slice(-5)).toEqual(["5", "(Connection lost)", "6", "7", "(You are back)"]);
      expect(page.members).toHaveBeenLastCalledWith(["alice", "carol"]);
    });

    it("joins again when the session was recovered that lost the answer to its join", async () => {
      socket.restore("connection-2");
      socket.drop();
      socket.restore("connection-2", true);
      expect(socket.sent("join_conversation")).toHaveLength(3);
      socket.tell("message", say(8), "an offset");
      expect(socket.last("join_conversation").body).toMatchObject({ after: { epoch: "e", seq: 5 } });
      await admit({ seq: 8, recovered: true, messages: run(6, 8) });
      expect(page.texts.slice(-5)).toEqual(["(Connection lost)", "6", "7", "8", "(You are back)"]);

      socket.drop();
      socket.restore("connection-2", true);
      expect(socket.sent("join_conversation")).toHaveLength(3);
    });

    it("joins again when the recovered session is not in", async () => {
      socket.restore("connection-1", true);
      socket.last("presence").answer({ ok: false, error: { code: "NOT_IN_CONVERSATION", message: "" } });
      await turn();
      expect(socket.last("join_conversation").body).toMatchObject({ after: { epoch: "e", seq: 5 } });
      await admit({ seq: 5, recovered: true });
      expect(page.texts.at(-1)).toBe("(You are back)");
    });

    it.each([
      ["epoch", "(The server has begun this conversation anew. Shown is what it has now.)"],
      ["trimmed", "(You were away for too long to catch up. Shown are the newest messages.)"],
    ])("shows the newest page and says why when it cannot catch up: %s", async (reason, line) => {
      socket.restore("connection-2");
      await admit({ epoch: "f", seq: 3, recovered: false, reason });
      socket.tell("message", say(4));
      socket.last("history").answer({ ok: true, epoch: "f", messages: run(1, 3), more: false });
      await turn();
      expect(page.texts).toEqual(["1", "2", "3", line, "4"]);
    });
  });

  it("asks for what is missing when a message does not follow the last one, and says nothing of it", async () => {
    await admit({ seq: 0 });
    socket.tell("message", say(1));
    socket.tell("message", say(4));
    socket.tell("message", say(5));
    expect(page.texts).toEqual(["(You joined)", "1"]);
    expect(socket.sent("join_conversation")).toHaveLength(2);
    expect(socket.last("join_conversation").body).toMatchObject({ after: { epoch: "e", seq: 1 } });
    await admit({ seq: 5, recovered: true, messages: run(2, 5) });
    socket.tell("message", say(6));
    expect(page.texts).toEqual(["(You joined)", "1", "2", "3", "4", "5", "6"]);
  });

  it("looks again when an own message was accepted in another epoch", async () => {
    await admit();
    conversation.send("hello");
    await accept(1, { epoch: "f" });
    expect(socket.sent("join_conversation")).toHaveLength(2);
  });

  it("acknowledges every message that asks for it, also one that comes twice, and no other", async () => {
    await admit();
    const acknowledge = vi.fn();
    socket.tell("message", say(1), acknowledge);
    socket.tell("message", say(1), "an offset", acknowledge);
    expect(acknowledge).toHaveBeenCalledTimes(2);
    socket.tell("message", { ...say(1), conversationId: "other" }, acknowledge);
    expect(acknowledge).toHaveBeenCalledTimes(2);
    socket.tell("message", say(2), "an offset");
    expect(page.texts).toEqual(["(You joined)", "1", "2"]);
    expect(socket.requests.map(({ event }) => event)).toEqual(["join_conversation"]);
  });

  it("asks the others to confirm, and shows who has not, also when that is told before the answer", async () => {
    await admit();
    conversation.send("hello");
    const { messageId, confirm } = socket.last("message").body;
    expect(confirm).toBe(true);
    const report = { conversationId: "lobby", messageId, seq: 1, expected: 2, delivered: 1, pending: ["bob"], status: "partial" };
    socket.tell("message_delivered", { ...report, conversationId: "other" });
    expect(page.messages[0]?.delivery).toBeUndefined();
    socket.tell("message_delivered", report);
    await accept(1);
    expect(page.messages[0]).toMatchObject({ state: "sent", delivery: { status: "partial", pending: ["bob"] } });
  });

  it("announces what comes, and neither what was said before nor what is being written", async () => {
    await admit({ seq: 1 });
    socket.last("history").answer({ ok: true, epoch: "e", messages: run(1, 1), more: false });
    await turn();
    socket.tell("message_chunk", { conversationId: "lobby", messageId: "2", index: 0, delta: "2" });
    socket.tell("message", say(2));
    expect(page.announced).toEqual(["You joined", "bob: 2"]);
    expect(page.arrived).toHaveBeenCalledOnce();
    socket.tell("message", say(3, "alice"));
    expect(page.arrived).toHaveBeenCalledOnce();
  });

  it("announces that a message was not sent, and counts those that wait", async () => {
    await admit();
    conversation.send("one");
    expect(conversation.unsent).toBe(1);
    socket.last("message").answer({ ok: false, error: { code: "PAYLOAD_TOO_LARGE", message: "" } });
    await turn();
    expect(page.announced.at(-1)).toBe("Not sent. That message is too long.");
    conversation.send("two");
    await accept(1);
    expect(conversation.unsent).toBe(0);
  });

  describe("in which someone writes", () => {
    const chunk = (index: number, delta: string, over = {}) =>
      socket.tell("message_chunk", { conversationId: "lobby", messageId: "answer", index, delta, ...over });

    beforeEach(async () => {
      await admit();
      chunk(0, "Buy ");
      chunk(1, "low");
    });

    it("shows the message as it grows, until the complete one takes its place", () => {
      expect(page.texts).toEqual(["(You joined)", "Buy low…"]);
      socket.tell("message", say(1));
      chunk(2, ", sell");
      expect(page.texts).toEqual(["(You joined)", "1", "Buy low, sell…"]);
      socket.tell("message", { ...say(2, "coach"), content: "Buy low, sell high", messageId: "answer" });
      expect(page.texts).toEqual(["(You joined)", "1", "Buy low, sell high"]);
      expect(vi.getTimerCount()).toBe(0);
    });

    it("takes a chunk once, and shows none before those that are missing below it", () => {
      chunk(1, "low");
      chunk(3, " high");
      chunk(0, "Buy ");
      expect(page.texts.at(-1)).toBe("Buy low…");
      chunk(2, ", sell");
      expect(page.texts.at(-1)).toBe("Buy low, sell high…");
    });

    it("asks once to be told again when a chunk is missing", async () => {
      chunk(3, " high");
      chunk(4, "!");
      expect(socket.sent("join_conversation")).toHaveLength(2);
      await admit({ recovered: true });
      ["Buy ", "low", ", sell", " high", "!"].forEach((delta, index) => chunk(index, delta));
      expect(page.texts).toEqual(["(You joined)", "Buy low, sell high!…"]);
      expect(socket.sent("join_conversation")).toHaveLength(2);
    });

    it("says when it was broken off", () => {
      chunk(2, "", { aborted: true });
      expect(page.texts.at(-1)).toBe("Buy low [aborted]");
      chunk(5, "", { aborted: true, messageId: "never seen" });
      expect(page.texts).toEqual(["(You joined)", "Buy low [aborted]"]);
    });

    it("gives it up when nothing comes any more", async () => {
      await vi.advanceTimersByTimeAsync(75_000);
      expect(page.texts.at(-1)).toBe("Buy low [aborted]");
    });

    it("begins again with what it is told after it has joined again", async () => {
      socket.drop();
      await turn();
      socket.restore("connection-2");
      await admit({ recovered: true });
      expect(page.texts).toEqual(["(You joined)", "(Connection lost)", "(You are back)"]);
      chunk(0, "Buy ");
      chunk(1, "low");
      chunk(2, ", sell");
      expect(page.texts.at(-1)).toBe("Buy low, sell…");
    });

    it("goes on in a recovered session that is told of it again", async () => {
      socket.drop();
      await turn();
      socket.restore("connection-1", true);
      chunk(0, "Buy ");
      chunk(1, "low");
      chunk(2, ", sell");
      socket.last("presence").answer({ ok: true, members: [] });
      await turn();
      expect(page.texts).toEqual(["(You joined)", "(Connection lost)", "(You are back)", "Buy low, sell…"]);
      expect(socket.sent("join_conversation")).toHaveLength(1);
    });

    it("is asked about in a recovered session that is not", async () => {
      socket.drop();
      await turn();
      socket.restore("connection-1", true);
      socket.last("presence").answer({ ok: true, members: [] });
      await turn();
      expect(socket.sent("join_conversation")).toHaveLength(2);
      await admit({ recovered: true });
      expect(page.texts).toEqual(["(You joined)", "(Connection lost)", "(You are back)"]);
    });
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
