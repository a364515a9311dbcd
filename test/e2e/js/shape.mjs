import assert from "node:assert/strict";

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The payload's timestamp, which must be ISO 8601 in UTC with milliseconds, and of this minute. */
export function timestampOf({ timestamp }) {
  assert.match(timestamp, iso);
  assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000, `${timestamp} is not now`);
  return timestamp;
}

/** Asserts that the payload has these keys and values, a good timestamp, and nothing else. */
export function assertEvent(payload, expected) {
  assert.deepEqual(payload, { ...expected, timestamp: timestampOf(payload) });
}

/** Asserts a refusal of the contract: a code, words for people, and nothing else. */
export function assertRefused(answer, code) {
  assert.equal(typeof answer.error?.message, "string", JSON.stringify(answer));
  assert.notEqual(answer.error.message, "");
  assert.deepEqual(answer, { ok: false, error: { code, message: answer.error.message } });
}
