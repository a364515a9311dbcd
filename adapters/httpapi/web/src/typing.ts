/** Milliseconds between two signs while the person goes on typing, and of quiet until the end is told. */
const repeat = 3_000;
const quiet = 4_000;

/** Tells the others that the person types: sparingly while it lasts, and once when it ends. */
export class TypingSign {
  readonly #emit: (isTyping: boolean) => void;
  #lastSign = 0;
  #end: ReturnType<typeof setTimeout> | undefined;

  constructor(emit: (isTyping: boolean) => void) {
    this.#emit = emit;
  }

  /** The draft has changed to this text. */
  drafted(text: string): void {
    if (text.trim() === "") {
      this.stop();
      return;
    }
    clearTimeout(this.#end);
    this.#end = setTimeout(() => this.stop(), quiet);
    const now = Date.now();
    if (now - this.#lastSign < repeat) return;
    this.#lastSign = now;
    this.#emit(true);
  }

  /** Ends the sign, when one stands. */
  stop(): void {
    clearTimeout(this.#end);
    if (this.#lastSign === 0) return;
    this.#lastSign = 0;
    this.#emit(false);
  }
}
