import type { Command } from 'commander';
import { givenSettings } from './given-settings.ts';
import { commandIo, collect, makeCommand, wholeNumber } from './shared.ts';
import type { TypedSettings } from './typed-settings.ts';

interface TypedOptions extends TypedSettings {
  readonly packet?: number;
}

export function addExplainCommand(program: Command): void {
  const command = makeCommand(
    'explain',
    'Says what each layer of a captured packet holds, and why it was refused if it was.',
    'mirrortap explain mirrored.pcap --packet 17',
  )
    .argument('<file>', 'capture file; - for standard input')
    .option('--packet <n>', 'only this packet, counted from 1', wholeNumber(1))
    .option('-c, --config <file>', 'settings, YAML: the tunnel ports are read from it')
    .option('--set <path=value>', 'one setting; wins over the file and the environment', collect);
  command.action(async (file: string, options: TypedOptions) => {
    const { listen } = await givenSettings(options);
    const { runExplain } = await import('../explain.ts');
    const { vxlanPorts, genevePorts } = listen;
    const packet = options.packet === undefined ? {} : { packet: options.packet };
    process.exitCode = await runExplain({ file, ...packet, vxlanPorts, genevePorts }, commandIo(command));
  });
  program.addCommand(command);
}
