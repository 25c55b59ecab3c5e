/** True under `npm run soak`, which runs the long tests at the sizes the project promises. */
export const soaking: boolean = process.env['MIRRORTAP_SOAK'] === '1';

/** The size of a long test: `full` under `npm run soak`, a tenth of it under `npm test`. */
export function scaled(full: number): number {
  return soaking ? full : Math.ceil(full / 10);
}
