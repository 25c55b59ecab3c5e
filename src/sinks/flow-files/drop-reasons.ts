/** Why this kind of sink drops records, besides what every sink does: there is no room on the disk. */
export const flowFilesDropReasons: readonly string[] = ['diskFull'];
