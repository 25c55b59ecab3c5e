import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../../../src/receive/select/compile-filter.ts';
import { FilterError } from '../../../../src/receive/select/filter-error.ts';
import { parseFilter } from '../../../../src/receive/select/filter-parser.ts';

/** Two spellings of one expression. */
test.each([
  ['tcp port 80 or 443', 'tcp port 80 or tcp port 443'],
  ['host 10.0.0.1 or 10.0.0.2', 'host 10.0.0.1 or host 10.0.0.2'],
  ['host (10.0.0.1 or 10.0.0.2)', 'host 10.0.0.1 or 10.0.0.2'],
  ['src host 10.0.0.1 and not 10.0.0.2', 'src host 10.0.0.1 and not src host 10.0.0.2'],
  ['port 80 and (443 or 22) and 53', 'port 80 and (port 443 or port 22) and port 53'],
  ['src 10.0.0.1', 'src host 10.0.0.1'],
  ['src or dst 10.0.0.1', 'host 10.0.0.1'],
  ['dst or src port 53', 'port 53'],
  ['dst and src port 53', 'src and dst port 53'],
  ['arp or ip and tcp', '(arp or ip) and tcp'],
  ['arp or (ip and tcp)', 'arp || (ip && tcp)'],
  ['not tcp and udp or icmp', '((not tcp) and udp) or icmp'],
  ['!tcp', 'not tcp'],
  ['! ! tcp', 'not (not tcp)'],
  ['port http or https or domain', 'port 80 or 443 or 53'],
  ['portrange ssh-http', 'portrange 22-80'],
  ['portrange 80-22', 'portrange 22-80'],
  ['portrange 22', 'port 22'],
  ['port 0x50', 'port 80'],
  ['port 0120', 'port 80'],
  ['ip proto tcp', 'ip proto 6'],
  ['ip proto \\tcp', 'ip proto 6'],
  ['proto gre', 'proto 47'],
  ['ether proto \\ip', 'ip'],
  ['icmp', 'ip proto 1'],
  ['icmp6', 'ip6 proto 58'],
  ['tcp', 'proto 6'],
  ['net 10', 'net 10.0.0.0/8'],
  ['net 10/8', 'net 10.0.0.0/8'],
  ['net 10.1', 'net 10.1.0.0/16'],
  ['net 10.1.2', 'net 10.1.2.0 mask 255.255.255.0'],
  ['net 10.1.2.3', 'host 10.1.2.3'],
  ['net 2001:db8::1', 'host 2001:db8::1'],
  ['net 2001:db8::1/128', 'host 2001:db8::1'],
  ['ether host 2:0:0:0:0:1', 'ether host 02-00-00-00-00-01'],
  ['ether src 0200.0000.0001', 'ether src host 02:00:00:00:00:01'],
  ['less 64', 'len <= 64'],
  ['greater 64', 'len >= 64'],
  ['tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn', 'tcp[13] & (2 | 16) = 2'],
  ['tcp[13] & 2 != 0', '(tcp[13:1] & 2) != 0'],
  ['ip[0] + 2 * 3 = 7', 'ip[0] + (2 * 3) = 7'],
  ['ip[0] - 2 - 3 = 0', '(ip[0] - 2) - 3 = 0'],
  ['ip[0] & 1 | 2 << 1 + 1 = 0', '(ip[0] & 1) | (2 << (1 + 1)) = 0'],
  ['-1 < len', '(0 - 1) < len'],
])('%s is %s', (one, other) => {
  expect(parseFilter(one)).toEqual(parseFilter(other));
});

test.each(['', '  ', '\n'])('nothing in %j: every packet', (text) => {
  expect(compileFilter(text)).toBeUndefined();
});

function refusal(text: string): FilterError {
  try {
    compileFilter(text);
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
  throw new Error(`${text} was taken.`);
}

describe('what is refused, with the character and a way out', () => {
  test.each([
    ['10.0.0.5', 0, '"10.0.0.5" alone does not say what it is: write "host 10.0.0.5"'],
    ['tcp and 443', 8, '"443" alone does not say what it is: write "port 443"'],
    ['(port 80) or 443', 13, '"443" alone does not say what it is: write "port 443"'],
    ['2:0:0:0:0:1', 0, '"2:0:0:0:0:1" alone does not say what it is: write "ether host 2:0:0:0:0:1"'],
    ['tcp port htttp', 9, 'expected a port: a number, or a known name, found "htttp"'],
    ['port 65536', 5, 'expected a port, at most 65535, found "65536"'],
    ['port -1', 5, 'expected a port: a number, or a known name, found "-"'],
    ['portrange 5-', 12, 'expected a port: a number, or a known name, found the end'],
    ['portrange foo-bar', 10, 'expected two ports with "-" between them, found "foo-bar"'],
    ['hosst 10.0.0.5', 0, '"hosst" is no word of the filter language'],
    ['tcp port 80 443', 12, 'expected "and" or "or", found "443"'],
    ['tcp port 80 adn udp', 12, 'expected "and" or "or", found "adn"'],
    ['tcp and', 7, 'expected a condition such as "tcp port 443" or "host 10.0.0.5", found the end'],
    ['not', 3, 'expected a condition such as "tcp port 443" or "host 10.0.0.5", found the end'],
    ['and tcp', 0, '"and" is no word of the filter language'],
    ['host (10.0.0.1 or 10.0.0.2', 5, 'this bracket is not closed'],
    ['tcp and (udp', 8, 'this bracket is not closed'],
    ['(tcp port)', 9, 'expected a port: a number, or a known name, found ")"'],
    ['tcp)', 3, 'a bracket is closed that was not opened'],
    ['tcp host 10.0.0.5', 0, '"tcp" cannot stand before "host": write "tcp and host …"'],
    ['ip port 80', 0, '"ip" cannot stand before "port": write "ip and port …"'],
    ['arp proto 1', 0, '"arp" cannot stand before "proto": write "arp and proto …"'],
    ['host www.example.com', 5, '"www.example.com" is no address, and names are not looked up'],
    ['host 10', 5, 'expected an IPv4 or IPv6 address, found "10"'],
    ['host 300.0.0.1', 5, '300.0.0.1 is no IPv4 address'],
    ['host 10.0.0.01', 5, '10.0.0.01 is no IPv4 address'],
    ['host 2001:::1', 5, '2001:::1 is no IPv6 address'],
    ['host 2:0:0:0:0:1', 5, 'an Ethernet address needs "ether": write "ether host 2:0:0:0:0:1"'],
    ['ether host 10.0.0.1', 11, 'expected an Ethernet address such as 02:00:00:00:00:01, found "10.0.0.1"'],
    ['src 10.0.0.0/8', 12, 'an address with a mask is a network: write "net 10.0.0.0/…"'],
    ['ip6 host 10.0.0.1', 9, 'expected an IPv6 address after ip6, found "10.0.0.1"'],
    ['ip net 2001:db8::/32', 7, 'expected an IPv4 address after ip, found "2001:db8::"'],
    ['net 10.0.0.1/8', 4, '10.0.0.1 has bits that its mask leaves out'],
    ['net 2001:db8::1/64', 4, '2001:db8::1 has bits that its mask leaves out'],
    ['net 10.0.0.0/33', 13, 'expected bits of the network, at most 32, found "33"'],
    ['net 10.0.0.0 mask 8', 18, 'expected a mask such as 255.255.0.0, found "8"'],
    ['net port', 4, 'expected a network such as 10.0.0.0/8 or 2001:db8::/32, found "port"'],
    [
      'ip 10.0.0.5',
      3,
      'expected host, net, port, portrange, proto, src or dst before 10.0.0.5, found "10.0.0.5"',
    ],
    ['src proto 6', 0, 'a protocol is of both ends: leave out src and dst before "proto"'],
    ['ip proto tcpp', 9, 'expected an IP protocol: a number, or a known name, found "tcpp"'],
    ['ip proto 256', 9, 'expected an IP protocol, at most 255, found "256"'],
    ['ether proto 6', 12, 'expected an EtherType, at least 0x600, found "6"'],
    ['ether', 5, 'expected host, src, dst, proto, broadcast or multicast after ether, found the end'],
    ['ip broadcast', 3, 'which IP addresses are broadcast depends on a mask that nobody gives'],
    ['tcp multicast', 4, 'expected host, net, port or nothing after tcp, found "multicast"'],
    ['vlan 4096', 5, 'expected a VLAN id, at most 4095, found "4096"'],
    ['geneve', 0, '"geneve" is not supported'],
    ['ip protochain 6', 3, '"protochain" is not supported'],
    ['less', 4, 'expected a number of bytes, found the end'],
    ['tcp[12:3] = 5', 7, 'expected 1, 2 or 4 bytes, found "3"'],
    ['tcp[13', 6, 'expected "]" to close the index, found the end'],
    ['tcp[tcpflag] = 2', 4, 'expected a number, len, or bytes of a header such as tcp[13], found "tcpflag"'],
    ['tcp[13]', 7, 'expected a comparison (= == != < <= > >=), found the end'],
    ['ip[0] / 0 = 1', 6, 'expected no division by 0, found "/"'],
    ['ip[0] >> 32 = 1', 6, 'expected a shift by at most 31 bits, found ">>"'],
    ['ip[0] % 3 + 1 = 5', 6, 'expected brackets around the two operands of %, found "%"'],
    ['ip[0] = 4294967296', 8, '4294967296 is no number of 32 bits'],
    ['port 08', 5, '08 is no number of 32 bits'],
    ['tcp $ udp', 4, '"$" is no part of a filter expression'],
    ['tcp port 80x', 9, '"80x" is no part of a filter expression'],
    ['ip and arp', 0, 'no packet can match this expression'],
    ['tcp port 80 and udp', 0, 'no packet can match this expression'],
  ])('%s', (text, at, message) => {
    const error = refusal(text);
    expect([error.at, error.message]).toEqual([at, message]);
    expect(error.expected).not.toBe('');
  });

  test('words that fit are told, for a suggestion', () => {
    expect(refusal('tcp port htttp').candidates).toContain('http');
    expect(refusal('hosst 10.0.0.5').candidates).toContain('host');
    expect(refusal('ip proto tcpp').candidates).toContain('tcp');
    expect(refusal('tcp[tcpflag] = 2').candidates).toContain('tcpflags');
    expect(refusal('tcp port 80 adn udp').candidates).toContain('and');
  });

  test('levels without end', () => {
    expect(refusal(`${'('.repeat(2000)}tcp`).message).toMatch(/^expected at most 100 levels/);
    expect(refusal('not '.repeat(2000)).message).toMatch(/^expected at most 100 levels/);
    expect(refusal(`${'-'.repeat(2000)}1 = 1`).message).toMatch(/^expected at most 100 levels/);
    expect(refusal(`${'('.repeat(1000)}1${')'.repeat(1000)} = 1`).message).toMatch(
      /^expected at most 100 levels/,
    );
  });

  test('a long list is taken', () => {
    const list = Array.from({ length: 600 }, (_, port) => port).join(' or ');
    expect(compileFilter(`port ${list}`)).toBeDefined();
  });
});

test('an index runs over at 32 bits, as in tcpdump, and reads nothing outside the frame', () => {
  // Ethernet, IPv4 of 20 bytes with TCP, two bytes of TCP
  const bytes = Buffer.alloc(36, 1);
  bytes.set([0x08, 0, 0x45, 0, 0, 22, 0, 0, 0, 0, 64, 6], 12);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const takes = (text: string): boolean => compileFilter(text)?.ethernet.matches(view, 0, 36, 36) ?? false;
  // 5 bytes before TCP: the last but four of IPv4
  expect(takes('tcp[0 - 5] = 1')).toBe(true);
  expect(takes('tcp[0 - 21] >= 0')).toBe(false);
  expect(takes('tcp[0x80000000] >= 0')).toBe(false);
  expect(takes('tcp[1] = 1')).toBe(true);
  expect(takes('tcp[2] >= 0')).toBe(false);
});

const words =
  'tcp udp ip ip6 ether arp icmp vlan host net port portrange proto src dst and or not && || ! ( ) [ ] : / mask len less ' +
  'multicast geneve 10.0.0.1 10.1 2001:db8::1 02:00:00:00:00:01 80 0x10 0 http \\tcp tcpflags x + - * % ^ & | << = != < >= ' +
  "$ :: 1.2.3.4.5 '";
const nonsense = fc.oneof(
  fc.array(fc.constantFrom(...words.split(' ')), { maxLength: 12 }).map((list) => list.join(' ')),
  fc.array(fc.constantFrom(...words.split(' ')), { maxLength: 12 }).map((list) => list.join('')),
  fc.string({ unit: 'binary', maxLength: 30 }),
);

test('nonsense is taken or refused at a character of it, and never anything else', () => {
  let taken = 0;
  fc.assert(
    fc.property(nonsense, (text) => {
      try {
        compileFilter(text);
        taken++;
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        expect(error.at).toBeGreaterThanOrEqual(0);
        expect(error.at).toBeLessThanOrEqual(text.length);
      }
    }),
    { numRuns: 20_000 },
  );
  expect(taken).toBeGreaterThan(100);
});
