import { request as httpRequest } from "node:http";
import { url } from "./server.mjs";
import { within } from "./wait.mjs";

/**
 * One HTTP request as it is, with whatever headers: browsers and fetch do not let one set Origin.
 * The answer is {status, headers, body}; that of an accepted upgrade has status 101 and an empty body.
 */
export function request(path, { method = "GET", headers = {}, body } = {}) {
  const answer = new Promise((resolve, reject) => {
    const r = httpRequest(new URL(path, url), { method, headers, agent: false }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({
        status: response.statusCode,
        headers: response.headers,
        body: Buffer.concat(chunks).toString(),
      }));
    });
    r.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode, headers: response.headers, body: "" });
    });
    r.on("error", reject);
    r.end(body);
  });
  return within(answer, `${method} ${path} was not answered`);
}

/** The opening handshake of a WebSocket. */
export function upgradeRequest(path, { headers = {} } = {}) {
  return request(path, {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    },
  });
}

/** Opens a polling session by itself, which is closed when the test is over. */
export async function openSession(t, options) {
  const path = "/socket.io/?EIO=4&transport=polling";
  const answer = await request(path, options);
  const sid = /^0/.test(answer.body) ? JSON.parse(answer.body.slice(1)).sid : undefined;
  if (sid) t.after(() => request(`${path}&sid=${sid}`, { method: "POST", body: "1" }));
  return { ...answer, sid, path: `${path}&sid=${sid}` };
}
