// The reference server on Bun: socket.io with the engine its authors wrote for Bun's own HTTP and
// WebSocket server, without compression. What it serves is ../chat.mjs, the environment too.
//
// GET /gc collects garbage.

import { Server as Engine } from "@socket.io/bun-engine";
import jwt from "jsonwebtoken";
import { Server } from "socket.io";
import { serve, settings } from "../chat.mjs";

const { port, host, key, origins, pingInterval, pingTimeout, recovery } = settings(process.env);

const io = new Server({ serveClient: false, ...recovery });
const engine = new Engine({
  path: "/socket.io/",
  pingInterval,
  pingTimeout,
  cors: { origin: [...origins], credentials: true },
  allowRequest: async (req) => {
    const origin = req.headers.get("origin");
    if (origin !== null && !origins.has(origin)) throw "origin is not allowed";
  },
});
io.bind(engine);
serve(io, jwt, key);

const { fetch, websocket, ...rest } = engine.handler();

const http = Bun.serve({
  ...rest,
  port,
  hostname: host,
  idleTimeout: Math.max(rest.idleTimeout, 10), // seconds; of HTTP, a held poll included
  websocket: { ...websocket, perMessageDeflate: false },
  fetch(req, server) {
    if (req.url.endsWith("/healthz")) return new Response();
    if (req.url.endsWith("/gc")) {
      Bun.gc(true);
      return new Response();
    }
    return fetch(req, server);
  },
});
console.log(`listening on ${http.hostname}:${http.port}`);

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, async () => {
    engine.close();
    await http.stop(true);
    process.exit(0);
  });
}
