/** Names longer than this are compared by their beginning only. */
const NAME_MAX = 64;

/**
 * The known name nearest to what somebody typed, for "did you mean …?"; `undefined` where none is near.
 *
 * Near: at most a third of the longer name's letters differ, and at least one edit is allowed. Case counts
 * for nothing. Of equally near names the first one wins.
 */
export function suggest(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let nearestEdits = Infinity;
  for (const candidate of known) {
    const longer = Math.min(NAME_MAX, Math.max(name.length, candidate.length));
    const allowed = Math.max(1, Math.floor(longer / 3));
    const edits = editCount(name, candidate);
    if (edits <= allowed && edits < longer && edits < nearestEdits) {
      nearest = candidate;
      nearestEdits = edits;
    }
  }
  return nearest;
}

/**
 * Letters to insert, delete, replace or swap with their neighbour until one name is the other; the optimal
 * string alignment distance, in three rows of the usual table.
 */
export function editCount(left: string, right: string): number {
  const a = left.slice(0, NAME_MAX).toLowerCase();
  const b = right.slice(0, NAME_MAX).toLowerCase();
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = a[row - 1] === b[column - 1] ? 0 : 1;
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + replaced,
        swapped ? (before[column - 2] ?? 0) + 1 : Infinity,
      );
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
