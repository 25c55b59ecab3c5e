import type { Command } from 'commander';
import { collect, commandIo, makeCommand, reportOption } from './shared.ts';
import type { TypedSettings } from './typed-settings.ts';

interface TypedOptions extends TypedSettings {
  readonly report: 'text' | 'json';
}

export function addDoctorCommand(program: Command): void {
  const command = makeCommand(
    'doctor',
    'Looks whether this machine is ready for receive with these settings, and says what to do where it is not.',
    'mirrortap doctor -c mirrortap.yaml',
  )
    .option('-c, --config <file>', 'settings, YAML; see mirrortap config reference')
    .option('--set <path=value>', 'one setting; wins over the file and the environment', collect)
    .addOption(reportOption());
  command.action(async ({ report, ...typed }: TypedOptions) => {
    const { loadTyped } = await import('./typed-settings.ts');
    const { runDoctor } = await import('../doctor/run.ts');
    process.exitCode = await runDoctor({ config: loadTyped(typed), report }, commandIo(command));
  });
  program.addCommand(command);
}
