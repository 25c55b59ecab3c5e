/** Decapsulates a capture on two threads in small chunks, under whatever limits the process has: CAPTURE FOLDER. */
import { SeveralWorkersDecap } from '../../../src/app/decap/several-workers.ts';
import { defaultConfig } from '../../../src/config/default-config.ts';
import { describeError } from '../../../src/observe/describe-error.ts';
import { reportJson } from '../../../src/observe/report.ts';

const [capture = '', folder = ''] = process.argv.slice(2);
const run = new SeveralWorkersDecap(
  {
    files: [capture],
    out: folder,
    output: { order: 'arrival', repair: 'none', duplicates: 'keep' },
    flows: undefined,
    force: false,
    format: 'pcapng',
    workers: 2,
    report: 'json',
    config: defaultConfig,
  },
  { workers: 2, chunkBytes: 500_000 },
);
const { failure } = await run.run();
process.stdout.write(failure === undefined ? reportJson(run.report()) : describeError(failure));
