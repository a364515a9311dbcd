// Runs the suites that are about the protocol and the plain contract against the reference server, socket.io itself:
// what it does not pass is a mistake of the suite. `npm ci` must have run here and in the server's folder.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const suites = ["connect.test.mjs", "message.test.mjs"];
const secret = "the secret of the end-to-end tests";
const program = fileURLToPath(new URL("../../load/peers/node/server.mjs", import.meta.url));

const server = spawn(process.execPath, [program], {
  env: { ...process.env, HOST: "127.0.0.1", PORT: "0", JWT_SECRET: secret },
  stdio: ["ignore", "pipe", "inherit"],
});
const [listening] = await Promise.race([
  once(createInterface(server.stdout), "line"),
  once(server, "exit").then(([code]) => Promise.reject(new Error(`the reference server ended with ${code}`))),
]);
const address = listening.replace("listening on ", "http://");
try {
  const tests = spawn(process.execPath, ["--test", "--test-reporter=spec", "--test-timeout=100000", ...suites], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    env: { ...process.env, PARLEY_URL: address, JWT_SECRET: secret },
    stdio: "inherit",
  });
  [process.exitCode] = await once(tests, "exit");
} finally {
  server.kill();
}
