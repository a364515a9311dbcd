import type { ConnectionState } from "../connection";
import { typingLine } from "../wording";
import { Announcer } from "./announcer";
import { Composer } from "./composer";
import { element, icon } from "./element";
import { Log } from "./log";
import { Members } from "./members";
import { Status } from "./status";
import { Switcher } from "./switcher";

/** What the person can do in a conversation. */
export interface RoomActions {
  send(content: string): boolean;
  retry(key: string): void;
  /** Takes back a failed message; answers with what it said. */
  discard(key: string): string | undefined;
  drafted(text: string): void;
  /** The person has come to the oldest message shown. */
  loadOlder(): void;
  leave(): void;
  switchTo(conversation: string): void;
  tryNow(): void;
}

/** The screen of one conversation. */
export class Room {
  readonly element: HTMLElement;
  readonly log: Log;
  readonly #members: Members;
  readonly #status: Status;
  readonly #composer: Composer;
  readonly #announcer = new Announcer();
  readonly #typing = element("p", { class: "typing", "data-testid": "typing", "aria-live": "polite" });

  constructor(self: string, conversation: string, actions: RoomActions) {
    this.log = new Log({
      retry: (key) => {
        actions.retry(key);
        this.#composer.focus();
      },
      edit: (key) => this.#composer.restore(actions.discard(key) ?? ""),
      loadOlder: () => actions.loadOlder(),
    });
    this.#members = new Members(self);
    this.#status = new Status(() => actions.tryNow());
    this.#composer = new Composer(actions);
    const switcher = new Switcher((id) => actions.switchTo(id));
    this.element = element(
      "div",
      { class: "room" },
      header(conversation, this.#status.element, () => switcher.open(), () => actions.leave()),
      this.#status.banner,
      element("main", { class: "talk" }, this.log.element, this.#typing, this.#composer.element),
      this.#members.element,
      switcher.element,
      this.#announcer.element,
    );
  }

  /** Gives the notice its place over the messages. */
  carry(notice: HTMLElement): void {
    this.log.element.append(notice);
  }

  /** Tells a screen reader. */
  announce(words: string): void {
    this.#announcer.say(words);
  }

  /** Puts the cursor where the person writes. */
  focus(): void {
    this.#composer.focus();
  }

  connection(state: ConnectionState): void {
    const { banner } = this.#status;
    const focused = banner.contains(document.activeElement);
    this.#status.show(state);
    if (focused && banner.hidden) this.focus();
    this.element.dataset["connection"] = state.kind;
  }

  joined(): void {
    this.#composer.enable();
  }

  members(users: readonly string[]): void {
    this.#members.show(users);
  }

  typing(users: readonly string[]): void {
    this.#typing.textContent = typingLine(users);
  }
}

function header(conversation: string, status: HTMLElement, onSwitch: () => void, onLeave: () => void): HTMLElement {
  const swap = element(
    "button",
    { type: "button", class: "button", "data-testid": "switch-button" },
    icon("swap"),
    element("span", { class: "wide-only" }, "Switch"),
  );
  const leave = element(
    "button",
    { type: "button", class: "button", "data-testid": "leave-button" },
    icon("leave"),
    element("span", { class: "wide-only" }, "Leave"),
  );
  swap.addEventListener("click", onSwitch);
  leave.addEventListener("click", onLeave);
  return element(
    "header",
    { class: "top" },
    element(
      "div",
      { class: "where" },
      element("h1", { title: conversation, "data-testid": "conversation" }, conversation),
      status,
    ),
    element("div", { class: "top-buttons" }, swap, leave),
  );
}
