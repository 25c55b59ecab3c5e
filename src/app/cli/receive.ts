import type { Command } from 'commander';
import type { Config } from '../../config/settings.ts';
import { collect, commandIo, makeCommand, reportOption } from './shared.ts';
import type { TypedSettings } from './typed-settings.ts';

interface TypedOptions extends TypedSettings {
  readonly report: 'text' | 'json';
}

export function addReceiveCommand(program: Command): void {
  const command = makeCommand(
    'receive',
    'The appliance: listens for mirrored traffic, decapsulates it and writes it out, until SIGTERM or SIGINT.',
    'mirrortap receive -c mirrortap.yaml --set workers=2',
  )
    .option('-c, --config <file>', 'settings, YAML; see mirrortap config reference')
    .option('--set <path=value>', 'one setting; wins over the file and the environment', collect)
    .addOption(reportOption());
  command.action(async (options: TypedOptions) => {
    const { loadTyped } = await import('./typed-settings.ts');
    const { runReceive } = await import('../receive/command.ts');
    const read = (): Config => loadTyped(options);
    const run = { config: read(), reloadConfig: read, report: options.report };
    process.exitCode = await runReceive(run, commandIo(command));
  });
  program.addCommand(command);
}
