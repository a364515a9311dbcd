/** What a user name and a conversation id may be: the server's own rule. */
const allowed = /^[A-Za-z0-9._:\-@]{1,128}$/;

/** What is wrong with a name, in words for the person; null when nothing is. */
export function faultOf(what: string, name: string): string | null {
  if (name === "") return `Enter ${what}.`;
  if (name.length > 128) return `That is too long: ${what} can have at most 128 characters.`;
  if (!allowed.test(name)) return `Use only letters, digits and . _ : - @ for ${what}.`;
  return null;
}
