#!/usr/bin/env node
/** Prints flow records, one a line, JSON or Avro. */
import { parseArgs } from 'node:util';
import { readTopic, topicHelp, topicOptions } from './read-topic.mjs';

const { values } = parseArgs({
  options: {
    ...topicOptions,
    topic: { type: 'string', default: 'mirrortap.flows' },
    registry: { type: 'string' },
  },
});
if (values.help) {
  process.stdout.write(`node print-flows.mjs [options]
  --registry URL         schema registry, for records in Avro${topicHelp}

  node print-flows.mjs --to-end | sort
`);
  process.exit(0);
}

// whoever read the pipe has ended: so do we
process.stdout.on('error', () => process.exit(0));

/** What was printed of late: a record that is delivered twice is printed once. */
const printed = new Set();
const PRINTED_MAX = 100_000;
const decode = await decoder();

try {
  await readTopic(values, async ({ value }) => {
    const flow = await decode(value);
    const { flow_id: id, sequence } = flow.mirrortap;
    const key = `${id} ${sequence}`;
    if (printed.has(key)) return;
    printed.add(key);
    if (printed.size > PRINTED_MAX) printed.delete(printed.values().next().value);
    process.stdout.write(`${line(flow)}\n`);
  });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

/** A value that begins with a byte 0 is Avro: JSON never does. */
async function decoder() {
  if (values.registry === undefined) {
    return (value) => {
      if (value[0] === 0) throw new Error('These records are Avro: say --registry URL.');
      return JSON.parse(value.toString());
    };
  }
  const { SchemaRegistry } = await import('@kafkajs/confluent-schema-registry');
  const registry = new SchemaRegistry({ host: values.registry });
  return (value) => (value[0] === 0 ? registry.decode(value) : JSON.parse(value.toString()));
}

function line({ '@timestamp': time, timestamp, source, destination, network, mirrortap }) {
  const at = time ?? new Date(timestamp / 1000).toISOString();
  const counts = `packets ${source.packets}/${destination.packets} bytes ${source.bytes}/${destination.bytes}`;
  const named = [network.protocol, destination.domain].filter((text) => typeof text === 'string');
  const words = [at, mirrortap.lane, network.transport, side(source), '>', side(destination), counts];
  return [...words, mirrortap.end_reason, ...named].join(' ');
}

/** Address and port; a port that is not known is left out. */
function side({ ip, port }) {
  if (typeof port !== 'number') return ip;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
