import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const CAPTURE = /\.pcap(ng)?$/;

/** Paths of all captures below a folder. */
export function capturesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => CAPTURE.test(name))
    .map((name) => join(folder, name));
}
