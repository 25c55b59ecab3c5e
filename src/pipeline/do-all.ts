/** Does all at once; one that fails does not keep the others from finishing. Rejects with the first error after all are done. */
export async function doAll(works: readonly (() => Promise<void>)[]): Promise<void> {
  const results = await Promise.allSettled(works.map((work) => work()));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
