/** One TCP connection from first to last segment. */
import { PacketFlag } from '../../src/format/pcapng-encoder.ts';
import { Flag } from '../../src/wire/tcp.ts';
import type { Packet } from './capture.ts';
import { frame4, frame6, tcpSegment, type ChecksumState, type Host } from './packets.ts';

export interface ConnectionShape {
  readonly version: 4 | 6;
  /** Of what the client sends; `valid` unless given. */
  readonly clientChecksum?: ChecksumState;
  /** The server answers the first segment with a reset. */
  readonly isRefused?: boolean;
}

/** Largest segment 1460, selective acknowledgement, window scale 7. */
const SYN_OPTIONS = Buffer.from('020405b40402010303070000', 'hex');
/** From one segment to the next. */
const STEP_US = 400;

/** Handshake, one request, one answer of two segments, both ends closing. */
export function connection(
  client: Host,
  server: Host,
  startUs: number,
  clientPort: number,
  serverPort: number,
  shape: ConnectionShape,
): Packet[] {
  const packets: Packet[] = [];
  let clientSequence = 0x1000_0000 + clientPort;
  let serverSequence = 0x9000_0000 + clientPort;

  const send = (isClient: boolean, flags: number, data: Buffer = Buffer.alloc(0)): void => {
    const segment = tcpSegment({
      sourcePort: isClient ? clientPort : serverPort,
      destinationPort: isClient ? serverPort : clientPort,
      sequence: isClient ? clientSequence : serverSequence,
      acknowledgement: (flags & Flag.ack) === 0 ? 0 : isClient ? serverSequence : clientSequence,
      flags,
      data,
      ...((flags & Flag.syn) !== 0 && { options: SYN_OPTIONS }),
    });
    const checksum = isClient ? (shape.clientChecksum ?? 'valid') : 'valid';
    const make = shape.version === 4 ? frame4 : frame6;
    const from = isClient ? client : server;
    const bytes = make(from, isClient ? server : client, segment, {
      checksum,
      identification: packets.length,
    });
    const timeUs = startUs + packets.length * STEP_US;
    packets.push({
      timeUs,
      bytes,
      flags: checksum === 'partial' ? PacketFlag.checksumNotReady : PacketFlag.none,
    });
    const advance = data.length + ((flags & (Flag.syn | Flag.fin)) === 0 ? 0 : 1);
    if (isClient) clientSequence += advance;
    else serverSequence += advance;
  };

  send(true, Flag.syn);
  if (shape.isRefused === true) {
    send(false, Flag.rst | Flag.ack);
    return packets;
  }
  send(false, Flag.syn | Flag.ack);
  send(true, Flag.ack);
  send(
    true,
    Flag.psh | Flag.ack,
    Buffer.from(`GET /item/${clientPort} HTTP/1.1\r\nHost: www.example.com\r\n\r\n`),
  );
  send(false, Flag.ack);
  send(
    false,
    Flag.psh | Flag.ack,
    Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 240\r\n\r\n'),
  );
  send(false, Flag.psh | Flag.ack, Buffer.alloc(240, 'mirrored '));
  send(true, Flag.ack);
  send(true, Flag.fin | Flag.ack);
  send(false, Flag.fin | Flag.ack);
  send(true, Flag.ack);
  return packets;
}
