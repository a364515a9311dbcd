import type { Writing } from "../timeline";
import { element } from "./element";

/** A message that grows while someone writes it. Who that is, the complete one says. */
export class WritingItem {
  readonly element: HTMLLIElement;
  readonly #text = new Text();
  readonly #state = element("p", { class: "sender" });

  constructor(writing: Writing) {
    this.element = element(
      "li",
      { class: "message writing", "data-testid": "writing" },
      element(
        "div",
        { class: "message-body" },
        this.#state,
        element(
          "div",
          { class: "bubble" },
          element("p", { class: "content", dir: "auto", "data-testid": "writing-content" }, this.#text),
        ),
      ),
    );
    this.update(writing);
  }

  /** Only what is new is touched: an answer comes in thousands of parts. */
  update(writing: Writing): void {
    this.#text.appendData(writing.text.slice(this.#text.length));
    this.element.dataset["state"] = writing.aborted ? "aborted" : "writing";
    this.element.setAttribute("aria-busy", String(!writing.aborted));
    this.#state.textContent = writing.aborted ? "Broken off, and not sent" : "Being written…";
  }
}
