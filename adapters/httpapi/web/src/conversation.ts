import { Admission } from "./admission";
import { Outgoing } from "./outgoing";
import { Presence } from "./presence";
import {
  answerTimeout,
  settle,
  type Accepted,
  type Answer,
  type ChatSocket,
  type Failure,
  type Joined,
  type Member,
  type ServerEvents,
  type WireMessage,
} from "./protocol";
import { Scrollback, type Past } from "./scrollback";
import { Timeline, type TimelineObserver } from "./timeline";
import { TypingSign } from "./typing";
import { inWords, reloadLine, updateLine } from "./wording";
import { Writings } from "./writings";

/** What a conversation tells the page. */
export interface ConversationObserver extends TimelineObserver {
  joined(): void;
  /** The server does not let the person in; `again` when it had done so before. */
  refused(failure: Failure, again: boolean): void;
  members(users: string[]): void;
  typing(users: string[]): void;
  past(past: Past): void;
  /** Something just happened that the person should hear of who does not see the page. */
  announce(words: string): void;
  /** Somebody else's message has come. */
  arrived(): void;
}

/** One conversation that the person is in: joins it, and again after every reconnection. */
export class Conversation {
  readonly id: string;
  readonly #socket: ChatSocket;
  readonly #self: string;
  readonly #observer: ConversationObserver;
  readonly #timeline: Timeline;
  readonly #writings: Writings;
  readonly #scrollback: Scrollback;
  readonly #admission: Admission;
  readonly #presence: Presence;
  readonly #outgoing: Outgoing;
  readonly #typing: TypingSign;
  readonly #listeners: Partial<ServerEvents & { connect(): void; disconnect(): void }>;
  #everJoined = false;
  #joined = false;
  /** Whether the connection was lost before the answer to a join: what it told does not come by itself. */
  #unanswered = false;
  /** Counts connections: an answer of a former one says nothing about this one. */
  #connection = 0;

  constructor(socket: ChatSocket, self: string, id: string, observer: ConversationObserver) {
    this.id = id;
    this.#socket = socket;
    this.#self = self;
    this.#observer = observer;
    this.#timeline = new Timeline(self, observer);
    this.#writings = new Writings(this.#timeline, () => this.#askAgain());
    this.#scrollback = new Scrollback(socket, id, this.#timeline, observer.past.bind(observer));
    this.#presence = new Presence(self, observer.members.bind(observer), observer.typing.bind(observer));
    this.#outgoing = new Outgoing(socket, id, this.#timeline, this.#onAccepted, this.#onSendFailure);
    this.#typing = new TypingSign((isTyping) => this.#signTyping(isTyping));
    this.#admission = new Admission(
      socket,
      id,
      () => this.#timeline.place,
      (answer) => this.#onAdmitted(answer),
      (failure) => observer.refused(failure, this.#everJoined),
    );
    this.#listeners = {
      connect: () => this.#onConnect(),
      disconnect: () => this.#onDisconnect(),
      message: this.#onMessage,
      message_chunk: (chunk) => this.#here(chunk) && this.#onChunk(chunk),
      message_delivered: (report) => this.#here(report) && this.#timeline.delivered(report),
      user_joined: (line) => this.#here(line) && this.#onCame(line.userId, line.timestamp),
      user_left: (line) => this.#here(line) && this.#onWent(line.userId, line.timestamp),
      typing: (sign) => this.#here(sign) && this.#presence.setTyping(sign.userId, sign.isTyping),
      conversation_updated: (line) => this.#here(line) && this.#note(updateLine(line.changes), line.timestamp),
    };
    this.#listen("on");
    if (socket.connected) this.#admission.ask();
  }

  /** False: too many messages wait already. */
  send(content: string): boolean {
    this.#typing.stop();
    return this.#outgoing.send(content);
  }

  /** How many own messages the server has not accepted yet, without those that failed. */
  get unsent(): number {
    return this.#outgoing.unsent;
  }

  /** Tries again to get in, after a refusal. */
  rejoin(): void {
    if (this.#socket.connected && !this.#joined) this.#admission.ask();
  }

  retry(key: string): void {
    this.#outgoing.retry(key);
  }

  /** Takes back a failed message; answers with what it said. */
  discard(key: string): string | undefined {
    return this.#timeline.discard(key);
  }

  drafted(text: string): void {
    this.#typing.drafted(text);
  }

  /** The person has come to the oldest message shown. */
  loadOlder(): void {
    void this.#scrollback.load();
  }

  /** Leaves, as far as the connection allows. Nothing more is told afterwards. */
  async leave(): Promise<void> {
    this.close();
    if (!this.#socket.connected) return;
    const request = { conversationId: this.id };
    await settle(this.#socket, this.#socket.timeout(leaveTimeout).emitWithAck("leave_conversation", request));
  }

  /** Stops following the conversation, without a word to the server. */
  close(): void {
    this.#connection++;
    this.#listen("off");
    this.#admission.stop();
    this.#scrollback.pause();
    this.#writings.close();
    this.#typing.stop();
    this.#presence.forgetTyping();
  }

  #listen(how: "on" | "off"): void {
    for (const [event, listener] of Object.entries(this.#listeners)) {
      this.#socket[how](event as keyof ServerEvents, listener as () => void);
    }
  }

  #here(about: { conversationId: string }): boolean {
    return about.conversationId === this.id;
  }

  #note(text: string, timestamp?: string): void {
    this.#timeline.note(text, timestamp === undefined ? undefined : new Date(timestamp));
    this.#observer.announce(text);
  }

  #onConnect(): void {
    this.#connection++;
    // A recovered session never left, as the server sees it, and what it missed comes by itself, but for answers.
    if (this.#everJoined && !this.#unanswered && this.#socket.recovered) void this.#resume();
    else this.#admission.ask();
  }

  /** The answer comes after all that was missed. */
  async #resume(): Promise<void> {
    const connection = this.#connection;
    const request = { conversationId: this.id };
    const answer = await settle(this.#socket, this.#socket.timeout(answerTimeout).emitWithAck("presence", request));
    if (connection !== this.#connection || this.#admission.pending) return;
    // A message that was being written may have ended meanwhile, or grown without a word of it.
    if (!answer.ok || this.#writings.stale) {
      this.#admission.ask();
      return;
    }
    this.#note("You are back");
    this.#scrollback.resume();
    this.#enter(answer.members);
  }

  #onAdmitted(answer: Answer<Joined> & { ok: true }): void {
    this.#unanswered = false;
    // What is being written is told again, from the first chunk on.
    this.#writings.clear();
    if (answer.recovered) {
      for (const message of answer.messages) this.#receive(message);
      if (!this.#joined) this.#note("You are back");
      this.#scrollback.resume();
    } else {
      this.#timeline.begin(answer);
      this.#note(this.#everJoined ? reloadLine(answer.reason) : "You joined");
      this.#scrollback.begin();
    }
    this.#enter(answer.members);
  }

  #enter(members: Member[]): void {
    this.#everJoined = true;
    this.#joined = true;
    this.#presence.replace(members.map((member) => member.userId));
    this.#observer.joined();
    this.#outgoing.resume();
  }

  #onDisconnect(): void {
    this.#connection++;
    if (this.#admission.pending) this.#unanswered = true;
    this.#admission.stop();
    if (this.#joined) this.#note("Connection lost");
    this.#joined = false;
    this.#typing.stop();
    this.#presence.forgetTyping();
    this.#scrollback.pause();
    this.#writings.pause();
    this.#outgoing.pause();
  }

  /** Says that the message is here, if the server wants to know. It may come again all the same. */
  readonly #onMessage: ServerEvents["message"] = (message, ...rest) => {
    if (!this.#here(message)) return;
    const acknowledge = rest.at(-1);
    if (typeof acknowledge === "function") acknowledge();
    this.#presence.setTyping(message.userId, false);
    if (this.#receive(message)) return;
    // An answer that is under way brings what is missing; otherwise it is asked for.
    if (!this.#admission.pending) this.#admission.ask();
  };

  /** False: this is not the message that was to come next. */
  #receive(message: WireMessage): boolean {
    this.#writings.complete(message.messageId);
    const received = this.#timeline.receive(message);
    if (received === "astray") return false;
    this.#scrollback.check();
    if (received === "new") this.#observer.announce(`${message.userId}: ${message.content}`);
    if (received === "new" && message.userId !== this.#self) this.#observer.arrived();
    return true;
  }

  readonly #onChunk: ServerEvents["message_chunk"] = (chunk) => {
    this.#writings.chunk(chunk);
  };

  #onCame(user: string, timestamp: string): void {
    this.#presence.enter(user);
    this.#note(`${user} joined`, timestamp);
  }

  #onWent(user: string, timestamp: string): void {
    this.#presence.exit(user);
    this.#note(`${user} left`, timestamp);
  }

  /** Joins once more, to be told what is missing; false if that is no use now. */
  #askAgain(): boolean {
    if (!this.#joined || this.#admission.pending) return false;
    this.#admission.ask();
    return true;
  }

  #signTyping(isTyping: boolean): void {
    // Not when the connection is lost: the client would keep the sign and send it when it is old.
    if (this.#joined && this.#socket.connected) {
      this.#socket.volatile.emit("typing", { conversationId: this.id, isTyping });
    }
  }

  readonly #onAccepted = (receipt: Accepted): void => {
    // The conversation began anew on the server, and the messages that are here are of its former life.
    if (receipt.epoch !== this.#timeline.place?.epoch) this.#askAgain();
  };

  readonly #onSendFailure = (failure: Failure): void => {
    this.#observer.announce(`Not sent. ${inWords(failure)}`);
    if (failure.code !== "NOT_IN_CONVERSATION" || !this.#joined) return;
    this.#joined = false;
    this.#outgoing.pause();
    this.#admission.ask();
  };
}

/** Milliseconds. The person has left for themselves already; this is only how long the server is given. */
const leaveTimeout = 3_000;
