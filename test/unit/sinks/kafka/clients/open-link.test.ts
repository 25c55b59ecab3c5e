import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { BrokerLink } from '../../../../../src/sinks/kafka/clients/broker-link.ts';
import { OpenLink } from '../../../../../src/sinks/kafka/clients/open-link.ts';

function brokenLater(): { open: OpenLink; cut: (reason: Error) => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  return { open: new OpenLink({ broken: promise } as unknown as BrokerLink), cut: reject };
}

it('settles as the work does', async () => {
  const { open } = brokenLater();
  expect(await open.unlessBroken(Promise.resolve(7))).toBe(7);
  await expect(open.unlessBroken(Promise.reject(new Error('no')))).rejects.toThrow('no');
});

it('tells all who wait, and who comes later, that the connection is broken', async () => {
  const { open, cut } = brokenLater();
  const never = new Promise<number>(() => undefined);
  const waiting = [open.unlessBroken(never), open.unlessBroken(never)];
  cut(new Error('gone'));
  for (const wait of waiting) await expect(wait).rejects.toThrow('gone');
  await expect(open.unlessBroken(never)).rejects.toThrow('gone');
});

it('keeps no answer of a connection that stays open', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { open } = brokenLater();
  const answers: WeakRef<object>[] = [];
  for (let i = 0; i < 20; i++) {
    const answer = await open.unlessBroken(Promise.resolve({ partition: i }));
    answers.push(new WeakRef(answer));
  }
  // a WeakRef holds what it refers to until the present turn of the event loop ends
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  const kept = answers.filter((answer) => answer.deref() !== undefined);
  expect(kept.length, 'one may still be in a register').toBeLessThanOrEqual(2);
  expect(open).toBeDefined();
});
