// Who is let in: tokens in the CONNECT payload and in the handshake's Authorization header.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openSession, request, upgradeRequest } from "./http.mjs";
import { Client, someone, somewhere } from "./client.mjs";
import { badTokens, tokenFor } from "./token.mjs";
import { overEachTransport, websocket } from "./transports.mjs";
import { within } from "./wait.mjs";

const bearer = (token) => ({ authorization: `Bearer ${token}` });

/** What the client hears whose CONNECT is refused. */
async function refusal(t, transport, options) {
  const client = new Client(t, transport, "mallory", options);
  const error = await client.next("connect_error");
  assert.ok(error instanceof Error);
  assert.equal(client.socket.connected, false);
  return { client, error };
}

function assertRefusal(error, code) {
  assert.deepEqual(error.data, { code });
  assert.equal(typeof error.message, "string");
  assert.notEqual(error.message, "");
}

/** The user whom the server takes the client for. */
async function whoIs(client) {
  const { members } = await client.join(somewhere());
  return members;
}

overEachTransport((transport) => {
  for (const { fault, token, code } of badTokens()) {
    test(`a token that ${fault} is refused`, async (t) => {
      const { client, error } = await refusal(t, transport, { auth: { token } });
      assertRefusal(error, code);
      assert.ok(!error.message.includes(token), "the refusal says the token back");
      assert.equal(client.socket.active, false, "the client does not try again by itself");
    });
  }

  for (const [what, auth] of [
    ["no auth payload", undefined],
    ["an auth payload without a token", {}],
    ["an empty token", { token: "" }],
    ["null for a token", { token: null }],
    ["a number for a token", { token: 42 }],
    ["an object for a token", { token: { sub: "alice" } }],
    ["an array for a token", { token: ["a", "b"] }],
  ]) {
    test(`${what} is refused`, async (t) => {
      const { error } = await refusal(t, transport, { auth });
      assertRefusal(error, "UNAUTHORIZED");
    });
  }

  test("a refused client can try again on its own connection with a good token", async (t) => {
    const user = someone("alice");
    const { client } = await refusal(t, transport, { auth: { token: "open sesame" } });
    client.socket.auth = { token: tokenFor(user) };
    client.socket.connect();
    await client.connected();
    assert.deepEqual(await whoIs(client), [{ userId: user }]);
  });

  test("a refused client can say nothing and hears nothing", async (t) => {
    const conversation = somewhere();
    const alice = await Client.connect(t, transport, someone("alice"));
    await alice.join(conversation);
    const { client: mallory } = await refusal(t, transport, { auth: { token: "open sesame" }, reconnection: false });
    mallory.tell("join_conversation", conversation);
    mallory.tell("message", { conversationId: conversation, content: "let me in" });
    await alice.say(conversation, "only for us");
    assert.equal((await alice.next("message")).content, "only for us");
    assert.deepEqual(await alice.unasked(), []);
    assert.deepEqual(await mallory.unasked(), []);
  });

  test("a token in the Authorization header is enough", async (t) => {
    const user = someone("alice");
    const client = await Client.connect(t, transport, user, { auth: undefined, extraHeaders: bearer(tokenFor(user)) });
    assert.deepEqual(await whoIs(client), [{ userId: user }]);
  });

  test("a bad token in the Authorization header is refused before there is a connection", async (t) => {
    const options = { auth: { token: tokenFor(someone("alice")) }, extraHeaders: bearer("open sesame"), reconnection: false };
    const { error } = await refusal(t, transport, options);
    assert.equal(error.data, undefined, "no CONNECT was answered");
    assert.equal(error.message, transport.name === "websocket" ? "websocket error" : "xhr poll error");
  });

  test("a token in the query is not looked at", async (t) => {
    const { error } = await refusal(t, transport, { auth: undefined, query: { token: tokenFor(someone("alice")) } });
    assertRefusal(error, "UNAUTHORIZED");
  });
});

for (const { fault, token, code } of badTokens().filter(({ token }) => token.length < 8_000)) {
  for (const [transport, ask] of [["polling", request], ["websocket", upgradeRequest]]) {
    test(`the handshake over ${transport} with a token that ${fault} is answered by 401`, async () => {
      const { status, headers, body } = await ask(`/socket.io/?EIO=4&transport=${transport}`, { headers: bearer(token) });
      assert.equal(status, 401, `${code} is 401`);
      assert.equal(headers["set-cookie"], undefined);
      assert.ok(!body.includes(token));
      assert.doesNotMatch(body, /sid/);
    });
  }
}

test("credentials of another scheme, as a proxy in between may want them, are not looked at", async (t) => {
  const { status, sid } = await openSession(t, { headers: { authorization: "Basic YTpi" } });
  assert.equal(status, 200);
  assert.ok(sid);
});

test("the scheme may be written in any case (RFC 9110, section 11.1)", async (t) => {
  const user = someone("alice");
  const extraHeaders = { authorization: `bearer ${tokenFor(user)}` };
  const client = await Client.connect(t, websocket, user, { auth: undefined, extraHeaders, reconnection: false });
  assert.deepEqual(await whoIs(client), [{ userId: user }]);
});

test("a connection that was refused by CONNECT is closed by the official client, and nothing of it is left", async (t) => {
  const { client } = await refusal(t, websocket, { auth: { token: "open sesame" } });
  const { engine } = client.socket.io;
  if (engine.readyState !== "closed") await within(new Promise((resolve) => engine.once("close", resolve)), "the connection stayed open");
  const { status, body } = await request(`/socket.io/?EIO=4&transport=polling&sid=${engine.id}`);
  assert.ok(status === 400 || body === "6", `the session still answers: ${status} ${body}`);
});
