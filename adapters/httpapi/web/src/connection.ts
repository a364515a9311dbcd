import { io } from "socket.io-client";
import { answerTimeout, settle, type ChatSocket, type Failure } from "./protocol";
import { fetchToken, SignInRefused } from "./token";
import { inWords } from "./wording";

export type ConnectionState =
  | { kind: "connecting" }
  | { kind: "connected" }
  /** `attempt` counts since the connection was lost; 0 while the first try is still to come. */
  | { kind: "reconnecting"; attempt: number }
  /** Nothing more is tried until the person asks for it. */
  | { kind: "refused"; reason: string };

/** Refusals that pass by themselves: worth another try without asking the person. */
const passing = new Set<Failure["code"]>(["TOKEN_EXPIRED", "RATE_LIMITED", "DRAINING", "UNAVAILABLE", "INTERNAL"]);

/** Milliseconds between two tries: from the first pause, doubling, up to the longest. */
const firstPause = 500;
const longestPause = 5_000;

/** Bytes of a packet around a message's content: its event, ids and flags. */
const wrapping = 512;

/**
 * One person's connection: signs in afresh for every try, comes back by itself after a loss,
 * and tells what state it is in. Socket.IO's client does the trying after a lost transport;
 * this adds what it leaves out: a sign-in that failed, and a refusal that passes.
 */
export class Connection {
  readonly socket: ChatSocket;
  readonly #user: string;
  readonly #onState: (state: ConnectionState) => void;
  #state: ConnectionState = { kind: "connecting" };
  #attempt = 0;
  /** Bytes that the server reads of one packet; more ends the connection. */
  #maxPayload = Infinity;
  /** The token has run out: the server ends the session, and a new one may be opened. */
  #expired = false;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(user: string, onState: (state: ConnectionState) => void) {
    this.#user = user;
    this.#onState = onState;
    this.socket = io({
      autoConnect: false,
      forceNew: true,
      reconnectionDelay: firstPause,
      reconnectionDelayMax: longestPause,
      timeout: 10_000,
      auth: (present) => void this.#signIn(present),
    });
    this.socket.on("connect", this.#onConnect);
    this.socket.on("connect_error", this.#onConnectError);
    this.socket.on("disconnect", this.#onDisconnect);
    this.socket.on("token_expiring", this.#onTokenExpiring);
    this.socket.on("error", this.#onError);
    this.socket.io.on("reconnect_attempt", this.#onAttempt);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  open(): void {
    window.addEventListener("online", this.#onOnline);
    this.#enter({ kind: "connecting" });
    this.#readLimit();
    this.socket.connect();
  }

  /**
   * Whether the server would read a message of that content. One that is too large must not be tried: it
   * breaks the connection, and would again whenever the connection is back.
   */
  fits(content: string): boolean {
    return new Blob([JSON.stringify(content)]).size + wrapping <= this.#maxPayload;
  }

  /** Ends the connection for good. */
  close(): void {
    window.removeEventListener("online", this.#onOnline);
    clearTimeout(this.#pause);
    this.socket.disconnect();
    this.socket.off();
    this.socket.io.off();
  }

  /** Tries at once, where the next try would come later or not at all. */
  tryNow(): void {
    if (this.#state.kind === "connected") return;
    const refused = this.#state.kind === "refused";
    // A disconnect ends the pause that the client is in; connect alone would wait it out.
    this.#halt();
    if (refused) {
      this.#attempt = 0;
      this.#enter({ kind: "connecting" });
    } else {
      this.#onAttempt();
    }
    this.socket.connect();
  }

  #enter(state: ConnectionState): void {
    this.#state = state;
    this.#onState(state);
  }

  /** Every try makes an engine of its own, right after it was told; the handshake tells the limit. */
  #readLimit(): void {
    queueMicrotask(() => {
      this.socket.io.engine.on("handshake", ({ maxPayload }) => {
        this.#maxPayload = maxPayload === 0 ? Infinity : maxPayload;
      });
    });
  }

  #halt(): void {
    clearTimeout(this.#pause);
    this.socket.disconnect();
  }

  #refuse(reason: string): void {
    this.#halt();
    this.#enter({ kind: "refused", reason });
  }

  /** Tries again after a pause that grows with every try, and is at least `least` milliseconds. */
  #tryLater(least = 0): void {
    this.#halt();
    this.#enter({ kind: "reconnecting", attempt: this.#attempt });
    const pause = Math.min(longestPause, firstPause * 2 ** this.#attempt);
    this.#pause = setTimeout(() => {
      this.#onAttempt();
      this.socket.connect();
    }, Math.max(least, pause));
  }

  async #signIn(present: (auth: { token: string }) => void): Promise<void> {
    const engine = this.socket.io.engine;
    // The transport may be lost and opened again meanwhile. A late token must then not be
    // presented: the new transport asks for its own, and a second CONNECT would end it.
    const stale = () => this.socket.io.engine !== engine || engine.readyState !== "open";
    try {
      const token = await fetchToken(this.#user);
      if (!stale()) present({ token });
    } catch (cause) {
      if (stale()) return;
      if (cause instanceof SignInRefused) this.#refuse(cause.message);
      else this.#tryLater();
    }
  }

  readonly #onConnect = (): void => {
    this.#attempt = 0;
    this.#expired = false;
    this.#enter({ kind: "connected" });
  };

  readonly #onAttempt = (): void => {
    this.#attempt++;
    this.#readLimit();
    this.#enter({ kind: "reconnecting", attempt: this.#attempt });
  };

  readonly #onConnectError = (error: Error & { data?: Partial<Failure> }): void => {
    if (this.socket.active) {
      // The transport failed; the client goes on trying.
      this.#enter({ kind: "reconnecting", attempt: this.#attempt });
      return;
    }
    const failure: Failure = { code: "UNAUTHORIZED", message: error.message, ...error.data };
    if (passing.has(failure.code)) this.#tryLater(failure.retryAfterMs);
    else this.#refuse(error.data?.code === undefined ? error.message : inWords(failure));
  };

  readonly #onDisconnect = (reason: string): void => {
    if (reason === "io client disconnect") return;
    if (reason === "io server disconnect" && this.#expired) {
      this.#tryLater();
      return;
    }
    if (reason === "io server disconnect") {
      this.#refuse("The server ended this session.");
      return;
    }
    this.#enter({ kind: "reconnecting", attempt: this.#attempt });
  };

  readonly #onError = (failure: Failure): void => {
    this.#expired ||= failure.code === "TOKEN_EXPIRED";
  };

  readonly #onOnline = (): void => {
    if (this.#state.kind === "reconnecting") this.tryNow();
  };

  readonly #onTokenExpiring = async (): Promise<void> => {
    try {
      const token = await fetchToken(this.#user);
      if (!this.socket.connected) return;
      await settle(this.socket, this.socket.timeout(answerTimeout).emitWithAck("refresh_token", { token }));
    } catch {
      // The server ends the session when the old token runs out; the next sign-in then brings a new one.
    }
  };
}
