import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import type { Given, GivenEntry } from './given.ts';
import { contradiction, type Problem } from './problem.ts';

/** Nodes in one text, aliases counted as often as they are used. */
const NODES_MAX = 100_000;
const DEPTH_MAX = 32;

/** Our words for the slips that are made most; for the others the parser's own are good enough. */
const messages: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this name is there twice in one group',
  TAB_AS_INDENT: 'a tab indents this line; YAML wants spaces',
  MULTIPLE_DOCS: 'a second YAML document begins here; one is expected',
  BLOCK_AS_IMPLICIT_KEY: 'a second colon on one line; put the text in quotes or begin a new line',
  RESOURCE_EXHAUSTION: 'nested too deeply',
};

/** Places in the text of a file, or one place for all of a text that came from elsewhere. */
export interface TextSource {
  readonly name: string;
  /** Whether line and column are worth naming. */
  readonly lines: boolean;
}

/**
 * Reads one YAML 1.2 text as settings.
 *
 * @returns nothing (`undefined`) for an empty text; what is wrong goes to `problems`, and then the result is
 *   not to be used
 */
export function readYaml(text: string, source: TextSource, problems: Problem[]): Given | undefined {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, version: '1.2' });
  const reader = new Reader(document, source, counter, problems);
  const slip: YAMLError | undefined = document.errors[0] ?? document.warnings[0];
  if (slip !== undefined) {
    reader.refuse(slip.pos[0], inOurWords(slip));
    return undefined;
  }
  return document.contents === null ? undefined : reader.given(document.contents, 0);
}

/** An opened bracket is missed where the parser gives up, mostly on a later line. */
function inOurWords({ code, message }: YAMLError): string {
  const [, bracket] = /^Flow .* end with a ([}\]])/.exec(message) ?? [];
  if (bracket === undefined) return messages[code] ?? lowerFirst(message);
  const opened = bracket === '}' ? '{' : '[';
  return `a ${opened} before has no ${bracket}, or what it holds is indented too little`;
}

class Reader {
  readonly #document: Document.Parsed;
  readonly #source: TextSource;
  readonly #counter: LineCounter;
  readonly #problems: Problem[];
  #nodeCount = 0;

  constructor(document: Document.Parsed, source: TextSource, counter: LineCounter, problems: Problem[]) {
    this.#document = document;
    this.#source = source;
    this.#counter = counter;
    this.#problems = problems;
  }

  given(node: ParsedNode | Node | null, depth: number): Given {
    const at = node?.range?.[0] ?? 0;
    const source = this.#place(at);
    if (++this.#nodeCount === NODES_MAX) this.refuse(at, `more than ${NODES_MAX} values, aliases included`);
    if (depth === DEPTH_MAX) this.refuse(at, `nested more than ${DEPTH_MAX} levels deep`);
    if (node === null || this.#nodeCount >= NODES_MAX || depth >= DEPTH_MAX) {
      return { kind: 'scalar', source, value: null };
    }
    if (isAlias(node)) return this.#alias(node, at, depth);
    if (isMap(node)) return { kind: 'map', source, entries: this.#entries(node, depth) };
    if (isSeq(node)) {
      return { kind: 'list', source, items: node.items.map((item) => this.given(asNode(item), depth + 1)) };
    }
    return { kind: 'scalar', source, value: isScalar(node) ? scalar(node.value) : null };
  }

  refuse(at: number, text: string): void {
    this.#problems.push(contradiction(this.#place(at), '', text));
  }

  #alias(node: Alias, at: number, depth: number): Given {
    const target = node.resolve(this.#document);
    if (target !== undefined) return this.given(target, depth + 1);
    this.refuse(at, `nothing is named &${node.source} before this place`);
    return { kind: 'scalar', source: this.#place(at), value: null };
  }

  #entries(node: YAMLMap, depth: number): Map<string, GivenEntry> {
    const entries = new Map<string, GivenEntry>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? scalar(key.value) : null;
      const at = asNode(key)?.range?.[0] ?? node.range?.[0] ?? 0;
      if (name === null) this.refuse(at, 'the name of a setting is expected here');
      else
        entries.set(String(name), { source: this.#place(at), value: this.given(asNode(value), depth + 1) });
    }
    return entries;
  }

  #place(at: number): string {
    if (!this.#source.lines) return this.#source.name;
    const { line, col } = this.#counter.linePos(at);
    return `${this.#source.name}:${line}:${col}`;
  }
}

function asNode(value: unknown): Node | null {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value) ? value : null;
}

function scalar(value: unknown): string | number | boolean | null {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return null;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
