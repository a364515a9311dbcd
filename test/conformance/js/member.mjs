import { randomUUID } from "node:crypto";
import { tokenFor } from "../../e2e/js-legacy/token.mjs";
import { Client } from "./client.mjs";

const unique = (name) => `${name}-${randomUUID().slice(0, 8)}`;

/** A conversation that no other case uses. */
export const someConversation = () => unique("conversation");

/** One socket of an official client that talks to the chat. */
export class Member extends Client {
  /** A member that begins to connect, with a good token in the header unless told otherwise. */
  static open(t, kind, options = {}) {
    const user = unique("user");
    const member = super.open(t, kind, {
      path: "/socket.io/",
      events: ["message", "user_joined", "user_left", "error"],
      extraHeaders: { Authorization: `Bearer ${tokenFor(user)}` },
      ...options,
    });
    return Object.assign(member, { user });
  }

  /** A member that is connected, on the transport where it settles. */
  static async connect(t, kind, options) {
    const member = Member.open(t, kind, options);
    await member.connected();
    return member;
  }

  /** Waits until the member is connected, the first time or again. */
  async connected() {
    await this.next("connect");
    await this.settled();
  }

  /** Waits for an answer, which comes behind everything that was sent before. */
  sync() {
    return this.ask("presence", { conversationId: "nowhere" });
  }

  async join(conversation) {
    const answer = await this.ask("join_conversation", conversation);
    if (!answer.ok) throw new Error(`not joined: ${JSON.stringify(answer)}`);
    return answer;
  }

  say(conversationId, content, more = {}) {
    return this.ask("message", { conversationId, content, ...more });
  }
}

/** Two members in one new conversation, with nothing unheard. */
export async function pair(t, kind, options) {
  const conversation = someConversation();
  const [alice, bob] = [await Member.connect(t, kind), await Member.connect(t, kind, options)];
  await alice.join(conversation);
  await bob.join(conversation);
  await alice.next("user_joined");
  return { conversation, alice, bob };
}
