/** Who is here and where, as the page's address says it: `/?user=alice&conversation=lobby`. */
export interface Place {
  user: string;
  conversation: string;
}

/** What the address names; empty for what it does not. */
export function readAddress(): Place {
  const query = new URLSearchParams(location.search);
  return { user: query.get("user")?.trim() ?? "", conversation: query.get("conversation")?.trim() ?? "" };
}

/**
 * Keeps the address true, so that a reload or a copied link leads to the same place.
 * An empty conversation is left out: the address then fills in the form and joins nothing.
 */
export function writeAddress({ user, conversation }: Place): void {
  const query = new URLSearchParams({ user });
  if (conversation !== "") query.set("conversation", conversation);
  history.replaceState(null, "", `?${query}`);
}
