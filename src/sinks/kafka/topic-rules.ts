import type { ClientProblem } from './client-problem.ts';
import type { KafkaSettings } from './settings.ts';

/** Packets and flow records need topics of their own: a client has one batch of a partition under way, and each would bring one. */
export function topicProblems({ packets, flows }: KafkaSettings): ClientProblem[] {
  if (packets === null || flows === null || !mayBeOne(packets.topic, flows.topic)) return [];
  const setting = 'flows.topic';
  const text = `flows.topic is ${flows.topic}, and packets.topic is ${packets.topic}: both could be the same topic`;
  return [{ setting, found: flows.topic, text, expected: 'topics that no VNI makes the same' }];
}

/** Whether there are VNIs with which two names of topics are one. */
function mayBeOne(one: string, other: string): boolean {
  return one === other || patternOf(one).test(other) || patternOf(other).test(one);
}

/** What a name may come to; another name's `{vni}` counts as any. */
function patternOf(topic: string): RegExp {
  const parts = topic.split('{vni}').map((part) => part.replaceAll('.', '\\.'));
  return new RegExp(`^${parts.join('(?:\\d|\\{vni\\})+')}$`);
}
