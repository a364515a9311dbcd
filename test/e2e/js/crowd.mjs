// A crowd of official clients in one process, half of which lose their connection every second while all of them talk.
// It judges nothing: it writes down what happens to each, as test/model has it, into the file RUN.

import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { io } from "socket.io-client";
import { Proxy } from "./proxy.mjs";
import { url } from "./server.mjs";
import { tokenFor } from "./token.mjs";
import { within } from "./wait.mjs";

const people = 200;
const users = 120;
const talkTime = Number(process.env.TALK_MS ?? 11_000);
const dropEvery = 1_000; // ms
const conversations = Array.from({ length: 10 }, (_, i) => `room-${i}`);
/** How many clients share a network, which fails for all of them at once. */
const perNetwork = 10;
const transports = [["websocket"], ["websocket"], ["websocket"], ["polling"], ["polling", "websocket"]];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const now = () => Date.now() * 1000; // the server's clock, in microseconds
const closers = [];

/** One client and what it writes down. */
class Person {
  records = [];
  /** The conversations that it is in, and the last place that it knows of each. */
  places = new Map();
  /** Messages without an answer, by id: they are sent again when the connection is back. */
  unanswered = new Map();
  #said = 0;

  constructor(number, address, drops) {
    this.number = number;
    this.user = `user-${number % users}`;
    this.drops = drops;
    this.socket = io(address, {
      auth: { token: tokenFor(this.user) }, forceNew: true, transports: transports[number % transports.length],
      reconnectionDelay: 20, reconnectionDelayMax: 200,
    });
    this.socket.on("connect", () => this.#connected());
    this.socket.on("disconnect", () => this.note({ kind: "dropped" }));
    this.socket.on("message", (message, ...rest) => this.#heard(message, rest.at(-1)));
    for (const [event, kind] of [["user_joined", "arrived"], ["user_left", "departed"]]) {
      this.socket.on(event, ({ conversationId, userId, timestamp }) => {
        this.note({ kind, conversation: conversationId, user: userId, timestamp });
      });
    }
    this.socket.on("message_delivered", (report) => this.note({ kind: "reported", report }));
    closers.push(() => this.socket.disconnect());
  }

  note(record) {
    this.records.push({ at: now(), ...record });
  }

  /**
   * Emits the event until it is answered, on other connections if one is lost. answered writes the answer down before
   * anything that comes behind it: a promise would be too late.
   */
  async ask(event, payload, answered) {
    for (let tries = 0; tries < 50; tries++) {
      await this.online();
      const asked = now();
      const asking = new Promise((resolve) => {
        this.socket.once("disconnect", () => resolve(false));
        this.socket.emit(event, payload, (answer) => {
          answered(answer, asked);
          resolve(true);
        });
      });
      if (await within(asking, `${event} was not answered`, 60_000)) return;
    }
    throw new Error(`${event} was not answered on many connections`);
  }

  online() {
    if (this.socket.connected) return undefined;
    return within(new Promise((resolve) => this.socket.once("connect", resolve)), `client ${this.number} did not come back`, 60_000);
  }

  join(conversation, after) {
    return this.ask("join_conversation", after ? { conversationId: conversation, after } : conversation, (answer, asked) => {
      if (!answer.ok) fail(answer);
      const { epoch, seq, recovered, messages } = answer;
      const members = answer.members.map(({ userId }) => userId);
      this.note({ kind: "joined", asked, conversation, after: after?.seq, recovered, seq, epoch, members, messages });
      this.places.set(conversation, { epoch, seq: Math.max(this.places.get(conversation)?.seq ?? 0, seq) });
    });
  }

  leave(conversation) {
    return this.ask("leave_conversation", conversation, (_, asked) => {
      this.note({ kind: "left", asked, conversation });
      this.places.delete(conversation);
    });
  }

  /** Says something new and waits until it is answered. */
  async say(conversation) {
    const id = randomUUID();
    const send = { conversation, id, content: `${++this.#said} of ${this.number}`, confirm: Math.random() < 0.1 };
    const answered = new Promise((resolve) => this.unanswered.set(id, { send, resolve }));
    this.send(send);
    await within(answered, `client ${this.number} had no answer to a message`, 60_000);
  }

  send(send) {
    if (!this.socket.connected) return; // it is sent when the connection is back
    const asked = now();
    this.note({ kind: "sending", send });
    const { conversation: conversationId, content, id: messageId, confirm } = send;
    this.socket.emit("message", { conversationId, content, messageId, confirm }, (answer) => {
      if (answer.ok) this.note({ kind: "accepted", asked, send, ...answer });
      else this.note({ kind: "refused", asked, send, code: answer.error.code });
      this.unanswered.get(send.id)?.resolve();
      this.unanswered.delete(send.id);
    });
  }

  /** Waits until everything has come that was sent to it before. */
  barrier() {
    return this.ask("presence", { conversationId: "nowhere" }, (_, asked) => this.note({ kind: "answered", asked }));
  }

  /** Tells that it has got everything: an ack that was lost with a connection is asked for again only after a pause. */
  async acknowledge() {
    for (const [conversation, { seq }] of this.places) {
      this.note({ kind: "acking", conversation, seq, upTo: true });
      await this.ask("message_ack", { conversationId: conversation, seq }, (_, asked) => this.note({ kind: "answered", asked }));
    }
  }

  async #connected() {
    const { id, recovered } = this.socket;
    this.note({ kind: "connected", sid: id, recovered });
    if (!recovered) {
      for (const [conversation, { epoch, seq }] of this.places) await this.join(conversation, { epoch, seq }).catch(fail);
    }
    for (const { send } of this.unanswered.values()) this.send(send);
  }

  #heard(message, ack) {
    this.note({ kind: "heard", message });
    const place = this.places.get(message.conversationId);
    if (place) place.seq = Math.max(place.seq, message.seq);
    if (typeof ack !== "function") return;
    this.note({ kind: "acking", conversation: message.conversationId, seq: message.seq });
    ack();
  }
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

/** Lets the network fail every second until the end, and a few times at least, at a time of its own. */
async function failing(network, offset, end) {
  await pause(offset);
  for (let times = 0; times < 5 || Date.now() < end; times++) {
    network.down();
    network.up();
    await pause(dropEvery);
  }
}

/** Talks until the end, goes, and comes back. */
async function live(person, end) {
  while (Date.now() < end) {
    await pause(500 + Math.random() * 1500);
    const mine = [...person.places.keys()];
    const somewhere = mine[Math.floor(Math.random() * mine.length)];
    if (person.drops || mine.length < 2 || Math.random() > 0.1) {
      await person.say(somewhere);
      continue;
    }
    await person.leave(somewhere);
    await pause(Math.random() * 200);
    await person.join(somewhere);
  }
}

/** What the server says of the conversation in the end. */
async function describe(crowd, conversation) {
  const witness = crowd.find((person) => person.places.has(conversation));
  let members;
  await witness.ask("presence", { conversationId: conversation }, (answer) => (members = answer.members.map(({ userId }) => userId)));
  const log = [];
  for (let more = true, epoch; ; ) {
    if (!more) return { members, epoch, log };
    await witness.ask("history", { conversationId: conversation, after: log.length, limit: 200 }, (page) => {
      log.push(...page.messages);
      ({ more, epoch } = page);
    });
  }
}

const crowd = [];
const networks = [];
for (let i = 0; i < people; i++) {
  const drops = i >= people / 2;
  if (drops && i % perNetwork === 0) networks.push(await Proxy.start({ after: (close) => closers.push(close) }));
  crowd.push(new Person(i, drops ? networks.at(-1).url : url, drops));
}
await Promise.all(crowd.map(async (person, i) => {
  for (const conversation of [i, i * 3 + 1].map((n) => conversations[n % conversations.length])) await person.join(conversation);
}));
const end = Date.now() + talkTime;
await Promise.all([
  ...networks.map((network, i) => failing(network, (i * dropEvery) / networks.length, end)),
  ...crowd.map((person) => live(person, end)),
]);
for (let i = 0; i < 2; i++) await Promise.all(crowd.map((person) => person.barrier()));
// Everybody has got everything; when all have said so, and the barrier stands behind that, all reports have come.
await Promise.all(crowd.map((person) => person.acknowledge()));
for (let i = 0; i < 2; i++) await Promise.all(crowd.map((person) => person.barrier()));
const parties = crowd.map(({ user, records }) => ({ user, records: [...records] }));
const last = {};
for (const conversation of conversations) last[conversation] = await describe(crowd, conversation);
writeFileSync(process.env.RUN, JSON.stringify({ parties, conversations: last }));
for (const close of closers) close();
