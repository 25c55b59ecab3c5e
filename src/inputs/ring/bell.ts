import { createSocket, type Socket } from 'node:dgram';
import { level, socketOption } from '../../native/constants.ts';
import { attachProgram, setIntOption } from '../../native/socket.ts';
import { assemble } from '../bpf/assembler.ts';
import { ret } from '../bpf/instructions.ts';
import { dropAll, type Program } from '../bpf/program.ts';
import { Wakefulness } from './slumber.ts';

/** Takes whatever comes, and next to nothing of it; the kernel verifies checksums before. */
const takeAll: Program = assemble([ret(1)]);

/**
 * Calls workers that sleep. The sockets that hold the ports drop what comes; while a worker sleeps they take it, so that
 * the event loop hears of the first packet without anybody looking.
 *
 * Only a worker that asks for it is put to sleep, and only when the sockets listen already. It looks once more then: what
 * came before that lies in its ring, what comes after it rings.
 */
export class Bell {
  readonly #guards: readonly number[];
  readonly #sockets: readonly Socket[];
  readonly #words: readonly Int32Array[];
  #isListening = false;

  /**
   * @param guards UDP sockets; they are the bell's from now on
   * @param wakes the words of the workers
   */
  constructor(guards: readonly number[], isInet6: boolean, wakes: readonly SharedArrayBuffer[]) {
    this.#guards = guards;
    this.#words = wakes.map((wake) => new Int32Array(wake));
    this.#sockets = guards.map((fd) => {
      const socket = createSocket(isInet6 ? 'udp6' : 'udp4');
      socket.on('message', () => this.#ring());
      // what a guard cannot read is no loss
      socket.on('error', () => this.#ring());
      socket.bind({ fd });
      socket.unref();
      // Node has allowed others to bind the port, if they allow it too
      setIntOption(fd, level.SOL_SOCKET, socketOption.SO_REUSEADDR, 0);
      return socket;
    });
  }

  /** Puts the workers to sleep that ask for it. Told now and then. */
  tend(): void {
    const drowsy = this.#words.filter((word) => Atomics.load(word, 0) === Wakefulness.drowsy);
    if (drowsy.length === 0) return;
    if (!this.#isListening) this.#attach(takeAll);
    this.#isListening = true;
    for (const word of drowsy) {
      Atomics.compareExchange(word, 0, Wakefulness.drowsy, Wakefulness.asleep);
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  #ring(): void {
    if (this.#isListening) this.#attach(dropAll);
    this.#isListening = false;
    for (const word of this.#words) {
      const before = Atomics.compareExchange(word, 0, Wakefulness.asleep, Wakefulness.awake);
      if (before === Wakefulness.asleep) Atomics.notify(word, 0);
    }
  }

  #attach(program: Program): void {
    for (const descriptor of this.#guards) {
      attachProgram(descriptor, level.SOL_SOCKET, socketOption.SO_ATTACH_FILTER, program);
    }
  }
}
