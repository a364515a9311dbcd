import { once } from "node:events";
import { connect, createServer } from "node:net";
import { url } from "./server.mjs";

/** A network between clients and the server that can fail. */
export class Proxy {
  #server;
  #sockets = new Set();
  #asking = new Set();
  #state = "up";

  /** A proxy that lives as long as the test. */
  static async start(t) {
    const proxy = new Proxy();
    await proxy.#listen();
    t.after(() => proxy.#stop());
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** The connections on which the client has sent something and the server nothing since: over polling, the requests under way. */
  get asking() {
    return [...this.#asking];
  }

  /** Resets every connection, and new ones too. */
  down() {
    this.#state = "down";
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Swallows everything, in both directions, and lets no one know. */
  freeze() {
    this.#state = "frozen";
    for (const socket of this.#sockets) swallow(socket);
  }

  /** Lets new connections through again. */
  up() {
    this.#state = "up";
  }

  async #listen() {
    this.#server = createServer((client) => this.#accept(client));
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  #accept(client) {
    if (this.#state === "down") {
      client.resetAndDestroy();
      return;
    }
    const { hostname, port } = new URL(url);
    const server = connect(Number(port), hostname);
    this.#carry(client, server);
    this.#carry(server, client);
    client.on("data", () => this.#asking.add(client));
    server.on("data", () => this.#asking.delete(client));
    client.on("close", () => this.#asking.delete(client));
    if (this.#state === "frozen") [client, server].forEach(swallow);
  }

  #carry(from, to) {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.pipe(to);
    from.on("error", () => {}); // "close" follows
    from.on("close", () => {
      this.#sockets.delete(from);
      if (this.#state !== "frozen") to.destroy();
    });
  }

  #stop() {
    this.#server.close();
    this.down();
  }
}

function swallow(socket) {
  socket.unpipe();
  socket.resume();
}
