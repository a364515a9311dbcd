import { randomUUID } from "node:crypto";
import { describe } from "node:test";
import io1 from "socket.io-client-1";
import io2 from "socket.io-client-2";
import { io as io4 } from "socket.io-client-4";
import { url } from "../js/server.mjs";
import { within } from "../js/wait.mjs";
import { tokenFor } from "./token.mjs";

const unique = (name) => `${name}-${randomUUID().slice(0, 8)}`;

/** A user id that no other test has. */
export const someone = (name) => unique(name);

/** A conversation id that no other test has. */
export const somewhere = () => unique("conversation");

const versions = { "1.7": io1, "2.5": io2, 4.8: io4 };

const transports = [
  { name: "websocket", options: { transports: ["websocket"] }, settlesOn: "websocket" },
  { name: "polling", options: { transports: ["polling"] }, settlesOn: "polling" },
  { name: "polling, then websocket", options: {}, settlesOn: "websocket" },
];

/** A client of today, for those that an old one talks to. */
export const modern = { version: "4.8", options: { transports: ["websocket"] }, settlesOn: "websocket" };

/** Runs the same suite for each old client over each transport. "polling, then websocket" is the default. */
export function withEachOldClient(suite) {
  for (const version of ["1.7", "2.5"]) {
    for (const transport of transports) {
      describe(`socket.io-client ${version} over ${transport.name}`, () => suite({ version, ...transport }));
    }
  }
}

/** One socket of an official client. It remembers the events that come, so that a test can ask for one later. */
export class Client {
  #heard = [];
  #waiting = [];

  constructor(t, kind, user, options = {}) {
    this.user = user;
    this.kind = kind;
    const token = tokenFor(user);
    this.socket = versions[kind.version](options.url ?? url, {
      ...(kind.version === "4.8" ? { auth: { token } } : { extraHeaders: { Authorization: `Bearer ${token}` } }),
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 100,
      ...kind.options,
      ...options,
    });
    for (const event of ["connect", "connect_error", "disconnect", "message", "user_joined", "user_left", "typing", "error"]) {
      this.socket.on(event, (...args) => this.#hear(event, args));
    }
    t.after(() => this.close());
  }

  /** A client that is connected, on the transport where it settles. */
  static async connect(t, kind, user, options) {
    const client = new Client(t, kind, user, options);
    await client.connected();
    return client;
  }

  /** Waits until the client is connected, the first time or again, on the transport that it stays on. */
  async connected() {
    await this.next("connect");
    const { engine } = this.socket.io;
    if (engine.transport.name === this.kind.settlesOn) return;
    await within(new Promise((resolve) => engine.once("upgrade", resolve)), `${this.user}'s connection was not upgraded`);
  }

  /** The payload of the next event of this name: one that has come and was not asked for yet, or one to come. */
  next(event, ms) {
    const index = this.#heard.findIndex((heard) => heard.event === event);
    if (index >= 0) return Promise.resolve(this.#heard.splice(index, 1)[0].args[0]);
    const coming = new Promise((resolve) => this.#waiting.push({ event, resolve }));
    return within(coming, () => `${this.user} did not hear "${event}"; heard ${JSON.stringify(this.#heard).slice(0, 500)}`, ms);
  }

  /** The payloads of the next n events of this name. */
  async nextOnes(event, n) {
    const payloads = [];
    while (payloads.length < n) payloads.push(await this.next(event));
    return payloads;
  }

  /** The events that have come and were not asked for, once all that is on its way has come too. */
  async unasked() {
    // An answer leaves the server after everything that it sent to this client before.
    await this.ask("presence", { conversationId: "nowhere" });
    return this.#heard.map(({ event }) => event);
  }

  /** Emits the event and returns the server's answer to it. */
  ask(event, ...args) {
    const answer = new Promise((resolve) => this.socket.emit(event, ...args, resolve));
    return within(answer, () => `${this.user} got no answer to "${event}"`);
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

/** An old client and one of today in one new conversation, with nothing unheard. */
export async function pair(t, kind) {
  const conversation = somewhere();
  const old = await Client.connect(t, kind, someone("old"));
  const young = await Client.connect(t, modern, someone("young"));
  await old.join(conversation);
  await young.join(conversation);
  await old.next("user_joined");
  return { conversation, old, young };
}
