/** Ethernet II headers. */
export const ethernetVectors = [
  {
    name: 'IPv4 in a frame between two hosts',
    source: 'IEEE 802.3 clause 3.2, RFC 894',
    bytes: '02005e000001 02005e000002 0800',
    complete: true,
    etherType: 0x0800,
  },
  {
    name: 'broadcast ARP',
    source: 'RFC 826',
    bytes: 'ffffffffffff 02005e000002 0806',
    complete: true,
    etherType: 0x0806,
  },
  {
    name: 'a tag behind the addresses is the EtherType',
    source: 'IEEE 802.1Q clause 9.4',
    bytes: '02005e000001 02005e000002 8100 0001 0800',
    complete: true,
    etherType: 0x8100,
  },
  {
    name: 'a length instead of an EtherType',
    source: 'IEEE 802.3 clause 3.2.6',
    bytes: '0180c2000000 02005e000002 0026',
    complete: true,
    etherType: 0x0026,
  },
  {
    name: 'one byte short',
    source: 'IEEE 802.3 clause 3.2',
    bytes: '02005e000001 02005e000002 08',
    complete: false,
  },
  { name: 'empty', source: 'EC2 API: PacketLength cuts anywhere', bytes: '', complete: false },
] as const;
