// Browser pages of other origins are refused on every transport; those of an allowed one get CORS headers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, someone, somewhere } from "./client.mjs";
import { openSession, request, upgradeRequest } from "./http.mjs";
import { overEachTransport } from "./transports.mjs";

const allowed = "http://localhost:5173";
const foreign = [
  "https://evil.example",
  "http://localhost",
  "https://localhost:5173",
  "http://localhost:5173.evil.example",
  "http://evil.example/http://localhost:5173",
  "HTTP://LOCALHOST:5173",
  "null",
  "",
];
const handshake = (transport) => `/socket.io/?EIO=4&transport=${transport}`;

function assertAllowed({ headers }) {
  assert.equal(headers["access-control-allow-origin"], allowed);
  assert.equal(headers["access-control-allow-credentials"], "true");
  assert.match(headers.vary, /\bOrigin\b/);
}

overEachTransport((transport) => {
  test("a page of an allowed origin connects", async (t) => {
    const client = await Client.connect(t, transport, someone("alice"), { extraHeaders: { origin: allowed } });
    assert.equal((await client.join(somewhere())).ok, true);
  });

  test("a page of another origin does not, whatever its token", async (t) => {
    const options = { extraHeaders: { origin: "https://evil.example" }, reconnection: false };
    const client = new Client(t, transport, someone("alice"), options);
    const error = await client.next("connect_error");
    assert.equal(error.message, transport.name === "websocket" ? "websocket error" : "xhr poll error");
  });
});

for (const origin of foreign) {
  for (const [transport, ask] of [["polling", request], ["websocket", upgradeRequest]]) {
    test(`origin "${origin}" is refused over ${transport}`, async () => {
      const { status, headers, body } = await ask(handshake(transport), { headers: { origin } });
      assert.equal(status, 403);
      assert.equal(headers["access-control-allow-origin"], undefined);
      assert.equal(headers["access-control-allow-credentials"], undefined);
      assert.deepEqual(JSON.parse(body), { code: 4, message: "Forbidden" });
    });
  }
}

test("a page of another origin cannot use a session that exists", async (t) => {
  const { sid, path } = await openSession(t);
  const headers = { origin: "https://evil.example" };
  for (const ask of [
    () => request(path, { headers }),
    () => request(path, { headers, method: "POST", body: "40" }),
    () => upgradeRequest(`${handshake("websocket")}&sid=${sid}`, { headers }),
  ]) {
    assert.equal((await ask()).status, 403);
  }
  assert.equal((await request(path, { method: "POST", body: "3" })).body, "ok", "the session lives on");
});

test("a page of an allowed origin gets CORS headers, with credentials, on every answer", async (t) => {
  const headers = { origin: allowed };
  const opened = await openSession(t, { headers });
  assert.equal(opened.status, 200);
  const posted = await request(opened.path, { headers, method: "POST", body: "3" });
  assert.equal(posted.status, 200);
  const unknown = await request(`${handshake("polling")}&sid=unknown`, { headers });
  assert.equal(unknown.status, 400);
  for (const answer of [opened, posted, unknown]) assertAllowed(answer);
});

test("a page of an allowed origin may upgrade", async () => {
  assert.equal((await upgradeRequest(handshake("websocket"), { headers: { origin: allowed } })).status, 101);
});

test("a preflight of an allowed origin is answered with what it asks for", async () => {
  const answer = await request(handshake("polling"), {
    method: "OPTIONS",
    headers: {
      origin: allowed,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    },
  });
  assert.equal(answer.status, 204);
  assertAllowed(answer);
  assert.match(answer.headers["access-control-allow-methods"], /\bPOST\b/);
  assert.equal(answer.headers["access-control-allow-headers"], "authorization,content-type");
});

test("a preflight of another origin is refused", async () => {
  const answer = await request(handshake("polling"), {
    method: "OPTIONS",
    headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
  });
  assert.equal(answer.status, 403);
  assert.equal(answer.headers["access-control-allow-origin"], undefined);
  assert.equal(answer.headers["access-control-allow-methods"], undefined);
});

test("a request without an origin is not a browser page's, and gets no CORS headers", async (t) => {
  const answer = await openSession(t);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["access-control-allow-origin"], undefined);
});
