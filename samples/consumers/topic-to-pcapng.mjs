#!/usr/bin/env node
/** Writes the packets of a topic into one pcapng, whether its records are frames or pcapngs. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { PcapngWriter } from './pcapng-writer.mjs';
import { readTopic, topicHelp, topicOptions } from './read-topic.mjs';

const { values } = parseArgs({
  options: {
    ...topicOptions,
    topic: { type: 'string', default: 'mirrortap.packets' },
    out: { type: 'string', default: '-' },
  },
});
if (values.help) {
  process.stdout.write(`node topic-to-pcapng.mjs [options]
  --out FILE             file to write; - for standard output (the default)${topicHelp}

  node topic-to-pcapng.mjs --to-end --out all.pcapng
  node topic-to-pcapng.mjs | wireshark -k -i -
`);
  process.exit(0);
}

const out = values.out === '-' ? process.stdout : createWriteStream(values.out);
// whoever read the pipe has ended: so do we
out.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : fail(error)));
const writer = new PcapngWriter(async (bytes) => {
  if (!out.write(bytes)) await once(out, 'drain');
});
let skipped = 0;

try {
  await readTopic(values, take);
  await writer.end();
  if (out !== process.stdout) {
    out.end();
    await finished(out);
  }
} catch (error) {
  fail(error);
}
if (skipped > 0) process.stderr.write(`${skipped} records were neither frames nor pcapngs.\n`);

/** A frame says its time in a header, a pcapng says everything itself. */
async function take({ key, value, headers }) {
  const text = (name) => headers?.[name]?.toString();
  const tsNs = text('ts-ns');
  try {
    if (tsNs === undefined) await writer.section(value);
    else {
      const changed = text('changed');
      await writer.packet({
        // <lane>/<lower address>/<higher address>
        lane: key.toString().split('/')[0],
        linkType: Number(text('link-type')),
        tsNs: BigInt(tsNs),
        wireLen: Number(text('wire-len')),
        bytes: value,
        isPartial: text('checksum') === 'partial',
        comment: changed === undefined ? '' : `changed: ${changed}`,
      });
    }
  } catch {
    skipped++;
  }
}

function fail(error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
