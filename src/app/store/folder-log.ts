import type { Log } from '../../observe/log.ts';
import type { OpenedFolder } from '../../store/folder.ts';
import type { KeptFiles } from '../../store/keep-waiting.ts';
import type { Recovered } from '../../store/recover.ts';
import type { Retained } from '../../store/retain.ts';
import type { Scanned } from '../../store/scan.ts';

/** Files that get a line of their own; past that a line says how many there are. */
const LINES_MAX = 100;
/** What may happen again and again is said so often. */
const SAY_INTERVAL_MS = 60_000;

/** What the log says of the folder of one sink. */
export class FolderLog {
  readonly #log: Log;
  readonly #sink: string;
  readonly #saidMs = new Map<string, number>();

  constructor(log: Log, sink: string) {
    this.#log = log;
    this.#sink = sink;
  }

  opened(found: OpenedFolder): void {
    if (found.setAside !== undefined) this.setAside(found.setAside);
    if (found.removedHalves > 0) {
      this.#log.info(
        { sink: this.#sink, files: found.removedHalves },
        'Half-compressed captures were removed: they are compressed anew.',
      );
    }
    if (found.otherOwners > 0) {
      const fields = { sink: this.#sink, others: found.otherOwners };
      this.#log.info(fields, 'Another mirrortap writes into the same folder.');
    }
    if (found.undecided.length > 0) {
      const fields = { sink: this.#sink, files: found.undecided.length };
      this.#log.info(
        fields,
        'Unfinished captures may be those of another mirrortap: they are left to it while it runs.',
      );
    }
  }

  setAside({ defect, name }: NonNullable<OpenedFolder['setAside']>): void {
    this.#log.warn(
      { sink: this.#sink, defect, renamedTo: name },
      'The index of captures cannot be used: a new one is made from the files.',
    );
  }

  recovered(found: Recovered): void {
    const { finished, removed, setAside: damaged, failed } = found;
    let lines = 0;
    const line = (write: () => void): void => {
      if (lines++ < LINES_MAX) write();
    };
    for (const { path, packets, cutBytes } of finished) {
      const fields = { sink: this.#sink, file: path, packets, cutBytes };
      line(() => this.#log.info(fields, 'A capture that was left unfinished was finished.'));
    }
    for (const file of removed) {
      line(() =>
        this.#log.info(
          { sink: this.#sink, file },
          'A capture that was left unfinished held no packet: it was removed.',
        ),
      );
    }
    for (const file of damaged) {
      const fields = { sink: this.#sink, file, renamedTo: `${file}.damaged` };
      line(() =>
        this.#log.warn(fields, 'A capture that was left unfinished cannot be read: it was set aside.'),
      );
    }
    for (const { path, error } of failed) {
      line(() =>
        this.#log.error(
          { sink: this.#sink, file: path, error },
          'A capture that was left unfinished cannot be finished.',
        ),
      );
    }
    if (lines <= 1) return;
    const packets = finished.reduce((sum, file) => sum + file.packets, 0);
    const fields = { finished: finished.length, packets, removed: removed.length };
    this.#log.info(
      {
        sink: this.#sink,
        ...fields,
        setAside: damaged.length,
        failed: failed.length,
        left: found.rest.length,
      },
      'Captures that were left unfinished were dealt with.',
    );
  }

  recoveryGoesOn(files: number): void {
    this.#log.info(
      { sink: this.#sink, files },
      'Captures that were left unfinished are finished while packets come in.',
    );
  }

  kept({ kept: files, failed }: KeptFiles): void {
    for (const { from, to, bytes } of files)
      this.#log.debug({ sink: this.#sink, file: from, to, bytes }, 'A capture was kept.');
    for (const { path, error } of failed) {
      this.#log.error(
        { sink: this.#sink, file: path, error },
        'A finished capture cannot be read: it is left as it is.',
      );
    }
  }

  retained({ deleted, refused }: Retained, nowMs: number): void {
    for (const { path, bytes, reason } of deleted) {
      this.#log.debug({ sink: this.#sink, file: path, bytes, reason }, 'An old capture was deleted.');
    }
    const [first] = refused;
    if (first === undefined) return;
    const fields = { sink: this.#sink, file: first.path, error: first.error, files: refused.length };
    this.#oftenAtMost('refused', nowMs, () => this.#log.error(fields, 'Old captures cannot be deleted.'));
  }

  closedEarly(): void {
    const fields = { sink: this.#sink };
    this.#log.info(
      fields,
      'Finished captures wait to be compressed and hashed: that is done after the next start.',
    );
  }

  scanned(added: number, forgotten: number): void {
    if (added + forgotten === 0) return;
    this.#log.info(
      { sink: this.#sink, added, forgotten },
      'The index of captures was brought up to what is in the folder.',
    );
  }

  unreadable(found: Scanned): void {
    for (const file of found.damaged.slice(0, LINES_MAX)) {
      this.#log.warn({ sink: this.#sink, file }, 'A capture cannot be read to its end: it is left as it is.');
    }
    for (const { path, error } of found.unreadable.slice(0, LINES_MAX)) {
      this.#log.error({ sink: this.#sink, file: path, error }, 'A capture cannot be read.');
    }
  }

  overlooked(nowMs: number): void {
    const message =
      'Captures are finished faster than the index takes them: the next comparison with the folder adds them.';
    this.#oftenAtMost('overlooked', nowMs, () => this.#log.warn({ sink: this.#sink }, message));
  }

  jobFailed(error: unknown, nowMs: number): void {
    const message = 'What is to be done with finished captures failed; it is tried again.';
    this.#oftenAtMost('failed', nowMs, () => this.#log.error({ sink: this.#sink, error }, message));
  }

  #oftenAtMost(what: string, nowMs: number, say: () => void): void {
    if (nowMs - (this.#saidMs.get(what) ?? -Infinity) < SAY_INTERVAL_MS) return;
    this.#saidMs.set(what, nowMs);
    say();
  }
}
