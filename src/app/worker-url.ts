/**
 * The module that a worker thread runs, by its place in this folder: `workerUrl('receive/worker')`.
 *
 * Run from source the file ends in `.ts`, built it ends in `.js`. The compiler rewrites the ending in imports and
 * not in URLs, so it is taken from this very file.
 */
export function workerUrl(name: string): URL {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return new URL(`./${name}${extension}`, import.meta.url);
}
