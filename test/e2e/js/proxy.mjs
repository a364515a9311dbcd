import { once } from "node:events";
import { connect, createServer } from "node:net";
import { url } from "./server.mjs";

/** A network between clients and the server that can be cut: connections end without a word, as when a cable is pulled. */
export class Proxy {
  #server;
  #sockets = new Set();

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

  /** Ends every connection that is open now. New ones may be made at once. */
  cut() {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async #listen() {
    const { hostname, port } = new URL(url);
    this.#server = createServer((client) => {
      const server = connect(Number(port), hostname);
      this.#join(client, server);
      this.#join(server, client);
    });
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  #join(from, to) {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }

  #stop() {
    this.#server.close();
    this.cut();
  }
}
