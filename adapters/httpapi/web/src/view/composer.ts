import { element, icon } from "./element";

interface ComposerActions {
  /** False when the message is not taken; it then stays in the box. */
  send(content: string): boolean;
  drafted(text: string): void;
}

/** Where the person writes. Enter sends, Shift and Enter make a new line. */
export class Composer {
  readonly element: HTMLElement;
  readonly #input: HTMLTextAreaElement;
  readonly #button: HTMLButtonElement;
  readonly #actions: ComposerActions;

  constructor(actions: ComposerActions) {
    this.#actions = actions;
    this.#input = element("textarea", {
      id: "message",
      class: "input",
      rows: "1",
      dir: "auto",
      placeholder: "Write a message",
      enterkeyhint: "send",
      disabled: true,
      "data-testid": "message-input",
    });
    this.#button = element(
      "button",
      { type: "submit", class: "button primary send", disabled: true, "aria-label": "Send", "data-testid": "send-button" },
      icon("send"),
    );
    const form = element(
      "form",
      { class: "composer" },
      element("label", { for: "message", class: "unseen" }, "Your message"),
      this.#input,
      this.#button,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#input.addEventListener("input", () => {
      this.#arm();
      this.#actions.drafted(this.#input.value);
    });
    this.#input.addEventListener("keydown", (event) => {
      // Enter that ends a composition, as in Japanese input, chooses a word and sends nothing. In Safari the
      // composition is over by then, and only the code 229 tells.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#send();
    });
    this.element = form;
  }

  /** The person is in: they may write from now on, also while the connection is away. */
  enable(): void {
    if (!this.#input.disabled) return;
    this.#input.disabled = false;
    this.#arm();
    this.#input.focus();
  }

  focus(): void {
    this.#input.focus();
  }

  /** Puts a message back that was not sent, ahead of what is being written. */
  restore(content: string): void {
    this.#input.value = this.#input.value === "" ? content : `${content}\n${this.#input.value}`;
    this.#arm();
    this.#input.focus();
  }

  #send(): void {
    const content = this.#input.value.trim();
    if (content === "" || !this.#actions.send(content)) return;
    this.#input.value = "";
    this.#arm();
    this.#input.focus();
  }

  #arm(): void {
    this.#button.disabled = this.#input.disabled || this.#input.value.trim() === "";
    this.#fit();
  }

  /** The box is as high as what is in it, up to the limit of its style. Not every browser knows `field-sizing`. */
  #fit(): void {
    const { style } = this.#input;
    style.height = "";
    style.height = `${this.#input.scrollHeight + this.#input.offsetHeight - this.#input.clientHeight}px`;
  }
}
