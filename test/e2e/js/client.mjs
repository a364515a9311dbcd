import { randomUUID } from "node:crypto";
import { io } from "socket.io-client";
import { url } from "./server.mjs";
import { tokenFor } from "./token.mjs";
import { within } from "./wait.mjs";

const unique = (name) => `${name}-${randomUUID().slice(0, 8)}`;

/** A user id that no other test has. */
export const someone = (name) => unique(name);

/** A conversation id that no other test has. */
export const somewhere = () => unique("conversation");

/**
 * One socket of the official client. It remembers what happens to it from the first moment, so that a test can ask for
 * an event after it has come: `next` takes the events of one name in their order.
 */
export class Client {
  #heard = [];
  #waiting = [];

  constructor(t, transport, user, options = {}) {
    this.user = user;
    this.transport = transport;
    this.socket = io(options.url ?? url, {
      auth: { token: tokenFor(user) },
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 100,
      ...transport.options,
      ...options,
    });
    this.socket.onAny((event, ...args) => this.#hear(event, args));
    for (const event of ["connect", "connect_error", "disconnect"]) {
      this.socket.on(event, (...args) => this.#hear(event, args));
    }
    t.after(() => this.close());
  }

  /** A client that is connected, on the transport where it settles. */
  static async connect(t, transport, user, options) {
    const client = new Client(t, transport, user, options);
    await client.connected();
    return client;
  }

  /** Waits until the client is connected, the first time or again. Tries that failed before are forgotten. */
  async connected() {
    await this.next("connect");
    this.allHeard("connect_error");
    await this.settled();
  }

  /** Waits until the connection is on the transport that it is to stay on. */
  async settled() {
    const { engine } = this.socket.io;
    if (engine.transport.name === this.transport.settlesOn) return;
    await within(new Promise((resolve) => engine.once("upgrade", resolve)), `${this.user}'s connection was not upgraded`);
  }

  /** The payload of the next event of this name: one that has come and was not asked for yet, or one to come. */
  next(event) {
    const index = this.#heard.findIndex((heard) => heard.event === event);
    if (index >= 0) return Promise.resolve(this.#heard.splice(index, 1)[0].args[0]);
    const waiting = { event };
    const coming = new Promise((resolve) => (waiting.resolve = resolve));
    this.#waiting.push(waiting);
    return within(coming, () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      return `${this.user} did not hear "${event}"; the last unasked ones are ${this.#lastUnasked()}`;
    });
  }

  #lastUnasked() {
    const shown = this.#heard.slice(-3).map(({ event, args }) => `${event} ${args[0] instanceof Error ? args[0].message : JSON.stringify(args)}`);
    return `${shown.join(", ").slice(0, 500) || "none"} (of ${this.#heard.length})`;
  }

  /** The payloads of the next n events of this name. */
  async nextOnes(event, n) {
    const payloads = [];
    while (payloads.length < n) payloads.push(await this.next(event));
    return payloads;
  }

  /** The payloads of all events of this name that have come. */
  allHeard(event) {
    const heard = this.#heard.filter((one) => one.event === event).map(({ args }) => args[0]);
    this.#heard = this.#heard.filter((one) => one.event !== event);
    return heard;
  }

  /** The events that have come and were not asked for, once all that is on its way has come too. */
  async unasked() {
    // An answer leaves the server after everything that it sent to this client before.
    if (this.socket.connected) await this.ask("presence", { conversationId: "nowhere" });
    return this.#heard.map(({ event }) => event);
  }

  /** Emits the event and returns the server's answer to it. */
  ask(event, ...args) {
    return within(this.socket.emitWithAck(event, ...args), () => `${this.user} got no answer to "${event}"`);
  }

  tell(event, ...args) {
    this.socket.emit(event, ...args);
  }

  async join(conversation) {
    const answer = await this.ask("join_conversation", conversation);
    if (!answer.ok) throw new Error(`${this.user} could not join: ${JSON.stringify(answer)}`);
    return answer;
  }

  say(conversationId, content, more = {}) {
    return this.ask("message", { conversationId, content, ...more });
  }

  close() {
    this.socket.disconnect();
  }

  #hear(event, args) {
    const index = this.#waiting.findIndex((waiting) => waiting.event === event);
    if (index < 0) {
      this.#heard.push({ event, args });
      return;
    }
    this.#waiting.splice(index, 1)[0].resolve(args[0]);
  }
}

/** Clients of these users in one new conversation, all of them there, with nothing unheard. */
export async function gathering(t, transport, ...names) {
  const conversation = somewhere();
  const clients = [];
  for (const name of names) {
    const client = await Client.connect(t, transport, someone(name));
    await client.join(conversation);
    for (const other of clients) await other.next("user_joined");
    clients.push(client);
  }
  return { conversation, clients };
}
