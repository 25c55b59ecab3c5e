/** Addresses: bytes and the one text that is written for them. */
export const addressVectors = [
  { source: 'RFC 5737', bytes: 'c0000201', text: '192.0.2.1' },
  { source: 'dotted decimal', bytes: '00000000', text: '0.0.0.0' },
  { source: 'dotted decimal', bytes: 'ffffffff', text: '255.255.255.255' },
  {
    source: 'RFC 5952 section 4.1, no leading zeros',
    bytes: '20010db8000000000000000000000001',
    text: '2001:db8::1',
  },
  {
    source: 'RFC 5952 section 4.2.1, as short as can be',
    bytes: '20010db8000000000000000000020001',
    text: '2001:db8::2:1',
  },
  {
    source: 'RFC 5952 section 4.2.2, one group is not shortened',
    bytes: '20010db8000000010001000100010001',
    text: '2001:db8:0:1:1:1:1:1',
  },
  {
    source: 'RFC 5952 section 4.2.3, the longest run',
    bytes: '20010000000000010000000000000001',
    text: '2001:0:0:1::1',
  },
  {
    source: 'RFC 5952 section 4.2.3, the first of two',
    bytes: '20010db8000000000001000000000001',
    text: '2001:db8::1:0:0:1',
  },
  { source: 'RFC 4291 section 2.5.2', bytes: '00000000000000000000000000000000', text: '::' },
  { source: 'RFC 4291 section 2.5.3', bytes: '00000000000000000000000000000001', text: '::1' },
  {
    source: 'RFC 4291 section 2.2, zeros at the end',
    bytes: 'ff020000000000000000000000000000',
    text: 'ff02::',
  },
  {
    source: 'RFC 5952 section 5, IPv4-mapped',
    bytes: '00000000000000000000ffffc0000201',
    text: '::ffff:192.0.2.1',
  },
  {
    source: 'RFC 5952 section 4.3, lower case',
    bytes: 'abcdef0123456789abcdef0123456789',
    text: 'abcd:ef01:2345:6789:abcd:ef01:2345:6789',
  },
] as const;

/** Other texts that are read. */
export const addressSpellings = [
  {
    source: 'RFC 4291 section 2.2, form 1',
    text: '2001:DB8:0:0:8:800:200C:417A',
    bytes: '20010db80000000000080800200c417a',
  },
  {
    source: 'RFC 4291 section 2.2, leading zeros',
    text: '2001:0db8::0001',
    bytes: '20010db8000000000000000000000001',
  },
  { source: 'RFC 4291 section 2.2, form 3', text: '::13.1.68.3', bytes: '0000000000000000000000000d014403' },
  {
    source: 'RFC 4291 section 2.2, form 3',
    text: '1:2:3:4:5:6:192.0.2.1',
    bytes: '000100020003000400050006c0000201',
  },
  {
    source: 'RFC 4291 section 2.2: :: for one group',
    text: '1:2:3:4:5:6:7::',
    bytes: '00010002000300040005000600070000',
  },
] as const;

/** What is no address. */
export const notAddresses = [
  '',
  ':',
  ':::',
  '::1::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '12345::',
  'g::',
  ':1::',
  '1::2:',
  '192.0.2.1::',
  '::192.0.2',
  '::192.0.2.1:1',
  '::256.0.0.1',
  '1:2:3:4:5:6:7:192.0.2.1',
  'fe80::1%eth0',
  '[::1]',
  '192.0.2',
  '192.0.2.1.1',
  '192.0.2.256',
  '192.0.2.01',
  '192.0.2.',
  '192.0.2.1 ',
  '-1.0.0.0',
  '1e1.0.0.0',
  '3221225985',
  '::1/128',
] as const;
