import { AvroFlows, flowSubject } from '../avro.ts';
import { FlowRecords } from '../records/flow-records.ts';
import { FrameRecords } from '../records/frame-records.ts';
import { PcapngRecords } from '../records/pcapng-records.ts';
import type { EncoderOptions, RecordEncoder } from '../records/record-encoder.ts';
import { readPassword } from '../secrets.ts';
import type { KafkaSettings } from '../settings.ts';
import type { KafkaFlowsSettings } from '../topic-settings.ts';

/**
 * Makes an encoder for batches of at most so many bytes. Rejects with a `MirrorError` where a registry does not answer, or `ended`
 * came first.
 */
export type EncoderMaker = (batchBytes: number, ended: AbortSignal) => Promise<RecordEncoder>;

export function packetEncoder(
  { topic, encoding }: NonNullable<KafkaSettings['packets']>,
  options: Omit<EncoderOptions, 'batchBytes'>,
): EncoderMaker {
  const Records = encoding === 'pcapng' ? PcapngRecords : FrameRecords;
  return (batchBytes) => Promise.resolve(new Records(topic, { ...options, batchBytes }));
}

export function flowEncoder({
  topic,
  encoding,
  registry,
}: NonNullable<KafkaSettings['flows']>): EncoderMaker {
  if (encoding === 'json') return (batchBytes) => Promise.resolve(new FlowRecords(topic, { batchBytes }));
  let avro: Promise<AvroFlows> | undefined;
  return async (batchBytes, ended) => {
    avro ??= openAvro(registry, flowSubject(topic), ended);
    // asked again where it failed
    avro.catch(() => {
      avro = undefined;
    });
    const flows = await avro;
    return new FlowRecords(topic, { batchBytes }, (json) => flows.encode(json));
  };
}

async function openAvro(
  registry: KafkaFlowsSettings['registry'],
  subject: string,
  ended: AbortSignal,
): Promise<AvroFlows> {
  return AvroFlows.open(registry, subject, await readPassword(registry, 'flows.registry'), ended);
}
