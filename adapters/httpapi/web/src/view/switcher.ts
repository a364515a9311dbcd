import { element } from "./element";
import { Field } from "./field";

/** Asks for another conversation to go to. */
export class Switcher {
  readonly element: HTMLDialogElement;
  readonly #field: Field;

  constructor(onSwitch: (conversation: string) => void) {
    this.#field = new Field({
      id: "switch",
      label: "Conversation",
      what: "a conversation",
      value: "",
      autocomplete: "off",
    });
    const cancel = element("button", { type: "button", class: "button" }, "Cancel");
    cancel.addEventListener("click", () => this.element.close());
    const form = element(
      "form",
      { novalidate: true },
      element("h2", { id: "switch-title" }, "Go to another conversation"),
      this.#field.element,
      element(
        "div",
        { class: "dialog-buttons" },
        cancel,
        element("button", { type: "submit", class: "button primary", "data-testid": "switch-confirm" }, "Go"),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const conversation = this.#field.read();
      if (conversation === null) return;
      this.element.close();
      onSwitch(conversation);
    });
    this.element = element("dialog", { class: "dialog", "aria-labelledby": "switch-title" }, form);
  }

  open(): void {
    this.#field.value = "";
    this.element.showModal();
    this.#field.focus();
  }
}
