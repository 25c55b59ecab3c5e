import type { Config } from '../../config/settings.ts';
import { type CommandIo, ExitStatus } from '../io.ts';
import { findingsOf } from './checks.ts';
import { gatherFacts } from './gather.ts';
import { countFindings, findingsJson, findingsText } from './print.ts';

export interface DoctorOptions {
  readonly config: Config;
  readonly report: 'text' | 'json';
}

/** `mirrortap doctor`. Resolves to the exit status: 1 where there is a problem. */
export async function runDoctor({ config, report }: DoctorOptions, io: CommandIo): Promise<number> {
  const findings = findingsOf(await gatherFacts(config), config);
  io.print(report === 'json' ? findingsJson(findings) : findingsText(findings));
  return countFindings(findings).problem > 0 ? ExitStatus.failed : ExitStatus.done;
}
