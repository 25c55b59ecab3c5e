import { expect, test } from 'vitest';
import type { PartitionBatch } from '../../../../../src/sinks/kafka/client.ts';
import { Judge, unknownPatienceMs } from '../../../../../src/sinks/kafka/clients/judge.ts';
import { recordOf, silentLog } from '../../../../support/kafka/clients.ts';

const UNKNOWN_TOPIC_OR_PARTITION = { code: 3 };
const DELIVERED = { code: 0 };

function newJudge() {
  const clock = { ms: 1000 };
  const judge = new Judge(undefined, silentLog, () => clock.ms);
  const kindsOf = (topic: string, answers: readonly { code: number }[]): string[] => {
    const batch: PartitionBatch = { topic, partition: 0, records: [recordOf('a')] };
    return answers.map((answer) => judge.judge(batch, answer, false).kind);
  };
  return { judge, clock, kindsOf };
}

test('a topic that is unknown is waited for once, and not by each batch again', () => {
  const { clock, kindsOf } = newJudge();
  const unknown = [UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_OR_PARTITION];
  expect(kindsOf('a', unknown)).toEqual(['retry', 'retry']);
  clock.ms += unknownPatienceMs.neverSeen;
  expect(kindsOf('a', unknown)).toEqual(['refused', 'refused']);
  expect(kindsOf('b', unknown)).toEqual(['retry', 'retry']);
});

test.each([
  ['a broker names it', true],
  ['it takes records', false],
])('a topic that was given up is waited for again once %s', (_, isNamed) => {
  const { judge, clock, kindsOf } = newJudge();
  kindsOf('a', [UNKNOWN_TOPIC_OR_PARTITION]);
  clock.ms += unknownPatienceMs.neverSeen;
  expect(kindsOf('a', [UNKNOWN_TOPIC_OR_PARTITION])).toEqual(['refused']);
  if (isNamed) judge.seen('a');
  else kindsOf('a', [DELIVERED]);
  expect(kindsOf('a', [UNKNOWN_TOPIC_OR_PARTITION])).toEqual(['retry']);
});
