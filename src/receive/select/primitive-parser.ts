import {
  etherTypeNames,
  ipProtocolNames,
  isProtocolName,
  type ProtocolName,
  protocolNames,
  refusedWords,
} from './filter-names.ts';
import type { Direction, Expression, Primitive } from './filter-syntax.ts';
import { isOperand, parseOperands } from './operand-parser.ts';
import { protocolsByType, type Qualifiers } from './qualifiers.ts';
import type { Token } from './filter-tokens.ts';
import type { TokenReader } from './token-reader.ts';

const VLAN_ID_MAX = 0xfff;
const types = ['host', 'net', 'port', 'portrange', 'proto'] as const;
const others = ['vlan', 'less', 'greater', 'broadcast', 'multicast', 'not', 'len', 'src', 'dst'] as const;
const known: readonly string[] = [...protocolNames, ...types, ...others];

/** A primitive, and what an address or number after it would be taken for. */
export interface ReadPrimitive {
  readonly expression: Expression;
  readonly qualifiers: Qualifiers | undefined;
}

/** Reads one condition that begins with a word: its qualifiers, and what they ask for. */
export function parsePrimitive(reader: TokenReader): ReadPrimitive {
  const { kind, text } = reader.peek();
  if (kind !== 'word') reader.refuse('a condition such as "tcp port 443" or "host 10.0.0.5"');
  refuseUnbuilt(reader);
  const plain = parsePlain(reader);
  if (plain !== undefined) return { expression: plain, qualifiers: undefined };

  const protocol = isProtocolName(text) ? text : undefined;
  const protocolToken = protocol === undefined ? undefined : reader.take();
  const cast = parseCast(reader, protocol);
  if (cast !== undefined) return { expression: cast, qualifiers: undefined };
  const start = reader.peek();
  const direction = parseDirection(reader);
  const type = parseType(reader);
  if (direction === undefined && type === undefined) {
    if (protocol === undefined) return refuseUnknown(reader);
    return { expression: alone(reader, protocol), qualifiers: undefined };
  }
  if (type === 'proto' && direction !== undefined) {
    const message = 'a protocol is of both ends: leave out src and dst before "proto"';
    reader.refuseToken(start, 'host, net, port or portrange after src and dst', { message });
  }
  const qualifiers: Qualifiers = { protocol, direction: direction ?? 'src or dst', type: type ?? 'host' };
  if (protocolToken !== undefined) checkProtocol(reader, protocolToken, qualifiers);
  return { expression: parseOperands(reader, qualifiers), qualifiers };
}

/** Conditions without qualifiers. */
function parsePlain(reader: TokenReader): Primitive | undefined {
  if (reader.takeIf('vlan') !== undefined) {
    const hasId = reader.peek().kind === 'number';
    return { kind: 'vlan', id: hasId ? reader.expectNumber('a VLAN id', VLAN_ID_MAX) : undefined };
  }
  const size = reader.takeIf('less', 'greater');
  if (size === undefined) return undefined;
  const right = { kind: 'number', value: reader.expectNumber('a number of bytes') } as const;
  return { kind: 'relation', operator: size.text === 'less' ? '<=' : '>=', left: { kind: 'length' }, right };
}

function parseCast(reader: TokenReader, protocol: ProtocolName | undefined): Primitive | undefined {
  if (!reader.is(0, 'broadcast', 'multicast')) return undefined;
  const isIp = protocol === 'ip' || protocol === 'ip6';
  if (protocol !== undefined && protocol !== 'ether' && !isIp)
    reader.refuse(`host, net, port or nothing after ${protocol}`);
  if (isIp && reader.is(0, 'broadcast'))
    reader.refuse('"multicast"', {
      message: 'which IP addresses are broadcast depends on a mask that nobody gives',
    });
  const to = reader.take().text === 'broadcast' ? 'broadcast' : 'multicast';
  return { kind: 'cast', to: isIp && to === 'multicast' ? `${protocol} multicast` : to };
}

/** `src`, `dst`, `src or dst`, `src and dst` and the like. */
function parseDirection(reader: TokenReader): Direction | undefined {
  const first = reader.takeIf('src', 'dst');
  if (first === undefined) return undefined;
  const other = first.text === 'src' ? 'dst' : 'src';
  if (!reader.is(0, 'and', '&&', 'or', '||') || !reader.is(1, other)) return first.text as Direction;
  const isBoth = reader.is(0, 'and', '&&');
  reader.take();
  reader.take();
  return isBoth ? 'src and dst' : 'src or dst';
}

function parseType(reader: TokenReader): Qualifiers['type'] | undefined {
  const token = reader.takeIf(...types);
  return types.find((type) => type === token?.text);
}

/** A protocol without qualifiers: every packet of it. */
function alone(reader: TokenReader, protocol: ProtocolName): Primitive {
  refuseUnbuilt(reader);
  if (protocol === 'ether') reader.refuse('host, src, dst, proto, broadcast or multicast after ether');
  if (isOperand(reader))
    reader.refuse(`host, net, port, portrange, proto, src or dst before ${reader.peek().text}`);
  const etherType = etherTypeNames.get(protocol);
  if (etherType !== undefined) return { kind: 'etherType', value: etherType };
  const isOldOnly = protocol === 'icmp' || protocol === 'igmp' || protocol === 'vrrp';
  const version = protocol === 'icmp6' ? 6 : isOldOnly ? 4 : undefined;
  return { kind: 'protocol', version, number: ipProtocolNames.get(protocol) ?? 0 };
}

function checkProtocol(reader: TokenReader, token: Token, { protocol, type }: Qualifiers): void {
  if (protocol === undefined || protocolsByType[type].includes(protocol)) return;
  const expected = `${protocolsByType[type].join(', ')} or nothing before "${type}"`;
  const message = `"${protocol}" cannot stand before "${type}": write "${protocol} and ${type} …"`;
  reader.refuseToken(token, expected, { message });
}

/** What tcpdump knows and this does not. */
function refuseUnbuilt(reader: TokenReader): void {
  const { kind, text } = reader.peek();
  if (kind !== 'word' || !refusedWords.has(text)) return;
  reader.refuse(`one of ${known.join(', ')}`, { message: `"${text}" is not supported` });
}

function refuseUnknown(reader: TokenReader): never {
  const { text } = reader.peek();
  const message = `"${text}" is no word of the filter language`;
  return reader.refuse(`one of ${known.join(', ')}`, { message, candidates: known });
}
