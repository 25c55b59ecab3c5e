import type * as sqlite from 'node:sqlite';

/**
 * Node's own SQLite, loaded when it is first needed. Node up to 24.14 announces it as experimental on standard error,
 * where only our log lines belong: that one warning is held back.
 */
export function loadSqlite(): typeof sqlite {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
