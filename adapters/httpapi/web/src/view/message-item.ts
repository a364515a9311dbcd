import type { Failure } from "../protocol";
import type { Entry, Line, Message } from "../timeline";
import { deliveryWords, inWords } from "../wording";
import { content } from "./content";
import { avatar, element, icon } from "./element";

/** Milliseconds. Messages of one person closer than this are shown as one block. */
const blockSpan = 5 * 60_000;

/** Failures that sending the same again would only repeat: the message itself must change. */
const lasting = new Set<Failure["code"]>(["PAYLOAD_TOO_LARGE", "INVALID_PAYLOAD"]);

/** What the person can do about a message that was not sent. */
export interface MessageActions {
  retry(key: string): void;
  edit(key: string): void;
}

/** One message in the log. What was written never changes; where it is on its way does. */
export class MessageItem {
  readonly element: HTMLLIElement;
  readonly #time = element("time", {});
  readonly #state = element("span", { class: "state" });
  readonly #failure = element("p", { class: "failure" });
  readonly #actions: MessageActions;

  constructor(message: Message, actions: MessageActions) {
    this.#actions = actions;
    this.element = element(
      "li",
      {
        class: message.own ? "message own" : "message",
        "data-testid": "message",
        "data-user": message.userId,
        "data-message-id": message.messageId,
      },
      avatar(message.userId),
      element(
        "div",
        { class: "message-body" },
        element("p", { class: "sender" }, message.own ? "You" : message.userId),
        element(
          "div",
          { class: "bubble" },
          element("p", { class: "content", dir: "auto", "data-testid": "content" }, ...content(message.content)),
          element("span", { class: "meta" }, this.#time, this.#state),
        ),
        this.#failure,
      ),
    );
    this.update(message);
  }

  update(message: Message): void {
    this.element.dataset["state"] = message.state;
    setTime(this.#time, message.time);
    if (message.delivery !== undefined) this.element.dataset["delivery"] = message.delivery.status;
    if (message.own) this.#state.replaceChildren(...stateMark(message));
    this.#failure.hidden = message.failure === undefined;
    this.#failure.replaceChildren();
    if (message.failure === undefined) return;
    this.#failure.append(`Not sent. ${inWords(message.failure)}`);
    this.#failure.append(this.#remedy(message.key, message.failure));
  }

  #remedy(key: string, failure: Failure): HTMLButtonElement {
    const remedy = lasting.has(failure.code) ? "edit" : "retry";
    const button = element(
      "button",
      { type: "button", class: "button small", "data-testid": `${remedy}-button` },
      remedy === "edit" ? "Edit" : "Retry",
    );
    button.addEventListener("click", () => this.#actions[remedy](key));
    return button;
  }
}

function stateMark(message: Message): (Node | string)[] {
  switch (message.state) {
    case "waiting":
      return ["Waiting…"];
    case "sending":
      return ["Sending…"];
    case "sent":
      return sentMark(message);
    case "failed":
      // Said in full below the message, with what can be done.
      return [];
  }
}

/** One tick for sent, two for delivered, with a count as long as somebody's is missing. */
function sentMark({ delivery }: Message): Node[] {
  if (delivery === undefined) return [icon("check"), element("span", { class: "unseen" }, "Sent")];
  const words = deliveryWords(delivery);
  const mark = element("span", { class: "delivery", title: words, "data-testid": "delivery" });
  const partial = delivery.status === "partial";
  mark.append(icon(delivery.expected === 0 ? "check" : "checks"));
  if (partial) mark.append(element("span", { "aria-hidden": "true" }, `${delivery.delivered}/${delivery.expected}`));
  mark.append(element("span", { class: "unseen" }, words));
  return [mark];
}

export function lineItem(line: Line): HTMLLIElement {
  const time = element("time", {});
  setTime(time, line.time);
  return element("li", { class: "line", "data-testid": "line" }, element("span", {}, line.text), time);
}

/** Whether the entry goes on the block that the one before it began. */
export function continues(entry: Entry, before: Entry | undefined): boolean {
  if (entry.kind !== "message" || before?.kind !== "message") return false;
  return entry.userId === before.userId && entry.time.getTime() - before.time.getTime() < blockSpan;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

function setTime(target: HTMLTimeElement, time: Date): void {
  const today = time.toDateString() === new Date().toDateString();
  target.dateTime = time.toISOString();
  target.title = full.format(time);
  target.textContent = today ? clock.format(time) : `${day.format(time)}, ${clock.format(time)}`;
}
