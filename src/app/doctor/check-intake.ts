import type { Config } from '../../config/settings.ts';
import { workerCount } from '../../config/presets.ts';
import { type Facts, failed } from './facts.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** Bits of linux/capability.h. */
const CAP_NET_ADMIN = 12n;
const CAP_NET_RAW = 13n;

/** A burst of 20 ms at 100,000 packets of 1,500 bytes a second, as the kernel accounts for them. */
const BUFFER_MIN_BYTES = 4_194_304;

const SET_NET_RAW =
  'Run as root, or give the capability to the program: setcap cap_net_raw+ep "$(readlink -f "$(command -v node)")"; ' +
  'for a container: docker run --cap-add NET_RAW.';

/** How packets would come in, and why not cheaper. */
export function checkInputMode({ intake }: Facts, { listen }: Config): Finding[] {
  const name = 'input-mode';
  if (failed(intake)) {
    const remedy = 'The message says what is missing; listen.mode: auto takes what there is.';
    return [problem(name, `Nothing can be received: ${intake.failure}`, remedy)];
  }
  const { mode, refused } = intake;
  const because = refused.map((one) => ` Not by ${one.mode}: ${one.why}`).join('');
  const message = `Packets would come in by ${mode}.${because}`;
  if (listen.mode !== 'auto' || mode === 'ring') return [ok(name, message)];
  const remedy = 'The reasons say what is missing. By ring a packet costs a fraction of the CPU.';
  return [mode === 'mmsg' ? note(name, message, remedy) : problem(name, message, remedy)];
}

/** What decides which worker gets a packet. */
export function checkSteering({ intake, cores }: Facts, config: Config): Finding[] {
  if (failed(intake)) return [];
  const workers = workerCount(config, cores);
  if (workers === 1) return [ok('steering', 'One worker gets every packet.')];
  const message = `Packets are spread over ${workers} workers by ${intake.steering}.`;
  // a note about one interface is told with the interfaces
  const notes = intake.notes.filter(({ fields }) => !('interface' in fields));
  if (notes.length === 0 && intake.mode !== 'dgram') return [ok('steering', message)];
  const said = notes.map((one) => ` ${one.message}`).join('');
  const remedy = 'Set workers: 1, or make listen.mode: ring possible: see input-mode.';
  return [note('steering', `${message}${said}`, remedy)];
}

/** Whether a packet ring may be opened. */
export function checkCapabilities({ capabilities, platform }: Facts, { listen }: Config): Finding[] {
  const name = 'capabilities';
  if (capabilities === undefined) {
    const message = `This system (${platform}) does not tell the capabilities of a process.`;
    return [note(name, message, 'Packet rings need Linux; elsewhere listen.mode: dgram is taken.')];
  }
  if (has(capabilities.permitted, CAP_NET_RAW)) {
    return [ok(name, 'The process has CAP_NET_RAW, for packet rings.')];
  }
  const message = 'The process lacks CAP_NET_RAW, which a packet ring needs.';
  if (listen.mode === 'ring') return [problem(name, message, SET_NET_RAW)];
  if (listen.mode === 'auto') return [note(name, message, SET_NET_RAW)];
  return [ok(name, `${message} listen.mode: ${listen.mode} does without.`)];
}

/** Whether a socket gets the receive buffer that the settings ask for. */
export function checkReceiveBuffer(facts: Facts, { listen }: Config): Finding[] {
  const name = 'receive-buffer';
  const { intake, receiveBufferMaxBytes: maxBytes, capabilities } = facts;
  const askedBytes = listen.receiveBufferBytes;
  const mode = failed(intake) ? listen.mode : intake.mode;
  if (mode === 'ring') return [ok(name, 'Packets wait in rings: no socket buffer is needed.')];
  if (maxBytes === undefined) {
    return [
      note(name, 'This system does not tell how large a receive buffer may be.', 'See the log of receive.'),
    ];
  }
  if (mode === 'mmsg' && has(capabilities?.effective ?? 0n, CAP_NET_ADMIN)) {
    return [ok(name, `A socket gets its ${askedBytes} bytes: CAP_NET_ADMIN passes the limit.`)];
  }
  if (maxBytes >= askedBytes) return [ok(name, `A socket gets its ${askedBytes} bytes.`)];
  const message = `A socket asks for ${askedBytes} bytes and gets ${maxBytes}: bursts may be lost.`;
  const remedy = `sysctl -w net.core.rmem_max=${askedBytes}, and the same in /etc/sysctl.d to keep it.`;
  return [maxBytes < BUFFER_MIN_BYTES ? problem(name, message, remedy) : note(name, message, remedy)];
}

function has(capabilities: bigint, bit: bigint): boolean {
  return ((capabilities >> bit) & 1n) === 1n;
}
