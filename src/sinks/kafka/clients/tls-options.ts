import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

import type { Secrets } from '../secrets.ts';
import type { KafkaTlsSettings } from '../security-settings.ts';

/** What Node's TLS is to know for a connection to `host`; undefined: no TLS. */
export function tlsOptions(
  tls: KafkaTlsSettings,
  secrets: Secrets,
  host: string,
): ConnectionOptions | undefined {
  if (!tls.enabled) return undefined;
  // A server name is a name: RFC 6066 section 3 allows no address.
  return {
    ...secrets.tls,
    rejectUnauthorized: tls.verify,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
}
