import type { Config } from '../../config/settings.ts';
import type { DiskFact, Facts } from './facts.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** 1 Gbit/s and 100 Mbit/s of mirrored traffic. */
const WANTED_BYTES_PER_SECOND = 125e6;
const LEAST_BYTES_PER_SECOND = 12.5e6;
/** A disk this close to the limit, in percent of it, is told of. */
const NEAR_PERCENT = 5;

/** Whether files can be written where the sinks want them. */
export function checkDiskWrite({ disks }: Facts, config: Config): Finding[] {
  if (disks.length === 0) {
    const kinds = Object.keys(config.sinks).length === 0 ? 'There is no sink' : 'No sink writes files';
    return [ok('disk-write', `${kinds}: no disk is needed.`)];
  }
  return disks.map(({ sink, directory, refusal }) =>
    refusal === undefined
      ? ok('disk-write', `The sink ${sink} can write to ${directory}.`)
      : problem(
          'disk-write',
          `The sink ${sink} cannot write to ${directory}: ${refusal}.`,
          `Check the permissions of the folder for this user, or change sinks.${sink}.directory.`,
        ),
  );
}

/** Whether there is more room than is to be kept free. */
export function checkDiskSpace({ disks }: Facts): Finding[] {
  return disks.filter(({ totalBytes }) => totalBytes > 0).map(spaceOf);
}

function spaceOf({ sink, keeps, directory, freeBytes, totalBytes, keepFreePercent }: DiskFact): Finding {
  const freePercent = (freeBytes / totalBytes) * 100;
  const message =
    `${directory} has ${gigabytes(freeBytes)} free of ${gigabytes(totalBytes)} (${freePercent.toFixed(0)} %); ` +
    `${keepFreePercent} % are to stay free.`;
  const remedy = `Free some of it, use a larger disk, or lower sinks.${sink}.keepFreePercent.`;
  if (freePercent <= keepFreePercent || freeBytes === 0) {
    return problem(
      'disk-space',
      `${message} ${keeps === 'packets' ? 'Packets' : 'Records'} would be dropped as diskFull.`,
      remedy,
    );
  }
  if (freePercent <= keepFreePercent + NEAR_PERCENT) return note('disk-space', message, remedy);
  return ok('disk-space', message);
}

/** How fast a sink's disk takes what is written. */
export function checkDiskSpeed({ disks }: Facts): Finding[] {
  return disks.filter(({ keeps, refusal }) => keeps === 'packets' && refusal === undefined).map(speedOf);
}

function speedOf({ directory, bytesPerSecond }: DiskFact): Finding {
  const name = 'disk-speed';
  if (bytesPerSecond === undefined) {
    return note(
      name,
      `The speed of ${directory} was not tried: there is too little room.`,
      'See disk-space.',
    );
  }
  const speed = `${directory} takes ${(bytesPerSecond / 1e6).toFixed(0)} MB/s`;
  const remedy =
    'Take a faster disk (for EBS: more throughput), or a shorter PacketLength in the mirror sessions.';
  if (bytesPerSecond < LEAST_BYTES_PER_SECOND) {
    return problem(
      name,
      `${speed}: packets are lost above that, ${megabits(bytesPerSecond)} of traffic.`,
      remedy,
    );
  }
  if (bytesPerSecond < WANTED_BYTES_PER_SECOND) {
    return note(name, `${speed}: enough for ${megabits(bytesPerSecond)} of mirrored traffic.`, remedy);
  }
  return ok(name, `${speed}: enough for ${megabits(bytesPerSecond)} of mirrored traffic.`);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function megabits(bytesPerSecond: number): string {
  return `${((bytesPerSecond * 8) / 1e6).toFixed(0)} Mbit/s`;
}
