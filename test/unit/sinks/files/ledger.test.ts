import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  array,
  asyncProperty,
  assert,
  boolean,
  constant,
  constantFrom,
  integer,
  oneof,
  record,
} from 'fast-check';
import { expect, test } from 'vitest';
import { liveFiles } from '../../../../src/sinks/files/create.ts';
import { filesDropReasons } from '../../../../src/sinks/files/files-sink.ts';
import { batchOf, numbered, numberedFrame, overwrite } from '../../../support/batches.ts';
import { capturesSettings } from '../../../support/captures-settings.ts';
import { FaultyDisk } from '../../../support/faulty-disk.ts';
import { type WalkedFile, walkPcapng } from '../../../support/pcapng-walk.ts';
import { scaled } from '../../../support/scale.ts';
import { sinkContext, type TestSinkContext } from '../../../support/sink-context.ts';
import { withFolder } from '../../../support/tshark.ts';

const lane = integer({ min: 0, max: 3 });
const step = oneof(
  {
    weight: 6,
    arbitrary: record({ write: integer({ min: 1, max: 300 }), lanes: integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: record({ missed: integer({ min: 1, max: 9 }), lane }) },
  { weight: 3, arbitrary: record({ passMs: constantFrom(10, 1000, 5000) }) },
  { weight: 1, arbitrary: constant({ flush: true } as const) },
  {
    weight: 2,
    arbitrary: record({
      fail: constantFrom('ENOSPC', 'EIO', 'EDQUOT'),
      after: integer({ min: 0, max: 5000 }),
    }),
  },
  { weight: 2, arbitrary: constant({ repair: true } as const) },
);

const setting = record({
  split: constantFrom('lane' as const, 'none' as const),
  rotatePackets: constantFrom(0, 1, 70),
  rotateBytes: constantFrom(0, 65_536),
  rotateSeconds: constantFrom(0, 5),
});

/** Lets a while pass, as the timer does. */
async function pass(context: TestSinkContext, ms: number, tick: () => Promise<void>): Promise<void> {
  context.clock.ms += ms;
  await tick();
}

function filesIn(directory: string): WalkedFile[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.pcapng'))
    .map((path) => walkPcapng(readFileSync(join(directory, path))));
}

test('whatever happens to the disk: the ledger adds up, and the files hold exactly what was counted as written', async () => {
  await assert(
    asyncProperty(setting, array(step, { maxLength: 40 }), boolean(), (settings, steps, repaired) =>
      withFolder(async (directory) => {
        const context = sinkContext(filesDropReasons);
        const disk = new FaultyDisk();
        const machinery = { disk, tickMs: 0, memoryBytes: 1 };
        const sink = liveFiles(
          capturesSettings({ directory, keepFreePercent: 0, ...settings }),
          context,
          machinery,
        );
        await sink.open();
        const tick = async () => {
          sink.tick();
          await sink.settle();
        };
        let number = 0;
        for (const one of steps) {
          if ('write' in one) {
            const packets = Array.from({ length: one.write }, (_, i) => ({
              lane: i % one.lanes,
              frame: numberedFrame(number++, 60 + ((number * 37) % 1400)),
              seconds: Math.floor(context.clock.ms / 1000),
            }));
            const batch = batchOf(packets);
            context.counters.addDelivered(one.write);
            await sink.write(batch);
            overwrite(batch);
          } else if ('missed' in one) sink.missed(numbered(one.missed, 0, one.lane));
          else if ('passMs' in one) await pass(context, one.passMs, tick);
          else if ('flush' in one) await sink.flush();
          else if ('fail' in one)
            Object.assign(disk, { failWrites: one.fail, bytesBeforeFailure: one.after });
          else disk.failWrites = undefined;
        }
        if (repaired) disk.failWrites = undefined;
        await sink.close();

        const { counters } = context;
        expect(counters).toMatchObject({ delivered: number, pending: 0, pendingBytes: 0 });
        expect(disk.openFiles.size).toBe(0);
        const files = filesIn(directory);
        const found = files.flatMap(({ packets }) => packets.map((packet) => packet.number));
        expect(found).toHaveLength(counters.written);
        expect(new Set(found).size).toBe(counters.written);
        for (const { packets, statistics } of files) {
          for (const [id, { received, dropped }] of statistics) {
            const kept = packets.filter((packet) => packet.interface === id);
            expect(received - dropped).toBe(kept.length);
            const numbers = kept.map((packet) => packet.number);
            expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
          }
        }
      }),
    ),
    { numRuns: scaled(600) },
  );
}, 300_000);
