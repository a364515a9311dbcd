// The reference server on Node.js: socket.io at its best settings, with the native frame masking of
// `bufferutil`, and without compression. What it serves is ../chat.mjs, the environment too.
//
// Run with `node --expose-gc` to have GET /gc collect garbage.

import { createServer } from "node:http";
import jwt from "jsonwebtoken";
import { Server } from "socket.io";
import { serve, settings } from "../chat.mjs";

const { port, host, key, origins, pingInterval, pingTimeout, recovery } = settings(process.env);

const http = createServer((req, res) => {
  if (req.url === "/gc" && globalThis.gc) globalThis.gc();
  res.writeHead(req.url === "/healthz" || (req.url === "/gc" && globalThis.gc) ? 200 : 404).end();
});

const io = new Server(http, {
  transports: ["websocket", "polling"],
  serveClient: false,
  ...recovery,
  pingInterval,
  pingTimeout,
  cors: { origin: [...origins], credentials: true },
  allowRequest: (req, done) => {
    const { origin } = req.headers;
    done(null, origin === undefined || origins.has(origin));
  },
});

serve(io, jwt, key);

http.listen(port, host, () => {
  const { address, port } = http.address();
  console.log(`listening on ${address}:${port}`);
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => io.close(() => process.exit(0)));
}
