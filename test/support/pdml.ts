import { runWireshark } from './tshark.ts';

/** A field as tshark sees it. */
export interface PdmlField {
  readonly at: number;
  /** As it is shown, and its bytes in hex. */
  readonly show: string;
  readonly value: string;
}

/** A protocol's part of a packet; offsets count from the captured packet's first byte. */
export interface PdmlLayer {
  readonly name: string;
  readonly at: number;
  readonly length: number;
  /** First field of each name. */
  readonly fields: ReadonlyMap<string, PdmlField>;
}

/** Fragments stay fragments, so that offsets are those of the file; checksums are all judged. */
const PREFERENCES = [
  'ip.defragment:FALSE',
  'ipv6.defragment:FALSE',
  'tcp.desegment_tcp_streams:FALSE',
  'ip.check_checksum:TRUE',
  'tcp.check_checksum:TRUE',
  'udp.check_checksum:TRUE',
];

/** What tshark sees in every packet of a file: its layers, outermost first. */
export function tsharkLayers(path: string): PdmlLayer[][] {
  const options = PREFERENCES.flatMap((preference) => ['-o', preference]);
  return runWireshark('tshark', ['-n', '-r', path, ...options, '-T', 'pdml'])
    .split('<packet>')
    .slice(1)
    .map(readPacket);
}

function readPacket(text: string): PdmlLayer[] {
  const layers: (PdmlLayer & { readonly fields: Map<string, PdmlField> })[] = [];
  for (const [, element = '', attributes = ''] of text.matchAll(/<(proto|field) ([^>]*)>/g)) {
    const name = attribute(attributes, 'name');
    const at = Number(attribute(attributes, 'pos'));
    if (element === 'proto') {
      layers.push({ name, at, length: Number(attribute(attributes, 'size')), fields: new Map() });
      continue;
    }
    const fields = layers.at(-1)?.fields;
    const field = { at, show: attribute(attributes, 'show'), value: attribute(attributes, 'value') };
    if (fields !== undefined && !fields.has(name)) fields.set(name, field);
  }
  return layers;
}

function attribute(attributes: string, name: string): string {
  return new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
}
