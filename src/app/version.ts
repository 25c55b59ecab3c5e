import { readFileSync } from 'node:fs';

/** The version of the package that this file runs from: its package.json lies above this folder. */
export const version: string = readVersion();

function readVersion(): string {
  for (const place of ['../package.json', '../../package.json']) {
    const found = versionIn(new URL(place, import.meta.url));
    if (found !== undefined) return found;
  }
  return 'unknown';
}

function versionIn(url: URL): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(url, 'utf8'));
    if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return undefined;
    return 'name' in manifest && manifest.name === 'mirrortap' ? String(manifest.version) : undefined;
  } catch {
    return undefined;
  }
}
