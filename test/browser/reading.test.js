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

/** Two people who are in a conversation of this test's own. */
async function pair(t) {
  const run = `${Date.now().toString(36)}-${++number}`;
  const conversation = `reading-${run}`;
  const alice = await Person.arrive(browser, `alice-${run}`);
  const bob = await Person.arrive(browser, `bob-${run}`);
  t.after(() => Promise.all([alice.context.close(), bob.context.close()]));
  await alice.join(url, conversation);
  await bob.join(url, conversation);
  return { conversation, alice, bob };
}

test("who reads older messages stays there, and is told how many new ones there are", { timeout: 200_000 }, async (t) => {
  const { alice, bob } = await pair(t);
  await bob.writeMany(Array.from({ length: 40 }, (_, i) => `message ${i + 1}`));
  await alice.seesMessages(40);
  const jump = alice.get("jump-button");
  assert.ok(await jump.isHidden());
  const oldest = await alice.scrollUp();
  await jump.getByText("Newest", { exact: true }).waitFor();
  await bob.write("message 41");
  await jump.getByText("1 new message", { exact: true }).waitFor();
  await bob.write("message 42");
  await jump.getByText("2 new messages", { exact: true }).waitFor();
  assert.equal(await alice.top(oldest.text), oldest.top);

  await jump.focus();
  await alice.page.keyboard.press("Enter");
  await jump.waitFor({ state: "hidden" });
  assert.equal(await alice.focused(), "log");
  await alice.message("message 42").waitFor();
  const { bottom } = await alice.message("message 42").evaluate((message) => message.getBoundingClientRect());
  assert.ok(bottom < 720, `the newest ends at ${bottom}`);
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});

test("the tab counts what came while the person was elsewhere", { timeout: 200_000 }, async (t) => {
  const { conversation, alice, bob } = await pair(t);
  const hide = (hidden) =>
    alice.page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { configurable: true, value });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  const title = (wanted) => alice.page.waitForFunction((text) => document.title === text, wanted);
  await bob.write("seen");
  await alice.reads("seen", bob);
  await title(`${conversation} · Parley`);
  await hide(true);
  await bob.write("one");
  await bob.write("two");
  await title(`(2) ${conversation} · Parley`);
  await hide(false);
  await title(`${conversation} · Parley`);
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});

test("an address can be followed, and code is shown as code", { timeout: 200_000 }, async (t) => {
  const { alice, bob } = await pair(t);
  const text = "See (https://example.com/a_(b)?c=d&e). Not javascript:alert(1), but `go test`:\n```\nif a {\n\treturn\n}\n```";
  await bob.write(text);
  await alice.seesMessages(1);
  const content = alice.get("content");
  assert.equal(await content.evaluate((element) => element.textContent), text);
  const links = await content.locator("a").evaluateAll((all) => all.map(({ href, target, rel }) => [href, target, rel]));
  assert.deepEqual(links, [["https://example.com/a_(b)?c=d&e", "_blank", "noopener noreferrer"]]);
  assert.deepEqual(await content.locator("code").allTextContents(), ["`go test`", "```\nif a {\n\treturn\n}\n```"]);
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});

test("a message that no server would read is kept in the box, and stands in nobody's way", { timeout: 200_000 }, async (t) => {
  const { alice, bob } = await pair(t);
  const huge = "x".repeat(1_000_000);
  await alice.write(huge);
  await alice.get("notice").getByText("That message is too long.").waitFor();
  assert.equal((await alice.get("message-input").inputValue()).length, huge.length);
  await alice.get("notice").getByRole("button", { name: "Dismiss" }).press("Enter");
  assert.equal(await alice.focused(), "message-input");
  await alice.write("short");
  await bob.reads("short", alice);
  assert.deepEqual(await alice.texts(), ["short"]);

  await alice.write("x".repeat(70_000));
  await alice.page.locator('.own[data-state="failed"]').waitFor();
  await alice.get("announcer").getByText("Not sent. That message is too long.").waitFor();
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});

test("nobody leaves what is not sent without a word", { timeout: 200_000 }, async (t) => {
  const { alice, bob } = await pair(t);
  const asked = [];
  alice.page.on("dialog", (dialog) => {
    asked.push(dialog.message());
    void dialog.dismiss();
  });
  await alice.offline(async () => {
    await alice.seesStatus("reconnecting");
    await alice.write("wait for me");
    await alice.seesOwn("wait for me", "waiting");
    await alice.get("leave-button").click();
    assert.deepEqual(asked, ["A message is not sent yet and will be lost. Leave all the same?"]);
    const dialog = alice.page.waitForEvent("dialog");
    await alice.page.close({ runBeforeUnload: true });
    assert.equal((await dialog).type(), "beforeunload");
    await alice.get("try-button").focus();
  });
  await alice.seesStatus("connected");
  alice.settled();
  assert.equal(await alice.focused(), "message-input");
  await bob.reads("wait for me", alice);
  await alice.seesOwn("wait for me", "sent");
  await alice.get("leave-button").click();
  await alice.get("join-button").waitFor();
  assert.equal(asked.length, 2);
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});

test("the box grows with what is written, as far as there is room", { timeout: 200_000 }, async (t) => {
  const { alice } = await pair(t);
  const box = alice.get("message-input");
  const height = async (text) => {
    await box.fill(text);
    return box.evaluate((element) => element.offsetHeight);
  };
  const one = await height("a");
  const three = await height("a\nb\nc");
  assert.ok(three > one * 1.5, `three lines are ${three} high, one is ${one}`);
  assert.equal(await height("a\n".repeat(100)), 168);
  await alice.page.setViewportSize({ width: 640, height: 300 });
  const { bottom } = await alice.get("send-button").evaluate((button) => button.getBoundingClientRect());
  assert.ok(bottom <= 300, `on a phone on its side the button ends at ${bottom}`);
  assert.equal(await height("a"), one);
});
