/** Says whether CAP_NET_RAW could be raised, and whether a packet socket can be opened then. `lower`: drops it before. */
import koffi from 'koffi';
import { raiseCapability } from '../../../src/native/capability.ts';
import { capability, family, socketType } from '../../../src/native/constants.ts';
import { loadNative } from '../../../src/native/library.ts';
import { closeDescriptor, openSocket } from '../../../src/native/socket.ts';

/** `_LINUX_CAPABILITY_VERSION_3` of linux/capability.h */
const VERSION = 0x2008_0522;

await loadNative();
if (process.argv.includes('lower')) {
  lower();
  if (opens()) throw new Error('It was not lowered.');
}
process.stdout.write(`${raiseCapability(capability.CAP_NET_RAW)} ${opens()}\n`);

function opens(): boolean {
  try {
    closeDescriptor(openSocket(family.AF_PACKET, socketType.SOCK_DGRAM, 0));
    return true;
  } catch {
    return false;
  }
}

/** Leaves the thread with all that it may have, and none of it effective. */
function lower(): void {
  const library = koffi.load(null);
  const header = Buffer.alloc(8);
  header.writeUInt32LE(VERSION, 0);
  const data = Buffer.alloc(24);
  const get = library.func('int capget(void*, void*)') as (a: Buffer, b: Buffer) => number;
  const set = library.func('int capset(void*, void*)') as (a: Buffer, b: Buffer) => number;
  get(header, data);
  for (const at of [0, 12]) data.writeUInt32LE(0, at);
  set(header, data);
}
