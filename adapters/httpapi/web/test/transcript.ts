import type { Entry, Message, TimelineObserver } from "../src/timeline";

/** What a page that follows a timeline would show, kept in order as the timeline tells it. */
export class Transcript implements TimelineObserver {
  #shown: Entry[] = [];

  placed(entry: Entry, before: Entry | undefined): void {
    const index = before === undefined ? this.#shown.length : this.#shown.indexOf(before);
    if (index === -1) throw new Error("placed before an entry that is not shown");
    this.#shown.splice(index, 0, entry);
  }

  changed(entry: Message): void {
    if (!this.#shown.includes(entry)) throw new Error("changed an entry that is not shown");
  }

  removed(entry: Entry): void {
    const index = this.#shown.indexOf(entry);
    if (index === -1) throw new Error("removed an entry that is not shown");
    this.#shown.splice(index, 1);
  }

  get texts(): string[] {
    return this.#shown.map((entry) => (entry.kind === "line" ? `(${entry.text})` : entry.content));
  }

  get states(): string[] {
    return this.#shown.filter((entry) => entry.kind === "message").map((message) => message.state);
  }

  get messages(): Message[] {
    return this.#shown.filter((entry) => entry.kind === "message");
  }
}
