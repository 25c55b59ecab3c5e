import type { Layers } from '../../packet/layers.ts';
import * as aws from '../../wire/aws-option.ts';
import { u16 } from '../../wire/bytes.ts';
import { Fault, faultNames } from '../../wire/fault.ts';
import * as geneve from '../../wire/geneve.ts';
import * as udp from '../../wire/udp.ts';
import * as vxlan from '../../wire/vxlan.ts';
import { isCritical, optionLen } from './explain-tunnel.ts';
import { hexNumber } from './explained-layer.ts';

/** Why a packet was refused. */
export interface Refusal {
  /** Name of the fault, as the ledger counts it. */
  readonly name: string;
  /** Header that was refused. */
  readonly layer: string;
  /** Where it begins: byte offset from the captured packet's first byte. */
  readonly at: number;
  /** Bytes that it, or the datagram in case of a fragment, takes. */
  readonly needed: number;
  /** Bytes that are there from `at` on. */
  readonly present: number;
  /** One sentence for people. */
  readonly meaning: string;
}

type Finding = Omit<Refusal, 'name' | 'at' | 'present'> & { readonly at: number; readonly end?: number };

/**
 * Tells a fault that `readOuter` or `decap` returned, from the fields that they left in `layers`.
 *
 * @param base offset of the packet's first byte in the block
 */
export function explainFault(bytes: Buffer, base: number, fault: Fault, layers: Layers): Refusal {
  const { at, end = layers.faultEnd, ...rest } = find(bytes, fault, layers);
  return { name: faultNames[fault]!, at: at - base, present: Math.max(0, end - at), ...rest };
}

function find(bytes: Buffer, fault: Fault, layers: Layers): Finding {
  const at = layers.faultAt;
  switch (fault) {
    case Fault.udpTruncated:
      return { layer: 'UDP', at, needed: udp.HEADER_LEN, meaning: 'The packet ends inside its UDP header.' };
    case Fault.udpLength: {
      const meaning = `The UDP length says ${udp.length(bytes, at)}, less than the header itself.`;
      return { layer: 'UDP', at, needed: udp.HEADER_LEN, meaning };
    }
    case Fault.outerFragment:
      return findFragment(bytes, layers);
    case Fault.vxlanTruncated:
      return {
        layer: 'VXLAN',
        at,
        needed: vxlan.HEADER_LEN,
        meaning: 'The datagram ends inside its VXLAN header.',
      };
    case Fault.vxlanNoVni: {
      const meaning = `The flag for a valid VNI is not set (flags ${hexNumber(bytes[at]!, 2)}).`;
      return { layer: 'VXLAN', at, needed: vxlan.HEADER_LEN, meaning };
    }
    default:
      return findGeneve(bytes, at, layers.faultEnd, fault);
  }
}

function findFragment(bytes: Buffer, layers: Layers): Finding {
  const { faultAt, faultEnd, udpAt } = layers;
  const layer = layers.outerVersion === 4 ? 'IPv4' : 'IPv6';
  const isFirst = udpAt >= 0;
  return {
    layer,
    at: faultAt,
    needed: isFirst ? udp.length(bytes, udpAt) : Math.max(0, faultEnd - faultAt) + udp.HEADER_LEN,
    meaning: isFirst
      ? 'The first fragment of a datagram: the rest of it is in other packets.'
      : 'A later fragment of a datagram: its ports and its beginning are in another packet.',
  };
}

function findGeneve(bytes: Buffer, at: number, end: number, fault: Fault): Finding {
  const isWhole = end - at >= geneve.FIXED_LEN;
  const needed = isWhole ? geneve.headerLen(bytes, at) : geneve.FIXED_LEN;
  const whole = { layer: 'GENEVE', at, needed };
  switch (fault) {
    case Fault.geneveTruncated:
      return { ...whole, meaning: 'The datagram ends inside its GENEVE header or its options.' };
    case Fault.geneveVersion:
      return { ...whole, meaning: `GENEVE version ${bytes[at]! >>> 6}; only version 0 is known.` };
    case Fault.geneveControl:
      return { ...whole, meaning: 'A control packet: it carries no mirrored frame.' };
    case Fault.geneveProtocol: {
      const type = hexNumber(geneve.protocolType(bytes, at), 4);
      return { ...whole, meaning: `It carries protocol ${type}, neither Ethernet nor IPv4 nor IPv6.` };
    }
    default:
      return findOption(bytes, at, at + needed, fault);
  }
}

/** The option that is refused: the one that runs past the others' end, or the last critical one that is unknown. */
function findOption(bytes: Buffer, headerAt: number, end: number, fault: Fault): Finding {
  let refused = headerAt + geneve.FIXED_LEN;
  for (let at = refused; at < end; at += optionLen(bytes, at)) {
    const isLonger = at + optionLen(bytes, at) > end;
    const isUnknown = isCritical(bytes, at) && !aws.isKnown(u16(bytes, at), bytes[at + 2]! & 0x7f);
    if (fault === Fault.geneveOption ? isLonger : isUnknown) refused = at;
  }
  const text = `class ${hexNumber(u16(bytes, refused), 4)}, type ${bytes[refused + 2]! & 0x7f}`;
  const meaning =
    fault === Fault.geneveOption
      ? `An option (${text}) is longer than the rest of the options.`
      : `A critical option (${text}) that nobody here knows.`;
  return { layer: 'GENEVE option', at: refused, needed: optionLen(bytes, refused), end, meaning };
}
