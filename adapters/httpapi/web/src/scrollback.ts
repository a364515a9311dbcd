import { answerTimeout, settle, type ChatSocket } from "./protocol";
import type { Timeline } from "./timeline";

/**
 * What is above the oldest message shown: `more`, also while there is no connection to ask; the `beginning` of
 * the conversation; what was `trimmed` from the server's log; or more than a page can hold (`full`).
 */
export type Past = "more" | "loading" | "failed" | "beginning" | "trimmed" | "full";

/** Messages asked for at once. */
const pageSize = 50;

/** Reads a conversation backwards from where it was joined, page by page, as far as the person goes. */
export class Scrollback {
  readonly #socket: ChatSocket;
  readonly #conversation: string;
  readonly #timeline: Timeline;
  readonly #tell: (past: Past) => void;
  #past: Past = "more";
  #open = false;
  /** What the floor was when the end of the log was reached. */
  #end = 0;
  /** Counts what makes an answer that is under way worthless. */
  #life = 0;

  constructor(socket: ChatSocket, conversation: string, timeline: Timeline, tell: (past: Past) => void) {
    this.#socket = socket;
    this.#conversation = conversation;
    this.#timeline = timeline;
    this.#tell = tell;
  }

  /** The conversation is joined and its timeline begins anew: reads the newest page. */
  begin(): void {
    this.#open = true;
    this.#life++;
    if (this.#timeline.floor === 1) {
      this.#reach("beginning");
      return;
    }
    this.#past = "more";
    void this.load();
  }

  /** The conversation is joined again, and nothing is missing. */
  resume(): void {
    this.#open = true;
    this.#enter(this.#past);
  }

  /** The connection is lost. */
  pause(): void {
    this.#open = false;
    this.#life++;
    if (this.#past === "loading") this.#enter("more");
  }

  /** Reads the next older page, if there may be one. */
  async load(): Promise<void> {
    if (!this.#open || (this.#past !== "more" && this.#past !== "failed")) return;
    if (!this.#timeline.roomy) {
      this.#reach("full");
      return;
    }
    this.#enter("loading");
    const life = this.#life;
    const before = this.#timeline.floor;
    const request = { conversationId: this.#conversation, before, limit: pageSize };
    const answer = await settle(this.#socket, this.#socket.timeout(answerTimeout).emitWithAck("history", request));
    if (life !== this.#life) return;
    const stale = before !== this.#timeline.floor;
    if (!answer.ok || (!stale && answer.epoch !== this.#timeline.place?.epoch)) {
      this.#enter("failed");
      return;
    }
    if (stale) {
      this.#enter("more");
      return;
    }
    this.#timeline.recall(answer.messages);
    if (answer.more) this.#enter("more");
    else this.#reach(this.#timeline.floor === 1 ? "beginning" : "trimmed");
  }

  /** Notices that the page has let go of its oldest messages. */
  check(): void {
    if (this.#end !== 0 && this.#timeline.floor > this.#end) this.#enter("more");
  }

  #reach(past: Past): void {
    this.#enter(past);
    this.#end = this.#timeline.floor;
  }

  #enter(past: Past): void {
    this.#end = past === this.#past ? this.#end : 0;
    this.#past = past;
    this.#tell(past);
  }
}
