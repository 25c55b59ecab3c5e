import { describe, test } from 'vitest';
import { TcpEvent } from '../../../../src/receive/flows/tcp-tracker.ts';
import { expectRow, open, type TcpRow } from '../../../support/tcp-rows.ts';

describe('a connection opens and closes', () => {
  const rows: TcpRow[] = [
    {
      name: 'handshake, data both ways, FIN both ways',
      segments: `${open}; > A 100 a500 +10; < A 500 a110 +20; > FA 110 a520; < FA 520 a111; > A 111 a521`,
      state: 'closed',
      history: 'ShADdFf',
      source: { ackedBytes: 10 },
      destination: { ackedBytes: 20 },
      rtt: [100, 100],
      opener: 0,
      oneSided: false,
    },
    { name: 'a SYN', segments: '> S 99', state: 'syn_sent', history: 'S', opener: 0, oneSided: false },
    {
      name: 'SYN and SYN-ACK',
      segments: '> S 99; < SA 499 a100',
      state: 'syn_received',
      history: 'Sh',
      rtt: [100, -1],
    },
    { name: 'the handshake alone', segments: open, state: 'established', history: 'ShA' },
    {
      name: 'the second FIN is told',
      segments: `${open}; > FA 100 a500; < FA 500 a101`,
      event: TcpEvent.closed,
    },
    {
      name: 'the first is not',
      segments: `${open}; > FA 100 a500`,
      event: TcpEvent.none,
      state: 'closing',
    },
    {
      name: 'and it is told once',
      segments: `${open}; > FA 100 a500; < FA 500 a101; < FA 500 a101`,
      event: TcpEvent.none,
      destination: { retransmissions: 1 },
    },
    {
      name: 'SYN and RST',
      segments: '> S 99; < RA 0 a100',
      state: 'reset',
      history: 'Sr',
      event: TcpEvent.reset,
      destination: { resets: 1 },
      oneSided: false,
    },
    {
      name: 'the RST overtook its SYN',
      segments: '< RA 0 a100; > S 99',
      state: 'reset',
      history: 'rS',
      event: TcpEvent.none,
      destination: { resets: 1 },
      opener: 0,
    },
    {
      name: 'RST in the middle; what was under way does not open it again',
      segments: `${open}; > A 100 a500 +10; < R 500; > A 110 a500 +10`,
      state: 'reset',
      destination: { resets: 1 },
    },
    {
      name: 'a RST that guesses is counted, and ends nothing',
      segments: `${open}; > R 900000000`,
      state: 'established',
      history: 'ShAR',
      event: TcpEvent.none,
      source: { resets: 1 },
    },
    {
      name: 'a FIN that guesses closes nothing',
      segments: `${open}; > FA 100 a500; < FA 900000000 a101`,
      state: 'closing',
    },
    {
      name: 'both open at once',
      segments: '> S 99; < S 499; > SA 99 a500; < SA 499 a100',
      state: 'established',
      history: 'SsHh',
      opener: 0,
      source: { retransmissions: 1 },
      destination: { retransmissions: 1 },
    },
    {
      name: 'data in the SYN (RFC 7413)',
      segments: '> S 99 +20; < SA 499 a120; > A 120 a500; > A 120 a500 +10; < A 500 a130',
      history: 'SDhAa',
      source: { ackedBytes: 30 },
      rtt: [100, 100],
    },
    {
      name: 'the server speaks before the handshake is over: no time of the client is known',
      segments: '> S 99 +20; < SA 499 a120; < A 500 a120 +10; > A 120 a510',
      rtt: [100, -1],
      source: { ackedBytes: 20 },
      destination: { ackedBytes: 10 },
      state: 'established',
    },
    {
      name: 'first seen in the middle',
      segments: '> A 100 a500 +10; < A 500 a110',
      state: 'established',
      history: 'Da',
      rtt: [-1, -1],
      opener: -1,
      source: { ackedBytes: 10 },
    },
    {
      name: 'its SYN-ACK comes first',
      segments: '< SA 499 a100; > S 99; > A 100 a500',
      state: 'established',
      history: 'hSA',
      opener: 0,
      rtt: [-1, 200],
    },
    {
      name: 'no SYN-ACK came',
      segments: '> S 99; > A 100 a500; > A 100 a500 +5',
      state: 'established',
      rtt: [-1, -1],
      oneSided: true,
    },
    {
      name: 'a challenge is no connection (RFC 5961 section 4)',
      segments: '> S 99; < A 7000 a3000; > R 3000',
      state: 'reset',
      source: { resets: 1 },
    },
    {
      name: 'SYN with FIN, FIN with RST',
      segments: '> SF 99; > FR 100',
      history: 'QSIR',
      source: { resets: 1 },
    },
    { name: 'no flags at all', segments: '> - 99', state: '', history: '', opener: -1 },
  ];
  test.each(rows)('$name', (row) => expectRow(row));
});

describe('round-trip times', () => {
  const rows: TcpRow[] = [
    {
      name: 'of both halves',
      segments: '> S 99 @0; < SA 499 a100 @300; > A 100 a500 @1000',
      rtt: [300, 700],
    },
    {
      name: 'from the latest SYN',
      segments: '> S 99 @0; > S 99 @1000000; < SA 499 a100 @1000300; > A 100 a500 @1000350',
      rtt: [300, 50],
      source: { retransmissions: 1 },
    },
    {
      name: 'to the first SYN-ACK, and from the latest',
      segments: '> S 99 @0; < SA 499 a100 @300; < SA 499 a100 @1000300; > A 100 a500 @1000350',
      rtt: [300, 50],
      destination: { retransmissions: 1 },
    },
    {
      name: 'SYN and SYN-ACK again',
      segments: '> S 99 @0; < SA 499 a100 @10; > S 99 @900; < SA 499 a100 @1000; > A 100 a500 @1003',
      rtt: [100, 3],
      source: { retransmissions: 1 },
      destination: { retransmissions: 1 },
    },
    {
      name: 'data is as good as an ACK',
      segments: '> S 99 @0; < SA 499 a100 @10; > A 100 a500 +5 @900',
      rtt: [10, 890],
    },
    {
      name: 'only the first handshake counts',
      segments: `${open}; > S 99 @5000000; < SA 499 a100 @6000000; > A 100 a500 @7000000`,
      rtt: [100, 100],
      source: { retransmissions: 1 },
      destination: { retransmissions: 1 },
    },
    {
      name: 'an ACK of something else tells nothing',
      segments: '> S 99; < SA 499 a100; > A 100 a700',
      rtt: [100, -1],
    },
    {
      name: 'microseconds turn over after 71 minutes',
      segments: '> S 99 @1867000000; < SA 499 a100 @1869000000; > A 100 a500 @1869000500',
      rtt: [2_000_000, 500],
    },
  ];
  test.each(rows)('$name', (row) => expectRow(row));
});

describe('a new connection with old addresses and ports', () => {
  const closed = `${open}; > A 100 a500 +10; > FA 110 a500; < FA 500 a111; > A 111 a501`;
  const { reopened, none } = TcpEvent;
  const rows: TcpRow[] = [
    { name: 'after both FINs', segments: `${closed}; > S 5000`, event: reopened },
    {
      name: 'its SYN-ACK, where that comes first',
      segments: `${closed}; < SA 9000 a5001`,
      event: reopened,
    },
    { name: 'opened by the other side', segments: `${closed}; < S 9000`, event: reopened },
    {
      name: 'after a RST',
      segments: `${open}; > R 100; > S 5000`,
      event: reopened,
      source: { resets: 1 },
    },
    {
      name: 'an old SYN again is none',
      segments: `${closed}; > S 99`,
      event: none,
      source: { retransmissions: 1, ackedBytes: 10 },
    },
    {
      name: 'nor an old SYN-ACK',
      segments: `${closed}; < SA 499 a100`,
      event: none,
      destination: { retransmissions: 1 },
    },
    { name: 'nor a SYN within the window of one that is open', segments: `${open}; > S 5000`, event: none },
    { name: 'but one beyond it', segments: `${open}; > S 90000000`, event: reopened },
    { name: 'and one before it', segments: `${open}; > S -90000`, event: reopened },
    {
      name: 'one before it where the connection was not seen from the start',
      segments: '> A 100000 +10; > S 10000',
      event: reopened,
    },
    { name: 'a late SYN is none', segments: '> A 100000 +10; > S 90000', event: none },
    { name: 'a SYN-ACK beyond the window is none', segments: `${open}; < SA 90000000 a100`, event: none },
    {
      name: 'unanswered, the next try is the same connection',
      segments: '> S 99; > S 90000000; < SA 499 a90000001',
      event: none,
      state: 'syn_received',
      rtt: [100, -1],
    },
    {
      name: 'where only the other side was seen: not the SYN that it has answered',
      segments: '< A 500 a100; > S 99',
      event: none,
    },
    { name: 'but another', segments: '< A 500 a100; > S 90000000', event: reopened },
    {
      name: 'what the words say is not touched',
      segments: `${closed}; > S 5000`,
      state: 'closed',
      history: 'ShADFf',
      event: reopened,
    },
  ];
  test.each(rows)('$name', (row) => expectRow(row));
});
