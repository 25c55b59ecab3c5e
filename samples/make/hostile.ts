import type { Packet } from './capture.ts';
import { hostileGeneve } from './hostile-geneve.ts';
import { hostileInner } from './hostile-inner.ts';
import { hostileOuter } from './hostile-outer.ts';
import type { HostilePacket } from './hostile-packet.ts';
import { hostileVxlan } from './hostile-vxlan.ts';

/** All hostile packets, in the order of the file. */
export function hostilePackets(): HostilePacket[] {
  return [...hostileVxlan(), ...hostileGeneve(), ...hostileOuter(), ...hostileInner()];
}

/** The same as a capture: one a tenth of a second. */
export function hostile(): Packet[] {
  return hostilePackets().map(({ bytes, wireLen = bytes.length }, i) => ({
    timeUs: i * 100_000,
    bytes,
    wireLen,
  }));
}
