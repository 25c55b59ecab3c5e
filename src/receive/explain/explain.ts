/**
 * What each layer of a packet says, and what the receiver makes of it. It asks the receiver's own steps, so that it
 * cannot come to another verdict than they do. Not on the per-packet path.
 */
import { encapsulationNames } from '../../packet/lane.ts';
import { ABSENT, Layers } from '../../packet/layers.ts';
import { verdictNames } from '../../packet/verdict.ts';
import { formatAddress } from '../../wire/address.ts';
import { Fault } from '../../wire/fault.ts';
import { decap } from '../decap.ts';
import { explainFault, type Refusal } from './explain-fault.ts';
import { describeLink } from './explain-link.ts';
import { describeNested } from './explain-nested.ts';
import { describeTunnel } from './explain-tunnel.ts';
import { type ExplainedLayer, LayerList } from './explained-layer.ts';
import { readInner } from '../inner.ts';
import { laneOfKey, makeKey } from '../lane-key.ts';
import { NOT_TUNNEL, readOuter, type TunnelPorts } from '../outer.ts';
import { judge, measure } from '../verdict.ts';

/** What is known of the mirrored frame of a delivered packet. */
export interface ExplainedFrame {
  readonly lane: string;
  readonly encapsulation: string;
  readonly vni: number;
  readonly mirrorSource: string;
  /** Byte offset from the captured packet's first byte. */
  readonly at: number;
  /** Bytes that arrived. */
  readonly length: number;
  /** Bytes before anything cut it. */
  readonly wireLen: number;
  /** It promises more than arrived. */
  readonly truncated: boolean;
  /** The outer datagram itself is incomplete: the capture cut it. */
  readonly snapped: boolean;
  /** A `Verdict` by name. */
  readonly ipChecksum: string;
  readonly transportChecksum: string;
}

export interface Explanation {
  /** Bytes that were captured, and bytes the packet had. */
  readonly length: number;
  readonly wireLen: number;
  /** Outermost first. */
  readonly layers: readonly ExplainedLayer[];
  readonly outcome: 'delivered' | 'notTunnel' | 'fault';
  /** With `delivered`. */
  readonly frame?: ExplainedFrame;
  /** With `fault`. */
  readonly fault?: Refusal;
  /** With `notTunnel`: one sentence. */
  readonly why?: string;
}

/**
 * Explains one captured packet.
 *
 * @param at       offset of its first byte, of link type `linkType`; `end` is past its last captured byte
 * @param wireLen  bytes it had before the capture cut it
 */
export function explainPacket(
  bytes: Buffer,
  at: number,
  end: number,
  wireLen: number,
  linkType: number,
  ports: TunnelPorts,
): Explanation {
  const found = new Layers();
  const list = new LayerList(bytes, at);
  const size = { length: end - at, wireLen, layers: list.layers };
  const outer = readOuter(bytes, at, end, linkType, ports, found);
  const rest = describeLink(list, at, end, linkType);
  if (outer === NOT_TUNNEL) {
    list.addData(rest);
    return { ...size, outcome: 'notTunnel', why: whyNotTunnel(list.layers, found) };
  }
  if (outer !== Fault.none) {
    list.addData(rest);
    return { ...size, outcome: 'fault', fault: explainFault(bytes, at, outer as Fault, found) };
  }

  const fault = decap(bytes, ports, found);
  describeTunnel(list, ports, found, fault);
  if (fault !== Fault.none) {
    return { ...size, outcome: 'fault', fault: explainFault(bytes, at, fault, found) };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  readInner(bytes, found);
  const behind = describeLink(list, found.frameAt, found.frameEnd, found.linkType);
  list.addData(describeNested(list, view, found, behind));
  return { ...size, outcome: 'delivered', frame: explainFrame(bytes, view, at, found) };
}

function explainFrame(bytes: Buffer, view: DataView, base: number, found: Layers): ExplainedFrame {
  measure(found);
  judge(bytes, view, found);
  const key = makeKey(found.encapsulation, found.vni, found.hasEndpoint, found.linkType);
  return {
    lane: laneOfKey(key, found.endpointHigh, found.endpointLow).name,
    encapsulation: encapsulationNames[found.encapsulation]!,
    vni: found.vni,
    mirrorSource: formatAddress(bytes, found.mirrorSourceAt, found.mirrorSourceVersion),
    at: found.frameAt - base,
    length: found.frameEnd - found.frameAt,
    wireLen: found.frameWireLen,
    truncated: found.truncated === 1,
    snapped: found.snapped === 1,
    ipChecksum: verdictNames[found.ipVerdict]!,
    transportChecksum: verdictNames[found.transportVerdict]!,
  };
}

function whyNotTunnel(layers: readonly ExplainedLayer[], found: Layers): string {
  if (found.udpAt !== ABSENT) return `UDP port ${found.destinationPort} is no tunnel port.`;
  const last = layers.findLast(({ name }) => name !== 'Data');
  if (last?.note !== undefined) return `${last.name}: ${last.note}.`;
  return `It is ${last?.name ?? 'nothing'}, not UDP to a tunnel port.`;
}
