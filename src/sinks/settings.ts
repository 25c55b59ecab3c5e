import { type Static, type TObject, Type } from 'typebox';
import { injectSettings } from './inject/settings.ts';
import { kafkaSettings } from './kafka/settings.ts';
import { pipeSettings } from './pipe/settings.ts';

/** Settings of a sink of kind `files`, besides `kind` and what every packet sink has. */
export const filesSettings = Type.Object(
  {
    directory: Type.String({
      description:
        'Folder for capture files; it is made where it is missing. Each lane has a folder of its own in it.',
      default: './captures',
      minLength: 1,
      examples: ['/var/lib/mirrortap/captures'],
      reload: false,
    }),
    format: Type.Enum(['pcapng', 'pcap'], {
      description:
        'Format of the files. pcap says neither lane, checksum state nor drops, and holds one lane a file.',
      default: 'pcapng',
      reload: false,
    }),
    split: Type.Enum(['lane', 'none'], {
      description:
        'lane: each lane has its own files; none: all lanes share one pcapng a worker, as its interfaces.',
      default: 'lane',
      reload: false,
    }),
    rotateBytes: Type.Union([Type.Literal(0), Type.Integer({ minimum: 65_536 })], {
      description: 'Begin a new file before this one grows past so many bytes; 0: no limit.',
      default: 268_435_456,
      unit: 'bytes',
      examples: [1_073_741_824],
      reload: false,
    }),
    rotateSeconds: Type.Integer({
      description: 'Begin a new file so many seconds after the first packet of this one; 0: no limit.',
      default: 300,
      minimum: 0,
      maximum: 31_536_000,
      unit: 's',
      reload: false,
    }),
    rotatePackets: Type.Integer({
      description: 'Begin a new file once this one holds so many packets; 0: no limit.',
      default: 0,
      minimum: 0,
      unit: 'packets',
      reload: false,
    }),
    compress: Type.Enum(['none', 'zstd', 'gzip'], {
      description:
        'Compression of finished files, done in the background; their names then end in .zst or .gz. gzip takes many ' +
        'times as long as zstd.',
      default: 'none',
      reload: false,
    }),
    keepBytes: Type.Integer({
      description:
        'Delete the oldest finished capture files in the folder while all of them together, as stored, are larger; ' +
        'growing files are not counted; 0: no limit.',
      default: 0,
      minimum: 0,
      unit: 'bytes',
      examples: [1_099_511_627_776],
      reload: false,
    }),
    keepSeconds: Type.Integer({
      description:
        'Delete finished capture files in the folder whose last packet came longer ago; 0: no limit.',
      default: 0,
      minimum: 0,
      unit: 's',
      examples: [604_800],
      reload: false,
    }),
    keepFreePercent: Type.Integer({
      description:
        'Keep so much of the disk free: the oldest finished capture files in the folder, of earlier runs too, are ' +
        'deleted, and while that is not enough, packets are dropped and counted as diskFull; 0: use all of it.',
      default: 10,
      minimum: 0,
      maximum: 90,
      unit: '%',
      reload: false,
    }),
  },
  { additionalProperties: false },
);
export type FilesSettings = Static<typeof filesSettings>;

/** Settings of a sink of kind `flow-files`, besides `kind` and what every sink has. */
export const flowFilesSettings = Type.Object(
  {
    directory: Type.String({
      description:
        'Folder for files of flow records, one JSON object a line; it is made where it is missing.',
      default: './flows',
      minLength: 1,
      examples: ['/var/lib/mirrortap/flows'],
      reload: false,
    }),
    rotateBytes: Type.Union([Type.Literal(0), Type.Integer({ minimum: 65_536 })], {
      description: 'Begin a new file before this one grows past so many bytes; 0: no limit.',
      default: 268_435_456,
      unit: 'bytes',
      reload: false,
    }),
    rotateSeconds: Type.Integer({
      description: 'Begin a new file so many seconds after this one was begun; 0: no limit.',
      default: 300,
      minimum: 0,
      maximum: 31_536_000,
      unit: 's',
      reload: false,
    }),
    compress: Type.Enum(['none', 'zstd', 'gzip'], {
      description:
        'Compression of finished files, done in the background; their names then end in .zst or .gz. gzip takes ' +
        'several times as long as zstd.',
      default: 'none',
      reload: false,
    }),
    keepBytes: Type.Integer({
      description:
        'Delete the oldest finished files of flow records in the folder while all of them together, as stored, ' +
        'are larger; growing files are not counted; 0: no limit.',
      default: 0,
      minimum: 0,
      unit: 'bytes',
      examples: [107_374_182_400],
      reload: false,
    }),
    keepSeconds: Type.Integer({
      description:
        'Delete finished files of flow records in the folder that were last written longer ago; 0: no limit.',
      default: 0,
      minimum: 0,
      unit: 's',
      examples: [2_592_000],
      reload: false,
    }),
    keepFreePercent: Type.Integer({
      description:
        'Keep so much of the disk free: the oldest finished files of flow records in the folder, of earlier runs too, ' +
        'are deleted, and while that is not enough, records are dropped and counted as diskFull; 0: use all of it.',
      default: 10,
      minimum: 0,
      maximum: 90,
      unit: '%',
      reload: false,
    }),
  },
  { additionalProperties: false },
);
export type FlowFilesSettings = Static<typeof flowFilesSettings>;

/** Settings of every kind of sink that takes packets: what configuration and reference know of `sinkKinds`. */
export const sinkSettings: Readonly<Record<string, TObject>> = {
  files: filesSettings,
  kafka: kafkaSettings,
  inject: injectSettings,
  pipe: pipeSettings,
};

/** The same for sinks that take flow records, `flowSinkKinds`. */
export const flowSinkSettings: Readonly<Record<string, TObject>> = { 'flow-files': flowFilesSettings };
