import { describe, expect, it } from "vitest";
import { newMessageId } from "../src/message-id";
import { faultOf } from "../src/names";
import { deliveryWords, inWords, typingLine, updateLine } from "../src/wording";

describe("a name", () => {
  it.each(["a", "alice", "Alice.B_1:x-y@example", "x".repeat(128)])("may be %s", (name) => {
    expect(faultOf("a name", name)).toBeNull();
  });

  it.each(["", "x".repeat(129), "alice smith", "ålice", "a/b", "a\n", "<b>"])("may not be %j", (name) => {
    expect(faultOf("a name", name)).toMatch(/name/);
  });

  it("is what a new message id would pass for", () => {
    const ids = new Set(Array.from({ length: 100 }, newMessageId));
    expect(ids.size).toBe(100);
    for (const id of ids) expect(faultOf("an id", id)).toBeNull();
  });
});

describe("words for the person", () => {
  it("say when to try again", () => {
    const failure = { code: "RATE_LIMITED", message: "" } as const;
    expect(inWords(failure)).toBe("That was too fast.");
    expect(inWords({ ...failure, retryAfterMs: 1 })).toBe("That was too fast. Try again in 1 second.");
    expect(inWords({ ...failure, retryAfterMs: 1_001 })).toBe("That was too fast. Try again in 2 seconds.");
  });

  it("fall back to the server's own for a code that is not known", () => {
    expect(inWords({ code: "NEW_CODE" as "INTERNAL", message: "the moon is full" })).toBe("the moon is full");
  });

  it.each([
    [[], ""],
    [["alice"], "alice is typing…"],
    [["alice", "bob"], "alice and bob are typing…"],
    [["alice", "bob", "carol"], "alice, bob and 1 other are typing…"],
    [["alice", "bob", "carol", "dave"], "alice, bob and 2 others are typing…"],
  ])("for %j typing are %j", (names, line) => {
    expect(typingLine(names)).toBe(line);
  });

  it.each([
    [0, [], "Sent; nobody else was here"],
    [1, [], "Delivered"],
    [3, [], "Delivered to all 3"],
    [3, ["bob"], "Delivered to 2 of 3; not confirmed by bob"],
    [9, ["a", "b", "c", "d"], "Delivered to 5 of 9; not confirmed by a, b and 2 others"],
  ])("for a message to %i of whom %j are missing are %j", (expected, pending, words) => {
    expect(deliveryWords({ expected, pending })).toBe(words);
  });

  it.each([
    [undefined, "The conversation was updated"],
    [{}, "The conversation was updated"],
    [{ title: "x", topic: "y" }, "The conversation was updated: title and topic"],
  ])("for the changes %j are %j", (changes, words) => {
    expect(updateLine(changes)).toBe(words);
  });
});
