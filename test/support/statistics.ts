import { tsharkBlocks } from './tshark.ts';

/** The interface statistics blocks of a pcapng file, as tshark reads them. */
export function statistics(path: string): { interface: number; received: number; dropped: number }[] {
  const blocks = tsharkBlocks(path).split('Block: Interface Statistics Block').slice(1);
  return blocks.map((block) => ({
    interface: numberAfter(block, 'Interface: '),
    received: numberAfter(block, 'Number of Received Packets = '),
    dropped: numberAfter(block, 'Number of Dropped Packets = '),
  }));
}

function numberAfter(text: string, label: string): number {
  const at = text.indexOf(label);
  if (at < 0) throw new Error(`tshark printed no "${label}".`);
  return Number.parseInt(text.slice(at + label.length), 10);
}
