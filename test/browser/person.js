import assert from "node:assert/strict";

/** Milliseconds that anything on the page may take to show. */
const patience = 60_000;

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

  /** Writes many messages, a few at a time, and waits until all are sent. */
  async writeMany(texts) {
    for (let from = 0; from < texts.length; from += 20) {
      await this.page.evaluate((some) => {
        const input = document.querySelector('[data-testid="message-input"]');
        for (const text of some) {
          input.value = text;
          input.dispatchEvent(new Event("input", { bubbles: true }));
          input.form.requestSubmit();
        }
      }, texts.slice(from, from + 20));
      await this.page.waitForFunction(
        () => document.querySelector('.own:not([data-state="sent"])') === null,
        undefined,
        { timeout: patience },
      );
    }
  }

  /** The test id of what has the focus. */
  focused() {
    return this.page.evaluate(() => document.activeElement?.dataset.testid);
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

  /** Waits until those who were there have confirmed the own message, and answers with how the page says so. */
  async seesDelivered(text) {
    const message = this.message(text).and(this.page.locator('.own[data-delivery="complete"]'));
    await message.waitFor();
    return message.getByTestId("delivery").getAttribute("title");
  }

  /** Waits until what is being written reads so. */
  async seesWriting(text) {
    await this.page.waitForFunction(
      (wanted) => document.querySelector('[data-testid="writing-content"]')?.textContent === wanted,
      text,
      { timeout: patience },
    );
  }

  /** Waits until there are that many messages in the log. */
  async seesMessages(count) {
    await this.page.waitForFunction(
      (wanted) => document.querySelectorAll('[data-testid="message"]').length === wanted,
      count,
      { timeout: patience },
    );
  }

  /** Waits for what is above the oldest message: more, loading, beginning. */
  async seesPast(state) {
    await this.page.locator(`[data-testid="past"][data-state="${state}"]`).waitFor();
  }

  /** Scrolls to the top of the log, and answers with what is written there and where on the screen. */
  async scrollUp() {
    return this.page.evaluate(() => {
      document.querySelector('[data-testid="log"]').scrollTop = 0;
      const first = document.querySelector('[data-testid="content"]');
      return { text: first.textContent, top: first.getBoundingClientRect().top };
    });
  }

  /** Where on the screen a message is. */
  async top(text) {
    return this.message(text).getByTestId("content").evaluate((content) => content.getBoundingClientRect().top);
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
