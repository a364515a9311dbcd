import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launchChromium } from "./chromium.js";
import { Person } from "./person.js";

const url = process.env.PARLEY_URL;
const output = fileURLToPath(new URL("../output/", import.meta.url));

const phone = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };

let browser;

before(async () => {
  assert.ok(url, "set PARLEY_URL to the address of a running Parley in dev mode");
  browser = await launchChromium();
});

after(() => browser?.close());

test("two people talk in a conversation", { timeout: 200_000 }, async (t) => {
  // Names of their own, so that the test can run again at once against the same server.
  const run = Date.now().toString(36);
  const conversation = `market-open-${run}`;
  const markup = `<img src=x onerror="document.title='owned'"> & <b>bold</b>`;
  const address = `https://example.com/${"journal/".repeat(12)}`;
  const alice = await Person.arrive(browser, `alice-${run}`);
  const bob = await Person.arrive(browser, `bob-${run}`, phone);

  await t.test("a name with a space is refused in words, before anything is sent", async () => {
    await alice.page.goto(url);
    await alice.get("name-input").fill("alice smith");
    await alice.get("join-button").click();
    await alice.get("name-fault").getByText("Use only letters, digits").waitFor();
  });

  await t.test("each sees the other present, and the one who was first sees the other join", async () => {
    await alice.join(url, conversation);
    await alice.seesMembers(alice.name);
    await bob.join(url, conversation);
    await bob.seesMembers(alice.name, bob.name);
    await alice.seesMembers(alice.name, bob.name);
    await alice.seesLine(`${bob.name} joined`);
  });

  await t.test("one types and the other sees it, until the message is there", async () => {
    // Bob looks before it begins: the sign is gone a few seconds after the last key.
    const seen = bob.seesTyping(`${alice.name} is typing…`);
    await Promise.all([seen, alice.get("message-input").pressSequentially("Good mor", { delay: 20 })]);
    await alice.write("Good morning, Bob!");
    await bob.reads("Good morning, Bob!", alice);
    await bob.seesTyping("");
  });

  await t.test("messages are read in both directions, and shown as sent", async () => {
    await alice.seesOwn("Good morning, Bob!", "sent");
    await bob.get("message-input").fill("Morning! Did you see the open?");
    await bob.get("message-input").press("Enter");
    await alice.reads("Morning! Did you see the open?", bob);
    await bob.seesOwn("Morning! Did you see the open?", "sent");
    await alice.reads("Good morning, Bob!", alice);
  });

  await t.test("markup in a message is read as it was written", async () => {
    await bob.write(markup);
    await alice.reads(markup, bob);
    assert.equal(await alice.get("message").locator("img, b").count(), 0);
    assert.equal(await alice.page.title(), `${conversation} · Parley`);
  });

  await t.test("a word that is wider than a phone widens the page neither when written nor when read", async () => {
    const width = () => bob.page.evaluate(() => document.documentElement.scrollWidth);
    await bob.get("message-input").fill(address);
    assert.equal(await width(), phone.viewport.width);
    await bob.get("send-button").click();
    await alice.reads(address, bob);
    await bob.reads(address, bob);
    assert.equal(await width(), phone.viewport.width);
  });

  await t.test("a lost connection is seen, and what was written meanwhile arrives once it is back", async () => {
    await alice.offline(async () => {
      await alice.seesStatus("reconnecting");
      await alice.get("status").getByText(/Reconnecting \([1-9]\d*\)/).waitFor();
      assert.match(await alice.get("status").ariaSnapshot(), /status: Reconnecting$/);
      await alice.seesLine("Connection lost");
      await alice.write("Written without a connection");
      await alice.seesOwn("Written without a connection", "waiting");
      await bob.write("Said while Alice was away");
      await bob.seesOwn("Said while Alice was away", "sent");
    });
    await alice.seesStatus("connected");
    alice.settled();
    await alice.seesLine("You are back");
    await alice.seesMembers(alice.name, bob.name);
    await alice.reads("Said while Alice was away", bob);
    await alice.seesOwn("Written without a connection", "sent");
    await bob.reads("Written without a connection", alice);
    await bob.write("Welcome back");
    await alice.reads("Welcome back", bob);
  });

  await t.test("both have read the same, once and in the same order", async () => {
    const expected = [
      "Good morning, Bob!",
      "Morning! Did you see the open?",
      markup,
      address,
      "Said while Alice was away",
      "Written without a connection",
      "Welcome back",
    ];
    assert.deepEqual(await alice.texts(), expected);
    assert.deepEqual(await bob.texts(), expected);
  });

  await mkdir(output, { recursive: true });
  await alice.page.screenshot({ path: `${output}chat.png`, timeout: 30_000 });

  await t.test("one leaves and the other sees it", async () => {
    await bob.get("leave-button").click();
    await bob.get("join-button").waitFor();
    await alice.seesLine(`${bob.name} left`);
    await alice.seesMembers(alice.name);
  });

  await t.test("the address leads straight back into the conversation", async () => {
    const query = new URLSearchParams({ user: bob.name, conversation });
    await bob.page.goto(new URL(`/?${query}`, url).href);
    await bob.seesLine("You joined");
    await alice.seesLine(`${bob.name} joined`, 2);
    await alice.seesMembers(alice.name, bob.name);
  });

  await t.test("no page wrote an error to its console", () => {
    assert.deepEqual([...alice.faults, ...bob.faults], []);
  });
});
