/**
 * A new message id: 128 random bits in hexadecimal. Not crypto.randomUUID, which browsers
 * withhold from pages on plain HTTP under a name other than localhost.
 */
export function newMessageId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
