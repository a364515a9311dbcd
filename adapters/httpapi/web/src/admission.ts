import { answerTimeout, type Answer, type ChatSocket, type Failure, type Joined, type Position } from "./protocol";

type Admitted = Answer<Joined> & { ok: true };

/** Failures to join that pass by themselves, and how often and with what pauses (ms) to try again. */
const passing = new Set<Failure["code"]>(["TIMEOUT", "RATE_LIMITED", "DRAINING", "UNAVAILABLE", "INTERNAL"]);
const retries = 5;
const firstPause = 500;

/** Gets the person into a conversation: asks, and asks again as long as a refusal may pass by itself. */
export class Admission {
  readonly #socket: ChatSocket;
  readonly #conversation: string;
  readonly #place: () => Position | undefined;
  readonly #admitted: (answer: Admitted) => void;
  readonly #refused: (failure: Failure) => void;
  #pause: ReturnType<typeof setTimeout> | undefined;
  /** Counts the questions: an answer to any but the last is void. */
  #asked = 0;
  #pending = false;

  constructor(
    socket: ChatSocket,
    conversation: string,
    /** Where the person was last; asked at every try. */
    place: () => Position | undefined,
    admitted: (answer: Admitted) => void,
    refused: (failure: Failure) => void,
  ) {
    this.#socket = socket;
    this.#conversation = conversation;
    this.#place = place;
    this.#admitted = admitted;
    this.#refused = refused;
  }

  /** Whether an answer is still to come. */
  get pending(): boolean {
    return this.#pending;
  }

  ask(): void {
    this.stop();
    this.#try(retries);
  }

  stop(): void {
    clearTimeout(this.#pause);
    this.#asked++;
    this.#pending = false;
  }

  /**
   * The answer comes by callback, not by promise: what the server sends after it must find it handled,
   * and a promise is resolved only after packets that came together with the answer.
   */
  #try(retriesLeft: number): void {
    const number = ++this.#asked;
    const after = this.#place();
    const request = { conversationId: this.#conversation, ...(after && { after }) };
    this.#pending = true;
    this.#socket.timeout(answerTimeout).emit("join_conversation", request, (error: Error | null, answer) => {
      if (number !== this.#asked) return;
      if (error === null && answer.ok) {
        this.#pending = false;
        this.#admitted(answer);
        return;
      }
      const timeout: Failure = { code: "TIMEOUT", message: String(error) };
      this.#onFailure(error === null && !answer.ok ? answer.error : timeout, retriesLeft);
    });
  }

  #onFailure(failure: Failure, retriesLeft: number): void {
    if (!passing.has(failure.code) || retriesLeft === 0) {
      this.#pending = false;
      this.#refused(failure);
      return;
    }
    const pause = Math.max(failure.retryAfterMs ?? 0, firstPause * 2 ** (retries - retriesLeft));
    this.#pause = setTimeout(() => this.#try(retriesLeft - 1), pause);
  }
}
