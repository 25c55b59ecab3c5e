import { NameKind } from '../../packet/flow-record.ts';
import { copyBytes } from '../../wire/copy.ts';
import * as hello from '../../wire/tls-client-hello.ts';
import * as record from '../../wire/tls-record.ts';
import { ASSEMBLY_LEN } from './assembly-pool.ts';
import { Ja4 } from './ja4.ts';
import type { NameHashes } from './name-hashes.ts';
import { Found, type NameWriter } from './name-writer.ts';

/** Finds server name, first application protocol and JA4 in the ClientHello of TLS and QUIC. */
export class TlsNames {
  readonly #ja4: Ja4;
  readonly #hello = new hello.ClientHello();
  /** A hello that lies in several records, put together. */
  readonly #joined = Buffer.alloc(ASSEMBLY_LEN);

  constructor(hashes: NameHashes) {
    this.#ja4 = new Ja4(hashes);
  }

  /**
   * Looks at a TCP stream that begins at `at`. A ServerHello says that TLS is spoken, and nothing more: the hello that
   * it answers may have come by another way, or come later. The header of the first record may be split, too, as programs
   * do that hide the server name: two bytes of it are enough to wait for the rest.
   */
  findInStream(bytes: Uint8Array, at: number, end: number, names: NameWriter): Found {
    const messageAt = at + record.HEADER_LEN;
    if (messageAt >= end) {
      if (!record.mayBeHandshake(bytes, at, end)) return Found.nothing;
      names.keepProtocol('tls');
      return Found.more;
    }
    if (!record.isHandshake(bytes, at)) return Found.nothing;
    const type = bytes[messageAt]!;
    if (type === hello.MessageType.serverHello) names.keepProtocol('tls');
    if (type !== hello.MessageType.clientHello) return Found.nothing;

    const recordEnd = messageAt + record.length(bytes, at);
    const lengthEnd = messageAt + hello.MESSAGE_HEADER_LEN;
    const isSplit =
      lengthEnd > recordEnd ||
      (lengthEnd <= end && messageAt + hello.messageLen(bytes, messageAt) > recordEnd);
    if (isSplit) return this.findInMessage(this.#joined, 0, this.#join(bytes, at, end), 't', names);
    return this.findInMessage(bytes, messageAt, end, 't', names);
  }

  /** Looks at a handshake message that begins at `at`. */
  findInMessage(bytes: Uint8Array, at: number, end: number, transport: 't' | 'q', names: NameWriter): Found {
    const found = this.#hello;
    const state = hello.readClientHello(bytes, at, end, found);
    if (state === hello.HelloState.bad) return Found.nothing;
    if (transport === 't') names.keepProtocol('tls');
    names.keepBytes(NameKind.tlsServerName, bytes, found.serverNameAt, found.serverNameEnd);
    names.keepBytes(NameKind.tlsAlpn, bytes, found.protocolAt, found.protocolEnd);
    if (state === hello.HelloState.cut) {
      return end - at < ASSEMBLY_LEN ? Found.more : Found.all;
    }
    names.text.clear();
    if (this.#ja4.put(bytes, found, transport, names.text)) names.keep(NameKind.ja4);
    return Found.all;
  }

  /** Copies what handshake records carry behind one another; stops at any other. Returns how many bytes that are. */
  #join(bytes: Uint8Array, at: number, end: number): number {
    let joined = 0;
    let cursor = at;
    while (record.complete(cursor, end) && record.isHandshake(bytes, cursor) && joined < ASSEMBLY_LEN) {
      const carriedAt = cursor + record.HEADER_LEN;
      const carriedEnd = carriedAt + record.length(bytes, cursor);
      const stop = Math.min(end, carriedEnd, carriedAt + ASSEMBLY_LEN - joined);
      joined = copyBytes(bytes, carriedAt, stop, this.#joined, joined);
      cursor = carriedEnd;
    }
    return joined;
  }
}
