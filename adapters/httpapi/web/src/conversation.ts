import { Outgoing } from "./outgoing";
import { Presence } from "./presence";
import {
  answerTimeout,
  settle,
  type Answer,
  type ChatSocket,
  type Failure,
  type Joined,
  type ServerEvents,
} from "./protocol";
import { Timeline, type TimelineObserver } from "./timeline";
import { TypingSign } from "./typing";
import { missedLine } from "./wording";

/** What a conversation tells the page. */
export interface ConversationObserver extends TimelineObserver {
  joined(): void;
  /** The server does not let the person in; `again` when it had done so before. */
  refused(failure: Failure, again: boolean): void;
  members(users: string[]): void;
  typing(users: string[]): void;
}

/** Failures to join that pass by themselves, and how often and with what pauses (ms) to try again. */
const passing = new Set<Failure["code"]>(["TIMEOUT", "RATE_LIMITED", "DRAINING", "UNAVAILABLE", "INTERNAL"]);
const rejoins = 5;
const firstPause = 500;

/** One conversation that the person is in: joins it, and again after every reconnection. */
export class Conversation {
  readonly id: string;
  readonly #socket: ChatSocket;
  readonly #observer: ConversationObserver;
  readonly #timeline: Timeline;
  readonly #presence: Presence;
  readonly #outgoing: Outgoing;
  readonly #typing: TypingSign;
  #everJoined = false;
  #joined = false;
  #closed = false;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: ChatSocket, self: string, id: string, observer: ConversationObserver) {
    this.id = id;
    this.#socket = socket;
    this.#observer = observer;
    this.#timeline = new Timeline(self, observer);
    this.#presence = new Presence(self, observer.members.bind(observer), observer.typing.bind(observer));
    this.#outgoing = new Outgoing(socket, id, this.#timeline, this.#onSendFailure);
    this.#typing = new TypingSign((isTyping) => this.#signTyping(isTyping));
    socket.on("connect", this.#onConnect);
    socket.on("disconnect", this.#onDisconnect);
    socket.on("message", this.#onMessage);
    socket.on("user_joined", this.#onUserJoined);
    socket.on("user_left", this.#onUserLeft);
    socket.on("typing", this.#onTyping);
    socket.on("conversation_updated", this.#onUpdated);
    if (socket.connected) this.#onConnect();
  }

  /** False: too many messages wait already. */
  send(content: string): boolean {
    this.#typing.stop();
    return this.#outgoing.send(content);
  }

  /** Tries again to get in, after a refusal. */
  rejoin(): void {
    if (this.#socket.connected && !this.#joined) void this.#join(rejoins);
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

  /** Leaves, as far as the connection allows. Nothing more is told afterwards. */
  async leave(): Promise<void> {
    this.close();
    if (!this.#socket.connected) return;
    const request = { conversationId: this.id };
    await settle(this.#socket, this.#socket.timeout(leaveTimeout).emitWithAck("leave_conversation", request));
  }

  /** Stops following the conversation, without a word to the server. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#typing.stop();
    this.#presence.forgetTyping();
    this.#socket.off("connect", this.#onConnect);
    this.#socket.off("disconnect", this.#onDisconnect);
    this.#socket.off("message", this.#onMessage);
    this.#socket.off("user_joined", this.#onUserJoined);
    this.#socket.off("user_left", this.#onUserLeft);
    this.#socket.off("typing", this.#onTyping);
    this.#socket.off("conversation_updated", this.#onUpdated);
  }

  async #join(triesLeft: number): Promise<void> {
    const connection = this.#socket.id;
    const known = this.#timeline.lastSeq;
    const after = this.#timeline.place;
    const request = after === undefined ? { conversationId: this.id } : { conversationId: this.id, after };
    const pending = this.#socket.timeout(answerTimeout).emitWithAck("join_conversation", request);
    const answer = await settle(this.#socket, pending);
    // An answer for a connection that is gone says nothing about this one.
    if (this.#closed || !this.#socket.connected || this.#socket.id !== connection) return;
    if (answer.ok) {
      await this.#enter(answer, known);
      return;
    }
    const failure = answer.error;
    if (!passing.has(failure.code) || triesLeft === 0) {
      this.#observer.refused(failure, this.#everJoined);
      return;
    }
    const pause = Math.max(failure.retryAfterMs ?? 0, firstPause * 2 ** (rejoins - triesLeft));
    this.#pause = setTimeout(() => void this.#join(triesLeft - 1), pause);
  }

  /** `known` is the newest seq that was here before the join. */
  async #enter(answer: Answer<Joined> & { ok: true }, known: number): Promise<void> {
    const again = this.#everJoined;
    const anew = this.#timeline.enterEpoch(answer.epoch);
    this.#everJoined = true;
    this.#joined = true;
    for (const message of answer.messages) this.#timeline.receive(message);
    this.#presence.replace(answer.members.map((member) => member.userId));
    this.#timeline.note(again ? "You are back" : "You joined");
    if (anew) this.#timeline.note("The conversation began anew on the server");
    this.#observer.joined();
    // Own messages cut off on their way are told apart from missed ones only once they are answered.
    await this.#outgoing.resume();
    const missed = again && !anew ? this.#timeline.missing(known, answer.seq) : 0;
    if (missed > 0 && !this.#closed) this.#timeline.note(missedLine(missed));
  }

  #signTyping(isTyping: boolean): void {
    // Not when the connection is lost: the client would keep the sign and send it when it is old.
    if (this.#joined && this.#socket.connected) {
      this.#socket.volatile.emit("typing", { conversationId: this.id, isTyping });
    }
  }

  readonly #onConnect = (): void => {
    clearTimeout(this.#pause);
    void this.#join(rejoins);
  };

  readonly #onDisconnect = (): void => {
    clearTimeout(this.#pause);
    if (this.#joined) this.#timeline.note("Connection lost");
    this.#joined = false;
    this.#typing.stop();
    this.#presence.forgetTyping();
    this.#outgoing.pause();
  };

  readonly #onMessage: ServerEvents["message"] = (message) => {
    if (message.conversationId !== this.id) return;
    this.#presence.setTyping(message.userId, false);
    this.#timeline.receive(message);
  };

  readonly #onUserJoined: ServerEvents["user_joined"] = (line) => {
    if (line.conversationId !== this.id) return;
    this.#presence.enter(line.userId);
    this.#timeline.note(`${line.userId} joined`, new Date(line.timestamp));
  };

  readonly #onUserLeft: ServerEvents["user_left"] = (line) => {
    if (line.conversationId !== this.id) return;
    this.#presence.exit(line.userId);
    this.#timeline.note(`${line.userId} left`, new Date(line.timestamp));
  };

  readonly #onTyping: ServerEvents["typing"] = (sign) => {
    if (sign.conversationId === this.id) this.#presence.setTyping(sign.userId, sign.isTyping);
  };

  readonly #onUpdated: ServerEvents["conversation_updated"] = (line) => {
    if (line.conversationId === this.id) this.#timeline.note("The conversation was updated", new Date(line.timestamp));
  };

  readonly #onSendFailure = (failure: Failure): void => {
    if (failure.code !== "NOT_IN_CONVERSATION" || !this.#joined) return;
    this.#joined = false;
    void this.#join(rejoins);
  };
}

/** Milliseconds. The person has left for themselves already; this is only how long the server is given. */
const leaveTimeout = 3_000;
