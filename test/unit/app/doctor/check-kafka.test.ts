import { defaultKafka } from '../../../support/kafka/kafka-settings.ts';
import { kafka, testFindings } from '../../../support/doctor-facts.ts';

const creating = defaultKafka({ createTopics: { enabled: true, partitions: 12, replication: 3 } });

testFindings([
  {
    name: 'brokers',
    when: 'they answer',
    facts: { kafka: [kafka({})] },
    status: 'ok',
    says: /The sink bus reaches Kafka at 127\.0\.0\.1:9092 with platformatic/,
  },
  {
    name: 'brokers',
    when: 'they do not',
    facts: { kafka: [kafka({ failure: 'unreachable: connection refused' })] },
    status: 'problem',
    says: /cannot use Kafka at 127\.0\.0\.1:9092: unreachable: connection refused/,
  },
  {
    name: 'topics',
    when: 'one is there',
    facts: { kafka: [kafka({ topics: new Map([['t', { partitions: 8, maxMessageBytes: 1_048_588 }]]) })] },
    status: 'ok',
    says: /The topic t of the sink bus has 8 partitions/,
  },
  {
    name: 'topics',
    when: 'one is missing',
    facts: { kafka: [kafka({ topics: new Map([['t', undefined]]) })] },
    status: 'problem',
    says: /t of the sink bus is not there: its records would wait for a minute, and then be dropped as noTopic/,
  },
  {
    name: 'topics',
    when: 'one is missing and may be made',
    facts: { kafka: [kafka({ topics: new Map([['t', undefined]]), settings: creating })] },
    status: 'ok',
    says: /it will be created/,
  },
  {
    name: 'topics',
    when: 'one takes small batches',
    facts: { kafka: [kafka({ topics: new Map([['t', { partitions: 8, maxMessageBytes: 900_500 }]]) })] },
    status: 'note',
    says: /takes batches of 900500 bytes; sinks\.bus\.batchBytes is 900000/,
  },
  {
    name: 'spool-space',
    when: 'there is room',
    facts: { kafka: [kafka({})] },
    status: 'ok',
    says: /may grow to 10\.7 GB; its disk has 50\.0 GB free/,
  },
  {
    name: 'spool-space',
    when: 'there is too little',
    facts: { kafka: [kafka({ spoolFreeBytes: 5e9 })] },
    status: 'note',
    says: /its disk has 5\.0 GB free/,
  },
]);
