// Tokens end while their users are connected: the client is told before, may bring a new one, and is sent away at the
// end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, gathering, someone, somewhere } from "./client.mjs";
import { assertEvent, assertRefused } from "./shape.mjs";
import { badTokens, expiryOf, tokenFor } from "./token.mjs";
import { allAtOnceOverEachTransport } from "./transports.mjs";

/** A lifetime long enough to get in with, and short enough to be waited for, in seconds. */
const short = 12;

const everywhere = ["*"];

/** A client with a token of a lifetime in seconds. */
async function withToken(t, transport, user, lifetime) {
  const token = tokenFor(user, everywhere, lifetime);
  return { token, client: await Client.connect(t, transport, user, { auth: { token } }) };
}

const until = (time) => new Promise((resolve) => setTimeout(resolve, Date.parse(time) - Date.now()));

allAtOnceOverEachTransport((transport) => {
  test("a client is told a minute before its token ends, and sent away at the end", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const { token, client } = await withToken(t, transport, someone("bob"), short);
    await client.join(conversation);
    assert.deepEqual(await client.next("token_expiring"), { expiresAt: expiryOf(token) });
    const error = await client.next("error");
    assert.equal(typeof error.message, "string");
    assert.deepEqual(error, { event: "", code: "TOKEN_EXPIRED", message: error.message });
    assert.equal(await client.next("disconnect"), "io server disconnect");
    assert.ok(Date.now() >= Date.parse(expiryOf(token)), "not before the token's end");
    assert.equal(client.socket.active, false, "it stays away until it has a new token");
    await alice.next("user_joined");
    assertEvent(await alice.next("user_left"), { type: "system", conversationId: conversation, userId: client.user });
    assert.deepEqual(client.allHeard("token_expiring"), [], "it was told once");

    client.socket.auth = { token };
    client.socket.connect();
    assert.equal((await client.next("connect_error")).data.code, "TOKEN_EXPIRED");
    client.socket.auth = { token: tokenFor(client.user) };
    client.socket.connect();
    await client.connected();
    await client.join(conversation);
  });

  test("a client that brings a new token in time stays", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    const { token, client } = await withToken(t, transport, someone("bob"), short);
    await client.join(conversation);
    await client.next("token_expiring");
    const fresh = tokenFor(client.user, everywhere, 600);
    assert.deepEqual(await client.ask("refresh_token", { token: fresh }), { ok: true, expiresAt: expiryOf(fresh) });
    await until(expiryOf(token));
    await new Promise((resolve) => setTimeout(resolve, 2_500)); // the server looks every second
    assert.equal((await client.say(conversation, "still here")).ok, true);
    await client.next("message");
    assert.deepEqual(await client.unasked(), []);
    assert.deepEqual(alice.allHeard("user_left"), []);
  });

  test("a client whose new token ends soon is told again", async (t) => {
    const { client } = await withToken(t, transport, someone("bob"), 50);
    await client.next("token_expiring");
    const fresh = tokenFor(client.user, everywhere, 40);
    assert.equal((await client.ask("refresh_token", { token: fresh })).ok, true);
    assert.deepEqual(await client.next("token_expiring"), { expiresAt: expiryOf(fresh) });
  });

  test("another user's token is refused, and changes nothing", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    assertRefused(await bob.ask("refresh_token", { token: tokenFor(alice.user) }), "FORBIDDEN");
    await bob.say(conversation, "still bob");
    assert.equal((await alice.next("message")).userId, bob.user);
  });

  test("a bad token is refused, and changes nothing", async (t) => {
    const { conversation, clients: [alice] } = await gathering(t, transport, "alice");
    for (const { fault, token, code } of badTokens()) {
      const answer = await alice.ask("refresh_token", { token });
      assert.equal(answer.error?.code, code, `a token that ${fault}`);
      assert.ok(!JSON.stringify(answer).includes(token), "the token is not said back");
    }
    for (const payload of [{}, { token: "" }, { token: 7 }, "token", null]) {
      assertRefused(await alice.ask("refresh_token", payload), "INVALID_PAYLOAD");
    }
    assert.equal((await alice.say(conversation, "still here")).ok, true);
  });

  test("a token that grants less takes its client out of what it may not be in, and the others are told", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const kept = somewhere();
    for (const client of [alice, bob]) await client.join(kept);
    await alice.next("user_joined");
    const less = tokenFor(bob.user, [kept]);
    assert.deepEqual(await bob.ask("refresh_token", { token: less }), { ok: true, expiresAt: expiryOf(less), left: [conversation] });
    assertEvent(await alice.next("user_left"), { type: "system", conversationId: conversation, userId: bob.user });
    for (const event of ["history", "presence"]) assertRefused(await bob.ask(event, { conversationId: conversation }), "FORBIDDEN");
    assertRefused(await bob.say(conversation, "let me in"), "FORBIDDEN");
    assertRefused(await bob.ask("join_conversation", conversation), "FORBIDDEN");
    await alice.say(conversation, "without bob");
    await alice.say(kept, "with bob");
    assert.equal((await bob.next("message")).content, "with bob");
    assert.deepEqual(await bob.unasked(), []);

    const more = tokenFor(bob.user);
    assert.deepEqual(await bob.ask("refresh_token", { token: more }), { ok: true, expiresAt: expiryOf(more) });
    await bob.join(conversation);
  });

  test("each tab has a token of its own", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    const tab = await Client.connect(t, transport, bob.user);
    await tab.join(conversation);
    assert.deepEqual((await bob.ask("refresh_token", { token: tokenFor(bob.user, []) })).left, [conversation]);
    await alice.say(conversation, "hello");
    assert.equal((await tab.next("message")).content, "hello");
    assert.deepEqual(await bob.unasked(), []);
    await alice.next("message");
    assert.deepEqual(await alice.unasked(), [], "bob is there by the other tab");
  });
});
