import { once } from 'node:events';
import { CaptureFileInput } from '../inputs/capture-file.ts';
import { MirrorError } from '../observe/error.ts';
import type { PacketBatch } from '../packet/batch.ts';
import { explainPacket } from '../receive/explain/explain.ts';
import { explanationText } from '../receive/explain/explain-text.ts';
import { type TunnelPorts, tunnelPorts } from '../receive/outer.ts';
import { type CommandIo, ExitStatus } from './io.ts';

/** `mirrortap explain` as it was typed, checked. */
export interface ExplainOptions {
  /** Capture file; `-` for standard input. */
  readonly file: string;
  /** Only this packet, counted from 1; all where it is left out. */
  readonly packet?: number;
  readonly vxlanPorts: readonly number[];
  readonly genevePorts: readonly number[];
}

/**
 * `mirrortap explain`: resolves to the exit status.
 *
 * Rejects with a `MirrorError` for a file that cannot be read or is damaged, after what came before was printed, and
 * with `USAGE` where the file has fewer packets than the one that was asked for.
 */
export async function runExplain(options: ExplainOptions, io: CommandIo): Promise<number> {
  const { file, packet: wanted } = options;
  const ports = tunnelPorts(options.vxlanPorts, options.genevePorts);
  const input = new CaptureFileInput({ path: file });
  let packets = 0;
  const explain = async (batch: PacketBatch): Promise<void> => {
    for (let slot = 0; slot < batch.count; slot++) {
      const number = ++packets;
      if (wanted === undefined || number === wanted) io.print(slotText(batch, slot, number, ports));
    }
    if (wanted !== undefined && packets >= wanted) void input.close();
    // whoever reads the output sets the pace
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  };
  await input.open();
  await input.run(explain);
  if (wanted !== undefined && packets < wanted) {
    throw new MirrorError('USAGE', `${file} has ${packets} packets: there is no packet ${wanted}.`, {
      file,
      packets,
      packet: wanted,
    });
  }
  return ExitStatus.done;
}

function slotText(batch: PacketBatch, slot: number, number: number, ports: TunnelPorts): string {
  const { bytes } = batch;
  const [at = 0, end = 0, wireLen = 0] = [batch.at[slot], batch.end[slot], batch.wireLen[slot]];
  const linkType = batch.linkType[slot] ?? 0;
  return explanationText(explainPacket(bytes, at, end, wireLen, linkType, ports), number);
}
