/**
 * Which worker gets a packet, decided in the kernel by what is inside the tunnel: both directions of a connection come
 * to one worker whatever outer ports their packets have.
 *
 * Outer packet and tunnel are read as the receiver reads them: VXLAN, GENEVE around Ethernet or IP, and VXLAN inside
 * GENEVE; up to four VLAN tags inside; IPv6 extension headers as far as EXTENSIONS_MAX.
 *
 * | steering     | what is hashed |
 * | ------------ | --- |
 * | `flow`       | the two inner IP addresses: fragments, and copies under other VNIs, stay with their connection |
 * | `flow-ports` | and the two ports of unfragmented TCP and UDP; fragments go by their addresses alone |
 * | `vni`        | the VNI of the lane: that of VXLAN where there is one, else that of GENEVE |
 *
 * An unfragmented ICMP error (IPv4 types 3, 4, 5, 11, 12; IPv6 types 1 to 4) is between a router and a host. It is
 * hashed by the packet that it carries, as far as that is there: by its addresses, with `flow-ports` by its ports too. So
 * it comes to the worker of the connection that it is about.
 *
 * Hash 0, that is worker 0, is for what has no addresses to hash: frames without IP, frames that end before their
 * addresses, fragments of the outer packet, packets to other ports. With `flow-ports`, a frame that ends between its
 * addresses and its ports goes by its addresses.
 */
import { assert } from '../../wire/assert.ts';
import { assemble } from './assembler.ts';
import { at, imm, ja, ld, ldx, mem, ret, rsh, type Step } from './instructions.ts';
import type { Program } from './program.ts';
import { geneveSteps, outerSteps, vxlanSteps } from './steering-frame.ts';
import { addressSteps, finish, Word } from './steering-hash.ts';
import { ethernetSteps, innerSteps, rawSteps } from './steering-inner.ts';
import { PLAIN_VXLAN, plainInnerSteps, plainOuterSteps } from './steering-plain.ts';

export interface SteeringOptions {
  readonly steering: 'flow' | 'flow-ports' | 'vni';
  readonly vxlanPorts: readonly number[];
  readonly genevePorts: readonly number[];
}

/**
 * For a packet socket's fan-out group (linux/if_packet.h, PACKET_FANOUT_CBPF), whose packets begin at the network
 * header. Returns the 32-bit hash; the kernel takes it modulo the members.
 */
export function fanOutProgram(options: SteeringOptions): Program {
  const { vxlanPorts, genevePorts, steering } = options;
  return assemble([
    ...plainOuterSteps(vxlanPorts.filter((port) => !genevePorts.includes(port))),
    ...plainInnerSteps(PLAIN_VXLAN, steering),
    at('other'),
    ...outerSteps(options),
    ...payloadSteps(options, undefined),
  ]);
}

/**
 * For the sockets that share a UDP port (asm-generic/socket.h, SO_ATTACH_REUSEPORT_CBPF), whose packets begin at the UDP
 * payload. Returns the number of the socket, 0 .. `members` - 1, in the order in which they were bound.
 */
export function reusePortProgram(options: SteeringOptions, port: number, members: number): Program {
  assert(members > 0, 'There is no socket to choose.');
  const isGeneve = options.genevePorts.includes(port);
  return assemble([
    ...(isGeneve ? [] : plainInnerSteps(0, options.steering)),
    at('other'),
    ldx(imm(0)),
    ja(isGeneve ? 'geneve' : 'vxlan'),
    ...payloadSteps(options, members),
  ]);
}

/** From the label `geneve` or `vxlan`, with X at that header, to the end. */
function payloadSteps(options: SteeringOptions, members: number | undefined): Step[] {
  const byVni = options.steering === 'vni';
  const withPorts = options.steering === 'flow-ports';
  return [
    ...geneveSteps(options, byVni),
    ...vxlanSteps(byVni),
    at('ethernet'),
    ...(byVni ? vniSteps : [...ethernetSteps(), ...rawSteps(), ...innerSteps(withPorts)]),
    ...(byVni ? [] : [at('addresses'), ...addressSteps(withPorts)]),
    ...finish(members),
    at('none'),
    ret(0),
  ];
}

const vniSteps: readonly Step[] = [at('raw'), ld(mem(Word.vni)), rsh(8), at('vni')];
