import { expect, test } from 'vitest';
import { Deliveries } from '../../../src/inputs/deliveries.ts';
import { MirrorError } from '../../../src/observe/error.ts';
import { PacketBatch } from '../../../src/packet/batch.ts';

const batch = new PacketBatch(1, Buffer.alloc(0));

/** Deliveries whose batches are held until they are let go; `events` says in which order things happened. */
function holding() {
  const events: string[] = [];
  const held: (() => void)[] = [];
  const deliveries = new Deliveries();
  const run = deliveries.begin(() => new Promise((resolve) => held.push(resolve)));
  void run.then(
    () => events.push('ended'),
    () => events.push('failed'),
  );
  const send = (name: string): void => deliveries.send(batch, () => events.push(`${name} is back`));
  const letGo = async (): Promise<void> => {
    held.shift()?.();
    await new Promise(setImmediate);
  };
  return { deliveries, events, send, letGo };
}

test('the end waits for every batch, and each is given back before', async () => {
  const { deliveries, events, send, letGo } = holding();
  send('first');
  send('second');
  deliveries.end();
  await letGo();
  expect(events).toEqual(['first is back']);
  await letGo();
  expect(events).toEqual(['first is back', 'second is back', 'ended']);
});

test('batches that are back do not end it', async () => {
  const { events, send, letGo } = holding();
  send('only');
  await letGo();
  expect(events).toEqual(['only is back']);
});

test('a failure is told after the last batch', async () => {
  const { deliveries, events, send, letGo } = holding();
  send('only');
  deliveries.end(new MirrorError('SYSTEM_CALL_FAILED', 'The socket cannot be read.', {}));
  deliveries.end(new MirrorError('SYSTEM_CALL_FAILED', 'The socket cannot be read.', {}));
  expect(events).toEqual([]);
  await letGo();
  expect(events).toEqual(['only is back', 'failed']);
});

test('what ended before it began ends at once, and takes no batch', async () => {
  const deliveries = new Deliveries();
  let back = 0;
  deliveries.send(batch, () => back++);
  deliveries.end();
  expect([deliveries.hasBegun, back]).toEqual([false, 0]);
  await expect(deliveries.begin(() => Promise.resolve())).resolves.toBeUndefined();
});
