import { put, type Ranked } from "./order";
import type { Delivered, Failure, Position, WireMessage } from "./protocol";

/** Where a message is in its life: `waiting` for a connection, `sending` until answered. */
export type MessageState = "waiting" | "sending" | "sent" | "failed";

export interface Message {
  kind: "message";
  key: string;
  userId: string;
  messageId: string;
  content: string;
  own: boolean;
  state: MessageState;
  time: Date;
  /** Set once the server has accepted it. */
  seq?: number;
  failure?: Failure;
  /** Set on an own message once it is known who has got it. */
  delivery?: Delivered;
}

/** A message that someone is writing. It goes when the complete one is there, and stays if that never comes. */
export interface Writing {
  kind: "writing";
  key: string;
  text: string;
  aborted: boolean;
  time: Date;
}

/** A line about the conversation: someone came, the connection was lost. */
export interface Line {
  kind: "line";
  key: string;
  text: string;
  time: Date;
}

export type Entry = Message | Writing | Line;

/** Follows a timeline. `before` is the entry that comes right after the placed one. */
export interface TimelineObserver {
  placed(entry: Entry, before: Entry | undefined): void;
  changed(entry: Message | Writing): void;
  removed(entry: Entry): void;
  /** Does the work, which places older messages above the rest. */
  recalling(work: () => void): void;
  /** Whether the person reads the newest, so that the oldest may go. */
  following(): boolean;
}

/** Entries kept, so that a page left open for days stays light; and at most, while someone reads old ones. */
const capacity = 2_000;
const most = 10_000;

/**
 * What the person reads, in order: accepted messages by seq, each once; then what is being written and
 * own messages not yet accepted. Lines keep the place they arrived at.
 */
export class Timeline {
  readonly #self: string;
  readonly #observer: TimelineObserver;
  #entries: Ranked<Entry>[] = [];
  #byKey = new Map<string, Message>();
  #epoch: string | undefined;
  #lastSeq = 0;
  #floor = 1;
  #named = 0;

  constructor(self: string, observer: TimelineObserver) {
    this.#self = self;
    this.#observer = observer;
  }

  /**
   * Begins at that place: everything later will be received, everything up to it can be recalled. What
   * was shown before goes, but for own messages that are not accepted.
   */
  begin({ epoch, seq }: Position): void {
    this.#epoch = epoch;
    this.#lastSeq = seq;
    this.#floor = seq + 1;
    const gone = this.#entries.filter(({ entry }) => entry.kind !== "message" || entry.seq !== undefined);
    for (const { entry } of gone) this.#remove(entry);
  }

  /** Up to where every message was received; nothing before the first join. */
  get place(): Position | undefined {
    return this.#epoch === undefined ? undefined : { epoch: this.#epoch, seq: this.#lastSeq };
  }

  /** From this seq on, every message up to the newest is here. */
  get floor(): number {
    return this.#floor;
  }

  /** Whether there is room for older messages. */
  get roomy(): boolean {
    return this.#entries.length < most - 500;
  }

  /** An own message that is not sent yet. */
  draft(messageId: string, content: string): Message {
    const message: Message = {
      kind: "message",
      key: keyOf(this.#self, messageId),
      userId: this.#self,
      messageId,
      content,
      own: true,
      state: "waiting",
      time: new Date(),
    };
    this.#insert(message, Infinity);
    return message;
  }

  /**
   * The next message from the server: `new`, or `known` if it is here already. One that does not follow
   * the last is `astray` and not shown: something is missing, or seqs count in another epoch now.
   */
  receive(wire: WireMessage): "new" | "known" | "astray" {
    const known = this.#byKey.get(keyOf(wire.userId, wire.messageId));
    if (wire.seq !== this.#lastSeq + 1) return wire.seq <= this.#lastSeq && known?.seq === wire.seq ? "known" : "astray";
    this.#lastSeq = wire.seq;
    this.#show(wire, known);
    return known === undefined ? "new" : "known";
  }

  /** The messages right below the floor, by seq; those that are here already stay as they are. */
  recall(page: readonly WireMessage[]): void {
    const first = page[0];
    if (first === undefined) return;
    this.#floor = first.seq;
    this.#observer.recalling(() => {
      for (const wire of page) this.#show(wire, this.#byKey.get(keyOf(wire.userId, wire.messageId)));
    });
  }

  /** The server has accepted an own message: by its answer or by its broadcast, whichever is first. */
  accept(message: Message, at: { seq: number; timestamp: string }): void {
    if (message.seq !== undefined) return;
    message.seq = at.seq;
    message.time = new Date(at.timestamp);
    message.state = "sent";
    delete message.failure;
    this.#move(message, at.seq);
  }

  /** An own message goes on to another state, short of being accepted. */
  mark(message: Message, state: "waiting" | "sending"): void;
  mark(message: Message, state: "failed", failure: Failure): void;
  mark(message: Message, state: Exclude<MessageState, "sent">, failure?: Failure): void {
    if (message.seq !== undefined) return;
    message.state = state;
    delete message.failure;
    if (failure !== undefined) message.failure = failure;
    this.#observer.changed(message);
  }

  /** It is known who has got an own message. */
  delivered(report: Delivered): void {
    const message = this.#byKey.get(keyOf(this.#self, report.messageId));
    if (message === undefined) return;
    message.delivery = report;
    this.#observer.changed(message);
  }

  /** Takes a failed message away for good, and answers with what it said. */
  discard(key: string): string | undefined {
    const message = this.#byKey.get(key);
    if (message?.state !== "failed") return undefined;
    this.#remove(message);
    return message.content;
  }

  /** The message of that key, if it is still kept. */
  find(key: string): Message | undefined {
    return this.#byKey.get(key);
  }

  note(text: string, time = new Date()): void {
    this.#insert({ kind: "line", key: this.#name("line"), text, time }, this.#lastSeq + 0.5);
  }

  /** Someone begins to write a message. */
  write(): Writing {
    const writing: Writing = { kind: "writing", key: this.#name("writing"), text: "", aborted: false, time: new Date() };
    this.#insert(writing, Infinity);
    return writing;
  }

  grow(writing: Writing, delta: string): void {
    writing.text += delta;
    this.#observer.changed(writing);
  }

  /** Nothing more will be written: it stays where it is, and what comes later goes below. */
  abort(writing: Writing): void {
    writing.aborted = true;
    this.#move(writing, this.#lastSeq + 0.5);
  }

  /** Takes away what was being written. */
  erase(writing: Writing): void {
    this.#remove(writing);
  }

  #name(kind: string): string {
    this.#named++;
    return `${kind}/${this.#named}`;
  }

  #show(wire: WireMessage, known: Message | undefined): void {
    if (known !== undefined) {
      this.accept(known, wire);
      return;
    }
    const { userId, messageId, content, seq } = wire;
    const own = userId === this.#self;
    const time = new Date(wire.timestamp);
    const key = keyOf(userId, messageId);
    this.#insert({ kind: "message", key, userId, messageId, content, own, state: "sent", time, seq }, seq);
  }

  #insert(entry: Entry, rank: number): void {
    if (entry.kind === "message") this.#byKey.set(entry.key, entry);
    const index = put(this.#entries, { entry, rank });
    this.#observer.placed(entry, this.#entries[index + 1]?.entry);
    const allowed = this.#observer.following() ? capacity : most;
    if (this.#entries.length > allowed) this.#dropOldest();
  }

  #move(entry: Message | Writing, rank: number): void {
    const from = this.#entries.findIndex((ranked) => ranked.entry === entry);
    if (from === -1) return;
    this.#entries.splice(from, 1);
    const to = put(this.#entries, { entry, rank });
    if (to === from) {
      this.#observer.changed(entry);
      return;
    }
    this.#observer.removed(entry);
    this.#observer.placed(entry, this.#entries[to + 1]?.entry);
  }

  #remove(entry: Entry): void {
    const index = this.#entries.findIndex((ranked) => ranked.entry === entry);
    if (index === -1) return;
    this.#entries.splice(index, 1);
    if (entry.kind === "message") this.#byKey.delete(entry.key);
    this.#observer.removed(entry);
  }

  #dropOldest(): void {
    const entry = this.#entries[0]?.entry;
    if (entry === undefined) return;
    if (entry.kind === "message" && entry.seq !== undefined) this.#floor = Math.max(this.#floor, entry.seq + 1);
    this.#remove(entry);
  }
}

/** The server promises a message id to be one message only per user and conversation. */
function keyOf(userId: string, messageId: string): string {
  return `${userId}/${messageId}`;
}
