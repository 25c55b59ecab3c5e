/** ARP messages. */
export const arpVectors = [
  {
    name: 'request: who has 192.0.2.2? tell 192.0.2.1',
    source: 'RFC 826, RFC 5737 addresses',
    bytes: '0001 0800 06 04 0001 02005e000001 c0000201 000000000000 c0000202',
    complete: true,
    operation: 1,
    sender: '02005e000001 c0000201',
    target: '000000000000 c0000202',
  },
  {
    name: 'reply, with the padding of a short frame behind it',
    source: 'RFC 826, IEEE 802.3 clause 3.2.8',
    bytes:
      '0001 0800 06 04 0002 02005e000002 c0000202 02005e000001 c0000201 000000000000000000000000000000000000',
    complete: true,
    operation: 2,
    sender: '02005e000002 c0000202',
    target: '02005e000001 c0000201',
  },
  {
    name: 'IEEE 802 hardware type',
    source: 'IANA, ARP hardware type 6',
    bytes: '0006 0800 06 04 0001 02005e000001 c0000201 000000000000 c0000202',
    complete: false,
  },
  {
    name: 'protocol that is not IPv4',
    source: 'RFC 826',
    bytes: '0001 86dd 06 04 0001 02005e000001 c0000201 000000000000 c0000202',
    complete: false,
  },
  {
    name: 'hardware addresses of eight bytes',
    source: 'RFC 826: ar$hln',
    bytes: '0001 0800 08 04 0001 02005e000001 c0000201 000000000000 c0000202',
    complete: false,
  },
  {
    name: 'protocol addresses of sixteen bytes',
    source: 'RFC 826: ar$pln',
    bytes: '0001 0800 06 10 0001 02005e000001 c0000201 000000000000 c0000202',
    complete: false,
  },
  {
    name: 'one byte short',
    source: 'RFC 826',
    bytes: '0001 0800 06 04 0001 02005e000001 c0000201 000000000000 c00002',
    complete: false,
  },
] as const;
