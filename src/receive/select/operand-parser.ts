import { IpProtocol } from '../../wire/ip-protocol.ts';
import {
  address6,
  macAddress,
  masked4,
  masked6,
  type Network4,
  type Network6,
  network4,
  networkOfNumber,
} from './filter-addresses.ts';
import { etherTypeNames, ipProtocolNames, portNames } from './filter-names.ts';
import type { Expression, Primitive } from './filter-syntax.ts';
import type { Token } from './filter-tokens.ts';
import type { Qualifiers } from './qualifiers.ts';
import type { TokenReader } from './token-reader.ts';

const PORT_MAX = 0xffff;
/** Smaller numbers in an Ethernet header are lengths (IEEE 802.3 clause 3.2.6). */
const ETHER_TYPE_MIN = 0x600;
/** The order of tcpdump, which shows where a frame is cut. */
const anyTransport: readonly number[] = [IpProtocol.sctp, IpProtocol.tcp, IpProtocol.udp];

/** Says whether the next token is an address, a number or a name of one: something that needs qualifiers. */
export function isOperand(reader: TokenReader): boolean {
  const { kind, text } = reader.peek();
  if (kind === 'word') return portNames.has(text) && !ipProtocolNames.has(text);
  return kind !== 'symbol' && kind !== 'end';
}

/** Reads what follows qualifiers: one address or number, or a list of them in brackets as in `host (a or b)`. */
export function parseOperands(reader: TokenReader, qualifiers: Qualifiers): Expression {
  return reader.nested(() => {
    if (reader.takeIf('not', '!') !== undefined)
      return { kind: 'not', of: parseOperands(reader, qualifiers) };
    const open = reader.takeIf('(');
    if (open === undefined) return parseOperand(reader, qualifiers);
    let left = parseOperands(reader, qualifiers);
    for (;;) {
      const operator = reader.takeIf('and', '&&', 'or', '||');
      if (operator === undefined) break;
      const kind = operator.text === 'and' || operator.text === '&&' ? 'and' : 'or';
      left = { kind, left, right: parseOperands(reader, qualifiers) };
    }
    if (reader.isEnd()) reader.refuseToken(open, '")"', { message: 'this bracket is not closed' });
    reader.expect(')', 'to close the bracket, "and" or "or"');
    return left;
  });
}

/** Reads one address or number. */
export function parseOperand(reader: TokenReader, qualifiers: Qualifiers): Primitive {
  switch (qualifiers.type) {
    case 'host':
      return parseHost(reader, qualifiers);
    case 'net':
      return parseNet(reader, qualifiers);
    case 'port':
      return parsePort(reader, qualifiers);
    case 'portrange':
      return parsePortRange(reader, qualifiers);
    default:
      return parseProtocol(reader, qualifiers);
  }
}

function parseHost(reader: TokenReader, { protocol, direction }: Qualifiers): Primitive {
  const token = reader.peek();
  if (protocol === 'ether') {
    if (token.kind !== 'mac') reader.refuse('an Ethernet address such as 02:00:00:00:00:01');
    reader.take();
    return { kind: 'mac', direction, ...macAddress(token) };
  }
  if (token.kind === 'mac') {
    const message = `an Ethernet address needs "ether": write "ether host ${token.text}"`;
    reader.refuse('an IPv4 or IPv6 address', { message });
  }
  if (token.kind !== 'ipv4' && token.kind !== 'ipv6') {
    const isName = token.kind === 'word' || token.kind === 'escaped';
    const message = `${JSON.stringify(token.text)} is no address, and names are not looked up`;
    reader.refuse('an IPv4 or IPv6 address', isName ? { message } : {});
  }
  reader.take();
  if (reader.is(0, '/', 'mask', 'netmask')) {
    const message = `an address with a mask is a network: write "net ${token.text}${reader.peek().text}…"`;
    reader.refuse('an address without mask', { message });
  }
  return token.kind === 'ipv4'
    ? ipv4(reader, token, { protocol, direction }, network4(token))
    : ipv6(reader, token, { protocol, direction }, address6(token));
}

function parseNet(reader: TokenReader, { protocol, direction }: Qualifiers): Primitive {
  const token = reader.peek();
  switch (token.kind) {
    case 'number':
      reader.take();
      return ipv4(reader, token, { protocol, direction }, masked4(reader, token, networkOfNumber(token)));
    case 'ipv4':
      reader.take();
      return ipv4(reader, token, { protocol, direction }, masked4(reader, token, network4(token)));
    case 'ipv6':
      reader.take();
      return ipv6(reader, token, { protocol, direction }, masked6(reader, token, address6(token)));
    default:
      return reader.refuse('a network such as 10.0.0.0/8 or 2001:db8::/32');
  }
}

type Ends = Pick<Qualifiers, 'protocol' | 'direction'>;

function ipv4(
  reader: TokenReader,
  token: Token,
  { protocol, direction }: Ends,
  network: Network4,
): Primitive {
  if (protocol === undefined || protocol === 'ip' || protocol === 'arp' || protocol === 'rarp')
    return { kind: 'ipv4', of: protocol, direction, ...network };
  return reader.refuseToken(token, 'an IPv6 address after ip6');
}

function ipv6(
  reader: TokenReader,
  token: Token,
  { protocol, direction }: Ends,
  network: Network6,
): Primitive {
  if (protocol === undefined || protocol === 'ip6') return { kind: 'ipv6', direction, ...network };
  return reader.refuseToken(token, `an IPv4 address after ${protocol}`);
}

function parsePort(reader: TokenReader, { protocol, direction }: Qualifiers): Primitive {
  const port = portOf(reader);
  return { kind: 'port', protocols: transportsOf(protocol), direction, first: port, last: port };
}

function parsePortRange(reader: TokenReader, { protocol, direction }: Qualifiers): Primitive {
  const [one, other] = portRangeOf(reader);
  const protocols = transportsOf(protocol);
  return { kind: 'port', protocols, direction, first: Math.min(one, other), last: Math.max(one, other) };
}

function portRangeOf(reader: TokenReader): readonly [number, number] {
  const { kind, text } = reader.peek();
  const dash = text.indexOf('-');
  // names have dashes too
  if (kind === 'word' && dash > 0 && !portNames.has(text)) {
    const [one, other] = [portNames.get(text.slice(0, dash)), portNames.get(text.slice(dash + 1))];
    if (one === undefined || other === undefined) return reader.refuse('two ports with "-" between them');
    reader.take();
    return [one, other];
  }
  const one = portOf(reader);
  return [one, reader.takeIf('-') === undefined ? one : portOf(reader)];
}

function portOf(reader: TokenReader): number {
  const { kind, text } = reader.peek();
  if (kind === 'number') return reader.expectNumber('a port', PORT_MAX);
  const port = kind === 'word' || kind === 'escaped' ? portNames.get(text) : undefined;
  if (port === undefined)
    return reader.refuse('a port: a number, or a known name', { candidates: [...portNames.keys()] });
  reader.take();
  return port;
}

function transportsOf(protocol: Qualifiers['protocol']): readonly number[] {
  const number = protocol === undefined ? undefined : ipProtocolNames.get(protocol);
  return number === undefined ? anyTransport : [number];
}

function parseProtocol(reader: TokenReader, { protocol }: Qualifiers): Primitive {
  const token = reader.peek();
  if (protocol === 'ether') {
    const value = numberOrName(reader, 'an EtherType', PORT_MAX, etherTypeNames);
    if (value < ETHER_TYPE_MIN) reader.refuseToken(token, 'an EtherType, at least 0x600');
    return { kind: 'etherType', value };
  }
  const number = numberOrName(reader, 'an IP protocol', 0xff, ipProtocolNames);
  return { kind: 'protocol', version: protocol === 'ip' ? 4 : protocol === 'ip6' ? 6 : undefined, number };
}

function numberOrName(
  reader: TokenReader,
  what: string,
  max: number,
  names: ReadonlyMap<string, number>,
): number {
  const { kind, text } = reader.peek();
  if (kind === 'number') return reader.expectNumber(what, max);
  const number = kind === 'word' || kind === 'escaped' ? names.get(text) : undefined;
  if (number === undefined)
    return reader.refuse(`${what}: a number, or a known name`, { candidates: [...names.keys()] });
  reader.take();
  return number;
}
