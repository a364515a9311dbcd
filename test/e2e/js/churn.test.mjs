// Clients that come and go, some before they are connected, as pages do that are left at once. The server runs with a
// short time to connect, after which it forgets those who began and did not go on.

import { test } from "node:test";
import { Client, someone } from "./client.mjs";
import { overEachTransport } from "./transports.mjs";

overEachTransport((transport) => {
  for (const [when, ready] of [
    ["before they are connected", () => {}],
    ["as soon as the handshake is done", (client) => new Promise((resolve) => client.socket.io.once("open", resolve))],
    ["as soon as they are connected", (client) => client.next("connect")],
    ["as soon as they are connected and have said something", async (client) => {
      await client.next("connect");
      client.tell("join_conversation", "lobby");
    }],
  ]) {
    test(`clients that go ${when}, one after the other, leave room for the next`, async (t) => {
      const user = someone("restless");
      for (let i = 0; i < 20; i++) {
        const client = new Client(t, transport, user);
        await ready(client);
        client.close();
      }
      await new Client(t, transport, user).next("connect");
    });
  }
});
