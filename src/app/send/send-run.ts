import { lookup } from 'node:dns/promises';
import { CapturePace, RatePace, type Pace } from '../../mirror/pace.ts';
import { MirrorSender } from '../../mirror/sender.ts';
import { makeSession, type MirrorSession, type TargetType } from '../../mirror/session.ts';
import { MirrorError } from '../../observe/error.ts';
import { isoTimestamp } from '../../observe/timestamp.ts';
import type { Input } from '../../pipeline/input.ts';
import { UdpOut } from '../../sinks/udp-out.ts';
import { parseAddress } from '../../wire/address.ts';
import { payloadMax } from './interface-mtu.ts';
import { KeptCapture } from './kept-capture.ts';
import { clockUs, PacedSender } from './paced-sender.ts';
import type { SendPlan } from './options.ts';
import type { SendReport } from './report.ts';

/** Sockets, and so source ports, that flows are spread over. */
const SOCKETS = 16;

/** Makes the capture's input, once for each pass. */
export type OpenCapture = (from: string) => Input;

/**
 * One sending of a capture as a mirror session would send it: from `run` until the last pass has ended or `stop` is
 * called. `report` may be asked at any time.
 */
export class SendRun {
  readonly #plan: SendPlan;
  readonly #openCapture: OpenCapture;
  readonly #stopping = new AbortController();
  #address = '';
  #out: UdpOut | undefined;
  #sender: MirrorSender | undefined;
  #paced: PacedSender | undefined;
  #input: Input | undefined;
  #passes = 0;
  #startUs = 0;
  #endUs = 0;

  constructor(plan: SendPlan, openCapture: OpenCapture) {
    this.#plan = plan;
    this.#openCapture = openCapture;
  }

  /**
   * Sends everything. Rejects with a `MirrorError`: `TARGET_UNKNOWN`, `UDP_BIND_FAILED`, `UDP_SEND_FAILED` (nothing
   * could be sent), or that of the capture, then after all that could be read was sent.
   */
  async run(): Promise<void> {
    const { host, port, rate } = this.#plan;
    const { address, family } = await resolveHost(host);
    this.#address = address;
    const out = new UdpOut({ address, family, port, sockets: SOCKETS });
    this.#out = out;
    try {
      await out.open();
      const local = out.localAddress;
      const sender = new MirrorSender(sessionOf(this.#plan, local, address));
      this.#sender = sender;
      this.#startUs = clockUs();
      const pace = paceOf(rate, this.#startUs);
      const largest = payloadMax(address, local, family);
      this.#paced = new PacedSender(sender, out, pace, largest, this.#stopping.signal);
      await this.#sendPasses(this.#paced, pace);
    } finally {
      await out.close();
      this.#endUs = clockUs();
    }
    this.#refuseSilence(out);
  }

  /** Ends the run after the frame it is at; `run` settles as usual. */
  stop(): void {
    this.#stopping.abort();
    void this.#input?.close();
  }

  report(): SendReport {
    const out = this.#out;
    const endUs = this.#endUs === 0 ? clockUs() : this.#endUs;
    const seconds = this.#startUs === 0 ? 0 : (endUs - this.#startUs) / 1e6;
    const sent = out?.sent ?? 0;
    return {
      input: { packets: this.#sender?.received ?? 0, bytes: this.#sender?.receivedBytes ?? 0 },
      ledger: { received: this.#sender?.received ?? 0, sent, dropped: this.#dropped() },
      target: this.#target(),
      sentBytes: out?.sentBytes ?? 0,
      truncated: this.#sender?.truncated ?? 0,
      fragmented: this.#paced?.fragmented ?? 0,
      returned: Object.fromEntries(out?.returned ?? []),
      ...this.#captured(),
      passes: this.#passes,
      seconds,
      packetsPerSecond: seconds > 0 ? sent / seconds : 0,
    };
  }

  #dropped(): Record<string, number> {
    const counts = { ...this.#sender?.dropped, ...Object.fromEntries(this.#out?.failed ?? []) };
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  }

  #target(): SendReport['target'] {
    const { vni, port, gwlb } = this.#plan;
    return {
      address: this.#address,
      port,
      encapsulation: gwlb === undefined ? 'vxlan' : 'geneve+vxlan',
      vni,
    };
  }

  async #sendPasses(paced: PacedSender, pace: Pace | undefined): Promise<void> {
    const { passes } = this.#plan;
    const kept = new KeptCapture();
    while (this.#passes < passes && !this.#stopping.signal.aborted) {
      const again = this.#passes === 0 ? undefined : kept.batches;
      if (again === undefined) await this.#sendFile(paced, passes > 1 ? kept : undefined);
      else for (const batch of again) await paced.send(batch);
      if (this.#stopping.signal.aborted) return;
      this.#passes++;
      pace?.restart();
      if (this.#sender?.received === 0) return;
    }
  }

  async #sendFile(paced: PacedSender, kept: KeptCapture | undefined): Promise<void> {
    const input = this.#openCapture(this.#plan.from);
    this.#input = input;
    try {
      await input.open();
      await input.run((batch) => {
        if (this.#passes === 0) kept?.keep(batch);
        return paced.send(batch);
      });
    } finally {
      await input.close();
    }
  }

  /** A run in which every single datagram was refused has failed, whatever the reason. */
  #refuseSilence(out: UdpOut): void {
    if (out.sent > 0 || out.failed.size === 0) return;
    const { port } = this.#plan;
    const reason = [...out.failed.keys()].join(', ');
    throw new MirrorError(
      'UDP_SEND_FAILED',
      `Nothing could be sent to ${this.#address} port ${port} (${reason}).`,
      {
        address: this.#address,
        port,
        reason,
      },
    );
  }

  #captured(): { first: string; last: string } | undefined {
    const paced = this.#paced;
    if (paced === undefined || paced.first.seconds < 0) return undefined;
    const { first, last } = paced;
    return {
      first: isoTimestamp(first.seconds, first.nanoseconds),
      last: isoTimestamp(last.seconds, last.nanoseconds),
    };
  }
}

async function resolveHost(host: string): Promise<{ address: string; family: 4 | 6 }> {
  try {
    const { address, family } = await lookup(host);
    return { address, family: family === 6 ? 6 : 4 };
  } catch (cause) {
    throw new MirrorError(
      'TARGET_UNKNOWN',
      `No address is known for the target ${host}.`,
      { host },
      { cause },
    );
  }
}

/** The mirrored interface is played by the address that datagrams leave from. */
function sessionOf(plan: SendPlan, local: string, remote: string): MirrorSession {
  const type: TargetType = plan.gwlb === undefined ? 'network-interface' : 'gateway-load-balancer-endpoint';
  const { high, low } = plan.gwlb ?? { high: 0, low: 0 };
  const vxlanPort = plan.vxlanPort === undefined ? {} : { vxlanPort: plan.vxlanPort };
  const address = addressBytes(remote);
  const target = { type, address, endpointHigh: high, endpointLow: low, ...vxlanPort };
  return makeSession({ address: addressBytes(local) }, target, plan.vni, plan.packetLength);
}

/** Address as bytes, without the zone that a link-local one may have. */
function addressBytes(text: string): Uint8Array {
  const zoneAt = text.indexOf('%');
  const address = parseAddress(zoneAt < 0 ? text : text.slice(0, zoneAt));
  if (address === undefined)
    throw new MirrorError('TARGET_UNKNOWN', `${text} is no IP address.`, { address: text });
  return address.bytes;
}

function paceOf(rate: SendPlan['rate'], startUs: number): Pace | undefined {
  if (rate === 'max') return undefined;
  return rate === 'realtime' ? new CapturePace(startUs) : new RatePace(rate, startUs);
}
