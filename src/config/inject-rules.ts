import { INTERFACE_NAME_MAX, type InjectSettings } from '../sinks/inject/settings.ts';
import type { Config } from './settings.ts';

export interface InjectProblem {
  readonly path: readonly (string | number)[];
  readonly found: string | number;
  readonly text: string;
  readonly expected: string;
}

/** What is wrong with sinks that write to interfaces: names that cannot be, loops, VNIs that are listed twice. */
export function injectProblems({ sinks, listen }: Pick<Config, 'sinks' | 'listen'>): InjectProblem[] {
  return Object.entries(sinks)
    .filter(([, { kind, enabled }]) => kind === 'inject' && enabled)
    .flatMap(([name, settings]) => {
      const inject = settings as unknown as InjectSettings;
      return [
        ...nameProblems(name, inject),
        ...loopProblems(name, inject, listen),
        ...vlanProblems(name, inject),
      ];
    });
}

function nameProblems(name: string, { interface: wanted }: InjectSettings): InjectProblem[] {
  // the shortest that may stand for {vni} and {lane}
  const shortest = wanted.replaceAll('{vni}', '0').replaceAll('{lane}', 'vni-0');
  if (Buffer.byteLength(shortest) <= INTERFACE_NAME_MAX) return [];
  const text = `sinks.${name}.interface is ${JSON.stringify(wanted)}, and no interface has a name of more than ${INTERFACE_NAME_MAX} bytes`;
  const expected = `at most ${INTERFACE_NAME_MAX} bytes, with what stands for {vni} and {lane}`;
  return [{ path: ['sinks', name, 'interface'], found: wanted, text, expected }];
}

/** What is written to an interface must not come in again. With auto, only interfaces with an address are read. */
function loopProblems(
  name: string,
  { interface: wanted }: InjectSettings,
  { mode, interface: listened }: Config['listen'],
): InjectProblem[] {
  if (mode === 'mmsg' || mode === 'dgram' || listened === 'auto') return [];
  const names = typeof listened === 'string' ? [listened] : listened;
  const written = new RegExp(
    `^${wanted
      .split(/\{vni\}|\{lane\}/)
      .map(escaped)
      .join('.+')}$`,
  );
  const both = names.find((one) => written.test(one));
  if (both === undefined) return [];
  const text = `sinks.${name}.interface is ${JSON.stringify(wanted)}, and listen.interface reads ${both}: packets would go round`;
  return [
    {
      path: ['sinks', name, 'interface'],
      found: wanted,
      text,
      expected: 'an interface that nothing else uses',
    },
  ];
}

function vlanProblems(name: string, { vlans }: InjectSettings): InjectProblem[] {
  const seen = new Set<number>();
  const problems: InjectProblem[] = [];
  for (const [index, { vni }] of vlans.entries()) {
    const path = ['sinks', name, 'vlans', index, 'vni'];
    const text = `sinks.${name}.vlans[${index}].vni is ${vni}, which is listed already`;
    if (seen.has(vni)) problems.push({ path, found: vni, text, expected: 'each VNI once' });
    seen.add(vni);
  }
  return problems;
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}
