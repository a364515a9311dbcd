import { faultOf } from "../names";
import { element } from "./element";

interface FieldOptions {
  /** Names the field in the page; also the stem of its test id. */
  id: string;
  label: string;
  /** How a fault speaks of what is asked for: "a name". */
  what: string;
  value: string;
  autocomplete: string;
}

/** A labelled input for a user name or a conversation id, which says what is wrong with it. */
export class Field {
  readonly element: HTMLElement;
  readonly #what: string;
  readonly #input: HTMLInputElement;
  readonly #fault: HTMLElement;

  constructor({ id, label, what, value, autocomplete }: FieldOptions) {
    this.#what = what;
    this.#fault = element("p", { id: `${id}-fault`, class: "fault", role: "alert", "data-testid": `${id}-fault` });
    this.#input = element("input", {
      id,
      type: "text",
      class: "input",
      autocomplete,
      autocapitalize: "none",
      spellcheck: "false",
      "aria-describedby": `${id}-fault`,
      "data-testid": `${id}-input`,
    });
    this.#input.value = value;
    this.#input.addEventListener("input", () => this.#tell(null));
    this.element = element(
      "div",
      { class: "field" },
      element("label", { for: id }, label),
      this.#input,
      this.#fault,
    );
  }

  set value(value: string) {
    this.#input.value = value;
    this.#tell(null);
  }

  /** What was entered, when it is a proper name; otherwise says why not and takes the focus. */
  read(): string | null {
    const value = this.#input.value.trim();
    const fault = faultOf(this.#what, value);
    this.#tell(fault);
    if (fault === null) return value;
    this.#input.focus();
    return null;
  }

  get empty(): boolean {
    return this.#input.value === "";
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  #tell(fault: string | null): void {
    this.#fault.textContent = fault ?? "";
    this.#input.setAttribute("aria-invalid", String(fault !== null));
  }
}
