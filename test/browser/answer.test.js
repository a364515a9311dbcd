import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launchChromium } from "./chromium.js";
import { Person } from "./person.js";

const url = process.env.PARLEY_URL;
const output = fileURLToPath(new URL("../output/", import.meta.url));
const phone = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true, colorScheme: "dark" };

let browser;

before(async () => {
  assert.ok(url, "set PARLEY_URL to the address of a running Parley in dev mode");
  browser = await launchChromium();
});

after(() => browser?.close());

/** A backend that speaks in the conversation as the coach. */
async function backendOf(conversation) {
  const post = async (path, body, headers) => {
    const response = await fetch(new URL(path, url), {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, `${path} answered ${response.status}: ${await response.clone().text()}`);
    return response.json();
  };
  const { token } = await post("/dev/token", { userId: "coach", service: true });
  const messages = `/v1/conversations/${conversation}/messages`;
  const authorized = { Authorization: `Bearer ${token}` };
  return {
    open: (messageId) => post(messages, { messageId, stream: true }, authorized),
    append: (messageId, index, delta, final = false) =>
      post(`${messages}/${messageId}/chunks`, { index, delta, final }, authorized),
    abort: async (messageId) => {
      const response = await fetch(new URL(`${messages}/${messageId}`, url), { method: "DELETE", headers: authorized });
      assert.ok(response.ok, `the abort was answered ${response.status}`);
    },
  };
}

test("an answer is read while it is written", { timeout: 200_000 }, async (t) => {
  const run = Date.now().toString(36);
  const conversation = `answer-${run}`;
  const coach = await backendOf(conversation);
  const alice = await Person.arrive(browser, `alice-${run}`);
  const bob = await Person.arrive(browser, `bob-${run}`, phone);
  t.after(() => Promise.all([alice.context.close(), bob.context.close()]));
  await alice.join(url, conversation);
  await alice.write("What went wrong today?");
  await coach.open("a-1");

  await t.test("it grows, chunk by chunk", async () => {
    await coach.append("a-1", 0, "You sold ");
    await alice.seesWriting("You sold ");
    await coach.append("a-1", 1, "too early,");
    await alice.seesWriting("You sold too early,");
  });

  await t.test("who comes in the middle reads it from its beginning", async () => {
    await bob.join(url, conversation);
    await bob.seesWriting("You sold too early,");
  });

  await t.test("who was away reads on", async () => {
    await alice.offline(async () => {
      await alice.seesStatus("reconnecting");
      await coach.append("a-1", 2, " as on Monday");
    });
    await alice.seesStatus("connected");
    alice.settled();
    await alice.seesWriting("You sold too early, as on Monday");
  });

  await mkdir(output, { recursive: true });
  await bob.page.screenshot({ path: `${output}answer.png`, timeout: 30_000 });

  await t.test("the complete message takes its place", async () => {
    await coach.append("a-1", 3, ".", true);
    const whole = "You sold too early, as on Monday.";
    for (const person of [alice, bob]) {
      await person.reads(whole, { name: "coach" });
      assert.equal(await person.get("writing").count(), 0);
      assert.deepEqual(await person.texts(), ["What went wrong today?", whole]);
    }
  });

  await t.test("one that is broken off is marked so, and no message", async () => {
    await coach.open("a-2");
    await coach.append("a-2", 0, "As I always");
    await alice.seesWriting("As I always");
    await coach.abort("a-2");
    await alice.page.locator('[data-testid="writing"][data-state="aborted"]').waitFor();
    assert.equal((await alice.texts()).length, 2);
  });

  assert.deepEqual([...alice.faults, ...bob.faults], []);
});
