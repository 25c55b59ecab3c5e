/**
 * What `org.apache.kafka.common.utils.Utils.murmur2` of kafka-clients 4.3.1 returned. The first six are also what Kafka's own
 * UtilsTest expects. Keys are Latin-1: one byte a character.
 */
export interface Murmur2Vector {
  readonly key: string;
  readonly hash: number;
}

export const murmur2Vectors: readonly Murmur2Vector[] = [
  { key: '21', hash: -973932308 },
  { key: 'foobar', hash: -790332482 },
  { key: 'a-little-bit-long-string', hash: -985981536 },
  { key: 'a-little-bit-longer-string', hash: -1486304829 },
  { key: 'lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', hash: -58897971 },
  { key: 'abc', hash: 479470107 },
  { key: '', hash: 275646681 },
  { key: 'a', hash: -1563381124 },
  { key: 'ab', hash: 316155434 },
  { key: 'abcd', hash: -1323649548 },
  { key: 'abcde', hash: 461995741 },
  { key: 'vni-42/10.0.0.1/10.0.0.2', hash: -10717134 },
  { key: 'vni-42/2001:db8::1/2001:db8::2', hash: 106385136 },
  { key: 'geneve-16777215-0123456789abcdef-ip/10.1.2.3/172.16.254.1', hash: -1397748964 },
  { key: 'overflow', hash: 1851725837 },
  { key: '\u00ff\u0080\u00c3', hash: 1419509556 },
];
