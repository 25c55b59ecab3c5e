/** UDP headers. */
export const udpVectors = [
  {
    name: 'VXLAN without a checksum',
    source: 'RFC 768, RFC 7348 section 5',
    bytes: 'ff80 12b5 003a 0000',
    complete: true,
    sourcePort: 65_408,
    destinationPort: 4789,
    length: 58,
    checksum: 0,
  },
  {
    name: 'all ones',
    source: 'RFC 768',
    bytes: 'ffff ffff ffff ffff',
    complete: true,
    sourcePort: 65_535,
    destinationPort: 65_535,
    length: 65_535,
    checksum: 65_535,
  },
  {
    name: 'length 0: the datagram fills the packet',
    source: 'RFC 2675 section 4',
    bytes: '0001 0002 0000 abcd',
    complete: true,
    sourcePort: 1,
    destinationPort: 2,
    length: 0,
    checksum: 0xabcd,
  },
  { name: 'one byte short', source: 'RFC 768', bytes: 'ff80 12b5 003a 00', complete: false },
] as const;
