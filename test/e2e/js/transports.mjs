import { describe } from "node:test";

/** The ways a client may be connected. */
const transports = [
  { name: "websocket", options: { transports: ["websocket"] }, settlesOn: "websocket" },
  { name: "polling", options: { transports: ["polling"] }, settlesOn: "polling" },
  { name: "polling, then websocket", options: { transports: ["polling", "websocket"] }, settlesOn: "websocket" },
];

/** A transport for where it makes no difference. */
export const [websocket] = transports;

/** Runs the same suite over each transport, all of them at the same time: most of a test is waiting. */
export function overEachTransport(suite) {
  describe("each transport", { concurrency: transports.length }, () => {
    for (const transport of transports) describe(`over ${transport.name}`, () => suite(transport));
  });
}

/** Runs the same suite over each transport, all of its tests at the same time: for tests that wait for clocks. */
export function allAtOnceOverEachTransport(suite) {
  describe("each transport", { concurrency: true }, () => {
    for (const transport of transports) describe(`over ${transport.name}`, { concurrency: true }, () => suite(transport));
  });
}

/** Runs the same suite over each transport, one after the other. */
export function overOneTransportAfterTheOther(suite) {
  for (const transport of transports) describe(`over ${transport.name}`, () => suite(transport));
}
