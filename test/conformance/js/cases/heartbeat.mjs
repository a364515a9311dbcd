// Heartbeats, which take their time: these cases do nothing but wait.

import assert from "node:assert/strict";
import { Proxy } from "../../../e2e/js/proxy.mjs";
import { within } from "../../../e2e/js/wait.mjs";
import { Client } from "../client.mjs";

const path = "/hasty/";

/** Waits until the server has pinged the client n times. Some versions have no event for it. */
function pings({ engine }, n) {
  return new Promise((resolve) => engine.on("packet", ({ type }) => type === "ping" && --n === 0 && resolve()));
}

export const cases = {
  async "heartbeat: a network that swallows everything is found out by both sides"(t, kind) {
    const proxy = await Proxy.start(t);
    const watcher = await Client.connect(t, kind, { path });
    // A try that is swallowed too is given up soon.
    const client = await Client.connect(t, kind, { path, server: proxy.url, timeout: 2_000 });
    const { id } = client.socket;
    // The reference server forgets to wait for the pong of a ping that it sent before an upgrade.
    await within(pings(client, 2), "the pings of the server are missing");
    proxy.freeze();
    assert.equal(await client.next("disconnect"), "ping timeout");
    assert.equal(await watcher.ask("fate", id), "ping timeout");
    proxy.up();
    assert.notEqual((await client.welcome()).id, id);
    assert.equal(watcher.socket.connected, true);
  },

  async "heartbeat: an idle client stays connected by its heartbeat"(t, kind) {
    const client = await Client.connect(t, kind, { path });
    await within(pings(client, 3), "the pings of the server are missing");
    assert.deepEqual(await client.askArgs("echo-ack", 1), [1]);
    assert.deepEqual(client.unasked, []);
  },
};
