import { beforeEach, describe, expect, it } from "vitest";
import type { WireMessage } from "../src/protocol";
import { Timeline } from "../src/timeline";
import { Transcript } from "./transcript";

const timestamp = "2026-01-05T09:30:00.000Z";

function wire(seq: number, content: string, userId = "bob", messageId = `id-${content}`): WireMessage {
  return { conversationId: "lobby", userId, content, timestamp, messageId, seq };
}

describe("a timeline", () => {
  let shown: Transcript;
  let timeline: Timeline;

  beforeEach(() => {
    shown = new Transcript();
    timeline = new Timeline("alice", shown);
    timeline.enterEpoch("first");
  });

  it("shows messages by seq, whatever order they come in", () => {
    for (const [seq, text] of [[1, "one"], [4, "four"], [2, "two"], [3, "three"]] as const) {
      timeline.receive(wire(seq, text));
    }
    expect(shown.texts).toEqual(["one", "two", "three", "four"]);
    expect(timeline.lastSeq).toBe(4);
  });

  it("shows a repeated message once", () => {
    timeline.receive(wire(1, "one"));
    timeline.receive(wire(1, "one"));
    expect(shown.texts).toEqual(["one"]);
  });

  it("takes the same message id of two people for two messages", () => {
    timeline.receive(wire(1, "from bob", "bob", "x"));
    timeline.receive(wire(2, "from carol", "carol", "x"));
    expect(shown.texts).toEqual(["from bob", "from carol"]);
  });

  it("confirms an own message by its broadcast and by its answer, in either order", () => {
    const draft = timeline.draft("mine", "hello");
    timeline.receive(wire(7, "hello", "alice", "mine"));
    timeline.accept(draft, { epoch: "first", seq: 7, timestamp });
    expect(shown.texts).toEqual(["hello"]);
    expect(draft).toMatchObject({ state: "sent", place: { epoch: "first", seq: 7 } });

    const other = timeline.draft("mine too", "again");
    timeline.accept(other, { epoch: "first", seq: 8, timestamp });
    timeline.receive(wire(8, "again", "alice", "mine too"));
    expect(shown.texts).toEqual(["hello", "again"]);
  });

  it("keeps own messages that are not accepted below all others, and moves them up once they are", () => {
    const first = timeline.draft("a", "first draft");
    const second = timeline.draft("b", "second draft");
    timeline.receive(wire(1, "from bob"));
    timeline.note("carol joined");
    expect(shown.texts).toEqual(["from bob", "(carol joined)", "first draft", "second draft"]);

    timeline.accept(second, { epoch: "first", seq: 2, timestamp });
    expect(shown.texts).toEqual(["from bob", "(carol joined)", "second draft", "first draft"]);
    timeline.accept(first, { epoch: "first", seq: 3, timestamp });
    expect(shown.texts).toEqual(["from bob", "(carol joined)", "second draft", "first draft"]);
    expect(shown.states).toEqual(["sent", "sent", "sent"]);
  });

  it("does not let a late failure undo an accepted message", () => {
    const draft = timeline.draft("a", "hello");
    timeline.receive(wire(1, "hello", "alice", "a"));
    timeline.mark(draft, "failed", { code: "TIMEOUT", message: "" });
    expect(draft.state).toBe("sent");
    expect(draft.failure).toBeUndefined();
  });

  it("begins to count anew in another epoch, and keeps what was before above", () => {
    timeline.receive(wire(9, "old"));
    expect(timeline.enterEpoch("second")).toBe(true);
    expect(timeline.lastSeq).toBe(0);
    timeline.receive(wire(1, "new"));
    expect(shown.texts).toEqual(["old", "new"]);
    expect(timeline.lastSeq).toBe(1);
    expect(timeline.enterEpoch("second")).toBe(false);
  });

  it("counts what came before the epoch was known to the first one", () => {
    const early = new Timeline("alice", shown);
    early.receive(wire(5, "early"));
    expect(early.enterEpoch("first")).toBe(false);
    expect(early.lastSeq).toBe(5);
    expect(early.missing(4, 5)).toBe(0);
  });

  it("tells how many messages are missing in a stretch", () => {
    timeline.receive(wire(3, "three"));
    timeline.receive(wire(6, "six"));
    expect(timeline.missing(3, 6)).toBe(2);
    expect(timeline.missing(5, 6)).toBe(0);
    expect(timeline.missing(6, 6)).toBe(0);
  });

  it("gives a failed message back, and no other", () => {
    const draft = timeline.draft("a", "too long");
    expect(timeline.discard(draft.key)).toBeUndefined();
    timeline.mark(draft, "failed", { code: "PAYLOAD_TOO_LARGE", message: "" });
    expect(timeline.discard(draft.key)).toBe("too long");
    expect(shown.texts).toEqual([]);
    expect(timeline.find(draft.key)).toBeUndefined();
  });

  it("forgets the oldest beyond two thousand entries", () => {
    for (let seq = 1; seq <= 2_001; seq++) timeline.receive(wire(seq, String(seq)));
    expect(shown.texts).toHaveLength(2_000);
    expect(shown.texts[0]).toBe("2");
    expect(timeline.find("bob/id-1")).toBeUndefined();
  });
});
