/** The title of the tab: where the person is, and how many messages came while they looked elsewhere. */
export class Title {
  #place = "";
  #unread = 0;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#count(0));
  }

  /** The person is in this conversation; in none, if empty. */
  enter(place: string): void {
    this.#place = place;
    this.#count(0);
  }

  /** A message of somebody else's has come. */
  arrived(): void {
    if (document.hidden) this.#count(this.#unread + 1);
  }

  #count(unread: number): void {
    this.#unread = unread;
    const words = this.#place === "" ? "Parley" : `${this.#place} · Parley`;
    document.title = unread === 0 ? words : `(${unread}) ${words}`;
  }
}
