import type { Place } from "../address";
import { element } from "./element";
import { Field } from "./field";
import markUrl from "../mark.svg";

/** The first screen: who are you, and where do you want to talk? */
export class Entrance {
  readonly element: HTMLElement;
  readonly #name: Field;
  readonly #conversation: Field;

  constructor(place: Place, onJoin: (place: Place) => void) {
    this.#name = new Field({
      id: "name",
      label: "Your name",
      what: "a name",
      value: place.user,
      autocomplete: "username",
    });
    this.#conversation = new Field({
      id: "conversation",
      label: "Conversation",
      what: "a conversation",
      value: place.conversation,
      autocomplete: "off",
    });
    const form = element(
      "form",
      { class: "card", novalidate: true, "aria-labelledby": "entrance-title" },
      element(
        "p",
        { class: "brand" },
        element("img", { src: markUrl, alt: "", width: "36", height: "36" }),
        "Parley",
      ),
      element("h1", { id: "entrance-title" }, "Join a conversation"),
      element("p", { class: "lead" }, "Pick a name and talk with everyone who is there, right now."),
      this.#name.element,
      this.#conversation.element,
      element("button", { type: "submit", class: "button primary wide", "data-testid": "join-button" }, "Join"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const user = this.#name.read();
      if (user === null) return;
      const conversation = this.#conversation.read();
      if (conversation !== null) onJoin({ user, conversation });
    });
    this.element = element("main", { class: "entrance" }, form);
  }

  /** Puts the cursor where the person most likely goes on. */
  focus(): void {
    if (this.#name.empty) this.#name.focus();
    else this.#conversation.focus();
  }
}
