import type { ConnectionState } from "../connection";
import { element, icon } from "./element";

const words: Record<ConnectionState["kind"], string> = {
  connecting: "Connecting…",
  connected: "Connected",
  reconnecting: "Reconnecting",
  refused: "Not connected",
};

/** How the connection is: a word in the header, and a banner as long as something is wrong. */
export class Status {
  readonly element = element("span", { class: "status", role: "status", "data-testid": "status" });
  readonly banner: HTMLElement;
  readonly #word = element("span", {});
  /** Not for screen readers: they would read the word again at every try. */
  readonly #count = element("span", { "aria-hidden": "true" });
  readonly #reason = element("span", { class: "banner-text", "data-testid": "banner" });
  readonly #again = element("button", { type: "button", class: "button small", "data-testid": "try-button" });

  constructor(onTryNow: () => void) {
    this.element.append(element("span", { class: "dot", "aria-hidden": "true" }), element("span", {}, this.#word, this.#count));
    this.#again.addEventListener("click", onTryNow);
    this.banner = element("div", { class: "banner", hidden: true }, icon("warning"), this.#reason, this.#again);
  }

  show(state: ConnectionState): void {
    this.element.dataset["state"] = state.kind;
    this.banner.dataset["state"] = state.kind;
    this.banner.hidden = state.kind === "connected" || state.kind === "connecting";
    if (this.#word.textContent !== words[state.kind]) this.#word.textContent = words[state.kind];
    this.#count.textContent = state.kind === "reconnecting" && state.attempt > 0 ? ` (${state.attempt})` : "";
    switch (state.kind) {
      case "reconnecting":
        this.#reason.replaceChildren(
          state.attempt === 0 ? "No connection." : `No connection. Trying again, attempt ${state.attempt}…`,
          element("span", { class: "wide-only" }, " What you write is sent when it is back."),
        );
        this.#again.textContent = "Try now";
        return;
      case "refused":
        this.#reason.textContent = state.reason;
        this.#again.textContent = "Try again";
    }
  }
}
