import { NameKind } from '../../packet/flow-record.ts';
import { NameText } from '../../wire/name-text.ts';
import { type NameArena, NO_HEAD } from './name-arena.ts';

/** What a look at bytes came to. */
export const Found = {
  /** They are of no protocol that is looked for. */
  nothing: 0,
  /** What is there is the beginning of something: more of the stream may say more. */
  more: 1,
  /** All is known that is wanted. */
  all: 2,
} as const;
export type Found = (typeof Found)[keyof typeof Found];

/** Application protocols by the names under which flow records tell them. */
export type ProtocolName = 'dns' | 'http' | 'quic' | 'tls';

const protocolTexts: Readonly<Record<ProtocolName, NameText>> = {
  dns: textOf('dns'),
  http: textOf('http'),
  quic: textOf('quic'),
  tls: textOf('tls'),
};

/** Where the parsers of one flow's packets put what they find: text in the making, and the flow's names. */
export class NameWriter {
  readonly text: NameText = new NameText();
  /** The flow's names in the arena; NO_HEAD where it has none. */
  head = NO_HEAD;
  readonly #arena: NameArena;

  constructor(arena: NameArena) {
    this.#arena = arena;
  }

  /** Keeps the text as a name of the flow. */
  keep(kind: NameKind): void {
    this.head = this.#arena.add(this.head, kind, this.text);
  }

  /** Keeps the bytes `at .. end - 1`, escaped, as a name of the flow; none where there are no bytes. */
  keepBytes(kind: NameKind, bytes: Uint8Array, at: number, end: number): void {
    if (at >= end) return;
    this.text.clear();
    this.text.putBytes(bytes, at, end);
    this.keep(kind);
  }

  /** Says what is spoken. Leaves the text in the making as it is. */
  keepProtocol(name: ProtocolName): void {
    this.head = this.#arena.add(this.head, NameKind.protocol, protocolTexts[name]);
  }
}

function textOf(name: ProtocolName): NameText {
  const text = new NameText();
  text.putAscii(name);
  return text;
}
