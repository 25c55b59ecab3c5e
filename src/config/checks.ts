import { resolve } from 'node:path';
import { clientProblems } from '../sinks/kafka/client-rules.ts';
import type { KafkaSettings } from '../sinks/kafka/settings.ts';
import { filterProblems } from './check-filters.ts';
import { type Given, sourceAt } from './given.ts';
import { injectProblems } from './inject-rules.ts';
import { pipeProblems } from './pipe-rules.ts';
import { contradiction, type Problem } from './problem.ts';
import type { Config } from './settings.ts';
import { suggest } from './suggest.ts';

/** Kinds of sinks that have a folder to themselves. */
const FOLDER_KINDS: readonly string[] = ['files', 'flow-files'];

/** Says where in the text a problem is. */
type Report = (path: readonly (string | number)[], text: string, found: unknown, expected: string) => void;

/** Rules between settings, for settings that are right one by one. */
export function crossCheck(config: Config, given: Given, problems: Problem[]): void {
  const report: Report = (path, text, found, expected) => {
    problems.push(contradiction(sourceAt(given, path), spell(path), text, String(found), expected));
  };
  checkPorts(config, report);
  checkExpectations(config, report);
  checkFiles(config, report);
  checkFlowSinks(config, report);
  checkKafkaSinks(config, report);
  checkPipeSinks(config, report);
  for (const { path, text, found, expected } of injectProblems(config)) report(path, text, found, expected);
  checkDuplicates(config, report);
  checkFilters(config, report);
  checkHttp(config, report);
  checkReadiness(config, given, problems);
}

/** No port may be listened on twice, and at least one must be left. */
function checkPorts({ listen }: Config, report: Report): void {
  const seen = new Map<number, string>();
  for (const name of ['vxlanPorts', 'genevePorts'] as const) {
    for (const [index, port] of listen[name].entries()) {
      const path = ['listen', name, index];
      const first = seen.get(port);
      if (first === undefined) seen.set(port, spell(path));
      else report(path, `${spell(path)} is ${port}, which ${first} has already`, port, 'each port once');
    }
  }
  if (seen.size > 0) return;
  const text = 'listen.vxlanPorts and listen.genevePorts are both []: nothing would be received';
  report(['listen'], text, '[]', 'at least one port');
}

function checkExpectations({ admission }: Config, report: Report): void {
  const seen = new Set<number>();
  for (const [index, { vni }] of admission.expect.entries()) {
    const path = ['admission', 'expect', index, 'vni'];
    if (seen.has(vni))
      report(path, `${spell(path)} is ${vni}, which is expected already`, vni, 'each VNI once');
    seen.add(vni);
  }
}

/** What the sinks that write into folders must agree on. */
function checkFiles({ sinks }: Config, report: Report): void {
  const owners = new Map<string, string>();
  for (const [name, sink] of Object.entries(sinks)) {
    if (!FOLDER_KINDS.includes(sink.kind) || !sink.enabled) continue;
    const { directory, format, split } = sink;
    if (format === 'pcap' && split === 'none') {
      const text = `sinks.${name}.format is pcap, which cannot hold all lanes in one file; take pcapng, or split: lane`;
      report(['sinks', name, 'format'], text, 'pcap', 'pcapng, or split: lane');
    }
    const folder = resolve(String(directory));
    const owner = owners.get(folder);
    owners.set(folder, owner ?? name);
    if (owner === undefined) continue;
    const text = `sinks.${name}.directory is ${JSON.stringify(directory)}, the folder of sinks.${owner}`;
    report(['sinks', name, 'directory'], text, directory, 'a folder of its own');
  }
}

/** Duplicates can be left out only where somebody finds them. */
function checkDuplicates({ analysis, sinks }: Config, report: Report): void {
  if (analysis.duplicates.detect === 'on') return;
  for (const [name, { enabled, output }] of Object.entries(sinks)) {
    if (!enabled || output?.duplicates !== 'drop') continue;
    const text = `sinks.${name}.output.duplicates is drop, and analysis.duplicates.detect is off: none would be found`;
    report(['sinks', name, 'output', 'duplicates'], text, 'drop', 'analysis.duplicates.detect: on');
  }
}

/** Flow records come from analysis.flows alone. */
function checkFlowSinks({ sinks, analysis }: Config, report: Report): void {
  if (analysis.flows.enabled) return;
  for (const [name, { kind, enabled }] of Object.entries(sinks)) {
    if (kind !== 'flow-files' || !enabled) continue;
    const text = `sinks.${name} is of kind flow-files, and analysis.flows.enabled is false: there would be no records`;
    report(['sinks', name, 'kind'], text, kind, 'analysis.flows.enabled: true');
  }
}

/** What a Kafka sink sends, and what its client cannot honour. */
function checkKafkaSinks({ sinks, analysis }: Config, report: Report): void {
  for (const [name, sink] of Object.entries(sinks)) {
    if (sink.kind !== 'kafka' || !sink.enabled) continue;
    const settings = sink as unknown as KafkaSettings;
    const { packets, flows } = settings;
    const at = ['sinks', name];
    if (packets === null && flows === null) {
      const text = `sinks.${name}.packets and sinks.${name}.flows are both null: nothing would be sent`;
      report([...at, 'packets'], text, 'null', 'at least one topic');
    }
    if (flows !== null && !analysis.flows.enabled) {
      const text = `sinks.${name}.flows has a topic, and analysis.flows.enabled is false: there would be no records`;
      report([...at, 'flows'], text, flows.topic, 'flows: null, or analysis.flows.enabled: true');
    }
    for (const { setting, found, text, expected } of clientProblems(settings))
      report([...at, ...setting.split('.')], `sinks.${name}.${text}`, found, expected);
  }
}

function checkPipeSinks(config: Config, report: Report): void {
  for (const { path, text, found, expected } of pipeProblems(config)) report(path, text, found, expected);
}

function checkFilters(config: Config, report: Report): void {
  for (const { sink, text, found, expected } of filterProblems(config))
    report(['sinks', sink, 'select', 'filter'], text, found, expected);
}

function checkHttp({ http }: Config, report: Report): void {
  if (http.tcpHealthPort === 0 || http.tcpHealthPort !== http.port) return;
  const text = `http.tcpHealthPort is ${http.tcpHealthPort}, the port of http.port`;
  report(['http', 'tcpHealthPort'], text, http.tcpHealthPort, 'another port');
}

/** `http.readiness` may list only sinks that run. */
function checkReadiness({ http, sinks }: Config, given: Given, problems: Problem[]): void {
  if (typeof http.readiness === 'string') return;
  const running = Object.keys(sinks).filter((name) => sinks[name]?.enabled === true);
  for (const [index, name] of http.readiness.entries()) {
    if (running.includes(name)) continue;
    const path = ['http', 'readiness', index];
    const near = suggest(name, running);
    const text = `${spell(path)} is ${JSON.stringify(name)}, which is no sink that runs`;
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    problems.push(contradiction(sourceAt(given, path), spell(path), text + hint, name, running.join(', ')));
  }
}

/** `listen.vxlanPorts[0]`. */
function spell(path: readonly (string | number)[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .slice(1);
}
