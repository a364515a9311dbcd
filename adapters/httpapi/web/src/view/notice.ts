import { element, icon } from "./element";

/** Milliseconds that a notice stays, when it asks nothing of the person. */
const stays = 10_000;

/** Something the person can do about a notice. */
export interface Remedy {
  label: string;
  run: () => void;
}

/** The one place for what went wrong. The newest notice takes the place of the last. */
export class Notice {
  readonly element: HTMLElement;
  readonly #text = element("span", { class: "notice-text" });
  readonly #remedy = element("button", { type: "button", class: "button small" });
  readonly #focus: () => void;
  #run: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `focus` gives the focus to where the person goes on, when a button of the notice had it. */
  constructor(focus: () => void) {
    this.#focus = focus;
    const close = element("button", { type: "button", class: "icon-button", "aria-label": "Dismiss" }, icon("close"));
    close.addEventListener("click", () => this.hide());
    this.#remedy.addEventListener("click", () => {
      const run = this.#run;
      this.hide();
      run?.();
    });
    this.element = element(
      "div",
      { class: "notice", role: "alert", "data-testid": "notice", hidden: true },
      icon("warning"),
      this.#text,
      this.#remedy,
      close,
    );
  }

  show(text: string, remedy?: Remedy): void {
    clearTimeout(this.#timer);
    this.#text.textContent = text;
    this.#remedy.textContent = remedy?.label ?? "";
    this.#remedy.hidden = remedy === undefined;
    this.#run = remedy?.run;
    this.element.hidden = false;
    if (remedy === undefined) this.#timer = setTimeout(() => this.hide(), stays);
  }

  hide(): void {
    clearTimeout(this.#timer);
    const focused = this.element.contains(document.activeElement);
    this.element.hidden = true;
    if (focused) this.#focus();
    this.#text.textContent = "";
    this.#run = undefined;
  }
}
