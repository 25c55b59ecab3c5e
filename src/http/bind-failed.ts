import { MirrorError } from '../observe/error.ts';

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Stop the program that uses the port (ss -ltnp shows it), or choose another port.',
  EACCES: 'Choose a port from 1024 up, or grant CAP_NET_BIND_SERVICE.',
  EADDRNOTAVAIL: 'Choose an address that this host has (ip address shows them), or 0.0.0.0.',
  EAFNOSUPPORT: 'This host has no IPv6: choose an IPv4 address.',
};

/** @param setting path of the setting that names the port */
export function bindFailed(setting: string, address: string, port: number, cause: unknown): MirrorError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const remedy = REMEDIES[code];
  const context = { setting, address, port, ...(remedy !== undefined && { remedy }) };
  return new MirrorError('HTTP_BIND_FAILED', `Cannot listen on TCP port ${port} of ${address}.`, context, {
    cause,
  });
}
