import { accessSync, appendFileSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * What a test needs from outside the project. A test that cannot run says so here, is skipped, and `npm test`
 * lists at its end what was not run and the line that would make it run.
 *
 *     test.skipIf(!requires('tshark'))('tshark reads what we wrote', …)
 */

/** One thing that was missing. Written as a line of JSON to the file that MIRRORTAP_MISSING names. */
export interface Missing {
  readonly what: string;
  /** The line to type, or the sentence to read, that ends the lack. */
  readonly remedy: string;
  /** `offered`: a run without it is complete too; `needed`: with CI=true its absence is a failure. */
  readonly weight: 'needed' | 'offered';
}

/** Debian packages by program; a program that is not listed is taken to be its own package. */
const packages: Readonly<Record<string, string>> = {
  capinfos: 'wireshark-common',
  dumpcap: 'wireshark-common',
  editcap: 'wireshark-common',
  gcc: 'build-essential',
  ip: 'iproute2',
  java: 'default-jre-headless',
  mergecap: 'wireshark-common',
  mkfifo: 'coreutils',
  mvn: 'maven',
  promtool: 'prometheus',
  script: 'bsdutils',
  setpriv: 'util-linux',
};

/** The Debian package that brings `program`. */
export function packageOf(program: string): string {
  return packages[program] ?? program;
}

/** True when `program` is on the PATH. Otherwise its absence is recorded, with the line that installs it. */
export function requires(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  if (folders.some((folder) => folder !== '' && isExecutable(join(folder, program)))) return true;
  missing({ what: program, remedy: `apt-get install --yes ${packageOf(program)}`, weight: 'needed' });
  return false;
}

/** True when the tests run as root: raw sockets, namespaces and limits need it. */
export function requiresRoot(): boolean {
  if (process.getuid?.() === 0) return true;
  missing({ what: 'root', remedy: 'sudo --preserve-env npm test', weight: 'needed' });
  return false;
}

/**
 * The folder of real captures for conformance, from MIRRORTAP_CAPTURES. Those captures belong to others and are
 * no part of the project, so leaving it unset is no failure; naming a folder that is not there is one.
 */
export function requiresCaptures(): string | undefined {
  const folder = process.env['MIRRORTAP_CAPTURES'];
  if (folder === undefined || folder === '') {
    const remedy = 'MIRRORTAP_CAPTURES=/folder/with/captures npm test';
    missing({ what: 'real captures (conformance)', remedy, weight: 'offered' });
    return undefined;
  }
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`MIRRORTAP_CAPTURES names ${folder}, which is not a folder.`);
  }
  return folder;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Records what is missing. */
export function missing(lack: Missing): void {
  const list = process.env['MIRRORTAP_MISSING'];
  if (list !== undefined) appendFileSync(list, `${JSON.stringify(lack)}\n`);
}
