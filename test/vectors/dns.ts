/** DNS messages. `names` are what a flow keeps of them: questions, then answers. */
export const dnsVectors = [
  {
    name: 'query for an address',
    source: 'RFC 1035 section 4.1',
    bytes: '1234 0100 0001 0000 0000 0000 03777777 076578616d706c65 03636f6d 00 0001 0001',
    questions: ['www.example.com'],
    answers: [],
  },
  {
    name: 'alias and two addresses, every name a pointer',
    source: 'RFC 1035 sections 4.1.3 and 4.1.4',
    bytes: `
      1234 8180 0001 0003 0000 0000 03777777 076578616d706c65 03636f6d 00 0001 0001
      c00c 0005 0001 00000e10 0006 03617069 c010
      c02d 0001 0001 00000e10 0004 c0000201
      c02d 0001 0001 00000e10 0004 c0000202
    `,
    questions: ['www.example.com'],
    answers: ['api.example.com', '192.0.2.1', '192.0.2.2'],
  },
  {
    name: 'address of version 6, behind a record of another type',
    source: 'RFC 3596 section 2.2',
    bytes: `
      0001 8400 0001 0002 0000 0000 0161 00 001c 0001
      c00c 0010 0001 00000001 0003 026869
      c00c 001c 0001 00000001 0010 20010db8000000000000000000000001
    `,
    questions: ['a'],
    answers: ['2001:db8::1'],
  },
  {
    name: 'the name of an address',
    source: 'RFC 1035 section 3.5',
    bytes: `
      0001 8180 0001 0001 0000 0000 0131 0132 0130 03313932 07696e2d61646472 0461727061 00 000c 0001
      c00c 000c 0001 00000001 0003 016e 00
    `,
    questions: ['1.2.0.192.in-addr.arpa'],
    answers: ['n'],
  },
  {
    name: 'the root',
    source: 'RFC 1035 section 3.1',
    bytes: '0001 0100 0001 0000 0000 0000 00 0002 0001',
    questions: ['.'],
    answers: [],
  },
  {
    name: 'bytes that are no letters',
    source: 'RFC 4343 section 2.1',
    bytes: '0001 0100 0001 0000 0000 0000 06 61202e5cff00 01 62 00 0001 0001',
    questions: ['a\\032\\.\\\\\\255\\000.b'],
    answers: [],
  },
  {
    name: 'mDNS: an answer without question, and the flag in its class',
    source: 'RFC 6762 sections 6 and 10.2',
    bytes: `
      0000 8400 0000 0001 0000 0000 07 7072696e746572 05 6c6f63616c 00 0001 8001 00000078 0004 c0000207
    `,
    questions: [],
    answers: ['192.0.2.7'],
  },
  {
    name: 'mDNS: two questions, and what is known already',
    source: 'RFC 6762 section 7.1',
    bytes: `
      0000 0000 0002 0001 0000 0000 0161 056c6f63616c 00 00ff 8001 0162 c00e 00ff 0001
      c00c 0001 0001 00000078 0004 c0000207
    `,
    questions: ['a.local', 'b.local'],
    answers: [],
  },
  {
    name: 'one question and the first four answers that are kept',
    source: 'RFC 1035 section 4.1',
    bytes: `
      0001 8180 0001 0006 0000 0000 0161 00 0001 0001
      c00c 0001 0003 00000001 0004 01010100
      c00c 0001 0001 00000001 0004 01010101 c00c 0001 0001 00000001 0004 01010102
      c00c 0001 0001 00000001 0004 01010103 c00c 0001 0001 00000001 0004 01010104
      c00c 0001 0001 00000001 0004 01010105
    `,
    questions: ['a'],
    answers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'],
  },
];

/** Bytes that are no message, or one that turns bad: what is kept of it. */
export const dnsHostile = [
  { name: 'a pointer to itself', bytes: '0001 0100 0001 0000 0000 0000 c00c 0001 0001', names: [] },
  {
    name: 'two pointers to each other',
    bytes: '0001 0100 0001 0000 0000 0000 c00e c00c 0001 0001',
    names: [],
  },
  {
    name: 'a label and a pointer to before it',
    bytes: '0001 0100 0001 0000 0000 0000 0161 c00c 0001 0001',
    names: [],
  },
  { name: 'a pointer into the header', bytes: '0001 0100 0001 0000 0000 0000 c002 0001 0001', names: [] },
  { name: 'a pointer forward', bytes: '0001 0100 0001 0000 0000 0000 c00f 00 0161 00', names: [] },
  {
    name: 'a label of the kind that nobody uses',
    bytes: '0001 0100 0001 0000 0000 0000 4161 00 0001 0001',
    names: [],
  },
  {
    name: 'a reserved bit',
    bytes: '0001 0140 0001 0000 0000 0000 0161 00 0001 0001',
    names: [],
  },
  {
    name: 'an opcode that is not assigned',
    bytes: '0001 1800 0001 0000 0000 0000 0161 00 0001 0001',
    names: [],
  },
  {
    name: 'a query with a response code',
    bytes: '0001 0103 0001 0000 0000 0000 0161 00 0001 0001',
    names: [],
  },
  { name: 'nothing asked or answered', bytes: '0001 0100 0000 0000 0001 0000 0161 00 0001', names: [] },
  {
    name: 'an alias whose name runs past its data',
    bytes: '0001 8180 0001 0001 0000 0000 0161 00 0001 0001 c00c 0005 0001 00000001 0002 0362 6364',
    names: ['dns', 'a'],
  },
  {
    name: 'an alias with bytes behind its name',
    bytes: '0001 8180 0001 0001 0000 0000 0161 00 0001 0001 c00c 0005 0001 00000001 0004 0162 0000',
    names: ['dns', 'a'],
  },
  {
    name: 'an address of five bytes',
    bytes: '0001 8180 0001 0001 0000 0000 0161 00 0001 0001 c00c 0001 0001 00000001 0005 0102030405',
    names: ['dns', 'a'],
  },
  {
    name: 'the second name is bad',
    bytes: '0001 8180 0001 0001 0000 0000 0161 00 0001 0001 c0ff 0001 0001 00000001 0004 01020304',
    names: ['dns', 'a'],
  },
];

/** Names of the greatest length, and longer. */
export const dnsLongNames = [
  { name: '255 bytes', labels: [63, 63, 63, 61], valid: true },
  { name: '256 bytes', labels: [63, 63, 63, 62], valid: false },
];
