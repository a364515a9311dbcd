import type { ChatSocket } from "../src/protocol";

interface Request {
  event: string;
  body: Record<string, unknown>;
  answer: (answer: unknown) => void;
  fail: (cause: Error) => void;
}

/** A socket whose server is the test: it sees every request and answers when and how it likes. */
export class ScriptedSocket {
  connected = true;
  recovered = false;
  id = "connection-1";
  readonly requests: Request[] = [];
  readonly signs: unknown[] = [];
  readonly #listeners = new Map<string, Set<(...args: never[]) => void>>();

  get asSocket(): ChatSocket {
    return this as unknown as ChatSocket;
  }

  timeout(): {
    emitWithAck: (event: string, body: Record<string, unknown>) => Promise<unknown>;
    emit: (event: string, body: Record<string, unknown>, reply: (error: Error | null, answer?: unknown) => void) => void;
  } {
    return {
      emitWithAck: (event, body) =>
        new Promise((answer, fail) => this.requests.push({ event, body, answer, fail })),
      emit: (event, body, reply) => {
        this.requests.push({ event, body, answer: (answer) => reply(null, answer), fail: (cause) => reply(cause) });
      },
    };
  }

  get volatile(): { emit: (event: string, body: unknown) => void } {
    return { emit: (_event, body) => void this.signs.push(body) };
  }

  on(event: string, listener: (...args: never[]) => void): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }

  off(event: string, listener: (...args: never[]) => void): void {
    this.#listeners.get(event)?.delete(listener);
  }

  /** The server sends an event, or the client tells of the connection. */
  tell(event: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as (...args: unknown[]) => void)(...args);
  }

  /** How many listeners are still there, over all events. */
  get listening(): number {
    return [...this.#listeners.values()].reduce((sum, listeners) => sum + listeners.size, 0);
  }

  /** The request of that event which came last. */
  last(event: string): Request {
    const found = this.sent(event).at(-1);
    if (found === undefined) throw new Error(`no ${event} was sent`);
    return found;
  }

  sent(event: string): Request[] {
    return this.requests.filter((request) => request.event === event);
  }

  drop(): void {
    this.connected = false;
    this.tell("disconnect", "transport close");
    for (const request of this.requests) request.fail(new Error("socket has been disconnected"));
  }

  /** The connection is back: as another session, or `recovered` as the same. */
  restore(id: string, recovered = false): void {
    this.connected = true;
    this.recovered = recovered;
    this.id = id;
    this.tell("connect");
  }
}

/** Lets everything that was promised happen. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
