import { element } from "./element";

/** Code between fences, code between backticks, or an address of the web. */
const special = /```[^]*?```|`[^`\n]+`|https?:\/\/[^\s<>"`]+/g;

/**
 * What a person wrote, every character of it: an address can be followed, code has letters of one width, and
 * all else is text.
 */
export function content(text: string): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let done = 0;
  for (const match of text.matchAll(special)) {
    const found = match[0].startsWith("`") ? match[0] : addressOf(match[0]);
    parts.push(text.slice(done, match.index));
    parts.push(found.startsWith("`") ? element("code", { dir: "ltr" }, found) : link(found));
    done = match.index + found.length;
  }
  return [...parts, text.slice(done)].filter((part) => part !== "");
}

/** The address without what ends the sentence, or closes the brackets, that it stands in. */
function addressOf(found: string): string {
  let end = found.length;
  let unopened = found.split(")").length - found.split("(").length;
  for (; end > 0; end--) {
    const last = found.charAt(end - 1);
    if (last === ")" && unopened > 0) unopened--;
    else if (!".,:;!?'*".includes(last)) break;
  }
  return found.slice(0, end);
}

/** Opens beside the conversation, and tells the other page nothing of this one. */
function link(address: string): Node | string {
  if (!URL.canParse(address)) return address;
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, address);
}
