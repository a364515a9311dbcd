/** Something with its place: a lower rank comes first, equal ranks in the order they came. */
export interface Ranked<T> {
  entry: T;
  rank: number;
}

/** Puts one where it belongs and answers with its index. What is new mostly belongs near the end. */
export function put<T>(list: Ranked<T>[], one: Ranked<T>): number {
  let index = list.length;
  while (index > 0 && (list[index - 1]?.rank ?? 0) > one.rank) index--;
  list.splice(index, 0, one);
  return index;
}
