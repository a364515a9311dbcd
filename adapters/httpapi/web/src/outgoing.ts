import { newMessageId } from "./message-id";
import { answerTimeout, settle, type Accepted, type ChatSocket, type Failure } from "./protocol";
import type { Message, Timeline } from "./timeline";

/** Messages that may wait for a connection at once. */
const capacity = 100;

/**
 * Own messages on their way. Every message keeps one id through all its tries, so the server
 * takes it once however often it is sent: what was under way when the connection broke is
 * simply sent again.
 */
export class Outgoing {
  readonly #socket: ChatSocket;
  readonly #conversation: string;
  readonly #timeline: Timeline;
  readonly #onAccepted: (receipt: Accepted) => void;
  readonly #onFailure: (failure: Failure) => void;
  /** Not accepted and not failed, in the order written, each with the number of its current try. */
  readonly #tries = new Map<Message, number>();
  #lastTry = 0;
  #open = false;

  constructor(
    socket: ChatSocket,
    conversation: string,
    timeline: Timeline,
    onAccepted: (receipt: Accepted) => void,
    onFailure: (failure: Failure) => void,
  ) {
    this.#socket = socket;
    this.#conversation = conversation;
    this.#timeline = timeline;
    this.#onAccepted = onAccepted;
    this.#onFailure = onFailure;
  }

  /** Sends a new message, at once or when the conversation is joined. False: too many wait already. */
  send(content: string): boolean {
    if (this.#tries.size >= capacity) return false;
    this.#start(this.#timeline.draft(newMessageId(), content));
    return true;
  }

  /** How many were neither accepted nor refused. */
  get unsent(): number {
    return [...this.#tries.keys()].filter((message) => message.seq === undefined).length;
  }

  /** Sends a failed message again, with the id it has. */
  retry(key: string): void {
    const message = this.#timeline.find(key);
    if (message?.state === "failed") this.#start(message);
  }

  /** The conversation is joined: sends what waits. */
  resume(): void {
    if (this.#open) return;
    this.#open = true;
    for (const message of [...this.#tries.keys()]) void this.#try(message);
  }

  /** The connection is lost: what is under way waits, and answers to its last try no longer count. */
  pause(): void {
    this.#open = false;
    for (const message of [...this.#tries.keys()]) {
      if (message.seq === undefined) this.#wait(message);
      else this.#tries.delete(message);
    }
  }

  #start(message: Message): void {
    if (this.#open) void this.#try(message);
    else this.#wait(message);
  }

  #wait(message: Message): void {
    this.#tries.set(message, ++this.#lastTry);
    this.#timeline.mark(message, "waiting");
  }

  async #try(message: Message): Promise<void> {
    const number = ++this.#lastTry;
    this.#tries.set(message, number);
    this.#timeline.mark(message, "sending");
    const { content, messageId } = message;
    const request = { conversationId: this.#conversation, content, messageId, confirm: true as const };
    const pending = this.#socket.timeout(answerTimeout).emitWithAck("message", request);
    const answer = await settle(this.#socket, pending);
    if (answer.ok) {
      this.#tries.delete(message);
      this.#timeline.accept(message, answer);
      this.#onAccepted(answer);
      return;
    }
    if (this.#tries.get(message) !== number) return;
    this.#tries.delete(message);
    this.#timeline.mark(message, "failed", answer.error);
    this.#onFailure(answer.error);
  }
}
