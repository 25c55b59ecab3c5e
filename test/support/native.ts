import { loadNative } from '../../src/native/library.ts';
import { loadRdKafka } from '../../src/native/rdkafka.ts';
import { missing } from './requires.ts';

/** True where system calls can be made in this thread; from then on they can. Otherwise the lack is recorded. */
export async function requiresNative(): Promise<boolean> {
  const reason = await loadNative();
  if (reason === undefined) return true;
  missing({ what: `system calls (${reason})`, remedy: 'run the tests on 64-bit Linux', weight: 'needed' });
  return false;
}

/** True where the system's librdkafka can be loaded into this thread; from then on it is. Otherwise the lack is recorded. */
export async function requiresRdKafka(): Promise<boolean> {
  const reason = await loadRdKafka();
  if (reason === undefined) return true;
  missing({
    what: `librdkafka (${reason})`,
    remedy: 'apt-get install --yes librdkafka1',
    weight: 'needed',
  });
  return false;
}

/** A `struct sockaddr_in` (netinet/in.h). */
export function socketAddress4(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(2, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(address.split('.').map(Number), 4);
  return bytes;
}
