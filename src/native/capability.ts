import { capData, capHeader } from './layout.ts';
import { systemCalls } from './library.ts';
import { checked } from './retry.ts';

/** `_LINUX_CAPABILITY_VERSION_3` of linux/capability.h: capabilities come in two words of 32. */
const VERSION = 0x2008_0522;
const WORDS = 2;

/**
 * Makes a capability effective in this thread if the program may have it (capabilities(7)). A program file that is
 * given it as "permitted" alone starts wherever it is withheld, as in a container without it; one that is given it as
 * "effective" is refused by the kernel there. The price is that the program asks for it, here.
 *
 * @param capability 0 .. 31, as in `CAP_NET_RAW`
 * @returns whether the thread has it now
 */
export function raiseCapability(capability: number): boolean {
  const { capget, capset } = systemCalls();
  const header = Buffer.alloc(capHeader.bytes);
  header.writeUInt32LE(VERSION, capHeader.at.version);
  const data = Buffer.alloc(WORDS * capData.bytes);
  checked('capget', () => capget(header, data));

  const bit = (1 << capability) >>> 0;
  const effective = data.readUInt32LE(capData.at.effective);
  if ((effective & bit) !== 0) return true;
  if ((data.readUInt32LE(capData.at.permitted) & bit) === 0) return false;
  data.writeUInt32LE((effective | bit) >>> 0, capData.at.effective);
  checked('capset', () => capset(header, data));
  return true;
}
