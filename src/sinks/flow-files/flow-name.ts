/**
 * Names of live flow files: `<start>-<sequence>-w<worker>.ndjson`, then `.part` while they grow. What is called otherwise
 * belongs to somebody else: it is never deleted or renamed.
 */

/** What the name of a flow file ends in. */
export const FLOW_EXTENSION = 'ndjson';

/** What the name of a flow file says. */
export interface FlowFileName {
  /** `20261121T040000Z`: second in which it was begun. */
  readonly start: string;
  readonly sequence: number;
  readonly worker: number;
  /** The name ends in `.part`. */
  readonly part: boolean;
}

const FLOW_NAME = /^(\d{8}T\d{6}Z)-(\d{6,})-w(\d+)\.ndjson(\.part)?$/;

/** What a file's name says; `undefined` where it is not one of ours. */
export function parseFlowName(name: string): FlowFileName | undefined {
  const match = FLOW_NAME.exec(name);
  if (match === null) return undefined;
  const [, start = '', sequence, worker, part] = match;
  return { start, sequence: Number(sequence), worker: Number(worker), part: part !== undefined };
}
