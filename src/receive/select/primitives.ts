import { EtherType } from '../../wire/ether-type.ts';
import { all, any, at, Compare, type Condition, Load, never, not, type Test } from './condition.ts';
import type { Direction, Expression, Primitive } from './filter-syntax.ts';
import type { FrameLayout } from './frame-layout.ts';
import { firstFragment, IPV4_PROTOCOL, IPV6_LEN, IPV6_NEXT_HEADER, ofProtocol } from './protocols.ts';
import { ofRelation } from './relations.ts';

const RARP = 0x8035;
const vlanTypes: readonly number[] = [0x8100, 0x88a8, 0x9100];
/** Offsets of source and destination in each header. */
const ends = { ipv4: [12, 16], arp: [14, 24], ipv6: [8, 24], mac: [6, 0] } as const;
type Ends = readonly [source: number, destination: number];

const IPV4_MULTICAST_FROM = 224;
const IPV6_MULTICAST = 0xff;

/** Says in terms of bytes what an expression asks for. Goes from left to right, for `vlan` moves what follows it. */
export function conditionOf(expression: Expression, layout: FrameLayout): Condition {
  switch (expression.kind) {
    case 'and':
    case 'or': {
      const left = conditionOf(expression.left, layout);
      return { kind: expression.kind, left, right: conditionOf(expression.right, layout) };
    }
    case 'not':
      return not(conditionOf(expression.of, layout));
    default:
      return ofPrimitive(expression, layout);
  }
}

function ofPrimitive(primitive: Primitive, layout: FrameLayout): Condition {
  switch (primitive.kind) {
    case 'ipv4':
      return ofIpv4(primitive, layout);
    case 'ipv6':
      return all(
        layout.etherType(EtherType.ipv6),
        either(primitive.direction, ends.ipv6, (offset) => words6(primitive, layout.network + offset)),
      );
    case 'mac':
      return layout.isEthernet
        ? either(primitive.direction, ends.mac, (offset) => mac(primitive, offset))
        : never;
    case 'port':
      return ofPort(primitive, layout);
    case 'protocol':
      return ofProtocol(primitive, layout);
    case 'etherType':
      return layout.etherType(primitive.value);
    case 'vlan':
      return ofVlan(primitive, layout);
    case 'cast':
      return ofCast(primitive, layout);
    default:
      return ofRelation(primitive, layout);
  }
}

/** The condition of source, destination, one or both of them, asked in this order. */
function either(
  direction: Direction,
  [source, destination]: Ends,
  of: (offset: number) => Condition,
): Condition {
  switch (direction) {
    case 'src':
      return of(source);
    case 'dst':
      return of(destination);
    case 'src and dst':
      return all(of(source), of(destination));
    default:
      return any(of(source), of(destination));
  }
}

type Of<Kind extends Primitive['kind']> = Extract<Primitive, { kind: Kind }>;

function ofIpv4({ of, direction, address, mask }: Of<'ipv4'>, layout: FrameLayout): Condition {
  const inside = (etherType: number, where: Ends): Condition =>
    all(
      layout.etherType(etherType),
      either(direction, where, (offset) => at(Load.word, layout.network + offset, address, mask)),
    );
  if (of === 'ip') return inside(EtherType.ipv4, ends.ipv4);
  if (of === 'arp') return inside(EtherType.arp, ends.arp);
  if (of === 'rarp') return inside(RARP, ends.arp);
  return any(inside(EtherType.ipv4, ends.ipv4), inside(EtherType.arp, ends.arp), inside(RARP, ends.arp));
}

function words6({ words, masks }: Of<'ipv6'>, offset: number): Condition {
  return all(...words.map((word, i) => at(Load.word, offset + 4 * i, word, masks[i])));
}

/** Its last four bytes first. */
function mac({ high, low }: { high: number; low: number }, offset: number): Condition {
  return all(at(Load.word, offset + 2, low), at(Load.half, offset, high));
}

/** IPv6 first, without extension headers; of IPv4 no later fragments, for they have no ports. */
function ofPort({ protocols, direction, first, last }: Of<'port'>, layout: FrameLayout): Condition {
  const { network } = layout;
  const one = (load: Load, offset: number, base: number): Condition => {
    const test: Test = { ...at(load, offset, first), base };
    if (first === last) return test;
    return all(
      { ...test, compare: Compare.atLeast },
      not({ ...test, compare: Compare.greater, value: last }),
    );
  };
  const newer = all(
    layout.etherType(EtherType.ipv6),
    any(...protocols.map((number) => at(Load.byte, network + IPV6_NEXT_HEADER, number))),
    either(direction, [0, 2], (offset) => one(Load.half, network + IPV6_LEN + offset, 0)),
  );
  const older = all(
    layout.etherType(EtherType.ipv4),
    any(...protocols.map((number) => at(Load.byte, network + IPV4_PROTOCOL, number))),
    firstFragment(layout),
    either(direction, [0, 2], (offset) => one(Load.transportHalf, offset, network)),
  );
  return any(newer, older);
}

function ofVlan({ id }: Of<'vlan'>, layout: FrameLayout): Condition {
  if (!layout.isEthernet) return never;
  const isTagged = any(...vlanTypes.map((etherType) => layout.etherType(etherType)));
  const tagAt = layout.network;
  layout.enterTag();
  return id === undefined ? isTagged : all(isTagged, at(Load.half, tagAt, id, 0xfff));
}

function ofCast({ to }: Of<'cast'>, layout: FrameLayout): Condition {
  const { network } = layout;
  if (to === 'ip multicast') {
    const destination = at(Load.byte, network + ends.ipv4[1], IPV4_MULTICAST_FROM);
    return all(layout.etherType(EtherType.ipv4), { ...destination, compare: Compare.atLeast });
  }
  if (to === 'ip6 multicast')
    return all(layout.etherType(EtherType.ipv6), at(Load.byte, network + ends.ipv6[1], IPV6_MULTICAST));
  if (!layout.isEthernet) return never;
  if (to === 'multicast') return at(Load.byte, 0, 1, 1);
  return mac({ high: 0xffff, low: 0xffff_ffff }, ends.mac[1]);
}
