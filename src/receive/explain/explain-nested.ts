import { Innermost, Nest, NEST_DEPTH_MAX } from '../../packet/innermost.ts';
import { Layers } from '../../packet/layers.ts';
import { EtherType } from '../../wire/ether-type.ts';
import * as gre from '../../wire/gre.ts';
import * as udp from '../../wire/udp.ts';
import { describeLink } from './explain-link.ts';
import { describeGeneve, describeVxlan } from './explain-tunnel.ts';
import { hexNumber, type LayerList, named, type Remainder } from './explained-layer.ts';
import { readInner } from '../inner.ts';
import { readIp } from '../innermost.ts';
import { findNested, NO_NEST } from '../nested.ts';

/**
 * Describes the tunnels that the mirrored frame is, as far as flows are made of what is inside: to the same depth, by the
 * same rules.
 *
 * @param found of the mirrored frame, after `readInner`
 * @param rest  what comes behind the headers of the mirrored frame
 * @returns what comes behind the last header that is known
 */
export function describeNested(
  list: LayerList,
  view: DataView,
  found: Layers,
  rest: Remainder | undefined,
): Remainder | undefined {
  const { bytes } = list;
  const around = new Innermost();
  const inside = new Layers();
  let behind = rest;
  if (!readIp(bytes, view, found, around)) return behind;
  for (let depth = 0; depth < NEST_DEPTH_MAX; depth++) {
    const kind = findNested(bytes, around, inside);
    if (kind === NO_NEST) break;
    const { transportAt } = around;
    readInner(bytes, inside);
    if (!readIp(bytes, view, inside, around)) break;
    describeHeader(list, kind, transportAt, inside);
    behind = describeLink(list, inside.frameAt, inside.frameEnd, inside.linkType);
  }
  return behind;
}

/** Describes the header between the tunnel's IP or UDP header and what it carries: IP in IP has none. */
function describeHeader(list: LayerList, kind: Nest, transportAt: number, inside: Layers): void {
  const payloadAt = transportAt + udp.HEADER_LEN;
  if (kind === Nest.vxlan) describeVxlan(list, payloadAt, inside.frameEnd);
  else if (kind === Nest.geneve) describeGeneve(list, payloadAt, inside.frameEnd);
  else if (kind === Nest.gre) describeGre(list, transportAt);
}

function describeGre(list: LayerList, at: number): void {
  const { bytes } = list;
  const protocol = gre.protocolType(bytes, at);
  list.add('GRE', at, gre.headerLen(bytes, at), [
    ['protocol', named(hexNumber(protocol, 4), protocol, EtherType)],
    ...(gre.hasKey(bytes, at) ? ([['key', String(gre.key(bytes, at))]] as const) : []),
  ]);
}
