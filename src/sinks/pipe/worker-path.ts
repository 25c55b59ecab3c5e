/** Stands for the number of the worker in the path of a pipe. */
export const WORKER_IN_PATH = '{worker}';

/** The path of a worker's own pipe, or the one that there is. */
export function workerPath(path: string, worker: number): string {
  return path.replaceAll(WORKER_IN_PATH, String(worker));
}
