import { Encapsulation } from '../../packet/lane.ts';
import type { Layers } from '../../packet/layers.ts';
import * as aws from '../../wire/aws-option.ts';
import { u16 } from '../../wire/bytes.ts';
import { EtherType } from '../../wire/ether-type.ts';
import { Fault } from '../../wire/fault.ts';
import * as geneve from '../../wire/geneve.ts';
import * as vxlan from '../../wire/vxlan.ts';
import { describeIp } from './explain-ip.ts';
import { hexNumber, type LayerList, named } from './explained-layer.ts';
import { PortUse, type TunnelPorts } from '../outer.ts';

/** Bytes of an option before its data: class, type, length. */
const OPTION_HEADER_LEN = 4;

const AWS_OPTIONS: Readonly<Record<number, string>> = {
  [aws.ENDPOINT]: 'Gateway Load Balancer endpoint',
  [aws.ATTACHMENT]: 'Gateway Load Balancer attachment',
  [aws.FLOW_COOKIE]: 'Gateway Load Balancer flow cookie',
};

/** Describes the headers between the UDP payload and the mirrored frame, as far as they arrived. */
export function describeTunnel(list: LayerList, ports: TunnelPorts, layers: Layers, fault: Fault): void {
  const { payloadAt, payloadEnd } = layers;
  if (ports[layers.destinationPort] === PortUse.vxlan) return describeVxlan(list, payloadAt, payloadEnd);
  describeGeneve(list, payloadAt, payloadEnd);
  const refusedVxlan = fault === Fault.vxlanTruncated || fault === Fault.vxlanNoVni;
  if (!refusedVxlan && layers.encapsulation !== Encapsulation.geneveVxlan) return;
  describeIp(list, payloadAt + geneve.headerLen(list.bytes, payloadAt), payloadEnd);
  if (refusedVxlan) describeVxlan(list, layers.faultAt, layers.faultEnd);
  else describeVxlan(list, layers.frameAt - vxlan.HEADER_LEN, layers.frameEnd);
}

/** Describes a VXLAN header, as far as it arrived. */
export function describeVxlan(list: LayerList, at: number, end: number): void {
  if (end - at < vxlan.HEADER_LEN) return list.addCut('VXLAN', at, end, vxlan.HEADER_LEN);
  const { bytes } = list;
  list.add(
    'VXLAN',
    at,
    vxlan.HEADER_LEN,
    [
      ['flags', hexNumber(bytes[at]!, 2)],
      ['VNI', String(vxlan.vni(bytes, at))],
    ],
    vxlan.reservedBits(bytes, at) ? 'reserved bits are set, and ignored' : undefined,
  );
}

/** Describes a GENEVE header with its options, as far as they arrived. */
export function describeGeneve(list: LayerList, at: number, end: number): void {
  const { bytes } = list;
  if (end - at < geneve.FIXED_LEN) return list.addCut('GENEVE', at, end, geneve.FIXED_LEN);
  const headerLen = geneve.headerLen(bytes, at);
  const protocol = geneve.protocolType(bytes, at);
  list.add(
    'GENEVE',
    at,
    Math.min(headerLen, end - at),
    [
      ['version', String(bytes[at]! >>> 6)],
      ['bytes of options', String(headerLen - geneve.FIXED_LEN)],
      ['control', geneve.isControl(bytes, at) ? 'yes' : 'no'],
      ['protocol', named(hexNumber(protocol, 4), protocol, EtherType)],
      ['VNI', String(geneve.vni(bytes, at))],
    ],
    headerLen > end - at ? `cut: ${headerLen} bytes needed, ${end - at} present` : undefined,
  );
  const optionsEnd = Math.min(end, at + headerLen);
  let optionAt = at + geneve.FIXED_LEN;
  while (optionAt < optionsEnd) optionAt = describeOption(list, optionAt, optionsEnd);
}

/** Returns the offset just past the option. */
function describeOption(list: LayerList, at: number, end: number): number {
  const { bytes } = list;
  const needed = end - at < OPTION_HEADER_LEN ? OPTION_HEADER_LEN : optionLen(bytes, at);
  if (end - at < needed) {
    list.addCut('GENEVE option', at, end, needed);
    return end;
  }
  const optionClass = u16(bytes, at);
  const type = bytes[at + 2]! & 0x7f;
  const name = optionClass === aws.CLASS ? AWS_OPTIONS[type] : undefined;
  list.add('GENEVE option', at, needed, [
    ['class', hexNumber(optionClass, 4)],
    ['type', name === undefined ? String(type) : `${type} (${name})`],
    ['critical', isCritical(bytes, at) ? 'yes' : 'no'],
    ['data', `0x${bytes.toString('hex', at + OPTION_HEADER_LEN, at + needed)}`],
  ]);
  return at + needed;
}

/** Bytes of the option at `at` with its header. */
export function optionLen(bytes: Buffer, at: number): number {
  return OPTION_HEADER_LEN + (bytes[at + 3]! & 0x1f) * 4;
}

/** Says whether a receiver that does not know the option must refuse the packet. */
export function isCritical(bytes: Buffer, at: number): boolean {
  return (bytes[at + 2]! & 0x80) !== 0;
}
