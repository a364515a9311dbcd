import type { Chunk } from "./protocol";
import type { Timeline, Writing } from "./timeline";

/** Milliseconds without a chunk after which nobody writes any more: the server gives up earlier. */
const silence = 75_000;

interface Stream {
  writing: Writing;
  /** The index of the next chunk that can be shown. */
  next: number;
  /** Chunks that came before one that is missing. */
  early: Map<number, string>;
  /** Whether it was heard of since the connection is there. */
  fresh: boolean;
  /** Whether what is missing was asked for. */
  asked: boolean;
  end: ReturnType<typeof setTimeout>;
}

/**
 * The messages that are being written, as they grow. A chunk may come again, when the connection was
 * lost, or not at all, when it is slow: what is shown is the beginning that is whole, and the rest is
 * asked for. The message that follows tells everything.
 */
export class Writings {
  readonly #timeline: Timeline;
  /** Asks for what is being written, from the beginning; false if it cannot now. */
  readonly #ask: () => boolean;
  readonly #streams = new Map<string, Stream>();

  constructor(timeline: Timeline, ask: () => boolean) {
    this.#timeline = timeline;
    this.#ask = ask;
  }

  chunk({ messageId, index, delta, aborted }: Chunk): void {
    if (aborted === true) {
      this.#abort(messageId);
      return;
    }
    const stream = this.#streams.get(messageId) ?? this.#open(messageId);
    stream.fresh = true;
    clearTimeout(stream.end);
    stream.end = setTimeout(() => this.#abort(messageId), silence);
    if (index >= stream.next) stream.early.set(index, delta);
    let text = "";
    for (let next = stream.early.get(stream.next); next !== undefined; next = stream.early.get(stream.next)) {
      stream.early.delete(stream.next);
      stream.next++;
      text += next;
    }
    if (text !== "") this.#timeline.grow(stream.writing, text);
    stream.asked = stream.early.size > 0 && (stream.asked || this.#ask());
  }

  /** The complete message is there. */
  complete(messageId: string): void {
    const stream = this.#forget(messageId);
    if (stream !== undefined) this.#timeline.erase(stream.writing);
  }

  /** The connection is lost. */
  pause(): void {
    for (const stream of this.#streams.values()) stream.fresh = false;
  }

  /** Whether there are any that were not heard of since. */
  get stale(): boolean {
    return [...this.#streams.values()].some((stream) => !stream.fresh);
  }

  /** Takes everything away. */
  clear(): void {
    for (const messageId of [...this.#streams.keys()]) this.complete(messageId);
  }

  /** Lets go of everything, and leaves what is shown as it is. */
  close(): void {
    for (const messageId of [...this.#streams.keys()]) this.#forget(messageId);
  }

  #open(messageId: string): Stream {
    const writing = this.#timeline.write();
    const end = setTimeout(() => {});
    const stream = { writing, next: 0, early: new Map<number, string>(), fresh: true, asked: false, end };
    this.#streams.set(messageId, stream);
    return stream;
  }

  #abort(messageId: string): void {
    const stream = this.#forget(messageId);
    if (stream !== undefined) this.#timeline.abort(stream.writing);
  }

  #forget(messageId: string): Stream | undefined {
    const stream = this.#streams.get(messageId);
    clearTimeout(stream?.end);
    this.#streams.delete(messageId);
    return stream;
  }
}
