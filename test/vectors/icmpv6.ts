/** ICMPv6 headers. */
export const icmpv6Vectors = [
  {
    name: 'echo request',
    source: 'RFC 4443 section 4.1',
    bytes: '80 00 1234 0001 0002',
    complete: true,
    type: 128,
    code: 0,
    checksum: 0x1234,
    echoId: 1,
    echoSequence: 2,
  },
  {
    name: 'neighbor solicitation',
    source: 'RFC 4861 section 4.3',
    bytes: '87 00 68bd 00000000 fe80000000000000026097fffe0769ea',
    complete: true,
    type: 135,
    code: 0,
    checksum: 0x68bd,
    echoId: 0,
    echoSequence: 0,
  },
  { name: 'one byte short', source: 'RFC 4443 section 2.1', bytes: '80 00 1234 0001 00', complete: false },
] as const;
