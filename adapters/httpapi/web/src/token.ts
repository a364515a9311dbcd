/** The server will not sign this person in; asking again would not help. */
export class SignInRefused extends Error {}

/**
 * A fresh token for the user.
 * @throws SignInRefused when the server says no, and any other error when it could not be asked.
 */
export async function fetchToken(userId: string): Promise<string> {
  const response = await fetch("/dev/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ userId }),
    signal: AbortSignal.timeout(8_000),
  });
  if (response.ok) {
    const { token } = (await response.json()) as { token: string };
    return token;
  }
  if (response.status === 404) throw new SignInRefused("This server offers no sign-in by name: it is not in dev mode.");
  if (response.status < 500 && response.status !== 429) {
    throw new SignInRefused("The server does not accept this name.");
  }
  throw new Error(`sign-in answered ${response.status}`);
}
