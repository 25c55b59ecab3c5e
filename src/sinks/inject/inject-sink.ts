import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoName } from '../../native/failure.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import type { FrameCompleter } from '../../packet/frame-completer.ts';
import type { Sink, SinkContext } from '../../pipeline/sink.ts';
import { assert } from '../../wire/assert.ts';
import { type Exit, Exits } from './exits.ts';
import { FrameQueue } from './frame-queue.ts';
import { LaneRoutes } from './lane-routes.ts';
import type { Network } from './network.ts';
import { Outcome, outcomeNames, Preparer } from './preparer.ts';
import type { InjectSettings } from './settings.ts';

const { EMSGSIZE, ENETDOWN, ENODEV, ENXIO } = constants.errno;
/** Interfaces are looked at so often: whether they are there, and how long a frame may be. */
const LOOK_MS = 1000;
/** A batch waits so often, for so long, until an interface has room again. */
const WAITS_MAX = 10;
const WAIT_MS = 1;
/** Longest IP packet that mirroring in a VPC delivers comes from an interface with this MTU. */
const JUMBO_MTU = 9001;

export interface InjectOptions {
  readonly settings: InjectSettings;
  readonly network: Network;
  readonly frames: FrameCompleter;
}

/**
 * Writes inner frames to network interfaces, as they are where nothing is missing. The kernel takes them from where they
 * lie; what must be changed is written to memory of the sink's own first.
 */
export class InjectSink implements Sink {
  readonly #context: SinkContext;
  readonly #options: InjectOptions;
  /** By `Outcome`, frames of the batch in hand. */
  readonly #outcomes = new Float64Array(outcomeNames.length);
  #exits: Exits | undefined;
  #queue: FrameQueue | undefined;
  #preparer: Preparer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lookedMs = -Infinity;
  #saidRefused = new Set<number>();
  #written = 0;
  #waits = 0;
  #checked = false;

  constructor(context: SinkContext, options: InjectOptions) {
    this.#context = context;
    this.#options = options;
  }

  async open(): Promise<void> {
    assert(this.#queue === undefined, 'a sink is opened once');
    const { network, settings, frames } = this.#options;
    const { name, lanes, log, worker, now, restarted } = this.#context;
    await network.open();
    const isPattern = settings.interface.includes('{');
    const found = isPattern || restarted === true ? undefined : network.find(settings.interface);
    const exitsMax = isPattern ? settings.maxInterfaces : 1;
    const queue = new FrameQueue(network, exitsMax);
    const onOpen = ({ place }: Exit, is: { index: number; mtuBytes: number }): void =>
      queue.setInterface(place, is);
    const exits = new Exits({ sink: name, network, exitsMax, log, onOpen });
    if (!isPattern) exits.get(settings.interface, now());
    if (found !== undefined && worker === 0 && found.mtuBytes < JUMBO_MTU) this.#warnOfMtu(found.mtuBytes);
    this.#preparer = new Preparer({
      routes: new LaneRoutes(lanes, settings),
      exits,
      queue,
      frames,
      cut: settings.cut,
    });
    this.#exits = exits;
    this.#queue = queue;
    this.#lookedMs = now();
    this.#tellHealth();
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  async write(batch: PacketBatch): Promise<void> {
    const queue = this.#queue;
    const preparer = this.#preparer;
    assert(queue !== undefined && preparer !== undefined, 'a sink is open when it is written to');
    const nowMs = this.#context.now();
    if (nowMs - this.#lookedMs >= LOOK_MS) this.#look();
    this.#outcomes.fill(0);
    this.#written = 0;
    this.#waits = 0;
    this.#checked = false;
    for (let next = 0; next < batch.deliveredCount; ) {
      next = preparer.fill(batch, next, nowMs, this.#outcomes);
      while (!this.#send(queue)) {
        if (this.#waits >= WAITS_MAX) {
          this.#count(Outcome.interfaceFull, queue.waiting);
          break;
        }
        this.#waits++;
        await sleep(WAIT_MS);
      }
      queue.clear();
    }
    this.#settle();
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    this.#options.network.close();
    return Promise.resolve();
  }

  /** Sends what is queued; false where there is no room for the rest. */
  #send(queue: FrameQueue): boolean {
    while (queue.waiting > 0) {
      const sent = queue.send(this.#outcomes);
      if (sent === 0) return false;
      if (sent > 0) this.#written += sent;
      else {
        this.#refused(-sent, queue.nextPlace);
        queue.skip();
      }
    }
    return true;
  }

  /** The first frame that waits is refused, and lost. */
  #refused(errno: number, place: number): void {
    const exit = this.#exits?.at(place);
    if (errno === ENETDOWN || errno === ENXIO || errno === ENODEV) {
      this.#count(Outcome.interfaceGone, 1);
      // it may have been made anew, and have another number now; once a batch is enough
      if (exit !== undefined && !this.#checked) this.#exits?.check(exit);
      else if (exit !== undefined) exit.isOpen = false;
      this.#checked = true;
    } else if (errno === EMSGSIZE) {
      // somebody has made its MTU smaller
      this.#count(Outcome.tooLong, 1);
      if (exit !== undefined) this.#exits?.check(exit);
    } else {
      this.#count(Outcome.refused, 1);
      if (this.#saidRefused.has(errno)) return;
      this.#saidRefused.add(errno);
      const fields = { sink: this.#context.name, interface: exit?.name ?? '', errno: errnoName(errno) };
      this.#context.log.warn(fields, 'The kernel refuses to send a frame. It is said once for each reason.');
    }
  }

  #count(outcome: number, packets: number): void {
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + packets;
  }

  /** Tells the ledger what became of the batch. */
  #settle(): void {
    const { counters } = this.#context;
    if (this.#written > 0) counters.addWritten(this.#written);
    for (let outcome = 0; outcome < outcomeNames.length; outcome++) {
      const packets = this.#outcomes[outcome] ?? 0;
      if (packets === 0) continue;
      const name = outcomeNames[outcome] ?? '';
      if (outcome < Outcome.dropped) counters.add(name, packets);
      else counters.addDropped(name, packets);
    }
    this.#tellHealth();
  }

  #tellHealth(): void {
    const { counters, now } = this.#context;
    if (this.#exits?.areAllGone === true) counters.failing('interfaceGone', now());
    else if ((this.#outcomes[Outcome.interfaceFull] ?? 0) > 0 && this.#written === 0)
      counters.failing('interfaceFull', now());
    else counters.accepting();
  }

  #look(): void {
    this.#lookedMs = this.#context.now();
    this.#exits?.checkAll();
    this.#tellHealth();
  }

  #warnOfMtu(mtuBytes: number): void {
    const { name, log } = this.#context;
    const { interface: interfaceName, cut } = this.#options.settings;
    const becomes = cut === 'pad' || cut === 'shorten' ? 'shortened' : 'dropped';
    const remedy = `ip link set ${interfaceName} mtu ${JUMBO_MTU}`;
    const fields = { sink: name, interface: interfaceName, mtuBytes, remedy };
    log.warn(fields, `Sources in a VPC send longer packets than this interface takes: those are ${becomes}.`);
  }
}
