/** Names of the record headers (interfaces: Kafka records), encoded once. */
export const headerNames = {
  vni: Buffer.from('vni'),
  encapsulation: Buffer.from('encapsulation'),
  gwlbEndpoint: Buffer.from('gwlb-endpoint'),
  mirrorSource: Buffer.from('mirror-source'),
  observer: Buffer.from('observer'),
  tsNs: Buffer.from('ts-ns'),
  wireLen: Buffer.from('wire-len'),
  linkType: Buffer.from('link-type'),
  truncated: Buffer.from('truncated'),
  checksum: Buffer.from('checksum'),
  communityId: Buffer.from('community-id'),
  changed: Buffer.from('changed'),
} as const;

/** The text of each of these buffers. */
export const headerTexts: ReadonlyMap<Buffer, string> = new Map(
  Object.values(headerNames).map((name) => [name, name.toString('latin1')]),
);
