/** What following TCP connections costs: data of one side in order, each segment acknowledged by the other. */
import type { PacketBatch } from '../../src/packet/batch.ts';
import { Innermost } from '../../src/packet/innermost.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../src/receive/analysis-tally.ts';
import { TCP_WORDS, TcpTracker } from '../../src/receive/flows/tcp-tracker.ts';
import { LANE_COUNTERS_LENGTH } from '../../src/receive/lane-counters.ts';
import * as ethernet from '../../src/wire/ethernet.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import * as tcp from '../../src/wire/tcp.ts';

const SEQUENCE = 4;
const ACKNOWLEDGEMENT = 8;
const HEADERS_LEN = ipv4.HEADER_LEN + tcp.HEADER_LEN;
const LANE = 1;
const SECONDS = 1_700_000_000;

/** @param received a batch of which the first half of the slots are packets of one side each, the others of the other */
export function tcpCase({ bytes, view, frameAt, frameEnd, deliveredCount }: PacketBatch): () => number {
  const laneCounters = new Float64Array(2 * LANE_COUNTERS_LENGTH);
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  const tracker = new TcpTracker({ holes: 1024, laneCounters, tally });
  const connections = deliveredCount / 2;
  const words = new Int32Array(connections * TCP_WORDS);
  for (let i = 0; i < connections; i++) tracker.begin(words, i * TCP_WORDS);
  const innermost = new Innermost();
  innermost.ipVersion = 4;
  innermost.protocol = IpProtocol.tcp;
  const place = (slot: number): number => {
    innermost.ipAt = frameAt[slot]! + ethernet.HEADER_LEN;
    innermost.transportAt = innermost.ipAt + ipv4.HEADER_LEN;
    innermost.end = frameEnd[slot]!;
    return innermost.transportAt;
  };
  let sequence = 0;
  return () => {
    let events = 0;
    const us = sequence % 1_000_000;
    const len = frameEnd[0]! - frameAt[0]! - ethernet.HEADER_LEN - HEADERS_LEN;
    for (let i = 0; i < connections; i++) {
      view.setInt32(place(i) + SEQUENCE, sequence);
      innermost.wireLen = HEADERS_LEN + len;
      events += tracker.see(words, i * TCP_WORDS, 0, bytes, view, innermost, LANE, SECONDS, us * 1000);
    }
    sequence = (sequence + len) >>> 0;
    for (let i = 0; i < connections; i++) {
      const tcpAt = place(connections + i);
      view.setInt32(tcpAt + SEQUENCE, 1);
      view.setInt32(tcpAt + ACKNOWLEDGEMENT, sequence);
      innermost.wireLen = HEADERS_LEN;
      events += tracker.see(words, i * TCP_WORDS, 1, bytes, view, innermost, LANE, SECONDS, us * 1000);
    }
    // no event is expected: what is told is that packets were taken
    return events + 2 * connections;
  };
}
