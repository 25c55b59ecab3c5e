/** Names of the reasons for which the sink drops, besides those every sink has; docs/kafka.md says what each means. */
export const kafkaDropReasons: readonly string[] = [
  'spoolFull',
  'spoolExpired',
  'notSent',
  'damaged',
  'tooManyTopics',
  'notEncoded',
  'tooLarge',
  'notAuthorised',
  'noTopic',
  'invalid',
];

/** What the sink counts besides its ledger. */
export const kafkaCounters: readonly string[] = [
  /** Batches of records that brokers took, and those that had to be sent again. */
  'batches',
  'resentBatches',
  /** What is in the spool. */
  'spoolRecords',
  'spoolBytes',
  /** Records of an earlier run that were found in the spool. */
  'recovered',
  /** Threads whose brokers answer. */
  'connected',
];
