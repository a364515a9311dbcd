import type { Entry, Message, TimelineObserver, Writing } from "../src/timeline";

/** What a page that follows a timeline would show, kept in order as the timeline tells it. */
export class Transcript implements TimelineObserver {
  #shown: Entry[] = [];
  /** Whether the person reads the newest. */
  follows = true;

  placed(entry: Entry, before: Entry | undefined): void {
    const index = before === undefined ? this.#shown.length : this.#shown.indexOf(before);
    if (index === -1) throw new Error("placed before an entry that is not shown");
    this.#shown.splice(index, 0, entry);
  }

  changed(entry: Message | Writing): void {
    if (!this.#shown.includes(entry)) throw new Error("changed an entry that is not shown");
  }

  removed(entry: Entry): void {
    const index = this.#shown.indexOf(entry);
    if (index === -1) throw new Error("removed an entry that is not shown");
    this.#shown.splice(index, 1);
  }

  recalling(work: () => void): void {
    work();
  }

  following(): boolean {
    return this.follows;
  }

  get texts(): string[] {
    return this.#shown.map(inText);
  }

  get states(): string[] {
    return this.#shown.filter((entry) => entry.kind === "message").map((message) => message.state);
  }

  get messages(): Message[] {
    return this.#shown.filter((entry) => entry.kind === "message");
  }
}

function inText(entry: Entry): string {
  switch (entry.kind) {
    case "line":
      return `(${entry.text})`;
    case "writing":
      return entry.aborted ? `${entry.text} [aborted]` : `${entry.text}…`;
    case "message":
      return entry.content;
  }
}
