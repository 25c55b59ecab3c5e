import { Flag } from '../../src/wire/tcp.ts';
import type { Host } from '../../samples/make/packets.ts';
import * as payloads from './flow-payloads.ts';

export type ConversationKind = 'dns' | 'tls' | 'http';

/** What one packet of a conversation says. */
export interface Turn {
  fromClient: boolean;
  /** TCP flags; 0 in UDP. */
  flags: number;
  payload: Buffer;
}

/** Payload bytes of data packets; a conversation has packets of one size. */
export const DATA_SIZES = [100, 300, 600, 1346] as const;
/** Handshake, request, answer, and three packets to close. */
const OPENING = 5;
const CLOSING = 3;
/** After two packets with data one without, which acknowledges. */
const CYCLE = 3;
const NOTHING = Buffer.alloc(0);

/** Fewest packets of a TCP conversation. */
export const TCP_PACKETS_MIN: number = OPENING + CLOSING;
export const DNS_PACKETS = 2;

/** All payloads that there are. */
export class Payloads {
  readonly question: payloads.NamedBytes = payloads.dnsQuestion();
  readonly answer: payloads.NamedBytes = payloads.dnsAnswer();
  readonly request: payloads.NamedBytes = payloads.httpRequest();
  readonly serverHello: Buffer = payloads.serverHello();
  readonly hello: payloads.NamedBytes;
  readonly records: readonly Buffer[] = DATA_SIZES.map(payloads.applicationData);
  readonly bodies: readonly Buffer[] = DATA_SIZES.map(payloads.httpBody);

  constructor(hello: payloads.NamedBytes) {
    this.hello = hello;
  }
}

/** Two hosts that talk, packet after packet. */
export class Conversation {
  readonly number: number;
  readonly kind: ConversationKind;
  readonly client: Host;
  readonly server: Host;
  readonly clientPort: number;
  readonly version: 4 | 6;
  /** All its packets. */
  readonly packets: number;
  /** Index into `DATA_SIZES`. */
  readonly size: number;
  /** Packets that were. */
  step = 0;
  /** Next sequence number of client and server. */
  readonly sequences: [client: number, server: number];

  constructor(plan: {
    readonly number: number;
    readonly kind: ConversationKind;
    readonly client: Host;
    readonly server: Host;
    readonly clientPort: number;
    readonly version: 4 | 6;
    readonly packets: number;
    readonly size: number;
  }) {
    this.number = plan.number;
    this.kind = plan.kind;
    this.client = plan.client;
    this.server = plan.server;
    this.clientPort = plan.clientPort;
    this.version = plan.version;
    this.packets = plan.packets;
    this.size = plan.size;
    this.sequences = [Math.imul(plan.number, 0x9e37_79b1) >>> 0, Math.imul(plan.number, 0x85eb_ca77) >>> 0];
  }

  get serverPort(): number {
    return { dns: 53, tls: 443, http: 80 }[this.kind];
  }

  /** Says what the next packet is, and goes on. */
  next(said: Payloads, out: Turn): void {
    const step = this.step++;
    if (this.kind === 'dns') {
      out.fromClient = step === 0;
      out.flags = 0;
      out.payload = (step === 0 ? said.question : said.answer).of(this.number);
    } else if (step < OPENING) this.#open(step, said, out);
    else if (step >= this.packets - CLOSING) this.#close(step - (this.packets - CLOSING), out);
    else this.#goOn(step - OPENING, said, out);
  }

  #open(step: number, said: Payloads, out: Turn): void {
    const flags = [Flag.syn, Flag.syn | Flag.ack, Flag.ack, Flag.psh | Flag.ack, Flag.psh | Flag.ack];
    out.fromClient = step !== 1 && step !== 4;
    out.flags = flags[step] ?? Flag.ack;
    out.payload = NOTHING;
    const isTls = this.kind === 'tls';
    if (step === 3) out.payload = (isTls ? said.hello : said.request).of(this.number);
    if (step === 4) out.payload = isTls ? said.serverHello : payloads.httpResponse(this.#bodyLen());
  }

  #goOn(index: number, said: Payloads, out: Turn): void {
    const acknowledges = index % CYCLE === CYCLE - 1;
    out.fromClient = acknowledges;
    out.flags = Flag.ack;
    const data = (this.kind === 'tls' ? said.records : said.bodies)[this.size];
    out.payload = acknowledges ? NOTHING : (data ?? NOTHING);
  }

  #close(step: number, out: Turn): void {
    out.fromClient = step !== 1;
    out.flags = step === 2 ? Flag.ack : Flag.fin | Flag.ack;
    out.payload = NOTHING;
  }

  #bodyLen(): number {
    const packets = this.packets - OPENING - CLOSING;
    return (packets - Math.floor(packets / CYCLE)) * (DATA_SIZES[this.size] ?? 0);
  }
}
