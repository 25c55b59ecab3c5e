import type { Command } from 'commander';
import { collect, commandIo, makeCommand } from './shared.ts';
import type { TypedSettings } from './typed-settings.ts';

export function addConfigCommand(program: Command): void {
  const config = makeCommand(
    'config',
    'Checks, prints and explains settings.',
    'mirrortap config check mirrortap.yaml',
  );
  config.addCommand(checkCommand());
  config.addCommand(printCommand());
  config.addCommand(
    makeCommand(
      'reference',
      'Prints every setting with type, default, unit and meaning.',
      'mirrortap config reference',
    ).action(async () => {
      const { referenceText } = await import('../../config/reference.ts');
      process.stdout.write(referenceText());
    }),
  );
  config.addCommand(
    makeCommand(
      'metrics',
      'Prints every metric with its type, labels and meaning.',
      'mirrortap config metrics',
    ).action(async () => {
      const { metricsReference } = await import('../../observe/metrics/reference.ts');
      process.stdout.write(metricsReference());
    }),
  );
  program.addCommand(config);
}

function checkCommand(): Command {
  const command = makeCommand(
    'check',
    'Checks a settings file and says all that is wrong with it.',
    'mirrortap config check mirrortap.yaml',
  )
    .argument('<file>', 'settings, YAML')
    .option('--set <path=value>', 'one more setting', collect);
  return command.action(async (file: string, { set = [] }: TypedSettings) => {
    const { loadTyped } = await import('./typed-settings.ts');
    loadTyped({ config: file, set });
    commandIo(command).print(`${file} is good.\n`);
  });
}

function printCommand(): Command {
  const command = makeCommand(
    'print',
    'Prints the settings in effect, as YAML.',
    'mirrortap config print -c mirrortap.yaml',
  )
    .argument('[file]', 'settings, YAML; the same as -c')
    .option('-c, --config <file>', 'settings, YAML')
    .option('--set <path=value>', 'one setting; wins over the file and the environment', collect);
  return command.action(async (file: string | undefined, options: TypedSettings) => {
    const { loadTyped } = await import('./typed-settings.ts');
    const { printConfig } = await import('../../config/print.ts');
    commandIo(command).print(
      printConfig(loadTyped(file === undefined ? options : { ...options, config: file })),
    );
  });
}
