/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('Nothing has no median.');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** The median of what `read` says of each. */
export function medianOf<T>(samples: readonly T[], read: (sample: T) => number): number {
  return median(samples.map(read));
}

/** `3,700`: a whole number, as people read it. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `0.84`, or `–` where nothing was measured to divide by. */
export function ratio(value: number, reference: number | undefined): string {
  return reference === undefined || reference === 0 ? '–' : (value / reference).toFixed(2);
}

/** `12.3 MB`, in powers of ten. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
