import { expect, test } from 'vitest';
import { settings } from '../../support/doctor-facts.ts';
import { refused } from '../../support/refused.ts';

const bus = (topic: string): string => `sinks: { bus: { kind: kafka, packets: { topic: "${topic}" } } }`;

test.each(['.', '..', 'a/b', 'mirror {vni}', '{vin}'])('no topic is called %s', (topic) => {
  expect(refused({ text: bus(topic) }).message).toContain(
    `sinks.bus.packets.topic is "${topic}"; expected a topic name of letters, digits, ".", "_", "-" and {vni}.`,
  );
});

test.each(['...', '..{vni}', '.{vni}', 'mirror.packets_1-{vni}'])('a topic may be called %s', (topic) => {
  expect(settings('sinks.bus.kind=kafka', `sinks.bus.packets.topic=${topic}`).sinks).toHaveProperty(
    'bus.packets.topic',
    topic,
  );
});
