import type { Config } from '../../config/settings.ts';
import { HostDrops } from '../../inputs/host-drops/host-drops.ts';
import { type Intake, openIntake, type WorkerIntake } from '../../inputs/intake.ts';
import type { BoundSocket, IntakeNote } from '../../inputs/intake-set.ts';
import { KernelDrops } from '../../inputs/udp-drops.ts';
import type { Log } from '../../observe/log.ts';

/** What packets come in through, as long as the appliance runs: opened, told in the log, watched, closed. */
export class LiveIntake {
  readonly #config: Config;
  readonly #log: Log;
  readonly #intake: Intake;
  /** For sockets that workers open themselves. */
  readonly #socketDrops: KernelDrops;
  readonly #hostDrops: HostDrops;
  #dropped = 0;
  #droppedByHost: ReadonlyMap<string, number> = new Map();

  private constructor(config: Config, log: Log, intake: Intake, hostDrops: HostDrops) {
    this.#config = config;
    this.#log = log;
    this.#intake = intake;
    this.#hostDrops = hostDrops;
    const { vxlanPorts, genevePorts } = config.listen;
    this.#socketDrops = new KernelDrops(new Set([...vxlanPorts, ...genevePorts]));
  }

  /** Rejects with a `MirrorError`; then nothing is open. */
  static async open(config: Config, workers: number, log: Log): Promise<LiveIntake> {
    const intake = await openIntake({ ...config.listen, workers });
    const named = config.listen.interface === 'auto' ? undefined : [config.listen.interface].flat();
    return new LiveIntake(config, log, intake, await HostDrops.open(named && (() => named)));
  }

  get workers(): readonly WorkerIntake[] {
    return this.#intake.workers;
  }
  /** Packets that the kernel dropped, as of the last look. */
  get kernelDrops(): number {
    return this.#dropped;
  }
  /** Packets that the host lost before any socket, by place, as of the last look. */
  get hostDrops(): ReadonlyMap<string, number> {
    return this.#droppedByHost;
  }

  /** All sockets with a receive buffer; `own` are those that the workers opened. */
  sockets(own: readonly BoundSocket[]): readonly BoundSocket[] {
    return [...this.#intake.bound(), ...own];
  }

  /** Once a second, and at the end. */
  look(): void {
    this.#warn(this.#intake.refresh());
    this.#droppedByHost = this.#hostDrops.look();
    this.#dropped = this.#intake.kernelDrops() ?? this.#socketDrops.look() ?? 0;
  }

  /** The workers have ended. */
  close(): void {
    this.#intake.close();
    this.#hostDrops.close();
  }

  /** Says what is received how, why not cheaper, and what could be better. */
  say(own: readonly BoundSocket[]): void {
    const { mode, refused, steering, details, notes, workers } = this.#intake;
    const { address, vxlanPorts, genevePorts, mode: asked } = this.#config.listen;
    const fields = {
      mode,
      why: whyThis(asked, refused.length),
      ...Object.fromEntries(refused.map((one) => [`not_${one.mode}`, one.why])),
      address,
      vxlanPorts: vxlanPorts.join(','),
      genevePorts: genevePorts.join(','),
      workers: workers.length,
      steering,
      ...details,
    };
    this.#log.info(fields, 'Receiving.');
    this.#warn(notes);
    this.#warnOfSmallBuffers(this.sockets(own));
  }

  #warn(notes: readonly IntakeNote[]): void {
    for (const note of notes) this.#log.warn(note.fields, note.message);
  }

  #warnOfSmallBuffers(sockets: readonly BoundSocket[]): void {
    const askedBytes = this.#config.listen.receiveBufferBytes;
    const grantedBytes = Math.min(...sockets.map(({ receiveBufferBytes }) => receiveBufferBytes));
    // Linux doubles what it grants for its own bookkeeping
    if (sockets.length === 0 || grantedBytes >= 2 * askedBytes) return;
    const remedy = `sysctl -w net.core.rmem_max=${askedBytes}`;
    const message = 'The kernel granted a smaller receive buffer: bursts may be lost.';
    this.#log.warn({ askedBytes, grantedBytes, remedy }, message);
  }
}

function whyThis(asked: string, refused: number): string {
  if (asked !== 'auto') return 'listen.mode names it';
  return refused === 0 ? 'it costs least' : 'it costs least of those that can be had';
}
