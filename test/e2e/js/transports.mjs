import { describe } from "node:test";

/** The ways a client may be connected. */
const transports = [
  { name: "websocket", options: { transports: ["websocket"] }, settlesOn: "websocket" },
  { name: "polling", options: { transports: ["polling"] }, settlesOn: "polling" },
  { name: "polling, then websocket", options: { transports: ["polling", "websocket"] }, settlesOn: "websocket", upgrades: true },
];

/** Runs the same suite over each transport. */
export function overEachTransport(suite) {
  for (const transport of transports) describe(`over ${transport.name}`, () => suite(transport));
}
