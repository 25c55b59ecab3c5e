import type { ExplainedFrame, Explanation } from './explain.ts';
import type { Refusal } from './explain-fault.ts';

/** Columns of the names of fields. */
const NAME_WIDTH = 16;

/**
 * An explanation for people: one line a layer with its offset and length, its fields below, and what became of the
 * packet at the end. Ends with an empty line.
 *
 * @param number the packet's number in its file, counted from 1
 */
export function explanationText(explanation: Explanation, number: number): string {
  const { length, wireLen, layers } = explanation;
  const cut = wireLen > length ? ` of ${wireLen}` : '';
  const lines = [`Packet ${number}: ${length}${cut} bytes captured`];
  for (const layer of layers) {
    const note = layer.note === undefined ? '' : ` [${layer.note}]`;
    lines.push(`  ${layer.name}: byte ${layer.at}, ${bytesText(layer.length)}${note}`);
    for (const [name, value] of layer.fields) lines.push(`      ${name.padEnd(NAME_WIDTH)}  ${value}`);
  }
  lines.push(...outcomeLines(explanation), '', '');
  return lines.join('\n');
}

function outcomeLines({ frame, fault, why }: Explanation): string[] {
  if (frame !== undefined) return frameLines(frame);
  if (fault !== undefined) return [`  Refused: ${faultText(fault)}`];
  return [`  Not a tunnel packet: ${why ?? ''}`];
}

function faultText({ name, layer, at, needed, present, meaning }: Refusal): string {
  return `${name}, in ${layer} at byte ${at}: ${needed} bytes needed, ${present} present. ${meaning}`;
}

function frameLines(frame: ExplainedFrame): string[] {
  const { length, wireLen, truncated, snapped } = frame;
  const missing = wireLen > length ? `, ${wireLen} before it was cut` : '';
  const cut = truncated && missing === '' ? ', cut inside its headers' : missing;
  return [
    `  Delivered: lane ${frame.lane} (${frame.encapsulation}, VNI ${frame.vni}), mirrored by ${frame.mirrorSource}`,
    `      frame: byte ${frame.at}, ${bytesText(length)}${cut}${snapped ? '; the capture cut the packet' : ''}`,
    `      checksums: ${checksumText(frame)}`,
  ];
}

function checksumText({ ipChecksum, transportChecksum }: ExplainedFrame): string {
  const judged = [
    ...(ipChecksum === 'none' ? [] : [`IPv4 header ${ipChecksum}`]),
    ...(transportChecksum === 'none' ? [] : [`transport ${transportChecksum}`]),
  ];
  return judged.join(', ') || 'none to judge';
}

function bytesText(count: number): string {
  return count === 1 ? '1 byte' : `${count} bytes`;
}
