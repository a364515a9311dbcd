import assert from "node:assert/strict";

/** Milliseconds that anything on the page may take to show. */
const patience = 10_000;

/** One person at the chat page, in a browser context of their own. */
export class Person {
  /** What the page wrote to the console as an error, and what it threw. */
  faults = [];
  /** Set while the test takes the network away: requests that fail then are no fault of the page. */
  #cut = false;

  constructor(name, context, page) {
    this.name = name;
    this.context = context;
    this.page = page;
    page.setDefaultTimeout(patience);
    page.on("pageerror", (error) => this.faults.push(`${name}: ${error.stack ?? error}`));
    page.on("console", (line) => {
      if (line.type() !== "error") return;
      if (this.#cut && line.text().includes("net::ERR_INTERNET_DISCONNECTED")) return;
      this.faults.push(`${name}: ${line.text()} (${line.location().url})`);
    });
  }

  static async arrive(browser, name, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, ...options });
    return new Person(name, context, await context.newPage());
  }

  get(testId) {
    return this.page.getByTestId(testId);
  }

  /** Signs in by the form, as a person does. */
  async join(url, conversation) {
    await this.page.goto(url);
    await this.get("name-input").fill(this.name);
    await this.get("conversation-input").fill(conversation);
    await this.get("join-button").click();
    await this.seesStatus("connected");
    await this.seesLine("You joined");
  }

  async write(text) {
    await this.get("message-input").fill(text);
    await this.get("send-button").click();
  }

  message(text) {
    return this.get("message").filter({ has: this.page.getByText(text, { exact: true }) });
  }

  async reads(text, from) {
    const message = this.message(text).and(this.page.locator(`[data-user="${from.name}"]`));
    await message.waitFor();
    assert.equal(await message.count(), 1, `${this.name} reads "${text}" once`);
    assert.notEqual(await message.locator("time").innerText(), "", "the message has a time");
  }

  /** Waits until the own message is in this state: waiting, sending, sent or failed. */
  async seesOwn(text, state) {
    await this.message(text).and(this.page.locator(`.own[data-state="${state}"]`)).waitFor();
  }

  /** Waits for a line of the conversation's own, such as "bob joined"; `times` counts it over the whole log. */
  async seesLine(text, times = 1) {
    await this.get("line").getByText(text, { exact: true }).nth(times - 1).waitFor();
  }

  /** All messages in the log, from the first to the last. */
  texts() {
    return this.get("content").allInnerTexts();
  }

  async seesMembers(...names) {
    const members = this.get("members");
    for (const name of names) await members.locator(`[data-testid="member"][data-user="${name}"]`).waitFor();
    await this.page.waitForFunction(
      (count) => document.querySelectorAll('[data-testid="member"]').length === count,
      names.length,
      { timeout: patience },
    );
  }

  async seesStatus(state) {
    await this.page.locator(`[data-testid="status"][data-state="${state}"]`).waitFor();
    return this.get("status").innerText();
  }

  async seesTyping(text) {
    await this.page.waitForFunction(
      (wanted) => document.querySelector('[data-testid="typing"]')?.textContent === wanted,
      text,
      { timeout: patience },
    );
  }

  /** Takes the network away until the work is done. */
  async offline(work) {
    this.#cut = true;
    await this.context.setOffline(true);
    await work();
    await this.context.setOffline(false);
  }

  /** The connection is whole again: from here on a failed request is a fault. */
  settled() {
    this.#cut = false;
  }
}
