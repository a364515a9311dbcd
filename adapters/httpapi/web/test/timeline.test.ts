import { beforeEach, describe, expect, it } from "vitest";
import type { WireMessage } from "../src/protocol";
import { Timeline } from "../src/timeline";
import { Transcript } from "./transcript";

const timestamp = "2026-01-05T09:30:00.000Z";

function wire(seq: number, content: string, userId = "bob", messageId = `id-${content}`): WireMessage {
  return { conversationId: "lobby", userId, content, timestamp, messageId, seq };
}

/** Messages whose contents are their seqs. */
function run(from: number, to: number): WireMessage[] {
  return Array.from({ length: to - from + 1 }, (_, i) => wire(from + i, String(from + i)));
}

describe("a timeline", () => {
  let shown: Transcript;
  let timeline: Timeline;

  beforeEach(() => {
    shown = new Transcript();
    timeline = new Timeline("alice", shown);
    timeline.begin({ epoch: "first", seq: 0 });
  });

  const receive = (messages: WireMessage[]) => messages.map((message) => timeline.receive(message));

  it("shows messages as they follow each other, and once", () => {
    expect(receive([...run(1, 3), wire(2, "2"), wire(3, "3")])).toEqual(["new", "new", "new", "known", "known"]);
    expect(shown.texts).toEqual(["1", "2", "3"]);
    expect(timeline.place).toEqual({ epoch: "first", seq: 3 });
  });

  it("does not show a message before those that are missing below it", () => {
    receive(run(1, 2));
    expect(timeline.receive(wire(4, "4"))).toBe("astray");
    expect(shown.texts).toEqual(["1", "2"]);
    expect(timeline.place?.seq).toBe(2);
    expect(receive(run(3, 4))).toEqual(["new", "new"]);
    expect(shown.texts).toEqual(["1", "2", "3", "4"]);
  });

  it("takes a seq that was there with another message for a sign of another epoch", () => {
    receive(run(1, 3));
    expect(timeline.receive(wire(1, "of another life"))).toBe("astray");
    expect(shown.texts).toEqual(["1", "2", "3"]);
  });

  it("takes the same message id of two people for two messages", () => {
    timeline.receive(wire(1, "from bob", "bob", "x"));
    timeline.receive(wire(2, "from carol", "carol", "x"));
    expect(shown.texts).toEqual(["from bob", "from carol"]);
  });

  it("recalls older messages above what is there, and what was told of them below", () => {
    timeline.begin({ epoch: "first", seq: 4 });
    timeline.note("You joined");
    timeline.receive(wire(5, "5"));
    expect(timeline.floor).toBe(5);
    timeline.recall(run(3, 4));
    expect(timeline.floor).toBe(3);
    timeline.recall(run(1, 2));
    expect(shown.texts).toEqual(["1", "2", "3", "4", "(You joined)", "5"]);
    expect(timeline.floor).toBe(1);
  });

  it("confirms an own message by its broadcast and by its answer, in either order", () => {
    const draft = timeline.draft("mine", "hello");
    timeline.receive(wire(1, "hello", "alice", "mine"));
    timeline.accept(draft, { seq: 1, timestamp });
    expect(shown.texts).toEqual(["hello"]);
    expect(draft).toMatchObject({ state: "sent", seq: 1 });

    const other = timeline.draft("mine too", "again");
    timeline.accept(other, { seq: 2, timestamp });
    expect(timeline.place?.seq).toBe(1);
    expect(timeline.receive(wire(2, "again", "alice", "mine too"))).toBe("known");
    expect(shown.texts).toEqual(["hello", "again"]);
    expect(timeline.place?.seq).toBe(2);
  });

  it("keeps own messages that are not accepted below all others, and moves them up once they are", () => {
    const first = timeline.draft("a", "first draft");
    const second = timeline.draft("b", "second draft");
    timeline.receive(wire(1, "from bob"));
    timeline.note("carol joined");
    expect(shown.texts).toEqual(["from bob", "(carol joined)", "first draft", "second draft"]);

    timeline.accept(second, { seq: 2, timestamp });
    expect(shown.texts).toEqual(["from bob", "(carol joined)", "second draft", "first draft"]);
    timeline.accept(first, { seq: 3, timestamp });
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

  it("begins anew with nothing but own messages that are not accepted", () => {
    receive(run(1, 2));
    timeline.note("Connection lost");
    timeline.draft("a", "draft");
    timeline.begin({ epoch: "second", seq: 7 });
    expect(shown.texts).toEqual(["draft"]);
    expect(timeline.place).toEqual({ epoch: "second", seq: 7 });
    timeline.receive(wire(8, "8"));
    timeline.recall(run(6, 7));
    expect(shown.texts).toEqual(["6", "7", "8", "draft"]);
  });

  it("lets what was broken off stay where it is, and what comes later go below", () => {
    timeline.receive(wire(1, "1"));
    const writing = timeline.write();
    timeline.grow(writing, "half a th");
    timeline.receive(wire(2, "2"));
    expect(shown.texts).toEqual(["1", "2", "half a th…"]);
    timeline.abort(writing);
    timeline.receive(wire(3, "3"));
    expect(shown.texts).toEqual(["1", "2", "half a th [aborted]", "3"]);
  });

  it("gives a failed message back, and no other", () => {
    const draft = timeline.draft("a", "too long");
    expect(timeline.discard(draft.key)).toBeUndefined();
    timeline.mark(draft, "failed", { code: "PAYLOAD_TOO_LARGE", message: "" });
    expect(timeline.discard(draft.key)).toBe("too long");
    expect(shown.texts).toEqual([]);
    expect(timeline.find(draft.key)).toBeUndefined();
  });

  it("forgets the oldest beyond two thousand entries, and knows that they are no longer there", () => {
    receive(run(1, 2_001));
    expect(shown.texts).toHaveLength(2_000);
    expect(shown.texts[0]).toBe("2");
    expect(timeline.find("bob/id-1")).toBeUndefined();
    expect(timeline.floor).toBe(2);
  });

  it("keeps more while the person reads old messages, but not without end", () => {
    shown.follows = false;
    receive(run(1, 9_501));
    expect(shown.texts[0]).toBe("1");
    expect(timeline.roomy).toBe(false);
    receive(run(9_502, 10_001));
    expect(shown.texts[0]).toBe("2");
  });
});
