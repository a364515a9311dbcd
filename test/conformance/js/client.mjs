import { randomUUID } from "node:crypto";
import io1 from "socket.io-client-1";
import io2 from "socket.io-client-2";
import { io as io3 } from "socket.io-client-3";
import { io as io40 } from "socket.io-client-4.0";
import { io as io48 } from "socket.io-client-4.8";
import { url } from "../../e2e/js/server.mjs";
import { within } from "../../e2e/js/wait.mjs";

const openers = { "1.7.4": io1, "2.5.0": io2, "3.1.3": io3, "4.0.2": io40, "4.8.4": io48 };

const transports = [
  { transport: "websocket", options: { transports: ["websocket"] }, settlesOn: "websocket" },
  { transport: "polling", options: { transports: ["polling"] }, settlesOn: "polling" },
  { transport: "upgrade", options: { transports: ["polling", "websocket"] }, settlesOn: "websocket" },
];

/** The kinds of clients that a suite is run with: each of the versions over each transport. */
export function kindsOf(...versions) {
  return versions.flatMap((version) => transports.map((way) => ({ version, can: abilities(version), ...way })));
}

/** What came with later versions of the client. */
function abilities(version) {
  const since = (major, minor) => {
    const [ours, its] = version.split(".").map(Number);
    return ours > major || (ours === major && its >= minor);
  };
  return { timeOut: since(4, 4), emitWithAck: since(4, 6), recover: since(4, 6) };
}

/** The path of a pattern that no other case uses. */
export const somewhere = () => `/dynamic-${randomUUID()}`;

/**
 * One socket of an official client. It remembers what happens to it from the first moment, so that a case can ask for
 * an event after it has come: `next` takes the events of one name in their order.
 */
export class Client {
  #heard = [];
  #waiting = [];

  constructor(kind, socket, events) {
    this.kind = kind;
    this.socket = socket;
    // Old clients have no catch-all: for them the events must be named.
    if (socket.onAny) socket.onAny((event, ...args) => this.#hear(event, args));
    for (const event of ["connect", "connect_error", "disconnect", ...(events ?? [])]) {
      socket.on(event, (...args) => this.#hear(event, args));
    }
  }

  /** A client that begins to connect. */
  static open(t, kind, { server = url, namespace = "/", path = "/plain/", events, ...options } = {}) {
    const socket = openers[kind.version](server + namespace, {
      path,
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 100,
      ...kind.options,
      ...options,
    });
    const client = new this(kind, socket, events);
    t.after(() => socket.disconnect());
    return client;
  }

  /** A client of the fixture that is connected and welcome, on the transport where it settles. */
  static async connect(t, kind, options) {
    const client = Client.open(t, kind, options);
    await client.welcome();
    await client.settled();
    return client;
  }

  /** A client in another namespace on the same connection. */
  beside(namespace, options, events) {
    return new Client(this.kind, this.socket.io.socket(namespace, options), events);
  }

  get engine() {
    return this.socket.io.engine;
  }

  /** Waits until the client is connected, the first time or again, and returns what the server says to that. */
  async welcome() {
    await this.next("connect");
    return this.next("welcome");
  }

  /** Waits until the connection is on the transport that it is to stay on. */
  async settled() {
    const { engine } = this;
    if (engine.transport.name !== this.kind.settlesOn) {
      await within(new Promise((resolve) => engine.once("upgrade", resolve)), "the connection was not upgraded");
    }
    await this.sync(); // the server has settled too
  }

  /** Waits for an answer, which comes behind everything that was sent before. */
  sync() {
    return this.ask("who");
  }

  /** The first argument of the next event of this name: one that has come and was not asked for yet, or one to come. */
  async next(event) {
    return (await this.nextArgs(event))[0];
  }

  /** All arguments of the next event of this name. */
  nextArgs(event) {
    const index = this.#heard.findIndex((heard) => heard.event === event);
    if (index >= 0) return Promise.resolve(this.#heard.splice(index, 1)[0].args);
    const coming = new Promise((resolve) => this.#waiting.push({ event, resolve }));
    return within(coming, () => `"${event}" was not heard${this.#state()}`);
  }

  /** The first arguments of the next n events of this name. */
  async nextOnes(event, n) {
    const all = [];
    while (all.length < n) all.push(await this.next(event));
    return all;
  }

  /** The names of the events that have come and were not asked for. */
  get unasked() {
    return this.#heard.map(({ event }) => event);
  }

  /** For messages: whether it is connected, and what it has heard beside. */
  #state() {
    const shown = this.#heard.slice(-3).map(({ event, args }) => `${event} ${args[0] instanceof Error ? args[0] : JSON.stringify(args)}`);
    return `${this.socket.connected ? "" : ", is not connected"}, heard ${shown.join(", ").slice(0, 500) || "nothing"} (of ${this.#heard.length})`;
  }

  emit(event, ...args) {
    this.socket.emit(event, ...args);
  }

  /** Emits the event and returns all arguments of the ack. */
  askArgs(event, ...args) {
    const answered = new Promise((resolve) => this.socket.emit(event, ...args, (...answer) => resolve(answer)));
    return within(answered, () => `no ack of "${event}"${this.#state()}`);
  }

  /** Emits the event and returns the first argument of the ack. */
  async ask(event, ...args) {
    return (await this.askArgs(event, ...args))[0];
  }

  #hear(event, args) {
    const index = this.#waiting.findIndex((waiting) => waiting.event === event);
    if (index < 0) {
      this.#heard.push({ event, args });
      return;
    }
    this.#waiting.splice(index, 1)[0].resolve(args);
  }
}
