import { closeSync, openSync, writeSync } from 'node:fs';
import { host } from '../../samples/make/packets.ts';
import { Seeded } from '../support/seeded.ts';
import {
  Conversation,
  type ConversationKind,
  DATA_SIZES,
  DNS_PACKETS,
  Payloads,
  TCP_PACKETS_MIN,
  type Turn,
} from './conversation.ts';
import { clientHello } from './flow-payloads.ts';
import { OUTER_LEN, putMirrored } from './mirrored-frame.ts';

/** pcap, microseconds, little-endian, Ethernet (draft-ietf-opsawg-pcap section 4). */
const FILE_HEADER = Buffer.from('d4c3b2a10200040000000000000000000000040001000000', 'hex');
const RECORD_HEADER_LEN = 16;
const RECORD_LEN_MAX = 2048;
const ETHERNET_LEN = 14;
const START_SECONDS = 1_795_233_600;
/** 100,000 packets a second. */
const STEP_US = 10;
const BUFFER_BYTES = 8 * 1024 * 1024;

/** Conversations that go on at the same time. */
const OPEN_MAX = 20_000;
/** Of ten conversations four are DNS; of the rest four in five are TLS, the others HTTP. One in ten is of IPv6. */
const DNS_OF_TEN = 4;
const TLS_OF_FIVE = 4;
const IPV6_EVERY = 10;
const CLIENTS = 20_000;
const SERVERS = 500;
/** Packets of TCP conversations, against their mean: few are long. */
const LENGTHS = [0.25, 0.4, 0.5, 0.75, 1, 1.5, 2.6] as const;

export interface FlowCaptureOptions {
  readonly packets: number;
  readonly flows: number;
  /** PacketLength of the sessions; nothing is cut unless it is given. */
  readonly cutLen?: number;
}

/** What was written. */
export interface FlowCapture {
  readonly path: string;
  readonly packets: number;
  readonly flows: number;
  /** Bytes of the inner IP packets before they were cut. */
  readonly ipBytes: number;
  /** Bytes of the file. */
  readonly bytes: number;
}

/** Writes a capture of mirrored conversations, mixed, the same ones at every call. */
export async function writeFlowCapture(
  path: string,
  { packets, flows, cutLen = Infinity }: FlowCaptureOptions,
): Promise<FlowCapture> {
  const said = new Payloads(await clientHello());
  const random = new Seeded(5);
  const plan = planOf(packets, flows, random);
  const open = Array.from({ length: Math.min(OPEN_MAX, Math.ceil(flows / 10)) }, () => plan.next());
  const talking = open.flatMap(({ value, done }) => (done === true ? [] : [value]));
  const turn: Turn = { fromClient: true, flags: 0, payload: Buffer.alloc(0) };
  const file = new RecordFile(path);
  try {
    while (talking.length > 0) {
      const index = random.below(talking.length);
      const conversation = talking[index];
      if (conversation === undefined) break;
      conversation.next(said, turn);
      file.add(conversation, turn, cutLen);
      if (conversation.step < conversation.packets) continue;
      const { value, done } = plan.next();
      const last = done === true ? talking.pop() : value;
      if (last !== undefined && index < talking.length) talking[index] = last;
    }
  } finally {
    file.close();
  }
  return { path, packets: file.packets, flows, ipBytes: file.ipBytes, bytes: file.bytes };
}

/** Conversations with so many packets in sum. */
function* planOf(packets: number, flows: number, random: Seeded): Generator<Conversation, undefined> {
  const isDns = (number: number): boolean => number % 10 < DNS_OF_TEN;
  let dns = 0;
  for (let number = 0; number < flows; number++) if (isDns(number)) dns++;
  let [tcpLeft, packetsLeft] = [flows - dns, packets - dns * DNS_PACKETS];
  for (let number = 0; number < flows; number++) {
    const dnsOnly = isDns(number);
    let length = DNS_PACKETS;
    if (!dnsOnly) {
      const drawn = Math.round((packetsLeft / tcpLeft) * random.pick(LENGTHS));
      const room = packetsLeft - (tcpLeft - 1) * TCP_PACKETS_MIN;
      length = tcpLeft === 1 ? packetsLeft : Math.max(TCP_PACKETS_MIN, Math.min(drawn, room));
      packetsLeft -= length;
      tcpLeft--;
    }
    yield conversationOf(number, dnsOnly, length, random);
  }
}

function conversationOf(number: number, isDns: boolean, packets: number, random: Seeded): Conversation {
  const [client, server] = [(number * 7_919) % CLIENTS, random.below(SERVERS)];
  const kind: ConversationKind = isDns ? 'dns' : Math.floor(number / 10) % 5 < TLS_OF_FIVE ? 'tls' : 'http';
  return new Conversation({
    number,
    kind,
    client: host(1, `10.1.${client >> 8}.${client & 255}`, `2001:db8:1::${client.toString(16)}`),
    server: host(2, `10.2.${server >> 8}.${server & 255}`, `2001:db8:2::${server.toString(16)}`),
    // no two conversations of a client have the same port
    clientPort: 1024 + 499 * Math.floor(number / CLIENTS) + (number % 499),
    version: Math.floor(number / 100) % IPV6_EVERY === 0 ? 6 : 4,
    packets,
    size: random.below(DATA_SIZES.length),
  });
}

/** A pcap file that grows by large writes. */
class RecordFile {
  packets = 0;
  ipBytes = 0;
  bytes = 0;
  readonly #file: number;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  readonly #view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, BUFFER_BYTES);
  #at = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
    this.#at = FILE_HEADER.copy(this.#buffer);
  }

  add(conversation: Conversation, turn: Turn, cutLen: number): void {
    if (this.#at + RECORD_LEN_MAX > BUFFER_BYTES) this.#write();
    const [header, view] = [this.#at, this.#view];
    const at = header + RECORD_HEADER_LEN;
    const frameEnd = putMirrored(this.#buffer, view, at, conversation, turn, cutLen);
    const end = Math.min(frameEnd, at + OUTER_LEN + cutLen);
    const us = this.packets * STEP_US;
    view.setUint32(header, START_SECONDS + Math.floor(us / 1e6), true);
    view.setUint32(header + 4, us % 1e6, true);
    view.setUint32(header + 8, end - at, true);
    view.setUint32(header + 12, end - at, true);
    this.#at = end;
    this.packets++;
    this.ipBytes += frameEnd - at - OUTER_LEN - ETHERNET_LEN;
  }

  close(): void {
    this.#write();
    closeSync(this.#file);
  }

  #write(): void {
    for (let from = 0; from < this.#at; ) from += writeSync(this.#file, this.#buffer, from, this.#at - from);
    this.bytes += this.#at;
    this.#at = 0;
  }
}
