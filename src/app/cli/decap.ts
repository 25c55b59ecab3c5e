import { type Command, InvalidArgumentError, Option } from 'commander';
import type { EffectiveOutput } from '../../config/presets.ts';
import type { SettingOption } from '../../config/overrides.ts';
import { MirrorError } from '../../observe/error.ts';
import { type DecapOptions, WORKERS_MAX } from '../decap/options.ts';
import { spellOut } from './bare-option.ts';
import { givenSettings } from './given-settings.ts';
import { collect, commandIo, makeCommand, reportOption, wholeNumber } from './shared.ts';
import type { TypedSettings } from './typed-settings.ts';

interface TypedOptions extends TypedSettings {
  readonly out?: string;
  readonly force?: true;
  readonly vxlanPorts?: string;
  readonly genevePorts?: string;
  readonly vni?: string;
  readonly format: DecapOptions['format'];
  readonly workers: number;
  readonly report: DecapOptions['report'];
  readonly flows?: string;
  readonly dedup?: true;
  readonly reorder?: true;
  readonly repairChecksums?: EffectiveOutput['repair'] | true;
}

function workerCount(text: string): number {
  const count = wholeNumber(0)(text);
  if (count <= WORKERS_MAX) return count;
  throw new InvalidArgumentError(`Expected at most ${WORKERS_MAX}.`);
}

/** Values of `--repair-checksums`, the first one where it stands alone. */
const REPAIRS = ['partial', 'all'] as const;

/** The arguments as the parser understands them. */
export function spellOutDecap(args: readonly string[]): string[] {
  return spellOut(args, '--repair-checksums', REPAIRS);
}

/** A list of ports or VNIs for a setting: `4789,8472`; empty for an empty list. */
const LIST = /^[\d\s,-]*$/;

export function addDecapCommand(program: Command): void {
  const command = makeCommand(
    'decap',
    'Decapsulates capture files: one output file a lane (encapsulation, VNI, endpoint). Reads pcap and pcapng, plain, .gz and .zst; - is standard input.',
    'mirrortap decap mirrored.pcap --out decapsulated --vni 42,100-199\n  mirrortap decap monday.pcap tuesday.pcap --out - --workers 4 | tshark -r -\n  mirrortap decap mirrored.pcap --flows flows.ndjson',
  )
    .argument('<files...>', 'capture files, read in this order')
    .option(
      '--out <dir>',
      'folder for the output, created if need be; -: one pcapng with all lanes to standard output',
    )
    .option('--force', 'replace output files that are there already')
    .option('-c, --config <file>', 'settings, YAML')
    .option('--set <path=value>', 'one setting; wins over the file and the environment', collect)
    .option('--vxlan-ports <list>', 'UDP ports that carry VXLAN (default: 4789)')
    .option('--geneve-ports <list>', 'UDP ports that carry GENEVE (default: 6081)')
    .option('--vni <list>', 'only these VNIs, such as 7,100-199')
    .addOption(
      new Option('--format <format>', 'of the output files').choices(['pcapng', 'pcap']).default('pcapng'),
    )
    .option(
      '--workers <n>',
      'threads for large captures (from 256 MiB on); 0: one a core. The output does not depend on it',
      workerCount,
      0,
    )
    .option(
      '--flows <file>',
      'flow records, one JSON object a line; -: to standard output. --out may be left out then',
    )
    .option('--dedup', 'leave out copies that another mirror source, or another VNI, delivered before')
    .option('--reorder', 'put the packets of each TCP stream in order')
    .addOption(
      new Option(
        '--repair-checksums [which]',
        'complete checksums that a network card was to finish (partial, the default), or wrong ones too (all)',
      )
        .choices(REPAIRS)
        .preset(REPAIRS[0]),
    )
    .addOption(reportOption());
  command.action(async (files: string[], options: TypedOptions) => {
    const typed = checked(files, options);
    const config = await givenSettings(options, settings(options));
    const { runDecap } = await import('../decap/command.ts');
    process.exitCode = await runDecap({ ...typed, config }, commandIo(command));
  });
  program.addCommand(command);
}

/** What was typed, without the settings. */
function checked(files: readonly string[], options: TypedOptions): Omit<DecapOptions, 'config'> {
  if (options.out === undefined && options.flows === undefined) {
    throw new MirrorError(
      'USAGE',
      '--out is missing: a folder for the output files, or - for standard output; or --flows for flow records alone.',
      { option: '--out' },
    );
  }
  for (const [option, path] of [
    ['--out', options.out],
    ['--flows', options.flows],
  ] as const) {
    if (path === '' || (option === '--flows' && path?.endsWith('/') === true)) {
      throw new MirrorError('USAGE', `${option}: expected a path, found ${JSON.stringify(path)}.`, {
        option,
      });
    }
  }
  if (options.out === '-' && options.flows === '-') {
    throw new MirrorError(
      'USAGE',
      '--out - and --flows - would mix packets and records: name a file for one.',
      {
        option: '--flows',
      },
    );
  }
  if (options.out === '-' && options.format === 'pcap') {
    throw new MirrorError(
      'USAGE',
      '--out - writes all lanes to one file, and pcap cannot hold them: leave out --format.',
      {
        option: '--format',
      },
    );
  }
  if (files.filter((file) => file === '-').length > 1) {
    throw new MirrorError('USAGE', 'Standard input (-) can be read only once.', { found: files.join(' ') });
  }
  return {
    files,
    out: options.out,
    flows: options.flows,
    output: {
      order: options.reorder === true ? 'flow' : 'arrival',
      repair: options.repairChecksums === true ? 'partial' : (options.repairChecksums ?? 'none'),
      duplicates: options.dedup === true ? 'drop' : 'keep',
    },
    force: options.force === true,
    format: options.format,
    workers: options.workers,
    report: options.report,
  };
}

/** Options that stand for settings. */
function settings({ vxlanPorts, genevePorts, vni, dedup }: TypedOptions): SettingOption[] {
  return [
    ...listSetting('--vxlan-ports', 'listen.vxlanPorts', vxlanPorts),
    ...listSetting('--geneve-ports', 'listen.genevePorts', genevePorts),
    ...listSetting('--vni', 'admission.vnis', someVnis(vni)),
    ...(dedup === undefined
      ? []
      : [{ setting: 'analysis.duplicates.detect', value: 'on', source: '--dedup' }]),
  ];
}

/** An empty list would mean every VNI, which nobody asks for in this way. */
function someVnis(text: string | undefined): string | undefined {
  if (text === undefined || /\d/.test(text)) return text;
  throw new MirrorError('USAGE', '--vni: expected at least one VNI. Leave it out for all.', {
    option: '--vni',
  });
}

function listSetting(option: string, setting: string, text: string | undefined): SettingOption[] {
  if (text === undefined) return [];
  if (!LIST.test(text)) {
    throw new MirrorError('USAGE', `${option}: expected numbers separated by commas, found ${text}.`, {
      option,
      found: text,
    });
  }
  return [{ setting, value: `[${text}]`, source: option }];
}
