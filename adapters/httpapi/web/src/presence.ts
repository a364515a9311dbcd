/** Who is in the conversation, and which of them type. Own presence counts, own typing does not. */
export class Presence {
  readonly #self: string;
  readonly #onMembers: (members: string[]) => void;
  readonly #onTyping: (users: string[]) => void;
  #members = new Set<string>();
  #typing = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(self: string, onMembers: (members: string[]) => void, onTyping: (users: string[]) => void) {
    this.#self = self;
    this.#onMembers = onMembers;
    this.#onTyping = onTyping;
  }

  replace(members: Iterable<string>): void {
    this.#members = new Set(members);
    this.#tellMembers();
  }

  enter(user: string): void {
    this.#members.add(user);
    this.#tellMembers();
  }

  exit(user: string): void {
    this.#members.delete(user);
    this.#tellMembers();
    this.setTyping(user, false);
  }

  /** The sign that someone types holds for a while only, in case the one that ends it is lost. */
  setTyping(user: string, isTyping: boolean): void {
    if (user === this.#self) return;
    if (!isTyping && !this.#typing.has(user)) return;
    clearTimeout(this.#typing.get(user));
    this.#typing.delete(user);
    if (isTyping) this.#typing.set(user, setTimeout(() => this.setTyping(user, false), typingHolds));
    this.#tellTyping();
  }

  forgetTyping(): void {
    for (const timer of this.#typing.values()) clearTimeout(timer);
    this.#typing.clear();
    this.#tellTyping();
  }

  /** The person first, then the others by name. */
  #tellMembers(): void {
    const others = [...this.#members].filter((user) => user !== this.#self).sort((a, b) => a.localeCompare(b));
    this.#onMembers(this.#members.has(this.#self) ? [this.#self, ...others] : others);
  }

  #tellTyping(): void {
    this.#onTyping([...this.#typing.keys()]);
  }
}

/** Milliseconds. Longer than the pause between two signs of one who goes on typing. */
const typingHolds = 6_000;
