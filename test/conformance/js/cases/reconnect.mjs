// Networks that fail, and clients that come back by themselves.

import assert from "node:assert/strict";
import { Proxy } from "../../../e2e/js/proxy.mjs";
import { within } from "../../../e2e/js/wait.mjs";
import { Client, somewhere } from "../client.mjs";

/** Cuts the network until the client has noticed. */
export async function cut(proxy, client, other) {
  if (client.kind.settlesOn === "polling") await polls(proxy, other);
  proxy.down();
  assert.match(await client.next("disconnect"), /^transport (close|error)$/);
}

/**
 * Waits until the one client behind the proxy has a poll at the server: between two polls there is no connection to lose,
 * and the server would learn of a cut by its heartbeat alone. What was sent before the other's question is there when the
 * answer comes.
 */
async function polls(proxy, other) {
  for (let before = [], rounds = 0; rounds < 2;) {
    const now = proxy.asking;
    rounds = now.length === 1 && now[0] === before[0] ? rounds + 1 : 0;
    before = now;
    await other.sync();
  }
}

export const cases = {
  async "reconnect: after a cut the client comes back as another socket, and what it said meanwhile arrives once"(t, kind) {
    const proxy = await Proxy.start(t);
    const namespace = somewhere();
    const other = await Client.connect(t, kind, { namespace });
    const client = await Client.connect(t, kind, { namespace, server: proxy.url });
    for (let i = 0; i < 3; i++) {
      const { id } = client.socket;
      await cut(proxy, client, other);
      assert.match(await other.ask("fate", id), /^transport (close|error)$/);
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
    const main = await Client.connect(t, kind, { server: proxy.url });
    const side = main.beside(somewhere(), { auth: { side: true } });
    await side.welcome();
    await cut(proxy, main, await Client.connect(t, kind));
    assert.match(await side.next("disconnect"), /^transport (close|error)$/);
    proxy.up();
    for (const client of [main, side]) await client.welcome();
    assert.deepEqual((await side.ask("who")).auth, { side: true });
  },
};
