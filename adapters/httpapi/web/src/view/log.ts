import type { Past } from "../scrollback";
import type { Entry, Message, TimelineObserver, Writing } from "../timeline";
import { element, icon } from "./element";
import { continues, lineItem, MessageItem, type MessageActions } from "./message-item";
import { PastNotice } from "./past-notice";
import { WritingItem } from "./writing-item";

/** Pixels from the end at which the person still counts as reading the newest. */
const nearEnd = 48;

/** Pixels from the oldest message at which older ones are loaded. */
const nearStart = 240;

export interface LogActions extends MessageActions {
  loadOlder(): void;
}

interface Item {
  entry: Entry;
  element: HTMLLIElement;
  update?: () => void;
}

/** The messages and lines, newest below. Follows the end as long as the person is there. */
export class Log implements TimelineObserver {
  readonly element: HTMLElement;
  readonly #list = element("ol", { class: "entries" });
  readonly #past: PastNotice;
  readonly #scroller: HTMLElement;
  readonly #jumpWords = element("span");
  readonly #jump = element(
    "button",
    { type: "button", class: "button small jump", hidden: true, "data-testid": "jump-button" },
    icon("down"),
    this.#jumpWords,
  );
  readonly #actions: LogActions;
  readonly #items = new Map<string, Item>();
  #atEnd = true;
  /** Messages of others that came below what the person reads. */
  #unread = 0;
  #scrollDue = false;
  #recalls = false;
  #more = false;

  constructor(actions: LogActions) {
    this.#actions = actions;
    this.#past = new PastNotice(() => actions.loadOlder());
    this.#scroller = element(
      "div",
      { class: "scroller", role: "log", "aria-live": "off", "aria-label": "Messages", tabindex: "0", "data-testid": "log" },
      this.#past.element,
      this.#list,
    );
    this.element = element("section", { class: "log" }, this.#scroller, this.#jump);
    this.#scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    // A click leaves the cursor where it is: in the box, most likely.
    this.#jump.addEventListener("mousedown", (event) => event.preventDefault());
    this.#jump.addEventListener("click", () => this.#keepFocus(() => this.#toEnd()));
    // The end stays in view when the keyboard of a phone opens or a banner appears.
    new ResizeObserver(() => this.#atEnd && this.#toEnd()).observe(this.#scroller);
  }

  placed(entry: Entry, before: Entry | undefined): void {
    const item = this.#make(entry);
    item.element.dataset["key"] = entry.key;
    this.#items.set(entry.key, item);
    this.#list.insertBefore(item.element, (before && this.#items.get(before.key)?.element) ?? null);
    this.#join(item.element);
    this.#join(item.element.nextElementSibling);
    if (this.#recalls) return;
    const mine = entry.kind === "message" && entry.own && entry.seq === undefined;
    if (this.#atEnd || mine) this.#followEnd();
    else if (entry.kind === "message" && !entry.own) this.#showJump(this.#unread + 1);
  }

  changed(entry: Message | Writing): void {
    this.#items.get(entry.key)?.update?.();
    if (this.#atEnd && !this.#recalls) this.#followEnd();
  }

  removed(entry: Entry): void {
    const item = this.#items.get(entry.key);
    if (item === undefined) return;
    const next = item.element.nextElementSibling;
    item.element.remove();
    this.#items.delete(entry.key);
    this.#join(next);
  }

  /** What the person reads stays where it is, while older messages come in above it. */
  recalling(work: () => void): void {
    const fromEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    this.#recalls = true;
    work();
    this.#recalls = false;
    if (this.#atEnd) this.#toEnd();
    else this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
  }

  following(): boolean {
    return this.#atEnd;
  }

  past(past: Past): void {
    this.#keepFocus(() => this.#past.show(past));
    this.#scroller.setAttribute("aria-busy", String(past === "loading"));
    this.#more = past === "more";
    // The page that came may not have filled the screen. Asked in a frame of its own, so that a page is laid
    // out before the next is wanted.
    if (this.#more) requestAnimationFrame(() => this.#wantOlder());
  }

  #make(entry: Entry): Item {
    switch (entry.kind) {
      case "line":
        return { entry, element: lineItem(entry) };
      case "writing": {
        const item = new WritingItem(entry);
        return { entry, element: item.element, update: () => item.update(entry) };
      }
      case "message": {
        const item = new MessageItem(entry, this.#actions);
        return { entry, element: item.element, update: () => item.update(entry) };
      }
    }
  }

  /** Shows the item as part of the block above it, or as the first of a block. */
  #join(target: Element | null): void {
    const entry = this.#entryOf(target);
    if (target === null || entry === undefined) return;
    target.classList.toggle("continued", continues(entry, this.#entryOf(target.previousElementSibling)));
  }

  #entryOf(target: Element | null): Entry | undefined {
    return target instanceof HTMLElement ? this.#items.get(target.dataset["key"] ?? "")?.entry : undefined;
  }

  #onScroll(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < nearEnd;
    this.#showJump(this.#atEnd ? 0 : this.#unread);
    this.#wantOlder();
  }

  #wantOlder(): void {
    if (this.#more && this.#scroller.isConnected && this.#scroller.scrollTop < nearStart) this.#actions.loadOlder();
  }

  /** Goes to the end once per frame, however many messages the frame brings. */
  #followEnd(): void {
    this.#atEnd = true;
    if (this.#scrollDue) return;
    this.#scrollDue = true;
    requestAnimationFrame(() => {
      this.#scrollDue = false;
      this.#toEnd();
    });
  }

  #toEnd(): void {
    this.#atEnd = true;
    this.#showJump(0);
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #showJump(unread: number): void {
    this.#unread = unread;
    this.#jumpWords.textContent = unread === 0 ? "Newest" : unread === 1 ? "1 new message" : `${unread} new messages`;
    this.#jump.hidden = this.#atEnd;
  }

  /** A button that goes away leaves the focus in the log, for those who have no mouse. */
  #keepFocus(work: () => void): void {
    const focused = document.activeElement;
    work();
    if (focused instanceof HTMLElement && focused.hidden && this.element.contains(focused)) {
      this.#scroller.focus({ preventScroll: true });
    }
  }
}
