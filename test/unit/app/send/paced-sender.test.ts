import { afterEach, expect, test } from 'vitest';
import { PacedSender } from '../../../../src/app/send/paced-sender.ts';
import { MirrorSender } from '../../../../src/mirror/sender.ts';
import { makeSession, WHOLE_FRAME } from '../../../../src/mirror/session.ts';
import type { Pace } from '../../../../src/mirror/pace.ts';
import { PacketBatch } from '../../../../src/packet/batch.ts';
import { UdpOut } from '../../../../src/sinks/udp-out.ts';

const opened: UdpOut[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((out) => out.close()));
});

const address = Uint8Array.of(127, 0, 0, 1);
const target = { type: 'network-interface', address, endpointHigh: 0, endpointLow: 0 } as const;

interface Made {
  readonly sender: MirrorSender;
  readonly out: UdpOut;
  readonly paced: PacedSender;
  readonly stop: AbortController;
}

async function make(pace: Pace | undefined, payloadMax = Infinity): Promise<Made> {
  const sender = new MirrorSender(makeSession({ address }, target, 1, WHOLE_FRAME));
  const out = new UdpOut({ address: '127.0.0.1', family: 4, port: 9, sockets: 1 });
  opened.push(out);
  await out.open();
  const stop = new AbortController();
  return { sender, out, stop, paced: new PacedSender(sender, out, pace, payloadMax, stop.signal) };
}

/** Frames of so many bytes each, captured one second apart. */
function makeBatch(count: number, frameLen: number): PacketBatch {
  const batch = new PacketBatch(count, Buffer.alloc(frameLen));
  batch.end.fill(frameLen);
  batch.linkType.fill(1);
  for (let slot = 0; slot < count; slot++) batch.seconds[slot] = 100 + slot;
  batch.count = count;
  return batch;
}

/** Frame 0 at once, all later ones in a quarter of an hour. */
const stuck: Pace = {
  dueUs: (seconds, _nanoseconds, nowUs) => (seconds === 100 ? nowUs : nowUs + 900e6),
  left: () => {},
  restart: () => {},
};

test('more than a block of frames: each is sent or refused, none twice', async () => {
  const { sender, out, paced } = await make(undefined);
  await paced.send(makeBatch(1000, 60_000));
  const failed = [...out.failed.values()].reduce((sum, count) => sum + count, 0);
  expect(out.sent + failed).toBe(1000);
  expect(sender).toMatchObject({ received: 1000, mirrored: 1000 });
  expect(paced).toMatchObject({ first: { seconds: 100 }, last: { seconds: 1099 } });
});

test('a wait ends when the run is to stop, and nothing more is counted', async () => {
  const { sender, paced, stop } = await make(stuck);
  const sending = paced.send(makeBatch(3, 60));
  setTimeout(() => stop.abort(), 10);
  await sending;
  expect(sender.received).toBe(1);
  await paced.send(makeBatch(3, 60));
  expect(sender.received).toBe(1);
});

test('datagrams past the MTU are counted', async () => {
  const { paced } = await make(undefined, 1472);
  await paced.send(makeBatch(2, 1464));
  expect(paced.fragmented).toBe(0);
  await paced.send(makeBatch(2, 1465));
  expect(paced.fragmented).toBe(2);
});
