import type { Past } from "../scrollback";
import { element } from "./element";

const words: Record<Past, string> = {
  more: "",
  loading: "Loading older messages…",
  failed: "Older messages could not be loaded.",
  beginning: "The beginning of the conversation",
  trimmed: "Older messages are no longer kept by the server",
  full: "Older messages are not shown: too many are here already",
};

/** Says what is above the oldest message, and can be asked for more by those who do not scroll. */
export class PastNotice {
  readonly element = element("div", { class: "past", "data-testid": "past", hidden: true });
  readonly #words = element("span", { role: "status" });
  readonly #load = element("button", { type: "button", class: "button small", "data-testid": "older-button" });

  constructor(onLoad: () => void) {
    this.#load.addEventListener("click", onLoad);
    this.element.append(this.#words, this.#load);
  }

  show(past: Past): void {
    this.element.hidden = false;
    this.element.dataset["state"] = past;
    this.#words.textContent = words[past];
    this.#load.hidden = past !== "more" && past !== "failed";
    this.#load.textContent = past === "failed" ? "Try again" : "Load older messages";
  }
}
