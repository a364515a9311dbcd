import { avatar, element } from "./element";

/** Names shown; a conversation can have thousands of members, and a page need not. */
const shown = 200;

/** Who is present: a column beside the messages, or a strip above them where the page is narrow. */
export class Members {
  readonly element: HTMLElement;
  readonly #self: string;
  readonly #count = element("span", { class: "count", "data-testid": "member-count" });
  readonly #list = element("ul", { "data-testid": "members", "aria-label": "People here" });

  constructor(self: string) {
    this.#self = self;
    this.element = element(
      "aside",
      { class: "members" },
      element("h2", {}, "People", this.#count),
      this.#list,
    );
  }

  show(users: readonly string[]): void {
    this.#count.textContent = String(users.length);
    const items = users.slice(0, shown).map((user) => this.#item(user));
    if (users.length === 1) items.push(element("li", { class: "more" }, "Nobody else is here yet"));
    if (users.length > shown) items.push(element("li", { class: "more" }, `and ${users.length - shown} more`));
    this.#list.replaceChildren(...items);
  }

  #item(user: string): HTMLElement {
    const item = element(
      "li",
      { "data-testid": "member", "data-user": user, title: user },
      avatar(user),
      element("span", { class: "member-name" }, user),
    );
    if (user === this.#self) item.append(element("span", { class: "you" }, "you"));
    return item;
  }
}
