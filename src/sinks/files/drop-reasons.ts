/** Why this kind of sink drops packets, besides what every sink does: there is no room on the disk. */
export const filesDropReasons: readonly string[] = ['diskFull'];
