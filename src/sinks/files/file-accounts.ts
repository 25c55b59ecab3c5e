import type { FinishedFile } from '../../pipeline/finished-file.ts';
import type { CaptureFile } from './capture-file.ts';
import type { Chunk } from './chunk-pool.ts';
import { packetsByInterface } from './encoding.ts';

/** Moves the packets of a chunk that was lost from those of its interfaces that are in the file to the dropped ones. */
export function countLost(file: CaptureFile, chunk: Chunk): void {
  const single = file.interfaces.length === 1;
  const counts = single ? [chunk.packets] : packetsByInterface(chunk.bytes, chunk.used);
  for (const target of file.interfaces) {
    const lost = counts[target.id] ?? 0;
    target.packets -= lost;
    if (target.id < file.interfacesWritten) target.dropped += lost;
    else target.state.missed += lost;
  }
}

/** What is told of a file that is finished; `path` is its final name. */
export function describe(file: CaptureFile, path: string): FinishedFile {
  const lanes = file.interfaces.slice(0, file.interfacesWritten).map((target) => ({
    name: target.state.lane.name,
    packets: target.packets,
    dropped: target.dropped,
    firstSeconds: target.startSeconds,
    firstNanoseconds: target.startNanoseconds,
    lastSeconds: target.endSeconds,
    lastNanoseconds: target.endNanoseconds,
  }));
  return { path, bytes: file.bytesWritten, packets: file.packetsWritten, lanes };
}
