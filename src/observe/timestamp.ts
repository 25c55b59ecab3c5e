/**
 * The packet time of two columns as RFC 3339 text with all nine digits: `2019-06-27T10:00:00.000000000Z`.
 *
 * @param seconds whole seconds since the epoch
 * @param nanoseconds within the second, 0..999,999,999
 */
export function isoTimestamp(seconds: number, nanoseconds: number): string {
  const whole = new Date(seconds * 1000).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
  return `${whole}.${String(nanoseconds).padStart(9, '0')}Z`;
}

/** Seconds since the epoch, fraction included, of a text that `isoTimestamp` wrote. */
export function timestampSeconds(iso: string): number {
  const dot = iso.indexOf('.');
  return Date.parse(`${iso.slice(0, dot)}Z`) / 1000 + Number(iso.slice(dot, -1));
}
