// Networks that fail, and clients that come back by themselves.

import assert from "node:assert/strict";
import { Proxy } from "../../../e2e/js/proxy.mjs";
import { within } from "../../../e2e/js/wait.mjs";
import { Client, somewhere } from "../client.mjs";

// Between two polls there is no connection to lose: then the server learns of a cut by its heartbeat alone, which is
// quicker here.
const path = "/hasty/";

/** Cuts the network until the client has noticed, once its next poll had the time of the other's few to arrive. */
export async function cut(proxy, client, other) {
  for (let i = 0; i < 3; i++) await other.sync();
  proxy.down();
  assert.match(await client.next("disconnect"), /^transport (close|error)$/);
}

/** What a server may say of a client that was cut off. */
const lost = (kind) => (kind.settlesOn === "polling" ? /^(transport (close|error)|ping timeout)$/ : /^transport (close|error)$/);

/** Waits until the server has pinged the client n times. Some versions have no event for it. */
function pings({ engine }, n) {
  return new Promise((resolve) => engine.on("packet", ({ type }) => type === "ping" && --n === 0 && resolve()));
}

export const cases = {
  async "reconnect: after a cut the client comes back as another socket, and what it said meanwhile arrives once"(t, kind) {
    const proxy = await Proxy.start(t);
    const namespace = somewhere();
    const other = await Client.connect(t, kind, { path, namespace });
    const client = await Client.connect(t, kind, { path, namespace, server: proxy.url });
    for (let i = 0; i < 3; i++) {
      const { id } = client.socket;
      await cut(proxy, client, other);
      assert.match(await other.ask("fate", id), lost(kind));
      await other.ask("tell-others", "missed");
      client.emit("count", i);
      const again = new Promise((resolve) => client.socket.io.once("reconnect", resolve));
      proxy.up();
      assert.ok((await within(again, "no reconnect")) >= 1, "the number of tries");
      const { id: newID, recovered } = await client.welcome();
      assert.notEqual(newID, id);
      assert.equal(recovered, false);
      assert.ok(!client.socket.recovered);
      await client.settled();
      assert.deepEqual(await client.ask("counted"), [i]);
      assert.equal(await client.next("count"), i);
    }
    assert.deepEqual(client.unasked.filter((event) => event !== "connect_error"), [], "nothing is told later");
  },

  async "reconnect: every namespace of the connection comes back"(t, kind) {
    const proxy = await Proxy.start(t);
    const main = await Client.connect(t, kind, { path, server: proxy.url });
    const side = main.beside(somewhere(), { auth: { side: true } });
    await side.welcome();
    await cut(proxy, main, await Client.connect(t, kind, { path }));
    assert.match(await side.next("disconnect"), /^transport (close|error)$/);
    proxy.up();
    for (const client of [main, side]) await client.welcome();
    assert.deepEqual((await side.ask("who")).auth, { side: true });
  },

  async "reconnect: a network that swallows everything is found out by both sides"(t, kind) {
    const proxy = await Proxy.start(t);
    const watcher = await Client.connect(t, kind, { path });
    // A try that is swallowed too is given up soon.
    const client = await Client.connect(t, kind, { path, server: proxy.url, timeout: 500 });
    const { id } = client.socket;
    proxy.freeze();
    assert.equal(await client.next("disconnect"), "ping timeout");
    assert.equal(await watcher.ask("fate", id), "ping timeout");
    proxy.up();
    assert.notEqual((await client.welcome()).id, id);
    assert.equal(watcher.socket.connected, true);
  },

  async "reconnect: an idle client stays connected by its heartbeat"(t, kind) {
    const client = await Client.connect(t, kind, { path });
    await within(pings(client, 3), "the pings of the server are missing");
    assert.deepEqual(await client.askArgs("echo-ack", 1), [1]);
    assert.deepEqual(client.unasked, []);
  },
};
