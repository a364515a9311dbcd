import type { Entry, Message, TimelineObserver } from "../timeline";
import { element, icon } from "./element";
import { continues, lineItem, MessageItem, type MessageActions } from "./message-item";

/** Pixels from the end at which the person still counts as reading the newest. */
const nearEnd = 48;

/** The messages and lines, newest below. Follows the end as long as the person is there. */
export class Log implements TimelineObserver {
  readonly element: HTMLElement;
  readonly #list = element("ol", { class: "entries" });
  readonly #scroller = element(
    "div",
    { class: "scroller", role: "log", "aria-live": "polite", "aria-label": "Messages", tabindex: "0" },
    this.#list,
  );
  readonly #jump = element(
    "button",
    { type: "button", class: "button small jump", hidden: true, "data-testid": "jump-button" },
    icon("down"),
    "New messages",
  );
  readonly #actions: MessageActions;
  readonly #items = new Map<string, { entry: Entry; element: HTMLLIElement; message?: MessageItem }>();
  #atEnd = true;
  #scrollDue = false;

  constructor(actions: MessageActions) {
    this.#actions = actions;
    this.element = element("section", { class: "log" }, this.#scroller, this.#jump);
    this.#scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.#jump.addEventListener("click", () => this.#toEnd());
    // The end stays in view when the keyboard of a phone opens or a banner appears.
    new ResizeObserver(() => this.#atEnd && this.#toEnd()).observe(this.#scroller);
  }

  placed(entry: Entry, before: Entry | undefined): void {
    const item = this.#make(entry);
    this.#items.set(entry.key, item);
    this.#list.insertBefore(item.element, (before && this.#items.get(before.key)?.element) ?? null);
    this.#join(item.element);
    this.#join(item.element.nextElementSibling);
    const mine = entry.kind === "message" && entry.own && entry.place === undefined;
    if (this.#atEnd || mine) this.#followEnd();
    else if (entry.kind === "message") this.#jump.hidden = false;
  }

  changed(entry: Message): void {
    this.#items.get(entry.key)?.message?.update(entry);
    if (this.#atEnd) this.#followEnd();
  }

  removed(entry: Entry): void {
    const item = this.#items.get(entry.key);
    if (item === undefined) return;
    const next = item.element.nextElementSibling;
    item.element.remove();
    this.#items.delete(entry.key);
    this.#join(next);
  }

  #make(entry: Entry): { entry: Entry; element: HTMLLIElement; message?: MessageItem } {
    if (entry.kind === "line") return { entry, element: tagged(lineItem(entry), entry.key) };
    const message = new MessageItem(entry, this.#actions);
    return { entry, message, element: tagged(message.element, entry.key) };
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
    if (this.#atEnd) this.#jump.hidden = true;
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
    this.#jump.hidden = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}

function tagged(item: HTMLLIElement, key: string): HTMLLIElement {
  item.dataset["key"] = key;
  return item;
}
