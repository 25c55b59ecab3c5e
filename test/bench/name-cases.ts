/** What looking for names costs: asking whether to look, and a first packet of a flow with what it leaves freed again. */
import { nameHashes } from '../../src/app/name-hashes.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../src/receive/analysis-tally.ts';
import { NameFinder } from '../../src/receive/flows/name-finder.ts';
import { hex } from '../support/hex.ts';
import { payloadPacket } from '../support/payload-packet.ts';
import { dnsVectors } from '../vectors/dns.ts';

const request = Buffer.from('GET / HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\n\r\n');
const NAME_BYTES = 1 << 22;

function makeFinder(): NameFinder {
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  return new NameFinder({ nameBytes: NAME_BYTES, tally, hashes: nameHashes });
}

/** So many packets, each of another flow, of which no more is wanted. */
export function unwantedCase(packets: number): () => number {
  const finder = makeFinder();
  const { bytes, view, innermost, payloadAt, payloadEnd } = payloadPacket({
    protocol: 'tcp',
    payload: request,
  });
  const heads = Int32Array.from({ length: packets }, () =>
    finder.look(bytes, view, innermost, payloadAt, payloadEnd, true, 0),
  );
  return () => {
    let unwanted = 0;
    for (let i = 0; i < packets; i++) if (!finder.wants(innermost, heads[i]!, 1)) unwanted++;
    return unwanted;
  };
}

/** So many first packets of flows: half are HTTP requests, half answers of DNS. */
export function firstPacketsCase(packets: number): () => number {
  const finder = makeFinder();
  const first = [
    payloadPacket({ protocol: 'tcp', payload: request, ports: [40_000, 80] }),
    payloadPacket({ protocol: 'udp', payload: hex(dnsVectors[1]!.bytes), ports: [40_000, 53] }),
  ] as const;
  return () => {
    let sum = 0;
    for (let i = 0; i < packets; i++) {
      const { bytes, view, innermost, payloadAt, payloadEnd } = first[i & 1]!;
      const head = finder.look(bytes, view, innermost, payloadAt, payloadEnd, true, 0);
      finder.free(head);
      sum += head;
    }
    return sum;
  };
}
