import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchChromium } from "./chromium.js";
import { Person } from "./person.js";

const url = process.env.PARLEY_URL;

let browser;
let number = 0;

before(async () => {
  assert.ok(url, "set PARLEY_URL to the address of a running Parley in dev mode");
  browser = await launchChromium();
});

after(() => browser?.close());

/** A conversation and two people of this test's own, so that it can run again at once against the same server. */
async function pair(t) {
  const run = `${Date.now().toString(36)}-${++number}`;
  const alice = await Person.arrive(browser, `alice-${run}`);
  const bob = await Person.arrive(browser, `bob-${run}`);
  t.after(() => Promise.all([alice.context.close(), bob.context.close()]));
  return { conversation: `promises-${run}`, alice, bob };
}

const words = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => `message ${from + i}`);

test("a message is sent, and delivered once the one who was away has it", { timeout: 200_000 }, async (t) => {
  const { conversation, alice, bob } = await pair(t);
  await alice.join(url, conversation);
  await bob.join(url, conversation);
  await alice.seesMembers(alice.name, bob.name);
  await alice.write("Are you there?");
  assert.equal(await alice.seesDelivered("Are you there?"), "Delivered");

  await bob.offline(async () => {
    await bob.seesStatus("reconnecting");
    await alice.write("And now?");
    await alice.seesOwn("And now?", "sent");
    assert.equal(await alice.message("And now?").getAttribute("data-delivery"), null);
  });
  await bob.seesStatus("connected");
  bob.settled();
  await bob.reads("And now?", alice);
  assert.equal(await alice.seesDelivered("And now?"), "Delivered");
  await bob.reads("And now?", alice);
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});

test("a long conversation is read upwards, page by page, and nothing jumps", { timeout: 200_000 }, async (t) => {
  const { conversation, alice, bob } = await pair(t);
  await alice.join(url, conversation);
  await alice.seesPast("beginning");
  await alice.writeMany(words(1, 120));
  await bob.join(url, conversation);
  await bob.seesMessages(50);
  assert.deepEqual(await bob.texts(), words(71, 120));
  await alice.write("message 121");
  await bob.seesMessages(51);

  for (const count of [101, 121]) {
    await bob.seesPast("more");
    const oldest = await bob.scrollUp();
    await bob.seesMessages(count);
    const moved = (await bob.top(oldest.text)) - oldest.top;
    assert.ok(Math.abs(moved) < 2, `"${oldest.text}" moved by ${moved} pixels`);
  }
  await bob.seesPast("beginning");
  assert.deepEqual(await bob.texts(), words(1, 121));
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});

test("whoever was away has it all again, once and in order", { timeout: 200_000 }, async (t) => {
  const { conversation, alice, bob } = await pair(t);
  await alice.join(url, conversation);
  await bob.join(url, conversation);
  await alice.writeMany(words(1, 5));
  await bob.seesMessages(5);
  for (const from of [6, 76]) {
    await bob.offline(async () => {
      await bob.seesStatus("reconnecting");
      // More than a page of the history.
      await alice.writeMany(words(from, from + 69));
    });
    await bob.seesStatus("connected");
    bob.settled();
    await bob.seesMessages(from + 69);
  }
  await bob.seesLine("You are back", 2);
  await alice.write("message 146");
  await bob.seesMessages(146);
  assert.deepEqual(await bob.texts(), words(1, 146));
  assert.deepEqual(await alice.texts(), words(1, 146));
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});

test("a sign of typing goes by itself when the page that gave it says nothing more", { timeout: 200_000 }, async (t) => {
  const { conversation, alice, bob } = await pair(t);
  await alice.join(url, conversation);
  await bob.page.clock.install();
  await bob.join(url, conversation);
  await bob.get("message-input").focus();
  // Bob's page never gets to the moment at which it would take the sign back.
  await bob.page.clock.pauseAt((await bob.page.evaluate(() => Date.now())) + 1_000);
  // Alice looks before it begins: the server ends the sign after some seconds.
  const seen = alice.seesTyping(`${bob.name} is typing…`);
  await Promise.all([seen, bob.page.keyboard.type("I think that")]);
  await alice.seesTyping("");
  await alice.seesMembers(alice.name, bob.name);
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});
