import type { Failure, WireMessage } from "./protocol";

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
  place?: { epoch: string; seq: number };
  failure?: Failure;
}

/** A line about the conversation: someone came, the connection was lost. */
export interface Line {
  kind: "line";
  key: string;
  text: string;
  time: Date;
}

export type Entry = Message | Line;

/** Follows a timeline. `before` is the entry that comes right after the placed one. */
export interface TimelineObserver {
  placed(entry: Entry, before: Entry | undefined): void;
  changed(entry: Message): void;
  removed(entry: Entry): void;
}

/** Entries kept; the oldest go first, so that a page left open for days stays light. */
const capacity = 2_000;

/**
 * What the person reads, in order: accepted messages by seq, each once; then own ones not yet
 * accepted. Lines keep the place they arrived at.
 */
export class Timeline {
  readonly #self: string;
  readonly #observer: TimelineObserver;
  #entries: Entry[] = [];
  #byKey = new Map<string, Message>();
  #epoch = "";
  #lastSeq = 0;
  #lines = 0;

  constructor(self: string, observer: TimelineObserver) {
    this.#self = self;
    this.#observer = observer;
  }

  /** The life of the conversation's log that seqs now count in; true if it follows another one. */
  enterEpoch(epoch: string): boolean {
    if (this.#epoch === epoch) return false;
    const former = this.#epoch;
    this.#epoch = epoch;
    if (former !== "") {
      this.#lastSeq = 0;
      return true;
    }
    // What came before the epoch was known belongs to it: the first life to be joined.
    for (const { place } of this.#byKey.values()) if (place !== undefined) place.epoch = epoch;
    return false;
  }

  /** Where the conversation was seen last; nothing before the first join. */
  get place(): { epoch: string; seq: number } | undefined {
    return this.#epoch === "" ? undefined : { epoch: this.#epoch, seq: this.#lastSeq };
  }

  /** The newest seq seen in this epoch; 0 for none. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** How many messages of this epoch are not here, of those after `from` up to and with `to`. */
  missing(from: number, to: number): number {
    let here = 0;
    for (const entry of this.#byKey.values()) {
      const place = entry.place;
      if (place?.epoch === this.#epoch && place.seq > from && place.seq <= to) here++;
    }
    return Math.max(0, to - from - here);
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
    this.#insert(message);
    return message;
  }

  /** A message from the server. One that is there already is only confirmed. */
  receive(wire: WireMessage): void {
    const key = keyOf(wire.userId, wire.messageId);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      this.accept(known, { epoch: this.#epoch, seq: wire.seq, timestamp: wire.timestamp });
      return;
    }
    const { userId, messageId, content, seq } = wire;
    this.#insert({
      kind: "message",
      key,
      userId,
      messageId,
      content,
      own: userId === this.#self,
      state: "sent",
      time: new Date(wire.timestamp),
      place: { epoch: this.#epoch, seq },
    });
  }

  /** The server has accepted an own message: by its answer or by its broadcast, whichever is first. */
  accept(message: Message, at: { epoch: string; seq: number; timestamp: string }): void {
    if (message.place !== undefined) return;
    message.place = { epoch: at.epoch, seq: at.seq };
    message.time = new Date(at.timestamp);
    message.state = "sent";
    delete message.failure;
    const index = this.#entries.indexOf(message);
    if (index === -1) return;
    this.#entries.splice(index, 1);
    if (this.#put(message) === index) {
      this.#observer.changed(message);
      return;
    }
    this.#observer.removed(message);
    this.#observer.placed(message, this.#after(message));
  }

  /** An own message goes on to another state, short of being accepted. */
  mark(message: Message, state: "waiting" | "sending"): void;
  mark(message: Message, state: "failed", failure: Failure): void;
  mark(message: Message, state: Exclude<MessageState, "sent">, failure?: Failure): void {
    if (message.place !== undefined) return;
    message.state = state;
    delete message.failure;
    if (failure !== undefined) message.failure = failure;
    this.#observer.changed(message);
  }

  /** Takes a failed message away for good, and answers with what it said. */
  discard(key: string): string | undefined {
    const message = this.#byKey.get(key);
    if (message?.state !== "failed") return undefined;
    this.#entries.splice(this.#entries.indexOf(message), 1);
    this.#byKey.delete(key);
    this.#observer.removed(message);
    return message.content;
  }

  /** The message of that key, if it is still kept. */
  find(key: string): Message | undefined {
    return this.#byKey.get(key);
  }

  note(text: string, time = new Date()): void {
    this.#lines++;
    this.#insert({ kind: "line", key: `line/${this.#lines}`, text, time });
  }

  #insert(entry: Entry): void {
    if (entry.kind === "message") this.#byKey.set(entry.key, entry);
    this.#put(entry);
    this.#observer.placed(entry, this.#after(entry));
    if (this.#entries.length > capacity) this.#dropOldest();
  }

  /** Puts the entry where it belongs and answers with its index. */
  #put(entry: Entry): number {
    const index = this.#placeFor(entry);
    this.#entries.splice(index, 0, entry);
    const seq = entry.kind === "message" && entry.place?.epoch === this.#epoch ? entry.place.seq : 0;
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    return index;
  }

  #placeFor(entry: Entry): number {
    if (entry.kind === "message" && entry.place === undefined) return this.#entries.length;
    let index = this.#entries.length;
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const other = this.#entries[i];
      if (other === undefined || other.kind === "line") continue;
      if (other.place !== undefined && !comesAfter(other, entry)) break;
      index = i;
    }
    return index;
  }

  #after(entry: Entry): Entry | undefined {
    return this.#entries[this.#entries.lastIndexOf(entry) + 1];
  }

  #dropOldest(): void {
    const entry = this.#entries.shift();
    if (entry === undefined) return;
    if (entry.kind === "message") this.#byKey.delete(entry.key);
    this.#observer.removed(entry);
  }
}

/** The server promises a message id to be one message only per user and conversation. */
function keyOf(userId: string, messageId: string): string {
  return `${userId}/${messageId}`;
}

/** Whether an accepted message belongs after the entry. Epochs follow each other as they came. */
function comesAfter(message: Message, entry: Entry): boolean {
  if (entry.kind === "line" || message.place === undefined || entry.place === undefined) return false;
  return message.place.epoch === entry.place.epoch && message.place.seq > entry.place.seq;
}
