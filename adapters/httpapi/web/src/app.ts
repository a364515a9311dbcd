import { writeAddress, type Place } from "./address";
import { Connection } from "./connection";
import { Conversation } from "./conversation";
import type { Failure } from "./protocol";
import { Title } from "./title";
import { Entrance } from "./view/entrance";
import { Notice } from "./view/notice";
import { Room } from "./view/room";
import { inWords, unsentWords } from "./wording";

/** A conversation and the screen that shows it. */
interface Visit {
  conversation: Conversation;
  room: Room;
}

/** Leads from the entrance into a conversation, from there to another one, and out again. */
export class App {
  readonly #screen: HTMLElement;
  readonly #notice = new Notice(() => this.#focus());
  readonly #title = new Title();
  /** Puts the cursor where the person goes on. */
  #focus = (): void => {};
  #user = "";
  #connection: Connection | undefined;
  #here: Visit | undefined;
  /** Where the person is about to go, while they still are in `#here`. */
  #next: Visit | undefined;

  constructor(screen: HTMLElement) {
    this.#screen = screen;
    // The browser asks whether to leave what is not sent yet.
    window.addEventListener("beforeunload", (event) => {
      if (this.#unsent > 0) event.preventDefault();
    });
  }

  get #unsent(): number {
    return this.#here?.conversation.unsent ?? 0;
  }

  /** Shows the form, filled in with what is known. */
  showEntrance(place: Place): void {
    this.#title.enter("");
    const entrance = new Entrance(place, (chosen) => this.join(chosen));
    this.#screen.replaceChildren(entrance.element, this.#notice.element);
    this.#focus = () => entrance.focus();
    this.#focus();
  }

  /** Signs the user in and takes them into the conversation. */
  join(place: Place): void {
    this.#notice.hide();
    this.#user = place.user;
    const connection = new Connection(place.user, (state) => {
      // A connection that was left may still end in the background.
      if (connection !== this.#connection) return;
      this.#here?.room.connection(state);
      this.#next?.room.connection(state);
    });
    connection.socket.on("error", (failure) => {
      // Typing signs are for the moment: a refused one is nothing to tell the person about. Neither is a
      // token that has run out: the connection gets a new one.
      if (failure.event !== "typing" && failure.code !== "TOKEN_EXPIRED") this.#notice.show(inWords(failure));
    });
    this.#connection = connection;
    this.#arrive(this.#visit(connection, place.conversation));
    connection.open();
  }

  #visit(connection: Connection, id: string): Visit {
    const room = new Room(this.#user, id, {
      send: (content) => this.#send(connection, conversation, content),
      retry: (key) => conversation.retry(key),
      discard: (key) => conversation.discard(key),
      drafted: (text) => conversation.drafted(text),
      loadOlder: () => conversation.loadOlder(),
      leave: () => void this.#leave(),
      switchTo: (next) => this.#switchTo(next),
      tryNow: () => connection.tryNow(),
    });
    room.connection(connection.state);
    const conversation = new Conversation(connection.socket, this.#user, id, {
      placed: (entry, before) => room.log.placed(entry, before),
      changed: (entry) => room.log.changed(entry),
      removed: (entry) => room.log.removed(entry),
      recalling: (work) => room.log.recalling(work),
      following: () => room.log.following(),
      past: (past) => room.log.past(past),
      announce: (words) => room.announce(words),
      arrived: () => this.#title.arrived(),
      joined: () => this.#onJoined(visit),
      refused: (failure, again) => this.#onRefused(visit, failure, again),
      members: (users) => room.members(users),
      typing: (users) => room.typing(users),
    });
    const visit = { conversation, room };
    return visit;
  }

  #arrive(visit: Visit): void {
    this.#here = visit;
    this.#title.enter(visit.conversation.id);
    this.#focus = () => visit.room.focus();
    writeAddress({ user: this.#user, conversation: visit.conversation.id });
    visit.room.carry(this.#notice.element);
    this.#screen.replaceChildren(visit.room.element);
  }

  #onJoined(visit: Visit): void {
    if (visit === this.#next) {
      void this.#here?.conversation.leave();
      this.#next = undefined;
      this.#arrive(visit);
    }
    visit.room.joined();
  }

  #onRefused(visit: Visit, failure: Failure, again: boolean): void {
    const words = `Could not join ${visit.conversation.id}. ${inWords(failure)}`;
    if (again) {
      this.#notice.show(words, { label: "Try again", run: () => visit.conversation.rejoin() });
      return;
    }
    visit.conversation.close();
    if (visit === this.#next) this.#next = undefined;
    else this.#exit(visit.conversation.id);
    this.#notice.show(words);
  }

  #switchTo(id: string): void {
    const connection = this.#connection;
    if (connection === undefined || id === this.#here?.conversation.id) return;
    this.#notice.hide();
    this.#next?.conversation.close();
    this.#next = this.#visit(connection, id);
    if (connection.state.kind !== "connected") this.#notice.show(`You go to ${id} when the connection is back.`);
  }

  #send(connection: Connection, conversation: Conversation, content: string): boolean {
    if (!connection.fits(content)) {
      this.#notice.show(inWords({ code: "PAYLOAD_TOO_LARGE", message: "" }));
      return false;
    }
    const taken = conversation.send(content);
    if (!taken) this.#notice.show("Too many messages wait to be sent. Wait for the connection to come back.");
    return taken;
  }

  async #leave(): Promise<void> {
    const visit = this.#here;
    if (visit === undefined) return;
    if (this.#unsent > 0 && !confirm(unsentWords(this.#unsent))) return;
    const connection = this.#connection;
    this.#connection = undefined;
    this.#exit(visit.conversation.id);
    await visit.conversation.leave();
    connection?.close();
  }

  /** Back to the entrance; whoever is still connected is let go. */
  #exit(conversation: string): void {
    this.#notice.hide();
    this.#next?.conversation.close();
    this.#next = undefined;
    this.#here = undefined;
    this.#connection?.close();
    this.#connection = undefined;
    writeAddress({ user: this.#user, conversation: "" });
    this.showEntrance({ user: this.#user, conversation });
  }
}
