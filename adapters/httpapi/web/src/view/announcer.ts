import { element } from "./element";

/** What is kept of the last announcements: enough for a screen reader to find them, and never read again. */
const kept = 5;

/** Characters of an announcement; the whole is in the log. */
const longest = 300;

/**
 * Tells a screen reader what has just come. The log itself is silent: it also gets older messages, and
 * ones that are being written, which nobody wants read out letter by letter.
 */
export class Announcer {
  readonly element = element("div", { class: "unseen", "aria-live": "polite", "data-testid": "announcer" });

  say(words: string): void {
    const short = words.length > longest ? `${words.slice(0, longest)}…` : words;
    this.element.append(element("p", {}, short));
    while (this.element.childElementCount > kept) this.element.firstElementChild?.remove();
  }
}
