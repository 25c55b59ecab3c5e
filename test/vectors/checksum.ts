/** Bytes and what their ones'-complement sum folds to. */
export const checksumVectors = [
  {
    name: 'the worked example',
    source: 'RFC 1071 section 3 (sum 2ddf0, folded ddf2)',
    bytes: '0001 f203 f4f5 f6f7',
    folded: 0xddf2,
  },
  {
    name: 'an IPv4 header with its checksum left out',
    source: 'Wikipedia, "Internet checksum": sum 479e, checksum b861',
    bytes: '4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7',
    folded: 0x479e,
  },
  {
    name: 'the same header with it',
    source: 'RFC 1071 section 1: all ones',
    bytes: '4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7',
    folded: 0xffff,
  },
  { name: 'nothing', source: 'RFC 1071 section 1', bytes: '', folded: 0 },
  { name: 'zeros', source: 'RFC 1071 section 1', bytes: '00'.repeat(41), folded: 0 },
  { name: 'one byte is padded on the right', source: 'RFC 1071 section 4.1', bytes: 'ab', folded: 0xab00 },
  { name: 'three bytes', source: 'RFC 1071 section 4.1', bytes: '0102 03', folded: 0x0402 },
  { name: 'carries that carry again', source: 'RFC 1071 section 1', bytes: 'ffff ffff 0001', folded: 1 },
  {
    name: 'all ones over several turns of the loop',
    source: 'RFC 1071',
    bytes: 'ff'.repeat(70),
    folded: 0xffff,
  },
] as const;
