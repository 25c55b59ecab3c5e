/** GRE headers; `headerLen` is undefined where the header is refused. */
export interface GreVector {
  readonly name: string;
  readonly source: string;
  readonly bytes: string;
  readonly headerLen?: number;
  readonly protocolType?: number;
  /** Left out where there is no key. */
  readonly key?: number;
}

export const greVectors: readonly GreVector[] = [
  {
    name: 'IPv4, nothing optional',
    source: 'RFC 2784 section 2.1',
    bytes: '0000 0800',
    headerLen: 4,
    protocolType: 0x0800,
  },
  {
    name: 'IPv6',
    source: 'RFC 7676 section 3.1',
    bytes: '0000 86dd',
    headerLen: 4,
    protocolType: 0x86dd,
  },
  {
    name: 'checksum',
    source: 'RFC 2784 section 2.5',
    bytes: '8000 0800 1234 0000',
    headerLen: 8,
    protocolType: 0x0800,
  },
  {
    name: 'key',
    source: 'RFC 2890 section 2.1',
    bytes: '2000 0800 fedcba98',
    headerLen: 8,
    protocolType: 0x0800,
    key: 0xfedcba98,
  },
  {
    name: 'sequence number',
    source: 'RFC 2890 section 2.2',
    bytes: '1000 0800 00000007',
    headerLen: 8,
    protocolType: 0x0800,
  },
  {
    name: 'checksum, key and sequence number',
    source: 'RFC 2890 section 2',
    bytes: 'b000 86dd 12340000 0000002a 00000007',
    headerLen: 16,
    protocolType: 0x86dd,
    key: 42,
  },
  {
    name: 'NVGRE: subnet 0x00abcd, flow 0x12, around Ethernet',
    source: 'RFC 7637 section 3.2',
    bytes: '2000 6558 00abcd 12',
    headerLen: 8,
    protocolType: 0x6558,
    key: 0x00abcd12,
  },
  {
    name: 'reserved bits 6 to 12: ignored',
    source: 'RFC 2784 section 2.3',
    bytes: '03f8 0800',
    headerLen: 4,
    protocolType: 0x0800,
  },
  { name: 'routing present', source: 'RFC 2784 section 2.3', bytes: '4000 0800 00000000 00000000' },
  { name: 'strict source route', source: 'RFC 2784 section 2.3', bytes: '0800 0800' },
  { name: 'bit 5 set', source: 'RFC 2784 section 2.3', bytes: '0400 0800' },
  {
    name: 'version 1, as PPTP has it',
    source: 'RFC 2637 section 4.1',
    bytes: '3001 880b 0000 0000 00000001',
  },
  { name: 'version 7', source: 'RFC 2784 section 2.3.1', bytes: '0007 0800' },
  { name: 'one byte short', source: 'RFC 2784 section 2.1', bytes: '0000 08' },
  { name: 'cut in the key', source: 'RFC 2890 section 2.1', bytes: '2000 0800 fedcba' },
  { name: 'cut behind the key', source: 'RFC 2890 section 2', bytes: '3000 0800 fedcba98 000000' },
  { name: 'empty', source: 'RFC 2784 section 2.1', bytes: '' },
];
