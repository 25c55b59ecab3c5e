/** Ways in that the SASL listeners of the tests' brokers know, and what does not open them. */

/** Whom PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 let in. */
export const user = { name: 'tap', password: 'correct-horse' } as const;

/**
 * A token for OAUTHBEARER as RFC 7515 has it, without a signature: the brokers of the tests believe it until it expires.
 *
 * @param seconds from now on; below zero it has expired
 */
export function unsecuredToken(subject: string = user.name, seconds = 3600): string {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = {
    sub: subject,
    iat: Math.min(nowSeconds, nowSeconds + seconds - 60),
    exp: nowSeconds + seconds,
  };
  const parts = [{ alg: 'none' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  return `${parts.join('.')}.`;
}
